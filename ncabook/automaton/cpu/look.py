"""What listed cells see of their neighbours: the compiled operations of ``adaptive.cpp``.

Each has a gradient of the first order.
"""

from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import once_differentiable

from ncabook.automaton.perception import window


def taps(kernel_size: int, dilation: int = 1) -> Tensor:
    """Offsets (dy, dx) of a window's taps, row by row: int64 ``[k², 2]``."""
    return torch.tensor(window(kernel_size, dilation))


def wider(which: Tensor, kernel_size: int, dilation: int = 1) -> Tensor:
    """Cells ``[B, 1, H, W]`` that have a marked one in their window."""
    reach = dilation * (kernel_size // 2)
    padded = F.pad(which.float(), (reach, reach, reach, reach), mode="circular")
    return F.max_pool2d(padded, kernel_size, stride=1, dilation=dilation) > 0


@dataclass(frozen=True)
class Listed:
    """Some cells of a batch, n of them.

    Attributes:
        cells: their numbers in ``[B, H, W]``, rising: int64 ``[n]``.
        owner: their samples, one-hot: ``[n, B]``; times a matrix, it looks up a sample's row.
        size: H and W.

    """

    cells: Tensor
    owner: Tensor
    size: tuple[int, int]

    @classmethod
    def of(cls, which: Tensor, dtype: torch.dtype) -> "Listed":
        """The cells that ``which``, bool ``[B, 1, H, W]``, marks; ``owner`` is of ``dtype``."""
        batch, _, height, width = which.shape
        cells = which.flatten().nonzero()[:, 0]
        owner = F.one_hot(cells // (height * width), batch).to(dtype)
        return cls(cells, owner, (height, width))

    def patches(
        self, source: Tensor, offsets: Tensor, index: Tensor | None = None, rounding: int = 1
    ) -> Tensor:
        """Their windows, ``[n, taps · C]``.

        Args:
            source: values ``[rows, C]``: all cells', or some cells' only.
            offsets: from :func:`taps`.
            index: if some cells' only: in which row each cell's are, int32 ``[B · H · W]``.
            rounding: rows of zeros fill the result up to a multiple of this.

        """
        return _Patches.apply(source, index, self, offsets, rounding).flatten(1)

    def moved(self, states: Tensor, offsets: Tensor, moves: Tensor, weights: Tensor) -> Tensor:
        """States ``[B · H · W, C]`` where moved taps land, bilinear and weighed: ``[n, taps · C]``.

        Args:
            states: of all cells.
            offsets: from :func:`taps`.
            moves: of each tap, ``[n, taps · 2]``, (Δy, Δx).
            weights: of each tap, ``[n, taps]``.

        """
        return _Moved.apply(states, self, offsets, moves, weights).flatten(1)

    def heard(self, states: Tensor, offsets: Tensor, asked: Tensor, position: Tensor) -> Tensor:
        """Σ w x, w = softmax(asked · x + position) over a window's states x: ``[n, heads, C]``.

        Args:
            states: of all cells, ``[B · H · W, C]``.
            offsets: from :func:`taps`.
            asked: ``[n, heads, C]``.
            position: ``[heads, taps]``.

        """
        return _Heard.apply(states, self, offsets, asked, position)


class _Patches(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, source: Tensor, index: Tensor | None, at: Listed, offsets: Tensor, rounding: int
    ) -> Tensor:
        ctx.rows, ctx.rest = len(source), (index, at.cells, offsets, *at.size)
        return torch.ops.ncabook.patches(source.contiguous(), *ctx.rest, rounding)

    @staticmethod
    @once_differentiable
    def backward(  # pyright: ignore[reportIncompatibleMethodOverride] theirs: (ctx, *grads)
        ctx: Any, grad: Tensor
    ) -> tuple[Tensor | None, ...]:
        given = torch.ops.ncabook.patches_backward(grad.contiguous(), ctx.rows, *ctx.rest)
        return given.to(grad.dtype), None, None, None, None


class _Moved(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, states: Tensor, at: Listed, offsets: Tensor, moves: Tensor, weights: Tensor
    ) -> Tensor:
        states, moves, weights = (t.contiguous() for t in (states, moves, weights))
        ctx.save_for_backward(states, at.cells, offsets, moves, weights)
        ctx.size = at.size
        return torch.ops.ncabook.moved(states, at.cells, offsets, moves, weights, *at.size)

    @staticmethod
    @once_differentiable
    def backward(  # pyright: ignore[reportIncompatibleMethodOverride] theirs: (ctx, *grads)
        ctx: Any, grad: Tensor
    ) -> tuple[Tensor | None, ...]:
        given = torch.ops.ncabook.moved_backward(grad.contiguous(), *ctx.saved_tensors, *ctx.size)
        return given[0], None, None, given[1], given[2]


class _Heard(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        states: Tensor,
        at: Listed,
        offsets: Tensor,
        asked: Tensor,
        position: Tensor,
    ) -> Tensor:
        states, asked, position = (t.contiguous() for t in (states, asked, position))
        ctx.save_for_backward(states, at.cells, offsets, asked, position)
        ctx.size = at.size
        return torch.ops.ncabook.heard(states, at.cells, offsets, asked, position, *at.size)

    @staticmethod
    @once_differentiable
    def backward(  # pyright: ignore[reportIncompatibleMethodOverride] theirs: (ctx, *grads)
        ctx: Any, grad: Tensor
    ) -> tuple[Tensor | None, ...]:
        states, asked, position = torch.ops.ncabook.heard_backward(
            grad.contiguous(), *ctx.saved_tensors, *ctx.size
        )
        return states, None, None, asked, position.sum(0)
