"""A small convolutional network, of the size of an automaton that classifies."""

from collections.abc import Sequence
from itertools import pairwise

from torch import Tensor, nn

from ncabook.networks.counted import Counted

WIDTHS = (16, 32, 64)


class SmallCNN(Counted):
    """Convolutions with batch norm, the average over the image, one linear layer.

    For digits, and with the usual widths, these are 24,058 learned numbers.

    Args:
        classes: how many there are.
        image_channels: of an image.
        widths: of the convolutions; between two of them an image is halved.

    Shapes:
        images ``[B, image_channels, H, W]`` of any size from 4 × 4 on → logits ``[B, classes]``.

    """

    def __init__(
        self, classes: int, image_channels: int = 1, widths: Sequence[int] = WIDTHS
    ) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for a, b in pairwise((image_channels, *widths)):
            layers += [
                nn.Conv2d(a, b, 3, padding=1, bias=False),
                nn.BatchNorm2d(b),
                nn.ReLU(inplace=True),
                nn.MaxPool2d(2),
            ]
        self.features = nn.Sequential(*layers[:-1])
        self.last = nn.Linear(widths[-1], classes)

    def describe(self, images: Tensor) -> Tensor:
        """What the last layer decides by, ``[B, widths[-1]]``."""
        return self.features(images).mean((2, 3))

    def forward(self, images: Tensor) -> Tensor:
        """The logits."""
        return self.last(self.describe(images))
