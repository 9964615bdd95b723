"""Checkpoints: tensors and a little JSON in one safetensors file. No pickles, ever."""

import json
import sys
from collections.abc import Container, Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from ncabook.files import CorruptFileError, set_aside, sha256, write_atomically
from ncabook.training import tree


def save_tensors(
    path: Path, tensors: Mapping[str, Tensor], meta: Any = None, keep: Path | None = None
) -> None:
    """Saves tensors, and ``meta`` as JSON in the file's header; ``keep`` is for the old file."""
    flat = {k: v.detach().cpu().contiguous() for k, v in tensors.items()}
    write_atomically(path, save(flat, {"meta": json.dumps(meta)}), keep)


def load_tensors(path: Path, expected_sha256: str | None = None) -> tuple[dict[str, Tensor], Any]:
    """Reads what :func:`save_tensors` wrote.

    Raises:
        FileNotFoundError: there is no such file.
        CorruptFileError: the file is damaged, or its sha256 is not ``expected_sha256``.

    """
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file; check the name, or start anew")
    if expected_sha256 is not None:
        found = sha256(path)
        if found != expected_sha256:
            raise CorruptFileError(
                f"{path} is corrupt or changed: expected sha256 {expected_sha256}, found {found}; "
                "restore the file (git checkout) or train the model again"
            )
    try:
        with safe_open(path, framework="pt") as file:
            meta = (file.metadata() or {}).get("meta", "null")
            return {name: file.get_tensor(name) for name in file.keys()}, json.loads(meta)  # noqa: SIM118
    except (SafetensorError, json.JSONDecodeError) as error:
        raise CorruptFileError(
            f"{path} is not a whole safetensors file ({error}), sha256 {sha256(path)}; "
            "restore it or start again without it"
        ) from error


def load_weights(model: nn.Module, path: Path, expected_sha256: str | None = None) -> None:
    """Fills ``model`` from ``path``.

    Raises:
        CorruptFileError: as :func:`load_tensors`; or names, shapes and dtypes are not the
            model's own; or a number is not finite.

    """
    tensors, _ = load_tensors(path, expected_sha256)
    if differing := unlike(tensors, model.state_dict()):
        raise CorruptFileError(f"{path} holds the weights of another model: {differing}")
    for name, tensor in tensors.items():
        if not tensor.isfinite().all():
            raise CorruptFileError(f"{path}: {name} holds NaN or infinite numbers; train again")
    model.load_state_dict(tensors)


def unlike(there: Mapping[str, Tensor], here: Mapping[str, Tensor]) -> str:
    """Where names, dtypes and shapes of tensors differ, in words; empty if they are alike."""
    first, second = (
        {k: f"{str(v.dtype).removeprefix('torch.')} {list(v.shape)}" for k, v in tensors.items()}
        for tensors in (there, here)
    )
    lines = differences(first, second)
    more = [f"and {len(lines) - 3} more"] if len(lines) > 3 else []
    return "; ".join(lines[:3] + more)


def previous(path: Path) -> Path:
    """Where the checkpoint before ``path`` is kept: ``NAME.previous.SUFFIX``."""
    return path.with_name(f"{path.stem}.previous{path.suffix}")


def save_record(path: Path, record: dict[str, Any], keep: Path | None = None) -> None:
    """Saves nested tensors and numbers (:mod:`ncabook.training.tree`); ``keep`` as above.

    Raises:
        TypeError: something in it is of a type that would not come back; says where.

    """
    tensors, rest = tree.flatten(record)
    save_tensors(path, tensors, {"record": rest}, keep)


def load_record(path: Path) -> dict[str, Any]:
    """Reads what :func:`save_record` wrote: the same types, dtypes and values.

    Raises:
        FileNotFoundError: there is no such file.
        CorruptFileError: the file is damaged, or no such record.

    """
    tensors, meta = load_tensors(path)
    try:
        return tree.unflatten(tensors, meta["record"])
    except (KeyError, TypeError, ValueError):
        raise CorruptFileError(f"{path} is no training checkpoint of this version") from None


def glance(path: Path, parts: Container[str] = ()) -> dict[str, Any]:
    """A training's record with those of its parts only that are asked for; others are not read.

    A checkpoint is mostly pool and optimiser; who only wants to see how a training is doing needs
    neither.

    Raises:
        FileNotFoundError: there is no such file.
        CorruptFileError: the file is damaged, or no such record.

    """
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file; check the name, or start anew")
    try:
        with safe_open(path, framework="pt") as file:
            rest = json.loads((file.metadata() or {}).get("meta", "null"))["record"]
            tensors = {}

            def wanted(name: str) -> bool:
                place = name.split("/")
                return place[0] != "parts" or place[1] in parts

            for name in filter(wanted, file.keys()):
                tensors[name] = file.get_tensor(name)
        fields = rest[tree.DICT]
        kept = [
            [key, value]
            if key != "parts"
            else [key, {tree.DICT: [one for one in value[tree.DICT] if one[0] in parts]}]
            for key, value in fields
        ]
        return tree.unflatten(tensors, {tree.DICT: kept})
    except (SafetensorError, KeyError, TypeError, ValueError, IndexError) as error:
        raise CorruptFileError(f"{path} is no training checkpoint of this version") from error


def load_newest(path: Path) -> tuple[dict[str, Any], Exception | None]:
    """The checkpoint at ``path``, or the one before it if that one cannot be used.

    Returns:
        Its record and, for the one before, what was wrong with the newest.

    Raises:
        FileNotFoundError: there is neither.
        CorruptFileError: none is good; one line tells what is wrong with each.

    """
    errors: list[FileNotFoundError | CorruptFileError] = []
    for candidate in (path, previous(path)):
        try:
            return load_record(candidate), errors[0] if errors else None
        except (FileNotFoundError, CorruptFileError) as error:
            errors.append(error)
    corrupt = [e for e in errors if isinstance(e, CorruptFileError)]
    if not corrupt:
        raise errors[0]
    raise CorruptFileError("; ".join(str(e) for e in corrupt)) from corrupt[0]


def fall_back(path: Path, wrong: Exception, iteration: int) -> None:
    """Renames the checkpoint that cannot be used, and says on stderr what is used instead."""
    kept = f"; kept as {set_aside(path)}" if path.exists() else ""
    message = f"warning: {wrong}{kept}; going on from {previous(path)}, iteration {iteration}"
    print(message, file=sys.stderr)


def differences(saved: Any, now: Any, path: str = "") -> list[str]:
    """Where two nested records differ, in words."""
    if isinstance(saved, dict) and isinstance(now, dict):
        keys = sorted(saved.keys() | now.keys())
        nested = (differences(saved.get(k), now.get(k), f"{path}.{k}".strip(".")) for k in keys)
        return [line for lines in nested for line in lines]
    return [] if saved == now else [f"{path}: {saved!r} there, {now!r} here"]
