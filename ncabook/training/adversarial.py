"""Algorithm 1 with a critic beside the automaton: pictures that are to look like others."""

import copy
from abc import abstractmethod
from typing import Any

import torch
from torch import Tensor, nn

from ncabook.automaton import NCA
from ncabook.networks.critic import PatchCritic
from ncabook.training.adversarial_config import AdversarialConfig
from ncabook.training.evolving import EvolvingLearner
from ncabook.training.learner import Stateful
from ncabook.training.losses import visible_l1, visible_mse
from ncabook.training.pool import Sample
from ncabook.training.tracking import Tracking
from ncabook.training.wasserstein import WassersteinCritic

CRITIC = "critic"  # its name among a checkpoint's parts, and that of its file
PIXEL = {"mse": visible_mse, "l1": visible_l1}


class AdversarialLearner(EvolvingLearner):
    """Trains an automaton by its distance from targets, and by what a critic says.

    The critic learns from the same rollouts, after the automaton, and on its own optimiser. With
    several processes each would need its own; one process only may have a critic.

    Args:
        nca: trained in place.
        grid: height and width, in cells.
        config: the ``training`` part of an experiment.
        seed: everything random follows from it.
        device: where to train.
        tracker: where the curves go; None draws none.
        context: channels of what the critic is told beside a picture.

    Raises:
        ValueError: there is a critic and more than one process.

    """

    config: AdversarialConfig

    def __init__(
        self,
        nca: NCA,
        grid: tuple[int, int],
        config: AdversarialConfig,
        seed: int,
        device: str = "cpu",
        tracker: Tracking | None = None,
        context: int = 0,
    ) -> None:
        super().__init__(nca, grid, config, seed, device, tracker)
        self.critic = None
        if config.critic is not None:
            if self.accelerator.num_processes > 1:
                raise ValueError(
                    f"a critic with {self.accelerator.num_processes} processes; it learns in one "
                    "process only: launch one, or leave training.critic out"
                )
            network = PatchCritic(nca.layout.visible, context, config.critic.widths)
            self.critic = WassersteinCritic(network.to(self.device), config.critic, self.generator)
        self.mean: NCA | None = None
        if config.average is not None:
            self.mean = copy.deepcopy(nca).requires_grad_(False)

    @abstractmethod
    def real(self, sample: Sample) -> Tensor:
        """What the visible channels are to become, ``[B, visible, H, W]``."""

    @abstractmethod
    def context(self, sample: Sample) -> Tensor | None:
        """What the critic is told beside each picture."""

    def loss(self, film: Tensor, sample: Sample) -> Tensor:
        """The weighted distance from the targets, and −E D of the pictures once it counts."""
        config, layout = self.config, self.nca.layout
        loss = config.pixel_weight * PIXEL[config.pixel](film[-1], self.real(sample), layout)
        if self.critic is not None and self.critic.config.heard(self.iteration):
            made = film[-1][:, layout.visible_slice].float()
            loss = loss + self.critic.judge(made, self.context(sample))
        return loss

    def follow(self, ends: Tensor, sample: Sample, rate: float) -> dict[str, float]:
        """The critic's turn, and the running mean's."""
        if self.mean is not None and self.config.average is not None:
            # A mean over few iterations at first, so that the first weights are soon forgotten.
            keep = min(self.config.average, (1 + self.iteration) / (10 + self.iteration))
            with torch.no_grad():
                for mean, now in zip(self.mean.parameters(), self.nca.parameters(), strict=True):
                    mean.lerp_(now, 1 - keep)
        if self.critic is None or self.iteration < self.critic.config.delay:
            return {}
        mine = {name: torch.cat([v[part] for part in self.shares]) for name, v in sample.items()}
        made = ends[:, self.nca.layout.visible_slice].float()
        return self.critic.learn(self.real(mine), made, self.context(mine), rate)

    def parts(self) -> dict[str, Stateful]:
        """Also the critic, its optimiser, and the running mean."""
        critic = self.critic.parts() if self.critic is not None else {}
        mean = {"mean": self.mean} if self.mean is not None else {}
        return {**super().parts(), **critic, **mean}

    def result(self) -> nn.Module:
        """The running mean of the weights, if there is one."""
        return self.network if self.mean is None else self.mean

    def beside(self) -> dict[str, nn.Module]:
        """The critic, if there is one."""
        return {} if self.critic is None else {CRITIC: self.critic.critic}

    def record(self) -> dict[str, Any]:
        """Also what the last weights and their running mean draw: the distance from the targets."""
        if self.mean is None:
            return super().record()
        generator = torch.Generator(self.device).manual_seed(self.seed)
        found = {}
        sample = self.fresh(64)
        for name, nca in (("last", self.nca), ("mean", self.mean)):
            generator.manual_seed(self.seed)
            with torch.no_grad():
                end = nca.rollout(
                    sample["state"],
                    self.config.steps.max,
                    self.condition(sample),
                    generator=generator,
                )
                error = PIXEL[self.config.pixel](end, self.real(sample), nca.layout)
            found[name] = round(float(error), 6)
        return {**super().record(), "pixel_error": found}
