"""How long a training step and a rollout take on a GPU, and how far that is from the floor.

``python benchmarks/gpu_step.py --output benchmarks/gpu_step.json`` measures the workload of the
paper's Table 6: 64×64 cells, batch 16, 32 steps, 16 channels, 80 features, 80 hidden units, fire
rate ½, living mask. A training step is the rollout, the mean square of the four visible channels
and the backward pass, without optimiser. Four versions take turns, round by round, so that a
disturbance hits all: the textbook step, ``NCA.rollout`` (both float32, with the tf32 that PyTorch
uses by default), fused steps, and fused steps in a CUDA graph (bfloat16). Reported are the median
and range over the rounds. Every version's first rollout is compared with the textbook's.

The floor is the larger of two times. Operations, 2 per multiplication and addition of the matrix
products, four times the forward pass's (forward, recomputing, two gradients), over the rate that
a large bfloat16 product reaches here. Bytes, the states, masks and random numbers that a step has
to read or write at least once, over the bandwidth that a large copy reaches here.
"""

import argparse
import json
import statistics
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ncabook.automaton import (
    NCA,
    ChannelLayout,
    ConvPerception,
    LocalAttention,
    MLPUpdate,
    MultiPerception,
)
from ncabook.evaluation.reference import reference_rollout
from ncabook.experiments.provenance import provenance

SIDE, BATCH, STEPS, CHANNELS, WIDTH = 64, 16, 32, 16, 80
CELL_STEPS = SIDE * SIDE * BATCH * STEPS
ROUNDS, WARM_UPS, LONG = 15, 3, 256
TARGETS = {"conv": 6.0, "attention": 25.0}
"""Milliseconds for a training step, one H100."""
ROLLOUT_TARGET = 20_000
"""Steps per second, one sample of 64×64 cells."""
PERCEPTIONS: dict[str, Callable[[], torch.nn.Module]] = {
    "conv": lambda: ConvPerception(CHANNELS, WIDTH),
    "multi": lambda: MultiPerception(
        [ConvPerception(CHANNELS, WIDTH, 3, 1), ConvPerception(CHANNELS, WIDTH, 5, 2)]
    ),
    "attention": lambda: LocalAttention(CHANNELS, WIDTH),
}


def automaton(name: str) -> NCA:
    """A freshly initialised automaton on the GPU."""
    torch.manual_seed(0)
    perception = PERCEPTIONS[name]()
    update = MLPUpdate(perception.out_channels, CHANNELS, [WIDTH])
    return NCA(ChannelLayout(visible=4, hidden=CHANNELS - 4), perception, update).cuda()


def operations(name: str) -> int:
    """Floating-point operations of one cell's step forward, matrix products only."""
    perceive = {
        "conv": CHANNELS * 9 * WIDTH,
        "multi": CHANNELS * (9 + 25) * WIDTH,
        # Queries, keys, values; logits and weighted sums of nine neighbours; projection.
        "attention": 3 * CHANNELS * WIDTH + 2 * 9 * WIDTH + WIDTH * WIDTH,
    }[name]
    features = 2 * WIDTH if name == "multi" else WIDTH
    return 2 * (perceive + features * WIDTH + WIDTH * CHANNELS)


def smallest_traffic() -> int:
    """Bytes per cell and training step of the automaton, at least.

    Forward: read the state, write the next, read the fire bit and write the living bit, a byte
    each. Backward: read the state and both bits, read a gradient and write one. A random number
    is written and read once for every fire bit, and the bit written.
    """
    state = 4 * CHANNELS
    return 2 * state + 2 + 3 * state + 2 + 4 + 4 + 1


def milliseconds(work: Callable[[], Any]) -> float:
    """Of one call, between two events on the device."""
    start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    start.record()
    work()
    end.record()
    end.synchronize()
    return start.elapsed_time(end)


def summary(values: list[float]) -> dict[str, Any]:
    """Median and range."""
    digits = [round(v, 3) for v in (statistics.median(values), min(values), max(values))]
    return {"median": digits[0], "range": digits[1:]}


def in_turn(versions: dict[str, Callable[[], Any]]) -> dict[str, list[float]]:
    """Milliseconds of every version, round by round, after warming up."""
    times: dict[str, list[float]] = {name: [] for name in versions}
    for turn in range(WARM_UPS + ROUNDS):
        for name, work in versions.items():
            elapsed = milliseconds(work)
            if turn >= WARM_UPS:
                times[name].append(elapsed)
    return times


