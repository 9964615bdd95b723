"""A latent automaton beside the picture that is decoded of it: both alive, both to be damaged."""

import numpy as np
import pytest
import torch

from ncabook.live import to_html
from tests.browser.pages import look_around, status, steps, until
from tests.live import test_decoder as latent

pytestmark = pytest.mark.browser
HEIGHT, WIDTH = latent.HEIGHT, latent.WIDTH
SIZE = "(canvas) => [canvas.height, canvas.width]"
LOOK = "(c) => [...c.getContext('2d').getImageData(0, 0, c.width, c.height).data].join()"


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    nca, decoder, start = latent.latent_automaton()
    file = tmp_path_factory.mktemp("latents") / "latents.html"
    options = {"decoder": decoder, "start": start, "codes": torch.randn(6, 5), "more": True}
    html = to_html(nca, HEIGHT, WIDTH, beside=True, title="Latents", **options)
    file.write_text(html, "utf-8")
    return file.as_uri()


def panes(page):
    """The picture's canvas and that of the latents."""
    found = page.locator(".nca-stage canvas")
    assert found.count() == 2
    return found.nth(0), found.nth(1)


def erased(page):
    """Places (row, column) where all numbers are 0."""
    ask = "document.querySelector('figure').ncaPlayer.ask({ kind: 'getState' })"
    flat = page.evaluate(f"{ask}.then(({{ state }}) => Array.from(state))")
    cells = np.array(flat, np.float32).reshape(HEIGHT, WIDTH, -1)
    return {tuple(place) for place in np.argwhere(np.abs(cells).sum(2) == 0).tolist()}


def click(page, canvas, column, row):
    box = canvas.bounding_box()
    page.mouse.click(
        box["x"] + (column + 0.5) / WIDTH * box["width"],
        box["y"] + (row + 0.5) / HEIGHT * box["height"],
    )


def test_a_stroke_on_either_erases_the_cells_under_it(visit_page, address):
    """The ring is shown on both, round the same cells; and the keyboard works on both."""
    page = visit_page(address)
    picture, latents = panes(page)
    assert picture.evaluate(SIZE) == [4 * HEIGHT, 4 * WIDTH]
    assert latents.evaluate(SIZE) == [HEIGHT, WIDTH]
    page.get_by_label("Size").fill("1")
    before = [picture.evaluate(LOOK), latents.evaluate(LOOK)]
    click(page, picture, 7, 2)
    assert erased(page) == {(2, 7), (1, 7), (3, 7), (2, 6), (2, 8)}
    after = [picture.evaluate(LOOK), latents.evaluate(LOOK)]
    assert after[0] != before[0]
    assert after[1] != before[1]
    click(page, latents, 2, 4)
    assert erased(page) >= {(4, 2), (3, 2), (5, 2), (4, 1), (4, 3)}
    assert len(erased(page)) == 10
    cursors = page.locator(".nca-cursor")
    places = [cursors.nth(i).evaluate("(c) => [c.style.left, c.style.top]") for i in range(2)]
    assert places[0] == places[1]
    latents.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("e")
    until(lambda: "column 6, row 4" in status(page).inner_text())
    assert (3, 5) in erased(page)
    page.keyboard.press("i")
    until(lambda: "latent 0: 0.00" in status(page).inner_text())
    assert "erases the latents that lie under it" in picture.get_attribute("aria-label")


def test_what_is_chosen_is_shown_beside_the_picture(visit_page, address):
    page = visit_page(address)
    picture, latents = panes(page)
    before = [picture.evaluate(LOOK), latents.evaluate(LOOK)]
    choice = page.get_by_label("Beside")
    assert choice.locator("option").all_inner_texts()[:2] == [
        "latents in colours",
        "the nearest code",
    ]
    choice.select_option("the nearest code")
    until(lambda: latents.evaluate(LOOK) != before[1])
    assert picture.evaluate(LOOK) == before[0]
    assert page.locator(".nca-key").is_hidden()


def test_side_by_side_on_a_phone_too(visit_page, address):
    """Nothing moves when it runs; light and dark, and below each other only where it is narrow."""
    page = visit_page(address)
    picture, latents = panes(page)

    def beside():
        left, right = picture.bounding_box(), latents.bounding_box()
        assert left["y"] == right["y"]
        assert left["x"] + left["width"] <= right["x"]
        assert left["width"] == pytest.approx(right["width"], abs=1)

    look_around(page, beside)
    box = page.locator("figure").bounding_box()
    page.get_by_role("button", name="Step").click()
    until(lambda: steps(page) == 1)
    assert page.locator("figure").bounding_box() == box
    page.set_viewport_size({"width": 300, "height": 900})
    assert picture.bounding_box()["y"] < latents.bounding_box()["y"]


def test_latents_that_are_told_a_drawing_have_no_pen(visit_page, tmp_path):
    """Fixed channels hold what an encoder made of a drawing; ink would be a number of it."""
    nca, decoder, start = latent.latent_automaton(fixed=2)
    file = tmp_path / "told.html"
    html = to_html(nca, HEIGHT, WIDTH, decoder=decoder, start=start)
    file.write_text(html, "utf-8")
    page = visit_page(file.as_uri())
    words = page.locator(".nca-player").inner_text()
    assert "Drag to erase" in words
    assert "Drag to draw" not in words
    assert not page.get_by_label("Draw on the input").count()
