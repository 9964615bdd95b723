"""Compiles C++ beside this file into a library of PyTorch operations, once, and loads it.

A library lies in a folder of its own, below PyTorch's folder for extensions, whose name tells what
it was made from: two checkouts, or two versions of PyTorch, have two. It is made beside its place
and put there when it is whole, so that what is there can be loaded without a look at compilers.
"""

import hashlib
import logging
import os
import platform
import re
import shutil
import subprocess
import sysconfig
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pooch
import torch
from filelock import FileLock, Timeout

log = logging.getLogger(__name__)

PATIENCE = 1200  # seconds for another process that compiles the same
SCRATCH = "compiling-"
# What tells why, among a compiler's commands and remarks.
ERROR = re.compile(r"\berror: |\bnot found\b|cannot find |undefined reference|No space left")


class NotCompiledError(Exception):
    """There is no library; says why in one line."""


def load(name: str, sources: list[Path], flags: list[str]) -> None:
    """Loads the library of these sources, compiling it if it never was.

    Raises:
        NotCompiledError: it cannot be compiled, or another process is at it for too long.

    """
    folder = folder_of(name, sources, flags)
    library = folder / f"{name}.so"
    if _loads(library):
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with _alone(folder):
            if not _loads(library):  # the process that was waited for may have made it
                _compile(name, sources, flags, library)
    except (OSError, RuntimeError, ImportError, subprocess.SubprocessError) as error:
        raise NotCompiledError(_reason(error)) from None


def folder_of(name: str, sources: list[Path], flags: list[str]) -> Path:
    """Where the library is, or will be: it is another one for other sources, headers or flags."""
    root = os.environ.get("TORCH_EXTENSIONS_DIR") or pooch.os_cache("torch_extensions")
    made_from = [torch.__version__, platform.machine(), os.environ.get("CXX", ""), *flags]
    digest = hashlib.sha256(repr(made_from).encode())
    headers = {header for source in sources for header in source.parent.glob("*.h")}
    for source in [*sources, *sorted(headers)]:
        digest.update(hashlib.sha256(source.read_bytes()).digest())
    return Path(root) / f"{name}_{digest.hexdigest()[:16]}"


def _loads(library: Path) -> bool:
    """Loads a library if it is there, and was made for this system."""
    if not library.is_file():
        return False
    try:
        torch.ops.load_library(str(library))
    except OSError:  # homes are shared, and disks fill up: then it is made anew
        return False
    return True


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Only one process at a time; the lock of one that was killed is free."""
    lock = FileLock(folder / ".lock")
    try:
        try:
            lock.acquire(timeout=0)
        except Timeout:
            log.warning("another process is compiling the CPU step; waiting for it …")
            lock.acquire(timeout=PATIENCE)
    except Timeout:
        raise NotCompiledError(
            f"another process has been compiling it for {PATIENCE // 60} minutes in {folder}"
        ) from None
    except NotImplementedError:  # a file system without locks: what is whole replaces what is whole
        yield
        return
    try:
        for left_over in folder.glob(f"{SCRATCH}*"):
            shutil.rmtree(left_over, ignore_errors=True)
        yield
    finally:
        lock.release()


def _compile(name: str, sources: list[Path], flags: list[str], library: Path) -> None:
    log.warning("compiling the CPU step, once; this takes up to two minutes …")
    # It warns on import that there is no CUDA, which is no news to a step for CPUs.
    logging.getLogger("torch.utils.cpp_extension").setLevel(logging.ERROR)
    from torch.utils import cpp_extension  # slow to import

    # An empty folder: in one that is there, some versions of PyTorch wait for ever for the owner
    # of a file named `lock`, who may have been killed.
    with tempfile.TemporaryDirectory(prefix=SCRATCH, dir=library.parent) as scratch, _own_tools():
        cpp_extension.load(
            name,
            [str(source) for source in sources],
            extra_cflags=flags,
            build_directory=scratch,
            is_python_module=False,
        )
        next(Path(scratch).glob("*.so")).replace(library)


@contextmanager
def _own_tools() -> Iterator[None]:
    """Programs that came with Python packages, ``ninja`` for one, are found as well.

    Where the environment is not activated, its scripts are not on the PATH.
    """
    before = os.environ.get("PATH", os.defpath)
    places = [before, sysconfig.get_path("scripts")]
    try:
        import ninja

        places.append(ninja.BIN_DIR)
    except ImportError:  # it may be there as a program only
        pass
    os.environ["PATH"] = os.pathsep.join(places)
    try:
        yield
    finally:
        os.environ["PATH"] = before


def _reason(error: Exception) -> str:
    """The line that says what is wrong; PyTorch begins with the command that failed."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return next((line for line in lines if ERROR.search(line)), lines[0] if lines else repr(error))
