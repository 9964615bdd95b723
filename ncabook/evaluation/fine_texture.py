"""How an automaton that covers a canvas at any resolution is measured.

As :mod:`ncabook.evaluation.texture` does: several canvases from nothing, each with its own coins;
the *style* is the sliced optimal transport (eq. 5) to the texture, with the same directions at
every look. Here it is taken at several *factors*, pixels along a cell, each against the texture at
that size.

- *short*: the mean over the training's window; *grown*: step 149; *shuffled*: the texture with its
  pixels in random order, for comparison.
- *Recovery* (eq. 3), of the style at the largest factor: half of the cells of a grown canvas are
  set to zero, once the right half and once the lower one; *final* is step 449.
- *Alive*: without damage until step 10,000: the style at the largest factor, the root mean square
  of the channels and that of what a step changes.
- *Elsewhere*: the style at step 149 of canvases of other sizes, at the largest factor.
"""

import math
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor

from ncabook.automaton import empty_state
from ncabook.automaton.perception import check_sizes
from ncabook.evaluation.fine import costs
from ncabook.evaluation.recovery import bootstrap_interval, recovery
from ncabook.evaluation.texture import HALVES
from ncabook.training.fine_model import FineModel
from ncabook.training.perturbation import half_mask
from ncabook.training.style import RECEPTIVE_FIELD, SHRINK, style_loss


@dataclass(frozen=True)
class FineTextureProtocol:
    """When to look, and at how much.

    Attributes:
        canvases: how many grow side by side.
        short: first and last step of the training's window.
        every: steps between two looks there.
        grown: the step after which halves are erased.
        final: the last step after that.
        long: steps without damage at which the canvas has to live.
        long_canvases: how many go that far.
        elsewhere: other canvases, height and width in cells.
        projections: directions of the style.
        version: of this protocol.

    """

    canvases: int = 4
    short: tuple[int, int] = (32, 54)
    every: int = 2
    grown: int = 149
    final: int = 449
    long: tuple[int, ...] = (1000, 10_000)
    long_canvases: int = 2
    elsewhere: tuple[tuple[int, int], ...] = ((16, 16), (24, 40))
    projections: int = 128
    version: int = 1

    def __post_init__(self) -> None:
        check_sizes(
            canvases=self.canvases,
            every=self.every,
            long_canvases=self.long_canvases,
            projections=self.projections,
        )
        moments = (*self.short, self.grown, self.final)
        if list(moments) != sorted(moments) or moments[0] < 0:
            raise ValueError(f"short, grown and final are {moments}; expected them to rise from 0")
        if list(self.long) != sorted({self.grown + 1, *self.long})[1:]:
            raise ValueError(f"long is {self.long}; expected rising steps after {self.grown + 1}")


@torch.no_grad()
def evaluate_fine_texture(
    model: FineModel,
    cells: int,
    targets: dict[int, Tensor],
    protocol: FineTextureProtocol | None = None,
    seed: int = 0,
) -> dict[str, Any]:
    """Measures automaton and decoder.

    Args:
        model: both.
        cells: side of the canvases.
        targets: by factor the texture, RGB in [0, 1], ``[3, factor · cells, factor · cells]``, on
            the model's device.
        protocol: when to look.
        seed: of the coins.

    """
    rules = protocol or FineTextureProtocol()
    model.eval()
    largest = max(targets)
    device = str(targets[largest].device)
    generator = torch.Generator(device).manual_seed(seed)
    measures = {
        factor: style_loss(target, "transport", rules.projections, device)
        for factor, target in targets.items()
    }

    def style(pictures: Tensor, factor: int) -> Tensor:
        same = torch.Generator(device).manual_seed
        found = [measures[factor](one.clamp(0, 1), same(seed)) for one in pictures.split(1)]
        return torch.cat(found).cpu()

    def looks(state: Tensor, factor: int = largest) -> Tensor:
        return torch.cat([style(model(one, factor), factor) for one in state.split(1)])

    def advance(state: Tensor, steps: int) -> Tensor:
        return model.nca.rollout(state, steps, generator=generator) if steps else state

    def fresh(height: int, width: int, count: int = 1) -> Tensor:
        return empty_state(model.nca.layout, height, width, count, device)

    state, now = fresh(cells, cells, rules.canvases), 0
    seen: dict[int, list[Tensor]] = {factor: [] for factor in targets}
    for step in range(rules.short[0], rules.short[1] + 1, rules.every):
        state, now = advance(state, step - now), step
        for factor, found in seen.items():
            found.append(looks(state, factor))
    state = advance(state, rules.grown - now)
    grown = {factor: looks(state, factor) for factor in targets}
    sizes = {
        factor: {
            "side": factor * cells,
            "short": float(torch.stack(found).mean()),
            "grown": float(grown[factor].mean()),
            "shuffled": float(style(shuffled(targets[factor]), factor).mean()),
        }
        for factor, found in seen.items()
    }
    metrics: dict[str, Any] = {
        "protocol": asdict(rules) | {"elsewhere": [[*size] for size in rules.elsewhere]},
        **sizes.pop(largest),
        "smaller": {str(factor): values for factor, values in sizes.items()},
        **costs(model, cells, targets),
    }
    for name, angle in HALVES.items():
        hurt = state * half_mask(cells, cells, angle).to(device)
        after = advance(hurt, rules.final - rules.grown)
        values = grown[largest], looks(hurt), looks(after)
        metrics[name] = {
            "damaged": float(values[1].mean()),
            "final": float(values[2].mean()),
            "recovery": recovery(*values),
            "recovery_interval": list(bootstrap_interval(*values)),
        }
    metrics["elsewhere"] = {
        f"{height}×{width}": float(looks(advance(fresh(height, width), rules.grown)).mean())
        for height, width in rules.elsewhere
        if _visible(largest, height, width) and min(height, width) >= model.nca.perception.reach
    }
    metrics["alive"] = {}
    state, now = state[: rules.long_canvases], rules.grown
    for step in rules.long:
        before = advance(state, step - 1 - now)
        state, now = advance(before, 1), step
        value = float(looks(state).mean()) if bool(state.isfinite().all()) else math.nan
        metrics["alive"][str(step)] = {
            "style": value,
            "channels": float(state.square().mean().sqrt()),
            "change": float((state - before).square().mean().sqrt()),
        }
    return metrics


def _visible(factor: int, height: int, width: int) -> bool:
    """Whether VGG16 can look at pictures of so many cells."""
    return all(factor * n >= RECEPTIVE_FIELD and factor * n % SHRINK == 0 for n in (height, width))


def shuffled(picture: Tensor) -> Tensor:
    """A picture ``[C, H, W]`` with its pixels in random order, ``[1, C, H, W]``."""
    order = torch.randperm(picture[0].numel(), generator=torch.Generator().manual_seed(0))
    return picture.flatten(1)[:, order.to(picture.device)].view_as(picture)[None]
