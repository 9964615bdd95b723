"""A page that cannot be broken: by links, by numbers, by its host's policies, by its browser."""

import base64
import json
import zlib

import numpy as np
import pytest
import torch

from ncabook.live import describe, figure_html
from ncabook.live.script import page_script
from tests.browser.pages import look_around, mounted, satisfies_axe, status, steps, until
from tests.live import test_starts as starts
from tests.live.test_engine import automaton, described
from tests.live.test_events import runaway

pytestmark = pytest.mark.browser
PLAYER = "document.querySelector('figure').ncaPlayer"
ALLOWED = "img-src data:; script-src 'unsafe-inline' 'wasm-unsafe-eval'; worker-src blob:"
LOOSE = f"default-src 'none'; style-src 'unsafe-inline'; {ALLOWED}"
STRICT = f"default-src 'none'; {ALLOWED}; require-trusted-types-for 'script'"


def html(model, policy=LOOSE, change=lambda figure: figure):
    description, weights = model
    figure = change(figure_html([description | {"more": True}], weights, "Living"))
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}"><title>Living</title>'
        '<link rel="icon" href="data:,"></head><body><main><h1>Living</h1>'
        f"{figure}</main><script>{page_script()}</script></body></html>"
    )


@pytest.fixture(scope="module")
def quiet():
    """An automaton that does not run away."""
    return described(automaton(std=0.001), targets=torch.rand(5, 4, 19, 26))


@pytest.fixture
def visit(visit_page, tmp_path):
    """Opens a page with a figure of a model."""

    def visit(model, link="", loud=False, wait=True, init=None, **options):
        file = tmp_path / "page.html"
        file.write_text(html(model, **options), "utf-8")
        return visit_page(file.as_uri() + link, loud=loud, wait=wait, init=init)

    return visit


def link(**change):
    moment = {"figure": 0, "step": 3, "classIndex": 0, "degrees": 0, "events": [], **change}
    packer = zlib.compressobj(wbits=-15)
    packed = packer.compress(json.dumps(moment).encode()) + packer.flush()
    return "#nca=" + base64.urlsafe_b64encode(packed).decode().rstrip("=")


def notice(page):
    return page.locator(".nca-notice")


NOISE = {"kind": "disturb", "shape": "circle", "x": 9, "y": 9, "size": 4, "step": 0, "salt": 1}
BAD_LINKS = {
    "#nca=broken": "it was cut off, or changed on its way",
    link()[:-6]: "it was cut off, or changed on its way",
    link(figure=4): "it tells of figure 5, and this page has 1",
    link(figure="x"): "it was cut off, or changed on its way",
    link(step=10**9): "step is 1000000000; expected a whole number from 0 to 10000000",
    link(classIndex=5): "classIndex is 5; expected a whole number from 0 to 4",
    link(events=None): "events is null; expected a list of at most 20000",
    link(events=[{**NOISE, "sigma": 1e39}]): "events[0].sigma is 1e+39; expected a number from 0",
}


@pytest.mark.parametrize("bad", BAD_LINKS, ids=lambda bad: BAD_LINKS[bad][:30])
def test_a_bad_link_is_told_and_does_no_harm(visit, quiet, bad):
    page = visit(quiet, link=bad)
    assert notice(page).inner_text().startswith(f"The link cannot be shown: {BAD_LINKS[bad]}")
    assert status(page).inner_text() == notice(page).inner_text()
    assert steps(page) == 0
    page.get_by_role("button", name="Step").click()
    until(lambda: steps(page) == 1)
    page.get_by_role("button", name="Reset").click()
    until(lambda: steps(page) == 0)
    assert notice(page).is_hidden()


def test_a_link_that_unfolds_without_end(visit, quiet):
    packer = zlib.compressobj(9, wbits=-15)
    packed = packer.compress(b"[" * 2**26) + packer.flush()  # 64 MiB of JSON in 64 KiB
    page = visit(quiet, link="#nca=" + base64.urlsafe_b64encode(packed).decode().rstrip("="))
    assert "cut off" in notice(page).inner_text()


@pytest.mark.parametrize("button", ["Pause", "Reset"])
def test_the_way_to_a_far_moment_can_be_left(visit, quiet, button):
    page = visit(quiet, link=link(step=5_000_000), wait=False)
    until(lambda: "On the way to step 5,000,000: step " in notice(page).inner_text())
    first = notice(page).inner_text()
    until(lambda: notice(page).inner_text() != first)
    if button == "Pause":
        satisfies_axe(page)
    page.get_by_role("button", name=button).click()
    until(lambda: mounted(page, 0))
    assert notice(page).is_hidden()
    assert page.get_by_role("button", name="Play").is_visible()
    reached = steps(page)
    assert reached == 0 if button == "Reset" else 0 < reached < 5_000_000
    page.wait_for_timeout(150)
    assert steps(page) == reached


