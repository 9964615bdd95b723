"""States that the laboratory saved as ``.npy``: cells, and behind them what is known of them.

NumPy writes arrays one behind another into one file, and reads them so: the first is float32
``[H, W, C]``, which :func:`numpy.load` gives; the second is JSON as bytes, which names the others.
``ncabook/lab/state.js`` writes them, and reads them as :func:`load_state` does.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import torch
from torch import Tensor

from ncabook.files import CorruptFileError

FORMAT, VERSION = "ncabook-state", 1
TOLD = ("model", "step", "seed", "class_index", "class_name", "degrees", "weight")
FURTHER = {"rules": np.uint8, "unguided": np.float32, "film": np.float32}


@dataclass(frozen=True)
class SavedState:
    """A moment of an automaton that the laboratory saved.

    Attributes:
        cells: all channels of all cells, ``[1, C, H, W]``, float32.
        model: its name on the laboratory's shelf, as :func:`ncabook.zoo.load` takes it; None where
            the file holds cells and nothing else, and then all below is as by default.
        step: steps that were made before.
        seed: of the coins for firing, as :func:`ncabook.automaton.hashed_fire` takes it.
        class_index: the class that was chosen.
        class_name: its name.
        degrees: by which the field of perception was turned, clockwise.
        weight: of the guidance; 1 is none.
        planted: row and column of the seeds that were planted since the last step.
        rules: the rule that each cell obeys, ``[H, W]``; None where there is one only.
        unguided: the automaton of no class that grows beside a guided one, ``[1, C, H, W]``.

    """

    cells: Tensor
    model: str | None = None
    step: int = 0
    seed: int | None = None
    class_index: int = 0
    class_name: str | None = None
    degrees: float = 0.0
    weight: float = 1.0
    planted: tuple[tuple[int, int], ...] = ()
    rules: Tensor | None = None
    unguided: Tensor | None = None


def load_state(path: Path | str) -> SavedState:
    """The state that the laboratory saved.

    Args:
        path: the file; also one that :func:`numpy.save` wrote, with float32 ``[H, W, C]``.

    Raises:
        FileNotFoundError: there is no such file.
        CorruptFileError: it is no state, cut short, of another version, or not finite.

    """
    path = Path(path)
    with path.open("rb") as file:
        cells = _array(path, file, "cells")
        if cells.dtype != np.float32 or cells.ndim != 3:
            raise CorruptFileError(
                f"{path} holds {list(cells.shape)} of type {cells.dtype}; expected float32 "
                "[rows, columns, channels], as the laboratory saves a state"
            )
        if not np.isfinite(cells).all():
            raise CorruptFileError(f"{path} holds numbers that are not finite")
        if not file.read(1):
            return SavedState(_tensor(cells))
        file.seek(-1, 1)
        told = _told(path, _array(path, file, "description"))
        further = {name: _array(path, file, name) for name in told["arrays"]}
    for name, array in further.items():
        if array.dtype != FURTHER[name]:
            raise CorruptFileError(f"{path} has {name} of type {array.dtype}")
    rules, unguided = further.get("rules"), further.get("unguided")
    try:
        return SavedState(
            _tensor(cells),
            **{name: told[name] for name in TOLD},
            planted=tuple((row, column) for row, column in told["planted"]),
            rules=None if rules is None else torch.from_numpy(rules).long(),
            unguided=None if unguided is None else _tensor(unguided),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise CorruptFileError(f"{path} does not tell all of its state ({error})") from None


def _array(path: Path, file: BinaryIO, name: str) -> np.ndarray:
    try:
        return np.lib.format.read_array(file, allow_pickle=False)
    except (ValueError, EOFError, SyntaxError) as error:
        raise CorruptFileError(
            f"{path} is no state, or cut short: its {name} cannot be read ({error})"
        ) from None


def _told(path: Path, content: np.ndarray) -> dict[str, Any]:
    """What the file tells of its cells: all that is to be told, and no array that nobody knows."""
    try:
        told = json.loads(content.tobytes())
    except ValueError:
        told = None
    if not isinstance(told, dict) or told.get("format") != FORMAT:
        raise CorruptFileError(f"{path} has something behind its cells that tells of no state")
    if told.get("version") != VERSION:
        raise CorruptFileError(
            f"{path} is of version {told.get('version')} of these files; expected {VERSION}"
        )
    arrays = told.get("arrays")
    if not isinstance(arrays, list) or any(name not in FURTHER for name in arrays):
        raise CorruptFileError(f"{path} names arrays {arrays}; expected some of {[*FURTHER]}")
    return told


def _tensor(cells: np.ndarray) -> Tensor:
    return torch.from_numpy(cells).permute(2, 0, 1)[None].contiguous()
