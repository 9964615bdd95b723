"""A CPU's step for perceptions that adapt to what they see: only for the cells that matter.

The list is that of ``step.cpp``: cells that fire, and live or border on life. Their
neighbourhoods are gathered, and what follows is one small network on the rows of the list.

Attention is folded. A head's logit of a neighbour x_j is (W_q x_i)·(W_k x_j) = x_i·(W_qᵀ W_k) x_j,
and what it hears is W_v Σ_j w_j x_j: with states of 16 numbers and heads of width 32, it is
cheaper to compare and to average the states themselves than their keys and values, and nothing
of the size of k² keys is ever made. A condition that is the same in all cells of a sample shifts
every logit of a cell alike, which softmax ignores, except through the query.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ncabook.automaton.attention import AttentionBlock, LocalAttention
from ncabook.automaton.deformable import DeformablePerception
from ncabook.automaton.perception import LEAKY_SLOPE
from ncabook.automaton.update import MLPUpdate, ResNetUpdate

Step = Callable[[Tensor, Tensor], Tensor]

# oneDNN compiles its bfloat16 products anew for each number of rows (some 5 ms) and keeps them:
# rows are filled up to a multiple of this.
ROWS = 256


@dataclass(frozen=True)
class Listed:
    """Some cells of a batch, n of them.

    Attributes:
        states: of all cells, ``[B · H · W, C]``.
        cells: their numbers, int64 ``[n]``.
        place: their columns and rows and the number of their sample's first cell, ``[n]`` each.
        owner: their samples, one-hot: ``[n, B]``; times a matrix, it looks up a sample's row.
        size: H and W.

    """

    states: Tensor
    cells: Tensor
    place: tuple[Tensor, Tensor, Tensor]
    owner: Tensor
    size: tuple[int, int]

    def read(self, rows: Tensor, columns: Tensor) -> Tensor:
        """States ``[n, k, C]`` at positions ``[n, k]`` of the cells' own samples, wrapping."""
        height, width = self.size
        index = rows.remainder(height) * width + columns.remainder(width) + self.place[2][:, None]
        return self.states.index_select(0, index.flatten()).unflatten(0, index.shape)

    def patches(self, reach: int) -> Tensor:
        """Their neighbourhoods, row by row: ``[n, k², C]``."""
        columns, rows, _ = self.place
        offsets = taps(reach)
        return self.read(rows[:, None] + offsets[0], columns[:, None] + offsets[1])


def taps(reach: int) -> Tensor:
    """Offsets of a neighbourhood, rows then columns: int64 ``[2, k²]``."""
    side = torch.arange(-reach, reach + 1)
    return torch.stack([side.repeat_interleave(len(side)), side.repeat(len(side))])


def covers(nca: nn.Module, encoded: Any, state: torch.dtype) -> bool:
    """Whether this step knows the automaton's parts, dtype and condition.

    Parts that somebody derived and changed, or hung hooks on, are not known: only their own
    code is right.
    """
    from ncabook.automaton.nca import NCA  # imports this module

    shares = encoded if isinstance(encoded, tuple) else (encoded,)
    return (
        type(nca) is NCA
        and type(nca.perception) in PREPARE
        and type(nca.update) in (MLPUpdate, ResNetUpdate)
        and state in (torch.float32, torch.float64)
        and all(p.dtype == state for p in nca.parameters())
        and all(share is None or share.shape[2:] == (1, 1) for share in shares)
        and not any(
            m._forward_hooks or m._forward_pre_hooks or m._backward_hooks for m in nca.modules()
        )
    )


