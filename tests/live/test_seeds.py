"""Seeds that tell a class by their own numbers: chosen, planted, in the page as in PyTorch."""

import pytest
import torch

from ncabook import zoo
from ncabook.automaton import NCA, ChannelLayout, ConvPerception, MLPUpdate, hashed_fire
from ncabook.live import describe
from ncabook.live.poster import poster
from tests.live.test_timeline import act, steps

pytestmark = pytest.mark.node
HEIGHT, WIDTH, SEED, STEPS = 9, 12, 5, 12
LAYOUT = ChannelLayout(visible=4, hidden=3)


def grower():
    """An automaton without a condition, in numbers that float16 holds."""
    torch.manual_seed(2)
    update = MLPUpdate(12, LAYOUT.channels, [8])
    torch.nn.init.normal_(update.layers[-1].weight, std=0.2)
    nca = NCA(LAYOUT, ConvPerception(LAYOUT.channels, 12), update, 0.5, 0.1).half().float()
    return nca.requires_grad_(False)


def cells():
    generator = torch.Generator().manual_seed(1)
    seeds = torch.rand(3, LAYOUT.channels, generator=generator).half().float()
    seeds[:, 3] = 1
    return dict(zip(("red", "green", "blue"), seeds, strict=True))


def planted(state, seed, row=HEIGHT // 2, column=WIDTH // 2):
    state = state.clone()
    state[0, :, row, column] = seed
    return state


def rolled(nca, state, first, last):
    return nca.rollout(
        state, last - first, fire=lambda t: hashed_fire(HEIGHT, WIDTH, first + t, SEED, 0.5)
    )


@pytest.mark.parametrize("chosen", [0, 2])
def test_a_page_begins_with_the_seed_of_its_class(node, chosen):
    """And after a reset; the poster shows the same."""
    nca, seeds = grower(), cells()
    model = describe(nca, HEIGHT, WIDTH, seed=SEED, class_index=chosen, seeds=seeds)
    empty = torch.zeros(1, LAYOUT.channels, HEIGHT, WIDTH)
    start = planted(empty, list(seeds.values())[chosen])
    wanted = rolled(nca, start, 0, STEPS)
    for before in ([], [["steps", 5], ["reset"]]):
        state = node(*model, actions=[*before, ["steps", STEPS]])["state"]
        assert (state - wanted).abs().max() <= 1e-4
    about = {"height": HEIGHT, "width": WIDTH, "class_index": chosen, "seed": SEED}
    assert poster([nca], **about, seeds=seeds) == poster([nca], **about, start=start)


def test_a_trained_automaton_grows_its_digit_in_the_page(node):
    """96 steps of the chapter's own figure, smaller; numbers as the page has them, float16."""
    model = zoo.load("digits-critic")
    nca = model.nca.half().float()
    shown = model.live()
    seeds = {name: seed.half().float() for name, seed in shown["seeds"].items()}
    side = 36
    described = describe(nca, side, side, seed=SEED, class_index=3, seeds=seeds)
    start = torch.zeros(1, nca.layout.channels, side, side)
    start[0, :, side // 2, side // 2] = seeds["3"]
    wanted = nca.rollout(start, 96, fire=lambda t: hashed_fire(side, side, t, SEED, nca.fire_rate))
    found = node(*described, actions=[["steps", 96]])["state"]
    assert wanted[0, 3].gt(0.5).sum() > 30
    assert (found - wanted).abs().max() <= 1e-4


def test_another_class_begins_anew_and_what_is_planted_is_of_it(node):
    """What had grown is gone; the steps go on, and so do the coins."""
    nca, seeds = grower(), cells()
    model = describe(nca, HEIGHT, WIDTH, seed=SEED, seeds=seeds)
    empty = torch.zeros(1, LAYOUT.channels, HEIGHT, WIDTH)
    state = rolled(nca, planted(empty, seeds["blue"]), 5, 8)
    state = rolled(nca, planted(state, seeds["blue"], 1, 2), 8, 12)
    actions = [["steps", 5], ["setClass", 2], ["steps", 3], ["plant", 2, 1], ["steps", 4]]
    found = node(*model, actions=actions)["state"]
    assert (found - state).abs().max() <= 1e-4


def test_seeds_of_several_classes_grow_in_one_canvas(simulate):
    """Who has planted chooses what to plant next, and nothing is cleared."""
    nca, seeds = grower(), cells()
    model = describe(nca, HEIGHT, WIDTH, seed=SEED, seeds=seeds)
    empty = torch.zeros(1, LAYOUT.channels, HEIGHT, WIDTH)
    state = rolled(nca, planted(empty, seeds["red"]), 0, 5)
    state = rolled(nca, planted(state, seeds["blue"], 1, 2), 5, 9)
    plan = [steps(5), act(kind="choose", index=2), act(kind="plant", x=2, y=1), steps(4)]
    found = simulate(*model, *plan)
    assert (found["state"] - state).abs().max() <= 1e-4
    again = simulate(*model, *plan, {"kind": "seek", "step": 3}, steps(6))
    assert torch.equal(again["state"], found["state"])


def test_who_planted_is_known_after_going_back_too(simulate):
    """A reset forgets it, and taking that back, or the planting itself, tells the truth again."""
    model = describe(grower(), HEIGHT, WIDTH, seed=SEED, seeds=cells())
    plant = act(kind="plant", x=2, y=1)
    back, reset, recall = ({"kind": kind} for kind in ("back", "reset", "recall"))
    for doings, expected in (
        ([steps(3)], False),
        ([steps(3), plant], True),
        ([steps(3), plant, back], False),
        ([steps(3), plant, steps(2), reset], False),
        ([steps(3), plant, steps(2), reset, recall], True),
    ):
        assert simulate(*model, *doings)["hasPlanted"] is expected


def test_classes_have_the_colours_of_their_seeds():
    description, _ = describe(grower(), HEIGHT, WIDTH, seeds=cells())
    assert [label["name"] for label in description["classes"]] == ["red", "green", "blue"]
    for label, seed in zip(description["classes"], cells().values(), strict=True):
        assert label["color"] == pytest.approx(seed[:3].tolist(), abs=1e-3)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"seeds": {}}, "at least one seed"),
        ({"seeds": {"a": torch.zeros(3)}}, "expected \\[7\\]"),
        ({"seeds": {"a": torch.full((7,), torch.nan)}}, "none at all"),
        ({"seeds": cells(), "start": torch.zeros(1, 7, HEIGHT, WIDTH)}, "neither start nor inputs"),
        ({"seeds": cells(), "class_index": 3}, "there are 3 classes"),
    ],
)
def test_seeds_that_do_not_fit_are_refused_in_a_line(options, message):
    with pytest.raises(ValueError, match=message):
        describe(grower(), HEIGHT, WIDTH, **options)


def test_the_page_refuses_seeds_of_another_length(node):
    description, weights = describe(grower(), HEIGHT, WIDTH, seeds=cells())
    description["seeds"][1] = [1.0]
    with pytest.raises(Exception, match="seeds"):
        node(description, weights, actions=[["steps", 1]])
