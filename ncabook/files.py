"""Files that are whole or absent, and known by their sha256."""

import hashlib
import os
import secrets
import stat
from contextlib import suppress
from pathlib import Path


class CorruptFileError(Exception):
    """A file that is not what its record, or its format, says it should be."""


def sha256(path: Path) -> str:
    """Hex digest of a file's bytes."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def write_atomically(path: Path, content: bytes, keep: Path | None = None) -> None:
    """Writes a file whole or not at all: a reader never sees half of it.

    Behind a symlink, the file that it names is replaced. A file that was there passes on its
    permissions; a new one has those that the umask leaves. With ``keep``, the file that was at
    ``path`` goes there, once the new one is on the disk.

    Raises:
        OSError: the disk is full, say, or a folder, device, pipe or socket is in the way; what
            was at ``path`` is still there.

    """
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        mode = None
    if mode is not None and not stat.S_ISREG(mode):
        found = "folder" if stat.S_ISDIR(mode) else "device, pipe or socket"
        raise OSError(f"{path} is a {found}; expected a file, or a name that is free")
    path = Path(os.path.realpath(path))
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with new.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if mode is not None:
            new.chmod(stat.S_IMODE(mode))
        if keep is not None and mode is not None:
            path.replace(keep)
        new.replace(path)
    except BaseException as error:
        with suppress(OSError):
            new.unlink()
        if isinstance(error, OSError) and error.errno is not None and error.filename is None:
            error.filename = str(path)  # a full disk does not say where
        raise


def remove_leftovers(path: Path) -> None:
    """Removes what a :func:`write_atomically` of ``path`` left behind when it was killed."""
    path = Path(os.path.realpath(path))
    for leftover in path.parent.glob(f".{path.name}.*"):
        leftover.unlink(missing_ok=True)


def set_aside(path: Path) -> Path:
    """Renames a file to the first free ``NAME.refused-N.SUFFIX`` beside it; returns that path."""
    number = 1
    while (new := path.with_name(f"{path.stem}.refused-{number}{path.suffix}")).exists():
        number += 1
    return path.rename(new)
