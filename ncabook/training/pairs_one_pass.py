"""Training networks of one pass to colour drawings, for comparison (§3.1.3)."""

import copy
import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor, nn

from ncabook.automaton.denormals import flushed_denormals
from ncabook.data.pairs import Pairs
from ncabook.networks import PatchDiscriminator, UNet
from ncabook.networks.pix2pix import L1_WEIGHT
from ncabook.training.adversarial_config import PairsOnePassConfig
from ncabook.training.critic import GAN_BETAS, Critic
from ncabook.training.learner import AdamLearner, Stateful, TrainingDivergedError
from ncabook.training.pairs import random_pairs, shown
from ncabook.training.tracking import Tracking


@dataclass
class Best:
    """What the validation pairs liked most, and when."""

    distance: float = float("inf")
    iteration: int = 0

    def state_dict(self) -> dict[str, Any]:
        """Both numbers."""
        return asdict(self)

    def load_state_dict(self, saved: dict[str, Any]) -> None:
        """Takes over what :meth:`state_dict` returned."""
        self.distance, self.iteration = saved["distance"], saved["iteration"]


class PairsOnePassLearner(AdamLearner):
    """Trains a U-Net from ink to a picture, with pix2pix's critic or without.

    A thousand pairs are learned by heart sooner or later. So the result is not the last weights,
    but those that were nearest to the validation pictures.

    Args:
        network: trained in place.
        train: drawings and pictures to learn from.
        validation: others, to choose by.
        distance: of answers and pictures ``[N, 3, H, W]`` in [0, 1], ``[N]``; what is chosen by.
        config: the ``training`` part of an experiment.
        seed: everything random follows from it.
        device: where to train.
        tracker: where the curves go; None draws none.

    Raises:
        ValueError: nothing to learn from, or to choose by.

    """

    config: PairsOnePassConfig

    def __init__(
        self,
        network: UNet,
        train: Pairs,
        validation: Pairs,
        distance: Callable[[Tensor, Tensor], Tensor],
        config: PairsOnePassConfig,
        seed: int,
        device: str = "cpu",
        tracker: Tracking | None = None,
    ) -> None:
        if not len(train) or not len(validation):
            raise ValueError(
                f"{len(train)} pairs to learn from and {len(validation)} to choose by; expected "
                "one of each at least"
            )
        betas = GAN_BETAS if config.critic else (0.9, 0.999)
        super().__init__(network, config, seed, device, tracker, betas)
        self.train, self.validation = (pairs.to(self.device) for pairs in (train, validation))
        self.distance = distance
        self.kept = copy.deepcopy(network).requires_grad_(False)
        self.best = Best()
        self.critic = None
        if config.critic:
            channels = train.ink.shape[1] + train.pictures.shape[1]
            discriminator = PatchDiscriminator(channels, config.critic).to(self.device)
            self.critic = Critic(network, discriminator, config.learning_rate)

    def parts(self) -> dict[str, Stateful]:
        """Also the best weights so far, and the critic."""
        found = super().parts() | {"kept": self.kept, "best": self.best}
        return found | (self.critic.parts() if self.critic else {})

    def result(self) -> nn.Module:
        """The weights that were the best on the validation pairs."""
        return self.kept

    def record(self) -> dict[str, Any]:
        """When that was, and how far they were."""
        return {**super().record(), "validation": asdict(self.best)}

    @flushed_denormals()
    def step(self, rate: float) -> dict[str, float]:
        """One batch; the loss is the mean absolute error, whatever is minimised."""
        config, train = self.config, self.train
        which = random_pairs(config.batch, len(train), config.mirror, self.generator)
        ink, picture = (shown(images, which) for images in (train.ink, train.pictures))
        answer = self.network(ink)
        error = (answer - picture).abs().mean()
        minimised = error
        if self.critic is not None:
            self.critic.learn(ink, picture, answer, rate)
            minimised = self.critic.judge(ink, answer) + L1_WEIGHT * error
        told = self.descend(minimised, error, rate)
        last = self.iteration == self.config.iterations
        if last or self.iteration % self.config.validate_every == 0:
            told["validation"] = self._look()
        return told

    def _look(self) -> float:
        """The distance from the validation pictures; the best weights are kept."""
        self.network.eval()
        with torch.no_grad():
            answers = self.network(self.validation.ink.float() / 255).clamp(0, 1)
        self.network.train()
        found = float(self.distance(answers, self.validation.pictures.float() / 255).mean())
        if not math.isfinite(found):
            raise TrainingDivergedError(f"validation {found}")
        if found < self.best.distance:
            self.best = Best(found, self.iteration)
            self.kept.load_state_dict(self.network.state_dict())
        return found
