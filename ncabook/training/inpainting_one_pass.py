"""Training a network of one pass to fill holes, for comparison: pixels in, pixels out."""

from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor

from ncabook.automaton.denormals import flushed_denormals
from ncabook.data.holes import erased, random_holes
from ncabook.networks import UNet
from ncabook.training.config import AdamConfig, Ratio, Samples
from ncabook.training.inpainting import HolesConfig, balanced, features_apart
from ncabook.training.learner import AdamLearner
from ncabook.training.pairs import random_pairs, shown
from ncabook.training.style import VGGFeatures
from ncabook.training.tracking import Tracking


class InpaintingOnePassConfig(AdamConfig):
    """How a network of one pass is trained to fill holes.

    Attributes:
        batch: pictures in an iteration.
        holes: which; of pixels all.
        inside: weight of the absolute difference in the hole; the rest is that of what is known.
        pixel_weight: of both.
        perceptual: weight of the difference of VGG16's features, of the pasted picture.
        features_from: share of the iterations before these are looked at, which costs much.

    """

    batch: Samples
    holes: HolesConfig = HolesConfig()
    inside: Ratio = 0.9
    pixel_weight: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 10.0
    perceptual: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0
    features_from: Ratio = 0.0


class InpaintingOnePassLearner(AdamLearner):
    """Trains a U-Net to draw the picture that a hole was made in.

    Args:
        network: trained in place; reads a picture with its hole, and the hole.
        images: uint8 ``[N, C, h, w]``.
        config: the ``training`` part of an experiment.
        seed: everything random follows from it.
        device: where to train.
        tracker: where the curves go; None draws none.

    """

    config: InpaintingOnePassConfig

    def __init__(
        self,
        network: UNet,
        images: Tensor,
        config: InpaintingOnePassConfig,
        seed: int,
        device: str = "cpu",
        tracker: Tracking | None = None,
    ) -> None:
        super().__init__(network, config, seed, device, tracker)
        self.images = images.to(self.device)
        self.features = VGGFeatures().to(self.device) if config.perceptual else None

    @flushed_denormals()
    def step(self, rate: float) -> dict[str, float]:
        """One batch, half of it mirrored."""
        config, generator = self.config, self.generator
        which = random_pairs(config.batch, len(self.images), mirror=True, generator=generator)
        images = shown(self.images, which)
        share = (config.holes.least, config.holes.most)
        height, width = images.shape[2:]
        missing = random_holes(config.batch, height, width, generator, config.holes.kinds, share)
        made = self.network(reads(images, missing))
        loss = config.pixel_weight * balanced(made - images, missing, "l1", config.inside)
        if self.features is not None and self.iteration >= (
            config.features_from * config.iterations
        ):
            pasted = torch.lerp(images, made, missing)
            loss = loss + config.perceptual * features_apart(self.features, pasted, images)
        return self.descend(loss, loss, rate)


def reads(images: Tensor, missing: Tensor) -> Tensor:
    """What the network sees: pictures with holes, and these, ``[B, C + 1, h, w]``."""
    return torch.cat([erased(images, missing), missing], 1)
