"""A derived or changed module never runs as its parent: its own code does, or it is refused."""

import pytest
import torch
from torch.nn.utils import parametrizations

from ncabook.automaton import (
    NCA,
    ChannelLayout,
    ConvPerception,
    MLPUpdate,
    MultiPerception,
    Patchwork,
)
from ncabook.automaton import (
    nca as module,
)
from ncabook.automaton.known import changed
from ncabook.automaton.rotation import turned
from ncabook.evaluation.counts import flops_per_cell
from ncabook.evaluation.reference import reference_step
from ncabook.live.decoding import compile_decoder
from ncabook.live.export import describe
from ncabook.live.onnx import to_onnx
from ncabook.live.program import Program
from ncabook.networks.vqvae import Decoder


class TanhPerception(ConvPerception):
    def forward(self, state, encoded=None):
        return torch.tanh(self.linear(state, encoded))


class TanhUpdate(MLPUpdate):
    def forward(self, features):
        return super().forward(features).tanh()


class Decaying(NCA):
    def step(self, state, condition=None, *, generator=None, fire=None):
        return 0.9 * super().step(state, condition, generator=generator, fire=fire)


def perception(nca):
    nca.perception = TanhPerception(8, 12)
    return nca


def branch(nca):
    nca.perception = MultiPerception([TanhPerception(8, 6), ConvPerception(8, 6)])
    return nca


def update(nca):
    nca.update = TanhUpdate(12, 8, [10])
    return nca


def automaton(nca):
    return Decaying(nca.layout, nca.perception, nca.update)


def hook(nca):
    nca.update.layers[0].register_forward_hook(lambda _m, _i, output: output * 0.5)
    return nca


def backward_hook(nca):
    nca.update.register_full_backward_pre_hook(lambda _m, gradient: gradient)
    return nca


def parametrisation(nca):
    parametrizations.weight_norm(nca.perception.conv)
    return nca


def method(nca):
    nca.update.forward = lambda features: torch.zeros_like(features)[:, :8]
    return nca


CHANGES = [perception, branch, update, automaton, hook, backward_hook, parametrisation, method]


@pytest.fixture(params=CHANGES, ids=lambda change: change.__name__)
def another(request, make_nca):
    """An automaton whose numbers alone do not say what it does."""
    return request.param(make_nca())


def test_what_was_made_here_is_known(make_nca):
    assert changed(make_nca()) is None
    assert changed(make_nca().train()) is None
    assert changed(Decoder(4, 3, 4, 1)) is None


def test_a_global_hook_changes_everything(make_nca):
    handle = torch.nn.modules.module.register_module_forward_hook(lambda *_: None)
    try:
        assert changed(make_nca()) == "a global hook of torch.nn"
    finally:
        handle.remove()
    assert changed(make_nca()) is None


def test_a_rollout_runs_its_own_code(another, monkeypatch):
    """To the bit, on grids where a fused step would do the work of a known one."""
    monkeypatch.setattr(module, "FUSED_FROM", 0)
    state = torch.rand(2, 8, 16, 16)
    fires = torch.rand(3, 1, 1, 16, 16) < 0.5
    expected = state
    for fire in fires:
        expected = another.step(expected, fire=fire)
    assert torch.equal(another.rollout(state, 3, fire=fires.__getitem__), expected)


@pytest.mark.parametrize(
    ("by", "use"),
    [
        ("reference_step", lambda nca: reference_step(nca, torch.rand(1, 8, 8, 8))),
        ("flops_per_cell", flops_per_cell),
        ("a turn", lambda nca: turned(nca, 90)),
        ("the live engine", lambda nca: describe(nca, 16, 16)),
    ],
    ids=["reference", "counts", "turn", "live"],
)
def test_whoever_replaces_its_code_refuses_it_by_name(another, by, use):
    with pytest.raises(TypeError, match=f"^{by} does not know .*; expected parts as ncabook makes"):
        use(another)


def test_onnx_and_patchwork_refuse_a_step_of_its_own(make_nca):
    own = automaton(make_nca(living_threshold=None))
    own.living_threshold = None
    with pytest.raises(TypeError, match="Decaying has a step of its own"):
        to_onnx(own)
    with pytest.raises(ValueError, match="an automaton has a step of its own"):
        Patchwork([own])


def test_the_gpu_knows_no_more_than_the_cpu(another, monkeypatch):
    """Whatever runs the kernels: the interpreter here, a GPU elsewhere."""
    gpu = pytest.importorskip("ncabook.automaton.gpu")
    monkeypatch.setattr(gpu, "_runs_on", lambda device: True)
    state = torch.rand(1, 8, 16, 16)
    plain = NCA(ChannelLayout(4, 4), ConvPerception(8, 12), MLPUpdate(12, 8, [10]))
    assert gpu.supports(plain, state, None)
    assert not gpu.supports(another, state, another.perception.encode(None))


@pytest.mark.parametrize("fault", ["no mask", "no gradient"])
def test_a_gpu_step_without_the_living_mask_is_not_trusted(make_nca, monkeypatch, fault):
    """The probe has dead cells in it, and reads gradients."""
    gpu = pytest.importorskip("ncabook.automaton.gpu")
    nca = make_nca()

    def fused(nca, encoded, dtype):
        return lambda state, fire: nca.without_mask(state, encoded, fire)

    def blind(nca, encoded, dtype):
        return lambda state, fire: nca.step(state.detach(), fire=fire) + 0 * state.sum()

    def right(nca, encoded, dtype):
        return lambda state, fire: nca.step(state, fire=fire)

    monkeypatch.setattr(gpu, "_verdicts", {})
    monkeypatch.setattr(gpu, "fused", fused if fault == "no mask" else blind)
    assert not gpu.trusted(nca, torch.device("cpu"))
    monkeypatch.setattr(gpu, "_verdicts", {})
    monkeypatch.setattr(gpu, "fused", right)
    assert gpu.trusted(nca, torch.device("cpu"))


def test_a_decoder_that_does_not_wrap_is_refused():
    """The engine's convolutions do: its picture would differ along the border."""
    decoder = Decoder(4, 3, 4, 1)
    compile_decoder(decoder, Program(8, 0), 0)
    for part in (decoder.first, decoder.stages[0].conv, decoder.last):
        part.padding_mode = "zeros"
        with pytest.raises(TypeError, match="the live engine does not know .*; expected 3×3"):
            compile_decoder(decoder, Program(8, 0), 0)
        part.padding_mode = "circular"
    decoder.stages[0].norm = torch.nn.GroupNorm(1, 4, affine=False)
    with pytest.raises(TypeError, match="GroupNorm.*expected one with weights"):
        compile_decoder(decoder, Program(8, 0), 0)
    decoder = Decoder(4, 3, 4, 1)
    decoder.last.register_forward_hook(lambda *_: None)
    with pytest.raises(TypeError, match="does not know last, a Wrapped with a hook"):
        compile_decoder(decoder, Program(8, 0), 0)