def ceilings() -> dict[str, float]:
    """What this device reaches: bytes per second copying, operations per second multiplying."""
    source = torch.randn(2**28, device="cuda")
    target = torch.empty_like(source)
    a, b = (torch.randn(8192, 8192, device="cuda", dtype=torch.bfloat16) for _ in range(2))
    times = in_turn({"copy": lambda: target.copy_(source), "product": lambda: a @ b})
    return {
        "copy_bytes_per_s": 2 * source.nbytes / statistics.median(times["copy"]) * 1e3,
        "bf16_flop_per_s": 2 * 8192**3 / statistics.median(times["product"]) * 1e3,
    }


def rollouts(nca: NCA) -> dict[str, Callable[[Tensor, Tensor], Tensor]]:
    """The four versions, as functions of a state and ``[steps, B, 1, H, W]`` fire masks."""
    from ncabook.automaton.graphs import GraphedRollouts, one_by_one

    graphed = GraphedRollouts(nca)
    return {
        "reference": lambda s, fires: reference_rollout(nca, s, list(fires)),
        "eager": lambda s, fires: nca.rollout(s, len(fires), fire=lambda t: fires[t]),
        "fused": lambda s, fires: one_by_one(nca, s, fires, None, torch.bfloat16),
        "fused and graphed": lambda s, fires: graphed(s, len(fires), fires=fires),
    }


def draw(steps: int, batch: int, rate: float) -> Tensor:
    """Fire masks ``[steps, batch, 1, SIDE, SIDE]``."""
    return torch.rand(steps, batch, 1, SIDE, SIDE, device="cuda") < rate


def training(name: str, limits: dict[str, float]) -> dict[str, Any]:
    """Times of a training step, floor, peak memory and deviation from the textbook."""
    nca = automaton(name)
    state = torch.rand(BATCH, CHANNELS, SIDE, SIDE, device="cuda")
    versions = rollouts(nca)

    def step(rollout: Callable[[Tensor, Tensor], Tensor]) -> Callable[[], None]:
        def work() -> None:
            nca.zero_grad()
            after = rollout(state, draw(STEPS, BATCH, nca.fire_rate))
            after[:, nca.layout.visible_slice].square().mean().backward()

        return work

    masks = draw(STEPS, BATCH, nca.fire_rate)
    with torch.no_grad():
        results = {version: rollout(state, masks) for version, rollout in versions.items()}
    expected = results["reference"]
    work = {version: step(rollout) for version, rollout in versions.items()}
    times = in_turn(work)
    peak = {}
    for version, function in work.items():
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
        function()
        # A graph's memory was taken when it was recorded; its states count all the same.
        peak[version] = round((torch.cuda.max_memory_allocated() - before) / 2**20, 1)
    compute = 4 * operations(name) * CELL_STEPS / limits["bf16_flop_per_s"] * 1e3
    traffic = smallest_traffic() * CELL_STEPS / limits["copy_bytes_per_s"] * 1e3
    return {
        "floor_ms": {"operations": round(compute, 3), "bytes": round(traffic, 3)},
        "target_ms": TARGETS.get(name),
        "versions": {
            version: {
                "ms": summary(values),
                "times_the_floor": round(statistics.median(values) / max(compute, traffic), 1),
                "speed_up_over_reference": summary(
                    [r / v for r, v in zip(times["reference"], values, strict=True)]
                ),
                "peak_MiB_beyond_what_was_held": peak[version],
                "deviation": float((results[version] - expected).norm() / expected.norm()),
            }
            for version, values in times.items()
        },
    }


def inference(name: str) -> dict[str, Any]:
    """Steps per second at batch 1, fire masks drawn anew for every rollout."""
    nca = automaton(name)
    state = torch.rand(1, CHANNELS, SIDE, SIDE, device="cuda")
    with torch.no_grad():
        work = {
            version: lambda rollout=rollout: rollout(state, draw(LONG, 1, nca.fire_rate))
            for version, rollout in rollouts(nca).items()
        }
        times = in_turn(work)
    return {v: summary([1e3 * LONG / t for t in values]) for v, values in times.items()}


def main() -> None:
    """Measures everything and writes the file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=Path(__file__).with_suffix(".json"))
    output = parser.parse_args().output
    if not torch.cuda.is_available():
        raise SystemExit("gpu_step.py measures a CUDA device, and there is none here")
    import triton

    limits = ceilings()
    record = {
        "what": "milliseconds per training step and steps per second, Table 6's workload",
        **provenance("cuda"),
        "triton": triton.__version__,
        "rounds": ROUNDS,
        "ceilings": limits,
        "training": {name: training(name, limits) for name in PERCEPTIONS},
        "steps_per_second_at_batch_1": {
            "target": ROLLOUT_TARGET,
            **{name: inference(name) for name in PERCEPTIONS},
        },
    }
    output.write_text(json.dumps(record, indent=2) + "\n")
    print(json.dumps(record, indent=2))


if __name__ == "__main__":
    main()
