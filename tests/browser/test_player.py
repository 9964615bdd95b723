"""The exported page in a real browser: everything a reader can do, by pointer and by keyboard."""

import json
import time

import numpy as np
import pytest
import torch
from axe_playwright_python.sync_playwright import Axe

from ncabook.automaton import NCA, ChannelLayout, ConvPerception, MLPUpdate
from ncabook.live import LivePlayer, to_html

pytestmark = pytest.mark.browser
HEIGHT, WIDTH = 24, 32


@pytest.fixture(scope="module")
def page_file(tmp_path_factory):
    torch.manual_seed(3)
    layout = ChannelLayout(visible=4, hidden=8)
    nca = NCA(layout, ConvPerception(12, 24, condition_channels=3), MLPUpdate(24, 12, [16]))
    torch.nn.init.normal_(nca.update.layers[-1].weight, std=0.05)
    target = tmp_path_factory.mktemp("page") / "player.html"
    labels = ["😀", "🦎", "🐠"]
    target.write_text(to_html(nca, HEIGHT, WIDTH, classes=labels, title="Three"), "utf-8")
    return target


@pytest.fixture
def visit(chromium, page_file):
    """Opens the page, and at the end checks that it asked for nothing and complained of nothing."""
    contexts, complaints, requests = [], [], []

    def visit(**options):
        context = chromium.new_context(**{"reduced_motion": "reduce", **options})
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: requests.append(request.url))
        page.goto(page_file.as_uri())
        until(lambda: mounted(page, 0))
        return page

    yield visit
    for context in contexts:
        context.close()
    assert complaints == []
    assert set(requests) == {page_file.as_uri()}


@pytest.fixture
def page(visit):
    return visit()


