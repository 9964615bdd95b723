"""A convolutional LSTM (Shi et al. 2015, arXiv 1506.04214), a network that remembers films.

A memory lies in every place of a grid; what is kept, written and told is decided by convolutions of
what is seen there and was told before. Its cells are those of the paper without the peepholes,
which later work left out.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import cast

import torch
from torch import Tensor, nn

from ncabook.networks.counted import Counted


class ConvLSTM(Counted):
    """Layers of memory over a grid, and a linear layer that reads all of them.

    A grid is no torus here: beyond its edge are zeros, which tell where the edge is.

    Args:
        channels: of what is seen, and of what is told.
        widths: of the layers.
        kernel_size: of the convolutions, odd.

    Shapes:
        seen ``[B, channels, H, W]`` and state ``[B, state_channels, H, W]`` → the same two.

    """

    def __init__(self, channels: int, widths: Sequence[int], kernel_size: int = 3) -> None:
        super().__init__()
        if not widths or kernel_size % 2 == 0:
            raise ValueError(
                f"widths {list(widths)}, kernel_size {kernel_size}; expected one layer or more, "
                "and an odd kernel"
            )
        self.channels, self.widths = channels, tuple(widths)
        gates = [
            nn.Conv2d(below + width, 4 * width, kernel_size, padding=kernel_size // 2)
            for below, width in pairwise((channels, *widths))
        ]
        self.gates = cast(Sequence[nn.Conv2d], nn.ModuleList(gates))
        self.last = nn.Conv2d(sum(widths), channels, 1)
        with torch.no_grad():  # at first, most is kept (Jozefowicz et al. 2015)
            for gate, width in zip(gates, widths, strict=True):
                assert gate.bias is not None
                gate.bias[width : 2 * width] = 1.0

    @property
    def state_channels(self) -> int:
        """Of a state: of each layer, what it told and what it keeps."""
        return 2 * sum(self.widths)

    def forward(self, seen: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """What is told next, and the state after."""
        below, states = seen, []
        parts = state.split([width for width in self.widths for _ in range(2)], 1)
        for gate, told, kept in zip(self.gates, parts[::2], parts[1::2], strict=True):
            write, keep, tell, new = gate(torch.cat([below, told], 1)).chunk(4, 1)
            memory = keep.sigmoid() * kept + write.sigmoid() * new.tanh()
            below = tell.sigmoid() * memory.tanh()
            states += [below, memory]
        return self.last(torch.cat(states[::2], 1)), torch.cat(states, 1)
