"""What listed cells perceive: each kind of perception as one small network on the list's rows.

Attention is folded. A head's logit of a neighbour x_j is (W_q x_i)·(W_k x_j) = x_i·(W_qᵀ W_k) x_j,
and what it hears is W_v Σ_j w_j x_j: with states of 16 numbers and heads of width 32, it is
cheaper to compare and to average the states themselves than their keys and values, and nothing
of the size of k² keys is ever made. A condition that is the same in all cells of a sample shifts
every logit of a cell alike, which softmax ignores, except through the query.
"""

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from ncabook.automaton.attention import AttentionBlock, LocalAttention, NeighbourhoodAttention
from ncabook.automaton.contract import Perception
from ncabook.automaton.cpu.look import Listed, taps, wider
from ncabook.automaton.deformable import DeformablePerception
from ncabook.automaton.perception import LEAKY_SLOPE, ConvPerception, ResidualPerception

Perceive = Callable[[Listed, Tensor], Tensor]
"""From listed cells and all cells' states ``[B · H · W, C]`` to features ``[n, F]``."""

# oneDNN compiles its bfloat16 products anew for each number of rows (some 5 ms) and keeps them:
# rows are filled up to a multiple of this.
ROWS = 256


def _attend(
    attention: NeighbourhoodAttention, share: Tensor | None, channels: int
) -> tuple[Perceive, Tensor, Tensor | None]:
    """The folded attention: a function to what the heads hear of the states, and their values.

    Returns:
        a function ``(Listed, states) → [n, heads · C]``, the values' weights ``[heads, d, C]``,
        and the condition's share of the values ``[B, heads · d]``, if there is one.

    """
    heads = attention.heads
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
    offsets = taps(2 * attention.reach + 1)

    def hear(listed: Listed, states: Tensor) -> Tensor:
        asking = states.index_select(0, listed.cells)
        if constant is not None:
            asking = torch.cat([asking, listed.owner], dim=1)
        asked = F.linear(asking, fold).unflatten(1, (heads, -1))
        return listed.heard(states, offsets, asked, attention.position).flatten(1)

    return hear, value, constant


def _local_attention(
    perception: LocalAttention, encoded: Tensor | None, _: torch.dtype
) -> Perceive:
    hear, value, share = _attend(perception.attention, encoded, perception.state_channels)
    project = perception.projection.weight.unflatten(1, value.shape[:2])
    weight = torch.einsum("fhd,hdc->fhc", project, value).flatten(1)
    if share is not None:
        weight = torch.cat([weight, F.linear(share, perception.projection.weight).t()], dim=1)

    def perceive(listed: Listed, states: Tensor) -> Tensor:
        heard = hear(listed, states)
        if share is not None:
            heard = torch.cat([heard, listed.owner], dim=1)
        return F.leaky_relu_(F.linear(heard, weight, perception.projection.bias), LEAKY_SLOPE)

    return perceive


def _attention_block(
    perception: AttentionBlock, encoded: tuple[Tensor, Tensor] | None, compute: torch.dtype
) -> Perceive:
    share, shortcut = encoded or (None, None)
    channels = perception.state_channels
    hear, value, share = _attend(perception.attention, share, channels)
    project = perception.projection.weight.unflatten(1, value.shape[:2])
    weight = torch.einsum("fhd,hdc->fhc", project, value).flatten(1)
    weight = torch.cat([weight, perception.shortcut.weight[:, :channels]], dim=1)
    bias = perception.projection.bias + perception.shortcut.bias
    if share is not None and shortcut is not None:
        own = F.linear(share, perception.projection.weight) + shortcut[:, :, 0, 0]
        weight = torch.cat([weight, own.t()], dim=1)

    def perceive(listed: Listed, states: Tensor) -> Tensor:
        parts = [hear(listed, states), states.index_select(0, listed.cells)]
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
) -> Perceive:
    channels, offsets = perception.state_channels, taps(2 * perception.reach + 1)
    parts = [perception.offset.conv, perception.modulator.conv]
    kernel = torch.cat([part.weight for part in parts]).flatten(2)  # [3k², C + D, k²]
    guide = kernel[:, :channels].transpose(1, 2).flatten(1)
    guide_bias = torch.cat([perception.offset.bias, perception.modulator.bias])
    mixing = perception.conv.weight.flatten(2)  # [F, C + D, k²]
    mix = mixing[:, :channels].transpose(1, 2).flatten(1)
    if encoded is not None:  # the same wherever a tap lands: it only has to be weighed
        condition = encoded[:, :, 0, 0]
        guide = torch.cat([guide, torch.einsum("odt,bd->ob", kernel[:, channels:], condition)], 1)
        seen = torch.einsum("fdt,bd->ftb", mixing[:, channels:], condition)
        mix = torch.cat([mix, seen.flatten(1)], dim=1)

    def perceive(listed: Listed, states: Tensor) -> Tensor:
        patches = listed.patches(states, offsets)
        if encoded is not None:
            patches = torch.cat([patches, listed.owner], dim=1)
        guided = F.linear(patches, guide, guide_bias)
        moves, weights = guided.split([2 * len(offsets), len(offsets)], dim=1)
        weights = 2 * torch.sigmoid(weights)
        seen = listed.moved(states, offsets, moves, weights)
        if encoded is not None:
            own = (weights[:, :, None] * listed.owner[:, None]).flatten(1)
            seen = torch.cat([seen, own], dim=1)
        return F.leaky_relu_(F.linear(seen, mix), LEAKY_SLOPE)

    return perceive


