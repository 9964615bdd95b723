"""Growing patterns from seeds (§3.1)."""

import torch
import torch.nn.functional as F
from torch import Tensor

from ncabook.automaton import NCA, centre_seed
from ncabook.training.config import GrowthConfig, TrainingConfig
from ncabook.training.evolving import EvolvingLearner
from ncabook.training.losses import visible_mse
from ncabook.training.perturbation import mutate
from ncabook.training.pool import Sample
from ncabook.training.survival import survival_hinge
from ncabook.training.tracking import Tracking


class GrowthLearner(EvolvingLearner):
    """Trains an automaton to grow one image per class from a single cell.

    Args:
        nca: trained in place.
        targets: ``[classes, 4, H, W]``, premultiplied RGBA.
        config: the ``training`` part of an experiment, a :class:`GrowthConfig` or a plain one.
        seed: everything random follows from it.
        device: where to train.
        tracker: where the curves go; None draws none.

    """

    def __init__(
        self,
        nca: NCA,
        targets: Tensor,
        config: TrainingConfig,
        seed: int,
        device: str = "cpu",
        tracker: Tracking | None = None,
    ) -> None:
        height, width = targets.shape[-2:]
        super().__init__(nca, (height, width), config, seed, device, tracker)
        self.targets = targets.to(self.device)

    def fresh(self, count: int) -> Sample:
        """Single living cells, of classes at random."""
        known = len(self.targets)
        classes = torch.randint(known, (count,), generator=self.generator, device=self.device)
        return {
            "state": centre_seed(self.nca.layout, *self.grid, count, self.device),
            "class": classes,
        }

    def mutate(self, old: Sample, fresh: Sample) -> Sample:
        """Another class for each; a state does not tell what its class is."""
        return {**old, "class": mutate(old["class"], len(self.targets), self.generator)}

    def condition(self, sample: Sample) -> Tensor | None:
        """One-hot classes ``[B, classes]``, or None for an automaton of one class."""
        count = len(self.targets)
        return F.one_hot(sample["class"], count).float() if count > 1 else None

    def loss(self, film: Tensor, sample: Sample) -> Tensor:
        """Mean squared difference of the end from the targets."""
        return visible_mse(film[-1], self.targets[sample["class"]], self.nca.layout)

    def regulariser(self) -> Tensor | None:
        """The loss on seeds that die, if the configuration asks for one."""
        wanted = self.config.survival if isinstance(self.config, GrowthConfig) else None
        if wanted is None:
            return None
        classes = torch.arange(wanted.seeds, device=self.device) % len(self.targets)
        condition = self.condition({"class": classes})
        return wanted.weight * survival_hinge(self.nca, condition, wanted, self.generator)
