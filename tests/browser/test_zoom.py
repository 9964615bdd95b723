"""A picture of any resolution: a window of it, the slider that narrows it, strokes inside."""

import numpy as np
import pytest

from ncabook.live import to_html
from tests.browser.pages import look_around, status, until
from tests.live import test_points as points

pytestmark = pytest.mark.browser
HEIGHT, WIDTH, FACTOR = points.HEIGHT, points.WIDTH, points.FACTOR
SIZE = "(canvas) => [canvas.height, canvas.width]"
LOOK = "(c) => [...c.getContext('2d').getImageData(0, 0, c.width, c.height).data].join()"


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    model, start = points.fine_model()
    file = tmp_path_factory.mktemp("zoom") / "zoom.html"
    options = {"decoder": model.decoder, "start": start, "more": True}
    file.write_text(to_html(model.nca, HEIGHT, WIDTH, title="Any resolution", **options), "utf-8")
    return file.as_uri()


def erased(page):
    """Places (row, column) where all numbers are 0."""
    ask = "document.querySelector('figure').ncaPlayer.ask({ kind: 'getState' })"
    flat = page.evaluate(f"{ask}.then(({{ state }}) => Array.from(state))")
    cells = np.array(flat, np.float32).reshape(HEIGHT, WIDTH, -1)
    return {tuple(place) for place in np.argwhere(np.abs(cells).sum(2) == 0).tolist()}


def click(page, canvas, right, down):
    """At shares of the canvas."""
    box = canvas.bounding_box()
    page.mouse.click(box["x"] + right * box["width"], box["y"] + down * box["height"])


def zoom(page, value):
    page.get_by_label("Zoom").fill(str(value))


def test_strokes_meet_the_cells_that_are_seen(visit_page, address):
    """At 4×, the window is 1.5 cells wide and 1 high, and the cell touched last in its middle."""
    page = visit_page(address)
    canvas, size = page.locator(".nca-stage canvas"), page.locator(".nca-caption")
    assert canvas.evaluate(SIZE) == [FACTOR * HEIGHT, FACTOR * WIDTH]
    assert size.inner_text() == "510 × 340 pixels"
    page.get_by_label("Size").fill("1")
    click(page, canvas, 4.5 / WIDTH, 1.5 / HEIGHT)
    assert erased(page) == {(1, 4), (0, 4), (2, 4), (1, 3), (1, 5)}
    before = canvas.evaluate(LOOK)
    zoom(page, 2)
    until(lambda: size.inner_text() == "a window of 2,040 × 1,360")
    assert canvas.evaluate(SIZE) == [FACTOR * HEIGHT, FACTOR * WIDTH]
    assert canvas.evaluate(LOOK) != before
    until(lambda: "a window of 2,040 × 1,360" in status(page).inner_text())
    page.get_by_role("button", name="Reset").click()
    until(lambda: erased(page) == set())
    click(page, canvas, 0.5, 0.5)
    assert erased(page) == {(1, 4), (0, 4), (2, 4), (1, 3), (1, 5)}
    zoom(page, 0)
    until(lambda: size.inner_text() == "510 × 340 pixels")


def test_the_window_follows_the_keyboard(visit_page, address):
    """Over the border, too; the ring is where the brush will work."""
    page = visit_page(address)
    canvas = page.locator(".nca-stage canvas")
    page.get_by_label("Size").fill("1")
    zoom(page, 2)
    until(lambda: "window" in page.locator(".nca-caption").inner_text())
    canvas.focus()
    for _ in range(3):  # from the middle, column 3, round to column 0
        before = canvas.evaluate(LOOK)
        page.keyboard.press("ArrowRight")
        until(lambda before=before: canvas.evaluate(LOOK) != before)
    cursor = page.locator(".nca-cursor")
    middle = "({ hidden, style }) => [hidden, ...[style.left, style.top].map((s) => parseInt(s))]"
    until(lambda: cursor.evaluate(middle) == [False, 50, 50])
    page.keyboard.press("e")
    until(lambda: "column 1, row 3" in status(page).inner_text())
    assert erased(page) == {(2, 0), (1, 0), (3, 0), (2, 1), (2, 5)}


def test_light_and_dark_on_a_desk_and_on_a_phone(visit_page, address):
    page = visit_page(address)
    zoom(page, 1)
    until(lambda: "window" in page.locator(".nca-caption").inner_text())
    look_around(page)
