"""What a figure shows at first, on a desk, a phone and paper, and how a reader gets further."""

import json

import numpy as np
import pytest
import torch

from ncabook.automaton import NCA, ChannelLayout, ConvPerception, MLPUpdate
from ncabook.live import LivePlayer, describe, to_html
from tests.browser.pages import look_around, mounted, status, steps, until, write_page
from tests.live import test_votes as voting

pytestmark = pytest.mark.browser
HEIGHT, WIDTH = 24, 32
DESK = {"width": 1440, "height": 900}
PHONE = {"width": 390, "height": 844}
TALLEST = {1440: 580, 390: 600}  # so that a title and two sentences fit above
PLAYER = "document.querySelector('figure').ncaPlayer"
EMOJI = ["😀", "🦎", "🐠", "🦋", "🎄"]
TARGETS = torch.rand(5, 4, HEIGHT, WIDTH, generator=torch.Generator().manual_seed(0))


def automaton(seed=3):
    """One that grows, and does not run away."""
    torch.manual_seed(seed)
    nca = NCA(
        ChannelLayout(visible=4, hidden=8),
        ConvPerception(12, 24, condition_channels=5),
        MLPUpdate(24, 12, [16]),
    )
    torch.nn.init.normal_(nca.update.layers[-1].weight, std=0.001)
    return nca


