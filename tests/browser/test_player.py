"""The exported page in a real browser: everything a reader can do, by pointer and by keyboard."""

import json
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from ncabook.automaton import (
    NCA,
    AttentionBlock,
    ChannelLayout,
    ConvPerception,
    MLPUpdate,
    Patchwork,
    SobelPerception,
    centre_seed,
    hashed_fire,
)
from ncabook.live import LivePlayer, to_html
from ncabook.training.texture import gray_canvas
from tests.browser.pages import look_around, mounted, status, steps, until, write_page
from tests.live import test_decoder as latent
from tests.live import test_votes as voting
from tests.live.test_canvas import weaver

pytestmark = pytest.mark.browser
HEIGHT, WIDTH = 24, 32
TARGETS = "button:visible, .nca-tile, input[type=range], select"


@pytest.fixture(scope="module")
def page_file(tmp_path_factory):
    torch.manual_seed(3)
    layout = ChannelLayout(visible=4, hidden=8)
    nca = NCA(layout, ConvPerception(12, 24, condition_channels=3), MLPUpdate(24, 12, [16]))
    # So small that nothing runs away in the 18,000 steps of the longest test.
    torch.nn.init.normal_(nca.update.layers[-1].weight, std=0.001)
    target = tmp_path_factory.mktemp("page") / "player.html"
    labels = ["😀", "🦎", "🐠"]
    for name, more in (("player", True), ("closed", False)):
        html = to_html(nca, HEIGHT, WIDTH, classes=labels, title="Three", more=more)
        target.with_name(f"{name}.html").write_text(html, "utf-8")
    return target


@pytest.fixture
def visit(visit_page, page_file):
    """Opens that page."""
    return lambda **options: visit_page(page_file.as_uri(), **options)


@pytest.fixture(scope="module")
def still(visit_once, page_file):
    """That page for tests that only look: none of them makes a step or changes a cell."""
    return visit_once(page_file.as_uri())


@pytest.fixture
def page(visit):
    return visit()


def state(page):
    """The state after everything that the page has asked for."""
    ask = "document.querySelector('figure').ncaPlayer.ask({ kind: 'getState' })"
    flat = page.evaluate(f"{ask}.then(({{ state }}) => Array.from(state))")
    return np.array(flat, np.float32).reshape(HEIGHT, WIDTH, -1)


def fill(page):
    """Sets every number of the state to 1."""
    page.evaluate(
        "document.querySelector('figure').ncaPlayer.ask({ kind: 'setState', state: "
        f"new Float32Array({HEIGHT * WIDTH * 12}).fill(1) }})"
    )


def pixel(page, x, y):
    script = "([x, y]) => [...document.querySelector('canvas').getContext('2d')"
    return page.evaluate(script + ".getImageData(x, y, 1, 1).data]", [x, y])


def at(page, x, y):
    """Page coordinates of the centre of a cell."""
    box = page.locator("canvas").first.bounding_box()
    return box["x"] + (x + 0.5) / WIDTH * box["width"], box["y"] + (y + 0.5) / HEIGHT * box[
        "height"
    ]


