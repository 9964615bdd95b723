"""Films and stills for lessons, made from trained models; part of the built book.

``scripts/book.py build`` writes them to ``_build/html/_static/teaching``, where the page *Teaching*
links to them; ``python scripts/teaching_kit.py FOLDER`` writes them anywhere. Only of what may be
passed on: classic rules, and emojis (Noto Color Emoji, SIL Open Font License 1.1).
"""

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from ncabook import zoo
from ncabook.automaton.classic import elementary_step, evolve, life_step
from ncabook.automaton.state import centre_seed
from ncabook.evaluation.perceptual import on_white
from ncabook.figures import film

SIZE = 288  # pixels of a film, from top to bottom
COLORS = 64
MILLISECONDS = 80  # a frame
LIZARD, BUTTERFLY = 1, 3  # places among the classes
GROWN, END = 96, 240  # steps


def rule_110() -> Image.Image:
    """A space-time picture: one living cell at the right, 240 steps."""
    cells = torch.zeros(1, 241, dtype=torch.uint8)
    cells[0, -1] = 1
    rows = evolve(cells, 240, lambda row: elementary_step(row, 110))
    return _picture((1 - rows[:, 0].float()).expand(3, -1, -1), 2)


def life() -> list[Image.Image]:
    """Life from a random start, with a glider at the top."""
    generator = torch.Generator().manual_seed(1)
    cells = (torch.rand(48, 48, generator=generator) < 0.3).to(torch.uint8)
    cells[:12] = 0
    cells[3:6, 3:6] = torch.tensor([[0, 1, 0], [0, 0, 1], [1, 1, 1]])
    states = evolve(cells[None], 120, life_step)
    return [_picture((1 - state.float()).expand(3, -1, -1)) for state in states[:, 0]]


def healing(name: str = "emoji-combined") -> list[Image.Image]:
    """A lizard grows, half of it is erased, and what is left grows it back."""
    model = zoo.load(name)
    height, width = (model.live()[side] for side in ("height", "width"))
    mask = torch.ones(1, 1, height, width)
    mask[..., width // 2 :] = 0
    start = centre_seed(model.nca.layout, height, width)
    moments = _moments()
    states = film(model.nca, start, moments, hurt=(GROWN, mask), condition=_class(name, LIZARD))
    cut = film(model.nca, start, [GROWN], condition=_class(name, LIZARD))[0] * mask
    frames = [_picture(on_white(state)[0]) for state in states]
    place = sum(moment <= GROWN for moment in moments)
    return [*frames[:place], *[_picture(on_white(cut)[0])] * 6, *frames[place:]]


def without_pool() -> list[Image.Image]:
    """The same cut, for an automaton that was trained without a pool."""
    return healing("emoji-conv3-no-pool")


def changing() -> list[Image.Image]:
    """A lizard is told to be a butterfly."""
    model = zoo.load("emoji-combined")
    height, width = (model.live()[side] for side in ("height", "width"))
    start = centre_seed(model.nca.layout, height, width)
    first = range(2, GROWN + 1, 2)
    grown = film(model.nca, start, first, condition=_class("emoji-combined", LIZARD))
    then = film(
        model.nca, grown[-1], range(2, 121, 2), condition=_class("emoji-combined", BUTTERFLY)
    )
    return [_picture(on_white(state)[0]) for state in torch.cat([grown, then])]


def five() -> Image.Image:
    """What one rule grows from five words: all emojis of chapter 3."""
    model = zoo.load("emoji-combined")
    shown = model.live()
    height, width, count = shown["height"], shown["width"], len(shown["classes"])
    start = centre_seed(model.nca.layout, height, width, count)
    grown = film(model.nca, start, [GROWN], condition=torch.eye(count))[0]
    return _picture(torch.cat([*on_white(grown)], -1), 4)


FILMS: dict[str, Callable[[], Sequence[Image.Image]]] = {
    "life.gif": life,
    "lizard-heals.gif": healing,
    "lizard-without-pool.gif": without_pool,
    "lizard-becomes-butterfly.gif": changing,
}
STILLS: dict[str, Callable[[], Image.Image]] = {"rule-110.png": rule_110, "five-emojis.png": five}


def write(folder: Path) -> list[Path]:
    """Writes all films, the middle of each as a still, and all stills.

    Returns:
        The files.

    """
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, made in FILMS.items():
        frames = [_few_colors(frame) for frame in made()]
        path = folder / name
        frames[0].save(
            path,
            save_all=True,
            append_images=frames[1:],
            duration=[*[MILLISECONDS] * (len(frames) - 1), 2000],
            loop=0,
            optimize=False,
        )
        still = path.with_suffix(".png")
        frames[len(frames) // 2].save(still, optimize=True)
        written += [path, still]
    for name, drawn in STILLS.items():
        _few_colors(drawn()).save(folder / name, optimize=True)
        written.append(folder / name)
    return written


def _moments() -> list[int]:
    """Every second step, and every fourth once it has grown back."""
    return [*range(2, GROWN + 61, 2), *range(GROWN + 64, END + 1, 4)]


def _class(name: str, place: int) -> Tensor:
    """A class as the automaton is told it, ``[1, K]``."""
    count = len(zoo.load(name).live()["classes"])
    return F.one_hot(torch.tensor([place]), count).float()


def _picture(image: Tensor, scale: int | None = None) -> Image.Image:
    """RGB ``[3, H, W]`` in [0, 1] as it is, each cell a square of pixels."""
    scale = scale or max(1, SIZE // image.shape[-2])
    pixels = (255 * image.clamp(0, 1)).round().byte().permute(1, 2, 0).numpy()
    return Image.fromarray(np.ascontiguousarray(pixels.repeat(scale, 0).repeat(scale, 1)))


def _few_colors(image: Image.Image) -> Image.Image:
    return image.quantize(COLORS, dither=Image.Dither.NONE)


if __name__ == "__main__":
    for file in write(Path(sys.argv[1])):
        print(f"{file} ({file.stat().st_size / 1024:.0f} kB)")
