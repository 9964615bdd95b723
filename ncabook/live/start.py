"""What a live figure begins with: one state, one for each class or input, or a seed cell."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from ncabook.automaton.state import check_tensor
from ncabook.live.program import Program

HALF_MAX = 65504.0
MOST_CELLS = 1024  # on a side of a canvas that readers may choose

Start = Tensor | Sequence[Tensor] | None


def start_of(start: Start, class_index: int) -> Tensor | None:
    """The state to begin with where a class is chosen; None for a seed cell."""
    return start[class_index] if isinstance(start, list | tuple) else start


def check_start(start: Start, shape: tuple[int, int, int, int], classes: int) -> None:
    """Refuses what is no state of ``shape``, or a list that has not one for each class."""
    several = isinstance(start, list | tuple)
    if several and len(start) != max(1, classes):
        raise ValueError(
            f"start is a list of {len(start)}; expected {max(1, classes)}, one for each class or "
            "input, or one state for all"
        )
    for i, one in enumerate(start if several else [] if start is None else [start]):
        name = f"start[{i}]" if several else "start"
        check_tensor(name, one)
        if not bool((one.abs() <= HALF_MAX).all()):  # nor is NaN
            raise ValueError(f"the {name} has numbers beyond ±{HALF_MAX}, or none at all (NaN)")
        if tuple(one.shape) != shape:
            raise ValueError(f"{name} of shape {list(one.shape)}; expected {list(shape)}")


def check_sizes(
    sizes: Sequence[tuple[int, int]], least: int, start: Start, others: Mapping[str, Any]
) -> None:
    """Refuses other canvases where something has the grid's own size, or they are no sizes."""
    if not isinstance(start, Tensor) or not _alike(start):
        raise ValueError("sizes are for a start whose cells are all alike; give such a start")
    given = [name for name, value in others.items() if value is not None]
    if given:
        raise ValueError(f"sizes, and {given[0]} of the grid's own size; give one of them")
    for size in sizes:
        pair = isinstance(size, tuple | list) and len(size) == 2
        if not pair or not all(isinstance(s, int) and least <= s <= MOST_CELLS for s in size):
            raise ValueError(
                f"sizes has {size!r}; expected (height, width), whole numbers from {least}, the "
                f"perception's reach, to {MOST_CELLS}"
            )


def describe_start(start: Start, program: Program) -> dict[str, Any]:
    """Its part of a description: an offset of states, or, if all cells are alike, one's numbers."""
    if start is None:
        return {"start": None}
    if isinstance(start, Tensor):
        if _alike(start):
            return {"start": None, "fill": start[0, :, 0, 0].tolist()}
        start = [start]
    states = torch.cat([one.float() for one in start]).permute(0, 2, 3, 1)
    return {
        "start": program.numbers(states, "<f2"),
        **({"starts": len(states)} if len(states) > 1 else {}),
    }


def _alike(start: Tensor) -> bool:
    return bool((start == start[..., :1, :1]).all())
