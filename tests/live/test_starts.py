"""What a figure begins with: under its inputs, one for each of them, painted on by the reader."""

import pytest
import torch

from ncabook.automaton import NCA, ChannelLayout, ConvPerception, MLPUpdate, hashed_fire
from ncabook.live import describe
from ncabook.live.poster import poster
from tests.live.test_timeline import act, steps

pytestmark = pytest.mark.node
HEIGHT, WIDTH, SEED, STEPS = 7, 10, 5, 12


def drawer(fixed=1, visible=3):
    """An automaton that colours a drawing, in numbers that float16 holds."""
    torch.manual_seed(2)
    layout = ChannelLayout(visible=visible, hidden=4, fixed=fixed)
    update = MLPUpdate(12, layout.channels - fixed, [8])
    torch.nn.init.normal_(update.layers[-1].weight, std=0.1)
    nca = NCA(layout, ConvPerception(layout.channels, 12), update, 0.5, None).half().float()
    return nca.requires_grad_(False)


def states(nca, count):
    generator = torch.Generator().manual_seed(1)
    shape = (1, nca.layout.channels, HEIGHT, WIDTH)
    return [torch.rand(shape, generator=generator).half().float() for _ in range(count)]


def drawings(fixed=1):
    generator = torch.Generator().manual_seed(0)
    images = (torch.rand(2, fixed, HEIGHT, WIDTH, generator=generator) > 0.5).float()
    return {"bag": images[0], "shoe": images[1]}


def expected(nca, start, image, count):
    state = start.clone()
    state[:, : nca.layout.fixed] = image
    return nca.rollout(state, count, fire=lambda t: hashed_fire(HEIGHT, WIDTH, t, SEED, 0.5))


@pytest.mark.parametrize("one", [True, False], ids=["one start", "a start for each"])
@pytest.mark.parametrize("chosen", [0, 1])
def test_inputs_lie_over_the_start(node, one, chosen):
    """When the page opens and after a reset, as in PyTorch and on the poster."""
    nca, images = drawer(), drawings()
    start = states(nca, 2)
    given = {"inputs": images, "start": start[0] if one else start}
    model = describe(nca, HEIGHT, WIDTH, seed=SEED, class_index=chosen, **given)
    begin = start[0 if one else chosen]
    image = list(images.values())[chosen]
    wanted = expected(nca, begin, image, STEPS)
    for before in ([], [["setClass", 0], ["steps", 5], ["setClass", chosen], ["reset"]]):
        state = node(*model, actions=[*before, ["steps", STEPS]])["state"]
        assert (state - wanted).abs().max() <= 1e-4
    begin = begin.clone()
    begin[:, :1] = image
    about = {"height": HEIGHT, "width": WIDTH, "class_index": chosen, "seed": SEED}
    assert poster([nca], **about, **given) == poster([nca], **about, start=begin)


def test_a_choice_keeps_the_state_and_a_reset_takes_its_start(simulate):
    nca, images, start = drawer(), drawings(), states(drawer(), 2)
    model = describe(nca, HEIGHT, WIDTH, seed=SEED, inputs=images, start=start)
    other = act(kind="mutate", index=1)
    state = simulate(*model, other)["state"]
    assert torch.equal(state[:, 1:], start[0][:, 1:])
    assert torch.equal(state[0, :1], images["shoe"])
    state = simulate(*model, steps(3), other, {"kind": "reset"})["state"]
    assert torch.equal(state[:, 1:], start[1][:, 1:])


@pytest.mark.parametrize("visible", [3, 4])
def test_painting(simulate, visible):
    """An ink's colour, opaque, in the visible channels; what is hidden, and the drawing, stay."""
    nca, start = drawer(visible=visible), states(drawer(visible=visible), 1)[0]
    inks = {"orange": "#ff8000", "black": "#000000"}
    model = describe(nca, HEIGHT, WIDTH, start=start, inks=inks)
    brush = {"kind": "paint", "shape": "square", "x": 2, "y": 3, "size": 1, "ink": 0}
    state = simulate(*model, act(**brush))["state"]
    wanted = start.clone()
    rgba = torch.tensor([1, 128 / 255, 0, 1][:visible])
    wanted[0, 1 : 1 + visible, 2:5, 1:4] = rgba[:, None, None]
    assert torch.equal(state, wanted)
    assert torch.equal(simulate(*model, act(**brush), {"kind": "back"})["state"], start)
    with pytest.raises(RuntimeError, match="event.ink is 2; expected a whole number from 0 to 1"):
        simulate(*model, act(**{**brush, "ink": 2}))


def test_ink_is_seen_on_three_colours(simulate):
    """What is drawn darkens the picture, which has no white paper below it."""
    nca = drawer()
    start = torch.full((1, nca.layout.channels, HEIGHT, WIDTH), 0.5)
    model = describe(
        nca, HEIGHT, WIDTH, start=start, inputs={"blank": torch.zeros(1, HEIGHT, WIDTH)}
    )
    pen = act(kind="draw", shape="square", x=0, y=0, size=0, value=1)
    pixels = simulate(*model, pen)["pixels"]
    assert pixels[4:8] == [128, 128, 128, 255]
    assert pixels[:4] == [38, 38, 38, 255]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"start": "one"}, "start is a list of 1; expected 2, one for each class or input, or one"),
        ({"start": "three"}, "start is a list of 3; expected 2"),
        ({"start": "small"}, r"start\[1\] of shape \[1, 8, 7, 7\]; expected \[1, 8, 7, 10\]"),
        ({"inks": {"red": "red"}}, "the ink 'red' is 'red'; expected \"#rrggbb\""),
    ],
    ids=str,
)
def test_what_does_not_fit(options, message):
    nca = drawer()
    both = states(nca, 2)
    lists = {"one": both[:1], "three": [*both, both[0]], "small": [both[0], both[1][..., :7]]}
    if "start" in options:
        options = {"start": lists[options["start"]]}
    with pytest.raises(ValueError, match=message):
        describe(nca, HEIGHT, WIDTH, inputs=drawings(), **options)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"starts": 3}, "starts is 3; expected nothing, or the number of classes"),
        ({"inks": []}, "inks is .*; expected nothing, or names and colours"),
        ({"inks": [{"name": "a", "color": [2, 0, 0]}]}, "inks is .*; expected nothing, or names"),
    ],
    ids=str,
)
def test_bad_descriptions(node, change, message):
    nca = drawer()
    model = describe(nca, HEIGHT, WIDTH, inputs=drawings(), start=states(nca, 2))
    with pytest.raises(RuntimeError, match=message):
        node({**model[0], **change}, model[1], actions=[])
