"""Which choices make training converge sooner: every run's loss curve, by iteration and second.

    python benchmarks/convergence.py --output benchmarks/convergence.json

Two tasks: five emojis with a learned 3×3 convolution and a class condition, and one emoji with
fixed Sobel filters. Runs already in the output are skipped, so an interrupted study goes on.
One thread, so that runs on other cores disturb little; times are of training steps only.
"""

import argparse
import dataclasses
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ncabook.experiments.provenance import provenance
from ncabook.files import write_atomically
from ncabook.reading import parse
from ncabook.tasks import GrowthExperiment, build_network
from ncabook.training.growth import GrowthLearner
from ncabook.training.learner import TrainingDivergedError
from ncabook.training.loop import Loop
from ncabook.training.pool import Sample

TASKS: dict[str, dict[str, Any]] = {
    "five emojis, conv 3×3": {
        "data": {"glyphs": ["😀", "🦎", "🐠", "🦋", "🎄"], "size": 24, "padding": 4},
        "model": {
            "hidden_channels": 12,
            "perception": {"kind": "conv", "features": 80},
            "update": {"kind": "mlp", "hidden": [80]},
        },
    },
    "one emoji, Sobel": {
        "data": {"glyphs": ["🦎"], "size": 24, "padding": 4},
        "model": {
            "hidden_channels": 12,
            "perception": {"kind": "sobel"},
            "update": {"kind": "mlp", "hidden": [128]},
        },
    },
}
POOL = {"capacity": 128, "ratio": 0.75, "mutation": 0.34, "damage": 0.34}
EVERY = 10  # iterations per recorded loss, their mean


@dataclasses.dataclass(frozen=True)
class Run:
    """One training; the defaults are the book's."""

    task: str = "five emojis, conv 3×3"
    optimizer: str = "muon"
    learning_rate: float = 0.006
    iterations: int = 600
    warmup: int = 50
    seed: int = 0
    last_layer: str = "normal"  # or "zero"
    gradient: str = "clipped"  # or "normalised"
    steps: str = "fixed"  # or "growing"
    pool_delay: int | None = None  # None: no pool
    pool_replacement: str = "none"  # or "worst by seed"
    hidden: int | None = None  # width of the perception and of the update, if not 80

    @property
    def key(self) -> str:
        """What tells it from others."""
        given = dataclasses.asdict(self)
        default = dataclasses.asdict(Run())
        named = ("task", "optimizer", "learning_rate", "iterations", "seed")
        return ", ".join(f"{k}={v}" for k, v in given.items() if k in named or v != default[k])


class Other:
    """An optimiser that the book does not ship, with the interface of those that it does."""

    def __init__(self, optimizer: torch.optim.Optimizer) -> None:
        self.optimizer = optimizer
        self.rate = optimizer.param_groups[0]["lr"]

    def step(self, scale: float) -> None:
        """One update with the learning rate times ``scale``."""
        for group in self.optimizer.param_groups:
            group["lr"] = self.rate * scale
        self.optimizer.step()


class Normalised:
    """Every parameter's gradient divided by its norm first (Mordvintsev et al. 2020)."""

    def __init__(self, inner: Any, parameters: list[Tensor]) -> None:
        self.inner, self.parameters = inner, parameters

    def step(self, scale: float) -> None:
        """One update of the optimiser inside."""
        for p in self.parameters:
            p.grad /= p.grad.norm() + 1e-8
        self.inner.step(scale)


class WorstBySeed(GrowthLearner):
    """Of each batch drawn from the pool, the sample of largest loss starts as a seed again."""

    def batch(self) -> Sample:
        """As usual, with one sample replaced."""
        sample = super().batch()
        state, classes = sample["state"], sample["class"]
        visible = state[:, self.nca.layout.visible_slice]
        losses = (visible - self.targets[classes]).square().mean((1, 2, 3))
        losses[: len(state) - int(len(state) * self.config.pool.ratio)] = -1  # seeds already
        worst = int(losses.argmax())
        if losses[worst] >= 0:
            state[worst] = state[0]
        return sample


