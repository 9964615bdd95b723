"""What a reader does in a figure: it can be taken back, repeated, and told to another page."""

import numpy as np
import pytest
import torch

from ncabook.automaton import centre_seed
from tests.live.test_engine import (
    CLASSES,
    HEIGHT,
    WIDTH,
    automaton,
    described,
    expected,
    with_perception,
)

pytestmark = pytest.mark.node
DISC = {"kind": "erase", "shape": "circle", "x": 13, "y": 9, "size": 3}


@pytest.fixture(scope="module")
def model():
    return described(automaton())


def steps(count):
    return {"kind": "advance", "steps": count, "budget": 10**9}


def act(**event):
    return {"kind": "act", "event": event}


def test_a_step_back_is_the_step_before(model, simulate):
    """Also across a snapshot, and when many steps are taken back one by one."""
    for forward, back in ((20, 1), (16, 1), (17, 2), (40, 39), (5, 9)):
        there = simulate(*model, steps(forward), *[{"kind": "back"}] * back)
        direct = simulate(*model, *([steps(forward - back)] if forward > back else []))
        assert there["step"] == max(0, forward - back)
        assert torch.equal(there["state"], direct["state"])
    assert direct["canGoBack"] is False


def test_the_last_damage_is_taken_back_first(model, simulate):
    whole = simulate(*model, steps(30))
    erased = simulate(*model, steps(30), act(**DISC))
    assert not torch.equal(whole["state"], erased["state"])
    undone = simulate(*model, steps(30), act(**DISC), {"kind": "back"})
    assert undone["step"] == 30
    assert torch.equal(undone["state"], whole["state"])
    # It is gone for good: going on is as if nothing had been done.
    later = simulate(*model, steps(30), act(**DISC), {"kind": "back"}, steps(20))
    assert torch.equal(later["state"], simulate(*model, steps(50))["state"])


def test_what_was_done_happens_again_after_going_back(model, simulate):
    doings = [steps(20), act(**DISC), act(kind="mutate", index=3), steps(15)]
    doings += [act(kind="plant", x=2, y=2), steps(5)]
    first = simulate(*model, *doings)
    again = simulate(*model, *doings, {"kind": "seek", "step": 7}, steps(33))
    assert again["step"] == first["step"] == 40
    assert again["classIndex"] == first["classIndex"] == 3
    assert torch.equal(again["state"], first["state"])


def test_something_new_replaces_what_came_later(model, simulate):
    changed = simulate(
        *model, steps(20), act(**DISC), steps(20), {"kind": "seek", "step": 10}, act(**DISC)
    )
    assert [e["step"] for e in changed["recorded"]["events"]] == [10]
    after = simulate(*model, steps(10), act(**DISC), steps(30))
    more = simulate(
        *model,
        *(steps(20), act(**DISC), steps(20), {"kind": "seek", "step": 10}, act(**DISC)),
        steps(30),
    )
    assert torch.equal(more["state"], after["state"])


def test_another_page_sees_the_same(model, simulate):
    """What a link carries: the class at the beginning and the events, through JSON."""
    told = simulate(
        *model,
        act(kind="mutate", index=2),
        {"kind": "reset"},
        steps(12),
        act(**DISC, share=0.4, salt=5),
        act(kind="disturb", shape="square", x=13, y=9, size=4, sigma=0.2, salt=6),
        act(kind="mutate", index=1),
        steps(30),
    )
    assert told["recorded"]["classIndex"] == 2
    seen = simulate(*model, {"kind": "replay", **told["recorded"]}, steps(42))
    assert seen["classIndex"] == 1
    assert torch.equal(seen["state"], told["state"])


RESET, RECALL, BACK = ({"kind": kind} for kind in ("reset", "recall", "back"))


