"""What a VQ-VAE is made of: convolutions on the torus, halving and doubling.

The layout is that of the paper's authors' code, with two changes. Convolutions wrap around, as an
automaton's do: an image that is moved round its torus has a latent that is moved round its own,
and the live engine decodes with the kernels that make its steps. And a group of a normalisation
has at least two channels, so that small widths work.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

SLOPE = 0.2  # of LeakyReLU
GROUPS = 32


class Wrapped(nn.Conv2d):
    """3×3 on the torus: ``[B, in, H, W]`` → ``[B, out, H / stride, W / stride]``.

    What ``nn.Conv2d`` does with ``padding_mode="circular"``; but it copies a picture's edges
    only, where that fills a larger picture piece by piece. Sides are even where the stride is 2,
    so that nothing beyond the last row and column is looked at.
    """

    def __init__(self, in_channels: int, out_channels: int, stride: int = 1) -> None:
        super().__init__(in_channels, out_channels, 3, stride, 1, padding_mode="circular")

    def forward(self, x: Tensor) -> Tensor:
        """The features."""
        after = 1 if self.stride == (1, 1) else 0
        return F.conv2d(wrapped(x, after), self.weight, self.bias, self.stride)


def wrapped(x: Tensor, after: int = 1) -> Tensor:
    """``[B, C, H, W]``, the last row and column before it, and ``after`` of the first behind it."""
    for dim in (2, 3):
        size = x.shape[dim]
        x = torch.cat([x.narrow(dim, size - 1, 1), x, x.narrow(dim, 0, after)], dim)
    return x


def normalisation(channels: int) -> nn.GroupNorm:
    """Up to 32 groups, of two channels at least."""
    return nn.GroupNorm(min(GROUPS, channels // 2), channels)


class Halving(nn.Module):
    """A residual block of stride 2: ``[B, in, H, W]`` → ``[B, out, H / 2, W / 2]``."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.first = Wrapped(in_channels, out_channels, stride=2)
        self.first_norm = normalisation(out_channels)
        self.second = Wrapped(out_channels, out_channels)
        self.second_norm = normalisation(out_channels)
        self.shortcut = nn.Conv2d(in_channels, out_channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """The features at half the size."""
        y = F.leaky_relu(self.first_norm(self.first(x)), SLOPE)
        y = self.second_norm(self.second(y))
        # Of every second pixel, not by a stride: oneDNN's 1×1 convolution with a stride (seen up
        # to torch 2.15, AVX-512) writes beyond a channels-last gradient of 4 or 8 channels.
        return F.leaky_relu(y + self.shortcut(x[:, :, ::2, ::2]), SLOPE)


class Doubling(nn.Module):
    """Nearest neighbours, then a convolution: ``[B, in, H, W]`` → ``[B, out, 2 H, 2 W]``.

    Both at once: of the nine taps, those that meet the same small pixel are added up beforehand, so
    that each large pixel takes four products a channel instead of nine. That is a transposed
    convolution with a kernel of 4 × 4.
    """

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.conv = Wrapped(in_channels, out_channels)
        self.norm = normalisation(out_channels)

    def forward(self, x: Tensor) -> Tensor:
        """The features at twice the size."""
        taps = F.pad(self.conv.weight.flip(2, 3), (1, 1, 1, 1))
        for dim in (2, 3):
            taps = taps.narrow(dim, 0, 4) + taps.narrow(dim, 1, 4)
        x = F.conv_transpose2d(wrapped(x), taps.transpose(0, 1), self.conv.bias, 2, padding=3)
        return F.leaky_relu(self.norm(x), SLOPE)


def widths(base: int, stages: int) -> list[int]:
    """Channels from full size to the smallest.

    Args:
        base: at full size.
        stages: how often the size is halved.

    Raises:
        ValueError: no such widths.

    """
    if base < 2 or base % 2 or stages < 1:
        raise ValueError(
            f"base {base} and stages {stages}; expected an even width ≥ 2 and at least one stage"
        )
    found = [base * 2**i for i in range(stages + 1)]
    if any(width >= 2 * GROUPS and width % GROUPS for width in found):
        raise ValueError(
            f"base {base} makes widths of {found}; from {2 * GROUPS} on, they have to be "
            f"multiples of {GROUPS}"
        )
    return found