@pytest.mark.parametrize("error", ["1e80", "Infinity", "NaN", "-1"])
def test_no_curve_is_without_end(visit, quiet, error):
    page = visit(quiet)
    page.evaluate(
        f"{{ const {{ chart }} = {PLAYER}; chart.add(1, [0.1]); chart.mark(2, [0.1], [{error}]);"
        f" chart.add(2, [{error}]); chart.draw(); chart.recoveries(); chart.describe(); }}"
    )
    assert page.evaluate(f"{PLAYER}.chart.points.length") == 3


def test_what_runs_away_stops_and_says_so(visit):
    page = visit(described(runaway("sobel")))
    page.get_by_role("button", name="Play").click()
    until(lambda: notice(page).is_visible())
    reached = steps(page)
    words = f"Stopped at step {reached}: the automaton's numbers grow beyond all bounds."
    assert notice(page).inner_text().startswith(words)
    assert status(page).inner_text() == notice(page).inner_text()
    assert page.get_by_role("button", name="Play").is_visible()
    look_around(page)
    page.get_by_role("button", name="Step").click()
    page.wait_for_timeout(50)
    assert steps(page) == reached
    page.get_by_role("button", name="Back").click()
    until(lambda: notice(page).is_hidden())
    assert steps(page) == reached - 1


def long_weights(figure):
    return figure.replace('data-weights="', 'data-weights="AAAA')


def no_numbers(figure):
    start = figure.index('data-weights="') + len('data-weights="')
    return figure[:start] + "////" + figure[start + 4 :]  # NaN


def without_weights(data):
    return lambda _: f'<figure class="nca-figure" data-nca="{data}"></figure>'


BROKEN = {
    "no JSON": (without_weights("[{"), "its description (data-nca) is no JSON"),
    "a number": (without_weights("7"), "no automaton is described"),
    "an empty list": (without_weights("[]"), "no automaton is described"),
    "a list of nothing": (without_weights("[null]"), "not a description of an automaton"),
    "no weights": (lambda f: f.replace("data-weights", "data-other"), "0 bytes of weights"),
    "no base64": (lambda f: f.replace('data-weights="', 'data-weights="%'), "are no base64"),
    "long": (long_weights, "bytes of weights, the description expects"),
    "no numbers": (no_numbers, "the weights from byte 0 on are not all numbers"),
}


def test_a_broken_figure_has_a_sentence_in_its_place(visit, quiet):
    """Each its own; the whole one behind them lives."""

    def all_kinds(figure):
        return "".join(change(figure) for change, _ in BROKEN.values()) + figure

    page = visit(quiet, change=all_kinds, loud=True, wait=False)
    for i, (kind, (_, words)) in enumerate(BROKEN.items()):
        figure = page.locator("figure").nth(i)
        alert = figure.get_by_role("alert")
        alert.wait_for()
        assert alert.count() == 1, kind
        assert alert.inner_text().startswith("live figure: "), kind
        assert words in alert.inner_text(), kind
        assert figure.locator(".nca-player").count() == 0, kind
    until(lambda: mounted(page, len(BROKEN)))
    assert page.get_by_role("alert").count() == len(BROKEN)
    assert page.locator(".nca-player").count() == 1


@pytest.mark.parametrize("worker", [True, False])
def test_under_a_strict_policy(visit, quiet, worker):
    """Styled, with icons, playing; in a worker, if the policy leaves a way to one."""
    policy = STRICT if worker else f"{STRICT}; trusted-types 'none'"
    page = visit(quiet, policy=policy, loud=not worker)
    assert page.evaluate(f"{PLAYER}.link.inWorker") == worker
    style = "getComputedStyle(document.querySelector('.nca-player .nca-play')).borderRadius"
    assert page.evaluate(style) != "0px"
    assert page.locator(".nca-play svg path").count() == 1
    page.get_by_role("button", name="Step").click()
    until(lambda: steps(page) == 1)


REFUSE = """{
  window.Worker = function () { throw new Error("none"); };
  WebAssembly.%s = () => { throw new RangeError("no memory"); };
}"""