def test_a_reset_is_taken_back(model, simulate):
    """By itself, or by going back beyond the start; the story before it is there again."""
    story = [steps(20), act(**DISC), act(kind="mutate", index=3), steps(25)]
    before = simulate(*model, *story)
    # What a step back at the start finds, also after some steps, and after a second reset.
    for way in (
        [RESET, RECALL],
        [RESET, BACK],
        [RESET, steps(2), BACK, BACK, BACK],
        [RESET, steps(5), RECALL],
        [RESET, RESET, RECALL],
    ):
        after = simulate(*model, *story, *way)
        assert (after["step"], after["classIndex"]) == (45, 3)
        assert torch.equal(after["state"], before["state"])
        assert after["recorded"] == before["recorded"]
        assert after["canRecall"] is False
    onward = simulate(*model, *story, RESET, RECALL, steps(7))
    assert torch.equal(onward["state"], simulate(*model, *story, steps(7))["state"])
    further = simulate(*model, *story, RESET, RECALL, *[BACK] * 26)
    assert torch.equal(further["state"], simulate(*model, *story[:2])["state"])


def test_what_is_done_after_a_reset_is_not_taken_back_with_it(model, simulate):
    """Going back takes it back first, and then the reset."""
    fresh = simulate(*model, steps(9), RESET)
    assert fresh["canRecall"]
    assert fresh["canGoBack"]
    done = simulate(*model, steps(9), RESET, act(**DISC))
    assert not done["canRecall"]
    same = simulate(*model, steps(9), RESET, act(**DISC), RECALL)
    assert torch.equal(same["state"], done["state"])
    undone = simulate(*model, steps(9), RESET, act(**DISC), BACK, BACK)
    assert torch.equal(undone["state"], simulate(*model, steps(9))["state"])
    assert not simulate(*model, RESET)["canRecall"], "nothing was lost"


def test_memory_for_going_back_is_bounded(simulate):
    """Many steps keep about as many snapshots as some, only further apart."""
    model = described(automaton(std=0.001))  # does not run away
    long = simulate(*model, steps(6000), {"kind": "back"})
    kept = long["snapshots"] * HEIGHT * WIDTH * 16 * 4
    assert kept <= 16 * 2**20
    assert long["snapshots"] > 100
    assert torch.equal(long["state"], simulate(*model, steps(5999))["state"])


@pytest.mark.parametrize(
    ("shape", "inside"),
    [
        ("circle", lambda dx, dy, x, y: dx**2 + dy**2 <= 16),
        ("square", lambda dx, dy, x, y: np.maximum(dx, dy) <= 4),
        ("half", lambda dx, dy, x, y: x >= WIDTH / 2),
    ],
)
def test_shapes(model, simulate, shape, inside):
    """On the torus; a half is the one that the point lies in."""
    full = {"kind": "setState", "state": [1.0] * (HEIGHT * WIDTH * 16)}
    event = {"kind": "erase", "shape": shape, "x": 24, "y": 3, "size": 4}
    erased = simulate(*model, full, act(**event))["state"][0]
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    dx, dy = (np.minimum(abs(d), n - abs(d)) for d, n in ((x - 24, WIDTH), (y - 3, HEIGHT)))
    wanted = torch.from_numpy(~inside(dx, dy, x, y)).float().expand(16, -1, -1)
    assert torch.equal(erased, wanted)
    some = simulate(*model, full, act(**event, share=0.3, salt=1))["state"][0]
    lost = float((some != 1).sum() / (wanted == 0).sum())
    assert 0.1 < lost < 0.5
    assert (some[wanted == 1] == 1).all()


def test_noise_reaches_living_cells_only(model, simulate):
    state = np.zeros((HEIGHT, WIDTH, 16), np.float32)
    state[:, :10, 3] = 1
    everywhere = {"kind": "disturb", "shape": "square", "x": 0, "y": 0, "size": 99, "sigma": 0.3}
    message = {"kind": "setState", "state": state.ravel().tolist()}
    after = simulate(*model, message, act(**everywhere))["state"][0].permute(1, 2, 0).numpy()
    noise = (after - state)[:, :10]
    assert abs(noise.std() - 0.3) < 0.01
    assert abs(noise.mean()) < 0.01
    assert not (after - state)[:, 10:].any()


