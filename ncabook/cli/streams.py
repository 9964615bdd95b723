"""Where the command prints to: a terminal, a pipe, a full disk, nowhere."""

import os
import sys
import threading
from contextlib import suppress
from typing import Any, TextIO


class Lasting:
    """Standard error that a closed terminal, a broken pipe or a full disk turns into no error.

    What cannot be said, a progress bar for instance, is no reason to end a training of hours.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """As the stream's, as far as it goes."""
        with suppress(OSError):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        """As the stream's, as far as it goes."""
        with suppress(OSError):
            self._stream.flush()


def _but_for_curves(arguments: threading.ExceptHookArgs) -> None:
    """Tells of errors in threads, but for TensorBoard's on a full disk: that one comes again.

    With the next value it is raised in the training itself, which tells it in a line.
    """
    writing = type(arguments.thread).__name__ == "_AsyncWriterThread"
    if not (writing and isinstance(arguments.exc_value, OSError)):
        threading.__excepthook__(arguments)


def prepare() -> None:
    """Makes standard output and standard error of any kind fit for what commands print."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:  # closed by the shell, as with >&-
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115, PTH123
        else:
            stream.reconfigure(errors="replace")  # a terminal without emojis is no reason to stop
    sys.stderr = Lasting(sys.stderr)
    threading.excepthook = _but_for_curves
