"""Images with labels: MNIST, CIFAR-10, and rendered digits where there is neither.

Sources are found as :mod:`ncabook.data.registry` says. Pixels stay bytes here; what an automaton
sees of them is decided where it is trained.
"""

import gzip
import io
import struct
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFilter, ImageFont
from torch import Tensor

from ncabook.data.registry import CIFAR, MNIST, DataFile, get, locate
from ncabook.files import CorruptFileError

DIGITS = tuple("0123456789")
CIFAR10 = (
    "airplane",
    "automobile",
    "bird",
    "cat",
    "deer",
    "dog",
    "frog",
    "horse",
    "ship",
    "truck",
)
SHORT = {"airplane": "plane", "automobile": "car"}  # where there is no room for more
_CIFAR_BATCH = 10000
# The same images in other wrappings, for who has no room or no network for the original: lossless
# WebP sheets of 100 × 100 tiles for training, one of 1,000 tiles and JPEG files for testing.
_SHEETS = (  # name, sha256 of the images, sha256 of the labels
    (
        "train_1",
        "7862ba6f532eb26481636723b49a74914d0a8186dde88a2afa9047668b1214b8",
        "d829dbdf32167c9d7b3687cee66d92d80d46c441308b5aca0d11e8b69e27dac9",
    ),
    (
        "train_2",
        "223eb5388d46cd9050b630ada011bb521e9e66e56f8922c4e3c90068bfb4de74",
        "5d18f7371ed35ea9ade77952fe958b0660a45cd6c8b8a8970030f21612cfd7e3",
    ),
    (
        "train_3",
        "72340f10fb016c6a6f645cbf5e19c99d4d83b500574b3838a6850d00fc20b354",
        "32cf77b0ee2e790b1c4384d2d82e42dc1571b87e67f6da8f444b2725b2973f65",
    ),
    (
        "train_4",
        "b5646e97fe600f24a0e4662426280aa23704f9e04033e7beab0808a51212f814",
        "d2815e3f8f656272864920fc0edde56b04ec9cf81bf397c0dd3069f4aea51aeb",
    ),
    (
        "train_5",
        "20fd741c090103a8703cd393ed42c0b9bb55c84a099564b3a290171531a473f9",
        "2ddf3ab27d5d04409c94ce7b56849c243129c10de1058ae0bfe14c77e934800c",
    ),
    (
        "test_first1000",
        "04d4bab85e0efd6bdbfdd73f6139b0d349a6771be7cff80f058e2a562a7c5731",
        "636a087e604331a0b9dafc94b6e9ade0c9cec72c4400d12473ccdb3e264474c1",
    ),
)
_JPEGS = DataFile(
    "cifar10/test_10000_jpeg_q75.tar.xz",
    "b1435968883f953869531f1efbf41003432156c3de76535397b09cbefcceddce",
)

_FIRST = "the first 1,000 of the test images"

Split = Literal["train", "test"]


@dataclass(frozen=True)
class Labelled:
    """Images, each of one class.

    Attributes:
        images: uint8 ``[N, channels, height, width]``.
        labels: int64 ``[N]``, indices into ``names``.
        names: of the classes.
        note: what sets this copy apart from the data set that people know; empty if nothing does.

    """

    images: Tensor
    labels: Tensor
    names: tuple[str, ...]
    note: str = ""

    def __post_init__(self) -> None:
        if self.images.dtype != torch.uint8 or self.images.ndim != 4:
            raise ValueError(
                f"images of {self.images.dtype}, shape {list(self.images.shape)}; "
                "expected torch.uint8, [N, channels, height, width]"
            )
        check_labels(self.labels, len(self.images), len(self.names))

    def __len__(self) -> int:
        return len(self.images)


def check_labels(labels: Tensor, images: int, classes: int) -> None:
    """Whether ``labels`` are int64 ``[images]``, each from 0 to ``classes − 1``.

    Raises:
        ValueError: says what was given, and what was expected.

    """
    if labels.dtype != torch.int64 or labels.shape != (images,):
        raise ValueError(
            f"labels of {labels.dtype}, shape {list(labels.shape)}; expected torch.int64, "
            f"[{images}], one for each image"
        )
    wrong = (labels < 0) | (labels >= classes)
    if wrong.any():
        first = int(wrong.nonzero()[0])
        raise ValueError(
            f"label {int(labels[first])} of image {first}; expected 0 to {classes - 1}, "
            f"for {classes} classes"
        )


