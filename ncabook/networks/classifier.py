"""A small convolutional network, of the size of an automaton that classifies."""

from torch import Tensor, nn


class SmallCNN(nn.Module):
    """Three convolutions, the average over the image, one linear layer: 23,946 numbers for digits.

    Args:
        classes: how many there are.
        image_channels: of an image.

    Shapes:
        images ``[B, image_channels, H, W]`` of any size from 4 × 4 on → logits ``[B, classes]``.

    """

    def __init__(self, classes: int, image_channels: int = 1) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(image_channels, 16, 3, padding=1),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(2),
            nn.Conv2d(16, 32, 3, padding=1),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(2),
            nn.Conv2d(32, 64, 3, padding=1),
            nn.ReLU(inplace=True),
        )
        self.last = nn.Linear(64, classes)

    def forward(self, images: Tensor) -> Tensor:
        """The logits."""
        return self.last(self.features(images).mean((2, 3)))
