"""Drawings and what they are drawings of: edges to handbags, one's own pairs, and a stand-in.

A pair is a file with the drawing in its left half and the picture in its right half, as pix2pix has
them (Isola et al. 2017). A drawing becomes *ink*, 1 on a line and 0 on paper.
"""

import io
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image, ImageDraw
from torch import Tensor

from ncabook.data.emoji import emoji
from ncabook.data.images import read_image
from ncabook.data.registry import DataFile, DataSet, DataUnavailableError, locate, places
from ncabook.files import CorruptFileError

SIDE = 64


class _Given(DataSet):
    """What has to be brought by hand: nothing offers these files as they are for download."""

    def fetch(self, file: DataFile) -> Path:
        """The checked local copy; a DataUnavailableError, which says what to do, without one."""
        return _archive()


HANDBAGS = _Given(
    "edges2handbags",
    "handbags, 256×256 RGB, each with its edges: 1,000 pairs to train with, 100 to stop by, 100 to "
    "test with",
    "29 MB, to be put in place by hand",
    "Isola et al. 2017, from photographs that Zhu et al. 2016 collected; a part of the set",
    "none stated; photographs are their owners', for experiments only",
    (
        DataFile(
            "edges2handbags/edges2handbags_1000train_200val.tar",
            "8f00f0a821150e00a681d014585e239f60d04ca1d852de07130fd6164f2d8789",
            29245440,
        ),
    ),
)
# A line one pixel wide at 256 pixels is a quarter of the ink at 64; it is to be seen all the same.
LINE = 3.0  # times as much ink, at 64 pixels; less at more
LEAST = 16  # pixels of a side; of lines on fewer there is nothing to be seen
MOST_COLOUR, LEAST_PAPER = 0.1, 0.5  # of a drawing: mean saturation, mean brightness
GLYPHS = ("😀", "🦎", "🐠", "🦋", "🎄")
PairSplit = Literal["train", "validate", "test"]


@dataclass(frozen=True)
class Pairs:
    """Drawings and pictures.

    Attributes:
        ink: uint8 ``[N, 1, H, W]``, 255 on a line.
        pictures: uint8 ``[N, 3, H, W]``, RGB.
        note: what sets them apart from the data set that people know; empty if nothing does.

    """

    ink: Tensor
    pictures: Tensor
    note: str = ""

    def __post_init__(self) -> None:
        for name, images, channels in (("ink", self.ink, 1), ("pictures", self.pictures, 3)):
            if images.dtype != torch.uint8 or images.ndim != 4 or images.shape[1] != channels:
                raise ValueError(
                    f"{name} of {images.dtype}, shape {list(images.shape)}; expected torch.uint8, "
                    f"[N, {channels}, height, width]"
                )
        if len(self.ink) != len(self.pictures) or self.ink.shape[2:] != self.pictures.shape[2:]:
            raise ValueError(
                f"{list(self.ink.shape)} drawings and {list(self.pictures.shape)} pictures; "
                "expected as many, of one size"
            )

    def __len__(self) -> int:
        return len(self.ink)

    def to(self, device: str) -> "Pairs":
        """The same on a device."""
        return Pairs(self.ink.to(device), self.pictures.to(device), self.note)


def handbags(split: PairSplit, folder: Path | None = None, side: int = SIDE) -> Pairs:
    """Edges and photographs of handbags: 1,000 to learn from, 100 and 100 to look at.

    A part of pix2pix's edges2handbags; the photographs are their owners', and for experiments only.

    Args:
        split: ``"train"``, ``"validate"`` (the first half of pix2pix's own validation images that
            are here) or ``"test"`` (the second half).
        folder: where to look before NCABOOK_DATA and the cache.
        side: of each picture, in pixels; the files have 256.

    Raises:
        DataUnavailableError: the archive is not here; nothing offers this part for download.
        CorruptFileError: it is not what it should be.

    """
    known = {"train": ("train/", slice(None)), "validate": ("val/", slice(0, 100))}
    known["test"] = ("val/", slice(100, 200))
    if split not in known:
        raise ValueError(f"split is {split!r}; expected train, validate or test")
    _check_side(side)
    part, chosen = known[split]
    with tarfile.open(_archive(folder)) as archive:
        names = sorted(n for n in archive.getnames() if part in n and n.endswith(".jpg"))
        read = (archive.extractfile(name) for name in names[chosen])
        images = [Image.open(io.BytesIO(file.read())) for file in read if file is not None]
        return _halves(images, side)