def test_the_error_is_that_of_the_protocol(simulate):
    """Against the class's target, in RGBA; eight bits of the target are all that is lost."""
    generator = torch.Generator().manual_seed(0)
    targets = torch.zeros(CLASSES, 4, HEIGHT, WIDTH)
    targets[:, :, 3:15, 5:20] = torch.rand(CLASSES, 4, 12, 15, generator=generator)
    described_model = described(automaton(), targets=targets)
    assert described_model[0]["targets"]["height"] == 12
    report = simulate(*described_model, act(kind="mutate", index=3), steps(20))
    wanted = (report["state"][0, :4] - targets[3]).square().mean()
    assert report["errors"][0] == pytest.approx(float(wanted), abs=2e-4)
    with pytest.raises(ValueError, match=r"expected \[5, 4, 19, 26\]: one picture of the grid"):
        described(automaton(), targets=targets[:2])


def test_channels_as_colours(model, simulate):
    """Blue above zero, red below, white at zero; a number beyond 1 is as dark as 1."""
    state = np.zeros((HEIGHT, WIDTH, 16), np.float32)
    state[0, :4, 7] = [0, 2, -1, 0.5]
    message = {"kind": "setState", "state": state.ravel().tolist()}
    pixels = simulate(*model, message, {"kind": "show", "shown": 7})["pixels"]
    cells = np.array(pixels[:16]).reshape(4, 4)
    assert cells[0].tolist() == [255, 255, 255, 255]
    assert cells[1].tolist() == [33, 102, 172, 255]
    assert cells[2].tolist() == [178, 24, 43, 255]
    assert cells[3].tolist() == [144, 178, 214, 255]


def test_what_a_cell_holds(model, simulate):
    report = simulate(*model, steps(1), {"kind": "inspect", "x": WIDTH // 2, "y": HEIGHT // 2})
    (cell,) = report["cells"]
    centre = report["state"][0, :, HEIGHT // 2, WIDTH // 2]
    np.testing.assert_allclose(cell["values"], centre.numpy(), atol=1e-7)
    assert cell["change"] >= 0
    report = simulate(*model, steps(5), {"kind": "inspect", "x": 0, "y": HEIGHT - 1})
    window = report["state"][0].roll((1, 1 - (HEIGHT - 1)), (2, 1))[:, :3, :3]  # around the torus
    around = np.array(report["cells"][0]["around"]).reshape(3, 3, -1)
    np.testing.assert_allclose(around, window.permute(1, 2, 0).numpy(), atol=1e-7)
    with pytest.raises(RuntimeError, match="a state of 3 numbers; expected 7904, 19 rows of 26"):
        simulate(*model, {"kind": "setState", "state": [0, 0, 0]})
    with pytest.raises(RuntimeError, match="event.index is 9; expected a whole number from 0"):
        simulate(*model, act(kind="mutate", index=9))


def test_a_drawing_is_read_by_every_step_and_outlives_a_reset(simulate):
    nca = with_perception("two convolutions", 6, 3, fixed=2)
    model = described(nca)
    pen = {"kind": "draw", "shape": "circle", "x": 6, "y": 4, "size": 2, "value": 1}
    wiped = {**pen, "shape": "half", "x": 8, "y": 0, "value": 0}  # the upper half
    empty = simulate(*model, act(**pen), act(**wiped), steps(20), act(**DISC), steps(4))
    assert not empty["state"][:, :2].any()
    state = centre_seed(nca.layout, HEIGHT, WIDTH)
    rows, columns = torch.arange(HEIGHT)[:, None], torch.arange(WIDTH)
    state[:, :2] = ((rows - 4) ** 2 + (columns - 6) ** 2 <= 4).float()
    again = simulate(*model, act(**pen), steps(9), {"kind": "reset"}, steps(20))
    assert torch.equal(again["state"][:, :2], state[:, :2])
    assert (again["state"] - expected(nca, state, 0, steps=20)).abs().max() <= 1e-4
    assert not torch.equal(again["state"], simulate(*model, steps(20))["state"])
    assert [event["kind"] for event in again["recorded"]["events"]] == ["draw"]
