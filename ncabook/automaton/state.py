"""Channel layout of a cell's state, and the seeds from which automata grow.

State tensors are float32 ``[batch, channel, height, width]``, stored channels-last:
a step is a few matrix products over the channels of every cell, so the channels of one
cell should lie together in memory.
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

RGB, RGBA = 3, 4


@dataclass(frozen=True)
class ChannelLayout:
    """Names the channels of a state, in the order fixed, visible, hidden, classes.

    Args:
        visible: channels that a person looks at, RGBA premultiplied (4) or fewer.
        hidden: channels for the automaton's own use.
        fixed: input channels that a step never writes (an image to classify).
        classes: output channels, one for each class.
        seed: what a seed cell holds, a number for each channel that is not fixed; None for 1 in
            the visible ones and 0 in the rest (§2.2).

    """

    visible: int
    hidden: int
    fixed: int = 0
    classes: int = 0
    seed: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        for name in ("visible", "hidden", "fixed", "classes"):
            value = getattr(self, name)
            if not isinstance(value, int) or value < 0:
                raise ValueError(f"ChannelLayout.{name} is {value!r}; expected a whole number ≥ 0")
        if self.channels == 0:
            raise ValueError("a ChannelLayout needs at least one channel; all four are 0")
        if self.seed is not None and len(self.seed) != self.channels - self.fixed:
            raise ValueError(
                f"ChannelLayout.seed has {len(self.seed)} numbers; expected "
                f"{self.channels - self.fixed}, one for each channel that is not fixed"
            )

    @property
    def channels(self) -> int:
        """Channels of a cell, all kinds together."""
        return self.fixed + self.visible + self.hidden + self.classes

    @property
    def visible_slice(self) -> slice:
        """Where the visible channels lie."""
        return slice(self.fixed, self.fixed + self.visible)

    @property
    def class_slice(self) -> slice:
        """Where the class channels lie."""
        return slice(self.channels - self.classes, self.channels)

    @property
    def alpha(self) -> int:
        """Index of the alpha channel, the last of four visible ones.

        Raises:
            ValueError: the visible channels are not RGBA.

        """
        if self.visible != RGBA:
            raise ValueError(
                f"this layout has {self.visible} visible channels; only RGBA (4) has an alpha"
            )
        return self.fixed + RGBA - 1

    @property
    def living(self) -> int:
        """Index of the channel that tells which cells live: alpha, or without colours the input.

        A cell that sees no ink, of a digit to be read, takes no part.

        Raises:
            ValueError: there are no visible channels and no input.

        """
        return 0 if self.visible == 0 and self.fixed else self.alpha


def check_tensor(name: str, value: Any) -> None:
    """Refuses what is no tensor, such as NumPy's arrays.

    Raises:
        TypeError: says what it is, and how it becomes one.

    """
    if not isinstance(value, Tensor):
        raise TypeError(
            f"{name} is of type {type(value).__name__}; expected a tensor: convert it with "
            "torch.as_tensor"
        )


def empty_state(
    layout: ChannelLayout, height: int, width: int, batch: int = 1, device: str = "cpu"
) -> Tensor:
    """A state of zeros, ``[batch, channels, height, width]``, channels-last."""
    if height < 1 or width < 1 or batch < 1:
        raise ValueError(f"a state of batch {batch}, {height}×{width}: all three must be ≥ 1")
    state = torch.zeros(batch, layout.channels, height, width, device=device)
    return state.to(memory_format=torch.channels_last)


def centre_seed(
    layout: ChannelLayout, height: int, width: int, batch: int = 1, device: str = "cpu"
) -> Tensor:
    """A state whose only living cell is the centre: visible channels 1, the rest 0 (§2.2).

    Or as the layout's ``seed`` has it.
    """
    state = empty_state(layout, height, width, batch, device)
    return plant_seed(state, layout, height // 2, width // 2)


def first_cell(
    layout: ChannelLayout, height: int, width: int, batch: int = 1, device: str = "cpu"
) -> Tensor:
    """Zeros, and 1 in all channels of the middle cell, ``[batch, C, height, width]``.

    No channel is a colour here, so that none is to be left out, as
    :func:`centre_seed` does.
    """
    state = empty_state(layout, height, width, batch, device)
    state[:, :, height // 2, width // 2] = 1.0
    return state


def plant_seed(state: Tensor, layout: ChannelLayout, row: int, column: int) -> Tensor:
    """Returns ``state`` with a fresh seed cell at (``row``, ``column``), wrapped to the torus."""
    check_tensor("state", state)
    state = state.clone()
    row, column = row % state.shape[2], column % state.shape[3]
    state[:, layout.fixed :, row, column] = 0.0
    if layout.seed is None:
        state[:, layout.visible_slice, row, column] = 1.0
    else:
        state[:, layout.fixed :, row, column] = state.new_tensor(layout.seed)
    return state
