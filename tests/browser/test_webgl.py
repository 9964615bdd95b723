"""Steps by WebGL2 are those of PyTorch; the CPU does them where that is better, or all there is."""

import base64

import numpy as np
import pytest
import torch

from ncabook.automaton import (
    Patchwork,
    ResidualPerception,
    ResNetUpdate,
    SobelPerception,
    centre_seed,
)
from ncabook.live import describe
from ncabook.live.script import module_script
from ncabook.training.texture import gray_canvas
from tests.browser.conftest import SWIFTSHADER
from tests.browser.pages import visits, write_page
from tests.live import test_decoder as latent
from tests.live import test_points as points
from tests.live.test_canvas import weaver
from tests.live.test_engine import (
    HEIGHT,
    PERCEPTIONS,
    SEED,
    STEPS,
    WIDTH,
    automaton,
    described,
    expected,
    with_perception,
)
from tests.live.test_events import runaway

pytestmark = pytest.mark.browser
# Runs a job: {description, weights, force, actions}, each action a method of the engine with its
# arguments, ["steps", n], ["set", name, value], or ["lose"]: the device is gone.
JOB = """async (job) => {
  const decode = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  const engine = await createEngine(job.description, decode(job.weights), job.force);
  for (const [name, ...values] of job.actions ?? []) {
    if (name === "steps") for (let i = 0; i < values[0]; i++) engine.step();
    else if (name === "set") engine[values[0]] = values[1];
    else if (name === "restore") engine.restore(Float32Array.from(values[0]), values[1]);
    else if (name === "lose") engine.gpu.gl.getExtension("WEBGL_lose_context").loseContext();
    else engine[name](...values);
  }
  const [changes, fired] = [engine.changes, engine.fired].map((numbers) => [...numbers]);
  const state = [...engine.state];
  const complaint = engine.gpu?.gl.getError() ?? 0;
  const { backend, stepCount: step, error } = engine;
  if (engine.gpu) engine.detach();
  return { state, changes, fired, backend, step, error, complaint };
}"""
LOAD = """async (source) => {
  const blob = new Blob([source], { type: "text/javascript" });
  Object.assign(window, await import(URL.createObjectURL(blob)));
}"""
IN_WORKER = """async ([source, script, job]) => {
  source = source.replace(/^export .*$/gm, "");
  source += `onmessage = async ({ data }) => postMessage(await (${script})(data));`;
  const blob = new Blob([source], { type: "text/javascript" });
  const worker = new Worker(URL.createObjectURL(blob));
  const answer = await new Promise((resolve, reject) => {
    worker.onmessage = ({ data }) => resolve(data);
    worker.onerror = ({ message }) => reject(new Error(message));
    worker.postMessage(job);
  });
  worker.terminate();
  return answer;
}"""
SOURCE = module_script()
DISC = {"shape": "circle", "x": 25, "y": 9, "size": 4}


@pytest.fixture(scope="module")
def browser(launch):
    browser = launch(*SWIFTSHADER)
    yield browser
    browser.close()


@pytest.fixture
def page(browser):
    """A page with the engine in it, that nothing may go wrong in."""
    page = browser.new_page()
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.evaluate(LOAD, SOURCE)
    yield page
    page.close()
    assert errors == []


def job(model, actions=(), force="webgl"):
    description, weights = model
    return {
        "description": description,
        "weights": base64.b64encode(weights).decode(),
        "actions": list(actions),
        "force": force,
    }


@pytest.fixture
def run(page):
    """The answer to a job, its state as a tensor ``[1, C, H, W]``."""

    def run(model, actions=(), force="webgl"):
        answer = page.evaluate(JOB, job(model, actions, force))
        assert answer["complaint"] == 0
        answer["state"] = as_tensor(answer["state"], model[0])
        return answer

    return run


def as_tensor(flat, description):
    shape = (description["height"], description["width"], description["channels"])
    return torch.tensor(flat).reshape(shape).permute(2, 0, 1)[None]


