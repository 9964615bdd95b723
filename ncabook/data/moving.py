"""Films of digits that move straight on and bounce: MovingMNIST, made when asked for.

The rules are those of Srivastava et al. 2015 (arXiv 1502.04681, and the code published with it): on
a canvas of 64 × 64 pixels, two digits of 28 × 28; each begins anywhere and moves a tenth of its
free way, 3.6 pixels, from frame to frame, in any direction. A digit that would leave the canvas is
stopped at its edge, and that part of its velocity turns around. Digits do not feel each other;
where they overlap, the brighter pixel is seen. Beyond these rules, sides, numbers of digits, speeds
and walls can be chosen.

Films to be measured by are made of MNIST's test digits, films to learn from of its training digits.
The public test set of 10,000 films comes through :mod:`ncabook.data.registry` (``PUBLIC``), for
who has it. Nobody says of which digits it is made: who learned from MNIST's training digits may
know them.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import torch
import torch.nn.functional as F
from numpy.lib.stride_tricks import sliding_window_view
from torch import Tensor

from ncabook.data.films import DIGIT, Films, check_frames, drawn
from ncabook.data.labelled import Labelled, mnist
from ncabook.data.registry import DataFile, DataSet
from ncabook.files import CorruptFileError

SIDE, DIGITS, FRAMES, SPEED = 64, 2, 20, 3.6  # Srivastava et al.'s; pixels a frame
TEST_FILMS, TEST_SEED = 1000, 20151502
# Of the fixed test films' bytes; what is measured on others cannot stand beside it.
TEST_SHA256 = "eb57fac4529d5e25c4bc2f573aa63a133e917a4737e633835205d2181d4395da"
Directions = Literal["any", "straight", "diagonal"]
TRIES = 64  # places looked at for a digit to begin at, among walls

PUBLIC = DataSet(
    "moving-mnist",
    "two moving digits, 64×64 gray: the public test set of 10,000 films of 20 frames",
    "819 MB",
    "Srivastava et al. 2015, www.cs.toronto.edu/~nitish/unsupervised_video",
    "none stated; of MNIST's digits, CC BY-SA 3.0",
    (
        DataFile(
            "moving-mnist/mnist_test_seq.npy",
            # As TensorFlow Datasets lists it.
            "c2a3e8d3939c001ab77bf543f130157424efa486bb4d0974d2cebb773b13f8b3",
            819200096,
            "http://www.cs.toronto.edu/~nitish/unsupervised_video/mnist_test_seq.npy",
        ),
    ),
)


@dataclass(frozen=True)
class Rules:
    """What films are made by; without arguments, those that were published.

    Attributes:
        side: of the canvas, in pixels.
        digits: in a film.
        slowest: speed in pixels a frame, drawn for each digit between this
        fastest: and this.
        frames: of a film.
        digit: side of a digit, in pixels: 28, or 14 for films of half the size.
        directions: ``any``; ``straight``, nearer to an axis than to a diagonal; or ``diagonal``. A
            digit that bounces keeps to them.

    Raises:
        ValueError: what no film can be made by.

    """

    side: int = SIDE
    digits: int = DIGITS
    slowest: float = SPEED
    fastest: float = SPEED
    frames: int = FRAMES
    digit: int = DIGIT
    directions: Directions = "any"

    def __post_init__(self) -> None:
        check_frames(self.frames)
        if self.digits < 1:
            raise ValueError(f"films of {self.digits} digits; expected at least 1")
        if self.digit not in (DIGIT, DIGIT // 2):
            raise ValueError(f"digits of {self.digit} pixels; expected {DIGIT} or {DIGIT // 2}")
        if self.free < 1:
            raise ValueError(
                f"a canvas of {self.side}×{self.side} pixels leaves no room for digits of "
                f"{self.digit}×{self.digit} to move; expected a side of {self.digit + 1} or more"
            )
        if not 0 <= self.slowest <= self.fastest:
            raise ValueError(
                f"speeds from {self.slowest:g} to {self.fastest:g} pixels a frame; expected "
                "0 ≤ slowest ≤ fastest"
            )
        if self.fastest > self.free:
            raise ValueError(
                f"a speed of {self.fastest:g} pixels a frame, and a digit's free way is "
                f"{self.free}: it would hit a wall in every frame; expected {self.free} or less"
            )

    @property
    def free(self) -> int:
        """A digit's free way along an axis, in pixels."""
        return self.side - self.digit


