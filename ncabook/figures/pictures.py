"""Matplotlib's figures as SVG for pages: in an ink that a page can exchange, and for a phone, too.

A notebook keeps two drawings of each figure: as wide as a column of text, and, where a narrow page
would shrink it until nothing can be read, a second one with its axes below each other. Text and
axes are drawn in one colour, :data:`INK`, on no background, so that a dark page needs another
colour only and no third drawing.
"""

import base64
import io
import re
import warnings
from typing import Any, cast

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.gridspec import GridSpec
from matplotlib.legend import Legend
from PIL import Image

SVG = "image/svg+xml"
NARROW, SCROLL = "narrow", "scroll"  # in a drawing's metadata
INK = "#1b2127"  # of text and axes; nothing else may have it
PHONE = 3.5  # inches: a phone's column of text
SIDE_BY_SIDE = 4  # pictures without axes, on a phone
LETTER, TITLE, LINE = 0.08, 0.32, 0.17  # inches: a title's letter, a title, a legend's line
LEAST = 1.9  # inches: the height of a plot on a phone

STYLE = {
    "svg.fonttype": "path",  # the same on every machine
    "svg.hashsalt": "ncabook",
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "savefig.facecolor": "none",
    "legend.facecolor": "none",
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "grid.color": INK,
    # Images keep their own pixels; the page enlarges them.
    "image.interpolation": "none",
    "image.composite_image": False,
}


# An image in a drawing, and its data; its width times the scale of its matrix is in points.
DATA = re.compile(r"data:image/(?:png|webp);base64,([A-Za-z0-9+/=\s]+)")
IMAGE = re.compile(r"<image [^>]*?/>", re.DOTALL)
PATH = re.compile(r' d="[^"]*"')
DECIMALS = re.compile(r"(\.\d\d)\d+")  # a hundredth of a point is below what any screen shows
LONG, NEAR = 8_000, 0.3  # letters of a path that is thinned out, points between two of its points
LARGE = 6_000  # bytes of an image; above, it is kept as WebP, as large as a screen shows it
FEW = 100  # pixels from left to right: an image of cells, kept as it is
QUALITY = 90  # of WebP, in percent: textures and photographs lose nothing that is seen
SHARP = 2 * 96 / 72  # pixels of a good screen for a point


def svg(figure: Figure) -> str:
    """The figure as it is, the same text each time; large images as WebP."""
    return IMAGE.sub(_lighter, _drawn(figure))


def bundle(figure: Figure) -> tuple[dict[str, str], dict[str, dict[str, Any]]]:
    """What a notebook keeps of a figure: its data and its metadata, by MIME type.

    The data is the drawing. The metadata says what a phone does with it: ``{"narrow": drawing}``,
    the same axes below each other; ``{"scroll": True}``, where rows or a colour bar mean something
    and text would be too small; nothing, where there is no text. Images are kept once: the second
    drawing says ``raster:N`` where the N-th of the first comes. The figure is left as the second
    drawing needs it.
    """
    wide = svg(figure)
    if figure.get_figwidth() <= PHONE or not _has_text(figure):
        return {SVG: wide}, {}
    if not _narrow(figure):
        return {SVG: wide}, {SVG: {SCROLL: True}}
    count = iter(range(len(DATA.findall(wide))))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of a layout that is too tight
        narrow = DATA.sub(lambda _: f"raster:{next(count)}", _drawn(figure))
    return {SVG: wide}, {SVG: {NARROW: narrow}}


def _drawn(figure: Figure) -> str:
    file = io.StringIO()
    figure.savefig(file, format="svg", metadata={"Date": None, "Creator": None})
    text = file.getvalue()
    text = PATH.sub(lambda found: _thinned(DECIMALS.sub(r"\1", found[0])), text)
    return text[text.index("<svg") :]


def _thinned(path: str) -> str:
    """A long path of straight lines without points that nobody tells from the one before."""
    if len(path) < LONG or not re.fullmatch(r' d="[MLz\d\s.e-]*"', path):
        return path
    kept, x, y = [], 0.0, 0.0
    points = re.findall(r"([ML]) (\S+) (\S+)|(z)", path)
    for i, (command, across, down, close) in enumerate(points):
        last = i + 1 == len(points) or points[i + 1][0] != "L"
        if close:
            kept.append("z")
        elif command == "M" or last or abs(float(across) - x) + abs(float(down) - y) >= NEAR:
            x, y = float(across), float(down)
            kept.append(f"{command} {across} {down}")
    return f' d="{" ".join(kept)}"'


