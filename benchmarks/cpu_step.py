"""The compiled CPU step against the textbook step: one training step, paired.

    python benchmarks/cpu_step.py

writes ``benchmarks/cpu_step.json``. Two workloads of 32 steps on 64×64 cells: five classes
(condition of 5, batch 8) and Table 6's automaton (no condition, batch 16); each with all cells
alive, where only idle cells can be skipped, and with a living square of 35 % of the grid, about
what a grown emoji covers. A training step is forward, backward and Adam. Variants:

- reference: ``reference_rollout``, NCHW float32, condition concatenated;
- plain: ``NCA.rollout`` without the compiled step, channels last, condition folded, bfloat16;
- fused float32, fused bfloat16: the compiled step.

Every round runs each variant once, in rotated order; ratios are of the same round.
"""

import json
import statistics
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

import ncabook.automaton.nca as nca_module
from ncabook.automaton import NCA, ChannelLayout, ConvPerception, MLPUpdate
from ncabook.evaluation.reference import reference_rollout
from ncabook.evaluation.speed import gemm_peak, interleaved
from ncabook.experiments.provenance import provenance
from ncabook.files import write_atomically

STEPS, SIDE, REPEATS = 32, 64, 5
WORKLOADS = {"conditional, batch 8": (5, 8), "Table 6, batch 16": (0, 16)}
LIVING = {"all cells alive": 1.0, "35 % alive": 0.35}
ALWAYS, NEVER = 0, 10**18


def training_step(
    variant: str, nca: NCA, state: Tensor, fires: list[Tensor], condition: Tensor | None
) -> Callable[[], None]:
    """What is timed."""
    optimizer = torch.optim.Adam(nca.parameters(), 5e-4)

    def run() -> None:
        optimizer.zero_grad()
        nca_module.FUSED_FROM = ALWAYS if variant.startswith("fused") else NEVER
        if variant == "reference":
            after = reference_rollout(nca, state, fires, condition)
        else:
            low = variant != "fused float32"
            cells_last = state.to(memory_format=torch.channels_last)
            with torch.autocast("cpu", torch.bfloat16, enabled=low):
                after = nca.rollout(cells_last, STEPS, condition, fire=fires.__getitem__)
        after[:, :4].square().mean().backward()
        optimizer.step()

    return run


def measure(condition_channels: int, batch: int, living: float) -> dict[str, Any]:
    """All variants of one workload."""
    torch.manual_seed(0)
    perception = ConvPerception(16, 80, 3, 1, condition_channels)
    nca = NCA(ChannelLayout(visible=4, hidden=12), perception, MLPUpdate(80, 16, [80]))
    side = round(SIDE * living**0.5)
    state = torch.zeros(batch, 16, SIDE, SIDE)
    state[:, :, :side, :side] = torch.rand(batch, 16, side, side)
    state[:, 3, :side, :side] = 1.0  # alive, and far from the threshold
    fires = [torch.rand(batch, 1, SIDE, SIDE) < 0.5 for _ in range(STEPS)]
    condition = None
    if condition_channels:
        condition = torch.eye(condition_channels)[torch.arange(batch) % condition_channels]
    variants = {
        name: training_step(name, nca, state, fires, condition)
        for name in ("reference", "plain", "fused float32", "fused bfloat16")
    }
    timings = interleaved(variants, repeats=REPEATS, warmup=1)
    reference = timings["reference"].seconds
    # Multiply-adds of a cell, condition folded; × 2 operations, × 3 for forward and backward.
    per_cell = 2 * 3 * sum(w.numel() for w in (perception.conv.weight[:, :16],)) + 6 * sum(
        layer.weight.numel() for layer in nca.update.layers
    )
    dense = per_cell * batch * SIDE**2 * STEPS
    computed = dense * 0.5 * ((side + 2) ** 2 if side < SIDE else SIDE**2) / SIDE**2
    rows = {}
    for name, timing in timings.items():
        ratios = [r / s for r, s in zip(reference, timing.seconds, strict=True)]
        low, high = timing.quartiles
        rows[name] = {
            "seconds": {"median": timing.median, "quartiles": [low, high]},
            "times_faster": {
                "median": statistics.median(ratios),
                "least": min(ratios),
                "most": max(ratios),
            },
            # What a dense step would need, and what skipping leaves of it, per second.
            "dense_flop_per_second": dense / timing.median,
            "computed_flop_per_second": (computed if name.startswith("fused") else dense)
            / timing.median,
        }
    return rows


def main() -> None:
    """Measures all and writes the file."""
    record = {
        "what": "seconds of a training step, and how many times faster than the reference",
        **provenance("cpu"),
        "threads": torch.get_num_threads(),
        "gemm_peak": {
            "bfloat16": gemm_peak(torch.bfloat16),
            "float32": gemm_peak(torch.float32),
        },
        "workloads": {
            f"{name}, {alive}": measure(*sizes, living)
            for name, sizes in WORKLOADS.items()
            for alive, living in LIVING.items()
        },
    }
    text = json.dumps(record, indent=1, ensure_ascii=False) + "\n"
    write_atomically(Path(__file__).with_suffix(".json"), text.encode())
    for name, rows in record["workloads"].items():
        for variant, row in rows.items():
            print(
                f"{name:40} {variant:15} {row['seconds']['median']:7.3f} s "
                f"{row['times_faster']['median']:6.2f} ×"
            )


if __name__ == "__main__":
    main()
