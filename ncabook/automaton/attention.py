"""Perception by attention: every cell asks its neighbourhood.

Two modules go by this name in the paper's tables: the lean one of Table 6
(:class:`LocalAttention`) and the block of Table 1 (:class:`AttentionBlock`).
"""

from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ncabook.automaton.contract import Perception, check_condition, check_sizes
from ncabook.automaton.perception import LEAKY_SLOPE, circular_pad, reach_of

FIRST_HEARD = [(0, 0), (0, -1), (-1, 0)]  # offsets (rows, columns) that heads start with
FIRST_LOGIT = 3.0  # among nine, the others zero: 71 % of the attention


class NeighbourhoodAttention(nn.Module):
    """Multi-head attention of every cell over its k×k neighbourhood on the torus.

    The logit of a neighbour at offset o is q·k/√d + b[head, o]. The learned b alone tells the
    directions apart: without it, a neighbourhood may be turned, mirrored or shuffled, and its cell
    hears the same. It starts so that the first head hears mostly the cell itself, the second its
    left neighbour, the third the one above, and any further one all alike: a constant and two
    differences, as a convolution would learn them (after d'Ascoli et al. 2021, ConViT). Keys and
    values are read as shifted views, one offset at a time, so that no tensor holds k² copies.

    Shapes:
        ``[B, in_channels, H, W]`` → ``[B, embedding, H, W]``.
    """

    def __init__(self, in_channels: int, embedding: int, heads: int, kernel_size: int) -> None:
        super().__init__()
        check_sizes(in_channels=in_channels, embedding=embedding, heads=heads)
        if embedding % heads:
            raise ValueError(f"embedding {embedding} does not divide into {heads} heads")
        self.heads = heads
        self.reach = reach_of(kernel_size)
        self.qkv = nn.Linear(in_channels, 3 * embedding, bias=False)
        position = torch.zeros(heads, kernel_size, kernel_size)
        if self.reach:
            for head, (dy, dx) in zip(position, FIRST_HEARD, strict=False):
                head[self.reach + dy, self.reach + dx] = FIRST_LOGIT
        self.position = nn.Parameter(position.flatten(1))

    def forward(self, x: Tensor, encoded: Tensor | None = None) -> Tensor:
        """``encoded`` is the condition's share of queries, keys and values."""
        height, width = x.shape[-2:]
        weight = self.qkv.weight[:, : x.shape[1]]
        qkv = F.linear(x.permute(0, 2, 3, 1), weight).permute(0, 3, 1, 2)
        if encoded is not None:
            qkv = qkv + encoded
        query, keys_values = qkv.split([qkv.shape[1] // 3, 2 * qkv.shape[1] // 3], dim=1)
        query = query.unflatten(1, (self.heads, -1))
        keys, values = (
            t.unflatten(1, (self.heads, -1))
            for t in circular_pad(keys_values, self.reach).chunk(2, dim=1)
        )
        side = 2 * self.reach + 1
        windows = [
            (..., slice(dy, dy + height), slice(dx, dx + width))
            for dy in range(side)
            for dx in range(side)
        ]
        logits = torch.stack([(query * keys[w]).sum(2) for w in windows], dim=2)
        logits = logits / query.shape[2] ** 0.5 + self.position[:, :, None, None]
        weights = logits.softmax(dim=2)
        heard = sum(weights[:, :, i, None] * values[w] for i, w in enumerate(windows))
        return cast(Tensor, heard).flatten(1, 2)

    def encode(self, condition: Tensor | None, channels: int) -> Tensor | None:
        """The condition's share, ``[B, 3 · embedding, 1 or H, 1 or W]``."""
        condition = check_condition(condition, channels)
        if condition is None:
            return None
        return _pointwise(condition, self.qkv.weight[:, -channels:])


class LocalAttention(Perception):
    """Neighbourhood attention, a projection, LeakyReLU(0.2) (§2.1, v; Table 6).

    Shapes:
        state ``[B, state_channels, H, W]`` → features ``[B, out_channels, H, W]``.
    """

    def __init__(
        self,
        state_channels: int,
        out_channels: int,
        heads: int = 4,
        kernel_size: int = 3,
        condition_channels: int = 0,
    ) -> None:
        super().__init__(
            state_channels,
            out_channels,
            reach=reach_of(kernel_size),
            condition_channels=condition_channels,
        )
        channels = state_channels + condition_channels
        self.attention = NeighbourhoodAttention(channels, out_channels, heads, kernel_size)
        self.projection = nn.Linear(out_channels, out_channels)

    def encode(self, condition: Tensor | None) -> Tensor | None:
        """The condition's share of queries, keys and values."""
        return self.attention.encode(condition, self.condition_channels)

    def forward(self, state: Tensor, encoded: Tensor | None = None) -> Tensor:
        """Features of every cell; ``encoded`` is what :meth:`encode` returned."""
        heard = self.attention(state, encoded).permute(0, 2, 3, 1)
        return F.leaky_relu_(self.projection(heard), LEAKY_SLOPE).permute(0, 3, 1, 2)


class AttentionBlock(Perception):
    """A transformer's block on a neighbourhood (§2.1, v; Table 1's "Attention").

    y = LayerNorm(W_o A(x) + W_r x);  P = LeakyReLU(LayerNorm(y + FFN(y))), where A has heads
    of width 128 in all and a bias for each position, and FFN widens four times with a GELU between.

    Shapes:
        state ``[B, state_channels, H, W]`` → features ``[B, out_channels, H, W]``.
    """

    def __init__(
        self,
        state_channels: int,
        out_channels: int,
        embedding: int = 128,
        heads: int = 4,
        kernel_size: int = 3,
        condition_channels: int = 0,
    ) -> None:
        super().__init__(
            state_channels,
            out_channels,
            reach=reach_of(kernel_size),
            condition_channels=condition_channels,
        )
        channels = state_channels + condition_channels
        self.attention = NeighbourhoodAttention(channels, embedding, heads, kernel_size)
        self.projection = nn.Linear(embedding, out_channels)
        self.shortcut = nn.Linear(channels, out_channels)
        self.norm = nn.LayerNorm(out_channels)
        self.widen = nn.Linear(out_channels, 4 * out_channels)
        self.narrow = nn.Linear(4 * out_channels, out_channels)
        self.last_norm = nn.LayerNorm(out_channels)

    def encode(self, condition: Tensor | None) -> tuple[Tensor, Tensor] | None:
        """The condition's shares of the attention and of the shortcut."""
        attention = self.attention.encode(condition, self.condition_channels)
        if attention is None or condition is None:
            return None
        return attention, _pointwise(condition, self.shortcut.weight[:, self.state_channels :])

    def forward(self, state: Tensor, encoded: tuple[Tensor, Tensor] | None = None) -> Tensor:
        """Features of every cell; ``encoded`` is what :meth:`encode` returned."""
        attention, shortcut = encoded or (None, None)
        x = state.permute(0, 2, 3, 1)
        y = self.projection(self.attention(state, attention).permute(0, 2, 3, 1))
        weight = self.shortcut.weight[:, : self.state_channels]
        y = y + F.linear(x, weight, self.shortcut.bias)
        if shortcut is not None:
            y = y + shortcut.permute(0, 2, 3, 1)
        y = self.norm(y)
        y = self.last_norm(y + self.narrow(F.gelu(self.widen(y))))
        return F.leaky_relu_(y, LEAKY_SLOPE).permute(0, 3, 1, 2)


def _pointwise(condition: Tensor, weight: Tensor) -> Tensor:
    """A 1×1 map of a condition ``[B, D]`` or ``[B, D, H, W]``: ``[B, out, 1 or H, 1 or W]``."""
    if condition.ndim == 2:
        condition = condition[:, :, None, None]
    return F.linear(condition.permute(0, 2, 3, 1), weight).permute(0, 3, 1, 2)
