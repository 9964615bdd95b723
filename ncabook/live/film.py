"""A film that an automaton is shown in a figure, frame by frame, until it goes on alone."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ncabook.automaton import NCA, hashed_fire
from ncabook.live.program import Program
from ncabook.training.screening import Screening, flights, flown
from ncabook.training.watching import FilmCells

MOST_BYTES = 2**22  # of frames in a page


@dataclass(frozen=True)
class Screen:
    """A screening on a grid; arguments of :func:`~ncabook.live.export.describe`."""

    film: Screening
    watcher: FilmCells

    @classmethod
    def of(
        cls, film: Screening | None, nca: Any, grid: tuple[int, int], others: Mapping[str, object]
    ) -> "Screen | None":
        """The screen of a figure; None for a figure without.

        Args:
            film: what is shown.
            nca: to whom.
            grid: height and width, in cells.
            others: options that a film leaves no room for, by name.

        Raises:
            TypeError: it is no screening, or not one automaton's.
            ValueError: channels or sizes do not fit, or something else is given beside.

        """
        if film is None:
            return None
        if not isinstance(film, Screening) or not isinstance(nca, NCA):
            raise TypeError(
                f"a film of type {type(film).__name__} for a {type(nca).__name__}; expected a "
                "Screening for an NCA"
            )
        given = [name for name, value in others.items() if value]
        if given:
            raise ValueError(f"{given[0]} is given beside a film, which begins and shows by itself")
        patch, size = film.view.patch, film.size
        if size != (grid[0] * patch, grid[1] * patch):
            raise ValueError(
                f"frames of {size[0]}×{size[1]} pixels on a grid of {grid[0]}×{grid[1]} cells of "
                f"{patch}×{patch}; expected {grid[0] * patch}×{grid[1] * patch}"
            )
        return cls(film, FilmCells(nca, film.view, film.steps))

    @property
    def names(self) -> list[str]:
        """Of the films, where there is a choice."""
        count = len(self.film.films)
        return list(self.film.names or map(str, range(1, count + 1))) if count > 1 else []

    @property
    def start(self) -> Tensor:
        """The state ``[1, C, H, W]`` that has seen nothing, less where cells are."""
        return torch.zeros_like(self._start()[:1])

    @property
    def alt(self) -> str:
        """What there is to see, in a sentence."""
        height, width = self.film.size
        throw = " Digits can be thrown." if self.film.throws is not None else ""
        return (
            f"A film of {width} by {height} pixels, told one frame ahead by a neural cellular "
            f"automaton: it watches {self.film.shown} frames, and goes on alone. Its cells can be "
            f"erased.{throw}"
        )

    def _start(self) -> Tensor:
        """For each film, a state that has seen nothing, ``[F, C, H, W]``."""
        walls = self.film.films.walls if self.film.view.walls else None
        return self.watcher.start(len(self.film.films), *self.film.size, walls)

    def described(self, program: Program) -> dict[str, Any]:
        """The description's part: how films are shown, and what is in them."""
        film, view = self.film, self.film.view
        begun = [flights(film.films[i : i + 1]) for i in range(len(film.films))]
        frames = film.films.pictures
        stored = sum(frames[i].numel() for i, known in enumerate(begun) if known is None)
        if stored > MOST_BYTES:
            raise ValueError(
                f"films of {stored:,} bytes in a page; expected {MOST_BYTES:,} or less: fewer or "
                "shorter films"
            )
        digits, reels = [], []
        for i, known in enumerate(begun):
            reel: dict[str, Any] = {"frames": None, "count": 0, "flights": []}
            if known is None:
                reel |= {"frames": program.numbers(frames[i], "<u1"), "count": len(frames[i])}
            else:
                first = sum(map(len, digits))
                reel["flights"] = [[first + d, *flight] for d, flight in enumerate(known)]
                digits.append(film.films.digits[i])
            reels.append(reel)
        first = sum(map(len, digits))
        thrown = [] if film.throws is None else [film.throws]
        return {
            "film": {
                "steps": film.steps,
                "seen": view.frames,
                "shift": view.shift,
                "patch": view.patch,
                "state": view.state,
                "shown": film.shown,
                "walls": view.walls,
                "stays": program.numbers(self._stays(), "<f4"),
                "reels": reels,
                "digits": _bitmaps(program, [*digits, *thrown]),
                "throws": [first, sum(map(len, thrown))],
                "speed": film.speed,
            }
        }

    def _stays(self) -> Tensor:
        """What lies in the fixed channels behind the frames, ``[F, H, W, channels]``."""
        view = self.film.view
        first = 0 if view.state == "window" else view.frames * view.patch**2
        return self._start()[:, first : view.fixed].permute(0, 2, 3, 1)

    @torch.no_grad()
    def watched(self, index: int, looks: int, seed: int = 0) -> Tensor:
        """What it tells after so many looks, and the true frame, ``[2, height, width]``.

        By the coins of the figure.
        """
        film, watcher = self.film, self.watcher
        one = film.films[index : index + 1]
        begun, ahead = flights(one), film.view.first + looks * film.view.shift
        frames = one.pictures
        if begun is not None:
            frames = flown(begun, one.digits[0], ahead + 1, film.size)[None]
        shown = min(film.shown, frames.shape[1])
        nca, state = watcher.nca, self._start()[index : index + 1]
        seen = told = torch.zeros(1, film.view.frames, *film.size)
        for look in range(looks):
            age = torch.tensor([film.view.first + look * film.view.shift])
            alone = (age >= shown) & (look > 0)
            seen = watcher.next_seen(seen, told) if bool(alone) else watcher.view(frames, age)
            state = watcher.shown(state, seen, alone)
            for step in range(look * film.steps, (look + 1) * film.steps):
                grid = state.shape[2], state.shape[3]
                state = nca.step(state, None, fire=hashed_fire(*grid, step, seed, nca.fire_rate))
            told = watcher.told(state)
        truth = frames[0, min(ahead, frames.shape[1] - 1)].float() / 255
        return torch.stack([told[0, 0].clamp(0, 1), truth])


def _bitmaps(program: Program, digits: list[Tensor]) -> dict[str, int] | None:
    if not digits or not sum(map(len, digits)):
        return None
    all_of_them = torch.cat([some for some in digits if len(some)])
    offset = program.numbers(all_of_them, "<u1")
    return {"offset": offset, "count": len(all_of_them), "side": all_of_them.shape[-1]}
