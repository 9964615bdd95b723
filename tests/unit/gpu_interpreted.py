"""The fused step on the CPU, through Triton's interpreter; run by test_gpu.py.

In a process of its own, because TRITON_INTERPRET=1 has to be set before Triton is imported.
"""

import pytest
import torch

from ncabook.automaton import (
    NCA,
    ChannelLayout,
    ConvPerception,
    LocalAttention,
    MLPUpdate,
    MultiPerception,
    ResNetUpdate,
    SobelPerception,
    gpu,
)
from ncabook.automaton.gpu import supports
from ncabook.automaton.gpu.step import FusedStep
from ncabook.automaton.graphs import GraphedRollouts
from ncabook.evaluation.reference import reference_rollout, reference_step

CHANNELS, HEIGHT, WIDTH = 6, 6, 7  # 84 cells in two samples: a tile ends inside a sample
PERCEPTIONS = {
    "conv3": lambda d: ConvPerception(CHANNELS, 20, 3, 1, d),
    "conv5 dilated": lambda d: ConvPerception(CHANNELS, 12, 5, 2, d),
    "two blocks": lambda d: ConvPerception(CHANNELS, 130, 1, 1, d),
    "multi": lambda d: MultiPerception(
        [ConvPerception(CHANNELS, 20, 3, 1, d), ConvPerception(CHANNELS, 9, 3, 2, d)]
    ),
    "attention": lambda d: LocalAttention(CHANNELS, 20, 4, 3, d),
}


def automaton(name, condition=0, living=0.1, fixed=0, seed=0):
    """All parameters at random, none left at zero."""
    torch.manual_seed(seed)
    perception = PERCEPTIONS[name](condition)
    update = MLPUpdate(perception.out_channels, CHANNELS - fixed, [17])
    layout = ChannelLayout(visible=4, hidden=CHANNELS - 4 - fixed, fixed=fixed)
    nca = NCA(layout, perception, update, living_threshold=living)
    for parameter in nca.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    return nca


def situation(nca, seed=1):
    """A state of which much is dead, its condition and a fire mask."""
    generator = torch.Generator().manual_seed(seed)
    state = torch.rand(2, CHANNELS, HEIGHT, WIDTH, generator=generator)
    if nca.living_threshold is not None:
        state[:, nca.layout.alpha] *= torch.rand(2, HEIGHT, WIDTH, generator=generator) < 0.1
    width = nca.perception.condition_channels
    condition = torch.rand(2, width, generator=generator) if width else None
    return state, condition, torch.rand(2, 1, HEIGHT, WIDTH, generator=generator) < 0.5


def differentiated(step, nca, state, condition):
    """The result, and the gradients of state, condition and parameters."""
    nca.zero_grad()
    leaves = [x.clone().requires_grad_() for x in (state, condition) if x is not None]
    after = step(leaves[0], leaves[1] if condition is not None else None)
    (after * torch.linspace(-1, 1, after.numel()).view_as(after)).sum().backward()
    return [after.detach(), *(x.grad for x in (*leaves, *nca.parameters()))]


def fused(nca, fire, dtype):
    return lambda s, c: gpu.fused(nca, nca.perception.encode(c), dtype)(s, fire)


def relative(a, b):
    return ((a - b).norm() / b.norm()).item()


def doubled(x):
    return None if x is None else x.double()


@pytest.mark.parametrize(
    ("name", "condition", "living", "fixed"),
    [
        ("conv3", 0, 0.1, 0),
        ("conv3", 3, None, 1),
        ("conv5 dilated", 2, 0.1, 0),
        ("two blocks", 2, None, 0),
        ("multi", 0, None, 0),
        ("multi", 3, 0.1, 2),
        ("attention", 0, None, 0),
        ("attention", 3, 0.1, 1),
    ],
)
def test_float32_equals_the_textbook_forward_and_backward(name, condition, living, fixed):
    nca = automaton(name, condition, living, fixed)
    state, given, fire = situation(nca)
    results = differentiated(fused(nca, fire, torch.float32), nca, state, given)
    if living is not None:  # the masks are put to work
        assert 0 < (results[0][:, nca.layout.alpha] == 0).sum() < fire.numel()
    nca = nca.double()
    expected = differentiated(
        lambda s, c: reference_step(nca, s, c, fire), nca, doubled(state), doubled(given)
    )
    for got, wanted in zip(results, expected, strict=True):
        assert relative(got, wanted) < 1e-5


