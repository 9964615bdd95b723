"""A small convolutional network, of the size of an automaton that classifies."""

from itertools import pairwise

from torch import Tensor, nn

WIDTHS = (16, 32, 64)


class SmallCNN(nn.Module):
    """Three convolutions with batch norm, the average over the image, one linear layer.

    For digits these are 24,058 learned numbers.

    Args:
        classes: how many there are.
        image_channels: of an image.

    Shapes:
        images ``[B, image_channels, H, W]`` of any size from 4 × 4 on → logits ``[B, classes]``.

    """

    def __init__(self, classes: int, image_channels: int = 1) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for a, b in pairwise((image_channels, *WIDTHS)):
            layers += [
                nn.Conv2d(a, b, 3, padding=1, bias=False),
                nn.BatchNorm2d(b),
                nn.ReLU(inplace=True),
                nn.MaxPool2d(2),
            ]
        self.features = nn.Sequential(*layers[:-1])
        self.last = nn.Linear(WIDTHS[-1], classes)

    def forward(self, images: Tensor) -> Tensor:
        """The logits."""
        return self.last(self.features(images).mean((2, 3)))
