"""Faces of ellipses: nobody's, and so anybody may show them. They stand in for CelebA's."""

import numpy as np
import torch
from PIL import Image, ImageDraw
from torch import Tensor

from ncabook.data.faces import HEIGHT, WIDTH

SKIN = ((255, 224, 196), (241, 194, 150), (198, 134, 92), (141, 85, 54), (92, 58, 40))
HAIR = ((36, 26, 22), (84, 52, 30), (150, 96, 48), (214, 176, 104), (150, 58, 30), (168, 168, 170))
IRIS = ((70, 110, 160), (86, 60, 36), (74, 120, 70), (50, 40, 36))
FINE = 3  # times as large as they are to be, pictures are drawn


def drawn_faces(count: int, seed: int, height: int = HEIGHT, width: int = WIDTH) -> Tensor:
    """Faces of ellipses, uint8 ``[count, 3, height, width]``: no two alike, and nobody's.

    Eyes and mouths lie where those of CelebA do. What a face has on one side it has on the other,
    so that half of it tells of the rest.

    Args:
        count: how many.
        seed: of everything that differs.
        height: in pixels.
        width: in pixels.

    """
    generator = torch.Generator().manual_seed(seed)
    drawn = [_face(torch.rand(40, generator=generator).tolist()) for _ in range(count)]
    size = (width, height)
    small = [np.asarray(image.resize(size, Image.Resampling.BOX)) for image in drawn]
    return torch.from_numpy(np.stack(small)).movedim(-1, 1).contiguous()


def _mixed(a: tuple[int, ...], b: tuple[int, ...], share: float) -> tuple[int, ...]:
    return tuple(round(x + (y - x) * share) for x, y in zip(a, b, strict=True))


def _one(colours: tuple[tuple[int, ...], ...], u: float, v: float) -> tuple[int, ...]:
    """A colour near one of these."""
    colour = colours[int(u * len(colours))]
    return tuple(round(min(255, max(0, x * (0.85 + 0.3 * v)))) for x in colour)


def _face(u: list[float]) -> Image.Image:
    """One face, by numbers in [0, 1]."""
    image = Image.new("RGB", (FINE * WIDTH, FINE * HEIGHT))
    pen = ImageDraw.Draw(image)
    above, below = (tuple(round(60 + 180 * x) for x in u[at : at + 3]) for at in (0, 3))
    for row in range(image.height):  # the wall behind, lighter on one side
        pen.line(
            [(0, row), (image.width, row)], fill=_mixed(above, below, row / image.height), width=1
        )

    def oval(x: float, y: float, half: float, tall: float, fill: tuple[int, ...]) -> None:
        pen.ellipse([FINE * v for v in (x - half, y - tall, x + half, y + tall)], fill=fill)

    skin, hair = _one(SKIN, u[6], u[7]), _one(HAIR, u[8], u[9])
    middle, dark = 44 + 3 * (u[10] - 0.5), _mixed(skin, (40, 20, 20), 0.35)
    half, tall = 24 + 5 * u[11], 35 + 5 * u[12]
    length = u[13]  # of the hair
    if length > 0.45:  # falls to the shoulders
        wide = half + 5 + 4 * u[14]
        pen.rounded_rectangle(
            [FINE * v for v in (middle - wide, 34, middle + wide, 80 + 24 * length)],
            FINE * 14,
            fill=hair,
        )
    clothes = tuple(round(30 + 200 * x) for x in u[15:18])
    oval(middle, 112, 40, 18, clothes)
    pen.rectangle([FINE * v for v in (middle - 10, 82, middle + 10, 100)], fill=dark)
    if u[18] > 0.1:
        oval(middle, 44, half + 4, 36 + 4 * u[19], hair)
    oval(middle, 60, half, tall, skin)
    if u[18] > 0.1:  # a fringe
        pen.pieslice(
            [FINE * v for v in (middle - half, 14, middle + half, 66 + 14 * u[20])],
            180 + 20 * u[21],
            360 - 20 * u[22],
            fill=hair,
        )
    iris, brow = _one(IRIS, u[23], u[24]), _mixed(hair, (30, 20, 20), 0.5)
    eye, open_ = 5 + 1.5 * u[25], 2.4 + 1.6 * u[26]
    lift = 2 * (u[27] - 0.5)
    for side in (-1, 1):
        x = middle + 10 * side
        oval(x, 56, eye, open_, (245, 243, 240))
        oval(x, 56, min(open_, 3), open_, iris)
        oval(x, 56, 1.2, 1.2, (10, 10, 12))
        pen.line(
            [FINE * v for v in (x - 6 * side, 49 + lift, x + 6 * side, 48.5 - lift)],
            fill=brow,
            width=round(FINE * (1.2 + 1.2 * u[28])),
        )
    pen.line(
        [FINE * v for v in (middle, 58, middle - 2.5, 68, middle + 2.5, 68)],
        fill=dark,
        width=FINE + 1,
    )
    lips = _mixed(skin, (190, 40, 60), 0.35 + 0.5 * u[29])
    wide, smile = 8 + 4 * u[30], u[31]
    box = [FINE * v for v in (middle - wide, 76 - 8 * smile, middle + wide, 77 + 6 * smile)]
    if smile > 0.4:
        pen.chord(box, 15, 165, fill=(250, 248, 245), outline=lips, width=round(1.4 * FINE))
    else:
        oval(middle, 76, wide, 1.4 + 1.5 * u[32], lips)
    if u[33] > 0.8:  # glasses
        for side in (-1, 1):
            x = middle + 10 * side
            pen.rounded_rectangle(
                [FINE * v for v in (x - 8.5, 50, x + 8.5, 62)],
                FINE * 4,
                outline=(30, 30, 34),
                width=FINE,
            )
    return image
