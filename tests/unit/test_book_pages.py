"""What the book's extensions make of a chapter: the code in sight, drawings, and tables."""

import base64
import io
import re
import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import torch
from docutils import nodes
from matplotlib.colors import to_hex, to_rgb
from PIL import Image

from ncabook.figures import COLORS, pictures, show_images, tables

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "book/_ext"))

import cells  # noqa: E402
import drawings  # noqa: E402
import measures  # noqa: E402

DARK_GROUND = "#121212"  # of the book's dark pages


@pytest.fixture
def style():
    """Matplotlib as in a chapter, for one test."""
    with plt.rc_context(
        {"backend": "agg", "figure.constrained_layout.use": True, **pictures.STYLE}
    ):
        yield
    plt.close("all")


def drawn_twice(figure):
    """As it is, and for a phone."""
    data, metadata = pictures.bundle(figure)
    assert set(data) == set(metadata) == {pictures.SVG}
    return data[pictures.SVG], metadata[pictures.SVG][pictures.NARROW]


def test_code_that_carries_numbers_is_out_of_sight():
    """Calls of glue, alone, in loops and under conditions; marks of nbval; nothing else."""
    source = """\
# NBVAL_CHECK_OUTPUT
x = 1  # kept


for k in range(3):
    glue("k", k)
if x:
    glue(
        "x",
        x,
    )
for k in range(3):
    y = k
    glue("y", y)
glue("z", x)"""
    assert cells.taught(source) == "x = 1  # kept\n\nfor k in range(3):\n    y = k"
    assert cells.taught('glue("x", 1)') == ""
    assert cells.taught("%pip install x") == "%pip install x"


def test_a_drawing_has_one_ink_and_a_narrow_twin(style):
    """The page can change its colour, and a phone sees its plots below each other."""
    figure, axes = plt.subplots(1, 3, figsize=(7, 2.6))
    for axis in axes:
        axis.plot([1, 2])
    drawn, twin = drawn_twice(figure)
    wide, narrow = drawings._points(drawn), drawings._points(twin)
    assert int(wide[0]) == pytest.approx(672, abs=2)
    assert int(narrow[0]) == pytest.approx(336, abs=2)
    assert int(narrow[1]) > 2 * int(wide[1])
    dark = drawings.dark(drawn)
    for text in ("#000000", "fill: #ffffff", pictures.INK):
        assert text not in dark