def _archive(folder: Path | None = None) -> Path:
    """The checked local copy of the handbags; what to do where it is not here."""
    (archived,) = HANDBAGS.files
    path = locate(archived, folder)
    if path is not None:
        return path
    raise DataUnavailableError(
        f"{archived.path} (29 MB, 1,200 pairs) is not in {places(folder)}, and only the whole "
        "set can be downloaded (pix2pix's edges2handbags.tar.gz, 8.6 GB); put the archive "
        "there, give pairs of your own to `read_pairs`, or take the package's `outlines`"
    )


def read_pairs(paths: Sequence[Path], side: int = SIDE) -> Pairs:
    """Pairs of one's own, each file a drawing at the left and as wide a picture at the right.

    Args:
        paths: image files of any kind.
        side: of each half, in pixels; the files are made so large.

    Raises:
        ValueError: no files; one is not twice as wide as high; or its left half is no drawing, but
            coloured or dark.
        CorruptFileError: one is no image that can be read.

    """
    _check_side(side)
    if not paths:
        raise ValueError("no files; expected at least one pair")
    images = []
    for path in paths:
        image = read_image(Path(path))
        height, width = image.shape[1:]
        if width != 2 * height:
            raise ValueError(
                f"{path} is {width} × {height} pixels; expected twice as wide as high, a drawing "
                "at the left and its picture at the right"
            )
        drawing = image[:, :, :height]
        colour = float((drawing.amax(0) - drawing.amin(0)).mean())
        paper = float(drawing.mean())
        if colour > MOST_COLOUR or paper < LEAST_PAPER:
            what = "is coloured" if colour > MOST_COLOUR else "is dark"
            raise ValueError(
                f"the left half of {path} {what}; expected a drawing, dark lines on white paper"
            )
        images.append(Image.fromarray((255 * image).byte().permute(1, 2, 0).numpy()))
    return _halves(images, side)


