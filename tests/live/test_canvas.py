"""The page's engine covers canvases: red, green and blue, no dead cells, no seed."""

import pytest
import torch

from ncabook.automaton import (
    NCA,
    ChannelLayout,
    ConvPerception,
    LocalAttention,
    MLPUpdate,
    Patchwork,
    ResidualPerception,
    SobelPerception,
    hashed_fire,
    turned,
)
from ncabook.data.colors import class_colors
from ncabook.live import describe, to_html
from ncabook.training.texture import gray_canvas

pytestmark = pytest.mark.node
HEIGHT, WIDTH, SEED = 7, 10, 5


def weaver(seed=2, kind=ConvPerception, fire_rate=0.5, features=12):
    """An automaton of three colours, in numbers that float16 holds."""
    torch.manual_seed(seed)
    layout = ChannelLayout(visible=3, hidden=5)
    update = MLPUpdate(features, layout.channels, [8])
    torch.nn.init.normal_(update.layers[-1].weight, std=0.1)
    nca = NCA(layout, kind(layout.channels, 12), update, fire_rate, None).half().float()
    return nca.requires_grad_(False)


def patchwork():
    return Patchwork([weaver(), weaver(3, ResidualPerception), weaver(4)])


def described(both):
    start = gray_canvas(both.automata[0], HEIGHT, WIDTH)
    names = ["left", "right", "middle"]
    return start, describe(both, HEIGHT, WIDTH, seed=SEED, start=start, rules=names)


def test_colours_are_opaque(simulate):
    nca = weaver()
    start = gray_canvas(nca, HEIGHT, WIDTH)
    model = describe(nca, HEIGHT, WIDTH, seed=SEED, start=start)
    report = simulate(*model, {"kind": "advance", "steps": 12, "budget": 1e9})
    state = nca.rollout(start, 12, fire=lambda t: hashed_fire(HEIGHT, WIDTH, t, SEED, 0.5))
    first_row = torch.tensor(report["pixels"]).view(-1, 4)[:WIDTH] / 255
    wanted = state[0, :3, 0].clamp(0, 1).T
    assert wanted.std() > 0.02
    assert (first_row[:, :3] - wanted).abs().max() <= 0.5 / 255 + 1e-4
    assert (first_row[:, 3] == 1).all()


GRAFTS = [
    ["graft", {"rule": 1, "shape": "half", "x": WIDTH - 1, "y": 3, "size": 1}],
    ["graft", {"rule": 2, "shape": "square", "x": 5, "y": 2, "size": 1}],
]