# Everything that the engine knows; "fixed": channels that a step never writes.
AUTOMATA = {
    "a class bias, 3×3": automaton,
    "nothing is a multiple of four": lambda: automaton(hidden=5, features=30, widths=(7, 9)),
    "every cell fires": lambda: automaton(fire_rate=1.0, std=0.02),
    "no living mask": lambda: automaton(living_threshold=None, std=0.02),
    "two convolutions, no living mask": lambda: with_perception(
        "two convolutions", 5, 3, living_threshold=None
    ),
    "Sobel, no living mask": lambda: with_perception("sobel", 5, 3, living_threshold=None),
    "fixed, ResNet": lambda: with_perception(
        "sobel", 6, 2, fixed=1, update=lambda i, o: ResNetUpdate(i, o, 18, 2)
    ),
    **{
        kind: lambda kind=kind: with_perception(kind, 12, 4)
        for kind in PERCEPTIONS
        # What is left out takes long under SwiftShader, and has nothing that the others lack.
        if kind not in ("deformable 5×5", "one of each", "residual", "local attention")
    },
}


@pytest.mark.parametrize("kind", AUTOMATA)
def test_trajectory_is_that_of_pytorch(run, kind):
    nca = AUTOMATA[kind]()
    chosen = nca.perception.condition_channels // 2
    answer = run(described(nca), [["setClass", chosen], ["steps", STEPS]])
    wanted = expected(nca, centre_seed(nca.layout, HEIGHT, WIDTH), chosen)
    assert answer["backend"] == "WebGL2"
    assert 0.5 < wanted.abs().max() < 100
    assert (answer["state"] - wanted).abs().max() <= 1e-4


def test_a_device_with_little_room_draws_more_often(run, page):
    model = described(automaton())
    wanted = run(model, [["steps", 20]])["state"]
    page.evaluate(ROOM, 5000)  # two layers of the convolution at a time
    assert torch.equal(run(model, [["steps", 20]])["state"], wanted)


def test_in_a_worker(run, page):
    model = described(automaton())
    there = page.evaluate(IN_WORKER, [SOURCE, JOB, job(model, [["steps", 20]])])
    assert there["backend"] == "WebGL2"
    assert torch.equal(as_tensor(there["state"], model[0]), run(model, [["steps", 20]])["state"])


# Without planes of the class; with them, and with an input that outlives its cells.
@pytest.mark.parametrize(("kind", "fixed"), [("two convolutions", 0), ("sobel", 1)])
def test_whatever_is_done_both_do_alike(run, kind, fixed):
    targets = torch.rand(4, 4, HEIGHT, WIDTH, generator=torch.Generator().manual_seed(0))
    model = described(with_perception(kind, 7, 4, fixed=fixed), targets=targets)
    random = np.random.default_rng(0).random(HEIGHT * WIDTH * (11 + fixed)).round(3).tolist()
    doings = [
        [["steps", 13], ["erase", DISC], ["steps", 5], ["setClass", 3], ["steps", 8]],
        [
            *(["set", "fireRate", 0.2], ["steps", 3], ["plant", 3, 3]),
            *(["disturb", {**DISC, "sigma": 0.3, "salt": 1}], ["draw", {**DISC, "value": 0.5}]),
            ["steps", 6],
        ],
        [["restore", random, 40], ["steps", 1]],
        [["steps", 2], ["reset"], ["steps", 9]],
    ]
    for count in range(1, len(doings) + 1):
        actions = [action for some in doings[:count] for action in some]
        gpu, cpu = (run(model, actions, force) for force in ("webgl", "wasm"))
        assert (gpu["backend"], cpu["backend"]) == ("WebGL2", "WebAssembly")
        assert gpu["step"] == cpu["step"]
        assert (gpu["state"] - cpu["state"]).abs().max() <= 1e-4
        assert gpu["fired"] == cpu["fired"]
        assert gpu["error"] == pytest.approx(cpu["error"], rel=1e-4)
        np.testing.assert_allclose(gpu["changes"], cpu["changes"], atol=1e-4)


def test_grafted_rules(run):
    """Each rule draws in its own cells; a graft in between reaches the device."""
    both = Patchwork([weaver(), weaver(3, ResidualPerception), weaver(4)])
    start = gray_canvas(both.automata[0], HEIGHT, WIDTH)
    model = describe(both, HEIGHT, WIDTH, seed=SEED, start=start, rules=["a", "b", "c"])
    half = {"rule": 1, "shape": "half", "x": WIDTH - 1, "y": 3, "size": 1}
    disc = {"rule": 2, "shape": "circle", "x": 4, "y": 4, "size": 2}
    actions = [["steps", 5], ["graft", half], ["steps", 6], ["graft", disc], ["steps", 9]]
    gpu, cpu = (run(model, actions, force) for force in ("webgl", "wasm"))
    assert (gpu["backend"], cpu["backend"]) == ("WebGL2", "WebAssembly")
    assert (gpu["state"] - cpu["state"]).abs().max() <= 1e-4
    assert gpu["fired"] == cpu["fired"]
    np.testing.assert_allclose(gpu["changes"], cpu["changes"], atol=1e-4)


