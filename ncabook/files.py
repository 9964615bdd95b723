"""Files that are whole or absent, and known by their sha256."""

import hashlib
import os
import tempfile
from pathlib import Path


class CorruptFileError(Exception):
    """A file that is not what its record, or its format, says it should be."""


def sha256(path: Path) -> str:
    """Hex digest of a file's bytes."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def write_atomically(path: Path, content: bytes, keep: Path | None = None) -> None:
    """Writes a file whole or not at all: a reader never sees half of it.

    With ``keep``, the file that was at ``path`` goes there, once the new one is on the disk.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(0o644)
        if keep is not None and path.exists():
            path.replace(keep)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def remove_leftovers(path: Path) -> None:
    """Removes what a :func:`write_atomically` of ``path`` left behind when it was killed."""
    for leftover in path.parent.glob(f".{path.name}.*"):
        leftover.unlink(missing_ok=True)


def set_aside(path: Path) -> Path:
    """Renames a file to the first free ``NAME.refused-N.SUFFIX`` beside it; returns that path."""
    number = 1
    while (new := path.with_name(f"{path.stem}.refused-{number}{path.suffix}")).exists():
        number += 1
    return path.rename(new)
