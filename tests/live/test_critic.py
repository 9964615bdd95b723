"""What a critic says of each place: in the page as in PyTorch, and over the picture."""

import json

import pytest
import torch

from ncabook import zoo
from ncabook.automaton import NCA, ChannelLayout, ConvPerception, MLPUpdate, hashed_fire
from ncabook.data.pairs import sketches
from ncabook.live import Opinion, describe
from ncabook.networks import PatchCritic
from ncabook.training.pairs import white_paper

pytestmark = pytest.mark.node
LAYOUT = ChannelLayout(visible=3, hidden=2, fixed=1)


def parts(height, width, widths=(6, 5)):
    """An automaton that draws something, a critic, and ink, in numbers that float16 holds."""
    torch.manual_seed(0)
    update = MLPUpdate(8, LAYOUT.channels - LAYOUT.fixed, [8])
    torch.nn.init.normal_(update.layers[-1].weight, std=0.3)
    nca = NCA(LAYOUT, ConvPerception(LAYOUT.channels, 8), update, 0.5, None).half().float()
    critic = PatchCritic(3, 1, list(widths)).half().float().requires_grad_(False)
    ink = (torch.rand(1, height, width) > 0.7).float()
    return nca.requires_grad_(False), critic, ink


def described(nca, opinion, ink):
    height, width = ink.shape[1:]
    start = white_paper(LAYOUT, torch.zeros(1, 1, height, width))
    return describe(nca, height, width, start=start, inputs={"some": ink}, opinion=opinion)


@pytest.mark.parametrize("grid", [(16, 24), (13, 11)])
def test_the_page_judges_as_pytorch_does(node, grid):
    """Also sides that no stride divides, where the last patches hang over the edge."""
    nca, critic, ink = parts(*grid)
    opinion = Opinion(critic, 0.25, 0.5)
    answer = node(*described(nca, opinion, ink), actions=[["steps", 9]], criticise=True)
    state = answer["state"]
    assert (state[:, 1:4] - 1).abs().max() > 0.1
    wanted = (critic(state[:, 1:4], state[:, :1]) - 0.25) / 0.5
    assert torch.tensor(answer["opinions"]) == pytest.approx(wanted.flatten(), abs=1e-4)


def test_a_trained_automaton_colours_a_drawing_in_the_page(node):
    """96 steps of the chapter's first figure, with a line that a reader draws on the way."""
    model = zoo.load("handbags-conv5-critic")
    nca, layout, side, seed = model.nca.half().float(), model.nca.layout, 64, 4
    ink = (255 * sketches()["purse"]).round() / 255
    start = white_paper(layout, torch.zeros(1, 1, side, side))
    described = describe(nca, side, side, seed=seed, start=start, inputs={"purse": ink})
    line = {"shape": "square", "x": 32, "y": 44, "size": 2, "value": 1}
    found = node(*described, actions=[["steps", 40], ["draw", line], ["steps", 56]])["state"]

    def on(state, first, last):
        coins = [hashed_fire(side, side, t, seed, nca.fire_rate) for t in range(first, last)]
        return nca.rollout(state, last - first, fire=lambda t: coins[t])

    with torch.no_grad():
        state = on(white_paper(layout, ink[None]), 0, 40)
        state[:, 0, 42:47, 30:35] = 1
        wanted = on(state, 40, 96)
    assert wanted[0, 1:4].min() < 0.3
    assert (found - wanted).abs().max() <= 1e-4


def test_the_scale_is_that_of_some_pictures():
    _, critic, ink = parts(16, 16)
    real, made = torch.rand(2, 3, 3, 16, 16)
    opinion = Opinion.of(critic, real, made, ink.expand(3, 1, 16, 16))
    scores = torch.stack([critic(x, ink.expand(3, 1, 16, 16)) for x in (real, made)])
    assert opinion.centre == pytest.approx(float(scores.mean()))
    assert opinion.spread == pytest.approx(2 * float(scores.std()))


def test_it_is_shown_over_the_picture(simulate):
    """Blue where it looks real, red where it looks made; the picture is still seen."""
    nca, critic, ink = parts(16, 16)
    colours = {}
    for name, centre in (("real", -100.0), ("made", 100.0)):
        model = described(nca, Opinion(critic, centre, 1.0), 0 * ink)
        seen = simulate(*model, {"kind": "show", "shown": "critic"})
        assert seen["size"] == [16, 16]
        colours[name] = seen["pixels"][:4]
    assert colours["real"] == [round(0.6 * c + 0.4 * 255) for c in (33, 102, 172)] + [255]
    assert colours["made"] == [round(0.6 * c + 0.4 * 255) for c in (178, 24, 43)] + [255]


def test_a_critic_of_something_else_is_refused():
    nca, critic, ink = parts(16, 16)
    other = PatchCritic(4, 0, [4])
    with pytest.raises(ValueError, match="a critic of 4 channels, 0 of them context; expected 4"):
        described(nca, Opinion(other, 0.0, 1.0), ink)
    with pytest.raises(TypeError, match="opinion is of type PatchCritic; expected an Opinion"):
        described(nca, critic, ink)
    with pytest.raises(ValueError, match="a grid of 3×16 cells; expected at least 4×4"):
        described(nca, Opinion(critic, 0.0, 1.0), ink[:, :3])

    class Mine(PatchCritic):
        pass

    with pytest.raises(TypeError, match="a class of"):
        described(nca, Opinion(Mine(3, 1, [4]), 0.0, 1.0), ink)


@pytest.mark.parametrize(
    ("centre", "spread", "message"),
    [
        (0.0, 0.0, "spread is 0.0; expected a number > 0"),
        (float("nan"), 1.0, "centre is nan; expected a finite float"),
        (0.0, float("inf"), "spread is inf; expected a finite float"),
        (torch.tensor(0.0), 1.0, r"centre is tensor\(0.\); expected a finite float"),
    ],
)
def test_a_scale_that_is_none_is_refused(centre, spread, message):
    """In JSON it would be no number, and the figure would be dead."""
    _, critic, _ = parts(16, 16)
    with pytest.raises(ValueError, match=message):
        Opinion(critic, centre, spread)


def test_pictures_that_make_no_scale_are_refused():
    _, critic, ink = parts(16, 16)
    real, context = torch.rand(2, 3, 16, 16), ink.expand(2, 1, 16, 16)
    with pytest.raises(TypeError, match="an opinion of a Conv2d; expected a PatchCritic"):
        Opinion(torch.nn.Conv2d(1, 1, 1), 0.0, 1.0)
    with pytest.raises(ValueError, match="expected as many of one size"):
        Opinion.of(critic, real, real[:1], context)
    with pytest.raises(ValueError, match=r"values from .* to .*; expected \[0, 1\]"):
        Opinion.of(critic, 255 * real, real, context)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"spread": 0}, "critic.centre, spread is "),
        ({"layers": []}, "critic.layers is 4; expected one channel at the end"),
        (("stride", 0), "critic.layers[0] is "),
        (("in", 3), "a convolution of 4 channels"),
        (("weight", 10**9), "critic.layers[0] is "),
    ],
)
def test_a_description_that_does_not_fit_is_named(node, change, message):
    nca, critic, ink = parts(16, 16)
    description, weights = described(nca, Opinion(critic, 0.0, 1.0), ink)
    told = json.loads(json.dumps(description["critic"]))
    if isinstance(change, dict):
        told |= change
    else:
        told["layers"][0][change[0]] = change[1]
    with pytest.raises(RuntimeError) as caught:
        node(description | {"critic": told}, weights, actions=[])
    assert message in str(caught.value)
