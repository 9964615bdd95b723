"""Checkpoints: named tensors and a little JSON in one safetensors file. No pickles, ever."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from ncabook.files import CorruptFileError, sha256, write_atomically


def save_tensors(path: Path, tensors: Mapping[str, Tensor], meta: Any = None) -> None:
    """Saves tensors, and ``meta`` as JSON in the file's header."""
    flat = {k: v.detach().cpu().contiguous() for k, v in tensors.items()}
    write_atomically(path, save(flat, {"meta": json.dumps(meta)}))


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
    """Fills ``model`` from ``path``; names and shapes must be the model's own."""
    tensors, _ = load_tensors(path, expected_sha256)
    own = model.state_dict()
    if {k: v.shape for k, v in own.items()} != {k: v.shape for k, v in tensors.items()}:
        raise CorruptFileError(
            f"{path} holds the weights of another model: expected "
            f"{ {k: list(v.shape) for k, v in own.items()} }, "
            f"found { {k: list(v.shape) for k, v in tensors.items()} }"
        )
    model.load_state_dict(tensors)


def prefixed(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The same tensors with ``prefix/`` before each name."""
    return {f"{prefix}/{k}": torch.as_tensor(v) for k, v in tensors.items()}


def under(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Undoes :func:`prefixed`: the tensors under ``prefix/``, without it."""
    start = f"{prefix}/"
    return {k[len(start) :]: v for k, v in tensors.items() if k.startswith(start)}