def wanted(both, start, steps):
    """What PyTorch makes of the grafts; some steps happen before them."""
    rules = torch.zeros(HEIGHT, WIDTH, dtype=torch.int64)
    state = both.rollout(start, 4, rules, fire=lambda t: hashed_fire(HEIGHT, WIDTH, t, SEED, 0.5))
    rules[:, WIDTH // 2 :] = 1
    rules[1:4, 4:7] = 2
    return both.rollout(
        state, steps, rules, fire=lambda t: hashed_fire(HEIGHT, WIDTH, t + 4, SEED, 0.5)
    )


@pytest.mark.parametrize("skip", [True, False])
@pytest.mark.parametrize("wasm", [True, False])
def test_grafted_rules_do_what_they_do_in_pytorch(node, skip, wasm):
    both = patchwork()
    start, model = described(both)
    assert model[0]["start"] is None
    assert len(model[0]["fill"]) == 8
    actions = [["skip", skip], ["steps", 4], *GRAFTS, ["steps", 20]]
    state = node(*model, actions=actions, wasm=wasm)["state"]
    assert (state - wanted(both, start, 20)).abs().max() < 1e-4
    alone = both.automata[0].rollout(
        start, 24, fire=lambda t: hashed_fire(HEIGHT, WIDTH, t, SEED, 0.5)
    )
    assert (state - alone).abs().max() > 0.05


def test_a_graft_is_taken_back_and_outlives_a_reset(simulate):
    """The map of rules belongs to what the timeline keeps."""
    _, model = described(patchwork())
    act = [{"kind": "act", "event": {"kind": name, **event}} for name, event in GRAFTS]
    steps = {"kind": "advance", "steps": 4, "budget": 1e9}
    back = simulate(*model, steps, act[0], {"kind": "back"}, steps)["state"]
    plain = simulate(*model, steps, steps)["state"]
    assert torch.equal(back, plain)
    later = simulate(*model, steps, *act, steps, steps, {"kind": "seek", "step": 8})["state"]
    assert torch.equal(later, simulate(*model, steps, *act, steps)["state"])
    again = simulate(*model, steps, *act, {"kind": "reset"}, steps)["state"]
    assert torch.equal(again, simulate(*model, *act, steps)["state"])


def test_the_map_can_be_shown(simulate):
    _, model = described(patchwork())
    act = [{"kind": "act", "event": {"kind": name, **event}} for name, event in GRAFTS]
    report = simulate(*model, *act, {"kind": "show", "shown": "rules"})
    pixels = torch.tensor(report["pixels"]).view(-1, 4)[: 4 * WIDTH].view(4, WIDTH, 4)
    rules = torch.zeros(4, WIDTH, dtype=torch.int64)
    rules[:, WIDTH // 2 :] = 1
    rules[1:, 4:7] = 2
    colors = class_colors()[rules]
    assert torch.equal(pixels[..., :3], (255 * colors).round().long())
    assert (pixels[..., 3] == 255).all()


def test_what_no_figure_can_show():
    both = patchwork()
    for names in (["a", "b"], "abc", ["a", "b", "b"], [1, 2, 3], ["a", "b", "c", "c"], None):
        with pytest.raises(ValueError, match="rules for a patchwork of 3; expected a list with a"):
            describe(both, HEIGHT, WIDTH, rules=names)
    with pytest.raises(ValueError, match="1 names of rules for one automaton"):
        describe(weaver(), HEIGHT, WIDTH, rules=["a"])
    with pytest.raises(ValueError, match="expected automata that fire equally often"):
        describe(Patchwork([weaver(), weaver(fire_rate=1.0)]), 9, 9, rules=["a", "b"])
    with pytest.raises(ValueError, match="sizes are for a start whose cells are all alike"):
        describe(weaver(), HEIGHT, WIDTH, sizes=[(8, 8)])
    start = gray_canvas(weaver(), HEIGHT, WIDTH)
    for size in (8, (8,), (8, 8, 3), (8.5, 8), (0, 8), (10**6, 8)):
        with pytest.raises(ValueError, match=r"sizes has .*; expected \(height, width\)"):
            describe(weaver(), HEIGHT, WIDTH, start=start, sizes=[size])
    with pytest.raises(ValueError, match="the start has numbers beyond ±65504.0, or none at all"):
        describe(weaver(), HEIGHT, WIDTH, start=start / 0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"rules": ["one"]}, "rules is .*; expected nothing, or names of two or more"),
        ({"rules": ["a", "b", "c", "d"]}, "ops is undefined; expected a conv at the end"),
        ({"sizes": [[8]]}, "sizes is .*; expected nothing, or pairs of height and width"),
        ({"fill": [0.5]}, "fill is .*; expected nothing, or a number for each channel"),
    ],
    ids=str,
)
def test_bad_descriptions(node, change, message):
    _, (description, weights) = described(patchwork())
    with pytest.raises(RuntimeError, match=message):
        node({**description, **change}, weights, actions=[])


def rolled_out(nca, state, first, steps):
    fires = [hashed_fire(HEIGHT, WIDTH, first + t, SEED, 0.5) for t in range(steps)]
    return nca.rollout(state, steps, fire=fires.__getitem__)