def until(condition, seconds=10):
    """Waits by asking again; the page's own policy forbids what Playwright's waiting evaluates."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def mounted(page, index):
    script = "(i) => document.querySelectorAll('figure')[i].ncaPlayer !== undefined"
    return page.evaluate(script, index)


def status(page):
    return page.locator(".nca-player > [role=status]")


def state(page):
    flat = page.evaluate("Array.from(document.querySelector('figure').ncaEngine.state)")
    return np.array(flat, np.float32).reshape(HEIGHT, WIDTH, -1)


def steps(page):
    return page.evaluate("document.querySelector('figure').ncaEngine.stepCount")


def fill(page):
    """Sets every number of the state to 1."""
    page.evaluate(
        "{ const f = document.querySelector('figure'); f.ncaEngine.cells.fill(1);"
        " f.ncaPlayer.draw(); }"
    )


def pixel(page, x, y):
    script = "([x, y]) => [...document.querySelector('canvas').getContext('2d')"
    return page.evaluate(script + ".getImageData(x, y, 1, 1).data]", [x, y])


def at(page, x, y):
    """Page coordinates of the centre of a cell."""
    box = page.locator("canvas").bounding_box()
    return box["x"] + (x + 0.5) / WIDTH * box["width"], box["y"] + (y + 0.5) / HEIGHT * box[
        "height"
    ]


def test_starts_with_a_seed(page):
    cells = state(page)
    assert cells[HEIGHT // 2, WIDTH // 2].tolist() == [1] * 4 + [0] * 8
    assert cells.sum() == 4
    assert pixel(page, 0, 0) == [255, 255, 255, 255]


def test_step_and_reset(page):
    page.get_by_role("button", name="Step").click(click_count=3, delay=20)
    assert steps(page) == 3
    assert page.locator(".nca-steps").inner_text() == "3"
    page.get_by_role("button", name="Reset").click()
    assert steps(page) == 0
    assert state(page).sum() == 4


def test_play_and_pause(page):
    assert steps(page) == 0  # a reader who asked for less motion gets none unasked
    page.get_by_role("button", name="Play").click()
    until(lambda: steps(page) > 10)
    page.get_by_role("button", name="Pause").click()
    reached = steps(page)
    assert status(page).inner_text() == f"Paused at step {reached}"
    page.wait_for_timeout(200)
    assert steps(page) == reached


def test_speed(page):
    page.get_by_role("button", name="Play").click()
    page.get_by_text("¼×").click()
    before = steps(page)
    page.wait_for_timeout(1000)
    slow = steps(page) - before
    page.get_by_text("max").click()
    before = steps(page)
    page.wait_for_timeout(1000)
    assert 3 <= slow <= 12
    assert steps(page) - before > 100


def test_plays_by_itself_only_in_view(visit):
    page = visit(reduced_motion="no-preference", viewport={"width": 800, "height": 500})
    until(lambda: steps(page) > 3)
    page.evaluate("document.body.style.paddingBottom = '3000px'; scrollTo(0, 2500)")
    page.wait_for_timeout(300)
    hidden = steps(page)
    page.wait_for_timeout(300)
    assert steps(page) == hidden
    page.evaluate("scrollTo(0, 0)")
    until(lambda: steps(page) > hidden)


def test_mutation_keeps_the_state(page):
    page.get_by_role("button", name="Step").click(click_count=5, delay=20)
    before = state(page)
    page.get_by_text("lizard").click()
    assert page.get_by_role("radio", name="lizard").is_checked()
    assert page.evaluate("document.querySelector('figure').ncaEngine.classIndex") == 1
    assert status(page).inner_text() == "Now growing into lizard"
    np.testing.assert_array_equal(state(page), before)


def test_drag_erases_without_gaps(page):
    fill(page)
    page.get_by_role("slider").fill("1")
    page.mouse.move(*at(page, 4, 6))
    page.mouse.down()
    page.mouse.move(*at(page, 27, 6), steps=2)
    page.mouse.up()
    page.mouse.move(*at(page, 4, 20))
    cells = state(page)
    assert not cells[6, 4:28].any()
    assert cells[10:].all()
    assert pixel(page, 10, 6) == [255] * 4


def test_double_click_plants_a_seed(page):
    page.mouse.dblclick(*at(page, 5, 20))
    assert state(page)[20, 5].tolist() == [1] * 4 + [0] * 8


def test_double_tap_plants_a_seed(visit):
    page = visit(has_touch=True, viewport={"width": 390, "height": 844})
    page.touchscreen.tap(*at(page, 5, 20))
    page.touchscreen.tap(*at(page, 5, 20))
    assert state(page)[20, 5].tolist() == [1] * 4 + [0] * 8


def test_keyboard_alone(page):
    fill(page)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.tagName") == "CANVAS"
    assert page.locator(".nca-cursor").is_visible()
    for key in ["ArrowLeft", "Shift+ArrowUp", "ArrowUp", "ArrowUp"]:
        page.keyboard.press(key)
    x, y = WIDTH // 2 - 1, HEIGHT // 2 - 7
    page.keyboard.press("e")
    cells = state(page)
    assert not cells[y - 4 : y + 5, x].any()
    assert cells[y, x - 5].all()
    assert status(page).inner_text() == f"Erased around column {x + 1}, row {y + 1}"
    page.keyboard.press("s")
    assert state(page)[y, x].tolist() == [1] * 4 + [0] * 8
    page.keyboard.press("Tab")
    assert page.locator(".nca-cursor").is_hidden()
    page.keyboard.press("Space")
    assert page.get_by_role("button", name="Pause").is_visible()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    before = steps(page)
    page.keyboard.press("Enter")
    assert steps(page) == before + 1
    for _ in range(2):
        page.keyboard.press("Tab")
    page.keyboard.press("ArrowRight")
    assert page.get_by_role("radio", name="lizard").is_checked()
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowLeft")
    assert page.get_by_role("radio", name="quarter speed").is_checked()
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowRight")
    assert page.get_by_role("slider").get_attribute("aria-valuetext") == "radius 5 cells"


def test_status_is_silent_while_running(page):
    page.get_by_role("button", name="Play").click()
    until(lambda: steps(page) > 20)
    assert status(page).inner_text() == "Playing"
    assert page.locator("output:not([aria-live=off])").count() == 0


@pytest.mark.parametrize("width", [390, 1440])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_accessible_and_in_place(visit, scheme, width):
    page = visit(color_scheme=scheme, viewport={"width": width, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    report = Axe().run(page).response
    assert len(report["passes"]) > 10
    assert [(f["id"], f["nodes"][0]["html"]) for f in report["violations"]] == []
    for target in page.locator("button, .nca-tile, input[type=range]").all():
        box = target.bounding_box()
        assert min(box["width"], box["height"]) >= 40


@pytest.mark.parametrize(
    ("host", "system", "dark"),
    [
        ("document.documentElement.dataset.theme = 'dark'", "light", True),
        ("document.documentElement.dataset.theme = 'light'", "dark", False),
        ("document.body.dataset.jpThemeLight = 'false'", "light", True),
        ("document.body.dataset.jpThemeLight = 'true'", "dark", False),
    ],
)
def test_follows_the_theme_of_its_host(visit, host, system, dark):
    page = visit(color_scheme=system)
    page.evaluate(host)
    scheme = "getComputedStyle(document.querySelector('.nca-player')).colorScheme"
    assert page.evaluate(scheme) == ("dark" if dark else "light")


def test_figures_that_are_added_later(page):
    page.evaluate(
        "{ const f = document.querySelector('figure'); const g = document.createElement('figure');"
        " Object.assign(g.dataset, {nca: f.dataset.nca, weights: f.dataset.weights});"
        " g.className = 'nca-figure'; f.after(g); }"
    )
    until(lambda: mounted(page, 1))
    page.get_by_role("button", name="Step").nth(1).click()
    counts = "[...document.querySelectorAll('figure')].map((f) => f.ncaEngine.stepCount)"
    assert page.evaluate(counts) == [0, 1]
    assert page.locator("style[data-nca-live]").count() == 1
    names = "new Set([...document.querySelectorAll('input[type=radio]')].map((i) => i.name)).size"
    assert page.evaluate(names) == 4


def test_as_a_widget(chromium, monkeypatch):
    """What a notebook's front end does: load the module, render into an element, talk by traits."""
    monkeypatch.setenv("NCABOOK_STATIC", "1")
    torch.manual_seed(0)
    layout = ChannelLayout(visible=4, hidden=4)
    nca = NCA(layout, ConvPerception(8, 8, condition_channels=2), MLPUpdate(8, 8, [8]))
    player = LivePlayer(nca, 10, 14, classes=["a", "b"], class_index=1)
    context = chromium.new_context(reduced_motion="reduce")
    page = context.new_page()
    page.evaluate(
        """async ({ source, descriptions, weights }) => {
          const module = new Blob([source], { type: "text/javascript" });
          const widget = (await import(URL.createObjectURL(module))).default;
          const bytes = Uint8Array.from([0, ...weights]);  // a view that begins inside its buffer
          const traits = { descriptions, weights: new DataView(bytes.buffer, 1), class_index: 0 };
          window.listeners = {};
          window.traits = traits;
          const model = {
            get: (name) => traits[name],
            set: (name, value) => { traits[name] = value; },
            save_changes: () => {},
            on: (event, listener) => { window.listeners[event] = listener; },
            off: (event) => { delete window.listeners[event]; },
          };
          const mounted = widget.render({ model, el: document.body });
          traits.class_index = 1;  // set from Python while the figure is still starting
          window.end = await mounted;
        }""",
        {
            "source": str(player._esm),
            "descriptions": player.descriptions,
            "weights": list(player.weights),
        },
    )
    assert page.get_by_role("radio", name="b").is_checked()
    page.get_by_role("button", name="Step").click()
    assert page.evaluate("traits.steps_shown") == 1
    page.get_by_text("a", exact=True).click()
    assert page.evaluate("traits.class_index") == 0
    page.evaluate("traits.class_index = 1; listeners['change:class_index']()")
    assert page.get_by_role("radio", name="b").is_checked()
    page.evaluate("end()")
    assert page.locator(".nca-player").count() == 0
    assert page.evaluate("Object.keys(listeners).length") == 0
    context.close()


