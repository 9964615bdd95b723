"""bfloat16 where it is safe: PyTorch's own convolutions of it read out of bounds on some CPUs."""

import pytest
import torch

from ncabook.automaton import NCA, ChannelLayout, ConvPerception, MLPUpdate, precision


def automaton():
    """The kind that died: more channels than 16, no multiple of it, and a wide dilation."""
    torch.manual_seed(0)
    return NCA(ChannelLayout(4, 20), ConvPerception(24, 16, dilation=4), MLPUpdate(16, 24, [16]))


def gradients(nca, low):
    state = torch.rand(2, 24, 16, 16, generator=torch.Generator().manual_seed(1))
    fires = torch.rand(3, 1, 1, 16, 16, generator=torch.Generator().manual_seed(2)) < 0.5
    with torch.autocast("cpu", torch.bfloat16, enabled=low):
        end = nca.rollout(state, 3, fire=fires.__getitem__)
    return [end, *torch.autograd.grad(end.square().sum(), nca.parameters())]


@pytest.mark.parametrize("amx", [False, True])
def test_a_plain_step_multiplies_bfloat16_by_amx_only(monkeypatch, amx):
    """Elsewhere a plain rollout under autocast is float32's, to the bit; gradients, too."""
    monkeypatch.setattr(precision, "has_amx", lambda: amx)
    nca = automaton()
    same = [
        torch.equal(a, b) for a, b in zip(gradients(nca, True), gradients(nca, False), strict=True)
    ]
    assert all(same) is not amx


@pytest.mark.parametrize(
    ("flags", "allowed", "there"),
    [
        ("avx512_bf16 amx_bf16", "", True),
        ("avx512_bf16 amx_bf16", "ALL", True),
        ("avx512_bf16 amx_bf16", "avx512_core_amx", True),
        ("avx512_bf16 amx_bf16", "AVX512_CORE_BF16", False),
        ("avx512_bf16", "", False),
    ],
)
def test_amx_is_told_by_the_processor_and_what_onednn_may_use(
    monkeypatch, tmp_path, flags, allowed, there
):
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text(f"flags : sse4_2 {flags} avx512f")
    monkeypatch.setattr(precision, "Path", lambda _: cpuinfo)
    if allowed:
        monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", allowed)
    else:
        monkeypatch.delenv("ONEDNN_MAX_CPU_ISA", raising=False)
    assert precision.has_amx() is there


def test_a_short_rollout_of_many_may_take_the_fused_step(monkeypatch):
    """A film's frames are a few steps each; counted one by one, none would be worth it."""
    asked = []
    nca = automaton()
    monkeypatch.setattr(
        nca, "step_function", lambda s, e, steps: asked.append(steps) or (lambda s, fire: s)
    )
    state = torch.rand(1, 24, 8, 8)
    nca.rollout(state, 6)
    nca.rollout(state, 6, ahead=6000)
    nca.rollout(state, 6, ahead=2)
    assert asked == [6, 6000, 6]
