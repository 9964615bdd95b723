"""Seeds that survive: a loss on the first steps of a rollout.

A seed cell that fires may lose its alpha, and with it everything, if no neighbour comes alive in
the same step (chapter 05 counts how often). The rollout is then zero, and so is its gradient:
training cannot unlearn it. So the loss here looks at alpha *before* the living mask.
"""

import torch.nn.functional as F
from torch import Generator, Tensor

from ncabook.automaton import NCA, centre_seed
from ncabook.automaton.fire import random_fire
from ncabook.training.config import SurvivalConfig

SIDE = 9  # cells: what happens to a seed in a few steps happens within


def survival_hinge(
    nca: NCA, condition: Tensor | None, config: SurvivalConfig, generator: Generator
) -> Tensor:
    """How far the seed cell's alpha falls below ``config.margin`` in its first steps.

    The mean over steps and seeds of max(0, margin − α), α before the living mask.

    Args:
        nca: grows from a seed; has a living mask.
        condition: of as many seeds, ``[n, D]``; None for ``config.seeds`` without one.
        config: margin, steps, seeds.
        generator: source of the fire masks.

    """
    count = config.seeds if condition is None else len(condition)
    state = centre_seed(nca.layout, SIDE, SIDE, count, str(next(nca.parameters()).device))
    encoded = nca.perception.encode(condition)
    loss = state.new_zeros(())
    for _ in range(config.steps):
        after = nca.without_mask(state, encoded, random_fire(state, nca.fire_rate, generator))
        alpha = after[:, nca.layout.alpha, SIDE // 2, SIDE // 2]
        loss = loss + F.relu(config.margin - alpha).mean() / config.steps
        state = nca.without_dead(after, nca.living(state) & nca.living(after))
    return loss
