"""WGAN-GP: a critic that measures how far made pictures are from real ones (§3.1.3).

A critic D with slopes of at most 1 bounds the earth mover's distance of two distributions from
below: W ≥ E D(real) − E D(made). It learns to make that bound as high as it can, under a penalty on
slopes other than 1 (Gulrajani et al. 2017, eq. 3)::

    minimise  E D(made) − E D(real) + λ E (‖∇D(x̂)‖ − 1)²,   x̂ = ε real + (1 − ε) made

where ε is uniform in [0, 1], one for each sample, and the norm is that of a whole picture's
gradient. Who makes pictures minimises −E D(made).
"""

import math

import torch
from torch import Tensor

from ncabook.networks.critic import PatchCritic
from ncabook.training.adversarial_config import CriticConfig
from ncabook.training.learner import Stateful, TrainingDivergedError

BETAS = (0.0, 0.9)  # of Adam, as in Gulrajani et al.'s algorithm 1


def gradient_penalty(
    critic: PatchCritic, real: Tensor, made: Tensor, context: Tensor | None, epsilon: Tensor
) -> Tensor:
    """The mean of (‖∇D(x̂)‖ − 1)² over a batch, in float32.

    Args:
        critic: D; a picture's score is the mean over its patches.
        real: pictures, ``[B, C, H, W]``.
        made: as many.
        context: what the critic is told beside them; it is not moved between the two.
        epsilon: the share of the real one, ``[B]``.

    """
    with torch.autocast(real.device.type, enabled=False):
        share = epsilon.view(-1, 1, 1, 1)
        between = (share * real + (1 - share) * made).detach().float().requires_grad_(True)
        score = critic(between, context).mean((1, 2, 3)).sum()
        (slope,) = torch.autograd.grad(score, between, create_graph=True)
        return (slope.flatten(1).norm(dim=1) - 1).square().mean()


class WassersteinCritic:
    """A critic and how it learns.

    Args:
        critic: trained in place.
        config: learning rate, penalty, updates.
        generator: source of ε, on the critic's device.

    """

    def __init__(
        self, critic: PatchCritic, config: CriticConfig, generator: torch.Generator
    ) -> None:
        self.critic = critic
        self.config = config
        self.generator = generator
        self.optimizer = torch.optim.Adam(critic.parameters(), config.learning_rate, BETAS)

    def learn(
        self, real: Tensor, made: Tensor, context: Tensor | None, rate: float
    ) -> dict[str, float]:
        """Some steps of telling real pictures from made ones, on one batch of both.

        Args:
            real: ``[B, C, H, W]``.
            made: as many; no gradient reaches who made them.
            context: what belongs to each pair, or None.
            rate: the learning rate is multiplied by it.

        Returns:
            ``distance``, the bound E D(real) − E D(made), and ``penalty``, of the last step.

        Raises:
            TrainingDivergedError: one of the two is not finite.

        """
        self.optimizer.param_groups[0]["lr"] = self.config.learning_rate * rate
        made = made.detach()
        found = {}
        for _ in range(self.config.updates):
            random = {"generator": self.generator, "device": real.device}
            epsilon = torch.rand(len(real), **random)
            distance = self.critic(real, context).mean() - self.critic(made, context).mean()
            penalty = gradient_penalty(self.critic, real, made, context, epsilon)
            self.optimizer.zero_grad(set_to_none=True)
            (self.config.penalty * penalty - distance).backward()
            self.optimizer.step()
            found = {"distance": float(distance.detach()), "penalty": float(penalty.detach())}
        if not all(math.isfinite(value) for value in found.values()):
            raise TrainingDivergedError(f"critic: {found}")
        return found

    def judge(self, made: Tensor, context: Tensor | None) -> Tensor:
        """−E D(made), for who made them; the critic's own weights get no gradient of it."""
        self.critic.requires_grad_(False)
        try:
            return -self.critic(made, context).mean()
        finally:
            self.critic.requires_grad_(True)

    def parts(self) -> dict[str, Stateful]:
        """What a checkpoint has to hold."""
        return {"critic": self.critic, "critic_optimizer": self.optimizer}
