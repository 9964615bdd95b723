"""The tools behind every duration and every count of the book. Nothing here asserts a time."""

import time

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from ncabook.automaton import (
    NCA,
    AttentionBlock,
    ChannelLayout,
    ConvPerception,
    DeformablePerception,
    LocalAttention,
    MLPUpdate,
    MultiPerception,
    ResidualPerception,
    ResNetUpdate,
    SobelPerception,
)
from ncabook.evaluation import speed
from ncabook.evaluation.counts import flops_per_cell, saved_floats_per_cell_step, traffic
from ncabook.evaluation.reference import reference_step
from ncabook.evaluation.speed import (
    Timing,
    copy_bandwidth,
    gemm_peak,
    interleaved,
    peak_memory,
)

LAYOUT = ChannelLayout(visible=4, hidden=12)
PERCEPTIONS = {
    "conv3": lambda: ConvPerception(16, 80),
    "conv5 dilated": lambda: ConvPerception(16, 20, 5, 2),
    "sobel": lambda: SobelPerception(16, laplacian=True),
    "residual": lambda: ResidualPerception(16, 24),
    "multi": lambda: MultiPerception([ConvPerception(16, 80), SobelPerception(16)]),
    "local attention": lambda: LocalAttention(16, 80),
    "attention block": lambda: AttentionBlock(16, 80),
}
MIB = 2**20


def automaton(perception, resnet=False):
    width = perception.out_channels
    update = ResNetUpdate(width, 16, 32) if resnet else MLPUpdate(width, 16, [80])
    return NCA(LAYOUT, perception, update)


def test_variants_take_turns_and_none_always_comes_first():
    """A machine that slows down must not slow the same variant every time."""
    calls = []
    variants = {name: lambda name=name: calls.append(name) for name in "abc"}
    timings = interleaved(variants, repeats=3, warmup=1)
    assert "".join(calls) == "abcbcacababc"
    assert [len(t.seconds) for t in timings.values()] == [3, 3, 3]


def test_warmup_is_run_and_not_counted():
    delays = iter([0.05, 0.0, 0.0])
    timing = interleaved({"x": lambda: time.sleep(next(delays))}, repeats=2, warmup=1)["x"]
    assert max(timing.seconds) < 0.05


def test_timing_summaries():
    timing = Timing((5.0, 1.0, 3.0, 2.0, 4.0))
    assert timing.median == 3.0
    assert timing.quartiles == (2.0, 4.0)
    assert Timing((1.0,)).quartiles == (1.0, 1.0)


@pytest.mark.parametrize("bad", [{"repeats": 0}, {"warmup": -1}])
def test_nothing_to_time_is_refused(bad):
    with pytest.raises(ValueError, match="expected at least one"):
        interleaved({"x": lambda: None}, **bad)


def allocate(mebibytes, times):
    """Makes and drops blocks one after the other; a target for ``peak_memory``."""
    for _ in range(times):
        torch.ones(mebibytes * MIB, dtype=torch.uint8)


def test_peak_memory_is_the_peak_and_not_the_sum():
    """Three blocks of 64 MiB, one after the other, need 64 MiB."""
    peak = peak_memory(
        f"{__name__}:allocate", {"mebibytes": 64, "times": 3}, warmup={"mebibytes": 1}
    )
    assert 0.9 * 64 * MIB < peak < 1.25 * 64 * MIB


def test_peak_memory_says_what_went_wrong():
    with pytest.raises(ValueError, match="expected 'module:function'"):
        peak_memory("no colon")
    with pytest.raises(RuntimeError, match="status 1: .*unexpected keyword"):
        peak_memory(f"{__name__}:allocate", {"bytes": 1})


def test_ceilings_are_rates():
    """Per second, not per call: twice the size must not look twice as fast by construction."""
    assert gemm_peak(torch.float32) > 1e8
    small, large = copy_bandwidth(size=2**22), copy_bandwidth(size=2**26)
    assert 1e8 < large < 1e13
    assert 1e8 < small < 1e13


@pytest.mark.parametrize("resnet", [False, True])
@pytest.mark.parametrize("name", PERCEPTIONS)
def test_operations_by_hand_equal_those_that_pytorch_counts(name, resnet):
    """A wrong count would move every point of the roofline."""
    nca = automaton(PERCEPTIONS[name](), resnet)
    counter = FlopCounterMode(display=False)
    with torch.no_grad(), counter:
        nca.step(torch.rand(2, 16, 9, 10))
    cells = 2 * 9 * 10
    counted = counter.get_total_flops() / cells
    if "attention" in name:  # sums of products by *, which the counter does not see
        counted += 2 * 2 * 9 * nca.perception.projection.in_features
    assert flops_per_cell(nca) == counted


def test_the_paper_s_automaton_has_19200_multiply_adds():
    assert flops_per_cell(automaton(ConvPerception(16, 80))) == 2 * 19_200


def test_an_uncounted_perception_is_refused():
    with pytest.raises(TypeError, match="knows no DeformablePerception"):
        flops_per_cell(automaton(DeformablePerception(16, 80)))


def test_traffic_counts_operands_once_per_operation_and_no_views():
    x = torch.rand(10, 10)
    one = traffic(lambda: x.T.reshape(-1)[:50].view(5, 10) + 1)
    # The reshape of a transpose copies (100 read, 100 written), then 50 in and 50 out.
    assert one == (2, 4 * (100 + 100 + 50 + 50))


def test_saved_floats_of_the_textbook_step_follow_from_its_layers():
    """The padded state, both sides of two activations, two poolings of alpha, two masks."""
    nca = automaton(ConvPerception(16, 80))
    fire = torch.rand(1, 1, 32, 32) < 0.5
    saved = saved_floats_per_cell_step(nca, lambda s: reference_step(nca, s, fire=fire))
    padding = (34 / 32) ** 2
    pooling = padding + 2  # its input, and 64-bit indices
    assert saved == pytest.approx(16 * padding + 4 * 80 + 2 * pooling + 2 / 4, abs=0.1)


def test_in_place_activations_keep_half_as_much():
    """The package's own step must not fall back to keeping inputs and outputs."""
    nca = automaton(ConvPerception(16, 80))
    assert saved_floats_per_cell_step(nca) < 16 * (34 / 32) ** 2 + 2 * 80 + 20


def test_saved_floats_do_not_depend_on_the_batch():
    nca = automaton(SobelPerception(16))
    one, four = (saved_floats_per_cell_step(nca, batch=b) for b in (1, 4))
    assert one == pytest.approx(four, rel=0.02)


def test_a_ceiling_takes_seconds_where_products_are_slow():
    """A CPU that emulates bfloat16 took seven minutes for seven products of side 2,048."""
    assert speed._product_size(1e-4, 2048) == 2048
    assert speed._product_size(0.1, 2048) == 512
