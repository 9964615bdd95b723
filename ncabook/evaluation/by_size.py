"""Means over pictures with holes, by the size of the hole and by its kind."""

from typing import Any

import torch
from torch import Tensor

from ncabook.data.holes import FIELDS
from ncabook.evaluation.recovery import bootstrap

GROUPS = {"small": (0.0, 0.2), "middle": (0.2, 0.4), "large": (0.4, 1.0)}  # shares missing
IN_SHORT = ("inside", "lpips", "lpips_inside")


def groups(shares: Tensor) -> dict[str, Tensor]:
    """By name, which of holes of such ``shares`` ``[N]`` belong together: bool ``[N]``."""
    found = {"all": torch.ones_like(shares, dtype=torch.bool)}
    for name, (low, high) in GROUPS.items():
        found[name] = (shares >= low) & (shares < high)
    return found


def by_size(values: dict[str, Tensor], shares: Tensor) -> dict[str, Any]:
    """Means and intervals of :func:`scores`, in all and by the size of the hole."""
    found: dict[str, Any] = {}
    for group, mine in groups(shares[: len(values["inside"])]).items():
        if not mine.any():
            continue
        found[group] = {"pictures": int(mine.sum())}
        for name, each in values.items():
            found[group] |= averaged(name, each[mine])
    return found


def averaged(name: str, values: Tensor) -> dict[str, Any]:
    """The mean of ``values`` ``[N]`` by its name, and its interval."""

    def mean(x: Tensor) -> float:
        return float(x.mean())

    return {name: mean(values), f"{name}_interval": list(bootstrap(mean, values))}


def gains(found: dict[str, dict[str, Tensor]], shares: Tensor, beside: str) -> dict[str, Any]:
    """What each row has more than ``beside``, of the same holes, of decibels and LPIPS."""
    if beside not in found:
        return {}
    others = found[beside]
    return {
        row: {
            group: {
                key: value
                for name in IN_SHORT
                for key, value in averaged(
                    name, (values[name] - others[name][: len(values[name])])[mine]
                ).items()
            }
            for group, mine in groups(shares[: len(values["inside"])]).items()
            if mine.any()
        }
        for row, values in found.items()
        if row != beside
    }


def by_kind(shares: Tensor, **rows: dict[str, Tensor] | None) -> dict[str, Any]:
    """Means of rows by the kind of the hole, which come in turn, and its size."""
    told: dict[str, Any] = {}
    turns = torch.arange(len(shares)) % len(FIELDS)
    for place, kind in enumerate(FIELDS):
        for group, mine in groups(shares).items():
            which = mine & (turns == place)
            if which.any():
                told.setdefault(kind, {})[group] = {
                    row: {name: float(values[name][which].mean()) for name in IN_SHORT}
                    for row, values in rows.items()
                    if values is not None
                } | {"pictures": int(which.sum())}
    return told