def _lighter(found: re.Match[str]) -> str:
    """An image of a drawing without what a reader cannot see."""
    data, width = DATA.search(found[0]), re.search(r'\swidth="([\d.]+)', found[0])
    scale = re.search(r"matrix\(([\d.]+)", found[0])
    raw = base64.b64decode(data[1]) if data else b""
    if data is None or width is None or len(raw) <= LARGE:
        return found[0]
    with Image.open(io.BytesIO(raw)) as picture:
        points = float(width[1]) * (float(scale[1]) if scale else 1.0)
        shown = round(SHARP * points)
        picture = picture.convert("RGBA" if _shines_through(picture) else "RGB")
        if shown < picture.width:
            size = (shown, max(1, round(shown * picture.height / picture.width)))
            picture = picture.resize(size, Image.Resampling.LANCZOS)
        file = io.BytesIO()
        cells = picture.width <= FEW  # each is seen as a square
        picture.save(file, "WEBP", lossless=cells, quality=100 if cells else QUALITY, method=6)
    text = "data:image/webp;base64," + base64.b64encode(file.getvalue()).decode()
    return found[0].replace(data[0], text) if len(text) < len(data[0]) else found[0]


def _shines_through(picture: Image.Image) -> bool:
    return picture.mode == "RGBA" and min(picture.getchannel("A").tobytes()) < 255


def _has_text(figure: Figure) -> bool:
    return any(axis.axison or axis.get_title() or axis.texts for axis in figure.axes)


def _narrow(figure: Figure) -> bool:
    """Puts axes below each other, if that keeps what they say; whether it did."""
    axes = figure.axes
    grids = {spec.get_gridspec() for axis in axes if (spec := axis.get_subplotspec())}
    if len(grids) != 1 or any(axis.get_subplotspec() is None for axis in axes):
        return False
    rows, columns = grids.pop().get_geometry()
    whole = rows * columns == len(axes)
    axes = [axis for axis in axes if axis.axison or axis.has_data() or axis.texts]
    bare = [_bare(axis) for axis in axes]
    pictures, plots = all(bare), all(axis.axison for axis in axes) and not any(bare)
    if not whole or not axes or not (pictures or plots):
        return False
    titled = sum(bool(axis.get_title()) for axis in axes)
    if rows > 1 and pictures and titled < len(axes):
        return False  # heads of columns: rows belong together
    for axis in set(figure.axes) - set(axes):  # nothing stands in them, at a last row's end
        axis.remove()
    width, height = figure.get_size_inches()
    beside = _beside(columns, max(len(axis.get_title()) for axis in axes)) if pictures else 1
    below = -(-len(axes) // beside)
    grid = GridSpec(below, beside, figure=figure)
    for i, axis in enumerate(axes):
        axis.set_subplotspec(grid[i])
        if not pictures:
            axis.tick_params(labelleft=True, labelbottom=True)
    if pictures:
        tall, across = axes[0].images[0].get_size()
        each = PHONE / beside * tall / across + TITLE * bool(titled)
    else:
        each = min(max(LEAST, height / rows * PHONE / (width / columns)), 0.8 * PHONE)
    legends = [_narrow_legend(axis) for axis in axes] + _figure_legends(figure)
    figure.set_size_inches(PHONE, each * below + LINE * sum(legends))
    return True


def _bare(axis: Axes) -> bool:
    """Whether axes show an image and no scales."""
    scales = axis.axison and (len(axis.get_xticks()) or len(axis.get_yticks()))
    return bool(axis.images) and not scales


def _beside(columns: int, title: int) -> int:
    """How many pictures stand side by side on a phone, with titles of so many letters at most.

    Rows stay whole if they can.
    """
    most = min(columns, SIDE_BY_SIDE, max(1, int(PHONE / (LETTER * max(title, 1)))))
    fitting = [n for n in range(2, most + 1) if columns % n == 0]
    return fitting[-1] if fitting else most


def _narrow_legend(axis: Axes) -> int:
    """Two columns above the axes in place of a legend of more; how many lines that takes."""
    legend = axis.get_legend()
    if legend is None or getattr(legend, "_ncols", 1) <= 2:
        return 0
    entries = _entries(legend)
    axis.legend(**entries, loc="lower center", bbox_to_anchor=(0.5, 1.02))
    return -(-len(entries["labels"]) // 2)


def _figure_legends(figure: Figure) -> list[int]:
    """The same of legends that belong to no axes: below all of them."""
    lines = []
    for legend in list(figure.legends):
        entries = _entries(legend)
        legend.remove()
        figure.legend(**entries, loc="outside lower center")
        lines.append(-(-len(entries["labels"]) // 2))
    return lines


def _entries(legend: Legend) -> dict[str, Any]:
    """What a legend says, for another one of two columns."""
    labels = [text.get_text() for text in legend.get_texts()]
    return {"handles": legend.legend_handles, "labels": labels, "ncols": 2, "fontsize": 8}


def install(shell: Any) -> None:
    """Makes an IPython shell show figures by :func:`bundle`, and as PNG no more."""
    from matplotlib_inline.config import InlineBackend  # it comes with IPython

    # The backend asks for its formats again when the first figure is shown.
    InlineBackend.instance(parent=shell).figure_formats = set()
    for formatter in shell.display_formatter.formatters.values():
        formatter.pop(Figure, None)
    shell.display_formatter.mimebundle_formatter.for_type(
        Figure, lambda figure, include=None, exclude=None: bundle(figure)
    )
    plt.rcParams.update(cast(Any, STYLE))
