"""Pictures of one's own, and holes drawn in any program, to be filled by a trained automaton.

::

    model, vqvae = (zoo.load(name) for name in ("drawn-inpaint", "drawn-vqvae"))
    filling = Filling(model.nca, vqvae.network, model.card.experiment.model.known)
    faces = read_pictures("faces", 104, 88)  # a folder; the height and width of these two models
    hole = read_hole("hole.png", 104, 88).expand(len(faces), -1, -1, -1)
    filled = filling.fill(faces, hole, 24, torch.Generator())  # Filling: evaluation.filling
"""

from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from ncabook.data.images import read_image


def read_pictures(folder: str | Path, height: int, width: int) -> Tensor:
    """All pictures of a folder, RGB in [0, 1], ``[N, 3, height, width]``, in the order of names.

    Of each, the largest part in the middle that has this form is scaled to it. Files whose names
    begin with a point are left out.

    Args:
        folder: with image files of any kind, and nothing else.
        height: in pixels.
        width: in pixels.

    Raises:
        FileNotFoundError: no such folder, or nothing in it.
        CorruptFileError: one is no image that can be read.

    """
    folder = Path(folder)
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder} is no folder; expected one with image files")
    files = sorted(p for p in folder.iterdir() if p.is_file() and not p.name.startswith("."))
    if not files:
        raise FileNotFoundError(f"{folder} holds no files; expected at least one image")
    return torch.stack([_fitted(read_image(path), height, width) for path in files])


def _fitted(image: Tensor, height: int, width: int) -> Tensor:
    """The middle of ``[3, H, W]``, scaled to ``[3, height, width]``."""
    scale = min(image.shape[1] / height, image.shape[2] / width)
    rows, columns = (max(1, round(scale * n)) for n in (height, width))
    top, left = (image.shape[1] - rows) // 2, (image.shape[2] - columns) // 2
    part = image[None, :, top : top + rows, left : left + columns]
    scaled = F.interpolate(part, (height, width), mode="bicubic", antialias=True)
    return scaled[0].clamp(0, 1)


def read_hole(path: str | Path, height: int, width: int) -> Tensor:
    """A hole that somebody drew, ``[1, 1, height, width]``: white where the picture is missing.

    Args:
        path: an image file of any kind, of this size; what is brighter than a middle gray is white.
        height: of the picture, in pixels.
        width: likewise.

    Raises:
        CorruptFileError: it is no image that can be read.
        ValueError: it has another size.

    """
    image = read_image(Path(path))
    if tuple(image.shape[1:]) != (height, width):
        raise ValueError(
            f"{path} has {image.shape[2]}×{image.shape[1]} pixels; expected {width}×{height}, as "
            "the picture has"
        )
    return (image.mean(0, keepdim=True)[None] > 0.5).float()
