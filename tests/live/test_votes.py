"""The page's cells vote as PyTorch's do, on the input that a reader chooses and draws."""

import pytest
import torch

from ncabook.automaton import (
    NCA,
    ChannelLayout,
    ConvPerception,
    MLPUpdate,
    ResidualPerception,
    hashed_fire,
)
from ncabook.evaluation.classification import ballot
from ncabook.figures import votes_picture
from ncabook.live import describe

pytestmark = pytest.mark.node
HEIGHT, WIDTH, STEPS, SEED, CLASSES = 11, 14, 24, 5, 3


def classifier(fixed=1, living=True):
    """An automaton with random weights, in numbers that float16 holds; its cells disagree."""
    torch.manual_seed(2)
    layout = ChannelLayout(visible=0, hidden=4, fixed=fixed, classes=CLASSES)
    kind = ConvPerception if living else ResidualPerception
    perception = kind(layout.channels, 12, 3)
    update = MLPUpdate(12, layout.channels - fixed, [8])
    torch.manual_seed(1)
    torch.nn.init.normal_(update.layers[-1].weight, std=0.25)
    nca = NCA(layout, perception, update, 0.5, 0.1 if living else None)
    return nca.half().float().requires_grad_(False)


def pictures(fixed=1):
    """Two inputs in 256 shades: a blot each."""
    generator = torch.Generator().manual_seed(0)
    images = torch.zeros(2, fixed, HEIGHT, WIDTH)
    images[0, :, 2:7, 3:9] = torch.rand(fixed, 5, 6, generator=generator)
    images[1, :, 5:9, 6:12] = torch.rand(fixed, 4, 6, generator=generator)
    images = (255 * images).round() / 255
    return {"one": images[0], "two": images[1]}


def described(nca, **options):
    options = {"inputs": pictures(nca.layout.fixed), "votes": ["a", "b", "c"], **options}
    return describe(nca, HEIGHT, WIDTH, seed=SEED, **options)


def expected(nca, state, steps, first=0):
    return nca.rollout(
        state, steps, fire=lambda t: hashed_fire(HEIGHT, WIDTH, first + t, SEED, nca.fire_rate)
    )


def begin(nca, image):
    state = torch.zeros(1, nca.layout.channels, HEIGHT, WIDTH)
    state[0, : nca.layout.fixed] = image
    return state


@pytest.mark.parametrize(("fixed", "living"), [(1, True), (3, False)], ids=["digit", "photograph"])
def test_votes_are_those_of_pytorch(simulate, fixed, living):
    """States, counts, winner and colours, before and after another input."""
    nca = classifier(fixed, living)
    one, two = pictures(fixed).values()
    state = expected(nca, begin(nca, one), STEPS)
    state[0, :fixed] = two
    state = expected(nca, state, STEPS, STEPS)
    report = simulate(
        *described(nca),
        {"kind": "advance", "steps": STEPS, "budget": 1e9},
        {"kind": "act", "event": {"kind": "mutate", "index": 1}},
        {"kind": "advance", "steps": STEPS, "budget": 1e9},
    )
    assert (report["state"] - state).abs().max() <= 1e-4
    wanted = ballot(nca, state)
    assert 0 < wanted.counts.max() < wanted.counts.sum()  # they disagree: something is tested
    (votes,) = report["ballots"]
    assert votes["counts"] == wanted.counts[0].tolist()
    assert votes["winner"] == wanted.winner
    shown = torch.tensor(report["pixels"]).view(-1, 4)[: 7 * WIDTH, :3].view(7, WIDTH, 3)
    colors = 255 * votes_picture(nca, state[0]).permute(1, 2, 0)[:7]
    assert (shown - colors).abs().max() <= 1


def test_an_input_that_was_drawn_on(simulate):
    """A stroke is read at once, and a chosen input displaces it; going back brings it back."""
    nca = classifier()
    model = described(nca)
    stroke = {"kind": "draw", "shape": "circle", "x": 12, "y": 9, "size": 1, "value": 1}
    drawn = [{"kind": "act", "event": stroke}]
    other = [{"kind": "act", "event": {"kind": "mutate", "index": 1}}]
    inputs = [simulate(*model, *doings)["state"][0, 0] for doings in ([], drawn, drawn + other)]
    plus = [(9, 12), (8, 12), (10, 12), (9, 11), (9, 13)]
    assert {tuple(at) for at in (inputs[1] != inputs[0]).nonzero().tolist()} == set(plus)
    assert torch.equal(inputs[0], pictures()["one"][0])
    assert torch.equal(inputs[2], pictures()["two"][0])
    back = simulate(*model, *drawn, *other, {"kind": "back"})["state"][0, 0]
    assert torch.equal(back, inputs[1])


@pytest.mark.parametrize("shown", ["picture", "disagreement", "changes"])
def test_votes_are_counted_once_for_each_frame(simulate, shown):
    """The picture and the bars are made of the same count."""
    steps = {"kind": "advance", "steps": 3, "budget": 1e9}
    report = simulate(*described(classifier()), {"kind": "show", "shown": shown}, steps)
    assert report["counted"] == 1
    assert sum(report["ballots"][0]["counts"]) > 0


def test_without_ink_nobody_votes(simulate):
    nca = classifier()
    report = simulate(
        *described(nca, inputs={"blank": torch.zeros(1, HEIGHT, WIDTH)}),
        {"kind": "advance", "steps": 9, "budget": 1e9},
    )
    assert report["ballots"] == [{"counts": [0, 0, 0], "winner": -1}]
    assert set(report["pixels"]) == {255}
    assert not report["state"].any()


def test_reset_forgets_what_was_thought_and_keeps_the_input(node):
    nca = classifier()
    actions = [["setClass", 1], ["steps", 5], ["reset"]]
    state = node(*described(nca), actions=actions)["state"]
    assert torch.equal(state, begin(nca, pictures()["two"]))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"votes": 3}, "votes is 3; expected a list of classes"),
        ({"votes": []}, "visible is 0; expected 3, red, green and blue, or 4"),
        ({"inputs": 10**9}, "inputs is 1000000000; expected null, or an offset of a picture"),
        ({"visible": 6}, "visible is 6; expected a whole number ≥ 0, with fixed and votes at most"),
    ],
    ids=str,
)
def test_bad_descriptions(node, change, message):
    description, weights = described(classifier())
    with pytest.raises(RuntimeError, match=message):
        node({**description, **change}, weights, actions=[])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"votes": ["a"]}, "votes has 1 labels; the automaton's state has 3 channels for them"),
        ({"inputs": {"x": torch.zeros(1, 4, 4)}}, r"input 'x' has shape \[1, 4, 4\]"),
        ({"inputs": {"x": torch.full((1, HEIGHT, WIDTH), 2.0)}}, r"from 2 to 2; expected .* in \["),
    ],
)
def test_what_does_not_fit(options, message):
    with pytest.raises(ValueError, match=message):
        described(classifier(), **options)
