"""Parts of photographs of textures, many of them: where holes can be filled that all may see."""

import json
from functools import cache
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor

from ncabook.data.images import read_image
from ncabook.data.registry import PACKAGE_DATA, DataSet
from ncabook.data.texture import PHOTOGRAPHS, Photographs, photograph_file

TRAIN, TEST = 64, 13  # photographs
PARTS = {"train": 40, "test": 16}  # of each
Split = Literal["train", "test"]


@cache
def many_photographs() -> DataSet:
    """The photographs of DTD that parts are taken of."""
    manifest = json.loads((PACKAGE_DATA / "dtd_manifest.json").read_text())
    return Photographs(
        "dtd-many",
        f"photographs of textures, {len(manifest)} of 16 kinds: {TRAIN} to train with, {TEST} to "
        "test with",
        PHOTOGRAPHS.size,
        PHOTOGRAPHS.source,
        PHOTOGRAPHS.licence,
        tuple(photograph_file(name, digest) for name, digest in manifest.items()),
    )


def textures(split: Split, height: int, width: int) -> Tensor:
    """Parts of photographs, uint8 ``[N, 3, height, width]``, the same ones always.

    Args:
        split: ``"train"``, 40 of each of 64 photographs, or ``"test"``, 16 of each of 13 others.
        height: in pixels; the smallest photograph has 300.
        width: likewise.

    Raises:
        DataUnavailableError: the photographs are neither here nor can be downloaded.
        CorruptFileError: one is not what it should be.
        ValueError: one is smaller than that.

    """
    if split not in PARTS:
        raise ValueError(f"split is {split!r}; expected train or test")
    data = many_photographs()
    order = torch.randperm(len(data.files), generator=torch.Generator().manual_seed(0)).tolist()
    chosen = order[:TRAIN] if split == "train" else order[TRAIN : TRAIN + TEST]
    generator = torch.Generator().manual_seed(1)
    return torch.cat(
        [
            _parts(data.fetch(data.files[at]), PARTS[split], height, width, generator)
            for at in chosen
        ]
    )


def _parts(path: Path, count: int, height: int, width: int, generator: torch.Generator) -> Tensor:
    """Of one photograph, uint8 ``[count, 3, height, width]``."""
    image = (255 * read_image(path)).round().byte()
    room = [have - want for have, want in zip(image.shape[1:], (height, width), strict=True)]
    if min(room) < 0:
        raise ValueError(
            f"{path} has {image.shape[2]}×{image.shape[1]} pixels; parts of {width}×{height} need "
            "as many at least"
        )
    corners = [torch.randint(n + 1, (count,), generator=generator).tolist() for n in room]
    return torch.stack(
        [image[:, top : top + height, at : at + width] for top, at in zip(*corners, strict=True)]
    )
