"""Which cells fire: a coin toss for every cell, at every step.

Two sources of coins. A :class:`torch.Generator` for training. And an integer hash of
(column, row, step, seed) that needs no state, so that the same cells fire in PyTorch, in NumPy
and in the page's engine: trajectories can then be compared cell by cell.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

_MASK32 = 0xFFFFFFFF
_BITS = 24


def random_fire(state: Tensor, rate: float | Tensor, generator: torch.Generator | None) -> Tensor:
    """Bool ``[B, 1, H, W]``: True with probability ``rate``, independently for every cell.

    ``rate`` is one number, or one for each cell, ``[1 or B, 1, H, W]``.
    """
    batch, _, height, width = state.shape
    coins = torch.rand(batch, 1, height, width, device=state.device, generator=generator)
    return coins < rate


def ring_fire(fire: Tensor, seeds: Tensor) -> Tensor:
    """The mask of a first step that no seed dies of: seeds rest, their eight neighbours fire.

    By chance a seed may fire while none of its neighbours does, lose its alpha, and with it
    everything (chapter 05). Here the neighbours come alive first. This start is the book's own.

    Args:
        fire: the mask of the other cells, bool ``[1 or B, 1, H, W]``.
        seeds: which cells live, bool ``[B, 1, H, W]``; seeds are to be two cells apart or more.

    """
    padded = F.pad(seeds.float(), (1, 1, 1, 1), mode="circular")
    return (fire | (F.max_pool2d(padded, 3, stride=1) > 0)) & ~seeds


def hashed_fire(height: int, width: int, step: int, seed: int, rate: float) -> Tensor:
    """Bool ``[1, 1, H, W]``: the fire mask of ``step`` in the trajectory named by ``seed``.

    The hash multiplies the coordinates by odd constants and scrambles the 32 bits with two
    rounds of multiply and shift; its upper 24 bits, as a fraction of 2²⁴, are the coin.
    """
    rows = torch.arange(height, dtype=torch.int64)[:, None]
    columns = torch.arange(width, dtype=torch.int64)[None, :]
    h = (columns * 0x8DA6B343 & _MASK32) ^ (rows * 0xD8163841 & _MASK32)
    h = h ^ (step * 0xCB1AB31F & _MASK32) ^ (seed & _MASK32)
    h = h ^ (h >> 16)
    h = _multiply32(h, 0x7FEB352D)
    h = h ^ (h >> 15)
    h = _multiply32(h, 0x846CA68B)
    h = h ^ (h >> 16)
    return ((h >> (32 - _BITS)) < int(rate * 2**_BITS))[None, None]


def _multiply32(a: Tensor, b: int) -> Tensor:
    """``a · b`` modulo 2³², in two halves so that 64 bits never overflow."""
    low = (a & 0xFFFF) * b
    high = (a >> 16) * b & 0xFFFF
    return (low + (high << 16)) & _MASK32
