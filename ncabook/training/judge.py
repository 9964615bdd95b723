"""Training a network that judges digits; it is no automaton, and never sees a grown one."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from ncabook.automaton.denormals import flushed_denormals
from ncabook.networks import SmallCNN
from ncabook.training.adversarial_config import JudgeConfig
from ncabook.training.classification import SHIFT, shifted
from ncabook.training.learner import AdamLearner
from ncabook.training.tracking import Tracking


class JudgeLearner(AdamLearner):
    """Trains a classifier by cross-entropy, on images that are moved and turned a little.

    Args:
        network: trained in place.
        images: uint8 ``[N, 1, h, w]``.
        labels: int64 ``[N]``.
        config: the ``training`` part of an experiment.
        seed: everything random follows from it.
        device: where to train.
        tracker: where the curves go; None draws none.

    """

    config: JudgeConfig

    def __init__(
        self,
        network: SmallCNN,
        images: Tensor,
        labels: Tensor,
        config: JudgeConfig,
        seed: int,
        device: str = "cpu",
        tracker: Tracking | None = None,
    ) -> None:
        super().__init__(network, config, seed, device, tracker)
        self.images, self.labels = images.to(self.device), labels.to(self.device)

    @flushed_denormals()
    def step(self, rate: float) -> dict[str, float]:
        """One batch."""
        random = {"generator": self.generator, "device": self.device}
        picks = torch.randint(len(self.images), (self.config.batch,), **random)
        image = self.images[picks].float() / 255
        shift = torch.randint(SHIFT - 2, SHIFT + 3, (2, len(picks)), **random)
        image = shifted(image, shift)
        if self.config.turn:
            angle = (2 * torch.rand(len(picks), **random) - 1) * math.radians(self.config.turn)
            image = turned(image, angle)
        if self.config.blur:  # a soft image, one batch in two
            sigma = float(2 * torch.rand((), **random) - 1) * self.config.blur
            image = blurred(image, sigma) if sigma > 0 else image
        if self.config.fade < 1:
            least = self.config.fade
            image = image * (least + (1 - least) * torch.rand(len(picks), 1, 1, 1, **random))
        loss = F.cross_entropy(self.network(image), self.labels[picks])
        return self.descend(loss, loss, rate)


def blurred(image: Tensor, sigma: float) -> Tensor:
    """Images ``[B, 1, H, W]`` under a Gaussian of standard deviation ``sigma``, in pixels."""
    reach = max(1, math.ceil(3 * sigma))
    offsets = torch.arange(-reach, reach + 1, device=image.device, dtype=image.dtype)
    weights = (-offsets.square() / (2 * sigma**2)).exp()
    weights = weights / weights.sum()
    for shape in ((1, 1, 1, -1), (1, 1, -1, 1)):
        image = F.conv2d(image, weights.view(shape), padding="same")
    return image


def turned(image: Tensor, angle: Tensor) -> Tensor:
    """Images ``[B, C, H, W]`` turned about their centre by ``angle`` ``[B]``, in radians."""
    sine, cosine, nothing = angle.sin(), angle.cos(), torch.zeros_like(angle)
    rows = [torch.stack([cosine, -sine, nothing], 1), torch.stack([sine, cosine, nothing], 1)]
    grid = F.affine_grid(torch.stack(rows, 1), list(image.shape), align_corners=False)
    return F.grid_sample(image, grid, align_corners=False)
