"""Downloads that go on where they broke off, and why one could not be kept."""

import errno
import math
import os
import ssl
from pathlib import Path
from urllib.error import URLError

import pooch
import requests
from tqdm.auto import tqdm

from ncabook.files import CorruptFileError

# What the system says of a disk; and errors with such numbers that come from elsewhere.
FULL = (errno.ENOSPC, errno.EDQUOT)
IN_THE_WAY = (errno.EEXIST, errno.ENOTDIR, errno.EISDIR)
CLOSED = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOENT)
NETWORK = (requests.RequestException, URLError, ConnectionError, TimeoutError, ssl.SSLError)


def disk_trouble(error: Exception, folder: Path, variable: str) -> str | None:
    """Why a download could not be kept, to follow "NAME is"; None if that was not the trouble.

    Args:
        error: what the download raised.
        folder: where it was to go.
        variable: of the environment, that names another folder.

    """
    if isinstance(error.__cause__, OSError):
        error = error.__cause__  # pooch words some anew
    if not isinstance(error, OSError) or isinstance(error, NETWORK):
        return None
    remedy = f"or name another folder in {variable}"
    if error.errno in FULL:
        return f"not here, and there is no room for it in {folder}; make some, {remedy}"
    if error.errno in IN_THE_WAY:
        path = Path(error.filename or folder)
        path = next(place for place in (path, *path.parents) if place.exists())
        return f"not here, and {path} is in its way; move that elsewhere, {remedy}"
    if error.errno in CLOSED:
        reason = os.strerror(error.errno)
        return f"not here, and {folder} cannot be written ({reason}); allow it, {remedy}"
    return None


def download(url: str, output_file: str, _: pooch.Pooch | None, most: float = math.inf) -> None:
    """Downloads with a progress bar, and goes on with what an earlier call left in the cache.

    Raises:
        CorruptFileError: it is more than ``most`` bytes; nothing is left of them.

    """
    part = Path(output_file).parent / f"{Path(url).name}.part"
    there = part.stat().st_size if part.exists() else 0
    headers = {"Range": f"bytes={there}-"} if there else {}
    with requests.get(url, headers=headers, stream=True, timeout=30) as answer:
        if answer.status_code != requests.codes.partial_content:
            there = 0  # this server sends all of it again
        if answer.status_code != requests.codes.requested_range_not_satisfiable:  # else: complete
            answer.raise_for_status()
            total = int(answer.headers.get("Content-Length", 0)) + there
            bar = tqdm(total=total, initial=there, unit="B", unit_scale=True, desc=part.stem)
            with bar, part.open("ab" if there else "wb") as file:
                blocks = answer.iter_content(1 << 16)
                while max(there, total) <= most and (block := next(blocks, None)):
                    there += file.write(block)
                    bar.update(len(block))
            if max(there, total) > most:
                part.unlink()
                raise CorruptFileError(
                    f"{url} sends more than the {most:,} bytes of the expected file"
                )
    part.replace(output_file)
