"""What comes from elsewhere is checked, what runs away stops, what is played with stays small."""

import numpy as np
import pytest
import torch

from ncabook.automaton import NCA, ChannelLayout, ConvPerception, MLPUpdate
from tests.live.test_engine import (
    CLASSES,
    HEIGHT,
    PERCEPTIONS,
    WIDTH,
    automaton,
    described,
    with_perception,
)
from tests.live.test_timeline import DISC, act, steps

pytestmark = pytest.mark.node
MOMENT = {"kind": "replay", "step": 40, "classIndex": 0, "degrees": 0, "events": []}
NOISE = {"kind": "disturb", "shape": "circle", "x": 13, "y": 9, "size": 4, "sigma": 0.3, "salt": 1}


@pytest.fixture(scope="module")
def model():
    return described(automaton())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"step": 10**9}, "step is 1000000000; expected a whole number from 0 to 10000000"),
        ({"step": 1.5}, "step is 1.5"),
        ({"classIndex": CLASSES}, "classIndex is 5; expected a whole number from 0 to 4"),
        ({"classIndex": None}, "classIndex is null"),
        ({"degrees": 15}, "degrees is 15"),
        ({"canvas": 1}, "canvas is 1"),
        ({"events": None}, "events is null; expected a list"),
        ({"events": "x" * 10**5}, r"events is \"x{79}…; expected a list"),
        ({"events": [DISC] * 20001}, "events is .*…; expected a list of at most 20000"),
        (
            {"events": [None]},
            r"events\[0\].kind is undefined; expected one of erase, disturb, plant, mutate",
        ),
        ({"events": [{"kind": "constructor"}]}, r"events\[0\].kind is \"constructor\""),
        ({"events": [{**DISC, "kind": "graft", "rule": 0}]}, r"events\[0\].kind is \"graft\""),
        (
            {"events": [DISC]},
            r"events\[0\].step is undefined; expected a whole number",
        ),
        ({"events": [{**DISC, "step": 41}]}, r"events\[0\].step is 41"),
        (
            {"events": [{**DISC, "step": 9}, {**DISC, "step": 8}]},
            r"events\[1\].step is 8; .* 9",
        ),
        (
            {"events": [{**NOISE, "step": 1, "sigma": 1e39}]},
            r".*sigma is 1e\+39; expected a",
        ),
        (
            {"events": [{**DISC, "step": 1, "shape": "star"}]},
            r".*shape is \"star\"; expected",
        ),
        ({"events": [{**DISC, "step": 1, "x": None}]}, r"events\[0\].x is null"),
        ({"events": [{**DISC, "step": 1, "size": -1}]}, r"events\[0\].size is -1"),
        ({"events": [{"kind": "plant", "step": 1, "x": 0.5, "y": 1}]}, r"events\[0\].x is 0.5"),
        ({"events": [{"kind": "mutate", "step": 1, "index": 7}]}, r"events\[0\].index is 7"),
    ],
    ids=lambda value: str(value)[:60],
)
def test_a_moment_is_checked_like_any_foreign_input(model, simulate, change, message):
    """In words, and before anything happens."""
    with pytest.raises(RuntimeError, match=f"^live figure: {message}"):
        simulate(*model, {**MOMENT, **change})


@pytest.mark.parametrize(
    ("sent", "message"),
    [
        ({"kind": "timeline"}, 'message is "timeline"; expected one of act, back'),
        ({"kind": "constructor"}, 'message is "constructor"'),
        ({"kind": "seek", "step": -1}, "step is -1; expected a whole number from 0 to 0"),
        ({"kind": "seek", "step": 10**9}, "step is 1000000000"),
        ({"kind": "act"}, "event.kind is undefined"),
        (act(kind="erase", shape="circle", x=1, y=1, size="4"), 'event.size is "4"'),
    ],
    ids=lambda value: str(value)[:60],
)
def test_messages_are_checked(model, simulate, sent, message):
    with pytest.raises(RuntimeError, match=f"^live figure: {message}"):
        simulate(*model, sent)


def runaway(kind):
    """An automaton whose numbers leave all bounds after some ten steps, whatever it sees."""
    nca = with_perception(kind, 8, 3, living_threshold=None)
    last = nca.update.layers[-1]
    last.bias.data += 120.0
    return nca


@pytest.mark.parametrize(
    ("kind", "wasm"), [*((kind, True) for kind in PERCEPTIONS), ("sobel", False)]
)
def test_what_runs_away_is_stopped(node, kind, wasm):
    """At the first such step, whatever it is; no step follows, and Back leads to a sound state."""
    back = {"kind": "back"}
    doings = [steps(200), steps(5), {"kind": "reset"}, steps(3), steps(200), back]
    answer = node(*described(runaway(kind)), messages=doings, wasm=wasm)
    step = answer["stops"][0][0]
    assert 4 < step < 40
    assert answer["stops"] == [
        *([step, True], [step, True], [0, False], [3, False], [step, True], [step - 1, False])
    ]
    assert answer["stopped"] is None
    assert answer["state"].abs().max() <= 1000
    beyond = node(*described(runaway(kind)), actions=[["steps", step]], wasm=wasm)["state"]
    assert not beyond.abs().max() <= 1000, "it was stopped too early"


