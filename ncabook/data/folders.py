"""Labelled images of one's own: a folder that holds a folder for each class.

::

    shells/
      conch/    0001.jpg  0002.png  …
      cowrie/   …

Of each class, the images in the order of their names: every fifth is kept for testing.
"""

from pathlib import Path

import torch
from torch import Tensor

from ncabook.data.images import fitted, read_image
from ncabook.data.labelled import Labelled, Split

HELD_OUT = 5  # of so many images of a class, the last is for testing
GRAY = (0.299, 0.587, 0.114)  # what red, green and blue add to brightness (ITU-R BT.601)


def class_names(folder: str | Path) -> list[str]:
    """The folders in a folder, sorted; hidden ones are left out.

    Raises:
        ValueError: there is no such folder.

    """
    here = Path(folder)
    if not here.is_dir():
        raise ValueError(
            f"there is no folder {here}; expected one that holds a folder of images for each class"
        )
    return sorted(p.name for p in here.iterdir() if p.is_dir() and not p.name.startswith("."))


def labelled_folder(
    folder: str | Path, names: tuple[str, ...], side: int, channels: int, split: Split
) -> Labelled:
    """The images of some classes, ``[N, channels, side, side]``, class by class.

    Args:
        folder: holds a folder for each class.
        names: of these.
        side: of the square that each image is fitted into, whole, black where it does not reach.
        channels: 3 for colours, 1 for gray.
        split: ``"train"``, or ``"test"`` for every fifth image.

    Raises:
        ValueError: there is no such folder, or too few images in it.
        CorruptFileError: a file is no image.

    """
    images, labels = [], []
    for label, name in enumerate(names):
        for place, path in enumerate(_files(Path(folder) / name)):
            if (place % HELD_OUT == HELD_OUT - 1) == (split == "test"):
                images.append(squared(read_image(path), side, channels))
                labels.append(label)
    return Labelled(torch.stack(images), torch.tensor(labels), names)


def _files(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise ValueError(f"there is no folder {folder}; expected the images of a class in it")
    files = [p for p in folder.iterdir() if p.is_file() and not p.name.startswith(".")]
    if len(files) < HELD_OUT:
        raise ValueError(
            f"{folder} holds {len(files)} images; expected {HELD_OUT} or more for each class, of "
            f"which every {HELD_OUT}th is kept for testing"
        )
    return sorted(files, key=lambda path: path.name)


def squared(image: Tensor, side: int, channels: int) -> Tensor:
    """An image ``[3, H, W]`` in [0, 1], scaled into a square: uint8 ``[channels, side, side]``."""
    if channels == 1:
        image = (image * torch.tensor(GRAY)[:, None, None]).sum(0, keepdim=True)
    return (255 * fitted(image, side, side)).round().byte()
