"""A CPU's step for perceptions that ``step.cpp`` does not know: only for the cells that matter.

The list is that of ``step.cpp``: cells that fire, and live or border on life. Compiled operations
(``adaptive.cpp``) collect what they see, and what follows is one small network on the rows of the
list.

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
from torch import Tensor, nn

from ncabook.automaton.attention import AttentionBlock, LocalAttention
from ncabook.automaton.cpu.look import Listed, window
from ncabook.automaton.deformable import DeformablePerception
from ncabook.automaton.known import changed
from ncabook.automaton.perception import (
    LEAKY_SLOPE,
    ConvPerception,
    MultiPerception,
    ResidualPerception,
)
from ncabook.automaton.update import MLPUpdate, ResNetUpdate

Step = Callable[[Tensor, Tensor], Tensor]

# oneDNN compiles its bfloat16 products anew for each number of rows (some 5 ms) and keeps them:
# rows are filled up to a multiple of this.
ROWS = 256


def covers(nca: nn.Module, encoded: Any, state: torch.dtype) -> bool:
    """Whether this step knows the automaton's parts, dtype and condition.

    Parts that are changed (:func:`~ncabook.automaton.known.changed`) are not known.
    """
    from ncabook.automaton.nca import NCA  # imports this module

    return (
        type(nca) is NCA
        and all(type(part) in PREPARE for part in _parts(nca.perception))
        and type(nca.update) in (MLPUpdate, ResNetUpdate)
        and state in (torch.float32, torch.float64)
        and all(p.dtype == state for p in nca.parameters())
        and all(share.shape[2:] == (1, 1) for share in _shares(encoded))
        and changed(nca) is None
    )


def plan(nca: nn.Module, encoded: Any, compute: torch.dtype) -> Step:
    """Prepares a rollout; gradients flow back through the preparation.

    Of all its products only wide ones gain by ``compute`` = bfloat16 (a feed-forward network's,
    twice as fast with AMX, and a second convolution's); for the rest, casts cost more than they
    save.
    """
    with torch.autocast("cpu", enabled=False):
        dtype = next(nca.parameters()).dtype  # autocast may have encoded in another
        perceive = _prepare(nca.perception, _as(encoded, dtype), compute)
    fixed, threshold = nca.layout.fixed, nca.living_threshold

    @torch.autocast("cpu", enabled=False)
    def step(state: Tensor, fire: Tensor) -> Tensor:
        batch, channels, height, width = state.shape
        living = None if threshold is None else nca.living(state)
        near = fire.expand(batch, -1, -1, -1)
        if living is not None:
            near = near & _wider(living, 3)
        states = state.permute(0, 2, 3, 1).reshape(-1, channels)
        listed = _list(near, states.dtype)
        change = nca.update(perceive(listed, states)[:, :, None, None])[:, :, 0, 0]
        if fixed:
            change = F.pad(change, (fixed, 0))
        after = states.index_add(0, listed.cells, change)
        after = after.view(batch, height, width, channels).permute(0, 3, 1, 2)
        return after if living is None else nca.without_dead(after, living & nca.living(after))

    return step


def _parts(perception: nn.Module) -> list[nn.Module]:
    """The branches of several perceptions side by side, or the one that there is."""
    return list(perception.branches) if type(perception) is MultiPerception else [perception]


def _shares(encoded: Any) -> list[Tensor]:
    """All tensors in what ``encode`` returned."""
    if encoded is None or isinstance(encoded, Tensor):
        return [] if encoded is None else [encoded]
    return [share for part in encoded for share in _shares(part)]


def _as(encoded: Any, dtype: torch.dtype) -> Any:
    """What ``encode`` returned, as ``dtype``."""
    if encoded is None or isinstance(encoded, Tensor):
        return encoded if encoded is None else encoded.to(dtype)
    return type(encoded)(_as(part, dtype) for part in encoded)


def _prepare(perception: nn.Module, encoded: Any, compute: torch.dtype) -> Callable:
    """A function ``(Listed, states) → features [n, F]``."""
    if type(perception) is not MultiPerception:
        return PREPARE[type(perception)](perception, encoded, compute)
    branches = [
        PREPARE[type(branch)](branch, share, compute)
        for branch, share in zip(perception.branches, encoded, strict=True)
    ]

    def perceive(listed: Listed, states: Tensor) -> Tensor:
        return torch.cat([branch(listed, states) for branch in branches], dim=1)

    return perceive


def _list(which: Tensor, dtype: torch.dtype) -> Listed:
    """The cells that ``which``, bool ``[B, 1, H, W]``, marks."""
    batch, _, height, width = which.shape
    cells = which.flatten().nonzero()[:, 0]
    owner = F.one_hot(cells // (height * width), batch).to(dtype)
    return Listed(cells, owner, (height, width))


def _wider(which: Tensor, kernel_size: int, dilation: int = 1) -> Tensor:
    """Cells ``[B, 1, H, W]`` that have a marked one in their window."""
    reach = dilation * (kernel_size // 2)
    padded = F.pad(which.float(), (reach, reach, reach, reach), mode="circular")
    return F.max_pool2d(padded, kernel_size, stride=1, dilation=dilation) > 0


def _attend(attention: nn.Module, share: Tensor | None, channels: int) -> tuple[Callable, Tensor]:
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
    offsets = window(2 * attention.reach + 1)

    def hear(listed: Listed, states: Tensor) -> Tensor:
        asking = states.index_select(0, listed.cells)
        if constant is not None:
            asking = torch.cat([asking, listed.owner], dim=1)
        asked = F.linear(asking, fold).unflatten(1, (heads, -1))
        return listed.heard(states, offsets, asked, attention.position).flatten(1)

    return hear, value, constant


def _local_attention(
    perception: LocalAttention, encoded: Tensor | None, _: torch.dtype
) -> Callable:
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
) -> Callable:
    channels, offsets = perception.state_channels, window(2 * perception.reach + 1)
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


def _convolution(perception: ConvPerception, encoded: Tensor | None, _: torch.dtype) -> Callable:
    conv = perception.conv
    offsets = window(conv.kernel_size[0], perception.dilation)
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
) -> Callable:
    channels = perception.state_channels
    first, second = perception.first.conv, perception.second.conv
    sizes = [(part.kernel_size[0], part.dilation[0]) for part in (first, second)]
    offsets = [window(*size) for size in sizes]
    kernels = [
        kernel.permute(0, 2, 3, 1).flatten(1)
        for kernel in (first.weight[:, :channels], second.weight)
    ]
    shortcut = perception.shortcut.conv.weight[:, :channels, 0, 0]
    bias = second.bias + perception.shortcut.conv.bias
    shares = [share if share is None else share[:, :, 0, 0].t() for share in encoded]
    if shares[0] is not None:
        kernels[0] = torch.cat([kernels[0], shares[0]], dim=1)
        shortcut = torch.cat([shortcut, shares[1]], dim=1)

    def with_owner(values: Tensor, listed: Listed) -> Tensor:
        return values if shares[0] is None else torch.cat([values, listed.owner], dim=1)

    def perceive(listed: Listed, states: Tensor) -> Tensor:
        # The second convolution sees neighbours that do not fire: the first has to be there, too.
        marked = torch.zeros(len(states), dtype=torch.bool)
        marked[listed.cells] = True
        around = _wider(marked.view(-1, 1, *listed.size), *sizes[1])
        others = _list(around, states.dtype)
        index = around.flatten().cumsum(0, dtype=torch.int32) - 1
        seen = with_owner(others.patches(states, offsets[0]), others)
        inner = F.relu_(F.linear(seen, kernels[0], first.bias)).to(compute)
        seen = listed.patches(inner, offsets[1], index, ROWS)
        with torch.autocast("cpu", compute, enabled=compute != states.dtype):
            features = F.linear(seen, kernels[1])[: len(listed.cells)]
        own = with_owner(states.index_select(0, listed.cells), listed)
        return F.relu_(features + F.linear(own, shortcut, bias))

    return perceive


PREPARE: dict[type[nn.Module], Callable] = {
    LocalAttention: _local_attention,
    AttentionBlock: _attention_block,
    DeformablePerception: _deformable,
    ConvPerception: _convolution,
    ResidualPerception: _residual,
}
