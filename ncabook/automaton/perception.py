"""What a cell sees: convolutions, learned or given, and several perceptions side by side."""

from collections.abc import Sequence
from itertools import product
from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ncabook.automaton.contract import Perception, check_condition, check_part, check_sizes

LEAKY_SLOPE = 0.2


def circular_pad(x: Tensor, reach: int) -> Tensor:
    """Wraps ``[B, C, H, W]`` around its four edges by ``reach`` cells."""
    if min(x.shape[-2:]) < reach:
        raise ValueError(
            f"a grid of {x.shape[-2]}×{x.shape[-1]} cells is smaller than the perception's "
            f"reach of {reach}; use a larger grid"
        )
    if reach == 0:
        return x
    padded = F.pad(x, (reach, reach, reach, reach), mode="circular")
    return padded.contiguous(memory_format=torch.channels_last)


def reach_of(kernel_size: int, dilation: int = 1) -> int:
    """How many cells away a kernel sees; refuses one that has no middle."""
    check_sizes(dilation=dilation)
    if kernel_size < 1 or kernel_size % 2 == 0:
        raise ValueError(f"kernel_size is {kernel_size}; expected an odd number ≥ 1")
    return dilation * (kernel_size // 2)


def window(kernel_size: int, dilation: int = 1) -> list[tuple[int, int]]:
    """Offsets (dy, dx) of a kernel's taps in cells, in the order of its elements."""
    steps = [dilation * (i - kernel_size // 2) for i in range(kernel_size)]
    return list(product(steps, steps))


class ConvPerception(Perception):
    """A learned k×k convolution on the torus, then LeakyReLU(0.2) (§2.1, i).

    Args:
        state_channels: channels of the state.
        out_channels: features per cell.
        kernel_size: side of the window, odd.
        dilation: distance between the cells that are looked at.
        condition_channels: channels of the condition, 0 for none.

    Shapes:
        state ``[B, state_channels, H, W]`` → features ``[B, out_channels, H, W]``.

    """

    def __init__(
        self,
        state_channels: int,
        out_channels: int,
        kernel_size: int = 3,
        dilation: int = 1,
        condition_channels: int = 0,
    ) -> None:
        super().__init__(
            state_channels,
            out_channels,
            reach=reach_of(kernel_size, dilation),
            condition_channels=condition_channels,
        )
        self.dilation = dilation
        self.conv = nn.Conv2d(
            state_channels + condition_channels, out_channels, kernel_size, dilation=dilation
        )

    @property
    def bias(self) -> Tensor:
        """Of the convolution, which always has one: ``[out_channels]``."""
        assert self.conv.bias is not None
        return self.conv.bias

    def encode(self, condition: Tensor | None) -> Tensor | None:
        """The condition's share of the convolution, to be added to every step's.

        A vector is the same in every cell, and on a torus every cell sees it through the
        whole kernel: its share is the kernel's sum times the vector, a bias per sample.

        Returns:
            ``[B, out, 1, 1]`` for a vector, ``[B, out, H, W]`` for a map, None for none.

        """
        condition = check_condition(condition, self.condition_channels)
        if condition is None:
            return None
        kernel = self.conv.weight[:, self.state_channels :]
        if condition.ndim == 2:
            return F.linear(condition, kernel.sum((2, 3)))[:, :, None, None]
        return F.conv2d(circular_pad(condition, self.reach), kernel, dilation=self.dilation)

    def forward(self, state: Tensor, encoded: Tensor | None = None) -> Tensor:
        """Features of every cell; ``encoded`` is what :meth:`encode` returned."""
        return F.leaky_relu_(self.linear(state, encoded), LEAKY_SLOPE)

    def linear(self, state: Tensor, encoded: Tensor | None = None) -> Tensor:
        """The convolution without its activation."""
        kernel = self.conv.weight[:, : self.state_channels]
        features = F.conv2d(
            circular_pad(state, self.reach), kernel, self.conv.bias, dilation=self.dilation
        )
        return features if encoded is None else features + encoded


class SobelPerception(Perception):
    """Fixed filters: each channel's value, ∂x and ∂y (Sobel / 8), and on request a Laplacian.

    The Laplacian is [[1, 2, 1], [2, −12, 2], [1, 2, 1]] / 8. It sums to zero, so that a flat
    field has none (the authors' code has −6 at the centre, which mixes in the value itself).
    No parameters, no activation (§2.1, iii; Mordvintsev et al. 2020).

    Shapes:
        state ``[B, C, H, W]`` → ``[B, filters · (C + condition), H, W]``, ordered by filter.
    """

    bank: Tensor

    def __init__(
        self, state_channels: int, condition_channels: int = 0, laplacian: bool = False
    ) -> None:
        inputs, filters = state_channels + condition_channels, 4 if laplacian else 3
        super().__init__(
            state_channels, filters * inputs, reach=1, condition_channels=condition_channels
        )
        identity = torch.tensor([[0.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 0.0]])
        sobel_x = torch.tensor([[-1.0, 0.0, 1.0], [-2.0, 0.0, 2.0], [-1.0, 0.0, 1.0]]) / 8
        bank = [identity, sobel_x, sobel_x.T]
        if laplacian:
            bank.append(torch.tensor([[1.0, 2.0, 1.0], [2.0, -12.0, 2.0], [1.0, 2.0, 1.0]]) / 8)
        self.register_buffer("bank", torch.stack(bank), persistent=False)

    def _filter(self, x: Tensor) -> Tensor:
        """``[B, C, H, W]`` → ``[B, filters, C, H, W]``."""
        channels = x.shape[1]
        kernel = self.bank.repeat(channels, 1, 1)[:, None]
        out = F.conv2d(circular_pad(x, 1), kernel, groups=channels)
        return out.unflatten(1, (channels, len(self.bank))).transpose(1, 2)

    def encode(self, condition: Tensor | None) -> Tensor | None:
        """The condition's features ``[B, filters, D, 1 or H, 1 or W]``; flat ones have no slope."""
        condition = check_condition(condition, self.condition_channels)
        if condition is None:
            return None
        if condition.ndim == 2:
            sums = self.bank.sum((1, 2))
            return (sums[None, :, None] * condition[:, None, :])[..., None, None]
        return self._filter(condition)

    def forward(self, state: Tensor, encoded: Tensor | None = None) -> Tensor:
        """Features of every cell; ``encoded`` is what :meth:`encode` returned."""
        features = self._filter(state)
        if encoded is not None:
            encoded = encoded.expand(*encoded.shape[:3], *state.shape[2:])
            features = torch.cat([features, encoded], dim=2)
        return features.flatten(1, 2)


class ResidualPerception(Perception):
    """Two convolutions and a shortcut: ReLU(conv₂(ReLU(conv₁(x))) + W x) (§2.1, ii).

    Two windows in a row see ``2 · reach of one`` cells far.

    Shapes:
        state ``[B, state_channels, H, W]`` → features ``[B, out_channels, H, W]``.
    """

    def __init__(
        self,
        state_channels: int,
        out_channels: int,
        kernel_size: int = 3,
        dilation: int = 1,
        condition_channels: int = 0,
    ) -> None:
        super().__init__(
            state_channels,
            out_channels,
            reach=2 * reach_of(kernel_size, dilation),
            condition_channels=condition_channels,
        )
        self.first = ConvPerception(
            state_channels, out_channels, kernel_size, dilation, condition_channels
        )
        self.second = ConvPerception(out_channels, out_channels, kernel_size, dilation)
        self.shortcut = ConvPerception(state_channels, out_channels, 1, 1, condition_channels)

    def encode(self, condition: Tensor | None) -> tuple[Tensor | None, Tensor | None]:
        """The condition's shares of the first convolution and of the shortcut."""
        return self.first.encode(condition), self.shortcut.encode(condition)

    def forward(
        self, state: Tensor, encoded: tuple[Tensor | None, Tensor | None] = (None, None)
    ) -> Tensor:
        """Features of every cell; ``encoded`` is what :meth:`encode` returned."""
        first, shortcut = encoded
        inner = F.relu_(self.first.linear(state, first))
        return F.relu_(self.second.linear(inner) + self.shortcut.linear(state, shortcut))


class MultiPerception(Perception):
    """Several perceptions side by side; their features are concatenated (§2.1, vi)."""

    def __init__(self, branches: Sequence[Perception]) -> None:
        if not branches:
            raise ValueError("branches is empty; expected at least one perception")
        for branch in branches:
            check_part("branch", branch, Perception)
        channels = {(b.state_channels, b.condition_channels) for b in branches}
        if len(channels) != 1:
            raise ValueError(
                f"branches for (state, condition) channels {sorted(channels)}; "
                "expected the same for all"
            )
        ((state_channels, condition_channels),) = channels
        super().__init__(
            state_channels,
            sum(b.out_channels for b in branches),
            reach=max(b.reach for b in branches),
            condition_channels=condition_channels,
        )
        # What PyTorch does for self.branches = …, where the name is a property.
        self._modules["branches"] = nn.ModuleList(branches)

    @property
    def branches(self) -> Sequence[Perception]:
        """The perceptions side by side, as they were given."""
        return cast(Sequence[Perception], self._modules["branches"])

    def shares(self, encoded: list[Any] | None) -> list[Any]:
        """What each branch made of the condition."""
        return encoded or self.encode(None)

    def encode(self, condition: Tensor | None) -> list[Any]:
        """What each branch makes of the condition."""
        return [branch.encode(condition) for branch in self.branches]

    def forward(self, state: Tensor, encoded: list[Any] | None = None) -> Tensor:
        """Features of every cell; ``encoded`` is what :meth:`encode` returned."""
        shares = self.shares(encoded)
        parts = [b(state, share) for b, share in zip(self.branches, shares, strict=True)]
        return torch.cat(parts, dim=1)