def train(run: Run) -> dict[str, Any]:
    """Trains; returns losses, seconds and what the run was."""
    kind = "adam" if run.optimizer == "adamw" else run.optimizer
    optimizer = {"kind": kind, "learning_rate": run.learning_rate}
    pool = None if run.pool_delay is None else {**POOL, "delay": run.pool_delay}
    task = json.loads(json.dumps(TASKS[run.task]))
    if run.hidden is not None:
        task["model"]["perception"]["features"] = run.hidden
        task["model"]["update"]["hidden"] = [run.hidden]
    if pool is not None and len(task["data"]["glyphs"]) == 1:
        pool["mutation"] = 0.0
    experiment = parse(
        GrowthExperiment,
        {
            "name": "convergence",
            "title": run.key,
            "seed": run.seed,
            **task,
            "training": {
                "iterations": run.iterations,
                "batch": 8,
                "steps": {"min": 24, "max": 36},
                "optimizer": optimizer,
                "warmup": run.warmup,
                "overflow": 0.1,
                "pool": pool,
                "precision": "bfloat16",
            },
        },
        "convergence.py",
    )
    torch.manual_seed(run.seed)
    nca = build_network(experiment)
    if run.last_layer == "zero":
        torch.nn.init.zeros_(nca.update.layers[-1].weight)
    kind = WorstBySeed if run.pool_replacement == "worst by seed" else GrowthLearner
    trainer = kind(nca, experiment.data.build(), experiment.training, run.seed)
    loop = Loop(trainer)
    parameters = list(nca.parameters())
    if run.optimizer == "adamw":
        trainer.optimizer = Other(torch.optim.AdamW(parameters, run.learning_rate))
    if run.gradient == "normalised":
        trainer.optimizer = Normalised(trainer.optimizer, parameters)
    losses: list[float] = []
    seconds: list[float] = []
    diverged = None
    window: list[float] = []
    spent = 0.0
    for iteration in range(run.iterations):
        if run.steps == "growing":
            longest = 12 + round(24 * min(1.0, 2 * iteration / run.iterations))
            trainer.config = experiment.training.model_copy(
                update={
                    "steps": experiment.training.steps.model_copy(
                        update={"min": max(8, longest - 12), "max": longest}
                    )
                }
            )
        started = time.perf_counter()
        try:
            window.append(loop.step())
        except TrainingDivergedError as error:
            diverged = {"iteration": iteration, "reason": str(error).split(";")[0]}
            break
        spent += time.perf_counter() - started
        if len(window) == EVERY:
            losses.append(sum(window) / EVERY)
            seconds.append(spent)
            window = []
    return {
        "run": dataclasses.asdict(run),
        "losses": [float(f"{x:.4g}") for x in losses],
        "seconds": [round(s, 2) for s in seconds],
        "diverged": diverged,
        "provenance": provenance("cpu"),
    }


def study() -> Iterator[Run]:
    """All runs: a learning-rate sweep of every optimiser, then seeds, tasks and single choices."""
    _, one = TASKS
    rates = {
        "muon": (0.003, 0.006, 0.012, 0.024),
        "adam": (1e-3, 2e-3, 4e-3, 8e-3),
        "soap": (2e-3, 6e-3, 0.012, 0.024),
    }
    best = {"muon": 0.012, "adam": 2e-3, "soap": 6e-3}
    for optimizer, several in rates.items():
        for rate in several:
            yield Run(optimizer=optimizer, learning_rate=rate)
    yield Run(optimizer="adamw", learning_rate=best["adam"])
    for seed in (1, 2):
        for optimizer, rate in best.items():
            yield Run(optimizer=optimizer, learning_rate=rate, seed=seed)
    for seed in (0, 1, 2):
        for optimizer, rate in best.items():
            yield Run(task=one, optimizer=optimizer, learning_rate=rate, seed=seed, iterations=400)
    for optimizer in ("soap", "muon", "adam"):
        yield Run(iterations=2000, optimizer=optimizer, learning_rate=best[optimizer])
    # Single choices, with Muon at half its best rate, where nothing diverges.
    for seed in (0, 1, 2):
        yield Run(seed=seed)
        yield Run(seed=seed, last_layer="zero")
        yield Run(seed=seed, gradient="normalised")
        yield Run(seed=seed, steps="growing")
        yield Run(optimizer="adam", learning_rate=2e-3, seed=seed, gradient="normalised")
    for seed in (0, 1):
        for delay, replacement in ((0, "none"), (300, "none"), (0, "worst by seed")):
            yield Run(pool_delay=delay, pool_replacement=replacement, seed=seed)
    for warmup in (1, 200):
        yield Run(warmup=warmup)
    for optimizer, rate in best.items():
        yield Run(iterations=2000, optimizer=optimizer, learning_rate=rate, pool_delay=500)
    for seed in (1, 2):
        yield Run(optimizer="soap", learning_rate=0.012, seed=seed)
    yield Run(iterations=6000, optimizer="adam", learning_rate=best["adam"])
    for seed in (1, 2):
        for optimizer, rate in best.items():
            yield Run(iterations=2000, optimizer=optimizer, learning_rate=rate, seed=seed)


def main(output: Path, runs: Callable[[], Iterator[Run]] = study) -> None:
    """Trains what is missing, one after another; saves after each."""
    torch.set_num_threads(1)
    results = json.loads(output.read_text()) if output.exists() else {}
    for run in runs():
        if run.key in results:
            continue
        results[run.key] = train(run)
        write_atomically(output, json.dumps(results, ensure_ascii=False, indent=1).encode())
        tail = results[run.key]["losses"][-5:] or [float("nan")]
        last = sum(tail) / len(tail)
        spent = (results[run.key]["seconds"] or [0])[-1]
        print(f"{last:.5f}  {spent:7.1f} s  {run.key}", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--output", type=Path, required=True)
    main(parser.parse_args().output)