def luminance(color):
    """Relative, of WCAG 2."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(color)]
    return float(np.dot(linear, [0.2126, 0.7152, 0.0722]))


def test_what_a_drawing_says_can_be_read_in_the_dark():
    """On the theme's ground, with the contrast that WCAG's AA asks of text."""
    for color in [pictures.INK, *COLORS, "0.3", "0.4", "0.5", "dimgrey"]:
        shown = drawings.dark(to_hex(color))
        assert (luminance(shown) + 0.05) / (luminance(DARK_GROUND) + 0.05) >= 4.5, color


@pytest.mark.parametrize("fill", ["#d7e7f5", "#f7dfcf", "#e4e4e4"])
def test_text_on_a_pale_box_can_be_read_in_the_dark(fill, style):
    """Its ink turns light, so the box has to turn dark; white, a dead cell, stays white."""
    figure, axis = plt.subplots()
    axis.add_patch(plt.Rectangle((0, 0), 1, 1, facecolor=fill))
    axis.add_patch(plt.Rectangle((0, 0), 1, 1, facecolor="white"))
    axis.text(0.5, 0.5, "words")
    shown = drawings.dark(pictures.bundle(figure)[0][pictures.SVG])
    ground, ink = drawings._deep(fill), drawings.DARK[pictures.INK]
    assert f"fill: {ground}" in shown
    assert fill not in shown
    assert f"fill: {ink}" in shown
    assert "fill: #ffffff" in shown
    assert (luminance(ink) + 0.05) / (luminance(ground) + 0.05) >= 4.5


def test_a_black_line_turns_light_and_a_black_cell_stays(style):
    """Written "k:" in a chapter, a line was black on black; a living cell means what it is."""
    figure, axis = plt.subplots()
    (line,) = axis.plot([1, 3, 2], "k:")
    cell = axis.add_patch(plt.Rectangle((0, 0), 1, 1, facecolor="black", edgecolor="none"))
    line.set_gid("line")
    cell.set_gid("cell")
    drawn = pictures.bundle(figure)[0][pictures.SVG]

    def part(drawing, name):
        return re.search(f'<g id="{name}">.*?</g>', drawing, re.DOTALL)[0]

    shown = drawings.dark(drawn)
    assert "stroke: #000000" in part(drawn, "line")
    assert f"stroke: {drawings.DARK[pictures.INK]}" in part(shown, "line")
    assert part(shown, "cell") == part(drawn, "cell")


def test_the_same_figure_is_the_same_text(style):
    """Executing a chapter again changes nothing that did not change."""

    def drawn():
        figure, axis = plt.subplots()
        axis.plot([1, 3, 2])
        return pictures.bundle(figure)

    assert drawn() == drawn()


def test_images_keep_their_pixels_and_stand_in_a_notebook_once(style):
    """A small one exactly; a large one in few colours, as it is seen; the twin has none."""
    exact = torch.rand(4, 16, 16, generator=torch.Generator().manual_seed(0))
    exact[3] = 1
    drawn, twin = drawn_twice(show_images([exact, torch.rand(3, 900, 900)], ["small", "large"]))
    images = [
        np.asarray(Image.open(io.BytesIO(base64.b64decode(found))).convert("RGB"))
        for found in pictures.DATA.findall(drawn)
    ]
    given = (255 * exact[:3]).permute(1, 2, 0).numpy()
    assert images[0].shape == (16, 16, 3)
    assert np.abs(images[0] - given).max() <= 1  # Matplotlib cuts, and does not round
    assert images[1].shape[0] < 900
    assert "base64" not in twin
    whole = drawings.whole(twin, drawn)
    assert pictures.DATA.findall(whole) == pictures.DATA.findall(drawn)


def test_the_book_knows_the_packages_words():
    """The extension does not import the package, which is slow; it says the same."""
    for name in ("SVG", "NARROW", "SCROLL", "INK", "DATA"):
        assert getattr(drawings, name) == getattr(pictures, name)


def test_a_number_and_its_percent_stay_in_one_line():
    """Also where the number comes by glue, as a text of its own; code keeps what it says."""
    text = nodes.Text
    tree = nodes.document(None, None)
    tree += nodes.paragraph("", "", text("Of 5 %, "), nodes.inline("", "41"), text(" % are left: "))
    tree += nodes.paragraph("", "", nodes.inline("", "-1.9"), text(" % off, x -1."))
    tree += nodes.paragraph("", "", nodes.literal("", "7 % 2"), text(" % is 3 - 2"))
    measures._bind(None, tree, "page")
    first, second, third = (one.astext() for one in tree)
    assert first == "Of 5\u00a0%, 41\u00a0% are left: "
    assert second == "−1.9\u00a0% off, x -1."
    assert third == "7 % 2 % is 3 - 2"


def test_a_long_cell_of_a_table_is_wide_and_not_high():
    """One of seven words stood in a column of one, as high as a hand."""
    words = "training would keep 16.7 GiB; 21.1 GiB are free"
    row = f"<tr><td></td><td>{words}</td><td>short</td></tr>"
    assert cells.SENTENCE.sub('<td class="nca-words">', row).count("nca-words") == 1


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (-526.2, "−526"),
        (-3, "−3"),
        ("-526.2 %", "−526.2 %"),
        ("-.5 [-3.2, -1]", "−.5 [−3.2, −1]"),
        ("pix2pix-3", "pix2pix-3"),
        ("2026-11-29", "2026-11-29"),
        ("1e-05", "1e-05"),
        ("-", "-"),
    ],
)
def test_a_negative_number_of_a_table_has_a_minus(value, shown):
    """pandas and Python write a hyphen, which is half as long and tears off at a line's end."""
    assert f">{shown}</td>" in tables.table_html(pd.DataFrame({"found": [value]}))


