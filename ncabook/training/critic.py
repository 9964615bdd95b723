"""A critic that learns beside what it judges: the adversary of image to image (§3.1.2)."""

import torch
from torch import Tensor

from ncabook.networks import PatchDiscriminator, Pix2Pix, UNet
from ncabook.training.learner import Stateful

GAN_BETAS = (0.5, 0.999)  # of Isola et al.


class Critic:
    """Tells true answers from made ones, and learns to by its own optimiser.

    Args:
        generator: what it judges, for pix2pix's losses.
        discriminator: of a source and an answer.
        learning_rate: of its Adam.

    """

    def __init__(
        self, generator: UNet, discriminator: PatchDiscriminator, learning_rate: float
    ) -> None:
        self.gan = Pix2Pix(generator, discriminator)
        self.learning_rate = learning_rate
        parameters = discriminator.parameters()
        self.optimizer = torch.optim.Adam(parameters, learning_rate, GAN_BETAS)

    def learn(self, source: Tensor, target: Tensor, answer: Tensor, rate: float) -> float:
        """One step of telling ``target`` from ``answer``; returns its loss.

        Args:
            source: what was asked, ``[B, in, H, W]``.
            target: true answers, ``[B, out, H, W]``.
            answer: made ones; no gradient reaches them.
            rate: the learning rate is multiplied by it.

        """
        self.optimizer.param_groups[0]["lr"] = self.learning_rate * rate
        loss = self.gan.discriminator_loss(source, target, answer)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.optimizer.step()
        return float(loss.detach())

    def judge(self, source: Tensor, answer: Tensor) -> Tensor:
        """How far made answers are from passing for true: a loss for who made them."""
        return self.gan.adversarial_loss(source, answer)

    def parts(self) -> dict[str, Stateful]:
        """What a checkpoint has to hold."""
        return {"critic": self.gan.discriminator, "critic_optimizer": self.optimizer}