def plan(nca: nn.Module, encoded: Any, compute: torch.dtype) -> Step:
    """Prepares a rollout; gradients flow back through the preparation.

    Of all its products only the wide ones of a feed-forward network gain by ``compute`` =
    bfloat16 (twice as fast with AMX); for the rest, casts cost more than they save.
    """
    with torch.autocast("cpu", enabled=False):
        dtype = next(nca.parameters()).dtype  # autocast may have encoded in another
        if isinstance(encoded, tuple):
            encoded = tuple(share.to(dtype) for share in encoded)
        elif encoded is not None:
            encoded = encoded.to(dtype)
        perceive = PREPARE[type(nca.perception)](nca.perception, encoded, compute)
    fixed, threshold = nca.layout.fixed, nca.living_threshold

    @torch.autocast("cpu", enabled=False)
    def step(state: Tensor, fire: Tensor) -> Tensor:
        batch, channels, height, width = state.shape
        living = None if threshold is None else nca.living(state)
        near = fire.expand(batch, -1, -1, -1)
        if living is not None:
            near = near & (F.max_pool2d(_padded(living.to(state.dtype)), 3, stride=1) > 0)
        cells = near.flatten().nonzero()[:, 0]
        states = state.permute(0, 2, 3, 1).reshape(-1, channels)
        sample = cells // (height * width)
        listed = Listed(
            states,
            cells,
            (cells % width, cells // width % height, sample * (height * width)),
            F.one_hot(sample, batch).to(states.dtype),
            (height, width),
        )
        change = nca.update(perceive(listed)[:, :, None, None])[:, :, 0, 0]
        if fixed:
            change = F.pad(change, (fixed, 0))
        after = states.index_add(0, cells, change)
        after = after.view(batch, height, width, channels).permute(0, 3, 1, 2)
        return after if living is None else nca.without_dead(after, living & nca.living(after))

    return step


def _padded(alive: Tensor) -> Tensor:
    return F.pad(alive, (1, 1, 1, 1), mode="circular")


def _attend(attention: nn.Module, share: Tensor | None, channels: int) -> tuple[Callable, Tensor]:
    """The folded attention: a function to what the heads hear of the states, and their values.

    Returns:
        a function ``Listed → [n, heads · C]``, the values' weights ``[heads, d, C]``, and the
        condition's share of the values ``[B, heads · d]``, if there is one.

    """
    heads, reach = attention.heads, attention.reach
    query, key, value = (
        w.unflatten(0, (heads, -1)) for w in attention.qkv.weight[:, :channels].chunk(3)
    )
    scale = query.shape[1] ** -0.5
    fold = torch.einsum("hdc,hde->hce", key, query).flatten(0, 1) * scale
    constant = None
    if share is not None:
        asked, _, share = share[:, :, 0, 0].chunk(3, dim=1)
        asked = torch.einsum("bhd,hdc->bhc", asked.unflatten(1, (heads, -1)), key) * scale
        fold = torch.cat([fold, asked.flatten(1).t()], dim=1)
        constant = share

    def hear(listed: Listed) -> Tensor:
        patches = listed.patches(reach)
        asking = patches[:, patches.shape[1] // 2]
        if constant is not None:
            asking = torch.cat([asking, listed.owner], dim=1)
        asked = F.linear(asking, fold).unflatten(1, (heads, -1))
        logits = torch.bmm(asked, patches.transpose(1, 2))
        if attention.position is not None:
            logits = logits + attention.position
        weights = logits.softmax(dim=2)
        return torch.bmm(weights, patches).flatten(1)

    return hear, value, constant


def _local_attention(
    perception: LocalAttention, encoded: Tensor | None, _: torch.dtype
) -> Callable:
    hear, value, share = _attend(perception.attention, encoded, perception.state_channels)
    project = perception.projection.weight.unflatten(1, value.shape[:2])
    weight = torch.einsum("fhd,hdc->fhc", project, value).flatten(1)
    if share is not None:
        weight = torch.cat([weight, F.linear(share, perception.projection.weight).t()], dim=1)

    def perceive(listed: Listed) -> Tensor:
        heard = hear(listed)
        if share is not None:
            heard = torch.cat([heard, listed.owner], dim=1)
        return F.leaky_relu_(F.linear(heard, weight, perception.projection.bias), LEAKY_SLOPE)

    return perceive


def _attention_block(
    perception: AttentionBlock, encoded: tuple[Tensor, Tensor] | None, compute: torch.dtype
) -> Callable:
    share, shortcut = encoded or (None, None)
    channels = perception.state_channels
    hear, value, share = _attend(perception.attention, share, channels)
    project = perception.projection.weight.unflatten(1, value.shape[:2])
    weight = torch.einsum("fhd,hdc->fhc", project, value).flatten(1)
    weight = torch.cat([weight, perception.shortcut.weight[:, :channels]], dim=1)
    bias = perception.projection.bias + perception.shortcut.bias
    if share is not None:
        own = F.linear(share, perception.projection.weight) + shortcut[:, :, 0, 0]
        weight = torch.cat([weight, own.t()], dim=1)

    def perceive(listed: Listed) -> Tensor:
        parts = [hear(listed), listed.states.index_select(0, listed.cells)]
        if share is not None:
            parts.append(listed.owner)
        y = perception.norm(F.linear(torch.cat(parts, dim=1), weight, bias))
        rows = F.pad(y, (0, 0, 0, -len(y) % ROWS))
        with torch.autocast("cpu", compute, enabled=compute != y.dtype):
            rows = perception.narrow(F.gelu(perception.widen(rows)))
        return F.leaky_relu_(perception.last_norm(y + rows[: len(y)]), LEAKY_SLOPE)

    return perceive


def _deformable(
    perception: DeformablePerception, encoded: Tensor | None, _: torch.dtype
) -> Callable:
    channels, reach = perception.state_channels, perception.reach
    parts = [perception.offset.conv, perception.modulator.conv]
    kernel = torch.cat([part.weight for part in parts]).flatten(2)  # [3k², C + D, k²]
    guide = kernel[:, :channels].transpose(1, 2).flatten(1)
    guide_bias = torch.cat([part.bias for part in parts])
    mixing = perception.conv.weight.flatten(2)  # [F, C + D, k²]
    mix = mixing[:, :channels].transpose(1, 2).flatten(1)
    if encoded is not None:  # the same wherever a tap lands: it only has to be weighed
        condition = encoded[:, :, 0, 0]
        guide = torch.cat([guide, torch.einsum("odt,bd->ob", kernel[:, channels:], condition)], 1)
        seen = torch.einsum("fdt,bd->ftb", mixing[:, channels:], condition)
        mix = torch.cat([mix, seen.flatten(1)], dim=1)
    offsets = taps(reach)

    def perceive(listed: Listed) -> Tensor:
        patches = listed.patches(reach).flatten(1)
        if encoded is not None:
            patches = torch.cat([patches, listed.owner], dim=1)
        guided = F.linear(patches, guide, guide_bias)
        moves, weights = guided.split([2 * offsets.shape[1], offsets.shape[1]], dim=1)
        weights = 2 * torch.sigmoid(weights)
        columns, rows, _ = listed.place
        y = rows[:, None] + offsets[0] + moves[:, 0::2]
        x = columns[:, None] + offsets[1] + moves[:, 1::2]
        top, left = y.detach().floor(), x.detach().floor()
        down, right = y - top, x - left
        seen = sum(
            (share * weights)[:, :, None] * listed.read(top.long() + below, left.long() + beside)
            for below, beside, share in (
                (0, 0, (1 - down) * (1 - right)),
                (0, 1, (1 - down) * right),
                (1, 0, down * (1 - right)),
                (1, 1, down * right),
            )
        ).flatten(1)
        if encoded is not None:
            own = (weights[:, :, None] * listed.owner[:, None]).flatten(1)
            seen = torch.cat([seen, own], dim=1)
        return F.leaky_relu_(F.linear(seen, mix), LEAKY_SLOPE)

    return perceive


PREPARE: dict[type[nn.Module], Callable] = {
    LocalAttention: _local_attention,
    AttentionBlock: _attention_block,
    DeformablePerception: _deformable,
}
