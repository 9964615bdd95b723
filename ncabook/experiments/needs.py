"""What a model and its training take of memory, at the least: told before the memory is gone."""

import os
from typing import Any

import torch
from torch import nn
from torch.overrides import TorchFunctionMode

from ncabook.experiments.build import build_network
from ncabook.experiments.schema import (
    ClassificationExperiment,
    Experiment,
    OnePassExperiment,
    Task,
    TextureExperiment,
)
from ncabook.training.processes import group_size

FLOAT = 4  # bytes


def parameter_count(experiment: Task) -> int:
    """Learned numbers of the experiment's model, without making it."""
    with torch.device("meta"), _Unfilled():
        return build_network(experiment).parameter_count


class _Unfilled(TorchFunctionMode):
    """Leaves out normal numbers: PyTorch would import its compiler, seconds, to shape them."""

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict | None = None
    ) -> Any:
        return None if func is nn.init.normal_ else func(*args, **(kwargs or {}))


def check_memory(experiment: Task, device: str = "cpu", training: bool = True) -> None:
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


def least_memory(experiment: Task) -> dict[str, int]:
    """Bytes by what they are for, each bounded from below: what would fit is never refused."""
    needs = {"parameters": FLOAT * parameter_count(experiment), "targets": 0}
    training, data, model = experiment.training, experiment.data, experiment.model
    if isinstance(experiment, Experiment | OnePassExperiment):
        needs["targets"] = FLOAT * 4 * data.grid**2 * len(data.glyphs)
    if isinstance(experiment, OnePassExperiment):
        needs["batch"] = FLOAT * model.base * data.grid**2 * training.batch
        return needs
    side = data.grid
    if isinstance(experiment, TextureExperiment):
        visible, side = 3, training.canvas or side
    elif isinstance(experiment, ClassificationExperiment):
        visible = data.channels + 10
    else:
        visible = 4
    state = FLOAT * (visible + model.hidden_channels) * side**2
    needs["batch"] = state * training.batch
    needs["pool"] = state * training.pool.capacity if training.pool else 0
    # At once: this process's share of a batch, or a part of it, a state for each step.
    rollout = needs["batch"] * training.steps.max // (group_size() * training.accumulation)
    needs["rollout"] = min(rollout, training.memory_bytes or rollout)
    return needs


def _memory(device: torch.device) -> int | None:
    """Bytes that a device has in all; None where the system does not say."""
    if device.type == "cuda":
        return torch.cuda.get_device_properties(device).total_memory
    if not hasattr(os, "sysconf"):
        return None
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
