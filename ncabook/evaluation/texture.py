"""How automata that cover a canvas are measured: the protocol of Figure 11, and further.

Several canvases grow from gray, each with its own coins. The *style* of a canvas is its sliced
optimal transport (eq. 5) to the target, relative to the target's own features and summed over four
layers of VGG16, with the same random directions for all models and steps.

- *short*: the mean over the training's window, every other step of 32–54.
- *grown*: step 149. Then half of each canvas is set to zero, in all channels, once its right half
  and once its lower one. *damaged*: at once; *final*: step 449. The recovery is that of eq. 3, of
  the style.
- *alive*: without damage until step 10,000: the style there and at step 1,000, the root mean
  square of the channels, and that of what a step changes. A frozen canvas changes nothing, an
  exploding one has large channels.
- *elsewhere*: the style at step 149 of canvases of other sizes.
- *shuffled*: the style of the target with its pixels in random order, for comparison.
- *retrieval*: of many photographs, the rank of the target, by features that no training used, at
  step 149 and at the last one (:mod:`ncabook.evaluation.retrieval`).

The paper prints recoveries for *lacelike* (§3.2), after 50 % horizontal or vertical removal.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ncabook.automaton import NCA
from ncabook.automaton.perception import check_sizes
from ncabook.evaluation.recovery import bootstrap_interval, recovery
from ncabook.evaluation.retrieval import Gallery
from ncabook.training.perturbation import half_mask
from ncabook.training.style import RECEPTIVE_FIELD, SHRINK, style_loss
from ncabook.training.texture import check, gray_canvas

VERSION = 1
HALVES = {"horizontal": 0.0, "vertical": math.pi / 2}  # right, lower


@dataclass(frozen=True)
class TextureProtocol:
    """When to look, and at how much.

    Attributes:
        canvases: how many grow side by side, with other coins.
        short: first and last step of the training's window.
        grown: the step after which halves are erased.
        final: the last step after that.
        every: steps between two points of the curves.
        long: steps without damage at which the canvas has to live.
        long_canvases: how many go that far.
        elsewhere: other canvases, (height, width).
        projections: directions of the style.

    """

    canvases: int = 8
    short: tuple[int, int] = (32, 54)
    grown: int = 149
    final: int = 449
    every: int = 10
    long: tuple[int, ...] = (1000, 10_000)
    long_canvases: int = 2
    elsewhere: tuple[tuple[int, int], ...] = ((64, 64), (256, 256), (96, 160))
    projections: int = 128

    def __post_init__(self) -> None:
        check_sizes(
            canvases=self.canvases,
            every=self.every,
            long_canvases=self.long_canvases,
            projections=self.projections,
        )
        moments = (*self.short, self.grown, self.final)
        if self.short[0] < 0 or not self.short[0] <= self.short[1] <= self.grown < self.final:
            raise ValueError(
                f"short, grown and final are {moments}; expected 0 ≤ first ≤ last ≤ grown < final"
            )
        if list(self.long) != sorted({self.grown + 1, *self.long})[1:]:
            raise ValueError(f"long is {self.long}; expected rising steps after {self.grown + 1}")
        for height, width in self.elsewhere:
            if min(height, width) < RECEPTIVE_FIELD or height % SHRINK or width % SHRINK:
                raise ValueError(
                    f"elsewhere has {height}×{width}; expected sides of at least "
                    f"{RECEPTIVE_FIELD} that 8 divides"
                )


@torch.no_grad()
def evaluate_texture(
    nca: NCA,
    target: Tensor,
    protocol: TextureProtocol | None = None,
    seed: int = 0,
    photographs: Gallery | None = None,
    name: str = "target",
) -> dict[str, Any]:
    """Measures an automaton that covers a canvas.

    Args:
        nca: the automaton.
        target: RGB in [0, 1], ``[3, H, W]``, on the automaton's device; canvases are as large.
        protocol: when to look.
        seed: of the coins.
        photographs: that the target is to be told from; None: it is not asked.
        name: of the target, among these.

    Returns:
        What stands in a card's ``metrics``.

    Raises:
        ValueError: the automaton is none that covers a canvas.

    """
    protocol = protocol or TextureProtocol()
    check(nca)
    device = target.device
    generator = torch.Generator(device).manual_seed(seed)
    measure = style_loss(target, "transport", protocol.projections, str(device))

    def style(state: Tensor) -> Tensor:
        images = state[:, nca.layout.visible_slice].split(1)
        same = torch.Generator(device).manual_seed  # the same directions at every look
        return torch.cat([measure(image, same(seed)) for image in images]).cpu()

    def grow(state: Tensor, steps: int) -> Tensor:
        return nca.rollout(state, steps, generator=generator)

    height, width = target.shape[1:]
    state = gray_canvas(nca, height, width, protocol.canvases, str(device))
    times = {*range(0, protocol.grown + 1, protocol.every), protocol.grown}
    window = range(protocol.short[0], protocol.short[1] + 1, 2)
    curve, state = _follow(state, sorted(times | {*window}), grow, style)
    short = [curve[t] for t in window]
    grown = curve[protocol.grown]
    metrics: dict[str, Any] = {
        "protocol": {"version": VERSION, **vars(protocol)},
        "short": float(torch.stack(short).mean()),
        "grown": float(grown.mean()),
        "shuffled": float(style(_shuffled(target, nca)).mean()),
        "curves": {"grown": _summary(curve)},
    }
    for half, angle in HALVES.items():
        damaged = state * half_mask(height, width, angle).to(device)
        after = sorted({*range(0, protocol.final - protocol.grown, protocol.every)})
        after.append(protocol.final - protocol.grown)
        healed, _ = _follow(damaged, after, grow, style)
        values = grown, healed[0], healed[after[-1]]
        metrics[half] = {
            "damaged": float(values[1].mean()),
            "final": float(values[2].mean()),
            "recovery": recovery(*values),
            "recovery_interval": list(bootstrap_interval(*values)),
        }
        metrics["curves"][half] = _summary(healed)
    ranks: dict[str, Any] = {}

    def look(step: int, canvases: Tensor) -> None:
        if photographs is not None:
            images = canvases[:, nca.layout.visible_slice].nan_to_num()
            ranks[str(step)] = photographs.ranks(images, target, name)

    look(protocol.grown, state)
    old = state[: protocol.long_canvases]
    metrics["alive"], old = _alive(old, protocol, grow, style)
    look(protocol.long[-1], old)
    if ranks:
        metrics["retrieval"] = ranks
    metrics["elsewhere"] = {
        f"{height}×{width}": float(
            style(grow(gray_canvas(nca, height, width, device=str(device)), protocol.grown)).mean()
        )
        for height, width in protocol.elsewhere
        if min(height, width) >= nca.perception.reach
    }
    return metrics


def _follow(
    state: Tensor,
    times: list[int],
    grow: Callable[[Tensor, int], Tensor],
    style: Callable[[Tensor], Tensor],
) -> tuple[dict[int, Tensor], Tensor]:
    """The style at each of ``times``, and the state at the last."""
    found, now = {}, 0
    for time in times:
        state = grow(state, time - now) if time > now else state
        found[time] = style(state)
        now = time
    return found, state


def _alive(
    state: Tensor,
    protocol: TextureProtocol,
    grow: Callable[[Tensor, int], Tensor],
    style: Callable[[Tensor], Tensor],
) -> tuple[dict[str, Any], Tensor]:
    """What canvases are at late steps, by step, and the states at the last."""
    now, found = protocol.grown, {}
    for time in protocol.long:
        before = grow(state, time - 1 - now)
        state, now = grow(before, 1), time
        found[str(time)] = {
            "style": float(style(state).mean()),
            "channels": float(state.square().mean().sqrt()),
            "change": float((state - before).square().mean().sqrt()),
        }
    return found, state


def _shuffled(target: Tensor, nca: NCA) -> Tensor:
    order = torch.randperm(target[0].numel(), generator=torch.Generator().manual_seed(0))
    state = gray_canvas(nca, *target.shape[1:], device=str(target.device))
    state[0, nca.layout.visible_slice] = target.flatten(1)[:, order].view_as(target)
    return state


def _summary(curve: dict[int, Tensor]) -> dict[str, list[float]]:
    """Steps, with the least, mean and greatest style of the canvases."""
    values = torch.stack(list(curve.values()))
    return {
        "steps": list(curve),
        "least": values.amin(1).tolist(),
        "mean": values.mean(1).tolist(),
        "greatest": values.amax(1).tolist(),
    }