@pytest.mark.parametrize("name", ["conv3", "attention"])
def test_bfloat16_stays_close(name):
    """Of the gradients, all together: a feature near zero may change its sign, and its slope."""
    nca = automaton(name, 2, living=None)
    state, given, fire = situation(nca)
    results = differentiated(fused(nca, fire, torch.bfloat16), nca, state, given)
    nca = nca.double()
    expected = differentiated(
        lambda s, c: reference_step(nca, s, c, fire), nca, doubled(state), doubled(given)
    )
    assert relative(results[0], expected[0]) < 1e-2
    gradients = [torch.cat([g.flatten() for g in r[1:]]) for r in (results, expected)]
    assert relative(*gradients) < 1e-2


def test_one_fire_mask_for_all_samples_and_any_memory_format():
    nca = automaton("conv3")
    state, _, fire = situation(nca)
    step = FusedStep(nca, None, torch.float32)
    expected = step(state, fire[:1].expand_as(fire))
    assert torch.equal(
        step(state.contiguous(memory_format=torch.channels_last), fire[:1]), expected
    )
    with pytest.raises(ValueError, match=r"fire mask of shape \[3, 1, 6, 7\]"):
        step(state, fire[[0, 0, 1]])


def test_same_bits_every_time():
    nca = automaton("multi", 2)
    state, given, fire = situation(nca)
    first, second = (
        [x.clone() for x in differentiated(fused(nca, fire, torch.bfloat16), nca, state, given)]
        for _ in range(2)
    )
    assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))


def test_autograd_keeps_little_more_than_the_states():
    """At most 20 floats per cell and step at 16 channels; here for 6: 6 and two bytes."""
    nca = automaton("conv3")
    state, _, fire = situation(nca)
    step = FusedStep(nca, None)
    kept = []
    with torch.autograd.graph.saved_tensors_hooks(lambda x: kept.append(x) or x, lambda x: x):
        step(state, fire)
    assert sum(x.nbytes for x in kept) == fire.numel() * (4 * CHANNELS + 2)


@pytest.mark.parametrize("name", ["conv3", "attention"])
def test_rollouts_without_cuda_run_one_by_one(name):
    nca = automaton(name, 2)
    state, given, fire = situation(nca)
    fires = torch.stack([fire, ~fire])
    rollouts = GraphedRollouts(nca, torch.float32)
    results = differentiated(lambda s, c: rollouts(s, 2, c, fires=fires), nca, state, given)
    nca = nca.double()
    expected = differentiated(
        lambda s, c: reference_rollout(nca, s, list(fires), c), nca, doubled(state), doubled(given)
    )
    for got, wanted in zip(results, expected, strict=True):
        assert relative(got, wanted) < 1e-5


def test_rollouts_that_are_not_covered_are_plain():
    layout = ChannelLayout(visible=4, hidden=2)
    nca = NCA(layout, SobelPerception(CHANNELS), MLPUpdate(18, CHANNELS, [8]))
    state, _, fire = situation(nca)
    after = GraphedRollouts(nca)(state, 2, fires=torch.stack([fire, fire]))
    assert torch.equal(after, nca.rollout(state, 2, fire=lambda t: fire))


def test_supports_says_no_to_what_the_kernels_do_not_cover():
    nca = automaton("conv3", 2)
    state, given, _ = situation(nca)
    encode = nca.perception.encode
    assert supports(nca, state, encode(given))
    assert not supports(nca, state.double(), encode(given))
    assert not supports(nca, state, encode(given[:, :, None, None].expand(2, 2, HEIGHT, WIDTH)))
    assert not supports(nca, state[..., :0], encode(given))
    layout = nca.layout
    for perception, update in (
        (SobelPerception(CHANNELS), MLPUpdate(18, CHANNELS)),
        (ConvPerception(CHANNELS, 8), MLPUpdate(8, CHANNELS, [8, 8])),
        (ConvPerception(CHANNELS, 8), MLPUpdate(8, CHANNELS, [129])),
        (ConvPerception(CHANNELS, 8), ResNetUpdate(8, CHANNELS, 8)),
        (LocalAttention(CHANNELS, 136), MLPUpdate(136, CHANNELS)),
    ):
        other = NCA(layout, perception, update)
        assert not supports(other, state, None)


def test_a_step_that_computes_something_else_is_not_trusted(monkeypatch, caplog):
    """On a GPU nobody has tried, a miscompiled kernel must not train anything."""
    nca = automaton("conv3")
    device = torch.device("cpu")
    assert gpu.trusted(nca, device)
    monkeypatch.setattr(gpu, "_verdicts", {})
    monkeypatch.setattr(gpu, "fused", lambda *_: lambda state, fire: nca.step(state) * 1.2)
    assert not gpu.trusted(nca, device)
    assert "results differ by" in caplog.text


def test_dtypes_other_than_two_are_refused():
    with pytest.raises(ValueError, match=r"float16; expected torch.bfloat16 or torch.float32"):
        FusedStep(automaton("conv3"), None, torch.float16)
