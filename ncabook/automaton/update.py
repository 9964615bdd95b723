"""What a cell does: update modules, ``U`` in the book's notation."""

from collections.abc import Sequence
from itertools import pairwise

import torch.nn.functional as F
from torch import Tensor, nn

from ncabook.automaton.perception import LEAKY_SLOPE

LAST_LAYER_STD = 1e-3


class MLPUpdate(nn.Module):
    """The same small network in every cell: linear layers with LeakyReLU(0.2) between.

    The last layer starts at N(0, 1e-3): a new automaton does almost nothing. Zeros would do
    exactly nothing, and were seen to learn several times more slowly.

    Shapes:
        features ``[B, in_channels, H, W]`` → change ``[B, out_channels, H, W]``.
    """

    def __init__(self, in_channels: int, out_channels: int, hidden: Sequence[int] = (80,)) -> None:
        super().__init__()
        widths = [in_channels, *hidden, out_channels]
        self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in pairwise(widths))
        nn.init.normal_(self.layers[-1].weight, std=LAST_LAYER_STD)
        nn.init.zeros_(self.layers[-1].bias)

    def forward(self, features: Tensor) -> Tensor:
        """The change of every cell's state, before any mask."""
        x = features.permute(0, 2, 3, 1)
        for layer in self.layers[:-1]:
            x = F.leaky_relu_(layer(x), LEAKY_SLOPE)
        return self.layers[-1](x).permute(0, 3, 1, 2)
