"""A ring: in a seed's first step its eight neighbours fire, and it does not."""

import pytest
import torch

from ncabook.automaton import centre_seed, hashed_fire, plant_seed
from ncabook.live.poster import poster
from tests.live.test_canvas import weaver
from tests.live.test_engine import HEIGHT, SEED, WIDTH, automaton, described
from tests.live.test_timeline import act, steps

pytestmark = pytest.mark.node
CENTRE = (HEIGHT // 2, WIDTH // 2)
CORNER = (HEIGHT - 1, 0)  # its ring goes round the torus
BESIDE = (HEIGHT // 2, WIDTH // 2 + 1)  # a seed in another one's ring


def ringed(step, seeds, rate=0.5):
    """The mask of a step in which some seeds are fresh."""
    fire = hashed_fire(HEIGHT, WIDTH, step, SEED, rate)
    for row, column in seeds:
        for dy in (-1, 0, 1):
            for dx in (-1, 0, 1):
                fire[..., (row + dy) % HEIGHT, (column + dx) % WIDTH] = True
    for row, column in seeds:
        fire[..., row, column] = False
    return fire


def grown(nca, fresh, last):
    """The state after ``last`` steps; ``fresh``: which seeds are planted before which step."""
    state = torch.zeros(1, nca.layout.channels, HEIGHT, WIDTH)
    condition = torch.eye(5)[[0]]
    for t in range(last):
        for row, column in fresh.get(t, []):
            state = plant_seed(state, nca.layout, row, column)
        state = nca.step(state, condition, fire=ringed(t, fresh.get(t, []), nca.fire_rate))
    return state


@pytest.mark.parametrize("skip", [True, False])
@pytest.mark.parametrize("wasm", [True, False])
def test_the_first_step_of_a_seed(run, skip, wasm):
    """Of the one that the page begins with, of planted ones, and of one beside another."""
    nca = automaton()
    model = described(nca, ring=True)
    fresh = {0: [CENTRE, BESIDE], 7: [CORNER]}
    actions = [["skip", skip], ["steps", 3], ["reset"], ["plant", BESIDE[1], BESIDE[0]]]
    actions += [["steps", 7], ["plant", CORNER[1], CORNER[0]], ["steps", 13]]
    actual = run(*model, actions, wasm=wasm)
    assert (actual - grown(nca, fresh, 20)).abs().max() <= 1e-4
    coins = run(*described(nca), actions, wasm=wasm)
    assert (actual - coins).abs().max() > 0.01


def test_coins_decide_where_nothing_is_said(run):
    description, weights = described(automaton())
    assert "ring" not in description
    actions = [["steps", 9]]
    wanted = run(description, weights, actions)
    assert torch.equal(run({**description, "ring": False}, weights, actions), wanted)


def test_a_ring_falls_again_after_going_back(simulate):
    """Back to the beginning, back to a plant, and in another page that is told of both."""
    nca = automaton()
    model = described(nca, ring=True)
    plant = act(kind="plant", x=CORNER[1], y=CORNER[0])
    doings = [steps(5), plant, steps(15)]
    there = simulate(*model, *doings)
    assert (there["state"] - grown(nca, {0: [CENTRE], 5: [CORNER]}, 20)).abs().max() <= 1e-4
    for step in (0, 5, 6):
        again = simulate(*model, *doings, {"kind": "seek", "step": step}, steps(20 - step))
        assert torch.equal(again["state"], there["state"])
    told = simulate(*model, {"kind": "replay", **there["recorded"]}, steps(20))
    assert torch.equal(told["state"], there["state"])
    undone = simulate(*model, steps(5), plant, {"kind": "back"}, steps(15))
    assert torch.equal(undone["state"], simulate(*model, steps(20))["state"])


def test_the_poster_shows_the_same_start():
    nca = automaton()
    about = {"height": HEIGHT, "width": WIDTH, "class_index": 0, "seed": SEED}
    assert poster([nca], **about, ring=True) != poster([nca], **about)


def test_a_ring_needs_a_seed(run):
    start = centre_seed(weaver().layout, HEIGHT, WIDTH)
    with pytest.raises(ValueError, match="ring is for seeds, and this automaton begins with none"):
        described(weaver(), start=start, ring=True)
    description, weights = described(weaver(), start=start)
    with pytest.raises(RuntimeError, match="ring is true; expected nothing, or true or false"):
        run({**description, "ring": True}, weights, [])