@pytest.mark.parametrize("kind", ["conv", "sobel"])
def test_a_turned_field(run, kind):
    """New kernels reach the device, and what was ahead there was seen with the old ones."""
    sobel = {"kind": lambda c, f: SobelPerception(c), "features": 24}
    nca = weaver(**sobel) if kind == "sobel" else weaver()
    start = gray_canvas(nca, HEIGHT, WIDTH)
    model = describe(nca, HEIGHT, WIDTH, seed=SEED, start=start, turning=True)
    model[0]["turns"] = 15  # from the beginning, as on another canvas
    actions = [["steps", 5], ["turn", 75], ["steps", 6], ["turn", 45], ["steps", 9]]
    gpu, cpu = (run(model, actions, force) for force in ("webgl", "wasm"))
    assert (gpu["backend"], cpu["backend"]) == ("WebGL2", "WebAssembly")
    assert (gpu["state"] - cpu["state"]).abs().max() <= 1e-4
    lost = run(model, [*actions[:3], ["lose"], *actions[3:]])
    assert lost["backend"] == "WebAssembly"
    assert (lost["state"] - cpu["state"]).abs().max() <= 1e-4
    assert (run(model, [["steps", 20]])["state"] - cpu["state"]).abs().max() > 0.01


def test_a_seeds_ring(run):
    """Round the torus, and also where the device is gone before the state came back."""
    model = described(automaton(), ring=True)
    actions = [["steps", 3], ["plant", 0, HEIGHT - 1], ["steps", 4]]
    gpu, cpu = (run(model, actions, force) for force in ("webgl", "wasm"))
    lost = run(model, [*actions[:2], ["steps", 2], ["lose"], ["steps", 2], ["draw", DISC]])
    assert (gpu["backend"], cpu["backend"], lost["backend"]) == ("WebGL2", *2 * ["WebAssembly"])
    for answer in (gpu, lost):
        assert (answer["state"] - cpu["state"]).abs().max() <= 1e-4
        assert answer["fired"] == cpu["fired"]
    coins = run(described(automaton()), actions)
    assert (gpu["state"] - coins["state"]).abs().max() > 0.01


def test_going_back_is_exact(page):
    """A state that left the device and came back is the same state."""
    model = job(described(automaton()))
    states = page.evaluate(
        """async ({ description, weights, force }) => {
          const bytes = Uint8Array.from(atob(weights), (c) => c.charCodeAt(0));
          const simulation = await Simulation.create([description], bytes, force);
          const look = () => simulation.handle({ kind: "getState" });
          const states = [];
          simulation.handle({ kind: "advance", steps: 20, budget: 1e9 });
          states.push([...look().state]);
          simulation.handle({ kind: "advance", steps: 15, budget: 1e9 });
          simulation.handle({ kind: "act", event: { kind: "mutate", index: 1 } });
          const { backends, frames } = simulation.handle({ kind: "seek", step: 20 });
          states.push([...look().state]);
          return { states, backends, white: frames[0].data.every((byte) => byte === 255) };
        }""",
        model,
    )
    assert states["states"][0] == states["states"][1]
    assert states["backends"] == ["WebGL2"]
    assert not states["white"]


@pytest.mark.parametrize("when", [0, 11, 16])
def test_a_lost_device_is_no_loss(run, when):
    """The CPU goes on from the last state that it saw; nobody but the clock can tell."""
    model = described(automaton())
    before = [["steps", 10], ["erase", DISC], ["steps", when], ["setClass", 2], ["steps", when]]
    lost = run(model, [*before, ["lose"], ["steps", 3], ["plant", 2, 2], ["steps", 20]])
    kept = run(model, [*before, ["steps", 3], ["plant", 2, 2], ["steps", 20]], "wasm")
    assert lost["backend"] == "WebAssembly"
    assert lost["step"] == kept["step"] == 33 + 2 * when
    assert (lost["state"] - kept["state"]).abs().max() <= 1e-4
    assert lost["fired"] == kept["fired"]


