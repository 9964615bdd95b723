"""How an automaton that grows a picture of any resolution is measured.

Several rollouts grow from one cell, each with its own coins. Their pictures are decoded at several
*factors*, pixels along a cell, each compared with the drawing at that size (its pixels averaged
over squares): mean squared error of premultiplied RGBA in [0, 1], and LPIPS on white.

- *stage1*: the mean over steps 64–96, every eighth; *grown*: step 149.
- *Recovery* (eq. 3) at the largest factor: after step 149 half of the cells are erased, the right,
  bottom, left or top half in turn; *final* is step 449.
- *Alive*: without damage until step 1,000, how many states are still within bounds, and the
  distances there.
- *Beside*: other pictures of the same drawing at the largest size, such as small ones, enlarged.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor

from ncabook.automaton import first_cell
from ncabook.automaton.perception import check_sizes
from ncabook.evaluation.counts import flops_per_cell, flops_per_point
from ncabook.evaluation.harm import damage_masks
from ncabook.evaluation.perceptual import METRICS, distances
from ncabook.evaluation.recovery import bootstrap, bootstrap_interval, recovery
from ncabook.training.evolving import MOST_KEPT
from ncabook.training.fine_model import FineModel


@dataclass(frozen=True)
class FineProtocol:
    """When to look.

    Attributes:
        seeds: rollouts.
        stage1: first and last step of the training's horizon.
        every: steps between two looks there.
        perturb: half is erased after this step.
        final: the last step after that.
        long: the last step without damage.
        version: of this protocol.

    """

    seeds: int = 8
    stage1: tuple[int, int] = (64, 96)
    every: int = 8
    perturb: int = 149
    final: int = 449
    long: int = 1000
    version: int = 1

    def __post_init__(self) -> None:
        check_sizes(seeds=self.seeds, every=self.every)
        moments = (*self.stage1, self.perturb, self.final, self.long)
        if list(moments) != sorted(moments) or moments[0] < 0:
            raise ValueError(
                f"stage1, perturb, final and long are {moments}; expected them to rise from 0"
            )


@torch.no_grad()
def evaluate_fine(
    model: FineModel,
    cells: int,
    truths: dict[int, Tensor],
    beside: dict[str, Tensor] | None = None,
    protocol: FineProtocol | None = None,
    seed: int = 0,
) -> dict[str, Any]:
    """Measures automaton and decoder, on the CPU.

    Args:
        model: both.
        cells: side of the grid.
        truths: by factor the drawing, premultiplied RGBA ``[4, factor · cells, factor · cells]``.
        beside: by name other pictures of it, ``[N, 4, side, side]`` at the largest size.
        protocol: when to look.
        seed: of the coins.

    Raises:
        ValueError: a drawing that is not as large as its factor says.

    """
    rules = protocol or FineProtocol()
    for factor, truth in truths.items():
        side = factor * cells
        if truth.shape != (4, side, side):
            raise ValueError(
                f"a drawing of shape {list(truth.shape)} for factor {factor}; expected "
                f"{[4, side, side]}"
            )
    model = model.to("cpu").eval()
    generator = torch.Generator().manual_seed(seed)
    largest = max(truths)

    def advance(state: Tensor, steps: int) -> Tensor:
        return model.nca.rollout(state, steps, generator=generator) if steps else state

    def looks(state: Tensor, factor: int) -> dict[str, Tensor]:
        parts = [distances(model(one, factor), truths[factor]) for one in state.split(1)]
        return {name: torch.cat([part[name] for part in parts]) for name in METRICS}

    state, now = first_cell(model.nca.layout, cells, cells, rules.seeds), 0
    horizon: dict[int, list[dict[str, Tensor]]] = {factor: [] for factor in truths}
    first, last = rules.stage1
    for step in range(first, last + 1, rules.every):
        state, now = advance(state, step - now), step
        for factor, seen in horizon.items():
            seen.append(looks(state, factor))
    state = advance(state, rules.perturb - now)
    grown = {factor: looks(state, factor) for factor in truths}
    hurt = state * damage_masks(rules.seeds, cells, cells)
    damaged = looks(hurt, largest)
    final = looks(advance(hurt, rules.final - rules.perturb), largest)
    end = advance(state, rules.long - rules.perturb)
    bounded = end.isfinite().flatten(1).all(1) & (end.abs().amax((1, 2, 3)) <= MOST_KEPT)
    sizes = {
        factor: {
            "side": factor * cells,
            "stage1": {k: float(torch.stack([s[k] for s in seen]).mean()) for k in METRICS},
            "grown": with_interval(grown[factor]),
        }
        for factor, seen in horizon.items()
    }
    return {
        "protocol": asdict(rules) | {"stage1": [*rules.stage1]},
        **sizes.pop(largest),
        "smaller": {str(factor): values for factor, values in sizes.items()},
        "recovery": {
            name: {
                "damaged": float(damaged[name].mean()),
                "final": float(final[name].mean()),
                "percent": recovery(grown[largest][name], damaged[name], final[name]),
                "interval": list(
                    bootstrap_interval(grown[largest][name], damaged[name], final[name])
                ),
            }
            for name in METRICS
        },
        "alive": {
            "alive": int(bounded.sum()),
            "of": rules.seeds,
            **{name: float(v.mean()) for name, v in looks(end, largest).items()},
        },
        "beside": {
            name: with_interval(distances(pictures, truths[largest]))
            for name, pictures in (beside or {}).items()
        },
        **costs(model, cells, truths),
    }


def costs(model: FineModel, cells: int, factors: Iterable[int]) -> dict[str, Any]:
    """Learned numbers, and multiply-adds: of a step, of decoding a picture, of both together.

    Pictures are counted by factor; a *frame* is a step and a picture at the largest one.
    """
    step = flops_per_cell(model.nca) // 2 * cells**2
    point = flops_per_point(model.decoder) // 2
    pictures = {factor: point * (factor * cells) ** 2 for factor in factors}
    return {
        "parameters": {
            "automaton": model.nca.parameter_count,
            "decoder": model.decoder.parameter_count,
        },
        "multiply_adds": {
            "step": step,
            "picture": {str(factor): count for factor, count in pictures.items()},
            "frame": step + pictures[max(pictures)],
        },
    }


def with_interval(values: dict[str, Tensor]) -> dict[str, Any]:
    """Means of ``[N]``, each with its 95 % bootstrap interval."""
    found: dict[str, Any] = {}
    for name, each in values.items():
        found[name] = float(each.mean())
        found[f"{name}_interval"] = list(bootstrap(lambda v: float(v.mean()), each))
    return found
