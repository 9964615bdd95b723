"""The page's engine covers canvases: red, green and blue, no dead cells, no seed."""

import pytest
import torch

from ncabook.automaton import NCA, ChannelLayout, ConvPerception, MLPUpdate, hashed_fire
from ncabook.live import describe
from ncabook.training.texture import gray_canvas

pytestmark = pytest.mark.node
HEIGHT, WIDTH, SEED = 7, 10, 5


def weaver():
    """An automaton of three colours, in numbers that float16 holds."""
    torch.manual_seed(2)
    layout = ChannelLayout(visible=3, hidden=5)
    update = MLPUpdate(12, layout.channels, [8])
    torch.nn.init.normal_(update.layers[-1].weight, std=0.1)
    nca = NCA(layout, ConvPerception(layout.channels, 12), update, 0.5, None).half().float()
    return nca.requires_grad_(False)


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


def test_targets_would_need_alpha():
    with pytest.raises(ValueError, match="targets are RGBA, and this automaton is RGB"):
        describe(weaver(), HEIGHT, WIDTH, targets=torch.rand(1, 4, HEIGHT, WIDTH))
