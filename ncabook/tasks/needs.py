"""What a model and its training take of memory, at the least: told before the memory is gone."""

import os
from typing import Any

import torch
from torch import nn
from torch.overrides import TorchFunctionMode

from ncabook.tasks import BaseExperiment, task_of
from ncabook.tasks.base import FLOAT


def parameter_count(experiment: BaseExperiment) -> int:
    """Learned numbers of the experiment's model, without making it."""
    with torch.device("meta"), _Unfilled():
        return task_of(experiment).network(experiment).parameter_count


class _Unfilled(TorchFunctionMode):
    """Leaves out normal numbers: PyTorch would import its compiler, seconds, to shape them."""

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict | None = None
    ) -> Any:
        return None if func is nn.init.normal_ else func(*args, **(kwargs or {}))


def check_memory(experiment: BaseExperiment, device: str = "cpu", training: bool = True) -> None:
    """Refuses what cannot fit the memory of this machine, or of its GPU.

    Raises:
        ValueError: with what is needed and for what, what is there, and what to make smaller.

    """
    there = _memory(torch.device(device))
    needs = least_memory(experiment)
    if not training:
        needs = {name: needs[name] for name in ("parameters", "targets")}
    if there is None or sum(needs.values()) <= there:
        return
    most = sorted(needs, key=needs.__getitem__, reverse=True)
    raise ValueError(
        f"{experiment.name} needs at least {sum(needs.values()) / 1e9:,.0f} GB of memory ("
        + ", ".join(f"{name}: {needs[name] / 1e9:,.1f} GB" for name in most)
        + f"), and {device} has {there / 1e9:,.0f} GB; make data.size, training.batch, "
        "training.steps, training.pool.capacity or the model smaller, or set training.memory"
    )


def least_memory(experiment: BaseExperiment) -> dict[str, int]:
    """Bytes by what they are for, each bounded from below: what would fit is never refused."""
    return {
        "parameters": FLOAT * parameter_count(experiment),
        **task_of(experiment).needs(experiment),
    }


def _memory(device: torch.device) -> int | None:
    """Bytes that a device has in all; None where the system does not say."""
    if device.type == "cuda":
        return torch.cuda.get_device_properties(device).total_memory
    if not hasattr(os, "sysconf"):
        return None
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
