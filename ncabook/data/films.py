"""Films, and what moves in them: pictures, digits, their places.

:mod:`ncabook.data.moving` makes films of digits; a reader's own come in by :func:`film_of`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.lib.stride_tricks import sliding_window_view
from torch import Tensor

DIGIT = 28  # pixels of a digit's side
AT_ONCE = 50  # films to draw; more leave the cache


@dataclass(frozen=True)
class Films:
    """Films, and what moves in them where that is known.

    Attributes:
        pictures: uint8 ``[N, T, H, W]``.
        places: float64 ``[N, T, D, 2]``, row and column of each digit's upper left corner, in
            pixels; D is 0 where nobody knows.
        digits: uint8 ``[N, D, h, h]``, what moves.
        labels: int64 ``[N, D]``.
        walls: bool ``[N, H, W]``; None without.
        note: what sets the digits apart from MNIST; empty if nothing does.

    """

    pictures: Tensor
    places: Tensor
    digits: Tensor
    labels: Tensor
    walls: Tensor | None = None
    note: str = ""

    def __post_init__(self) -> None:
        shape = list(self.pictures.shape)
        if self.pictures.dtype != torch.uint8 or len(shape) != 4:
            raise ValueError(
                f"films of {self.pictures.dtype}, shape {shape}; expected torch.uint8, "
                "[N, frames, height, width]"
            )
        check_frames(shape[1])

    def __len__(self) -> int:
        return len(self.pictures)

    def __getitem__(self, which: slice) -> "Films":
        """Some of the films."""
        walls = None if self.walls is None else self.walls[which]
        return Films(
            self.pictures[which],
            self.places[which],
            self.digits[which],
            self.labels[which],
            walls,
            self.note,
        )

    def only(self, *kept: int) -> "Films":
        """The same films with some of their digits, counted from 0."""
        which = list(kept)
        places, digits = self.places[:, :, which], self.digits[:, which]
        pictures = drawn(digits, places, self.pictures.shape[2], self.pictures.shape[3])
        return replace(
            self, pictures=pictures, places=places, digits=digits, labels=self.labels[:, which]
        )

    def straight_on(self, shown: int) -> Tensor:
        """What follows if every digit went on as it did between the last two frames shown.

        Args:
            shown: frames.

        Returns:
            uint8 ``[N, T − shown, H, W]``; digits that cross an edge leave the picture.

        """
        _, frames, height, width = self.pictures.shape
        last = self.places[:, shown - 1]
        ahead = torch.arange(1, frames - shown + 1, dtype=torch.float64)[None, :, None, None]
        places = last[:, None] + ahead * (last - self.places[:, shown - 2])[:, None]
        return drawn(self.digits, places, height, width)


def check_frames(frames: int) -> None:
    """Refuses films of one frame."""
    if frames < 2:
        raise ValueError(f"films of {frames} frame; expected 2 or more, or nothing moves")


def film_of(frames: Sequence[Tensor]) -> Films:
    """One film of gray pictures uint8 ``[H, W]``, such as a reader's own.

    Raises:
        ValueError: fewer than two frames, or frames of different sizes.

    """
    check_frames(len(frames))
    for number, frame in enumerate(frames):
        if frame.shape != frames[0].shape:
            raise ValueError(
                f"frame {number} is of {_by(frame)} pixels, frame 0 of {_by(frames[0])}; expected "
                "frames of one size: crop or scale them first"
            )
    empty = torch.zeros(1, 0, DIGIT, DIGIT, dtype=torch.uint8)
    places = torch.zeros(1, len(frames), 0, 2, dtype=torch.float64)
    labels = torch.zeros(1, 0, dtype=torch.int64)
    return Films(torch.stack(list(frames))[None], places, empty, labels)


def _by(frame: Tensor) -> str:
    return "×".join(map(str, frame.shape))


def drawn(digits: Tensor, places: Tensor, height: int, width: int) -> Tensor:
    """Digits on black where they are, the brighter one in front.

    Args:
        digits: uint8 ``[N, D, h, h]``.
        places: ``[N, T, D, 2]``, rows and columns of corners, in pixels, rounded down; what lies
            outside is not seen.
        height: of the pictures.
        width: likewise.

    Returns:
        uint8 ``[N, T, height, width]``.

    """
    parts = zip(digits.split(AT_ONCE), places.split(AT_ONCE), strict=True)
    return torch.cat([_drawn(*part, height, width) for part in parts])


def _drawn(digits: Tensor, places: Tensor, height: int, width: int) -> Tensor:
    side, (count, frames) = digits.shape[-1], places.shape[:2]
    corners = np.floor(places.numpy()).astype(int)
    beyond = corners.min(initial=0) < 0 or (corners > [height - side, width - side]).any()
    rim = side if beyond else 0
    corners = (corners + rim).clip(0, [height + 2 * rim - side, width + 2 * rim - side])
    canvas = np.zeros((count, frames, height + 2 * rim, width + 2 * rim), np.uint8)
    windows = sliding_window_view(canvas, (side, side), axis=(2, 3), writeable=True)
    film, frame = np.ogrid[:count, :frames]
    for d, digit in enumerate(digits.numpy().swapaxes(0, 1)):
        place = film, frame, corners[:, :, d, 0], corners[:, :, d, 1]
        windows[place] = np.maximum(windows[place], digit[:, None])
    inside = canvas[:, :, rim : rim + height, rim : rim + width]
    return torch.from_numpy(np.ascontiguousarray(inside))