def test_a_broken_figure_says_so(chromium, page_file):
    page = chromium.new_page()
    broken = page_file.with_name("broken.html")
    text = page_file.read_text("utf-8").replace("&quot;version&quot;:2", "&quot;version&quot;:9")
    broken.write_text(text, "utf-8")
    page.goto(broken.as_uri())
    alert = page.get_by_role("alert")
    alert.wait_for()
    assert "description version 9; this engine reads version 2" in alert.inner_text()
    page.close()


def test_without_javascript_it_is_words(chromium, page_file):
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(page_file.as_uri())
    assert "grown by a neural cellular automaton" in page.locator("noscript").inner_text()
    context.close()


@pytest.fixture(scope="module")
def side_by_side(tmp_path_factory):
    """A page with three automata of different perceptions in one figure."""
    from ncabook.automaton import AttentionBlock, SobelPerception
    from ncabook.live import figure_html
    from ncabook.live.html import PAGE, page_script

    torch.manual_seed(3)
    automata = {}
    for name, perception in {
        "conv 3×3": ConvPerception(12, 24, condition_channels=2),
        "Sobel": SobelPerception(12, condition_channels=2),
        "attention": AttentionBlock(12, 16, 16, condition_channels=2),
    }.items():
        update = MLPUpdate(perception.out_channels, 12, [16])
        torch.nn.init.normal_(update.layers[-1].weight, std=0.02)
        update.layers[-1].bias.data[3] = 0.05
        automata[name] = NCA(ChannelLayout(visible=4, hidden=8), perception, update)
    player = LivePlayer(automata, HEIGHT, WIDTH, classes=["a", "b"], title="Three")
    figure = figure_html(json.loads(player.descriptions), player.weights, "Three")
    target = tmp_path_factory.mktemp("page") / "several.html"
    target.write_text(PAGE.format(title="Three", figure=figure, script=page_script()), "utf-8")
    return target


