"""A chapter's drawings as the page wants them: light or dark, for a desk or a phone.

MyST-NB writes a drawing's SVG to a file that is named by its sha256, and an ``<img>``. The same
drawing with light ink, and the narrow one that the notebook keeps beside it, become files too; the
one picture becomes up to four, of which a style sheet shows one, and a browser loads no other.
"""

import colorsys
import hashlib
import re
from pathlib import Path
from typing import Any

import nbformat
from sphinx.application import Sphinx

# As in ncabook/figures/pictures.py, which is slow to import; a test holds them together.
SVG, NARROW, SCROLL, INK = "image/svg+xml", "narrow", "scroll", "#1b2127"
DATA = re.compile(r"data:image/(?:png|webp);base64,([A-Za-z0-9+/=\s]+)")
# In the dark: the ink, and what would be hard to read there (the first of COLORS, greys of labels).
DARK = {
    INK: "#e9edf1",
    "#0072b2": "#3d8fd1",
    "#4c4c4c": "#a9b4bf",
    "#666666": "#a9b4bf",
    "#696969": "#a9b4bf",
}
# Lines in black; a black fill, such as a living cell, means something.
BLACK = re.compile(r"stroke: #000000\b")
# A box that text stands on: a pale fill keeps its hue and becomes as dark as the text is light.
FILL = re.compile(r"(?<=fill: )#[0-9a-f]{6}")
PALE, DEEP = 0.8, 0.22  # lightness, 0 to 1; white means something, such as a dead cell
PICTURE = re.compile(
    r'<img (?P<rest>[^>]*?)src="(?P<folder>[^"]*/)(?P<name>[0-9a-f]{64})\.svg"(?P<more>[^>]*?)/?>'
)


def file_name(text: str) -> str:
    """As MyST-NB names a drawing's file."""
    return hashlib.sha256("\n".join(text.splitlines()).encode()).hexdigest()


def _drawings(path: Path) -> dict[str, tuple[str, str | None, bool]]:
    """A notebook's: by name, the text, that of the narrow one, and whether it scrolls."""
    found = {}
    for cell in nbformat.read(path, as_version=4).cells:
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            if SVG in data:
                metadata = output.get("metadata", {}).get(SVG, {})
                narrow = metadata.get(NARROW)
                found[file_name(data[SVG])] = (
                    data[SVG],
                    narrow and whole(narrow, data[SVG]),
                    metadata.get(SCROLL, False),
                )
    return found


def whole(narrow: str, wide: str) -> str:
    """The narrow drawing with the images of the wide one."""
    images = [found[0] for found in DATA.finditer(wide)]
    return re.sub(r"raster:(\d+)", lambda found: images[int(found[1])], narrow)


def dark(drawing: str) -> str:
    """The same drawing for a dark page."""
    for light, other in DARK.items():
        drawing = drawing.replace(light, other)
    drawing = BLACK.sub(f"stroke: {DARK[INK]}", drawing)
    return FILL.sub(lambda found: _deep(found[0]), drawing)


def _deep(color: str) -> str:
    red, green, blue = (int(color[i : i + 2], 16) / 255 for i in (1, 3, 5))
    hue, lightness, saturation = colorsys.rgb_to_hls(red, green, blue)
    if not PALE < lightness < 1 or color == DARK[INK]:
        return color
    deep = colorsys.hls_to_rgb(hue, DEEP, saturation)
    return "#" + "".join(f"{round(255 * part):02x}" for part in deep)


def _points(text: str) -> tuple[str, str]:
    """Width and height of a drawing in CSS pixels; Matplotlib writes them in points."""
    head = text[: text.index(">")]
    sizes = dict(re.findall(r'\s(width|height)="([\d.]+)pt"', head))
    width, height = (f"{float(sizes[side]) * 4 / 3:.0f}" for side in ("width", "height"))
    return width, height


def _variants(app: Sphinx, page: str, template: str, context: dict[str, Any], tree: object) -> None:
    source = Path(app.srcdir, f"{page}.ipynb")
    if "body" not in context or not source.exists():
        return
    drawings = _drawings(source)
    folder = Path(app.outdir) / "_images"

    def write(text: str) -> str:
        name = f"{file_name(text)}.svg"
        if not (folder / name).exists():
            folder.mkdir(exist_ok=True, parents=True)
            (folder / name).write_text(text, encoding="utf-8")
        return name

    def pictures(found: re.Match[str]) -> str:
        wide, narrow, scrolls = drawings.get(found["name"], (None, None, False))
        if wide is None:
            return found[0]
        made = []
        for text, place in ((wide, "nca-wide" if narrow else "nca-only"), (narrow, "nca-narrow")):
            if text is None:
                continue
            width, height = _points(text)
            for drawn, theme in ((text, "only-light"), (dark(text), "only-dark")):
                name = write(drawn)
                made.append(
                    f'<img {found["rest"]}class="{theme} {place}" src="{found["folder"]}{name}" '
                    f'width="{width}" height="{height}"{found["more"]}/>'
                )
        pictures = "".join(made)
        return f'<span class="nca-scroll nca-diagram">{pictures}</span>' if scrolls else pictures

    context["body"] = PICTURE.sub(pictures, context["body"])


def setup(app: Sphinx) -> dict[str, bool]:
    """Hooks the change in, page by page."""
    app.connect("html-page-context", _variants)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