def make_films(
    source: Labelled,
    count: int,
    generator: torch.Generator,
    rules: Rules | None = None,
    walls: Tensor | None = None,
) -> Films:
    """Films by :class:`Rules`.

    Args:
        source: digits ``[M, 1, 28, 28]`` to draw from, with repetition.
        count: how many films, N.
        generator: source of chance, on the CPU; the same one gives the same films anywhere.
        rules: of size and motion.
        walls: bool ``[N, side, side]``, off which a digit's ink bounces, too; none if not given.

    Raises:
        ValueError: walls of another shape, or ones that leave no room for a digit.

    """
    rules = rules or Rules()
    shape = (count, rules.digits)
    draw = {"generator": generator, "dtype": torch.float64}
    start = torch.rand(*shape, 2, **draw).numpy() * rules.free
    angle = _directed(torch.rand(shape, **draw).numpy() * 4, rules.directions) * np.pi / 2
    speed = rules.slowest + torch.rand(shape, **draw).numpy() * (rules.fastest - rules.slowest)
    which = torch.randint(len(source), shape, generator=generator)
    velocity = np.stack([np.sin(angle), np.cos(angle)], -1) * speed[..., None]
    digits = source.images[which, 0]
    if rules.digit < DIGIT:
        digits = F.avg_pool2d(digits.float(), DIGIT // rules.digit).round().to(torch.uint8)
    if walls is None:
        places = _flown(start, velocity, rules)
    else:
        if walls.shape != (count, rules.side, rules.side):
            wanted = [count, rules.side, rules.side]
            raise ValueError(f"walls of shape {list(walls.shape)}; expected {wanted}")
        hits = _Touch(walls.numpy(), digits.numpy())
        start = hits.free(start, rules.free, generator)
        places = _flown(start, velocity, rules, hits)
    places = torch.from_numpy(places)
    pictures = drawn(digits, places, rules.side, rules.side)
    return Films(pictures, places, digits, source.labels[which], walls, source.note)


def _directed(quarters: np.ndarray, directions: Directions) -> np.ndarray:
    """Angles in quarters of a turn, from 0 to 4, moved into a sector of the same quarter."""
    if directions == "any":
        return quarters
    middle = 0.5 if directions == "diagonal" else 0.0
    return np.floor(quarters) + middle + (quarters % 1 - 0.5) / 2


def _flown(
    place: np.ndarray, velocity: np.ndarray, rules: Rules, hits: "_Touch | None" = None
) -> np.ndarray:
    """Corners ``[N, T, D, 2]``; as published, the first frame is one step from the start."""
    place, velocity = place.copy(), velocity.copy()
    parts = 1 if hits is None else max(1, int(np.ceil(rules.fastest / 2)))  # not through walls
    places = []
    for _ in range(rules.frames):
        for _ in range(parts):
            for axes in ([0, 1],) if hits is None else ([0], [1]):
                step = np.zeros_like(velocity)
                step[..., axes] = velocity[..., axes] / parts
                after = place + step
                turned = ((after <= 0) | (after >= rules.free)) & (step != 0)
                after = after.clip(0, rules.free)
                if hits is not None:
                    struck = hits(after)[..., None] & (step != 0)
                    after = np.where(struck, place, after)
                    turned |= struck
                velocity = np.where(turned, -velocity, velocity)
                place = after
        places.append(place)
    return np.stack(places, 1)


class _Touch:
    """Whether digits' ink lies on walls.

    Args:
        walls: bool ``[N, H, W]``.
        digits: uint8 ``[N, D, h, h]``.

    """

    def __init__(self, walls: np.ndarray, digits: np.ndarray) -> None:
        self.windows = sliding_window_view(walls, digits.shape[2:], axis=(1, 2))
        self.ink = digits > 127

    def __call__(self, place: np.ndarray) -> np.ndarray:
        """Of corners ``[N, D, 2]``, bool ``[N, D]``."""
        row, column = np.moveaxis(place.astype(int), -1, 0)
        under = self.windows[np.arange(len(place))[:, None], row, column]
        return np.asarray((under & self.ink).any((2, 3)))

    def free(self, start: np.ndarray, way: int, generator: torch.Generator) -> np.ndarray:
        """Starts ``[N, D, 2]``, those on a wall drawn again."""
        for _ in range(TRIES):
            struck = self(start)
            if not struck.any():
                return start
            other = torch.rand(start.shape, generator=generator, dtype=torch.float64).numpy() * way
            start = np.where(struck[..., None], other, start)
        film = int(self(start).any(1).argmax())
        raise ValueError(
            f"the walls of film {film} leave no room for a digit ({TRIES} places tried); expected "
            "fewer or shorter walls"
        )


def random_walls(count: int, side: int, generator: torch.Generator, thickness: int = 4) -> Tensor:
    """A straight wall in each canvas, upright or lying, bool ``[count, side, side]``.

    It is between a quarter and three quarters of the canvas long, and stands anywhere.
    """
    draw = torch.rand(count, 4, generator=generator, dtype=torch.float64)
    length = ((0.25 + 0.5 * draw[:, 0]) * side).long()
    along = (draw[:, 1] * (side - length + 1)).long()[:, None, None]
    across = (draw[:, 2] * (side - thickness + 1)).long()[:, None, None]
    line = torch.arange(side)
    first, second = line[None, :, None], line[None, None, :]
    walls = (first >= along) & (first < along + length[:, None, None])
    walls = walls & (second >= across) & (second < across + thickness)
    return torch.where((draw[:, 3] < 0.5)[:, None, None], walls, walls.transpose(1, 2))


def fixed_films(folder: Path | None = None) -> Films:
    """The 1,000 films that everything is measured by: test digits, published rules, one seed.

    Args:
        folder: where to look for MNIST before NCABOOK_DATA and the cache.

    Raises:
        DataUnavailableError: MNIST is not here and cannot be downloaded.
        CorruptFileError: what was made are other films than they were.

    """
    generator = torch.Generator().manual_seed(TEST_SEED)
    films = make_films(mnist("test", folder), TEST_FILMS, generator)
    found = hashlib.sha256(films.pictures.numpy().tobytes()).hexdigest()
    if found != TEST_SHA256:
        raise CorruptFileError(
            f"the test films' bytes have sha256 {found}; expected {TEST_SHA256}: this version of "
            "torch or numpy makes other films, and what is measured on them is no comparison"
        )
    return films
