"""Classifier-free guidance for automata that know their class by their own state (§A.5).

Ho and Salimans (2022) lead a sampler away from what it would do without a condition. Here the
condition is the colour of the seed, so that there is no input to leave out: a second automaton, the
same rule and the same coins, grows beside the first one from a white seed, which may become any
class. With its change Δu of a step and the first one's Δc, the first one goes on by

    s' = s + Δu + w (Δc − Δu)

w = 1 is the automaton as it is, w = 0 copies the other's changes, w > 1 exaggerates the difference.
"""

import torch
from torch import Tensor

from ncabook.automaton.fire import random_fire
from ncabook.automaton.nca import NCA


@torch.no_grad()
def guided_rollout(
    nca: NCA,
    state: Tensor,
    unguided: Tensor,
    steps: int,
    weight: float,
    generator: torch.Generator | None = None,
) -> tuple[Tensor, Tensor]:
    """``steps`` guided steps, both automata in one batch.

    Args:
        nca: an automaton without a condition.
        state: ``[B, C, H, W]``, from seeds of a class.
        unguided: as many, from seeds of none.
        steps: how many.
        weight: w.
        generator: source of the fire masks, the same for both; None uses PyTorch's global one.

    Returns:
        Both states, the guided and the unguided one.

    Raises:
        ValueError: shapes differ, or the weight is no finite number.

    """
    if state.shape != unguided.shape:
        raise ValueError(
            f"states of {list(state.shape)} and {list(unguided.shape)}; expected one shape"
        )
    if not torch.isfinite(torch.tensor(float(weight))):
        raise ValueError(f"weight is {weight!r}; expected a finite number, 1 for no guidance")
    for _ in range(steps):
        fire = random_fire(state, nca.fire_rate, generator)
        both = torch.cat([state, unguided])
        after = nca.rollout(both, 1, fire=lambda _, mask=fire: mask.repeat(2, 1, 1, 1), ahead=steps)
        guided, free = after.chunk(2)
        change = free - unguided
        state = state + change + weight * (guided - state - change)
        unguided = free
    return state, unguided
