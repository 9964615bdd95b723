"""Training networks of one pass on the task of the automata, for comparison."""

import math
import time

import torch
import torch.nn.functional as F
from torch import Tensor
from tqdm.auto import tqdm

from ncabook.automaton import ChannelLayout, centre_seed
from ncabook.automaton.denormals import flushed_denormals
from ncabook.networks import OnePass, PatchDiscriminator, Pix2Pix
from ncabook.networks.one_pass import beside
from ncabook.training.config import OnePassConfig
from ncabook.training.optimizer import warmup_cosine
from ncabook.training.perturbation import mutate, random_damage
from ncabook.training.trainer import TrainingDivergedError

RGBA = ChannelLayout(visible=4, hidden=0)
GAN_BETAS = (0.5, 0.999)  # of Isola et al.
# Their λ is 100, of the mean absolute error. These small generators did not learn to draw by it
# (25k: squared error 0.014 in the end, against 0.002 without an adversary).
SQUARED_WEIGHT = 1000.0


class OnePassTrainer:
    """Trains a network to draw its class, from a seed, a damaged picture or another class's.

    It takes minutes, so that there are no checkpoints.

    Args:
        network: trained in place.
        targets: ``[classes, 4, H, W]``, premultiplied RGBA.
        config: the ``training`` part of an experiment.
        seed: everything random follows from it.
        device: where to train.

    """

    def __init__(
        self,
        network: OnePass,
        targets: Tensor,
        config: OnePassConfig,
        seed: int,
        device: str = "cpu",
    ) -> None:
        self.network = network.to(device).train()
        self.targets = targets.to(device)
        self.config = config
        self.device = device
        self.generator = torch.Generator(device).manual_seed(seed)
        self.losses: list[float] = []
        self.seconds = 0.0
        betas = GAN_BETAS if config.critic else (0.9, 0.999)
        self.optimizers = [torch.optim.Adam(network.parameters(), config.learning_rate, betas)]
        self.gan = None
        if config.critic:
            channels = 2 * targets.shape[1] + len(targets)
            discriminator = PatchDiscriminator(channels, config.critic).to(device)
            self.gan = Pix2Pix(network.unet, discriminator)
            parameters = discriminator.parameters()
            self.optimizers.append(torch.optim.Adam(parameters, config.learning_rate, betas))

    def run(self, progress: bool = True) -> OnePass:
        """Trains for the configured number of iterations.

        Raises:
            TrainingDivergedError: the loss is not finite.

        """
        started = time.perf_counter()
        for iteration in tqdm(
            range(self.config.iterations), "training", unit="it", disable=not progress
        ):
            for optimizer in self.optimizers:
                rate = warmup_cosine(iteration, self.config.iterations, self.config.warmup)
                optimizer.param_groups[0]["lr"] = self.config.learning_rate * rate
            loss = self.train_step()
            if not math.isfinite(loss):
                raise TrainingDivergedError(
                    f"training diverged at iteration {iteration}: loss {loss}; "
                    "a smaller learning rate usually helps"
                )
            self.losses.append(loss)
        self.seconds = time.perf_counter() - started
        return self.network.eval()

    @flushed_denormals()
    def train_step(self) -> float:
        """One batch; returns the mean squared error, whatever is minimised."""
        image, classes = self.batch()
        target = self.targets[classes]
        source = beside(image, F.one_hot(classes, len(self.targets)).float())
        answer = self.network.unet(source)
        error = (answer - target).square().mean()
        if self.gan is None:
            self._descend(self.optimizers[0], error)
        else:
            self._descend(self.optimizers[1], self.gan.discriminator_loss(source, target, answer))
            adversarial = self.gan.adversarial_loss(source, answer)
            self._descend(self.optimizers[0], adversarial + SQUARED_WEIGHT * error)
        return float(error.detach())

    @staticmethod
    def _descend(optimizer: torch.optim.Optimizer, loss: Tensor) -> None:
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()

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