# What a simulation of an automaton reports, at each of some messages; {kind: "lose"} is none.
PLAY = """async ({ description, weights, force, actions }) => {
  const bytes = Uint8Array.from(atob(weights), (c) => c.charCodeAt(0));
  const simulation = await Simulation.create([description], bytes, force);
  const [{ gpu }] = simulation.engines;
  return actions.map((message) => {
    if (message.kind === "lose") gpu?.gl.getExtension("WEBGL_lose_context").loseContext();
    const { step, stopped, backends, frames } =
      simulation.handle(message.kind === "lose" ? { kind: "look" } : message);
    const white = frames[0].data.every((byte) => byte === 255);
    return { step, stopped, backends, white, large: simulation.engines[0].runsAway };
  });
}"""


@pytest.mark.parametrize("kind", ["sobel", "deformable"])
def test_what_runs_away_is_stopped_there_too(page, kind):
    """At the same step as on the CPU, and also where its very first number is none."""
    advance = {"kind": "advance", "steps": 16, "budget": 1e9}
    messages = [advance, {"kind": "back"}]
    model = described(runaway(kind))
    gpu, cpu = (page.evaluate(PLAY, job(model, messages, force)) for force in ("webgl", "wasm"))
    assert [answer.pop("backends") for answer in gpu] == [["WebGL2"]] * 2
    assert [answer.pop("backends") for answer in cpu] == [["WebAssembly"]] * 2
    assert gpu == cpu
    assert [(a["stopped"] is None, a["large"]) for a in gpu] == [(False, True), (True, False)]
    cells = HEIGHT * WIDTH * model[0]["channels"]
    begin = {"kind": "setState", "state": [1e38, *[1.0] * (cells - 1)]}
    (_, there) = page.evaluate(PLAY, job(model, [begin, advance]))
    assert (there["stopped"] is None, there["step"]) == (False, 1)
    assert there["backends"] == ["WebGL2"]


def test_a_device_that_is_lost_while_it_plays(page):
    """The picture stays, the steps go on, and Back leads to before."""
    advance = {"kind": "advance", "steps": 10, "budget": 1e9}
    messages = [advance, {"kind": "lose"}, advance, {"kind": "back"}]
    answers = page.evaluate(PLAY, job(described(automaton()), messages))
    assert [answer["step"] for answer in answers] == [10, 10, 20, 19]
    assert answers[-1]["backends"] == ["WebAssembly"]
    assert not any(answer["white"] for answer in answers)


# The picture after some steps; `lose`: the device goes before it is decoded.
DECODE = """async ({ description, weights, force, lose }) => {
  const bytes = Uint8Array.from(atob(weights), (c) => c.charCodeAt(0));
  const engine = await createEngine(description, bytes, force);
  for (let i = 0; i < 24; i++) engine.step();
  const complaint = engine.gpu?.gl.getError() ?? 0;
  if (lose) engine.gpu.gl.getExtension("WEBGL_lose_context").loseContext();
  const { numbers, stride, height, width } = engine.decode();
  const { backend } = engine;
  if (engine.gpu) engine.detach();
  return { numbers: [...numbers], shape: [height, width, stride], backend, complaint };
}"""


@pytest.mark.parametrize("lose", [False, True], ids=["kept", "lost"])
@pytest.mark.parametrize("variant", latent.VARIANTS, ids=str)
def test_the_decoded_picture_is_that_of_pytorch(page, variant, lose):
    nca, decoder, start = latent.latent_automaton(**variant)
    model = latent.described(nca, decoder, start)
    answer = page.evaluate(DECODE, {**job(model), "lose": lose})
    picture = torch.tensor(answer["numbers"]).reshape(answer["shape"])
    wanted = latent.wanted_picture(nca, decoder, start).permute(1, 2, 0)
    assert (picture[..., : wanted.shape[2]] - wanted).abs().max() <= 1e-4
    assert answer["backend"] == ("WebAssembly" if lose else "WebGL2")
    assert answer["complaint"] == 0


