"""Denormal numbers, taken for zero while automata run and train.

Hidden values of a trained automaton fade out, and below 1e-38 they are denormal: a CPU's
arithmetic is slower with them, and nothing that anybody looks at depends on them. Whether they
count is a setting of every thread, which it copies from the thread that starts it. OpenMP starts
the threads that share PyTorch's work, and the compiled step's, only once: they have to be told,
and told again afterwards, or the rest of the program would compute with some numbers flushed.
"""

import ctypes
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import torch

_SMALLEST = sys.float_info.min  # a variable: Python would halve a constant beforehand
_ENVIRONMENT = 256  # bytes; C's fenv_t takes fewer everywhere
_PROCESS = os.getpid()
_this_thread = threading.local()


def are_flushed() -> bool:
    """Whether this thread takes denormal numbers for zero."""
    return _SMALLEST / 2 == 0


@contextmanager
def flushed_denormals() -> Iterator[None]:
    """In here, denormal numbers are zero: in this thread, and in those that share its work.

    Afterwards all of them are as this thread was before. Blocks can be nested, and functions
    decorated (``@flushed_denormals()``). Of other threads only OpenMP's on Linux can be told;
    elsewhere it is this thread, and what starts in here stays as it is.
    """
    if getattr(_this_thread, "inside", False):
        yield
        return
    before = are_flushed()
    try:
        _this_thread.inside = True
        _set(True)
        yield
    finally:
        _set(before)
        _this_thread.inside = False


def _set(flush: bool) -> None:
    """Sets it in this thread, and copies this thread's settings to all of its OpenMP team."""
    if not torch.set_flush_denormal(flush) or torch.get_num_threads() == 1:
        return
    # A forked process has lost its parent's team, and would wait for it for ever.
    if os.getpid() == _PROCESS and (library := _openmp()) is not None:
        environment = ctypes.create_string_buffer(_ENVIRONMENT)
        library.fegetenv(environment)
        library.GOMP_parallel(library.fesetenv, environment, 0, 0)


@cache
def _openmp() -> ctypes.CDLL | None:
    """PyTorch's library, through which those that it uses are found: C's and its OpenMP.

    OpenMP has each thread of a team call a function of one pointer; C's function that copies
    settings to a thread happens to be one.
    """
    try:
        library = ctypes.CDLL("libtorch_cpu.so")  # it is loaded, so its name is enough
        _ = library.fegetenv, library.fesetenv, library.GOMP_parallel
    except (OSError, AttributeError):
        return None
    return library
