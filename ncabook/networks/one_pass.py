"""What an automaton is compared with: an image and a class to a target, in one pass."""

import torch
from torch import Tensor

from ncabook.networks.counted import Counted
from ncabook.networks.unet import UNet

IMAGE_CHANNELS = 4  # premultiplied RGBA


class OnePass(Counted):
    """A conditional U-Net: whatever is given, the class's picture comes out, or should.

    It has no state and no steps. What it "repairs" is drawn anew.

    Args:
        classes: how many there are; each is a plane of ones or zeros beside the image.
        base: width of the U-Net at full size.
        halvings: how often the U-Net halves the image.

    Shapes:
        image ``[B, 4, H, W]``, condition ``[B, classes]`` → ``[B, 4, H, W]``.

    """

    def __init__(self, classes: int, base: int, halvings: int) -> None:
        super().__init__()
        self.unet = UNet(IMAGE_CHANNELS + classes, IMAGE_CHANNELS, base, halvings)

    def forward(self, image: Tensor, condition: Tensor) -> Tensor:
        """The picture of the class."""
        return self.unet(beside(image, condition))


def beside(image: Tensor, condition: Tensor) -> Tensor:
    """The image with one constant plane per class: ``[B, 4 + classes, H, W]``."""
    planes = condition[:, :, None, None].expand(-1, -1, *image.shape[2:])
    return torch.cat([image, planes], dim=1)