# Pictures of a local decoder after some steps, one for each window: [times, x, y] of the slider, or
# {top, left, height, width, rows, columns}; `lose`: the device goes before the last of them.
POINTS = """async ({ description, weights, force, steps, windows, lose }) => {
  const bytes = Uint8Array.from(atob(weights), (c) => c.charCodeAt(0));
  const engine = await createEngine(description, bytes, force);
  for (let i = 0; i < steps; i++) engine.step();
  let complaint = 0;
  const pictures = windows.map((seen, i) => {
    if (seen.rows) engine.aim(seen);
    else engine.local.zoom(engine, ...seen);
    const last = i === windows.length - 1;
    if (lose && last) engine.gpu.gl.getExtension("WEBGL_lose_context").loseContext();
    const { numbers, stride, height, width, window } = engine.decode();
    if (engine.gpu) complaint ||= engine.gpu.gl.getError();
    const raw = new Uint8Array(numbers.buffer, numbers.byteOffset, 4 * numbers.length);
    let text = "";
    for (let at = 0; at < raw.length; at += 4096) {
      text += String.fromCharCode(...raw.subarray(at, at + 4096));
    }
    return { numbers: btoa(text), shape: [height, width, stride], window };
  });
  const { backend } = engine;
  if (engine.gpu) engine.detach();
  return { pictures, backend, complaint };
}"""
WHOLE = [1, 0, 0]


@pytest.fixture
def draw(page):
    """The backend, and windows of a local decoder's picture with what PyTorch has there."""

    def draw(model, start, windows, lose=False):
        given = job(points.described(model, start, seed=SEED))
        doing = {"steps": latent.STEPS, "windows": windows, "lose": lose}
        answer = page.evaluate(POINTS, {**given, **doing})
        assert answer["complaint"] == 0
        state = expected(model.nca, start, 0, latent.STEPS)
        assert (state - start).abs().max() > 0.1
        pairs = []
        for picture in answer["pictures"]:
            wanted = points.seen(model, state, picture["window"])
            flat = np.frombuffer(base64.b64decode(picture["numbers"]), np.float32)
            pixels = torch.from_numpy(flat.reshape(picture["shape"])[..., : len(wanted)].copy())
            pairs.append((pixels.permute(2, 0, 1), wanted))
        return answer["backend"], pairs

    return draw


@pytest.mark.parametrize("variant", points.VARIANTS, ids=str)
def test_a_picture_of_any_resolution_is_that_of_pytorch(draw, variant):
    """All of it, by a model that has learnt nothing."""
    backend, [(picture, wanted)] = draw(*points.fine_model(**variant), [WHOLE])
    assert backend == "WebGL2"
    assert wanted.shape[1:] == (points.FACTOR * points.HEIGHT, points.FACTOR * points.WIDTH)
    assert wanted.std() > 0.05
    assert picture.shape == wanted.shape
    assert (picture - wanted).abs().max() <= 1e-4


@pytest.mark.parametrize("lose", [False, True], ids=["kept", "lost"])
def test_windows_over_the_edge_of_the_torus(draw, lose):
    """One after another, of as many pixels as each asks for; without a device, by the CPU."""
    corners = [[4, points.WIDTH - 1, points.HEIGHT - 1], [2, 0, 0]]
    windows = [WHOLE, *corners, *points.WINDOWS, WHOLE, corners[0]]
    backend, pairs = draw(*points.fine_model(), windows, lose=lose)
    assert backend == ("WebAssembly" if lose else "WebGL2")
    assert len(pairs) == len(windows)
    for picture, wanted in pairs:
        assert picture.shape == wanted.shape
        assert (picture - wanted).abs().max() <= 1e-4
    assert torch.equal(pairs[0][0], pairs[-2][0])
    assert (pairs[1][0] - pairs[0][0]).abs().max() > 0.1


@pytest.mark.parametrize("hidden", [20, 36])  # two drawings, and five
def test_a_decoder_for_which_there_is_little_room(draw, page, hidden):
    """Its second layer is summed up in several drawings."""
    page.evaluate(ROOM, 64 * 18)  # what the step's own convolution needs
    backend, pairs = draw(*points.fine_model(hidden=hidden), points.WINDOWS)
    assert backend == "WebGL2"
    for picture, wanted in pairs:
        assert (picture - wanted).abs().max() <= 1e-4


