"""Every perception as operations of the live engine: from the state to features."""

from functools import singledispatch

import torch
from torch import nn

from ncabook.automaton import (
    AttentionBlock,
    ConvPerception,
    DeformablePerception,
    LocalAttention,
    MultiPerception,
    Perception,
    ResidualPerception,
    SobelPerception,
)
from ncabook.automaton.attention import NeighbourhoodAttention
from ncabook.automaton.perception import LEAKY_SLOPE
from ncabook.live.program import ENGINE, LINEAR, RELU, STATE, Program, padded


def needs_planes(perception: Perception) -> bool:
    """Whether the class has to be an input like the state, since it cannot become a bias."""
    return any(
        isinstance(branch, SobelPerception | DeformablePerception) and branch.condition_channels > 0
        for branch in perception.branches
    )


def feature_size(perception: Perception, program: Program) -> int:
    """Numbers per cell that :func:`perceive` writes, gaps included."""
    if isinstance(perception, MultiPerception):
        return sum(feature_size(branch, program) for branch in perception.branches)
    if isinstance(perception, SobelPerception):
        return len(perception.get_buffer("bank")) * program.buffers[STATE]
    return padded(perception.out_channels)


@singledispatch
def perceive(perception: nn.Module, program: Program, to: int, offset: int) -> list[int]:
    """Appends a perception's operations; returns where in ``to`` its features are, in order."""
    raise TypeError(f"{ENGINE} does not know {type(perception).__name__}")


def _features(count: int, offset: int) -> list[int]:
    return list(range(offset, offset + count))


@perceive.register
def _(perception: ConvPerception, program: Program, to: int, offset: int) -> list[int]:
    kernel, bias = program.split(perception.conv.weight, perception.conv.bias)
    program.conv(kernel, bias, to, offset=offset, dilation=perception.dilation, slope=LEAKY_SLOPE)
    return _features(perception.out_channels, offset)


@perceive.register
def _(perception: SobelPerception, program: Program, to: int, offset: int) -> list[int]:
    bank, stride = perception.get_buffer("bank"), program.buffers[STATE]
    program.add(
        "bank",
        0,
        **{"from": STATE, "to": to, "offset": offset},
        filters=len(bank),
        weight=program.numbers(bank, "<f4"),
    )
    inputs = perception.state_channels + perception.condition_channels
    return [offset + f * stride + i for f in range(len(bank)) for i in range(inputs)]


@perceive.register
def _(perception: ResidualPerception, program: Program, to: int, offset: int) -> list[int]:
    first, second, shortcut = perception.first, perception.second, perception.shortcut
    inner = program.buffer(first.out_channels)
    kernel, bias = program.split(first.conv.weight, first.conv.bias)
    program.conv(kernel, bias, inner, dilation=first.dilation, slope=RELU, near=second.reach)
    program.conv(*program.split(shortcut.conv.weight, shortcut.conv.bias), to, offset=offset)
    program.conv(
        second.conv.weight,
        second.conv.bias,
        to,
        source=inner,
        offset=offset,
        dilation=second.dilation,
        slope=RELU,
        add=True,
    )
    return _features(perception.out_channels, offset)


@perceive.register
def _(perception: LocalAttention, program: Program, to: int, offset: int) -> list[int]:
    heard, columns = _attend(perception.attention, program)
    projection = perception.projection
    program.conv(
        projection.weight,
        projection.bias,
        to,
        source=heard,
        columns=columns,
        offset=offset,
        slope=LEAKY_SLOPE,
    )
    return _features(perception.out_channels, offset)


@perceive.register
def _(perception: AttentionBlock, program: Program, to: int, offset: int) -> list[int]:
    heard, columns = _attend(perception.attention, program)
    features = _features(perception.out_channels, offset)
    wide = program.buffer(perception.widen.out_features)
    shortcut, projection, narrow = perception.shortcut, perception.projection, perception.narrow
    program.conv(*program.split(shortcut.weight, shortcut.bias), to, offset=offset)
    program.conv(
        projection.weight,
        projection.bias,
        to,
        source=heard,
        columns=columns,
        offset=offset,
        add=True,
    )
    _norm(perception.norm, program, to, offset, LINEAR)
    program.conv(perception.widen.weight, perception.widen.bias, wide, source=to, columns=features)
    program.add("gelu", 0, to=wide, channels=perception.widen.out_features)
    program.conv(narrow.weight, narrow.bias, to, source=wide, offset=offset, add=True)
    _norm(perception.last_norm, program, to, offset, LEAKY_SLOPE)
    return features


@perceive.register
def _(perception: DeformablePerception, program: Program, to: int, offset: int) -> list[int]:
    weight = perception.conv.weight
    outputs, inputs, size, _ = weight.shape
    stride = program.buffers[STATE]
    where = program.buffer(3 * size**2)
    gathered = program.buffer(size**2 * stride)
    parts = (perception.offset.conv, perception.modulator.conv)
    kernel, bias = (torch.cat([getattr(p, name) for p in parts]) for name in ("weight", "bias"))
    program.conv(*program.split(kernel, bias), where)
    program.add("gather", 0, **{"from": STATE, "where": where, "to": gathered}, kernel=size)
    taps = weight.permute(0, 2, 3, 1).reshape(outputs, size**2 * inputs)
    columns = [t * stride + i for t in range(size**2) for i in range(inputs)]
    program.conv(taps, None, to, source=gathered, columns=columns, offset=offset, slope=LEAKY_SLOPE)
    return _features(perception.out_channels, offset)


@perceive.register
def _(perception: MultiPerception, program: Program, to: int, offset: int) -> list[int]:
    columns: list[int] = []
    for branch in perception.branches:
        columns += perceive(branch, program, to, offset)
        offset += feature_size(branch, program)
    return columns


def _attend(attention: NeighbourhoodAttention, program: Program) -> tuple[int, list[int]]:
    """Queries, keys, values, and what is heard: its buffer, and where the numbers are in it."""
    embedding = attention.qkv.out_features // 3
    heads, size = attention.heads, embedding // attention.heads
    room = padded(size)
    weight, bias = program.split(attention.qkv.weight, None)
    # Each head gets a whole number of vectors.
    place = [h * room + i for h in range(3 * heads) for i in range(size)]
    spread = weight.new_zeros(3 * heads * room, weight.shape[1])
    spread[place] = weight
    if bias is not None:
        wide = bias.new_zeros(len(bias), 3 * heads * room)
        wide[:, place] = bias
        bias = wide
    qkv, heard = program.buffer(3 * heads * room), program.buffer(heads * room)
    program.conv(spread, bias, qkv, near=attention.reach)
    program.add(
        "attend",
        0,
        **{"from": qkv, "to": heard},
        heads=heads,
        size=room,
        scale=size**-0.5,
        kernel=2 * attention.reach + 1,
        position=program.numbers(attention.position, "<f4"),
    )
    return heard, place[: heads * size]


def _norm(norm: nn.LayerNorm, program: Program, to: int, offset: int, slope: float) -> None:
    program.add(
        "norm",
        0,
        to=to,
        offset=offset,
        channels=norm.normalized_shape[0],
        eps=norm.eps,
        slope=slope,
        weight=program.numbers(norm.weight, "<f4"),
        bias=program.numbers(norm.bias, "<f4"),
    )
