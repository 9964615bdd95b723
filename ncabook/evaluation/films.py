"""Films as they are told, beside films as they are.

Errors are those of OpenSTL (Tan et al. 2023): of a frame, squares or absolute differences summed
over its pixels; then means over films and frames. What is told is clamped to [0, 1] first.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from ncabook.data.films import Films
from ncabook.evaluation.perceptual import lpips_distance
from ncabook.evaluation.recovery import bootstrap
from ncabook.evaluation.similarity import ssim
from ncabook.training.watching import FilmCells, Watcher

OPENSTL_RANGE = 2.0  # of numbers, as their SSIM takes it
METRICS = ("mse", "mae", "ssim", "ssim_openstl", "lpips")
# A film's state, the frames seen, the age; what somebody may do between two frames.
Between = Callable[[Tensor, Tensor, int], tuple[Tensor, Tensor]]


@torch.no_grad()
def foretold(
    watcher: Watcher,
    films: Films,
    shown: int,
    frames: int,
    batch: int = 50,
    between: Between | None = None,
    seed: int = 0,
) -> Tensor:
    """What is told of films, frame by frame.

    Args:
        watcher: who tells; on the CPU.
        films: of ``shown`` frames or more.
        shown: frames that are true ones; from there on, it sees its own.
        frames: to be told, counted from the film's first; more than the film has, if need be.
        batch: films at once.
        between: what happens to ``(state, seen, age)`` before a frame is told from age on.
        seed: of fire masks.

    Returns:
        ``[N, frames, H, W]`` in [0, 1]; frames that nobody told, the first ones, are as they are.

    Raises:
        ValueError: fewer frames than are to be shown.

    """
    if not watcher.first < shown <= films.pictures.shape[1]:
        raise ValueError(
            f"{shown} frames to be shown of films of {films.pictures.shape[1]}; expected from "
            f"{watcher.first + 1} to as many as there are"
        )
    generator = torch.Generator().manual_seed(seed)
    if isinstance(watcher, FilmCells):
        watcher.ahead = watcher.steps * frames * max(1, len(films) // batch)
    parts = [films[i : i + batch] for i in range(0, len(films), batch)]
    return torch.cat([_told(watcher, p, shown, frames, between, generator) for p in parts])


def _told(
    watcher: Watcher,
    films: Films,
    shown: int,
    frames: int,
    between: Between | None,
    generator: torch.Generator,
) -> Tensor:
    count, _, height, width = films.pictures.shape
    out = films.pictures.new_zeros(count, frames, height, width).float()
    known = watcher.first + 1
    out[:, :known] = films.pictures[:, :known].float() / 255
    state = watcher.start(count, height, width, films.walls)
    seen = out[:, :0]
    for age in range(watcher.first, frames - 1, watcher.shift):
        alone = torch.full((count,), age >= shown)
        if not alone[0]:
            seen = watcher.view(films.pictures, torch.full((count,), age))
        if between is not None:
            state, seen = between(state, seen, age)
        state, told = watcher.look(state, seen, alone, generator)
        new = watcher.new(told).clamp(0, 1)[:, : frames - 1 - age]
        out[:, age + 1 : age + 1 + new.shape[1]] = new
        seen = watcher.next_seen(seen, told)
    return out


def nearest(watcher: Watcher, shown: int) -> slice:
    """The frames that are told from true ones, without the first half: there, little was seen."""
    return slice(max(shown // 2, watcher.frames), shown + 1)


def squared(told: Tensor, true: Tensor) -> Tensor:
    """Squares summed over pixels: ``[N, T, H, W]`` twice → ``[N, T]``."""
    return (told - true).square().sum((2, 3))


def frame_errors(told: Tensor, true: Tensor, lpips: int = 0) -> dict[str, Tensor]:
    """All metrics of frames, ``[N, T]`` each.

    Args:
        told: ``[N, T, H, W]`` in [0, 1].
        true: likewise.
        lpips: of how many of the films LPIPS is measured; 0 for none.

    """
    shape = told.shape[:2]
    pairs = told.flatten(0, 1)[:, None], true.flatten(0, 1)[:, None]
    plain, openstl = ssim(*pairs, 1.0, OPENSTL_RANGE).view(2, *shape)
    found = {
        "mse": squared(told, true),
        "mae": (told - true).abs().sum((2, 3)),
        "ssim": plain,
        "ssim_openstl": openstl,
    }
    if lpips:
        count = lpips * shape[1]  # the films' frames come one after another
        a, b = (x[:count].expand(-1, 3, -1, -1) for x in pairs)
        found["lpips"] = lpips_distance(a, b).view(-1, shape[1])
    return found


def summary(errors: dict[str, Tensor], each: bool = False) -> dict[str, object]:
    """Means over films and frames, with 95 % intervals over films.

    Args:
        errors: ``[N, T]`` each.
        each: whether every frame's mean is given, too, and of the squared error its interval.

    """
    found: dict[str, object] = {}
    for name, values in errors.items():
        films = values.mean(1)
        found[name] = float(films.mean())
        found[f"{name}_interval"] = list(bootstrap(_mean, films))
        if each:
            found[f"{name}_each"] = values.mean(0).tolist()
    if each:
        intervals = [list(bootstrap(_mean, values)) for values in errors["mse"].unbind(1)]
        found["mse_each_interval"] = intervals
    return found


def _mean(values: Tensor) -> float:
    return float(values.mean())


def baselines(films: Films, shown: int) -> dict[str, Tensor]:
    """What is told by who knows nothing, ``[N, T − shown, H, W]`` each.

    *Straight on* is told where digits are and how they moved, but of no edge; it is left out where
    nobody knows that.
    """
    seen = films.pictures[:, :shown].float() / 255
    after = films.pictures.shape[1] - shown
    found = {
        "black": torch.zeros_like(seen[:, :1]),
        "mean": seen.mean(1, keepdim=True),
        "copy-last": seen[:, -1:],
    }
    found = {name: guess.expand(-1, after, -1, -1) for name, guess in found.items()}
    if films.digits.shape[1]:
        found["straight-on"] = films.straight_on(shown).float() / 255
    return found