# What the figure shows after some messages; {kind: "lose"} is none.
FRAMES = """async ({ description, weights, force, actions }) => {
  const bytes = Uint8Array.from(atob(weights), (c) => c.charCodeAt(0));
  const simulation = await Simulation.create([description], bytes, force);
  const [{ gpu }] = simulation.engines;
  return actions.map((message) => {
    if (message.kind === "lose") gpu?.gl.getExtension("WEBGL_lose_context").loseContext();
    const { backends, frames: [{ data: all, height, width, window }] } =
      simulation.handle(message.kind === "lose" ? { kind: "look" } : message);
    const data = [...all.filter((_, i) => i % 61 === 0)];
    return { backends, size: [height, width], window, data };
  });
}"""


def test_the_figure_of_a_window(page):
    """The slider goes nearer, a stroke is seen there, and a lost device changes no pixel."""
    model = points.described(*points.fine_model(), seed=SEED)
    near = {"kind": "zoom", "times": 4, "x": points.WIDTH - 1, "y": 0}
    stroke = {"kind": "erase", "shape": "circle", "x": 0, "y": 0, "size": 1}
    advance = {"kind": "advance", "steps": 5, "budget": 0}
    messages = [near, {"kind": "act", "event": stroke}, *5 * [advance], {"kind": "lose"}, advance]
    gpu, cpu = (page.evaluate(FRAMES, job(model, messages, force)) for force in ("webgl", "wasm"))
    assert gpu[0]["backends"] == ["WebGL2"]
    assert gpu[-1]["backends"] == cpu[0]["backends"] == ["WebAssembly"]
    assert gpu[0]["window"]["left"] + gpu[0]["window"]["width"] > points.WIDTH
    for there, here in zip(gpu, cpu, strict=True):
        assert (there["size"], there["window"]) == (here["size"], here["window"])
        np.testing.assert_allclose(there["data"], here["data"], atol=1)
    assert gpu[0]["data"] != gpu[1]["data"] != gpu[2]["data"]


CHOOSE = """async ({ description, weights }) => {
  const bytes = Uint8Array.from(atob(weights), (c) => c.charCodeAt(0));
  const { backend, stepCount, state } = await createEngine(description, bytes);
  return { backend, step: stepCount, sum: state.reduce((sum, value) => sum + value, 0) };
}"""
# What a driver calls itself, in place of SwiftShader.
CALL_IT = """(name) => {
  const { getParameter } = WebGL2RenderingContext.prototype;
  WebGL2RenderingContext.prototype.getParameter = function (what) {
    return [0x9246, 0x1f01].includes(what) ? name : getParameter.call(this, what);
  };
}"""
# Bytes of weights that a drawing may use.
ROOM = """(bytes) => {
  const { getParameter } = WebGL2RenderingContext.prototype;
  WebGL2RenderingContext.prototype.getParameter = function (what) {
    return what === this.MAX_UNIFORM_BLOCK_SIZE ? bytes : getParameter.call(this, what);
  };
}"""
# A backend that takes its time: by the clock only, so that no other work can be slower.
SLOW = """(backend) => {
  const { step } = GpuEngine.prototype, now = performance.now.bind(performance);
  let lost = 0;
  performance.now = () => now() + lost;
  GpuEngine.prototype.step = function () {
    step.call(this);
    if (this.backend === backend) lost += 1e6;
  };
}"""
DEVICE = "ANGLE (NVIDIA, NVIDIA GeForce RTX 3060 Direct3D11 vs_5_0 ps_5_0, D3D11)"


@pytest.fixture
def choose(page):
    """The engine that a grid gets, in words, its step, and the sum of its state."""

    def choose(height=128, width=128):
        return page.evaluate(CHOOSE, job(small_automaton(height, width)))

    return choose


def small_automaton(height, width):
    return described(automaton(hidden=0, features=4, widths=(4,)), height, width)


def test_no_renderer_on_the_cpu(choose, page):
    """Not SwiftShader, which runs here, and not the others, even where the CPU alone is slower."""
    page.evaluate(SLOW, "WebAssembly")
    assert choose()["backend"] == "WebAssembly"
    for name in [
        "llvmpipe (LLVM 15.0.7, 256 bits)",
        "softpipe",
        "ANGLE (Microsoft, Microsoft Basic Render Driver Direct3D11 vs_5_0 ps_5_0, D3D11)",
        "Apple Software Renderer",
        "WebKit WebGL",  # no name at all
        "Mozilla",
        "",
    ]:
        page.evaluate(CALL_IT, name)
        assert choose()["backend"] == "WebAssembly", name