def _convolution(perception: ConvPerception, encoded: Tensor | None, _: torch.dtype) -> Perceive:
    conv = perception.conv
    offsets = taps(conv.kernel_size[0], perception.dilation)
    kernel = conv.weight[:, : perception.state_channels].permute(0, 2, 3, 1).flatten(1)
    if encoded is not None:
        kernel = torch.cat([kernel, encoded[:, :, 0, 0].t()], dim=1)

    def perceive(listed: Listed, states: Tensor) -> Tensor:
        seen = listed.patches(states, offsets)
        if encoded is not None:
            seen = torch.cat([seen, listed.owner], dim=1)
        return F.leaky_relu_(F.linear(seen, kernel, conv.bias), LEAKY_SLOPE)

    return perceive


def _residual(
    perception: ResidualPerception,
    encoded: tuple[Tensor | None, Tensor | None],
    compute: torch.dtype,
) -> Perceive:
    channels = perception.state_channels
    first, second = perception.first.conv, perception.second.conv
    sizes = [(part.kernel_size[0], part.dilation[0]) for part in (first, second)]
    offsets = [taps(*size) for size in sizes]
    kernels = [
        kernel.permute(0, 2, 3, 1).flatten(1)
        for kernel in (first.weight[:, :channels], second.weight)
    ]
    shortcut = perception.shortcut.conv.weight[:, :channels, 0, 0]
    bias = perception.second.bias + perception.shortcut.bias
    shares = [share[:, :, 0, 0].t() for share in encoded if share is not None]
    if shares:  # of both, or of none
        kernels[0] = torch.cat([kernels[0], shares[0]], dim=1)
        shortcut = torch.cat([shortcut, shares[1]], dim=1)

    def with_owner(values: Tensor, listed: Listed) -> Tensor:
        return torch.cat([values, listed.owner], dim=1) if shares else values

    def perceive(listed: Listed, states: Tensor) -> Tensor:
        # The second convolution sees neighbours that do not fire: the first has to be there, too.
        marked = torch.zeros(len(states), dtype=torch.bool)
        marked[listed.cells] = True
        around = wider(marked.view(-1, 1, *listed.size), *sizes[1])
        others = Listed.of(around, states.dtype)
        index = around.flatten().cumsum(0, dtype=torch.int32) - 1
        seen = with_owner(others.patches(states, offsets[0]), others)
        inner = F.relu_(F.linear(seen, kernels[0], first.bias)).to(compute)
        seen = listed.patches(inner, offsets[1], index, ROWS)
        with torch.autocast("cpu", compute, enabled=compute != states.dtype):
            features = F.linear(seen, kernels[1])[: len(listed.cells)]
        own = with_owner(states.index_select(0, listed.cells), listed)
        return F.relu_(features + F.linear(own, shortcut, bias))

    return perceive


# Each is given a perception of its kind, what that made of the condition, and the dtype of wide
# products; :func:`~ncabook.automaton.cpu.listed.covers` sees to it that they fit.
PREPARE: dict[type[Perception], Callable[[Any, Any, torch.dtype], Perceive]] = {
    LocalAttention: _local_attention,
    AttentionBlock: _attention_block,
    DeformablePerception: _deformable,
    ConvPerception: _convolution,
    ResidualPerception: _residual,
}
