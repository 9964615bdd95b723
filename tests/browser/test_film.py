"""Figures of films in a real browser: the same numbers, and what a reader does with them."""

import pytest
import torch

from ncabook.live import to_html
from ncabook.training.screening import Screening
from tests.browser.pages import look_around, status, until
from tests.live.test_film import LOOKS, SEED, SHOWN, SIDE, STEPS, VIEWS, WALLED, films, watched
from tests.live.test_film import watcher as watching

pytestmark = pytest.mark.browser
PLAYER = "document.querySelector('figure').ncaPlayer"
ADVANCE = f"(steps) => {PLAYER}.ask({{kind: 'advance', steps, budget: 1e9}}).then(() => null)"
STATE = f"() => {PLAYER}.send({{kind: 'getState'}}).then(({{state}}) => [...state])"
EVENTS = f"() => {PLAYER}.send({{kind: 'recorded'}}).then(({{recorded}}) => recorded.events)"


@pytest.fixture
def opened(visit_page, tmp_path):
    """A page with a film for an automaton, at its start."""

    def opened(cells, **options):
        film = Screening(cells.how, STEPS, films(), shown=SHOWN, **options)
        grid = SIDE // cells.patch
        html = to_html(cells.nca, grid, grid, seed=SEED, film=film, beside=True, more=True)
        (tmp_path / "film.html").write_text(html, "utf-8")
        return visit_page((tmp_path / "film.html").as_uri())

    return opened


def captions(page):
    return page.locator(".nca-size").all_text_contents()


@pytest.mark.parametrize("fire_rate", [1.0, 0.5])
@pytest.mark.parametrize("name", ["4 x 4 pixels", "a pixel"])
def test_ten_frames_shown_and_ten_alone_are_those_of_pytorch(opened, name, fire_rate):
    cells = watching(VIEWS[name], fire_rate)
    page = opened(cells)
    page.evaluate(ADVANCE, LOOKS * STEPS)
    wanted = watched(cells, films().pictures)
    _, channels, height, width = wanted.shape
    found = torch.tensor(page.evaluate(STATE)).view(height, width, channels).permute(2, 0, 1)
    assert (found - wanted[0]).abs().max() <= 1e-4


def test_it_watches_and_then_goes_on_alone(opened):
    """As the choice says, and may be told; the true film goes on beside."""
    page = opened(watching())
    film = page.get_by_role("radio", name="The film", exact=True)
    own = page.get_by_role("radio", name="Its own frames")
    assert film.is_checked()
    assert captions(page) == ["frame 0, watching", "frame 0, the film"]
    page.evaluate(ADVANCE, 9 * STEPS)
    assert film.is_checked()
    page.evaluate(ADVANCE, 1)
    assert own.is_checked(), "the next frame is its own"
    assert captions(page) == ["frame 10, watching", "frame 10, the film"]
    page.evaluate(ADVANCE, STEPS)
    assert captions(page) == ["frame 11, alone", "frame 11, the film"]
    film.check(force=True)
    page.evaluate(ADVANCE, STEPS)
    assert captions(page)[0] == "frame 12, watching"
    page.get_by_role("button", name="Back", exact=True).click()
    until(lambda: page.locator(".nca-steps").text_content() == str(11 * STEPS))


def test_a_digit_is_thrown_by_hand_or_by_key(opened):
    """As far in five frames as the hand went; a reset takes it away."""
    page = opened(watching(WALLED), throws=films().digits[0])
    box = page.locator("canvas").first.bounding_box()
    cell = box["width"] / 8
    page.mouse.move(box["x"] + 2.5 * cell, box["y"] + 3.5 * cell)
    page.mouse.down()
    page.mouse.move(box["x"] + 5 * cell, box["y"] + 3 * cell, steps=4)
    page.mouse.up()
    until(lambda: len(page.evaluate(EVENTS)) == 1)
    (event,) = page.evaluate(EVENTS)
    assert (event["kind"], event["digit"]) == ("throw", 0)
    assert [event[name] for name in ("x", "y", "right", "down")] == pytest.approx(
        [2, 3, 2, -0.4], abs=0.1
    )
    page.evaluate(ADVANCE, 12 * STEPS)
    assert captions(page)[0] == "frame 12, alone"
    page.locator("canvas").first.focus()
    page.keyboard.press("e")
    until(lambda: len(page.evaluate(EVENTS)) == 2)
    page.evaluate(ADVANCE, 2 * STEPS)
    assert captions(page)[0] == "frame 14, alone, but for a new digit"
    page.get_by_role("button", name="Reset").click()
    until(lambda: page.evaluate(EVENTS) == [])


def test_walls_are_drawn_and_frames_erased(opened):
    page = opened(watching(WALLED), throws=films().digits[0])
    canvas = page.locator("canvas").first
    for brush, kind in (("Draw a wall", "draw"), ("Erase a disc", "erase")):
        page.get_by_role("radio", name=brush).check(force=True)
        canvas.click(position={"x": 40, "y": 40})
        until(lambda kind=kind: page.evaluate(EVENTS)[-1]["kind"] == kind)
    assert not page.get_by_role("radio", name="Take walls away").is_checked()
    page.evaluate(ADVANCE, 1)
    assert status(page).count() == 1
    look_around(page)
