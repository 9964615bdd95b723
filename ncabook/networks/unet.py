"""A U-Net (Ronneberger et al. 2015) of the size that the paper's Table 6 prints.

The paper gives a parameter count, 2,768,772, and no layout; its code has no U-Net. This is the
usual one with three halvings, and the base width that comes nearest: 38, or 2,716,966 parameters.
"""

from itertools import pairwise

import torch
from torch import Tensor, nn

from ncabook.networks.counted import Counted


def double_convolution(in_channels: int, out_channels: int) -> nn.Sequential:
    """Twice a 3×3 convolution, batch norm and ReLU: ``[B, in, H, W]`` → ``[B, out, H, W]``."""
    layers: list[nn.Module] = []
    for channels in (in_channels, out_channels):
        layers += [
            nn.Conv2d(channels, out_channels, 3, padding=1, bias=False),
            nn.BatchNorm2d(out_channels),
            nn.ReLU(inplace=True),
        ]
    return nn.Sequential(*layers)


class UNet(Counted):
    """Down by halves, up again, with a shortcut at every size.

    Args:
        in_channels: channels of the input image.
        out_channels: channels of the output image.
        base: width at full size; it doubles with every halving.
        halvings: how often.

    Shapes:
        ``[B, in_channels, H, W]`` → ``[B, out_channels, H, W]``; H and W divisible by
        ``2 ** halvings``.

    """

    def __init__(
        self, in_channels: int = 4, out_channels: int = 4, base: int = 38, halvings: int = 3
    ) -> None:
        super().__init__()
        if halvings < 1:
            raise ValueError(f"halvings is {halvings}; expected a whole number ≥ 1")
        widths = [base * 2**i for i in range(halvings + 1)]
        pairs = list(pairwise(widths))
        self.halvings = halvings
        self.first = double_convolution(in_channels, base)
        self.down = nn.ModuleList(double_convolution(a, b) for a, b in pairs)
        self.enlarge = nn.ModuleList(nn.ConvTranspose2d(b, a, 2, stride=2) for a, b in pairs)
        self.up = nn.ModuleList(double_convolution(2 * a, a) for a, _ in pairs)
        self.pool = nn.MaxPool2d(2)
        self.last = nn.Conv2d(base, out_channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """The output image.

        Raises:
            ValueError: a side of ``x`` cannot be halved often enough.

        """
        if any(side % 2**self.halvings for side in x.shape[-2:]):
            raise ValueError(
                f"an image of {x.shape[-2]}×{x.shape[-1]}; expected sides divisible by "
                f"{2**self.halvings}"
            )
        x = self.first(x)
        shortcuts = []
        for down in self.down:
            shortcuts.append(x)
            x = down(self.pool(x))
        for enlarge, up in zip(reversed(self.enlarge), reversed(self.up), strict=True):
            x = up(torch.cat([shortcuts.pop(), enlarge(x)], dim=1))
        return self.last(x)
