"""Growing patterns from seeds (§3.1)."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from ncabook.automaton import NCA, centre_seed
from ncabook.training.config import GrowthConfig, TrainingConfig
from ncabook.training.losses import visible_mse
from ncabook.training.perturbation import mutate
from ncabook.training.survival import survival_hinge
from ncabook.training.trainer import Trainer


class GrowthTrainer(Trainer):
    """Trains an automaton to grow one image per class from a single cell.

    Args:
        nca: trained in place.
        targets: ``[classes, 4, H, W]``, premultiplied RGBA.
        config: the ``training`` part of an experiment, a :class:`GrowthConfig` or a plain one.
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

    def fresh(self, count: int) -> tuple[Tensor, Tensor]:
        """Single living cells, of classes at random."""
        state = centre_seed(self.nca.layout, *self.grid, count, self.device)
        known = len(self.targets)
        return state, torch.randint(known, (count,), generator=self.generator, device=self.device)

    def mutate(self, old: Tensor, classes: Tensor, state: Tensor, others: Tensor) -> Tensor:
        """Another class for each; a state does not tell what its class is."""
        return mutate(classes, len(self.targets), self.generator)

    def condition(self, classes: Tensor) -> Tensor | None:
        """One-hot classes ``[B, classes]``, or None for an automaton of one class."""
        count = len(self.targets)
        return F.one_hot(classes, count).float() if count > 1 else None

    def loss(self, end: Tensor, classes: Tensor) -> Tensor:
        """Mean squared difference from the targets."""
        return visible_mse(end, self.targets[classes], self.nca.layout)

    def regulariser(self) -> Tensor | None:
        """The loss on seeds that die, if the configuration asks for one."""
        wanted = self.config.survival if isinstance(self.config, GrowthConfig) else None
        if wanted is None:
            return None
        classes = torch.arange(wanted.seeds, device=self.device) % len(self.targets)
        condition = self.condition(classes)
        return wanted.weight * survival_hinge(self.nca, condition, wanted, self.generator)