@pytest.mark.parametrize("refused", ["instantiate", "Memory.prototype.grow"])
def test_without_memory_for_webassembly(visit, quiet, refused):
    page = visit(quiet, init=REFUSE % refused)
    page.get_by_role("button", name="Step").click()
    until(lambda: steps(page) == 1)
    assert page.get_by_text("0 steps/s").get_attribute("title") == "by JavaScript"


def test_a_hidden_page_misses_nothing(visit, quiet):
    """While it is frozen nothing happens, and then it goes on, not at once what it missed."""
    page = visit(quiet)
    session = page.context.new_cdp_session(page)
    page.get_by_role("button", name="Play").click()
    until(lambda: steps(page) > 5)
    for _ in range(3):
        session.send("Page.setWebLifecycleState", {"state": "frozen"})
        page.wait_for_timeout(300)
        session.send("Page.setWebLifecycleState", {"state": "active"})
    before = steps(page)
    until(lambda: steps(page) > before)
    assert steps(page) < before + 300


def test_resizing_and_messages_of_strangers(visit, quiet):
    page = visit(quiet)
    page.get_by_role("button", name="Play").click()
    for width in [320, 1400, 500, 200, 900, 360] * 4:
        page.set_viewport_size({"width": width, "height": 700})
    page.evaluate(
        "for (const junk of [null, 1, {kind: 'reset'}, {id: 1, report: {}}, 'x', [{}]])"
        " { postMessage(junk, '*'); dispatchEvent(new MessageEvent('message', { data: junk })); }"
    )
    until(lambda: steps(page) > 20)
    page.set_viewport_size({"width": 360, "height": 700})
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    chart = page.locator(".nca-chart")
    until(lambda: chart.evaluate("(c) => Math.abs(c.width - c.clientWidth) <= 1"))
    before = steps(page)
    until(lambda: steps(page) > before)


def test_a_picture_that_the_browser_took_is_drawn_again(visit, quiet):
    page = visit(quiet)
    look = "() => { const c = document.querySelector('canvas');"
    blank = " const context = c.getContext('2d'); context.clearRect(0, 0, c.width, c.height);"
    page.evaluate(look + blank + " c.dispatchEvent(new Event('contextrestored')); }")
    pixel = " return c.getContext('2d').getImageData(0, 0, 1, 1).data[3]; }"
    until(lambda: page.evaluate(look + pixel) == 255)


def test_choosing_a_canvas_faster_than_it_comes(visit):
    """The last choice counts."""
    nca = starts.drawer(fixed=0)
    start = torch.full((1, nca.layout.channels, 9, 9), 0.5)
    page = visit(describe(nca, 9, 9, start=start, sizes=[(10, 10), (11, 11), (12, 12)]))
    for index in (1, 2, 3):
        page.evaluate(
            "(index) => { const select = document.querySelector('.nca-player select[id$=size]');"
            " select.value = index; select.dispatchEvent(new Event('change')); }",
            index,
        )
    until(
        lambda: (
            page.locator(".nca-player").count() == 1
            and page.evaluate("document.querySelector('canvas').width") == 12
        )
    )
    page.wait_for_timeout(200)
    assert page.locator(".nca-player").count() == 1
    assert page.evaluate("document.querySelector('canvas').width") == 12


def test_drawing_painting_and_what_is_chosen(visit):
    """Inputs that nobody votes on are drawings; inks have colours and names."""
    nca = starts.drawer()
    model = describe(
        nca, 7, 10, start=starts.states(nca, 2), inputs=starts.drawings(),
        inks={"orange": "#ff8000", "black": "#000000"},
    )  # fmt: skip
    page = visit(model)
    assert page.get_by_role("group", name="Draw").get_by_role("radio").count() == 2
    assert page.get_by_role("radio", name="Paint with the chosen ink").is_checked()
    page.get_by_text("black", exact=True).click()
    page.get_by_label("Size").fill("1")
    page.locator("canvas").first.click()
    ask = f"{PLAYER}.ask({{ kind: 'getState' }}).then(({{ state }}) => Array.from(state))"
    cells = np.array(page.evaluate(ask)).reshape(7, 10, -1)
    assert (cells[..., 1:4] == 0).all(-1).sum() == 2  # the middle lies between two cells
    swatches = page.locator(".nca-swatch")
    background = "(swatch) => getComputedStyle(swatch).backgroundColor"
    assert [s.evaluate(background) for s in swatches.all()] == ["rgb(255, 128, 0)", "rgb(0, 0, 0)"]
    page.get_by_title("shoe").click()
    until(lambda: status(page).inner_text() == "Now reading shoe")
    look_around(page)
