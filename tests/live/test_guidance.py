"""Guidance in the page: two automata under the same coins, and the step between their changes."""

import pytest
import torch

from ncabook import zoo
from ncabook.automaton import hashed_fire
from ncabook.live import describe
from tests.live.test_seeds import HEIGHT, LAYOUT, SEED, WIDTH, cells, grower, planted
from tests.live.test_timeline import act, steps

pytestmark = pytest.mark.node
FREE = torch.tensor([1.0, 1.0, 1.0, 1.0, 0.5, 0.0, -0.25])


def led(nca, own, free, weights, first=0):
    """Both states after a step for each weight: eq. as in ncabook.automaton.guidance."""
    height, width = own.shape[2:]
    for t, weight in enumerate(weights):
        fire = hashed_fire(height, width, first + t, SEED, nca.fire_rate)
        after, freely = (nca.rollout(s, 1, fire=lambda _, f=fire: f) for s in (own, free))
        change = freely - free
        own, free = own + change + weight * (after - own - change), freely
    return own, free


def beginnings(seeds, chosen="red"):
    empty = torch.zeros(1, LAYOUT.channels, HEIGHT, WIDTH)
    return planted(empty, seeds[chosen]), planted(empty, FREE)


def guide(weight):
    return act(kind="guide", weight=weight)


@pytest.fixture
def model():
    return describe(grower(), HEIGHT, WIDTH, seed=SEED, seeds=cells(), free=FREE)


@pytest.mark.parametrize("weight", [0.0, 0.7, 1.0, 1.3])
def test_a_guided_step_is_that_of_pytorch(simulate, model, weight):
    wanted, _ = led(grower(), *beginnings(cells()), 10 * [weight])
    found = simulate(*model, guide(weight), steps(10))["state"]
    assert (found - wanted).abs().max() <= 1e-4
    if weight != 1:
        plain, _ = led(grower(), *beginnings(cells()), 10 * [1.0])
        assert (found - plain).abs().max() > 1e-3


def test_a_trained_automaton_is_guided_for_96_steps(simulate):
    model = zoo.load("digits-guided")
    nca, side = model.nca.half().float(), 36
    shown = model.live()
    seeds = {name: seed.half().float() for name, seed in shown["seeds"].items()}
    free = shown["free"].half().float()
    described = describe(nca, side, side, seed=SEED, class_index=3, seeds=seeds, free=free)
    start = torch.zeros(2, nca.layout.channels, side, side)
    start[:, :, side // 2, side // 2] = torch.stack([seeds["3"], free])
    wanted, _ = led(nca, *start.split(1), 96 * [0.95])
    found = simulate(*described, guide(0.95), steps(96))["state"]
    assert wanted[0, 3].gt(0.5).sum() > 30
    assert (found - wanted).abs().max() <= 1e-4


def test_a_weight_may_change_on_the_way_and_be_taken_back(simulate, model):
    """The second automaton lives on at w = 1, and going back brings it back, too."""
    seeds = cells()
    own, free = led(grower(), *beginnings(seeds), 4 * [1.0])
    own, free = led(grower(), own, free, 5 * [0.5], first=4)
    plan = [steps(4), guide(0.5), steps(5)]
    assert (simulate(*model, *plan)["state"] - own).abs().max() <= 1e-4
    for detour in (
        [{"kind": "seek", "step": 2}, steps(7)],
        [{"kind": "reset"}, {"kind": "recall"}],
    ):
        again = simulate(*model, *plan, *detour)
        assert again["weight"] == 0.5
        assert (again["state"] - own).abs().max() <= 1e-4
    undone = simulate(*model, steps(4), guide(0.5), {"kind": "back"})
    assert undone["weight"] == 1


def test_what_is_done_to_one_is_done_to_both(simulate, model):
    """Damage and planted seeds; a class begins anew beside a seed of none."""
    seeds = cells()
    own, free = led(grower(), *beginnings(seeds), 3 * [0.8])
    own, free = planted(own, seeds["red"], 1, 2), planted(free, FREE, 1, 2)
    for state in (own, free):
        state[:, :, 4:7, 3:6] = 0
    own, _ = led(grower(), own, free, 4 * [0.8], first=3)
    square = act(kind="erase", shape="square", x=4, y=5, size=1)
    plan = [guide(0.8), steps(3), act(kind="plant", x=2, y=1), square, steps(4)]
    assert (simulate(*model, *plan)["state"] - own).abs().max() <= 1e-4
    fresh, _ = led(grower(), *beginnings(seeds, "blue"), 3 * [0.8], first=3)
    plan = [guide(0.8), steps(3), act(kind="mutate", index=2), steps(3)]
    assert (simulate(*model, *plan)["state"] - fresh).abs().max() <= 1e-4


def test_a_link_tells_the_weight_and_a_reset_keeps_it(simulate, model):
    told = simulate(*model, guide(1.5), {"kind": "reset"}, steps(3))
    assert told["recorded"]["weight"] == 1.5
    there = simulate(*model, {"kind": "replay", **told["recorded"]}, steps(3))
    assert there["weight"] == 1.5
    assert torch.equal(there["state"], told["state"])


def test_what_cannot_be_guided_is_refused_in_a_line(simulate, model):
    plain = describe(grower(), HEIGHT, WIDTH, seed=SEED, seeds=cells())
    with pytest.raises(RuntimeError, match="event.kind is .*guide"):
        simulate(*plain, guide(2.0))
    with pytest.raises(RuntimeError, match="event.weight is 11; expected a number from -10 to 10"):
        simulate(*model, guide(11))
    with pytest.raises(
        RuntimeError, match="free is .*; expected nothing, or the numbers of a seed"
    ):
        simulate(model[0] | {"free": [1, 2]}, model[1], steps(1))
    with pytest.raises(ValueError, match="give seeds, too"):
        describe(grower(), HEIGHT, WIDTH, free=FREE)
    with pytest.raises(ValueError, match=r"free seed of shape \[3\]; expected \[7\]"):
        describe(grower(), HEIGHT, WIDTH, seeds=cells(), free=FREE[:3])