def mnist(split: Split, folder: Path | None = None) -> Labelled:
    """Handwritten digits, ``[N, 1, 28, 28]``: 60,000 for training, 10,000 for testing.

    Args:
        split: ``"train"`` or ``"test"``.
        folder: where to look before NCABOOK_DATA and the cache; files lie in ``mnist/`` below.

    Raises:
        DataUnavailableError: the files are not here and cannot be downloaded.
        CorruptFileError: a file is not what it should be.

    """
    start = {"train": "train", "test": "t10k"}[_known(split)]
    images, labels = (
        _idx(get(file, folder))
        for kind in ("images", "labels")
        for file in MNIST.files
        if Path(file.path).name.startswith(f"{start}-{kind}")
    )
    return Labelled(images[:, None], labels.long(), DIGITS)


def cifar10(split: Split, folder: Path | None = None, *, lossless: bool = False) -> Labelled:
    """Photographs of ten things, ``[N, 3, 32, 32]``: 50,000 for training, 10,000 for testing.

    The original archive comes first. Where it is not, but another copy lies in ``cifar10/``, that
    one is taken: lossless for training; for testing, JPEG files of all 10,000 images, the
    classes in turn, or the first 1,000 images without loss. ``note`` says so.

    Args:
        split: ``"train"`` or ``"test"``.
        folder: where to look before NCABOOK_DATA and the cache; files lie in ``cifar10/`` below.
        lossless: for testing, the first 1,000 images only, which are lossless in every copy.

    Raises:
        DataUnavailableError: the files are not here and cannot be downloaded.
        CorruptFileError: a file is not what it should be.

    """
    _known(split)
    (archive,) = CIFAR.files
    sheets = [_sheet_files(sheet) for sheet in _SHEETS if sheet[0].startswith(split)]
    first_only = lossless and split == "test"
    path = locate(archive, folder)
    if path is None and locate(sheets[0][1], folder) is not None:
        if split == "test" and not lossless:
            return _jpegs(get(_JPEGS, folder))
        images = torch.cat([_tiles(get(picture, folder)) for picture, _ in sheets])
        labels = b"".join(get(file, folder).read_bytes() for _, file in sheets)
        return Labelled(images, torch.tensor(list(labels)), CIFAR10, _FIRST if first_only else "")
    found = _binary(path or get(archive, folder), split)
    if first_only:
        return Labelled(found.images[:1000], found.labels[:1000], CIFAR10, _FIRST)
    return found


def rendered_digits(count: int, seed: int) -> Labelled:
    """Digits from typefaces, ``[count, 1, 28, 28]``, to stand in for MNIST without a network.

    Matplotlib's typefaces, at random size, place, slant and weight. The same ``seed`` gives the
    same digits. They are easier than handwriting: what is measured on them says nothing about
    MNIST, and ``note`` says what they are.
    """
    if count < 1:
        raise ValueError(f"count is {count}; expected a whole number ≥ 1")
    from matplotlib import get_data_path  # slow to import

    faces = sorted(
        str(path)
        for path in Path(get_data_path(), "fonts", "ttf").glob("DejaVu*.ttf")
        if "Display" not in path.name  # has symbols only
    )
    rng = np.random.default_rng(seed)
    labels = rng.integers(10, size=count)
    pictures = [_render(str(label), faces[rng.integers(len(faces))], rng) for label in labels]
    images = torch.from_numpy(np.stack(pictures))[:, None]
    note = "digits rendered from typefaces, not MNIST"
    return Labelled(images, torch.from_numpy(labels).long(), DIGITS, note)


def _known(split: str) -> str:
    if split not in ("train", "test"):
        raise ValueError(f"split is {split!r}; expected 'train' or 'test'")
    return split


