"""Photographs of faces, of CelebA: to learn from and to measure with, and never to be shown.

They are aligned: the eyes of all lie in one place, and so do the mouths (:data:`FEATURES`).
"""

import io
import tarfile
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from ncabook.data.registry import DataFile, DataSet, DataUnavailableError, locate, places
from ncabook.files import CorruptFileError

HEIGHT, WIDTH = 104, 88  # of the files' 109 × 89: multiples of 8
HELD_OUT = 500  # the last files
Split = Literal["train", "test"]
# Rows and columns, first and behind the last, of what a face has; of 104 × 88 pixels.
FEATURES = {
    "left eye": (48, 62, 24, 43),
    "right eye": (48, 62, 45, 64),
    "mouth": (69, 84, 31, 57),
}


class _Given(DataSet):
    """What has to be brought by hand: its terms allow no copy of it to be offered."""

    def fetch(self, file: DataFile) -> Path:
        """The checked local copy; a DataUnavailableError, which says what to do, without one."""
        path = locate(file)
        if path is not None:
            return path
        raise DataUnavailableError(
            f"{file.path} ({self.size}) is not in {places()}, and CelebA's terms allow no copy to "
            "be offered; put the archive there, or take the package's `drawn-faces`"
        )


FACES = _Given(
    "celeba",
    "aligned faces, 89×109 RGB, the first 10,000: 9,500 to train with, 500 to test with",
    "22 MB, to be put in place by hand",
    "Liu et al. 2015, at half the size",
    "non-commercial research only; no face may be published, nor passed on",
    (
        DataFile(
            "celeba/celeba_aligned_89x109_000001-010000.tar.xz",
            "74d39b353e6e93e08f06eb91b5d2d3dbd3a347e25c04caa35a77a2483067d5d7",
            21711536,
        ),
    ),
)


def faces(split: Split, height: int = HEIGHT, width: int = WIDTH) -> Tensor:
    """Photographs of faces, uint8 ``[N, 3, height, width]``: the upper left part of each file.

    Args:
        split: ``"train"``, 9,500, or ``"test"``, the last 500 files.
        height: in pixels, at most 109.
        width: in pixels, at most 89.

    Raises:
        DataUnavailableError: the archive is not here; its terms let nobody offer it.
        CorruptFileError: it is not what it should be.

    """
    if split not in ("train", "test"):
        raise ValueError(f"split is {split!r}; expected train or test")
    (file,) = FACES.files
    path = FACES.fetch(file)
    with tarfile.open(path) as archive:  # compressed as one: all of it is read, whatever is wanted
        read = ((member.name, archive.extractfile(member)) for member in archive)
        found = {name: file.read() for name, file in read if file is not None}
    names = sorted(found)
    wanted = names[:-HELD_OUT] if split == "train" else names[-HELD_OUT:]
    pixels = np.stack([_pixels(found[name], f"{name} of {path}", height, width) for name in wanted])
    return torch.from_numpy(pixels).movedim(-1, 1).contiguous()


def _pixels(file: bytes, name: str, height: int, width: int) -> np.ndarray:
    """The upper left part of a picture, ``[height, width, 3]``."""
    try:
        pixels = np.asarray(Image.open(io.BytesIO(file)).convert("RGB"))
    except OSError as error:
        raise CorruptFileError(f"{name} is no image that can be read: {error}") from None
    if pixels.shape[0] < height or pixels.shape[1] < width:
        raise CorruptFileError(
            f"{name} has {pixels.shape[1]}×{pixels.shape[0]} pixels; expected {width}×{height} at "
            "least"
        )
    return pixels[:height, :width]