def outlines(count: int, seed: int, side: int = SIDE) -> Pairs:
    """Outlines of the package's emojis, and the emojis, to stand in where there are no handbags.

    At random sizes and places, some mirrored. ``note`` says what they are: what is measured on them
    says nothing of handbags.
    """
    if not isinstance(count, int) or count < 1:
        raise ValueError(f"count is {count!r}; expected a whole number ≥ 1")
    _check_side(side)
    generator = torch.Generator().manual_seed(seed)
    sizes = (side * 5 // 8, side * 3 // 4, side * 7 // 8)
    drawn = {(g, size): emoji(g, size, 0) for g in GLYPHS for size in sizes}
    ink, pictures = [], []
    for _ in range(count):
        glyph, size, mirror = (
            int(torch.randint(n, (), generator=generator)) for n in (len(GLYPHS), len(sizes), 2)
        )
        picture = drawn[GLYPHS[glyph], sizes[size]]
        room = side - sizes[size] + 1
        row, column = torch.randint(room, (2,), generator=generator).tolist()
        rest = side - sizes[size]
        picture = F.pad(picture, (column, rest - column, row, rest - row))
        picture = picture.flip(2) if mirror else picture
        white = (picture[:3] + 1 - picture[3:]).clamp(0, 1)
        pictures.append(white)
        ink.append(_edges(white))
    whole = [(255 * torch.stack(parts)).round().byte() for parts in (ink, pictures)]
    return Pairs(*whole, note="outlines of emojis, in place of handbags")


def sketches(side: int = SIDE) -> dict[str, Tensor]:
    """Bags in a few lines of our own, by name, ink ``[1, side, side]`` in [0, 1]: to begin with."""
    _check_side(side)
    shapes: dict[str, list[tuple[str, list[float]]]] = {
        "tote": [
            ("polygon", [60, 110, 196, 110, 206, 226, 50, 226]),
            ("arc", [86, 40, 170, 180, 180, 360]),
            ("line", [66, 130, 192, 130]),
        ],
        "purse": [
            ("rounded", [50, 110, 206, 216, 26]),
            ("arc", [72, 36, 184, 184, 180, 360]),
            ("line", [52, 134, 128, 170, 204, 134]),
            ("ellipse", [120, 162, 136, 178]),
        ],
        "bucket": [
            ("polygon", [64, 110, 192, 110, 176, 224, 80, 224]),
            ("ellipse", [64, 98, 192, 122]),
            ("arc", [76, 24, 180, 196, 180, 360]),
        ],
        "clutch": [
            ("rounded", [30, 92, 226, 190, 10]),
            ("line", [34, 96, 128, 150, 222, 96]),
            ("ellipse", [121, 143, 135, 157]),
        ],
        "satchel": [
            ("rounded", [44, 96, 212, 216, 18]),
            ("arc", [98, 62, 158, 130, 180, 360]),
            ("line", [46, 150, 210, 150]),
            ("line", [84, 98, 84, 170]),
            ("line", [172, 98, 172, 170]),
        ],
        "shopper": [
            ("polygon", [72, 96, 184, 96, 184, 228, 72, 228]),
            ("arc", [96, 50, 138, 142, 180, 360]),
            ("arc", [118, 50, 160, 142, 180, 360]),
        ],
    }
    return {name: _sketched(parts, side) for name, parts in shapes.items()}


def _sketched(parts: list[tuple[str, list[float]]], side: int) -> Tensor:
    image = Image.new("L", (4 * SIDE, 4 * SIDE), 255)
    pen = ImageDraw.Draw(image)
    for kind, at in parts:
        match kind:
            case "polygon":
                pen.polygon(at, outline=0, width=3)
            case "rounded":
                pen.rounded_rectangle(at[:4], at[4], outline=0, width=3)
            case "ellipse":
                pen.ellipse(at, outline=0, width=3)
            case "arc":
                pen.arc(at[:4], at[4], at[5], fill=0, width=3)
            case _:
                pen.line(at, fill=0, width=3)
    small = np.array(image.resize((side, side), Image.Resampling.BOX))
    return (_stronger(side) * (1 - torch.from_numpy(small).float() / 255)).clamp(0, 1)[None]


def _check_side(side: int) -> None:
    if not isinstance(side, int) or isinstance(side, bool) or side < LEAST:
        raise ValueError(f"side is {side!r}; expected a whole number ≥ {LEAST}")


def _stronger(side: int) -> float:
    """How many times as much ink a line gets, in a picture of so many pixels along a side."""
    return max(1.0, LINE * SIDE / side)


def _edges(picture: Tensor) -> Tensor:
    """Where the picture's colours change, ``[1, H, W]`` in [0, 1]."""
    smooth = F.avg_pool2d(F.pad(picture[None], (1, 1, 1, 1), mode="replicate"), 3, 1)
    change = F.max_pool2d(smooth, 3, 1, 1) + F.max_pool2d(-smooth, 3, 1, 1)
    return (2 * change.amax(1) - 0.3).clamp(0, 1)


def _halves(images: Sequence[Image.Image], side: int = SIDE) -> Pairs:
    rows = []
    for image in images:
        try:
            small = image.convert("RGB").resize((2 * side, side), Image.Resampling.BOX)
        except OSError as error:
            raise CorruptFileError(f"an image of the archive cannot be read: {error}") from None
        rows.append(torch.from_numpy(np.array(small)).permute(2, 0, 1))
    drawings, pictures = torch.stack(rows).split(side, dim=3)
    ink = (_stronger(side) * (255 - drawings.float().mean(1, keepdim=True))).clamp(0, 255)
    return Pairs(ink.round().byte(), pictures.contiguous())
