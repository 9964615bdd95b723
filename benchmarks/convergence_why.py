"""Why the optimisers differ: what a gradient's matrix looks like, and what each makes of it.

    python benchmarks/convergence_why.py --output benchmarks/convergence_why.json

Trains five emojis with Adam, Muon and SOAP from the same weights and batches, and records, as
training goes on: the effective rank of the first layer's gradient and of the update that the
optimiser made of it (exp of the entropy of the squared singular values' shares; Roy and
Vetterli 2007), and how far apart the classes' grown images are.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import torch
from convergence import TASKS, Run
from torch import Tensor

from ncabook.automaton import centre_seed
from ncabook.experiments.provenance import provenance
from ncabook.files import write_atomically
from ncabook.reading import parse
from ncabook.tasks import GrowthExperiment, build_network
from ncabook.training.growth import GrowthLearner
from ncabook.training.loop import Loop

EVERY = 25


def effective_rank(matrix: Tensor) -> float:
    """Of a matrix: from 1 (one direction has it all) to its rank (all directions alike)."""
    energy = torch.linalg.svdvals(matrix.double()).square()
    if not energy.any():
        return 0.0  # SOAP's first update
    share = energy / energy.sum()
    return float(torch.exp(-(share * share.clamp_min(1e-300).log()).sum()))


@torch.no_grad()
def class_distance(trainer: GrowthLearner) -> float:
    """Mean squared difference between the images of two classes, as a share of the targets'."""
    count, _, height, width = trainer.targets.shape
    state = centre_seed(trainer.nca.layout, height, width, count)
    generator = torch.Generator().manual_seed(0)
    grown = trainer.nca.rollout(state, 30, torch.eye(count), generator=generator)

    def spread(images: Tensor) -> float:
        return float((images[:, None] - images[None]).square().mean())

    return spread(grown[:, trainer.nca.layout.visible_slice]) / spread(trainer.targets)


def record(optimizer: str, rate: float, seed: int, iterations: int) -> dict[str, Any]:
    """One training's record."""
    experiment = parse(
        GrowthExperiment,
        {
            "name": "why",
            "title": optimizer,
            "seed": seed,
            **TASKS[Run().task],
            "training": {
                "iterations": 600,
                "batch": 8,
                "steps": {"min": 24, "max": 36},
                "optimizer": {"kind": optimizer, "learning_rate": rate},
                "warmup": 50,
                "overflow": 0.1,
                "precision": "bfloat16",
            },
        },
        "convergence_why.py",
    )
    torch.manual_seed(seed)
    nca = build_network(experiment)
    trainer = GrowthLearner(nca, experiment.data.build(), experiment.training, seed)
    loop = Loop(trainer)
    weight = nca.perception.conv.weight
    rows = []
    for iteration in range(iterations + 1):
        before = weight.detach().clone()
        loss = loop.step()
        if iteration % EVERY == 0:
            condition = weight.grad[:, nca.perception.state_channels :].square().sum()
            rows.append(
                {
                    "iteration": iteration,
                    "loss": loss,
                    "gradient_rank": effective_rank(weight.grad.flatten(1)),
                    "update_rank": effective_rank((weight.detach() - before).flatten(1)),
                    "condition_share": float(condition / weight.grad.square().sum()),
                    "class_distance": class_distance(trainer),
                }
            )
    return {"optimizer": optimizer, "learning_rate": rate, "seed": seed, "rows": rows}


def main(output: Path) -> None:
    """All records, and where they were made."""
    torch.set_num_threads(1)
    runs = [
        record(kind, rate, seed, 300)
        for seed in (0, 1, 2)
        for kind, rate in (("adam", 2e-3), ("muon", 0.012), ("soap", 6e-3))
    ]
    text = json.dumps({"runs": runs, **provenance("cpu")}, indent=1)
    write_atomically(output, text.encode())


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--output", type=Path, required=True)
    main(parser.parse_args().output)
