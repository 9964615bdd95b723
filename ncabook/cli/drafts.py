"""Experiment files that commands write: of pictures of one's own, and of models from elsewhere."""

import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PIL import Image

from ncabook.data.images import (
    SEEN,
    Background,
    check_seen,
    frames_of,
    has_white_around,
    read_rgba,
    without_white,
)
from ncabook.reading import MOST_BYTES
from ncabook.tasks.picture_data import as_source
from ncabook.zoo import Card

FINER = 4  # pixels kept for each cell: enough to grow the picture larger one day
LONGEST = 60  # characters of a file's name that become a name here
ROOM = MOST_BYTES - 20_000  # characters for pictures in an experiment file
FURTHER = 500  # iterations for a model from elsewhere, if nobody says more
GENTLE = 0.001  # its rate of learning; lower than a new model's, which has nothing to lose


def plain_name(words: str) -> str:
    """A name for a folder, of what something is called."""
    plain = "".join(c if c.isascii() and c.isalnum() else "-" for c in words.lower())
    return "-".join(filter(None, plain[:LONGEST].split("-"))) or "picture"


def experiment(
    pictures: list[Path],
    name: str,
    size: int,
    background: str | None,
    iterations: int,
    seed: int,
    say: Callable[[str], Any] = lambda _: None,
) -> dict[str, Any]:
    """What an experiment file says, with the pictures inside it.

    Args:
        pictures: files.
        name: of the experiment.
        size: cells along the longer side.
        background: what is no part of a picture; None looks at each.
        iterations: of the training.
        seed: of it.
        say: is told what a reader should know of a picture.

    Raises:
        CorruptFileError, ValueError: a file is no picture, or there is nothing in it.

    """
    fine, boxes = {}, []
    for number, file in enumerate(pictures):
        cut = _cut(file, background, say)
        scale = size / max(cut.size)
        boxes.append(_sides(cut, scale)[::-1])
        label = file.stem[:LONGEST]
        label = label if label not in fine else f"{label} {number + 1}"
        fine[label] = cut.resize(_sides(cut, min(1.0, FINER * scale)), Image.Resampling.BOX)
    images = _within_a_file(fine, size)
    box = [max(sides) for sides in zip(*boxes, strict=True)]
    several = len(pictures) > 1
    return {
        "name": name,
        "title": textwrap.shorten(", ".join(images), 200, placeholder=" …"),
        "seed": seed,
        "data": {"images": images, "size": box, "padding": max(4, size // 6)},
        "model": {
            "hidden_channels": 12,
            "perception": {"kind": "conv", "features": 64},
            "update": {"kind": "mlp", "hidden": [64]},
            "fire_rate": 0.5,
            "living_threshold": 0.1,
        },
        "training": training(iterations, size, several),
    }


def training(iterations: int, size: int, several: bool, rate: float = 0.006) -> dict[str, Any]:
    """How automata learn pictures of one's own, as experiment files say it.

    Args:
        iterations: of the training.
        size: cells along a picture's longer side; a film is as long, or half as long again.
        several: whether there are several pictures, so that one may turn into another.
        rate: of learning.

    """
    return {
        "iterations": iterations,
        "batch": 8,
        "steps": {"min": size, "max": 3 * size // 2},
        "optimizer": {"kind": "soap", "learning_rate": rate},
        "warmup": min(100, iterations),
        "clip": 1.0,
        "overflow": 0.1,
        "pool": {
            "capacity": 256,
            "delay": min(200, iterations // 4),
            "ratio": 0.5,
            "mutation": 0.25 if several else 0.0,
            "damage": 0.5,
        },
        "precision": "bfloat16",
        "checkpoint_every": 100,
    }


def _sides(picture: Image.Image, scale: float) -> tuple[int, int]:
    """Width and height of a scaled picture, no side shorter than a pixel."""
    width, height = (max(1, round(scale * side)) for side in picture.size)
    return width, height


def _within_a_file(pictures: dict[str, Image.Image], size: int) -> dict[str, str]:
    """Pictures as they stand inside an experiment file: as fine as it has room for.

    Args:
        pictures: by name, of :data:`FINER` pixels for each cell or fewer.
        size: cells along the longer side.

    Raises:
        ValueError: there is no room for them.

    """
    for finer in (FINER, 2, 1):
        sources = {}
        for label, picture in pictures.items():
            sides = _sides(picture, min(1.0, finer * size / max(picture.size)))
            sources[label] = as_source(picture.resize(sides, Image.Resampling.BOX))
        if sum(map(len, sources.values())) <= ROOM:
            return sources
    raise ValueError(
        f"{len(pictures)} pictures of {size} cells are too much for one experiment file; expected "
        "fewer, or a smaller --size"
    )


def _cut(file: Path, background: str | None, say: Callable[[str], Any]) -> Image.Image:
    """A picture without its background, cut to what is seen of it."""
    if not file.exists():
        raise FileNotFoundError(f"{file}: no such file")
    pixels = read_rgba(file)  # once: a photograph's takes a second
    chosen: Background = "white" if background == "white" else "transparent"
    if background is None and has_white_around(pixels):
        chosen = "white"
        say(f"{file.name}: the white around it is taken as no part of it (--background)")
    if chosen == "white":
        pixels = without_white(pixels)
    check_seen(pixels[3], file, chosen)
    if (frames := frames_of(file)) > 1:
        say(f"{file.name}: of its {frames} frames the first is taken")
    if bool((pixels[3] > SEEN).all()):
        say(f"{file.name}: nothing of it is transparent, so a rectangle will grow")
    rows, columns = ((pixels[3] > SEEN).any(axis).nonzero()[:, 0] for axis in (1, 0))
    part = pixels[:, rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    return Image.fromarray((255 * part).round().byte().permute(1, 2, 0).numpy(), "RGBA")


def further(card: Card, folder: Path) -> dict[str, Any]:
    """What an experiment file says that trains an imported model further.

    Args:
        card: of the model, which has to know its pictures.
        folder: where it lies.

    """
    found = card.experiment.model_dump(mode="json")
    pictures, seed = found["data"]["pictures"], found["data"]["seed"]
    made = card.experiment.data.pictures
    name = plain_name(folder.resolve().name)
    return {
        "name": f"{name}-further",
        "title": f"{name}, trained further",
        "start_from": str(folder),
        "data": {key: value for key, value in pictures.items() if value not in ([], {})},
        "model": found["model"],
        **({} if seed is None else {"seed_cell": seed}),
        "training": training(FURTHER, max(made.box), len(made.classes) > 1, GENTLE),
    }
