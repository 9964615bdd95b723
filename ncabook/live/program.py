"""An automaton's parts as the operations that the live engine runs.

Operations work on buffers of numbers per cell. Buffer 0 is the state; if the class is an input
like the state, its planes lie behind it. Buffers, and parts side by side in one, are a multiple
of four numbers long, padded with zeros, so that the engine loads whole vectors. Where an
operation's input has such gaps, its kernel has rows of zeros there: ``columns`` says where the
real numbers are.
"""

from functools import singledispatch
from typing import Any

import torch
from torch import Tensor, nn

from ncabook.automaton import (
    AttentionBlock,
    ConvPerception,
    DeformablePerception,
    LocalAttention,
    MLPUpdate,
    MultiPerception,
    Perception,
    ResidualPerception,
    ResNetUpdate,
    SobelPerception,
)
from ncabook.automaton.attention import NeighbourhoodAttention
from ncabook.automaton.known import check_unchanged
from ncabook.automaton.perception import LEAKY_SLOPE

LANES = 4
STATE = 0
LINEAR, RELU = 1.0, 0.0  # slopes
ENGINE = "the live engine"


def padded(count: int) -> int:
    """The next multiple of four."""
    return -(-count // LANES) * LANES


class Program:
    """Collects operations, their buffers, and all weights in one run of bytes.

    Args:
        channels: of the state.
        planes: of the class, behind the state; 0 if the class only shifts biases.

    """

    def __init__(self, channels: int, planes: int) -> None:
        self.channels = channels
        self.planes = planes
        self.buffers = [padded(channels + planes)]
        self.ops: list[dict[str, Any]] = []
        self.rule = 0  # which of several rules the operations to come belong to
        self.bytes = bytearray()

    def buffer(self, size: int) -> int:
        """A new buffer of at least ``size`` numbers per cell."""
        self.buffers.append(padded(size))
        return len(self.buffers) - 1

    def numbers(self, values: Tensor, dtype: str) -> int:
        """Appends ``values`` in row-major order, and returns their offset."""
        values = values.detach().float().cpu().contiguous()
        self.bytes.extend(bytes(-len(self.bytes) % 4))  # every array begins at a multiple of 4
        offset = len(self.bytes)
        self.bytes.extend(values.numpy().astype(dtype).tobytes())
        return offset

    def add(self, kind: str, near: int, **fields: Any) -> None:
        """Appends an operation, for the cells that change and those within ``near`` of them."""
        of = {"rule": self.rule} if self.rule else {}
        self.ops.append({"kind": kind, "near": near, **of, **fields})

    def conv(
        self,
        kernel: Tensor,
        bias: Tensor | None,
        to: int,
        *,
        source: int = STATE,
        columns: list[int] | None = None,
        offset: int = 0,
        dilation: int = 1,
        slope: float = LINEAR,
        add: bool = False,
        near: int = 0,
    ) -> None:
        """A convolution ``[out, in, k, k]`` or linear map ``[out, in]``, from buffer to buffer.

        ``bias`` is ``[out]``, or ``[classes, out]``; ``add`` adds to what is there already.
        """
        if kernel.ndim == 2:
            kernel = kernel[:, :, None, None]
        if columns is not None:
            spread = kernel.new_zeros(kernel.shape[0], max(columns) + 1, *kernel.shape[2:])
            spread[:, columns] = kernel
            kernel = spread
        outputs, inputs, size, _ = kernel.shape
        bias = torch.zeros(outputs) if bias is None else bias
        self.add(
            "conv",
            near,
            **{"from": source, "in": inputs, "to": to, "offset": offset, "out": outputs},
            kernel=size,
            dilation=dilation,
            slope=slope,
            add=add,
            # The engine wants kernels as [ky, kx, in, out].
            weight=self.numbers(kernel.permute(2, 3, 1, 0), "<f2"),
            bias=self.numbers(bias, "<f4"),
            bias_rows=bias.shape[0] if bias.ndim == 2 else 1,
        )

    def split(self, weight: Tensor, bias: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """A kernel over state and class, as one over what buffer 0 holds, with its bias.

        The class is the same in every cell of the torus: without planes, all that it adds is a
        bias for each class.
        """
        if self.planes or weight.shape[1] == self.channels:
            return weight, bias
        condition = weight[:, self.channels :]
        if condition.ndim == 4:
            condition = condition.sum((2, 3))
        rows = condition.T if bias is None else bias + condition.T
        return weight[:, : self.channels], rows


def needs_planes(perception: Perception) -> bool:
    """Whether the class has to be an input like the state, since it cannot become a bias."""
    return any(
        isinstance(branch, SobelPerception | DeformablePerception) and branch.condition_channels > 0
        for branch in perception.branches
    )


def compile_parts(perception: Perception, update: nn.Module, program: Program, fixed: int) -> None:
    """Appends the operations of a perception and an update; the last writes the change.

    Raises:
        TypeError: the engine does not know a part, or it is derived or changed.

    """
    for part in (perception, update):
        check_unchanged(part, ENGINE)
    features = program.buffer(feature_size(perception, program))
    columns = perceive(perception, program, features, 0)
    change = program.buffer(program.channels)
    advance(update, program, features, columns, change, fixed)


def feature_size(perception: Perception, program: Program) -> int:
    """Numbers per cell that :func:`perceive` writes, gaps included."""
    if isinstance(perception, MultiPerception):
        return sum(feature_size(branch, program) for branch in perception.branches)
    if isinstance(perception, SobelPerception):
        return len(perception.bank) * program.buffers[STATE]
    return padded(perception.out_channels)


@singledispatch
def perceive(perception: nn.Module, program: Program, to: int, offset: int) -> list[int]:
    """Appends a perception's operations; returns where in ``to`` its features are, in order."""
    raise TypeError(f"{ENGINE} does not know {type(perception).__name__}")


def _features(perception: Perception, offset: int) -> list[int]:
    return list(range(offset, offset + perception.out_channels))


@perceive.register
def _(perception: ConvPerception, program: Program, to: int, offset: int) -> list[int]:
    kernel, bias = program.split(perception.conv.weight, perception.conv.bias)
    program.conv(kernel, bias, to, offset=offset, dilation=perception.dilation, slope=LEAKY_SLOPE)
    return _features(perception, offset)


@perceive.register
def _(perception: SobelPerception, program: Program, to: int, offset: int) -> list[int]:
    filters, stride = len(perception.bank), program.buffers[STATE]
    program.add(
        "bank",
        0,
        **{"from": STATE, "to": to, "offset": offset},
        filters=filters,
        weight=program.numbers(perception.bank, "<f4"),
    )
    inputs = perception.state_channels + perception.condition_channels
    return [offset + f * stride + i for f in range(filters) for i in range(inputs)]


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
    return _features(perception, offset)


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
    return _features(perception, offset)


@perceive.register
def _(perception: AttentionBlock, program: Program, to: int, offset: int) -> list[int]:
    heard, columns = _attend(perception.attention, program)
    features = _features(perception, offset)
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
    return _features(perception, offset)


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


@singledispatch
def advance(
    update: nn.Module, program: Program, source: int, columns: list[int], change: int, fixed: int
) -> None:
    """Appends an update's operations, from features to the change; fixed channels get zeros."""
    raise TypeError(f"{ENGINE} does not know {type(update).__name__}")


def _last(linear: nn.Linear, fixed: int) -> tuple[Tensor, Tensor]:
    weight, bias = linear.weight, linear.bias
    return (
        torch.cat([weight.new_zeros(fixed, weight.shape[1]), weight]),
        torch.cat([weight.new_zeros(fixed), bias]),
    )


@advance.register
def _(
    update: MLPUpdate, program: Program, source: int, columns: list[int], change: int, fixed: int
) -> None:
    *inner, last = update.layers
    place: list[int] | None = columns
    for linear in inner:
        to = program.buffer(linear.out_features)
        program.conv(
            linear.weight, linear.bias, to, source=source, columns=place, slope=LEAKY_SLOPE
        )
        source, place = to, None
    program.conv(*_last(last, fixed), change, source=source, columns=place)


@advance.register
def _(
    update: ResNetUpdate, program: Program, source: int, columns: list[int], change: int, fixed: int
) -> None:
    hidden = update.first.out_features
    stream, inner = program.buffer(hidden), program.buffer(hidden)
    program.conv(update.first.weight, update.first.bias, stream, source=source, columns=columns)
    for first, second in update.blocks:
        program.conv(first.weight, first.bias, inner, source=stream, slope=LEAKY_SLOPE)
        program.conv(second.weight, second.bias, stream, source=inner, slope=LEAKY_SLOPE, add=True)
    program.conv(*_last(update.last, fixed), change, source=stream)
