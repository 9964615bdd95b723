"""The sample pool: evolved states come back as starting points (§2.4)."""

from typing import Any

import torch
from torch import Tensor


class SamplePool:
    """A first-in, first-out store of (state, class), on the device, empty at first.

    One tensor holds all states, so that drawing and storing are single copies on the device.

    Args:
        capacity: states kept; the oldest make room for new ones.
        state_shape: ``(channels, height, width)``.

    """

    def __init__(
        self, capacity: int, state_shape: tuple[int, int, int], device: str = "cpu"
    ) -> None:
        if capacity < 1:
            raise ValueError(f"pool capacity is {capacity}; expected a whole number ≥ 1")
        self.capacity = capacity
        self.states = torch.zeros(capacity, *state_shape, device=device)
        self.states = self.states.to(memory_format=torch.channels_last)
        self.classes = torch.zeros(capacity, dtype=torch.int64, device=device)
        self.written = 0

    def __len__(self) -> int:
        return min(self.written, self.capacity)

    def draw(self, count: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """``count`` different entries, at random: states ``[n, C, H, W]`` and classes ``[n]``."""
        if not 0 <= count <= len(self):
            raise ValueError(f"cannot draw {count} samples from a pool that holds {len(self)}")
        order = torch.randperm(len(self), generator=generator, device=self.states.device)
        picks = order[:count]
        return self.states[picks], self.classes[picks]

    def store(self, states: Tensor, classes: Tensor) -> None:
        """Adds states ``[n, C, H, W]`` with their classes ``[n]``; the oldest entries go first."""
        count = len(states)
        if states.shape[1:] != self.states.shape[1:] or classes.shape != (count,):
            raise ValueError(
                f"states {list(states.shape)} with classes {list(classes.shape)}; expected "
                f"[n, {', '.join(map(str, self.states.shape[1:]))}] with [n]"
            )
        if count > self.capacity:
            raise ValueError(f"{count} samples do not fit a pool of capacity {self.capacity}")
        slots = torch.arange(self.written, self.written + count, device=self.states.device)
        slots = slots % self.capacity
        self.states[slots] = states.detach()
        self.classes[slots] = classes
        self.written += count

    def state_dict(self) -> dict[str, Any]:
        """Everything that :meth:`load_state_dict` needs to go on exactly where this pool is."""
        held = len(self)
        return {
            "states": self.states[:held],
            "classes": self.classes[:held],
            "written": self.written,
        }

    def load_state_dict(self, saved: dict[str, Any]) -> None:
        """Takes over the content that :meth:`state_dict` returned."""
        held = len(saved["states"])
        self.states[:held] = saved["states"].to(self.states.device)
        self.classes[:held] = saved["classes"].to(self.classes.device)
        self.written = saved["written"]
