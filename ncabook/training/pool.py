"""The sample pool: evolved states come back as starting points (§2.4)."""

from typing import Any

import torch
from torch import Tensor

# Tensors that belong together, each with a batch in front: ``state`` and what goes with it.
Sample = dict[str, Tensor]


class SamplePool:
    """A first-in, first-out store of samples, on the device, empty at first.

    One tensor holds all values of a name, so that drawing and storing are single copies on the
    device. Names, shapes and types are those of the first samples that are stored.

    Args:
        capacity: samples kept; the oldest make room for new ones.
        device: where they are kept.

    """

    def __init__(self, capacity: int, device: str = "cpu") -> None:
        if capacity < 1:
            raise ValueError(f"pool capacity is {capacity}; expected a whole number ≥ 1")
        self.capacity = capacity
        self.device = device
        self.samples: Sample = {}
        self.written = 0

    def __len__(self) -> int:
        return min(self.written, self.capacity)

    def draw(self, count: int, generator: torch.Generator) -> Sample:
        """``count`` different samples, at random, each name's values ``[n, …]``."""
        if not 0 <= count <= len(self):
            raise ValueError(f"cannot draw {count} samples from a pool that holds {len(self)}")
        order = torch.randperm(len(self), generator=generator, device=self.device)
        return {name: values[order[:count]] for name, values in self.samples.items()}

    def store(self, sample: Sample) -> None:
        """Adds samples, each name's values ``[n, …]``; the oldest go first."""
        count = self._check(sample)
        if not self.samples:
            self._make_room(sample)
        slots = torch.arange(self.written, self.written + count, device=self.device)
        slots = slots % self.capacity
        for name, values in sample.items():
            self.samples[name][slots] = values.detach()
        self.written += count

    def _check(self, sample: Sample) -> int:
        """How many there are; a ValueError where they are not like those in the pool."""
        counts = {len(values) for values in sample.values()}
        given = {name: list(values.shape[1:]) for name, values in sample.items()}
        wanted = {name: list(values.shape[1:]) for name, values in self.samples.items()}
        if len(counts) != 1 or (wanted and given != wanted):
            shapes = {name: list(values.shape) for name, values in sample.items()}
            expected = f"[n, …] with {wanted or 'the same n for all'}"
            raise ValueError(f"samples of shapes {shapes}; expected {expected}")
        (count,) = counts
        if count > self.capacity:
            raise ValueError(f"{count} samples do not fit a pool of capacity {self.capacity}")
        return count

    def _make_room(self, like: Sample) -> None:
        for name, values in like.items():
            shape = (self.capacity, *values.shape[1:])
            room = torch.zeros(shape, dtype=values.dtype, device=self.device)
            if values.ndim == 4:  # as the steps read and write states
                room = room.to(memory_format=torch.channels_last)
            self.samples[name] = room

    def state_dict(self) -> dict[str, Any]:
        """Everything that :meth:`load_state_dict` needs to go on exactly where this pool is."""
        held = {name: values[: len(self)] for name, values in self.samples.items()}
        return {"samples": held, "written": self.written}

    def load_state_dict(self, saved: dict[str, Any]) -> None:
        """Takes over the content that :meth:`state_dict` returned."""
        self.samples = {}
        self._make_room(saved["samples"])
        for name, values in saved["samples"].items():
            self.samples[name][: len(values)] = values.to(self.device)
        self.written = saved["written"]
