"""How many seeds die in their first steps, and so grow nothing at all.

A seed cell that fires may lose its alpha in its first step. If then none of the neighbours that
would come alive happens to fire, no cell lives, and none ever will: with n such neighbours, one
start in 2 · 2ⁿ at a fire rate of ½. A rollout that died looks like one that drew badly in every
mean; it is counted here instead.
"""

from typing import Any

import torch
import torch.nn.functional as F

from ncabook.automaton import NCA, centre_seed
from ncabook.automaton.nca import alive

SIDE = 24  # cells: as far as a pattern comes in STEPS, about
STEPS = 24
AT_ONCE = 250  # starts, that a batch may fit a cache


@torch.no_grad()
def died(nca: NCA, classes: int, each: int, seed: int, ring: bool = False) -> list[int]:
    """How many starts of each class have no living cell after ``STEPS`` steps.

    Args:
        nca: with a living mask.
        classes: how many there are; 1 for an automaton without a condition.
        each: starts of each class.
        seed: of the fire masks.
        ring: whether the seed rests in the first step while its neighbours fire
            (:func:`~ncabook.automaton.ring_fire`).

    """
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(classes).repeat_interleave(each)
    condition = F.one_hot(labels, classes).float() if classes > 1 else None
    lost = []
    for part in torch.arange(len(labels)).split(AT_ONCE):
        state = centre_seed(nca.layout, SIDE, SIDE, len(part))
        given = None if condition is None else condition[part]
        end = nca.rollout(state, STEPS, given, generator=generator, ring=ring)
        lost.append(~alive(nca, end))
    return torch.cat(lost).view(classes, each).sum(1).tolist()


def percent_died(starts: dict[str, Any], kind: str) -> float:
    """Of the starts in a card that began with ``kind``, ``seed`` or ``ring``."""
    return 100 * sum(starts[kind]) / (starts["each"] * len(starts[kind]))


def starts(nca: NCA, classes: int, each: int, seed: int) -> dict[str, Any] | None:
    """For a card: starts per class, and how many died from the seed and from the ring.

    None for automata without a living mask, in which nothing dies.
    """
    if nca.living_threshold is None:
        return None
    return {
        "steps": STEPS,
        "each": each,
        "seed": died(nca, classes, each, seed),
        "ring": died(nca, classes, each, seed, ring=True),
    }
