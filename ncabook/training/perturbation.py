"""Damage and mutation: what training and evaluation do to a grown pattern (§3.1.1).

A damage mask is float ``[B, 1, H, W]``, 1 where cells survive and 0 where they are erased;
it multiplies the state. A mutation gives a sample another class and leaves its state alone.
"""

import math

import torch
from torch import Tensor


def circle_mask(
    height: int, width: int, row: Tensor | float, column: Tensor | float, radius: Tensor | float
) -> Tensor:
    """Erases discs; centre and radius in cells, each a number or a tensor ``[B]``."""
    rows, columns = _grid(height, width, row)
    row, column, radius = (_column(v, rows) for v in (row, column, radius))
    outside = (rows - row) ** 2 + (columns - column) ** 2 > radius**2
    return outside.float()[:, None]


def half_mask(
    height: int, width: int, angle: Tensor | float, offset: Tensor | float = 0.0
) -> Tensor:
    """Erases the half plane that lies in direction ``angle`` (radians; 0 right, π/2 down).

    ``offset`` moves the border away from the centre, in cells; number or tensor ``[B]``.
    """
    rows, columns = _grid(height, width, angle)
    angle, offset = (_column(v, rows) for v in (angle, offset))
    along = (columns - (width - 1) / 2) * torch.cos(angle)
    along = along + (rows - (height - 1) / 2) * torch.sin(angle)
    # Half a cell's worth of rounding must not decide a border that runs between two cells.
    return (along <= offset + 1e-4).float()[:, None]


def random_damage(
    batch: int, height: int, width: int, generator: torch.Generator, device: str = "cpu"
) -> Tensor:
    """A mask for each sample: a disc of radius 10–40 % of the side, or a half plane, equally often.

    Discs are centred in the middle half of the grid, half planes are turned at random and
    moved off the centre by up to 10 % of the side, so that training never sees exactly the
    masks of the evaluation.
    """
    side = min(height, width)
    u = torch.rand(5, batch, generator=generator, device=device)
    circles = circle_mask(
        height,
        width,
        height * (0.25 + 0.5 * u[0]),
        width * (0.25 + 0.5 * u[1]),
        side * (0.1 + 0.3 * u[2]),
    )
    halves = half_mask(height, width, 2 * math.pi * u[0], side * 0.2 * (u[1] - 0.5))
    choose_circle = (u[4] < 0.5)[:, None, None, None]
    return torch.where(choose_circle, circles, halves)


def mutate(classes: Tensor, count: int, generator: torch.Generator) -> Tensor:
    """Gives each sample, ``[B]`` of class numbers, one of the ``count − 1`` other classes."""
    if count < 2:
        raise ValueError(f"mutation needs at least 2 classes; there are {count}")
    shift = torch.randint(1, count, classes.shape, generator=generator, device=classes.device)
    return (classes + shift) % count


def _grid(height: int, width: int, like: Tensor | float) -> tuple[Tensor, Tensor]:
    device = like.device if isinstance(like, Tensor) else "cpu"
    rows = torch.arange(height, device=device, dtype=torch.float32)[None, :, None]
    columns = torch.arange(width, device=device, dtype=torch.float32)[None, None, :]
    return rows, columns


def _column(value: Tensor | float, like: Tensor) -> Tensor:
    return torch.as_tensor(value, dtype=like.dtype, device=like.device).reshape(-1, 1, 1)
