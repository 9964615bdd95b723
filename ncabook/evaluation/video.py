"""How automata that watch films are measured, and what the paper's curve leaves out (§3.4).

- *Next*: the error of the new frame, each told from true ones.
- *Free*: ten frames are shown, and the next ten are told, each from what was told before. Beside it
  stand black frames, the mean of what was shown, the last frame again, and digits that go straight
  on, whose places and velocities somebody gives away.
- *Counting*: a window shifted by one frame has, of k frames, k − 1 that were seen already. What its
  error is when all of them are counted, as the paper does, and when the new one is; and both for
  who hands the window back unchanged, and for who shifts it and shows the last frame twice.
- *Inside*: the error after every step inside a frame, and for as many steps again (Fig. 16a).
"""

from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor

from ncabook.automaton.contract import check_sizes
from ncabook.data.films import Films
from ncabook.evaluation.films import (
    baselines,
    foretold,
    frame_errors,
    nearest,
    squared,
    summary,
)
from ncabook.training.watching import FilmCells, Watcher

WINDOW = 3  # frames of the window that stands for who has none

# OpenSTL's table (Tan et al. 2023), 10 → 10 frames, 200 epochs of 10,000 films; parameters, and
# errors of a frame on the public 10,000 films.
PUBLISHED = {
    "ConvLSTM-S": {"parameters": 15.0e6, "mse": 29.80, "ssim_openstl": 0.9288},
    "PhyDNet": {"parameters": 3.1e6, "mse": 28.19, "ssim_openstl": 0.9374},
    "PredRNN": {"parameters": 23.8e6, "mse": 23.97, "ssim_openstl": 0.9462},
    "SimVP, gSTA": {"parameters": 46.8e6, "mse": 26.69, "ssim_openstl": 0.9402},
}


@dataclass(frozen=True)
class VideoProtocol:
    """How many, and when.

    Attributes:
        films: to be told.
        shown: frames of each that are true ones.
        lpips: films whose LPIPS is measured.
        inside: films of which every step is looked at.
        batch: films at once.
        version: of this protocol.

    """

    films: int = 1000
    shown: int = 10
    lpips: int = 100
    inside: int = 100
    batch: int = 50
    version: int = 1

    def __post_init__(self) -> None:
        check_sizes(**asdict(self))


@torch.no_grad()
def evaluate_video(
    watcher: Watcher,
    films: Films,
    protocol: VideoProtocol | None = None,
    lpips: bool = True,
) -> dict[str, Any]:
    """Measures who watches films.

    Args:
        watcher: an automaton or a recurrent network, on the CPU.
        films: of digits that it has not seen.
        protocol: how many, and when.
        lpips: whether LPIPS is measured.

    Raises:
        ValueError: films too short for the frames to be shown.

    """
    how = protocol or VideoProtocol()
    films = films[: how.films]
    some = min(how.lpips, len(films)) if lpips else 0
    true = films.pictures.float() / 255
    frames = true.shape[1]
    if not how.shown < frames:
        raise ValueError(
            f"shown {how.shown} of films of {frames} frames leaves none to be told; expected "
            f"{frames - 1} or less"
        )
    told = foretold(watcher, films, how.shown, frames, how.batch)
    near, far = nearest(watcher, how.shown), slice(how.shown, None)
    copied = torch.cat([true[:, :1], true[:, :-1]], 1)
    found: dict[str, Any] = {
        "protocol": asdict(how),
        "films": len(films),
        "next": summary(frame_errors(told[:, near], true[:, near], some)),
        "free": summary(frame_errors(told[:, far], true[:, far], some), each=True),
        "next_baselines": {
            "copy-last": summary(frame_errors(copied[:, near], true[:, near], some)),
        },
        "free_baselines": {
            name: summary(frame_errors(guess, true[:, far], some))
            for name, guess in baselines(films, how.shown).items()
        },
        "counting": _counting(watcher, films[: how.inside], how.shown),
    }
    if isinstance(watcher, FilmCells):
        found["inside"] = _inside(watcher, films[: how.inside], how.shown)
    return found


def _last_view(watcher: Watcher, films: Films, shown: int) -> tuple[Tensor, Tensor, Tensor]:
    """State, frames seen and their age, when all frames but the last true ones were watched."""
    count, _, height, width = films.pictures.shape
    never, generator = torch.zeros(count, dtype=torch.bool), torch.Generator().manual_seed(0)
    state = watcher.start(count, height, width, films.walls)
    age = torch.full((count,), watcher.first)
    while age[0] + watcher.shift < shown:
        state, _ = watcher.look(state, watcher.view(films.pictures, age), never, generator)
        age = age + watcher.shift
    return state, watcher.view(films.pictures, age), age


def _counting(watcher: Watcher, films: Films, shown: int) -> dict[str, Any]:
    """Mean squared errors of a pixel, of the window and of its new frames."""
    state, seen, age = _last_view(watcher, films, shown)
    alone = torch.zeros(len(films), dtype=torch.bool)
    _, told = watcher.look(state, seen, alone, torch.Generator().manual_seed(0))
    wanted = watcher.wanted(films.pictures, age)
    size, shift = max(told.shape[1], WINDOW), watcher.shift
    if told.shape[1] < size:  # who tells one frame has seen the others
        back = age[0] - torch.arange(size - shift)
        past = films.pictures[:, back].float() / 255
        told, wanted = torch.cat([told, past], 1), torch.cat([wanted, past], 1)
    window = films.pictures[:, age[0] - torch.arange(size)].float() / 255
    again = torch.cat([window[:, :1].expand(-1, shift, -1, -1), window], 1)[:, :size]
    return {
        "frames": size,
        "shift": shift,
        **{
            name: {
                "window": float((guess.clamp(0, 1) - wanted).square().mean()),
                "new": float((guess.clamp(0, 1) - wanted)[:, :shift].square().mean()),
            }
            for name, guess in (("told", told), ("unchanged", window), ("last again", again))
        },
    }


def _inside(watcher: FilmCells, films: Films, shown: int) -> dict[str, Any]:
    """The error of the new frames after every step, and what changes from step to step."""
    state, seen, age = _last_view(watcher, films, shown)
    alone = torch.zeros(len(films), dtype=torch.bool)
    wanted = watcher.new(watcher.wanted(films.pictures, age))
    generator = torch.Generator().manual_seed(0)
    steps = 2 * watcher.steps
    states = watcher.nca.rollout(
        watcher.shown(state, seen, alone), steps, record_every=1, generator=generator
    )
    told = [watcher.new(watcher.told(each)).clamp(0, 1) for each in states]
    fixed = watcher.nca.layout.fixed
    moved = (states[1:, :, fixed:] - states[:-1, :, fixed:]).square().mean((1, 2, 3, 4)).sqrt()
    return {
        "steps": list(range(steps + 1)),
        "trained": watcher.steps,
        "mse": [float(squared(each, wanted).mean()) for each in told],
        "change": [0.0, *moved.tolist()],
    }
