"""Recovery after a perturbation (eq. 3), with a bootstrap interval."""

import math
from collections.abc import Callable

import torch
from torch import Tensor


def recovery(before: Tensor, damaged: Tensor, final: Tensor) -> float:
    """Percentage of a perturbation's harm that was undone (eq. 3).

    100 · (m_final − m_d) / (m_pre − m_d), of the means over rollouts. 100: as good as before;
    0: no better than just after the perturbation; negative: worse.

    Args:
        before: the metric of each rollout before the perturbation, ``[N]``.
        damaged: right after it.
        final: at the end.

    Returns:
        The percentage; NaN if the perturbation did no harm, so that there is nothing to recover.

    """
    harm = before.mean() - damaged.mean()
    if harm == 0:
        return math.nan
    return float(100 * (final.mean() - damaged.mean()) / harm)


def bootstrap_interval(
    before: Tensor,
    damaged: Tensor,
    final: Tensor,
    level: float = 0.95,
    draws: int = 2000,
    seed: int = 0,
) -> tuple[float, float]:
    """Percentile interval of :func:`recovery` over rollouts drawn with replacement.

    Draws without harm are left out; if there are no others, both ends are NaN.
    """
    return bootstrap(recovery, before, damaged, final, level=level, draws=draws, seed=seed)


def bootstrap(
    statistic: Callable[..., float],
    *samples: Tensor,
    level: float = 0.95,
    draws: int = 2000,
    seed: int = 0,
) -> tuple[float, float]:
    """Percentile interval of a statistic over its samples' entries, drawn with replacement.

    Args:
        statistic: of all ``samples``.
        samples: each ``[N]``; entries with the same number belong together and are drawn together.
        level: share of the draws between the two ends.
        draws: how many.
        seed: of the draws.

    Returns:
        Both ends; draws of which the statistic is NaN are left out, and if there are no others,
        both are NaN.

    """
    generator = torch.Generator().manual_seed(seed)
    count = len(samples[0])
    picks = torch.randint(count, (draws, count), generator=generator)
    values = torch.tensor([statistic(*(sample[p] for sample in samples)) for p in picks])
    tail = (1 - level) / 2
    low, high = torch.nanquantile(values, torch.tensor([tail, 1 - tail])).tolist()
    return low, high