def test_a_table_has_three_digits_and_heads_over_their_columns():
    """Figures right, words left, heads as their columns; no empty head; nothing cut."""
    long = "a text that pandas would cut " * 5
    frame = pd.DataFrame(
        {"rate": [0.012345, 1234.5], "words": ["a & b", long], "both": ["98.1 [97, 99]", "–"]},
        index=["first", "second"],
    )
    html = tables.table_html(frame)
    assert "<td></td>" in html
    assert "<th></th>" not in html
    assert '<th scope="col" class="nca-number">rate</th>' in html
    assert '<th scope="col">words</th>' in html
    assert '<th scope="col" class="nca-number">both</th>' in html
    assert "0.0123" in html
    assert ">1,234<" in html or ">1,235<" in html
    assert "a &amp; b" in html
    assert long in html
    two = pd.DataFrame({"m": ["A", "A"], "v": ["p", "q"], "x": [1, 2]}).set_index(["m", "v"])
    assert tables.table_html(two).count('scope="row"') == 4
    assert 'scope="row"' not in tables.table_html(pd.DataFrame({"x": [1]}))


@pytest.mark.parametrize(
    ("columns", "title", "beside"),
    [(8, 7, 4), (6, 7, 3), (5, 7, 4), (5, 15, 2), (2, 60, 1), (4, 0, 4)],
)
def test_titles_do_not_run_into_each_other_on_a_phone(columns, title, beside):
    """As many pictures in a row as their titles allow."""
    assert pictures._beside(columns, title) == beside


def test_what_belongs_together_scrolls_and_what_has_no_text_shrinks(style):
    """Rows under heads of columns, a colour bar; pictures without a word."""
    images = [torch.rand(3, 8, 8) for _ in range(6)]
    together = show_images(images, ["a", "b", "c"], columns=3)
    assert pictures.bundle(together)[1] == {pictures.SVG: {pictures.SCROLL: True}}
    barred, axis = plt.subplots(figsize=(7, 2.6))
    barred.colorbar(axis.imshow(torch.rand(8, 8)))
    assert pictures.bundle(barred)[1] == {pictures.SVG: {pictures.SCROLL: True}}
    assert pictures.bundle(show_images(images, columns=3))[1] == {}
    diagram, axis = plt.subplots(figsize=(7, 2.6))
    axis.add_patch(plt.Rectangle((0, 0), 1, 1))
    axis.text(0, 0, "a box")
    axis.axis("off")
    assert pictures.bundle(diagram)[1] == {pictures.SVG: {pictures.SCROLL: True}}
    diagram, axis = plt.subplots(figsize=(7, 2.6))
    axis.text(0, 0, "nothing but words")
    axis.axis("off")
    assert pictures.bundle(diagram)[1] == {pictures.SVG: {pictures.SCROLL: True}}
    plt.figure(figsize=(7, 2.6))
    assert pictures.bundle(plt.gcf())[1] == {}


def test_an_unfinished_row_is_laid_anew(style):
    """Nine pictures in rows of five: the empty tenth place is gone."""
    figure = show_images([torch.rand(3, 8, 8)] * 9, ["a title"] * 9, columns=5)
    metadata = pictures.bundle(figure)[1]
    assert pictures.NARROW in metadata[pictures.SVG]
    assert len(figure.axes) == 9


def test_a_legend_of_many_columns_has_two_on_a_phone(style):
    """It would be cut off at both sides."""
    figure, axis = plt.subplots(figsize=(7, 2.6))
    for k in range(6):
        axis.plot([1, k], label=f"a curve of number {k}")
    axis.legend(ncols=6, loc="lower center", bbox_to_anchor=(0.5, 1.0))
    assert pictures._narrow(figure)
    figure.draw_without_rendering()
    box = axis.get_legend().get_window_extent()
    assert box.x0 >= 0
    assert box.x1 <= figure.bbox.x1
