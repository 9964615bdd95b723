"""What a cell does: update modules, ``U`` in the book's notation."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Literal, cast

import torch.nn.functional as F
from torch import Tensor, nn

from ncabook.automaton.contract import Update, check_sizes, module_list
from ncabook.automaton.perception import LEAKY_SLOPE

LAST_LAYER_STD = 1e-3
Activation = Literal["leaky-relu", "relu"]
SLOPES: dict[Activation, float] = {"leaky-relu": LEAKY_SLOPE, "relu": 0.0}  # left of zero


class MLPUpdate(Update):
    """The same small network in every cell: linear layers with LeakyReLU(0.2) or ReLU between.

    The last layer starts at N(0, 1e-3): a new automaton does almost nothing. Zeros would do
    exactly nothing, and were seen to learn several times more slowly.

    Args:
        in_channels: features per cell.
        out_channels: channels of the state that are changed.
        hidden: widths of the layers between.
        activation: ``leaky-relu``, the paper's; or ``relu``, as in Mordvintsev et al. 2020, which
            a GPU's compiled step leaves to PyTorch's kernels.

    Raises:
        ValueError: no such activation.

    Shapes:
        features ``[B, in_channels, H, W]`` → change ``[B, out_channels, H, W]``.

    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        hidden: Sequence[int] = (80,),
        activation: Activation = "leaky-relu",
    ) -> None:
        super().__init__(in_channels, out_channels)
        if activation not in SLOPES:
            raise ValueError(f"activation is {activation!r}; expected one of {', '.join(SLOPES)}")
        self.activation: Activation = activation
        widths = [in_channels, *hidden, out_channels]
        self.layers = module_list(nn.Linear(a, b) for a, b in pairwise(widths))
        nn.init.normal_(self.layers[-1].weight, std=LAST_LAYER_STD)
        nn.init.zeros_(self.layers[-1].bias)

    @property
    def slope(self) -> float:
        """Of the activation, left of zero."""
        return SLOPES[self.activation]

    def forward(self, features: Tensor) -> Tensor:
        """The change of every cell's state, before any mask."""
        x = features.permute(0, 2, 3, 1)
        for layer in self.layers[:-1]:
            x = F.leaky_relu_(layer(x), self.slope)
        return self.layers[-1](x).permute(0, 3, 1, 2)


class ResNetUpdate(Update):
    """A deeper network in every cell: x ← LeakyReLU(x + W₂ LeakyReLU(W₁ x)), ``blocks`` times.

    Between a linear layer to ``hidden`` features and one to the change, which starts at
    N(0, 1e-3) as in :class:`MLPUpdate`.

    Shapes:
        features ``[B, in_channels, H, W]`` → change ``[B, out_channels, H, W]``.
    """

    def __init__(
        self, in_channels: int, out_channels: int, hidden: int = 128, blocks: int = 2
    ) -> None:
        super().__init__(in_channels, out_channels)
        check_sizes(hidden=hidden, blocks=blocks)
        self.first = nn.Linear(in_channels, hidden)
        pairs = (
            nn.ModuleList([nn.Linear(hidden, hidden), nn.Linear(hidden, hidden)])
            for _ in range(blocks)
        )
        self.blocks = cast(Sequence[tuple[nn.Linear, nn.Linear]], nn.ModuleList(pairs))
        self.last = nn.Linear(hidden, out_channels)
        nn.init.normal_(self.last.weight, std=LAST_LAYER_STD)
        nn.init.zeros_(self.last.bias)

    def forward(self, features: Tensor) -> Tensor:
        """The change of every cell's state, before any mask."""
        x = self.first(features.permute(0, 2, 3, 1))
        for first, second in self.blocks:
            inner = F.leaky_relu_(first(x), LEAKY_SLOPE)
            x = F.leaky_relu_(x + second(inner), LEAKY_SLOPE)
        return self.last(x).permute(0, 3, 1, 2)
