"""Every update as operations of the live engine: from features to the change of the state."""

from collections.abc import Iterable
from functools import singledispatch
from typing import cast

import torch
from torch import Tensor, nn

from ncabook.automaton import MLPUpdate, ResNetUpdate
from ncabook.automaton.perception import LEAKY_SLOPE
from ncabook.live.program import ENGINE, Program


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
    *inner, last = cast(Iterable[nn.Linear], update.layers)
    place: list[int] | None = columns
    for linear in inner:
        to = program.buffer(linear.out_features)
        program.conv(
            linear.weight, linear.bias, to, source=source, columns=place, slope=update.slope
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
    for first, second in cast(Iterable[tuple[nn.Linear, nn.Linear]], update.blocks):
        program.conv(first.weight, first.bias, inner, source=stream, slope=LEAKY_SLOPE)
        program.conv(second.weight, second.bias, stream, source=inner, slope=LEAKY_SLOPE, add=True)
    program.conv(*_last(update.last, fixed), change, source=stream)