def test_going_back_undoes_the_stroke_that_made_it_run_away(simulate):
    """All of the stroke, not its last dab; before it, the automaton is as it was."""
    model = described(automaton(std=0.001, living_threshold=None))
    dabs = [act(**{**NOISE, "sigma": 10, "salt": salt % 9}) for salt in range(900)]
    stroke = [m for part in range(0, 900, 90) for m in (*dabs[part : part + 90], steps(1))]
    before = (steps(20), act(**DISC), steps(20))
    there = simulate(*model, *before, *stroke, steps(50))
    assert there["stopped"] is not None
    assert 40 < there["step"] < 51
    back = simulate(*model, *before, *stroke, steps(50), {"kind": "back"})
    assert (back["stopped"], back["step"]) == (None, 40)
    assert torch.equal(back["state"], simulate(*model, *before)["state"])


def test_numbers_that_are_none_stop_it_too(simulate):
    """What a script set is found at the next step."""
    model = described(automaton(living_threshold=None))
    state = [0.0] * (HEIGHT * WIDTH * 16)
    state[5] = 1e30
    there = simulate(*model, {"kind": "setState", "state": state}, steps(50))
    assert (there["stopped"] is None, there["step"]) == (False, 1)


def erased(simulate, model, event):
    """Which cells an event erases, ``[H, W]``."""
    description = model[0]
    cells = description["height"] * description["width"]
    ones = {"kind": "setState", "state": [1.0] * (16 * cells)}
    return simulate(*model, ones, act(kind="erase", **event))["state"][0, 5] == 0


@pytest.mark.parametrize(("height", "width"), [(9, 9), (8, 10), (9, 10), (10, 9)])
def test_half_is_half_also_in_the_very_centre(simulate, height, width):
    centre = {"shape": "half", "x": (width - 1) / 2, "y": (height - 1) / 2, "size": 1}
    cells = erased(simulate, described(automaton(), height, width), centre)
    assert cells[:, -(width // 2) :].all()
    assert not cells[:, : width // 2].any()


@pytest.mark.parametrize("turns", [-2, -1, 1, 5])
def test_a_brush_outside_of_the_grid_is_on_the_torus(simulate, model, turns):
    square = {"shape": "square", "x": 3, "y": 4, "size": 2}
    far = {**square, "x": 3 + turns * WIDTH, "y": 4 - turns * HEIGHT}
    cells = erased(simulate, model, far)
    assert cells[2:7, 1:6].all()
    assert cells.sum() == 25


@pytest.mark.parametrize("refused", ["instantiate", "grow"])
def test_without_memory_for_webassembly_it_is_javascript(node, model, refused):
    answer = node(*model, actions=[["steps", 20]], wasm=refused)
    assert answer["backend"] == "JavaScript"
    wanted = node(*model, actions=[["steps", 20]])
    assert wanted["backend"] == "WebAssembly"
    assert (answer["state"] - wanted["state"]).abs().max() <= 1e-4


@pytest.mark.parametrize("number", [b"\xff\xff", b"\x00\x7c"], ids=["NaN", "infinite"])
@pytest.mark.parametrize("wasm", [True, False])
def test_weights_are_numbers(node, model, number, wasm):
    description, weights = model
    at = description["ops"][0]["weight"]
    broken = weights[:at] + number + weights[at + 2 :]
    with pytest.raises(RuntimeError, match="the weights from byte 0 on are not all numbers"):
        node(description, broken, actions=[], wasm=wasm)
    at = description["ops"][0]["bias"]
    broken = weights[:at] + np.float32("nan").tobytes() + weights[at + 4 :]
    with pytest.raises(RuntimeError, match="are not all numbers"):
        node(description, broken, actions=[], wasm=wasm)


def test_an_hour_of_strokes_leaves_nothing_behind(node):
    """What is remembered is bounded; a step can be taken back, drawings outlive a reset."""
    torch.manual_seed(0)
    nca = NCA(ChannelLayout(4, 2, fixed=1), ConvPerception(7, 4), MLPUpdate(4, 6, [4]))
    stroke = {"kind": "repeat", "count": 15000, "message": act(**{**DISC, "size": 1})}
    play = {"kind": "repeat", "count": 400, "message": steps(8)}
    pen = act(kind="draw", shape="circle", x=2, y=2, size=1, value=1)
    doings = [pen, stroke, play, stroke, play, {"kind": "back"}, steps(1), {"kind": "reset"}]
    answer = node(*described(nca, 6, 6), flags=["--expose-gc"], messages=doings)
    _, first, _, second = answer["heaps"]
    assert second < first + 500_000
    assert [step for step, _ in answer["stops"][-3:]] == [6399, 6400, 0]
    assert answer["recorded"] is None  # a link could not tell it all
    assert int(answer["state"][0, 0].sum()) == 5
