"""Draws the theme's icons, and leaves out the font that it brings for them.

The theme loads Font Awesome on every page: two thousand icons, 1.5 MB of script before anything
is shown, for the twenty that are used. Each of those is a line or two in an SVG here, laid as a
mask over the text's colour, so that it follows the theme and hovering as a letter would.
"""

import shutil
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.config import Config

TEMPLATES = Path(__file__).parents[1] / "_templates"  # its macros load no font
SHEET = "icons.css"

CIRCLE = "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18Z"
PAGE = "M6 3h8l4 4v14H6ZM14 3v4h4"
GLASS = "M11 4a7 7 0 1 0 0 14 7 7 0 0 0 0-14ZM20 20l-4-4"
EXCLAMATION = CIRCLE + "M12 7v6M12 16.5h.01"
TRIANGLE = "M12 4 2.5 20h19ZM12 10v4M12 17h.01"
BULB = "M9 18h6M10 21h4M9 18l-.5-3a6 6 0 1 1 7 0l-.5 3"
INFORMATION = CIRCLE + "M12 11v5.5M12 7.5h.01"
DOWNLOAD = "M12 4v11M7.5 11l4.5 4.5 4.5-4.5M4 20h16"
CHEVRON = "M5 9l7 7 7-7"
LIST = "M9 6h11M9 12h11M9 18h11M4.5 6h.01M4.5 12h.01M4.5 18h.01"
PLAY = "M7 4v16l13-8Z"

# What the theme's templates call them: strokes on a square of 24, for elements of that class.
ICONS = {
    "angle-left": "M15 5l-7 7 7 7",
    "angle-right": "M9 5l7 7-7 7",
    "arrow-up": "M12 20V4M5 11l7-7 7 7",
    "bars": "M4 6h16M4 12h16M4 18h16",
    "chevron-down": CHEVRON,
    "circle-half-stroke": CIRCLE,
    "code": "M8 7l-5 5 5 5M16 7l5 5-5 5",
    "download": DOWNLOAD,
    "expand": "M4 9V4h5M15 4h5v5M20 15v5h-5M9 20H4v-5",
    "file": PAGE,
    "file-pdf": PAGE + "M9 12h6M9 16h6",
    "list": LIST,
    "magnifying-glass": GLASS,
    "moon": "M20 14.5A8.5 8.5 0 0 1 9.5 4a8.5 8.5 0 1 0 10.5 10.5Z",
    "play": PLAY,
    "rocket": PLAY,  # "launch", as soon as there is an address for Colab to open
    "sun": "M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8ZM12 2v2M12 20v2M2 12h2M20 12h2"
    "M5 5l1.4 1.4M17.6 17.6 19 19M19 5l-1.4 1.4M6.4 17.6 5 19",
}
FILLED = {"circle-half-stroke": "M12 3a9 9 0 0 1 0 18Z"}  # and what is no stroke
# Kinds of boxes, by the class of each.
BOXES = {
    "attention": TRIANGLE,
    "caution": TRIANGLE,
    "warning": TRIANGLE,
    "danger": EXCLAMATION,
    "error": EXCLAMATION,
    "important": EXCLAMATION,
    "hint": BULB,
    "tip": BULB,
    "seealso": "M4 12h16M14 6l6 6-6 6",
    "admonition-todo": LIST,
}
# Other places where the theme puts a letter of the font.
LETTERS = {
    "a.reference.download::before": DOWNLOAD,
    "div#searchbox p.highlight-link a::before": GLASS + "M8 11h6",
    ".bd-sidebar-secondary.hide:not(:hover) .onthispage::after": CHEVRON,
    "span.versionmodified::before": INFORMATION,
}
# The variables that hold those letters: nothing is to be written over the mask.
EMPTIED = (
    *(f"admonition-{name.removeprefix('admonition-')}" for name in (*BOXES, "default", "note")),
    *("download", "search-minus", "versionmodified-default", "versionmodified-added"),
    *("versionmodified-changed", "versionmodified-deprecated"),
)


def mask(strokes: str, filled: str = "") -> str:
    """An icon as a value for ``mask-image``: a data URL, which also works from ``file://``."""
    svg = (
        "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 24 24' fill='none' stroke='black' "
        f"stroke-width='2.2' stroke-linecap='round' stroke-linejoin='round'><path d='{strokes}'/>"
        f"<path fill='black' d='{filled}'/></svg>"
    )
    return f'url("data:image/svg+xml,{svg.replace("<", "%3C").replace(">", "%3E")}")'


def sheet() -> str:
    """The style sheet."""
    title = ".admonition-title::after"
    drawn = [":is(.fa-solid, .fas)::before", f"div.admonition > {title}", *LETTERS]
    draw = (
        "background: currentcolor; -webkit-mask: var(--icon) center / contain no-repeat; "
        "mask: var(--icon) center / contain no-repeat;"
    )
    empty = " ".join(f'--pst-icon-{name}: "";' for name in EMPTIED)
    lines = [
        f"html:root {{ {empty} }}",
        f"{', '.join(drawn)} {{ {draw} }}",
        ":is(.fa-solid, .fas) { display: inline-block; }",
        f':is(.fa-solid, .fas)::before, {", ".join(LETTERS)} {{ content: ""; '
        "display: inline-block; width: 1em; height: 1em; vertical-align: -0.125em; }",
        ".fa-lg { font-size: 1.25em; }",
        # In the header all are of one size, on one line.
        ".article-header-buttons { align-items: center; }",
        ".bd-header-article .btn :is(.fa-solid, .fas) { font-size: 1.15rem; line-height: 1; }",
        # Where the title's first line is, however large its letters are.
        f"div.admonition > {title} {{ top: 0.6em; height: 1.05em; width: 1.05em; }}",
        f".admonition {{ --icon: {mask(INFORMATION)}; }}",
        *(
            f".fa-{name}::before {{ --icon: {mask(strokes, FILLED.get(name, ''))}; }}"
            for name, strokes in ICONS.items()
        ),
        *(f".admonition.{name} {{ --icon: {mask(d)}; }}" for name, d in BOXES.items()),
        *(f"{where} {{ --icon: {mask(d)}; }}" for where, d in LETTERS.items()),
        # Colours chosen by the reader's system have no background of ours; its text colour stays.
        f"@media (forced-colors: active) {{ {', '.join(drawn)} "
        "{ forced-color-adjust: none; background: CanvasText; } }",
    ]
    return "\n".join(lines) + "\n"


def _find_templates(app: Sphinx, config: Config) -> None:
    config.templates_path.insert(0, str(TEMPLATES))


def _write(app: Sphinx, error: Exception | None) -> None:
    if error is None and app.builder.format == "html":
        static = Path(app.outdir) / "_static"
        (static / SHEET).write_text(sheet(), encoding="utf-8")
        shutil.rmtree(static / "vendor" / "fontawesome", ignore_errors=True)
        # No page asks for the font, nor for the templates that do.
        for path in static.glob("*webpack-macros.html"):
            path.unlink()


def setup(app: Sphinx) -> dict[str, bool]:
    """Registers the style sheet and the templates, and writes it when the pages are there."""
    app.add_css_file(SHEET)
    app.connect("config-inited", _find_templates)
    app.connect("build-finished", _write)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
