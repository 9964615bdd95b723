"""Training networks of one pass on the task of the automata, for comparison."""

import torch
import torch.nn.functional as F
from torch import Tensor

from ncabook.automaton import ChannelLayout, centre_seed
from ncabook.automaton.denormals import flushed_denormals
from ncabook.networks import OnePass, PatchDiscriminator
from ncabook.networks.one_pass import beside
from ncabook.training.config import OnePassConfig
from ncabook.training.critic import GAN_BETAS, Critic
from ncabook.training.learner import AdamLearner, Stateful
from ncabook.training.perturbation import mutate, random_damage
from ncabook.training.tracking import Tracking

RGBA = ChannelLayout(visible=4, hidden=0)
# Their λ is 100, of the mean absolute error. These small generators did not learn to draw by it
# (25k: squared error 0.014 in the end, against 0.002 without an adversary).
SQUARED_WEIGHT = 1000.0


class OnePassLearner(AdamLearner):
    """Trains a network to draw its class, from a seed, a damaged picture or another class's.

    Several processes do not share its work: each does all of it.

    Args:
        network: trained in place.
        targets: ``[classes, 4, H, W]``, premultiplied RGBA.
        config: the ``training`` part of an experiment.
        seed: everything random follows from it.
        device: where to train.
        tracker: where the curves go; None draws none.

    """

    config: OnePassConfig

    def __init__(
        self,
        network: OnePass,
        targets: Tensor,
        config: OnePassConfig,
        seed: int,
        device: str = "cpu",
        tracker: Tracking | None = None,
    ) -> None:
        betas = GAN_BETAS if config.critic else (0.9, 0.999)
        super().__init__(network, config, seed, device, tracker, betas)
        self.unet = network.unet
        self.targets = targets.to(self.device)
        self.critic = None
        if config.critic:
            channels = 2 * targets.shape[1] + len(targets)
            discriminator = PatchDiscriminator(channels, config.critic).to(self.device)
            self.critic = Critic(self.unet, discriminator, config.learning_rate)

    def parts(self) -> dict[str, Stateful]:
        """Also the critic."""
        return super().parts() | (self.critic.parts() if self.critic else {})

    @flushed_denormals()
    def step(self, rate: float) -> dict[str, float]:
        """One batch; the loss is the mean squared error, whatever is minimised."""
        image, classes = self.batch()
        target = self.targets[classes]
        source = beside(image, F.one_hot(classes, len(self.targets)).float())
        answer = self.unet(source)
        error = (answer - target).square().mean()
        minimised = error
        if self.critic is not None:
            self.critic.learn(source, target, answer, rate)
            minimised = self.critic.judge(source, answer) + SQUARED_WEIGHT * error
        return self.descend(minimised, error, rate)

    def batch(self) -> tuple[Tensor, Tensor]:
        """Images ``[B, 4, H, W]`` and the classes ``[B]`` that they are to become."""
        config, (count, _, height, width) = self.config, self.targets.shape
        classes = torch.randint(
            count, (config.batch,), generator=self.generator, device=self.device
        )
        image = self.targets[classes]
        seeds = int(config.batch * config.seeds)
        image[:seeds] = centre_seed(RGBA, height, width, device=self.device)
        others = config.batch - seeds
        mutated, damaged = int(others * config.mutation), int(others * config.damage)
        chosen = slice(seeds, seeds + mutated)
        if mutated:
            classes[chosen] = mutate(classes[chosen], count, self.generator)
        if damaged:
            mask = random_damage(damaged, height, width, self.generator, self.device)
            image[seeds + mutated : seeds + mutated + damaged] *= mask
        return image, classes
