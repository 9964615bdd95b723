"""ReLU beside LeakyReLU in the update: the same step everywhere, or the plain one."""

import pytest
import torch
import torch.nn.functional as F

from ncabook.automaton import (
    NCA,
    ChannelLayout,
    ConvPerception,
    MLPUpdate,
    SobelPerception,
    centre_seed,
    plant_seed,
)
from ncabook.automaton import nca as nca_module
from ncabook.automaton.cpu import listed
from ncabook.automaton.cpu import step as fused
from ncabook.automaton.gpu import _covers
from ncabook.evaluation.reference import reference_rollout
from ncabook.live import describe
from ncabook.reading import parse
from ncabook.tasks.parts import MLPConfig


def automaton(perception="sobel", activation="relu", **layout):
    torch.manual_seed(1)
    channels = ChannelLayout(visible=4, hidden=4, **layout)
    sees = SobelPerception(8) if perception == "sobel" else ConvPerception(8, 12)
    update = MLPUpdate(sees.out_channels, 8, [20, 10], activation)
    nca = NCA(channels, sees, update)
    for parameter in nca.parameters():
        torch.nn.init.normal_(parameter, std=0.15)
    return nca


@pytest.mark.parametrize("perception", ["sobel", "conv"])
@pytest.mark.parametrize("activation", ["leaky-relu", "relu"])
def test_a_rollout_is_that_of_the_textbook(monkeypatch, perception, activation):
    """Whatever way is taken: a step that knows 0.2 only would be far off."""
    monkeypatch.setattr(nca_module, "FUSED_FROM", 0)
    nca = automaton(perception, activation)
    state = torch.rand(1, 8, 12, 13)
    fires = [torch.rand(1, 1, 12, 13) < 0.5 for _ in range(8)]
    with torch.no_grad():
        wanted = reference_rollout(nca, state, fires)
        actual = nca.rollout(state, 8, fire=fires.__getitem__)
    assert wanted.abs().max() > 0.1
    assert (actual - wanted).abs().max() <= 1e-5 * wanted.abs().max()
    monkeypatch.setattr(nca.update, "activation", "relu" if activation != "relu" else "leaky-relu")
    other = nca.rollout(state, 8, fire=fires.__getitem__)
    assert (other - wanted).abs().max() > 1e-2


@pytest.mark.skipif("not fused.available()", reason="no C++ compiler here")
@pytest.mark.parametrize("perception", ["sobel", "conv"])
def test_the_compiled_step_of_a_cpu_knows_it(monkeypatch, perception):
    """With the gradients of the plain step: behind Sobel filters all is ReLU, else what follows."""
    nca = automaton(perception)
    assert fused.covers(nca, torch.float32, torch.float32)
    state = torch.rand(2, 8, 12, 13)
    fires = [torch.rand(1, 1, 12, 13) < 0.5 for _ in range(4)]
    found = []
    for least in (0, 10**12):
        monkeypatch.setattr(nca_module, "FUSED_FROM", least)
        given = state.clone().requires_grad_()
        nca.zero_grad()
        nca.rollout(given, 4, fire=fires.__getitem__).square().sum().backward()
        found.append([given.grad, *(p.grad for p in nca.parameters())])
    for compiled, plain in zip(*found, strict=True):
        assert (compiled - plain).abs().max() <= 1e-4 * plain.abs().max()


def test_a_gpus_step_leaves_it_alone_and_the_page_is_told():
    for perception in ("sobel", "conv"):
        assert not _covers(automaton(perception))
    nca = automaton("conv")
    assert listed.covers(nca, None, torch.float32)  # it calls the update itself
    description, _ = describe(nca, 12, 12)
    assert [op["slope"] for op in description["ops"]] == [0.2, 0.0, 0.0, 1.0]


def test_the_update_by_hand():
    update = automaton().update
    x = torch.randn(1, 24, 2, 2)
    y = x.permute(0, 2, 3, 1)
    for layer in update.layers[:-1]:
        y = F.relu(layer(y))
    wanted = update.layers[-1](y).permute(0, 3, 1, 2)
    assert torch.equal(update(x), wanted)
    with pytest.raises(ValueError, match="activation is 'tanh'; expected one of leaky-relu, relu"):
        MLPUpdate(8, 8, [4], "tanh")


def test_the_usual_one_is_not_written():
    """So that the cards, checkpoints and digests of before stay what they are."""
    usual = parse(MLPConfig, {"kind": "mlp", "hidden": [8]}, "here")
    assert usual.model_dump(mode="json") == {"kind": "mlp", "hidden": [8]}
    other = parse(MLPConfig, {"kind": "mlp", "hidden": [8], "activation": "relu"}, "here")
    assert other.model_dump(mode="json")["activation"] == "relu"
    assert other.build(8, 8).activation == "relu"


def test_a_seed_of_its_own():
    """Distill's: hidden channels and alpha 1. In Python, and told to the page."""
    cell = (0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0, 0.5)
    nca = automaton(seed=cell)
    state = centre_seed(nca.layout, 9, 10)
    assert state[0, :, 4, 5].tolist() == list(cell)
    assert state.sum() == sum(cell)
    assert plant_seed(state, nca.layout, 0, 0)[0, :, 0, 0].tolist() == list(cell)
    description, _ = describe(nca, 9, 10)
    assert description["seeds"] == [list(cell)]
    with pytest.raises(ValueError, match="seed has 3 numbers; expected 8"):
        ChannelLayout(visible=4, hidden=4, seed=(1.0, 0.0, 0.0))
