"""Growing patterns from seeds (§3.1)."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from ncabook.automaton import NCA, centre_seed
from ncabook.training.config import TrainingConfig
from ncabook.training.losses import visible_mse
from ncabook.training.perturbation import mutate, random_damage
from ncabook.training.trainer import Trainer


class GrowthTrainer(Trainer):
    """Trains an automaton to grow one image per class from a single cell.

    Args:
        nca: trained in place.
        targets: ``[classes, 4, H, W]``, premultiplied RGBA.
        config: the ``training`` part of an experiment.
        seed: everything random follows from it.
        others: as for :class:`~ncabook.training.trainer.Trainer`.

    """

    def __init__(
        self,
        nca: NCA,
        targets: Tensor,
        config: TrainingConfig,
        seed: int,
        *others: Any,
        **named: Any,
    ) -> None:
        super().__init__(nca, tuple(targets.shape[-2:]), config, seed, *others, **named)
        self.targets = targets.to(self.device)

    def batch(self) -> tuple[Tensor, Tensor]:
        """Starting states ``[B, C, H, W]`` and classes ``[B]``: seeds, then samples of the pool."""
        size, count = self.config.batch, len(self.targets)
        height, width = self.grid
        state = centre_seed(self.nca.layout, height, width, size, self.device)
        classes = torch.randint(count, (size,), generator=self.generator, device=self.device)
        if self.pool is None or len(self.pool) < size:
            return state, classes
        pool = self.config.pool
        drawn = int(size * pool.ratio)
        mutated, damaged = int(drawn * pool.mutation), int(drawn * pool.damage)
        old, labels = self.pool.draw(drawn, self.generator)
        if mutated:
            labels[:mutated] = mutate(labels[:mutated], count, self.generator)
        if damaged:
            mask = random_damage(damaged, height, width, self.generator, self.device)
            old[mutated : mutated + damaged] *= mask
        state[size - drawn :], classes[size - drawn :] = old, labels
        return state, classes

    def condition(self, classes: Tensor) -> Tensor | None:
        """One-hot classes ``[B, classes]``, or None for an automaton of one class."""
        count = len(self.targets)
        return F.one_hot(classes, count).float() if count > 1 else None

    def loss(self, end: Tensor, classes: Tensor) -> Tensor:
        """Mean squared difference from the targets."""
        return visible_mse(end, self.targets[classes], self.nca.layout)