TURNABLE = {
    "conv 5×5, dilated": lambda: weaver(kind=lambda c, f: ConvPerception(c, f, 5, 1)),
    "residual": lambda: weaver(kind=ResidualPerception),
    "sobel": lambda: weaver(kind=lambda c, f: SobelPerception(c), features=24),
}


@pytest.mark.parametrize("kind", TURNABLE)
@pytest.mark.parametrize("wasm", [True, False])
def test_a_turned_field_does_what_it_does_in_pytorch(node, kind, wasm):
    nca = TURNABLE[kind]()
    start = gray_canvas(nca, HEIGHT, WIDTH)
    model = describe(nca, HEIGHT, WIDTH, seed=SEED, start=start, turning=True)
    actions = [["steps", 6], ["turn", 75], ["steps", 6], ["turn", 45], ["steps", 6]]
    state = node(*model, actions=actions, wasm=wasm)["state"]
    wanted = rolled_out(nca, start, 0, 6)
    wanted = rolled_out(turned(nca, 75), wanted, 6, 6)
    wanted = rolled_out(turned(nca, 45), wanted, 12, 6)
    assert (state - wanted).abs().max() < 1e-4
    assert (rolled_out(nca, start, 0, 18) - wanted).abs().max() > 0.005


def test_a_turn_is_taken_back_outlives_a_reset_and_is_told(simulate):
    nca = weaver()
    start = gray_canvas(nca, HEIGHT, WIDTH)
    model = describe(nca, HEIGHT, WIDTH, seed=SEED, start=start, turning=True)
    steps = {"kind": "advance", "steps": 20, "budget": 1e9}
    turn = {"kind": "act", "event": {"kind": "turn", "degrees": 60}}
    plain = simulate(*model, steps, steps)["state"]
    back = simulate(*model, steps, turn, {"kind": "back"}, steps)
    assert torch.equal(back["state"], plain)
    assert back["degrees"] == 0
    both = simulate(*model, steps, turn, steps)
    assert both["degrees"] == 60
    assert (both["state"] - plain).abs().max() > 0.02
    seek = [{"kind": "seek", "step": 10}, {"kind": "advance", "steps": 30, "budget": 1e9}]
    assert torch.equal(simulate(*model, steps, turn, steps, *seek)["state"], both["state"])
    told = both["recorded"]
    replayed = simulate(*model, turn, {"kind": "replay", **told}, steps, steps)
    assert torch.equal(replayed["state"], both["state"])
    again = simulate(*model, steps, turn, {"kind": "reset"}, steps)
    assert again["degrees"] == again["recorded"]["degrees"] == 60
    (description, weights), from_turned = model, simulate(*model, turn, steps)["state"]
    assert torch.equal(again["state"], from_turned)
    begun = simulate({**description, "turns": 60}, weights, steps)["state"]
    assert torch.equal(begun, from_turned)


def test_what_cannot_be_turned(node):
    both = Patchwork([weaver(), weaver(3, lambda c, f: LocalAttention(c, f, 4))])
    with pytest.raises(TypeError, match="LocalAttention has no kernels to turn"):
        describe(both, HEIGHT, WIDTH, rules=["a", "b"], turning=True)
    description, weights = describe(both, HEIGHT, WIDTH, rules=["a", "b"])
    for turns in (0, "east"):
        with pytest.raises(RuntimeError, match="turns is .*; expected nothing, or degrees where"):
            node({**description, "turns": turns}, weights, actions=[])


def test_targets_would_need_alpha():
    with pytest.raises(ValueError, match="targets are RGBA, and this automaton is RGB"):
        describe(weaver(), HEIGHT, WIDTH, targets=torch.rand(1, 4, HEIGHT, WIDTH))


def test_a_start_of_another_dtype_is_the_same_start():
    """NumPy's and ``torch.linspace``'s numbers are often double; the page keeps halves."""
    start = gray_canvas(weaver(), HEIGHT, WIDTH)
    assert to_html(weaver(), HEIGHT, WIDTH, start=start.double()) == to_html(
        weaver(), HEIGHT, WIDTH, start=start
    )
