"""What data the book uses, where it comes from, and whether a copy is the right one.

A file is looked for in the folder that a caller gives, then in the one that ``NCABOOK_DATA``
names, then in the cache, and is downloaded only when something asks for it. Every file is checked
against its sha256 before it is used; a download that fails the check is never put in place, and
one that breaks off goes on where it was.
"""

import errno
import math
import os
from dataclasses import dataclass, field
from functools import partial
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