def test_starts_with_a_seed(still):
    """In the place of its picture."""
    cells = state(still)
    assert cells[HEIGHT // 2, WIDTH // 2].tolist() == [1] * 4 + [0] * 8
    assert cells.sum() == 4
    assert pixel(still, 0, 0) == [255, 255, 255, 255]
    assert still.locator(".nca-poster").is_hidden()


def test_step_and_reset(page):
    page.get_by_role("button", name="Step").click(click_count=3, delay=20)
    until(lambda: steps(page) == 3)
    assert page.locator(".nca-steps").inner_text() == "3"
    page.get_by_role("button", name="Reset").click()
    until(lambda: steps(page) == 0)
    assert state(page).sum() == 4


def test_step_back(page):
    back = page.get_by_role("button", name="Back")
    assert back.get_attribute("aria-disabled") == "true"
    page.get_by_role("button", name="Step").click()
    before = state(page)
    page.get_by_role("button", name="Step").click()
    until(lambda: steps(page) == 2)
    back.click()
    until(lambda: steps(page) == 1)
    np.testing.assert_array_equal(state(page), before)
    page.mouse.click(*at(page, WIDTH // 2, HEIGHT // 2))
    assert not state(page).any()
    back.click()  # takes the damage back, not the step
    until(lambda: state(page).any())
    np.testing.assert_array_equal(state(page), before)
    back.click()
    until(lambda: back.get_attribute("aria-disabled") == "true")


def test_play_and_pause(page):
    assert steps(page) == 0  # a reader who asked for less motion gets none unasked
    page.get_by_role("button", name="Play").click()
    until(lambda: steps(page) > 10)
    page.get_by_role("button", name="Pause").click()
    until(lambda: status(page).inner_text().startswith("Paused"))  # steps may be under way
    reached = steps(page)
    assert status(page).inner_text() == f"Paused at step {reached}"
    page.wait_for_timeout(200)
    assert steps(page) == reached


def test_a_pause_tells_of_the_steps_that_were_under_way(page):
    page.evaluate(
        "() => { const player = document.querySelector('figure').ncaPlayer;"
        "player.ask({ kind: 'advance', steps: 3, budget: 1e9 }); player.setPlaying(false, true); }"
    )
    until(lambda: status(page).inner_text() == "Paused at step 3")


def test_speed(page):
    speed = page.get_by_role("slider", name="Speed")
    page.get_by_role("button", name="Play").click()
    speed.fill("1")
    assert speed.get_attribute("aria-valuetext") == "7.5 steps per second"
    before = steps(page)
    page.wait_for_timeout(1000)
    slow = steps(page) - before
    speed.fill("7")
    assert speed.get_attribute("aria-valuetext") == "as fast as this device can"
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
    until(lambda: status(page).inner_text() == "Now growing into lizard")
    assert page.get_by_role("radio", name="lizard").is_checked()
    assert page.evaluate("document.querySelector('figure').ncaPlayer.last.classIndex") == 1
    np.testing.assert_array_equal(state(page), before)


def test_drag_erases_without_gaps(page):
    fill(page)
    page.get_by_role("slider", name="Size").fill("1")
    page.mouse.move(*at(page, 4, 6))
    page.mouse.down()
    page.mouse.move(*at(page, 27, 6), steps=2)
    page.mouse.up()
    page.mouse.move(*at(page, 4, 20))
    cells = state(page)
    assert not cells[6, 4:28].any()
    assert cells[10:].all()
    assert pixel(page, 10, 6) == [255] * 4


@pytest.mark.parametrize(
    ("tool", "check"),
    [
        ("Erase a square", lambda c: not c[2:11, 4:13].any() and c[1].all() and c[:, 13].all()),
        ("Erase half of the grid", lambda c: not c[:, : WIDTH // 2].any() and c[:, -9:].all()),
        ("Erase cells at random", lambda c: 2 < (c[..., 0] == 0).sum() < 40),
        ("Add noise", lambda c: 0.2 < c[4:9, 6:11].std() < 0.4 and (c[12:] == 1).all()),
        ("Plant a seed", lambda c: c[6, 8].tolist() == [1] * 4 + [0] * 8 and c.sum() == 9208),
    ],
)
def test_every_brush(page, tool, check):
    fill(page)
    page.get_by_title(tool).click()
    assert page.get_by_role("radio", name=tool).is_checked()
    page.mouse.click(*at(page, 8, 6))
    assert check(state(page))


def test_drawing_an_input(visit_page, tmp_path):
    """By mouse and by keyboard; it is seen, outlives a reset, and can be wiped."""
    torch.manual_seed(3)
    nca = NCA(ChannelLayout(visible=4, hidden=6, fixed=2), ConvPerception(12, 8), MLPUpdate(8, 10))
    (tmp_path / "input.html").write_text(to_html(nca, HEIGHT, WIDTH, more=True), "utf-8")
    page = visit_page((tmp_path / "input.html").as_uri())
    page.get_by_role("slider", name="Size").fill("1")
    page.get_by_title("Draw on the input").click()
    page.mouse.move(*at(page, 4, 6))
    page.mouse.down()
    page.mouse.move(*at(page, 20, 6), steps=2)
    page.mouse.up()
    cells = state(page)
    assert (cells[6, 4:21, :2] == 1).all()
    assert not cells[9:, :, :2].any()
    assert max(pixel(page, 10, 6)[:3]) < 100
    page.get_by_role("button", name="Reset").click()
    np.testing.assert_array_equal(state(page)[..., :2], cells[..., :2])
    page.get_by_role("radio", name="Wipe the input").check(force=True)
    canvas = page.locator("canvas").first
    canvas.focus()
    for _ in range(6):
        canvas.press("ArrowUp")
    canvas.press("e")
    assert not state(page)[6, 16, :2].any()
    assert state(page)[6, 10, :2].all()


def test_double_click_plants_a_seed(page):
    page.mouse.dblclick(*at(page, 5, 20))
    assert state(page)[20, 5].tolist() == [1] * 4 + [0] * 8


def test_double_tap_plants_a_seed(visit):
    page = visit(has_touch=True, viewport={"width": 390, "height": 844})
    page.get_by_role("button", name="Use the brush").tap()
    # With times of their own: a machine that does other work would be too slow for a double tap.
    touch, (x, y), now = page.context.new_cdp_session(page), at(page, 5, 20), time.time()
    for moment, kind in ((0, "Start"), (0.05, "End"), (0.2, "Start"), (0.25, "End")):
        points = [{"x": x, "y": y}] if kind == "Start" else []
        event = {"type": f"touch{kind}", "touchPoints": points, "timestamp": now + moment}
        touch.send("Input.dispatchTouchEvent", event)
    assert state(page)[20, 5].tolist() == [1] * 4 + [0] * 8


def test_keyboard_alone(page):
    fill(page)
    for _ in range(2):  # past the way around the figure
        page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.tagName") == "CANVAS"
    assert page.locator(".nca-cursor").is_visible()
    for key in ["ArrowLeft", "Shift+ArrowUp", "ArrowUp", "ArrowUp"]:
        page.keyboard.press(key)
    x, y = WIDTH // 2 - 1, HEIGHT // 2 - 7
    page.keyboard.press("e")
    assert status(page).inner_text() == f"Brush used at column {x + 1}, row {y + 1}"
    cells = state(page)
    assert not cells[y - 4 : y + 5, x].any()
    assert cells[y, x - 5].all()
    page.keyboard.press("s")
    assert state(page)[y, x].tolist() == [1] * 4 + [0] * 8
    page.keyboard.press("i")
    until(lambda: "r 1.00, g 1.00, b 1.00, α 1.00, hidden 4: 0.00" in status(page).inner_text())
    page.keyboard.press("Tab")
    assert page.locator(".nca-cursor").is_hidden()
    page.keyboard.press("Space")
    assert page.get_by_role("button", name="Pause").is_visible()
    page.keyboard.press("Enter")
    for _ in range(3):
        page.keyboard.press("Tab")
    page.keyboard.press("ArrowRight")
    assert page.get_by_role("radio", name="lizard").is_checked()
    for _ in range(2):
        page.keyboard.press("Tab")
    before = steps(page)
    page.keyboard.press("Enter")
    until(lambda: steps(page) == before + 1)
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowRight")
    assert page.get_by_role("radio", name="Erase a square").is_checked()
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowRight")
    assert page.get_by_label("Size").get_attribute("aria-valuetext") == "radius 5 cells"
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowLeft")
    words = page.get_by_label("Speed").get_attribute("aria-valuetext")
    assert words == "15 steps per second"
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowDown")
    assert page.get_by_label("Show").input_value() == "alpha"
    names = []
    for _ in range(3):
        page.keyboard.press("Tab")
        names.append(page.evaluate("document.activeElement.ariaLabel"))
    assert names == ["Save the picture", "Record a film", "Copy a link to this moment"]


def test_channels(still):
    """The seed's alpha is 1, and blue; its hidden channels are 0, and white."""
    still.get_by_label("Show").select_option("alpha")
    until(lambda: pixel(still, WIDTH // 2, HEIGHT // 2) == [33, 102, 172, 255])
    assert still.locator(".nca-key").is_visible()
    still.get_by_label("Show").select_option("hidden channel 5")
    until(lambda: pixel(still, WIDTH // 2, HEIGHT // 2) == [255] * 4)
    still.get_by_label("Show").select_option("picture")
    until(lambda: pixel(still, WIDTH // 2, HEIGHT // 2) == [255, 255, 255, 255])
    assert still.locator(".nca-key").is_hidden()


def test_a_picture_to_keep(still):
    with still.expect_download() as download:
        still.get_by_role("button", name="Save the picture").click()
    assert download.value.suggested_filename == "nca-step-0.png"
    with Image.open(download.value.path()) as image:
        assert image.size == (8 * WIDTH, 8 * HEIGHT)


def test_a_film_to_keep(page):
    page.get_by_role("button", name="Record a film").click()
    assert page.get_by_role("button", name="Record a film").get_attribute("aria-pressed") == "true"
    page.get_by_role("button", name="Play").click()
    until(lambda: steps(page) > 20)
    with page.expect_download() as download:
        page.get_by_role("button", name="Record a film").click()
    assert download.value.suggested_filename in ("nca.webm", "nca.mp4")
    assert Path(download.value.path()).stat().st_size > 500


def copied_link(page):
    """The link to this moment, from the clipboard or from the address bar."""
    page.get_by_role("button", name="Copy a link").click()
    until(lambda: "ink" in status(page).inner_text())
    link = page.evaluate("location.href")
    if "#nca=" not in link:
        page.context.grant_permissions(["clipboard-read"])
        link = page.evaluate("navigator.clipboard.readText()")
    return link


def test_a_link_shows_another_reader_the_same(page, visit, page_file):
    page.get_by_text("lizard").click()
    page.get_by_role("button", name="Step").click(click_count=12, delay=20)
    until(lambda: steps(page) == 12)
    page.get_by_title("Erase half").click()
    page.mouse.click(*at(page, 4, 12))
    page.get_by_role("button", name="Step").click(click_count=5, delay=20)
    until(lambda: steps(page) == 17)
    wanted = state(page)
    link = copied_link(page)
    other = page.context.new_page()
    other.goto(link)
    until(lambda: mounted(other, 0))
    assert steps(other) == 17
    assert other.get_by_role("radio", name="lizard").is_checked()
    np.testing.assert_array_equal(state(other), wanted)
    assert status(other).inner_text() == "Step 17, as in the link"
    other.goto(page_file.as_uri() + "#top")  # the page is left as it is, until a link is opened
    other.get_by_role("button", name="Step").click()
    until(lambda: steps(other) == 18)
    with other.expect_event("load"):
        other.goto(link)
    until(lambda: mounted(other, 0))
    assert steps(other) == 17


def long_tasks(page, seconds):
    """Tasks of the page's thread that took over 50 ms of a processor, in so many seconds.

    By the processor's time, not by the clock: what another process takes is not the page's doing.
    """
    browser = page.context.browser
    browser.start_tracing(page=page, categories=["toplevel"])
    page.wait_for_timeout(1000 * seconds)
    events = json.loads(browser.stop_tracing())["traceEvents"]
    threads = {
        (event["pid"], event["tid"])
        for event in events
        if event["name"] == "thread_name" and event["args"]["name"] == "CrRendererMain"
    }
    tasks = [
        event["tdur"] / 1000
        for event in events
        if event["name"].endswith("RunTask") and (event["pid"], event["tid"]) in threads
        if "tdur" in event
    ]
    assert len(tasks) > 50, "the trace holds no tasks"
    return [task for task in tasks if task > 50]


def test_the_page_never_waits_for_the_automaton(visit):
    """At full speed, on a device four times as slow: no task of the page's thread over 50 ms."""
    page = visit()
    page.context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": 4})
    page.get_by_label("Speed").fill("7")
    page.get_by_role("button", name="Play").click()
    page.wait_for_timeout(500)  # the first frames are the browser's own warming up
    before = steps(page)
    tasks = long_tasks(page, 2)
    assert steps(page) > before + 20
    assert page.evaluate("document.querySelector('figure').ncaPlayer.link.inWorker")
    # One task may be a collection of garbage; the rule is none.
    assert len(tasks) <= 1, tasks


def test_status_is_silent_while_running(page):
    page.get_by_role("button", name="Play").click()
    until(lambda: steps(page) > 20)
    assert status(page).inner_text() == "Playing"
    assert page.locator("output:not([aria-live=off])").count() == 0


def test_accessible_and_in_place(still):
    def large_enough():
        for target in still.locator(TARGETS).all():
            box = target.bounding_box()
            assert min(box["width"], box["height"]) >= 40

    look_around(still, large_enough)


HOSTS = [  # the element, its attribute, what it says in dark and in light
    ("documentElement", "data-theme", "dark", "light"),
    ("body", "data-jp-theme-light", "false", "true"),
]


@pytest.mark.parametrize(("element", "attribute", "dark", "light"), HOSTS)
def test_follows_the_theme_of_its_host(still, element, attribute, dark, light):
    """Whatever the system's is; without a host's, it follows that."""
    scheme = "getComputedStyle(document.querySelector('.nca-player')).colorScheme"
    for system, says, wanted in (("light", dark, "dark"), ("dark", light, "light")):
        still.emulate_media(color_scheme=system, reduced_motion="reduce")
        assert still.evaluate(scheme) == system
        still.evaluate(f"document.{element}.setAttribute('{attribute}', '{says}')")
        assert still.evaluate(scheme) == wanted
        still.evaluate(f"document.{element}.removeAttribute('{attribute}')")


def test_figures_that_are_added_later(page):
    page.evaluate(
        "{ const f = document.querySelector('figure'); const g = document.createElement('figure');"
        " Object.assign(g.dataset, {nca: f.dataset.nca, weights: f.dataset.weights});"
        " g.className = 'nca-figure'; f.after(g); }"
    )
    until(lambda: mounted(page, 1))
    page.get_by_role("button", name="Step").nth(1).click()
    counts = "[...document.querySelectorAll('figure')].map((f) => f.ncaPlayer.last.step)"
    until(lambda: page.evaluate(counts) == [0, 1])
    assert page.evaluate("document.adoptedStyleSheets.length") == 1
    names = "new Set([...document.querySelectorAll('input[type=radio]')].map((i) => i.name)).size"
    assert page.evaluate(names) == 4


def test_as_a_widget(chromium, monkeypatch):
    """What a notebook's front end does: load the module, render into an element, talk by traits."""
    monkeypatch.setenv("NCABOOK_STATIC", "1")
    torch.manual_seed(0)
    layout = ChannelLayout(visible=4, hidden=4)
    nca = NCA(layout, ConvPerception(8, 8, condition_channels=2), MLPUpdate(8, 8, [8]))
    player = LivePlayer(nca, 10, 14, classes=["a", "b"], class_index=1, more=True)
    context = chromium.new_context(reduced_motion="reduce")
    page = context.new_page()
    page.evaluate(
        """async ({ source, descriptions, weights }) => {
          const module = new Blob([source], { type: "text/javascript" });
          const widget = (await import(URL.createObjectURL(module))).default;
          const bytes = Uint8Array.from([0, ...weights]);  // a view that begins inside its buffer
          const traits = {
            descriptions, weights: new DataView(bytes.buffer, 1), class_index: 0, fire_rate: 0.5,
            playing: false,
          };
          window.listeners = {};
          window.sent = [];
          window.traits = traits;
          const model = {
            get: (name) => traits[name],
            set: (name, value) => { traits[name] = value; },
            save_changes: () => {},
            send: (content, callbacks, [buffer]) => window.sent.push(new Float32Array(buffer)),
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
    until(lambda: page.evaluate("traits.steps_shown") == 1)
    page.get_by_text("a", exact=True).click()
    until(lambda: page.evaluate("traits.class_index") == 0)
    page.evaluate("traits.class_index = 1; listeners['change:class_index']()")
    until(lambda: page.get_by_role("radio", name="b").is_checked())
    # What Python's methods send: steps, damage, a state to set, a state to read, the clock.
    page.evaluate("listeners['msg:custom']({ kind: 'advance', steps: 7, budget: 1000 })")
    until(lambda: page.evaluate("traits.steps_shown") == 8)
    page.evaluate(
        "listeners['msg:custom']({ kind: 'act', event: "
        "{ kind: 'erase', shape: 'circle', x: 7, y: 5, size: 4 } })"
    )
    until(lambda: page.evaluate("(traits.events ?? []).map((e) => e.kind).includes('erase')"))
    page.evaluate(
        "{ const sevens = new Float32Array(10 * 14 * 8).fill(7);"
        " listeners['msg:custom']({ kind: 'setState' }, [new DataView(sevens.buffer)]); }"
    )
    until(lambda: page.evaluate("traits.steps_shown") == 0)
    page.evaluate("listeners['msg:custom']({ kind: 'getState' })")
    until(lambda: page.evaluate("sent.length") == 1)
    assert page.evaluate("sent[0].length === 1120 && sent[0].every((v) => v === 7)")
    page.evaluate("traits.playing = true; listeners['change:playing']()")
    until(lambda: page.evaluate("traits.steps_shown") > 3)
    page.evaluate("traits.fire_rate = 1; listeners['change:fire_rate']()")
    page.get_by_role("button", name="Pause").click()
    until(lambda: not page.evaluate("traits.playing"))
    page.evaluate("end()")
    assert page.locator(".nca-player").count() == 0
    assert page.evaluate("Object.keys(listeners).length") == 0
    context.close()


def test_a_broken_figure_says_so(visit_page, page_file):
    broken = page_file.with_name("broken.html")
    text = page_file.read_text("utf-8").replace("&quot;version&quot;:3", "&quot;version&quot;:9")
    broken.write_text(text, "utf-8")
    page = visit_page(broken.as_uri(), loud=True, wait=False)
    alert = page.get_by_role("alert")
    alert.wait_for()
    assert "description version 9; this engine reads version 3" in alert.inner_text()
    assert page.locator(".nca-poster").is_visible(), "the picture stays"


def test_without_javascript_it_is_a_picture_and_words(visit):
    page = visit(java_script_enabled=False, wait=False)
    assert "grown by a neural cellular automaton" in page.locator("noscript").inner_text()
    picture = page.locator(".nca-poster")
    assert "grown by a neural cellular automaton" in picture.get_attribute("alt")
    assert picture.evaluate("(image) => [image.naturalWidth, image.naturalHeight]") == [
        WIDTH,
        HEIGHT,
    ]


@pytest.fixture(scope="module")
def three():
    """Automata of three perceptions, with weights that float16 holds."""
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
        nca = NCA(ChannelLayout(visible=4, hidden=8), perception, update)
        automata[name] = nca.half().float().requires_grad_(False)
    return automata


@pytest.fixture(scope="module")
def side_by_side(three, tmp_path_factory):
    """A page with the three in one figure."""
    targets = torch.rand(2, 4, HEIGHT, WIDTH, generator=torch.Generator().manual_seed(0))
    player = LivePlayer(
        three,
        HEIGHT,
        WIDTH,
        classes=["a", "b"],
        title="Three",
        targets=targets,
        seed=11,
        more=True,
    )
    target = tmp_path_factory.mktemp("page") / "several.html"
    return write_page(target, "Three", json.loads(player.descriptions), player.weights)


def states(page):
    """The state of each of the three automata, ``[row, column, channel]``."""
    ask = "document.querySelector('figure').ncaPlayer.ask({ kind: 'getState', index })"
    flat = page.evaluate(
        "Promise.all([0, 1, 2].map(async (index) => { "
        f"const {{ state }} = await {ask}; return Array.from(state); }}))"
    )
    return [np.array(f, np.float32).reshape(HEIGHT, WIDTH, -1) for f in flat]


def test_side_by_side(visit_page, side_by_side):
    """All run together; what is done in one grid is done in all; each grid has its name."""
    page = visit_page(side_by_side)
    assert page.locator("canvas:not(.nca-chart, .nca-lens)").count() == 3
    assert page.locator(".nca-caption").all_inner_texts() == ["conv 3×3", "Sobel", "attention"]
    page.get_by_role("button", name="Step").click(click_count=20, delay=20)
    until(lambda: steps(page) == 20)
    assert min((s[..., 3] > 0.1).sum() for s in states(page)) > 4
    page.locator("canvas").nth(1).click()  # erases around the centre, in all of them
    assert [s[HEIGHT // 2, WIDTH // 2].any() for s in states(page)] == [False] * 3
    page.get_by_text("b", exact=True).click()
    until(lambda: page.get_by_role("radio", name="b").is_checked())
    page.get_by_role("button", name="Reset").click()
    assert [(s[..., 3] > 0.1).sum() for s in states(page)] == [1, 1, 1]
    look_around(page)


RULES = ["lace", "tiles", "honeycomb"]


@pytest.fixture(scope="module")
def canvas_file(tmp_path_factory):
    """A page with three rules on one canvas, and another canvas to choose."""
    rules = Patchwork([weaver(), weaver(3), weaver(4)])
    start = gray_canvas(rules.automata[0], HEIGHT, WIDTH)
    player = LivePlayer(
        rules,
        HEIGHT,
        WIDTH,
        start=start,
        rules=RULES,
        sizes=[(16, 48)],
        turning=True,
        more=True,
        title="Rules",
    )
    target = tmp_path_factory.mktemp("page") / "rules.html"
    return write_page(target, "Rules", json.loads(player.descriptions), player.weights)


@pytest.fixture
def visit_canvas(visit_page, canvas_file):
    """Opens that page, or a link to one of its moments."""

    def visit_canvas(width=1440, link=None):
        return visit_page(link or canvas_file, viewport={"width": width, "height": 900})

    return visit_canvas


@pytest.mark.parametrize("width", [390, 1440])
def test_the_lens_shows_all_channels_of_a_window(visit_canvas, width):
    """Nothing moves when it appears; its squares have the colours of the numbers."""
    page = visit_canvas(width=width)
    player = "document.querySelector('figure').ncaPlayer"
    page.evaluate(f"{player}.ask({{ kind: 'advance', steps: 40, budget: 1e9 }})")
    lens = page.locator(".nca-lens")
    # On a phone the numbers take more lines than are kept free for them, below everything else.
    whole = page.locator(".nca-player" if width > 390 else ".nca-body")
    before = whole.bounding_box()
    assert not lens.is_visible()
    page.mouse.move(*at(page, 10, 7))
    until(lens.is_visible)
    assert whole.bounding_box() == before
    ask = f"{player}.link.send({{ kind: 'inspect', x: 10, y: 7 }})"
    values = page.evaluate(f"{ask}.then(({{ cells }}) => cells[0].values)")
    # The middle tile; eight channels are three rows of squares of 16 pixels.
    seen = lens.evaluate(
        "(lens, n) => Array.from({ length: n }, (_, k) => [...lens.getContext('2d').getImageData("
        "52 + 8 + 16 * (k % 3), 52 + 8 + 16 * Math.floor(k / 3), 1, 1).data])",
        len(values),
    )
    ends = np.array([[178, 24, 43], [33, 102, 172]])
    for value, (*rgb, alpha) in zip(values, seen, strict=True):
        wanted = 255 + min(1, abs(value)) * (ends[int(value >= 0)] - 255)
        assert np.abs(np.array(rgb) - wanted).max() <= 1
        assert alpha == 255
    assert len({tuple(s) for s in seen}) > 3


def test_the_map_of_rules_has_a_key(visit_canvas):
    """Each name has a swatch, in the colour of its cells; where there is no map, there is none."""
    page = visit_canvas(width=390)
    swatches = page.locator(".nca-swatch")
    names = page.locator(".nca-rules .nca-name")
    assert swatches.count() == len(RULES)
    assert [swatch.is_visible() for swatch in swatches.all()] == [False] * 3
    grafts = {"lace": (30, 22), "tiles": (5, 5), "honeycomb": (20, 12)}  # lace was everywhere
    for name in ("tiles", "honeycomb"):
        page.get_by_text(name, exact=True).click()
        page.mouse.click(*at(page, *grafts[name]))
    page.get_by_label("Show").select_option("which rule where")
    assert page.get_by_role("group", name="with its colour on the map").is_visible()
    assert [swatch.is_visible() for swatch in swatches.all()] == [True] * 3
    background = "(swatch) => getComputedStyle(swatch).backgroundColor"
    colours = [swatch.evaluate(background) for swatch in swatches.all()]
    assert len(set(colours)) == len(RULES)
    key = dict(zip(names.all_inner_texts(), colours, strict=True))
    for name, place in grafts.items():
        until(lambda: key[name] == "rgb({}, {}, {})".format(*pixel(page, *place)[:3]))  # noqa: B023

    def names_below_swatches():
        for swatch, name in zip(swatches.all(), names.all(), strict=True):
            above, below = swatch.bounding_box(), name.bounding_box()
            assert above["y"] + above["height"] <= below["y"]
            assert name.evaluate("(name) => name.scrollWidth <= name.clientWidth")

    look_around(page, names_below_swatches)
    page.get_by_label("Show").select_option("picture")
    assert [swatch.is_visible() for swatch in swatches.all()] == [False] * 3


def test_grafting(visit_canvas):
    """A patchwork's canvas has no seeds; the chosen rule spreads under the brush."""
    page = visit_canvas()
    assert page.get_by_role("radio", name="Plant a seed").count() == 0
    assert page.get_by_role("radio", name="Graft the chosen rule").is_checked()
    assert page.get_by_role("radio", name="tiles").is_checked()
    page.locator("canvas").first.click()
    page.get_by_role("combobox", name="Show").select_option("rules")
    until(lambda: pixel(page, WIDTH // 2, HEIGHT // 2) != pixel(page, 0, 0))
    page.get_by_role("button", name="Reset").click()
    page.get_by_role("button", name="Step").click(click_count=3, delay=20)
    until(lambda: steps(page) == 3)
    page.get_by_role("button", name="Back").click()
    until(lambda: steps(page) == 2)
    page.get_by_role("combobox", name="Canvas").select_option("48 × 16 cells")
    until(lambda: page.locator("canvas").first.get_attribute("width") == "48")
    until(lambda: page.locator(".nca-player").count() == 1)
    assert steps(page) == 0
    assert page.get_by_role("combobox", name="Show").input_value() == "rules"
    assert page.get_by_text("Drag to graft", exact=True).is_visible()
    assert page.locator(".nca-swatch").first.is_visible()
    assert "48 by 16 cells" in page.locator("canvas").first.get_attribute("aria-label")
    page.get_by_role("button", name="Step").click(click_count=2, delay=20)
    until(lambda: steps(page) == 2)
    look_around(page)


def test_the_field_is_turned_by_a_slider(visit_canvas):
    """By keys; it stays on another canvas, goes back with Back, and a link tells it."""
    page = visit_canvas()
    turn = page.get_by_role("slider", name="Turn")
    page.get_by_role("button", name="Step").click()
    until(lambda: steps(page) == 1)
    turn.focus()
    for _ in range(3):
        turn.press("ArrowRight")
    degrees = "document.querySelector('figure').ncaPlayer.last.degrees"
    until(lambda: page.evaluate(degrees) == 45)
    assert turn.get_attribute("aria-valuetext") == (
        "field of perception turned clockwise by 45 degrees"
    )
    page.get_by_role("button", name="Back").click()
    until(lambda: turn.input_value() == "30")
    assert "30 degrees" in turn.get_attribute("aria-valuetext")
    page.get_by_label("Canvas").select_option("48 × 16 cells")
    until(lambda: page.locator("canvas").first.get_attribute("width") == "48")
    until(lambda: page.locator(".nca-player").count() == 1)
    assert page.evaluate(degrees) == 30
    assert turn.input_value() == "30"
    turn.press("ArrowLeft")
    until(lambda: page.evaluate(degrees) == 15)
    other = visit_canvas(link=copied_link(page))
    assert other.evaluate(degrees) == 15
    assert other.get_by_role("slider", name="Turn").input_value() == "15"


def test_a_link_opens_on_the_canvas_that_it_was_made_on(visit_canvas):
    """Not the canvas that the figure begins with; with what was grafted there, at that step."""
    page = visit_canvas()
    page.get_by_label("Canvas").select_option("48 × 16 cells")
    until(lambda: page.locator("canvas").first.get_attribute("width") == "48")
    page.get_by_role("button", name="Step").click(click_count=3, delay=20)
    until(lambda: steps(page) == 3)
    page.locator("canvas").first.click(position={"x": 30, "y": 30})
    page.get_by_role("button", name="Step").click(click_count=4, delay=20)
    until(lambda: steps(page) == 7)
    ask = "document.querySelector('figure').ncaPlayer.ask({ kind: 'getState' })"
    flat = f"{ask}.then(({{ state }}) => Array.from(state))"
    wanted = page.evaluate(flat)
    other = visit_canvas(link=copied_link(page))
    assert steps(other) == 7
    assert other.get_by_label("Canvas").locator("option:checked").inner_text() == "48 × 16 cells"
    canvas = other.locator("canvas").first
    assert canvas.evaluate("(canvas) => [canvas.width, canvas.height]") == [48, 16]
    assert "48 by 16 cells" in canvas.get_attribute("aria-label")
    assert other.evaluate(flat) == wanted
    # The link that this reader passes on says the same, and the first canvas is still to be had.
    assert copied_link(other).split("#")[1] == copied_link(page).split("#")[1]
    other.get_by_label("Canvas").select_option("32 × 24 cells")
    until(lambda: canvas.get_attribute("width") == "32")
    assert steps(other) == 0


def test_the_page_computes_what_pytorch_computes(visit_page, side_by_side, three):
    """96 steps of three perceptions in the browser's own WebAssembly, relaxed SIMD included."""
    page = visit_page(side_by_side)
    ask = "document.querySelector('figure').ncaPlayer.ask"
    page.evaluate(f"{ask}({{ kind: 'advance', steps: 96, budget: 1e9 }})")
    for nca, found in zip(three.values(), states(page), strict=True):
        wanted = nca.rollout(
            centre_seed(nca.layout, HEIGHT, WIDTH),
            96,
            torch.eye(2)[[0]],
            fire=lambda t: hashed_fire(HEIGHT, WIDTH, t, 11, 0.5),
        )[0]
        assert 0.5 < float(wanted.abs().max()) < 100
        assert np.abs(wanted.permute(1, 2, 0).numpy() - found).max() <= 1e-4


def test_the_curve_tells_harm_and_recovery(visit_page, side_by_side):
    """Errors under each grid, and after harm the percentage of eq. 3; in words for the chart."""
    page = visit_page(side_by_side)
    ask = "document.querySelector('figure').ncaPlayer.ask"
    page.evaluate(f"{ask}({{ kind: 'advance', steps: 60, budget: 1e9 }})")
    page.get_by_title("Erase half").click()
    page.locator("canvas").first.click(position={"x": 5, "y": 60})
    marks = "document.querySelector('figure').ncaPlayer.chart.marks"
    until(lambda: page.evaluate(f"{marks}.length") == 1)
    page.evaluate(f"{ask}({{ kind: 'advance', steps: 5, budget: 1e9 }})")
    mark = page.evaluate(f"{marks}[0]")
    errors = page.evaluate("document.querySelector('figure').ncaPlayer.last.errors")
    said = page.evaluate("document.querySelector('figure').ncaPlayer.chart.recoveries()")
    for before, after, now, percent in zip(
        mark["before"], mark["after"], errors, said, strict=True
    ):
        if percent is not None:
            assert percent == pytest.approx(100 * (after - now) / (after - before))
    words = page.get_by_role("img", name="At step 65").get_attribute("aria-label")
    assert "conv 3×3: error" in words
    texts = page.locator(".nca-recovery").all_inner_texts()
    assert all(t.startswith("error 0.") for t in texts)


@pytest.mark.slow
def test_ten_minutes_leave_nothing_behind(visit):
    """18,000 steps, 1,800 strokes: the page's heap does not grow, and no element is added."""
    page = visit(reduced_motion="no-preference")
    session = page.context.new_cdp_session(page)

    def used():
        session.send("HeapProfiler.collectGarbage")
        elements = page.evaluate("document.querySelectorAll('*').length")
        return session.send("Runtime.getHeapUsage")["usedSize"], elements

    def run(count):
        page.evaluate(
            "(async () => { const player = document.querySelector('figure').ncaPlayer;"
            f"for (let i = 0; i < {count}; i++) {{"
            " await player.ask({ kind: 'advance', steps: 10, budget: 1e9 });"
            " await player.useBrush(i % 32, i % 24);"
            " await player.read(i % 32, i % 24, 0, true); } })()"
        )

    run(450)  # the curve holds its 4,000 points only after a while
    before = used()
    run(1350)
    after = used()
    assert after[1] == before[1]
    assert after[0] < before[0] + 1_000_000


def test_a_decoded_picture(visit_page, tmp_path):
    """More pixels than cells, the brush in cells, latents to look at; paused, it is the present."""
    nca, decoder, start = latent.latent_automaton()
    description, weights = latent.described(nca, decoder, start)
    address = write_page(
        tmp_path / "latent.html", "Latent", [description | {"more": True}], weights
    )
    page = visit_page(address)
    canvas = page.locator("canvas").first
    size = "(canvas) => [canvas.height, canvas.width]"
    assert canvas.evaluate(size) == [4 * latent.HEIGHT, 4 * latent.WIDTH]
    shown = page.get_by_label("Show").locator("option").all_inner_texts()
    assert shown[0] == "decoded picture"
    assert shown[-2:] == ["hidden channel 6", "hidden channel 7"]
    assert "latent channel 0" in shown
    assert "alpha: what lives" not in shown
    page.get_by_label("Size").fill("1")
    box = canvas.bounding_box()
    column, row = 7, 2
    page.mouse.click(
        box["x"] + (column + 0.5) / latent.WIDTH * box["width"],
        box["y"] + (row + 0.5) / latent.HEIGHT * box["height"],
    )
    ask = "document.querySelector('figure').ncaPlayer.ask({ kind: 'getState' })"
    flat = page.evaluate(f"{ask}.then(({{ state }}) => Array.from(state))")
    cells = np.array(flat, np.float32).reshape(latent.HEIGHT, latent.WIDTH, -1)
    erased = {tuple(place) for place in np.argwhere(np.abs(cells).sum(2) == 0).tolist()}
    assert erased == {(2, 7), (1, 7), (3, 7), (2, 6), (2, 8)}
    page.get_by_label("Show").select_option("latent channel 0")
    until(lambda: canvas.evaluate(size) == [latent.HEIGHT, latent.WIDTH])
    page.get_by_label("Show").select_option("decoded picture")
    page.get_by_role("button", name="Play").click()
    until(lambda: steps(page) > 10)
    page.get_by_role("button", name="Pause").click()
    until(lambda: "Paused" in status(page).inner_text())
    state = np.array(page.evaluate(f"{ask}.then(({{ state }}) => Array.from(state))"), np.float32)
    latents = torch.from_numpy(state).view(latent.HEIGHT, latent.WIDTH, -1).permute(2, 0, 1)[None]
    with torch.no_grad():
        wanted = decoder(latents[:, nca.layout.visible_slice])[0].clamp(0, 1)
    look = "(c) => [...c.getContext('2d').getImageData(0, 0, c.width, c.height).data]"
    pixels = torch.tensor(canvas.evaluate(look)).view(*wanted.shape[1:], 4)[..., :3]
    assert (pixels / 255 - wanted.permute(1, 2, 0)).abs().max() <= 0.5 / 255 + 1e-3


def test_a_reader_draws_and_the_cells_vote(visit_page, tmp_path):
    """A stroke by pointer and by keyboard, another input, bars that say what the colours say."""
    description, weights = voting.described(voting.classifier())
    address = write_page(tmp_path / "votes.html", "Votes", [description | {"more": True}], weights)
    page = visit_page(address)
    ask = "document.querySelector('figure').ncaPlayer.ask({ kind: 'getState' })"

    def ink():
        flat = page.evaluate(f"{ask}.then(({{ state }}) => Array.from(state))")
        return np.array(flat, np.float32).reshape(voting.HEIGHT, voting.WIDTH, -1)[..., 0]

    canvas = page.locator("canvas").first
    first, bars = ink(), page.locator(".nca-votes")
    # Cells see ink at once, and have no opinion yet: all class channels are alike.
    page.get_by_role("button", name="Step").click(click_count=20, delay=5)
    until(lambda: steps(page) == 20)
    words = bars.get_attribute("aria-label")
    assert words.startswith("Votes: ")
    assert sum(int(n) for n in words.split() if n.isdigit()) in range(98, 103)
    assert page.locator(".nca-vote[data-winner=true]").count() == 1
    assert page.get_by_label("Size").input_value() == "1"
    box = canvas.bounding_box()
    page.mouse.click(
        box["x"] + 12.5 / voting.WIDTH * box["width"],
        box["y"] + 9.5 / voting.HEIGHT * box["height"],
    )
    until(lambda: (ink() != first).sum() == 5)
    canvas.focus()
    page.keyboard.press("Shift+ArrowUp")
    page.keyboard.press("e")
    until(lambda: "Brush used" in status(page).inner_text())
    assert (ink() != first).sum() > 5
    page.keyboard.press("s")  # plants nothing here
    shown = page.get_by_label("Show").locator("option").all_inner_texts()
    assert shown[:2] == ["votes", "cells that disagree"]
    assert shown[-1] == "vote for c"
    assert page.get_by_role("radio", name="Plant a seed").count() == 0
    page.get_by_role("radio", name="two").focus()
    page.keyboard.press("Space")
    until(lambda: "Now reading two" in status(page).inner_text())
    assert np.allclose(ink(), voting.pictures()["two"][0].numpy())
    look_around(page)