@pytest.mark.parametrize("slow", ["WebGL2", "WebAssembly"])
def test_the_faster_of_both(choose, page, slow):
    page.evaluate(CALL_IT, DEVICE)
    page.evaluate(SLOW, slow)
    answer = choose()
    assert answer["backend"] == ("WebAssembly" if slow == "WebGL2" else "WebGL2")
    assert answer["step"] == 0
    assert answer["sum"] == 4  # the seed: nothing is left of what was timed


def test_a_device_that_computes_something_else_is_not_trusted(choose, page):
    page.evaluate(CALL_IT, DEVICE)
    page.evaluate(SLOW, "WebAssembly")
    # All coins stay as they first fell.
    page.evaluate("() => { WebGL2RenderingContext.prototype.uniform3uiv = () => {}; }")
    assert choose()["backend"] == "WebAssembly"


def test_a_small_grid_with_a_large_picture(page):
    """What counts is what there is to compute: 16 × 16 latents, 128 × 128 pixels."""
    page.evaluate(CALL_IT, DEVICE)
    page.evaluate(SLOW, "WebAssembly")
    nca, decoder, _ = latent.latent_automaton(stages=3)
    model = described(nca, 16, 16, decoder=decoder)
    assert page.evaluate(CHOOSE, job(model))["backend"] == "WebGL2"
    model = described(nca, 15, 16, decoder=decoder)
    assert page.evaluate(CHOOSE, job(model))["backend"] == "WebAssembly"


# A pixel of a decoded picture that is not what it should be.
WRONG = """() => {
  const { readPixels } = WebGL2RenderingContext.prototype;
  WebGL2RenderingContext.prototype.readPixels = function (...all) {
    readPixels.apply(this, all);
    if (all[2] === 510) all[6][1000] += 0.01;
  };
}"""


@pytest.mark.parametrize("what", ["better", "slow", "wrong", "narrow"])
def test_a_local_decoder_on_a_device(page, what):
    """Pixels of the whole picture count; and it is kept if it draws the same, and sooner."""
    page.evaluate(CALL_IT, DEVICE)
    page.evaluate(SLOW, "WebGL2" if what == "slow" else "WebAssembly")
    if what == "wrong":
        page.evaluate(WRONG)
    model, _ = points.fine_model()
    size = (4, 17 if what == "narrow" else 6)  # 120 rows of pixels, or 340
    given = job(describe(model.nca, *size, decoder=model.decoder))
    answer = page.evaluate(CHOOSE, given)
    assert answer["backend"] == ("WebGL2" if what == "better" else "WebAssembly")
    assert answer["step"] == 0
    assert answer["sum"] == 7  # the seed


def test_the_cpu_where_a_device_does_not_pay_or_cannot(choose, page):
    page.evaluate(CALL_IT, DEVICE)
    page.evaluate(SLOW, "WebAssembly")
    assert choose(127, 400)["backend"] == "WebAssembly"
    page.evaluate(ROOM, 64)  # for one matrix of weights
    assert choose()["backend"] == "WebAssembly"
    page.evaluate("() => { OffscreenCanvas.prototype.getContext = () => null; }")
    assert choose()["backend"] == "WebAssembly"
    page.evaluate("() => { delete window.OffscreenCanvas; }")
    assert choose()["backend"] == "WebAssembly"


@pytest.mark.parametrize("which", ["browser", "chromium"], ids=["SwiftShader", "none"])
def test_the_figure_says_what_computes(request, tmp_path, which):
    """In a worker, from a file; and the browser complains of nothing."""
    description, weights = small_automaton(128, 128)
    figures = [description | {"more": True}]
    address = write_page(tmp_path / "large.html", "Large", figures, weights)
    with visits(request.getfixturevalue(which)) as visit:
        page = visit(address)
        page.get_by_role("button", name="Step").click()
        page.get_by_text("0 steps/s").wait_for()
        assert page.get_by_text("0 steps/s").get_attribute("title") == "by WebAssembly"


def test_a_broken_description_is_told_all_the_same(page):
    description, weights = small_automaton(128, 128)
    with pytest.raises(Exception, match="this engine reads version 3"):
        page.evaluate(CHOOSE, job(({**description, "version": 9}, weights)))
