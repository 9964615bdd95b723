"""Nested Python records as named tensors and JSON, and back: whatever goes in comes out.

Dicts, lists and tuples of tensors, numbers, strings and None keep their types; tensors also their
dtype and the order in which they lie in memory, on which the rounding of a product may hang.
"""

from typing import Any

import torch
from torch import Tensor

TENSOR, DICT, TUPLE = "tensor", "dict", "tuple"


def flatten(tree: Any) -> tuple[dict[str, Tensor], Any]:
    """Splits a record into tensors by name, contiguous and on the CPU, and the rest as JSON.

    Raises:
        TypeError: something in it is of a type that would not come back; says where.

    """
    tensors: dict[str, Tensor] = {}
    return tensors, _encode(tree, "", tensors)


def unflatten(tensors: dict[str, Tensor], rest: Any) -> Any:
    """Undoes :func:`flatten`. Tensors are fresh copies, aligned as PyTorch aligns its own.

    Raises:
        ValueError: these two do not belong together.

    """
    try:
        return _decode(rest, tensors)
    except (IndexError, KeyError, TypeError, RuntimeError) as error:
        raise ValueError(f"not a record of tensors: {error}") from None


def _encode(value: Any, name: str, tensors: dict[str, Tensor]) -> Any:
    if isinstance(value, Tensor):
        name = name or "tensor"
        while name in tensors:  # such as the keys 1 and "1"
            name += "'"
        tensor = value.detach().cpu()
        axes = sorted(range(tensor.ndim), key=tensor.stride, reverse=True)
        if not tensor.permute(axes).is_contiguous():
            axes = list(range(tensor.ndim))
        tensors[name] = tensor.permute(axes).contiguous()
        return {TENSOR: name, "axes": axes}
    if isinstance(value, dict):
        bad = [key for key in value if type(key) not in (str, int)]
        if bad:
            raise TypeError(f"{name}: a key of type {type(bad[0]).__name__}; expected str or int")
        return {DICT: [[k, _encode(v, _join(name, k), tensors)] for k, v in value.items()]}
    if type(value) in (list, tuple):
        items = [_encode(v, _join(name, i), tensors) for i, v in enumerate(value)]
        return {TUPLE: items} if type(value) is tuple else items
    if value is None or type(value) in (bool, int, float, str):
        return value
    raise TypeError(
        f"{name or 'the record'}: of type {type(value).__name__}; expected tensors, numbers, "
        "strings, None, and dicts, lists and tuples of them"
    )


def _decode(rest: Any, tensors: dict[str, Tensor]) -> Any:
    if isinstance(rest, list):
        return [_decode(item, tensors) for item in rest]
    if not isinstance(rest, dict):
        return rest
    if TENSOR in rest:
        back = torch.tensor(rest["axes"], dtype=torch.int64).argsort().tolist()
        return tensors[rest[TENSOR]].clone().permute(back)
    if TUPLE in rest:
        return tuple(_decode(item, tensors) for item in rest[TUPLE])
    return {key: _decode(item, tensors) for key, item in rest[DICT]}


def _join(name: str, key: str | int) -> str:
    return f"{name}/{key}" if name else str(key)