def engines(page, what):
    return page.evaluate(
        f"document.querySelector('figure').ncaPlayer.engines.map((engine) => {what})"
    )


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_side_by_side(chromium, side_by_side, scheme):
    """All run together; what is done in one grid is done in all; each grid has its name."""
    context = chromium.new_context(reduced_motion="reduce", color_scheme=scheme)
    page = context.new_page()
    complaints = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(side_by_side.as_uri())
    until(lambda: mounted(page, 0))
    assert page.locator("canvas").count() == 3
    assert page.locator(".nca-caption").all_inner_texts() == ["conv 3×3", "Sobel", "attention"]
    for _ in range(20):
        page.get_by_role("button", name="Step").click()
    assert engines(page, "engine.stepCount") == [20, 20, 20]
    alive = "engine.state.filter((v, i) => i % 12 === 3 && v > 0.1).length"
    assert min(engines(page, alive)) > 4
    page.locator("canvas").nth(1).click()  # erases around the centre, in all of them
    centre = f"engine.state[12 * ({HEIGHT // 2} * {WIDTH} + {WIDTH // 2}) + 3]"
    assert engines(page, centre) == [0, 0, 0]
    page.get_by_text("b", exact=True).click()
    assert engines(page, "engine.classIndex") == [1, 1, 1]
    page.get_by_role("button", name="Reset").click()
    assert engines(page, alive) == [1, 1, 1]
    results = Axe().run(page)
    assert results.violations_count == 0, results.generate_report()
    assert complaints == []
    context.close()
