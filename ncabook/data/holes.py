"""Holes in pictures: which pixels are missing, and what stands in their place.

Every kind of hole is a field of numbers, one for each pixel or each cell, and the hole is where
they are lowest; so any share of a picture can be had. A hole is float ``[B, 1, H, W]``, 1 where
something is missing.

- *disc*: the distance from a point, as the paper's circles; *discs*: from the nearest of three.
- *stroke*: the distance from a line with three bends.
- *half*: how far a pixel lies in some direction.
- *cells*: noise, in squares of eight pixels.
"""

import math
from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

GRAY = 0.5  # in place of missing colours
POINTS = 4  # of a stroke
CENTRES = 3  # of discs
SQUARE = 8  # pixels along the side of what is missing at random

Field = Callable[[int, int, int, Generator], Tensor]


def _places(height: int, width: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Rows ``[H, 1]`` and columns ``[1, W]``."""
    rows, columns = (torch.arange(n, device=device, dtype=torch.float32) for n in (height, width))
    return rows[:, None], columns[None, :]


def _points(
    count: int, several: int, height: int, width: int, generator: Generator
) -> tuple[Tensor, Tensor]:
    """Rows and columns anywhere in a picture, ``[count, several, 1, 1]`` each."""
    drawn = torch.rand(2, count, several, 1, 1, generator=generator, device=generator.device)
    return drawn[0] * height, drawn[1] * width


def _near(several: int) -> Field:
    """Distance from the nearest of some points."""

    def field(count: int, height: int, width: int, generator: Generator) -> Tensor:
        rows, columns = _places(height, width, generator.device)
        row, column = _points(count, several, height, width, generator)
        return torch.hypot(rows - row, columns - column).amin(1)

    return field


def _stroke(count: int, height: int, width: int, generator: Generator) -> Tensor:
    """Distance from the nearest part of a line."""
    rows, columns = _places(height, width, generator.device)
    row, column = _points(count, POINTS, height, width, generator)
    from_row, from_column = row[:, :-1], column[:, :-1]
    down, right = row.diff(dim=1), column.diff(dim=1)
    along = (rows - from_row) * down + (columns - from_column) * right
    along = (along / (down**2 + right**2).clamp_min(1e-6)).clamp(0, 1)
    return torch.hypot(rows - from_row - along * down, columns - from_column - along * right).amin(
        1
    )


def _half(count: int, height: int, width: int, generator: Generator) -> Tensor:
    """How far away in a direction."""
    rows, columns = _places(height, width, generator.device)
    angle = 2 * math.pi * torch.rand(count, 1, 1, generator=generator, device=generator.device)
    return columns * angle.cos() + rows * angle.sin()


def _cells(count: int, height: int, width: int, generator: Generator) -> Tensor:
    """Noise in squares."""
    small = [math.ceil(n / SQUARE) for n in (height, width)]
    noise = torch.rand(count, 1, *small, generator=generator, device=generator.device)
    return F.interpolate(noise, scale_factor=SQUARE)[:, 0, :height, :width]


FIELDS: dict[str, Field] = {
    "disc": _near(1),
    "discs": _near(CENTRES),
    "stroke": _stroke,
    "half": _half,
    "cells": _cells,
}


def holes(
    shares: Tensor, kind: str, height: int, width: int, generator: Generator, cell: int = 1
) -> Tensor:
    """Holes of one kind, ``[B, 1, height, width]``, on the generator's device.

    Args:
        shares: of a picture that is missing, ``[B]``, as nearly as whole pixels or cells allow.
        kind: one of :data:`FIELDS`.
        height: of the pictures, in pixels.
        width: likewise.
        generator: source of chance.
        cell: pixels along the side of what is missing as a whole or not at all.

    Raises:
        ValueError: no such kind, or sides that are no multiples of ``cell``.

    """
    if kind not in FIELDS:
        raise ValueError(f"a hole of kind {kind!r}; expected one of {', '.join(FIELDS)}")
    if height % cell or width % cell:
        raise ValueError(f"pictures of {height}×{width}; expected sides divisible by {cell}")
    field = FIELDS[kind](len(shares), height, width, generator)
    field = F.avg_pool2d(field[:, None], cell).flatten(1)
    order = field.argsort(1).argsort(1)  # a rank for each, ties in some order
    missing = order < (shares.to(field.device) * field.shape[1]).round()[:, None]
    small = missing.float().view(len(shares), 1, height // cell, width // cell)
    return F.interpolate(small, scale_factor=cell) if cell > 1 else small


def random_holes(
    count: int,
    height: int,
    width: int,
    generator: Generator,
    kinds: Sequence[str] = tuple(FIELDS),
    share: tuple[float, float] = (0.05, 0.7),
    cell: int = 1,
) -> Tensor:
    """Holes of kinds and sizes at random, ``[count, 1, height, width]``.

    Args:
        count: how many, B.
        height: of the pictures, in pixels.
        width: likewise.
        generator: source of chance.
        kinds: of :data:`FIELDS`, equally often.
        share: the smallest and the largest part of a picture that is missing.
        cell: pixels along the side of what is missing as a whole or not at all.

    """
    device, (low, high) = generator.device, share
    shares = low + (high - low) * torch.rand(count, generator=generator, device=device)
    which = torch.randint(len(kinds), (count,), generator=generator, device=device)
    found = torch.zeros(count, 1, height, width, device=device)
    for number, kind in enumerate(kinds):
        mine = which == number
        if mine.any():
            found[mine] = holes(shares[mine], kind, height, width, generator, cell)
    return found


def erased(images: Tensor, missing: Tensor) -> Tensor:
    """Pictures with holes: gray where RGB is missing, nothing where ink or RGBA is.

    Args:
        images: ``[B, C, H, W]`` in [0, 1].
        missing: ``[B, 1, H, W]``, 1 in the hole.

    Raises:
        ValueError: holes of another number or size.

    """
    check_holes(missing, images)
    empty = GRAY if images.shape[1] == 3 else 0.0
    return torch.lerp(images, torch.full_like(images, empty), missing)


def check_holes(missing: Tensor, images: Tensor) -> None:
    """Whether holes fit pictures; a ValueError, which says what was expected, if not."""
    wanted = (len(images), 1, *images.shape[2:])
    if tuple(missing.shape) != wanted:
        raise ValueError(
            f"a mask of shape {list(missing.shape)}; expected {list(wanted)}, one channel for each "
            "picture and as many pixels"
        )


def check_missing(missing: Tensor) -> None:
    """Whether each picture has something to fill, and something to fill it by.

    Raises:
        ValueError: a mask has other numbers than from 0 to 1, or is empty, or leaves nothing.

    """
    if not (missing.min() >= 0 and missing.max() <= 1):
        raise ValueError("a mask has numbers outside [0, 1]; expected 1 in the hole, 0 elsewhere")
    shares = missing.mean((1, 2, 3))
    for which, words in ((shares == 0, "is empty"), (shares == 1, "covers the whole picture")):
        if which.any():
            raise ValueError(
                f"the mask of picture {int(which.nonzero()[0])} {words}; expected a hole, and "
                "something around it"
            )