def drawings(count):
    """Inputs to read, all different, and an empty one."""
    pictures = torch.rand(count - 1, 1, voting.HEIGHT, voting.WIDTH)
    named = {f"drawing {i}": picture for i, picture in enumerate(pictures)}
    return {**named, "blank": torch.zeros(1, voting.HEIGHT, voting.WIDTH)}


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Pages with one automaton, with eight side by side, with one that votes on eleven inputs."""
    folder = tmp_path_factory.mktemp("first")
    options = {"classes": EMOJI, "targets": TARGETS}
    one = folder / "one.html"
    one.write_text(to_html(automaton(), HEIGHT, WIDTH, title="One", **options), "utf-8")
    eight = LivePlayer({f"rule {i}": automaton(i) for i in range(8)}, HEIGHT, WIDTH, **options)
    described = json.loads(eight.descriptions)
    reader = voting.classifier()
    inputs = drawings(11)
    votes = describe(reader, voting.HEIGHT, voting.WIDTH, inputs=inputs, votes=["a", "b", "c"])
    return {
        "one": one.as_uri(),
        "eight": write_page(folder / "eight.html", "Eight", described, eight.weights),
        "votes": write_page(folder / "votes.html", "Votes", [votes[0]], votes[1]),
    }


def box(page, selector=".nca-player"):
    return page.locator(selector).first.bounding_box()


def state(page):
    ask = f"{PLAYER}.ask({{ kind: 'getState' }}).then(({{ state }}) => Array.from(state))"
    return np.array(page.evaluate(ask), np.float32)


def advance(page, count):
    page.evaluate(f"{PLAYER}.ask({{ kind: 'advance', steps: {count}, budget: 1e9 }})")


@pytest.mark.parametrize("kind", ["one", "eight", "votes"])
def test_the_first_look_and_more(visit_page, files, kind):
    """Canvas, Play, one choice, one brush, all within a screen; the rest when it is asked for."""
    page = visit_page(files[kind])
    more = page.get_by_role("button", name="More")
    behind = [
        page.get_by_role("button", name="Step"),
        page.get_by_label("Speed"),
        page.get_by_label("Show"),
    ]

    def fits():
        width = page.viewport_size["width"]
        assert box(page)["height"] <= TALLEST[width]
        assert page.locator("fieldset:visible").count() == (2 if kind == "votes" else 1)
        for target in page.locator(".nca-player button:visible, .nca-tile:visible").all():
            assert min(target.bounding_box()["width"], target.bounding_box()["height"]) >= 40
        rows = [tile.bounding_box()["y"] for tile in page.locator(".nca-classes .nca-tile").all()]
        assert rows.count(rows[-1]) > 1, "one stands alone in the last row"

    look_around(page, fits)
    assert [part.is_visible() for part in behind] == [False] * 3
    assert more.get_attribute("aria-expanded") == "false"
    more.focus()
    page.keyboard.press("Enter")
    assert [part.is_visible() for part in behind] == [True] * 3
    assert more.get_attribute("aria-expanded") == "true"
    assert page.locator(f"#{more.get_attribute('aria-controls')}").is_visible()
    if kind != "votes":
        assert page.locator(".nca-chart").evaluate("(chart) => chart.width") > 300, "it was drawn"
    page.keyboard.press("Enter")
    assert [part.is_visible() for part in behind] == [False] * 3


def test_more_may_be_open_from_the_start():
    """As the description says, in which it is only then."""
    given = [describe(automaton(), HEIGHT, WIDTH, **options)[0] for options in ({}, {"more": True})]
    assert "more" not in given[0]
    assert given[1]["more"] is True
    with pytest.raises(ValueError, match="more is 1; expected True or False"):
        describe(automaton(), HEIGHT, WIDTH, more=1)


def swipe(page, by):
    """A finger on the first grid, and up."""
    session = page.context.new_cdp_session(page)
    grid = box(page, "canvas")
    x, y = grid["x"] + grid["width"] / 2, grid["y"] + grid["height"] / 2

    def touch(kind, *points):
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": list(points)})

    touch("touchStart", {"x": x, "y": y})
    for i in range(1, 11):
        touch("touchMove", {"x": x, "y": y - by * i / 10})
        page.wait_for_timeout(16)
    touch("touchEnd")
    page.wait_for_timeout(200)


def test_a_swipe_scrolls_until_the_brush_is_taken(visit_page, files):
    page = visit_page(files["one"], has_touch=True, is_mobile=True, viewport=PHONE)
    page.evaluate("document.body.style.paddingBottom = '3000px'")
    take = page.get_by_role("button", name="Use the brush")
    assert page.get_by_text("A swipe scrolls").is_visible()
    before = state(page)
    swipe(page, 150)
    scrolled = page.evaluate("scrollY")
    assert scrolled > 80
    page.locator("canvas").first.tap()
    assert take.get_attribute("data-asked") == "", "it answers where the brush is"
    np.testing.assert_array_equal(state(page), before)
    take.tap()
    assert "no longer scroll" in status(page).inner_text()
    assert page.get_by_text("Drag to erase").is_visible()
    scrolled = page.evaluate("scrollY")
    swipe(page, 60)
    assert page.evaluate("scrollY") == scrolled
    assert not state(page).any(), "the seed is gone"
    page.get_by_role("button", name="Done").tap()
    before = state(page)
    swipe(page, 100)
    assert page.evaluate("scrollY") > scrolled + 40
    np.testing.assert_array_equal(state(page), before)


def test_a_mouse_has_the_brush(visit_page, files):
    """No button for it, and a word on what it does, which follows the brush; so has a pen."""
    page = visit_page(files["one"])
    touch = page.locator("canvas").first.evaluate(
        "(canvas) => ['touch', 'pen'].map((pointerType) => {"
        " canvas.dispatchEvent(new PointerEvent('pointerenter', { pointerType }));"
        " return getComputedStyle(canvas).touchAction; })"
    )
    assert touch == ["pan-y pinch-zoom", "none"]
    assert page.get_by_role("button", name="Use the brush").is_hidden()
    assert page.get_by_text("Drag to erase", exact=True).is_visible()
    page.locator("canvas").first.click()
    assert not state(page).any()
    page.get_by_role("button", name="More").click()
    page.get_by_title("Erase half").click()
    assert page.get_by_text("Press to erase half").is_visible()


def test_inputs_are_small_pictures(visit_page, files):
    """Of themselves; with their names for those who ask for them, and an empty one in words."""
    page = visit_page(files["votes"])
    torch.manual_seed(0)
    names = [*drawings(11)]
    radios = page.get_by_role("group", name="Input").get_by_role("radio")
    assert [radio.get_attribute("aria-label") for radio in radios.all()] == names
    thumbs = page.locator(".nca-thumb")
    assert thumbs.count() == 10
    assert page.get_by_title("blank").inner_text() == "blank"
    first = thumbs.first.evaluate(
        "(c) => [...c.getContext('2d').getImageData(0, 0, c.width, c.height).data]"
    )
    inked = state(page).reshape(voting.HEIGHT, voting.WIDTH, -1)[..., 0]
    paper = np.array(first).reshape(voting.HEIGHT, voting.WIDTH, 4)[..., 0]
    np.testing.assert_allclose(1 - paper / 255, inked, atol=1e-6)
    page.get_by_title("drawing 4").click()
    until(lambda: status(page).inner_text() == "Now reading drawing 4")
    # The inspector tells hidden channels and votes apart.
    canvas = page.locator("canvas").first
    canvas.focus()
    canvas.press("i")
    until(lambda: "vote for c: " in status(page).inner_text())
    assert "input 0: " in status(page).inner_text()
    assert "hidden 1: " in status(page).inner_text()


def test_a_link_is_told_and_leads_to_its_figure(visit_page, files):
    """*Link copied* can be read; the link scrolls to the figure, and plays on from there."""
    page = visit_page(files["one"])
    advance(page, 7)
    page.get_by_role("button", name="More").click()
    page.get_by_role("button", name="Copy a link").click()
    told = page.locator(".nca-told")
    until(lambda: "ink" in told.inner_text())
    assert told.is_visible()
    assert told.inner_text() == status(page).inner_text()
    link = page.evaluate("location.href")
    if "#nca=" not in link:
        page.context.grant_permissions(["clipboard-read"])
        link = page.evaluate("navigator.clipboard.readText()")
    lower = (
        "addEventListener('DOMContentLoaded', () => {"
        " document.querySelector('h1').style.marginBottom = '2500px'; });"
    )
    other = visit_page(link, init=lower, reduced_motion="no-preference")
    assert other.evaluate("scrollY") > 2000
    until(lambda: steps(other) > 20)
    assert other.get_by_role("button", name="Pause").is_visible()


def test_a_reset_is_undone(visit_page, files):
    """By a button that is there as long as nothing else is done; the state is what it was."""
    page = visit_page(files["one"])
    page.locator("canvas").first.click(position={"x": 5, "y": 5})
    advance(page, 9)
    before, undo = state(page), page.get_by_role("button", name="Undo the reset")
    points = f"{PLAYER}.chart.points.map(({{ step }}) => step)"
    curve = page.evaluate(points)
    assert curve[-1] == 9
    assert undo.is_hidden()
    height = box(page)["height"]
    page.get_by_role("button", name="Reset").click()
    until(undo.is_visible)
    assert box(page)["height"] == height
    advance(page, 3)
    undo.focus()
    page.keyboard.press("Enter")
    until(lambda: steps(page) == 9)
    np.testing.assert_array_equal(state(page), before)
    assert page.evaluate(points) == curve  # its history, too
    assert undo.is_hidden()
    assert page.evaluate("document.activeElement.textContent") == "Reset"
    page.get_by_role("button", name="Reset").click()
    until(undo.is_visible)
    page.locator("canvas").first.click()
    until(undo.is_hidden)


@pytest.mark.parametrize("viewport", [DESK, PHONE], ids=["desk", "phone"])
def test_nothing_jumps_while_it_runs(visit_page, files, viewport):
    """Errors, and what came back of it, have their room from the start."""
    page = visit_page(files["eight"], viewport=viewport)
    before = box(page)
    advance(page, 20)
    assert box(page) == before
    page.evaluate(f"{PLAYER}.useBrush(16, 12)")
    advance(page, 10)
    page.evaluate(f"{PLAYER}.chart.recoveries = () => Array(8).fill(-123)")
    advance(page, 1)
    until(lambda: "% back" in page.locator(".nca-recovery").first.inner_text())
    assert box(page) == before


def test_one_key_leads_past_the_figure(visit_page, files):
    """And the canvas is the first thing in it."""
    page = visit_page(files["one"])
    page.evaluate(
        "document.querySelector('main').insertAdjacentHTML('beforeend', '<a href=#>On</a>')"
    )
    page.keyboard.press("Tab")
    skip = page.get_by_role("button", name="Skip the figure")
    assert skip.evaluate("(skip) => skip === document.activeElement")
    assert skip.evaluate("(skip) => getComputedStyle(skip).clipPath") == "none"
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.tagName") == "CANVAS"
    assert skip.evaluate("(skip) => getComputedStyle(skip).clipPath") != "none"
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "On"


def test_a_key_leads_to_the_first_figure(visit_page, files):
    """In the book, whose theme has a list of such ways as the first thing on a page."""
    ways = '<div id="pst-skip-link"><a href="#text">Skip to main content</a></div>'
    insert = f"document.body.insertAdjacentHTML('afterbegin', '{ways}');"
    page = visit_page(
        files["one"], init=f"document.addEventListener('DOMContentLoaded', () => {{ {insert} }})"
    )
    for _ in range(2):
        page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the figure"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.tagName") == "CANVAS"
    assert "#" not in page.url


def test_on_paper(visit_page, files):
    """A figure that nobody has started is its poster, another one its canvas; without controls."""
    page = visit_page(files["one"])
    page.emulate_media(media="print")
    poster, canvas = page.locator(".nca-poster"), page.locator("canvas").first
    assert poster.is_visible()
    assert poster.evaluate("(image) => image.complete && image.naturalWidth") == WIDTH
    assert canvas.is_hidden()
    advance(page, 5)
    assert poster.is_hidden()
    assert canvas.is_visible()
    for part in (".nca-panel", ".nca-extra", ".nca-skip"):
        assert page.locator(part).is_hidden()
    page.emulate_media(media="screen")
    assert poster.is_hidden()
    assert page.locator(".nca-panel").is_visible()
    assert mounted(page, 0)