def _idx(path: Path) -> Tensor:
    """A file of bytes in LeCun's IDX format, zipped."""
    try:
        content = gzip.decompress(path.read_bytes())
        zero, kind, dimensions = struct.unpack(">HBB", content[:4])
        shape = struct.unpack(f">{dimensions}I", content[4 : 4 + 4 * dimensions])
        values = np.frombuffer(content, np.uint8, offset=4 + 4 * dimensions).reshape(shape)
    except (OSError, EOFError, struct.error, ValueError) as error:
        raise CorruptFileError(f"{path} is not a zipped IDX file: {error}") from None
    if (zero, kind) != (0, 8):
        raise CorruptFileError(f"{path} holds numbers of kind {kind}; expected bytes (8)")
    return torch.from_numpy(values.copy())


def _binary(path: Path, split: str) -> Labelled:
    """The original archive: records of one byte of label and 3 · 32 · 32 of pixels."""
    names = [f"data_batch_{i}.bin" for i in range(1, 6)] if split == "train" else ["test_batch.bin"]
    records = []
    with tarfile.open(path) as archive:
        for name in names:
            content = _content(archive, f"cifar-10-batches-bin/{name}")
            records.append(np.frombuffer(content, np.uint8).reshape(_CIFAR_BATCH, -1))
    table = torch.from_numpy(np.concatenate(records))
    return Labelled(table[:, 1:].reshape(-1, 3, 32, 32), table[:, 0].long(), CIFAR10)


def _content(archive: tarfile.TarFile, member: str | tarfile.TarInfo) -> bytes:
    """The bytes of a file in an archive."""
    stream = archive.extractfile(member)
    if stream is None:
        raise CorruptFileError(f"{archive.name}: {member} is no file")
    return stream.read()


def _sheet_files(sheet: tuple[str, str, str]) -> tuple[DataFile, DataFile]:
    name, images, labels = sheet
    return (
        DataFile(f"cifar10/{name}.webp", images),
        DataFile(f"cifar10/{name}.labels.u8", labels),
    )


def _tiles(path: Path) -> Tensor:
    """A sheet of 32×32 tiles, row by row, as ``[N, 3, 32, 32]``."""
    with Image.open(path) as sheet:
        pixels = torch.from_numpy(np.array(sheet.convert("RGB")))
    return pixels.unfold(0, 32, 32).unfold(1, 32, 32).flatten(0, 1)


def _jpegs(path: Path) -> Labelled:
    with tarfile.open(path) as archive:  # in the file's order: it cannot go back cheaply
        files = {m.name: _content(archive, m) for m in archive if m.isfile()}
    images, labels = [], []
    # The classes in turn, so that the first thousand are of all ten, as in the original.
    for name in sorted(files, key=lambda name: Path(name).name):
        with Image.open(io.BytesIO(files[name])) as picture:
            images.append(np.array(picture.convert("RGB")))
        labels.append(CIFAR10.index(Path(name).parent.name))
    pixels = torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2).contiguous()
    note = "JPEG copies of the test images, quality 75, the classes in turn"
    return Labelled(pixels, torch.tensor(labels), CIFAR10, note)


def _render(digit: str, face: str, rng: np.random.Generator) -> np.ndarray:
    """One digit, white on black: drawn at four times the size, slanted, turned, scaled down."""
    side, scale = 28, 4
    font = ImageFont.truetype(face, int(scale * rng.uniform(17, 24)))
    canvas = Image.new("L", (side * scale, side * scale))
    x, y = (side * scale / 2 + scale * rng.uniform(-2, 2) for _ in range(2))
    weight = int(rng.integers(0, 4))
    ImageDraw.Draw(canvas).text((x, y), digit, 255, font, "mm", stroke_width=weight)
    slant, half = rng.uniform(-0.3, 0.3), side * scale / 2
    canvas = canvas.transform(
        canvas.size,
        Image.Transform.AFFINE,
        (1, slant, -slant * half, 0, 1, 0),
        Image.Resampling.BILINEAR,
    ).rotate(rng.uniform(-12, 12), Image.Resampling.BILINEAR)
    canvas = canvas.filter(ImageFilter.GaussianBlur(rng.uniform(0, 2)))
    return np.array(canvas.resize((side, side), Image.Resampling.BOX))
