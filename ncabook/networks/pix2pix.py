"""Image to image with an adversary (Isola et al. 2017): a U-Net, and a critic of patches."""

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ncabook.networks.unet import UNet

SLOPE = 0.2
L1_WEIGHT = 100.0  # λ of Isola et al.


class PatchDiscriminator(nn.Module):
    """Judges patches of 70×70 pixels: 4×4 convolutions, strides 2, 2, 2, 1, 1 (C64 … C512).

    Args:
        in_channels: of both images together.
        base: width of the first layer; the last has eight times as many.


    Shapes:
        input and output image, ``[B, in + out, H, W]`` → one logit per patch,
        ``[B, 1, H / 8 − 2, W / 8 − 2]``.

    """

    def __init__(self, in_channels: int = 8, base: int = 64) -> None:
        super().__init__()
        widths = [base, 2 * base, 4 * base, 8 * base]
        layers: list[nn.Module] = [nn.Conv2d(in_channels, base, 4, 2, 1), nn.LeakyReLU(SLOPE)]
        for a, b in pairwise(widths):
            stride = 1 if b == widths[-1] else 2
            layers += [
                nn.Conv2d(a, b, 4, stride, 1, bias=False),
                nn.BatchNorm2d(b),
                nn.LeakyReLU(SLOPE, inplace=True),
            ]
        self.layers = nn.Sequential(*layers, nn.Conv2d(widths[-1], 1, 4, 1, 1))

    def forward(self, source: Tensor, image: Tensor) -> Tensor:
        """Logits: positive where ``image`` looks like a true answer to ``source``."""
        return self.layers(torch.cat([source, image], dim=1))


class Pix2Pix(nn.Module):
    """The two networks and their two losses. Only the generator is needed once trained.

    Args:
        generator: from the source image to the answer.
        discriminator: sees both.

    """

    def __init__(
        self, generator: UNet | None = None, discriminator: PatchDiscriminator | None = None
    ) -> None:
        super().__init__()
        self.generator = generator or UNet()
        self.discriminator = discriminator or PatchDiscriminator()

    def forward(self, source: Tensor) -> Tensor:
        """The generator's answer, ``[B, in, H, W]`` → ``[B, out, H, W]``."""
        return self.generator(source)

    def discriminator_loss(self, source: Tensor, target: Tensor, fake: Tensor) -> Tensor:
        """Cross-entropy of telling ``target`` from ``fake``; no gradient reaches the generator."""
        true, false = (self.discriminator(source, x) for x in (target, fake.detach()))
        return (
            F.binary_cross_entropy_with_logits(true, torch.ones_like(true))
            + F.binary_cross_entropy_with_logits(false, torch.zeros_like(false))
        ) / 2

    def generator_loss(self, source: Tensor, target: Tensor, fake: Tensor) -> Tensor:
        """Cross-entropy of passing for true, and 100 times the mean absolute error."""
        return self.adversarial_loss(source, fake) + L1_WEIGHT * F.l1_loss(fake, target)

    def adversarial_loss(self, source: Tensor, fake: Tensor) -> Tensor:
        """Cross-entropy of passing for true."""
        judged = self.discriminator(source, fake)
        return F.binary_cross_entropy_with_logits(judged, torch.ones_like(judged))
