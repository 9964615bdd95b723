"""A turned field of perception: the same rule, looking in another direction.

Niklasson et al. (2021) turn the two gradients that their automata see, and the texture turns with
them. A learned kernel has no gradients to turn, but it has rings: around its middle lie 8 taps,
around these 16, and so on, and each ring is shifted round like a dial. A quarter turn is exact: the
automaton then does to a turned state what it did to the state. In between, a tap is shared by the
two places that it lies between.
"""

from copy import deepcopy

import torch
from torch import Tensor, nn

from ncabook.automaton.known import check_unchanged
from ncabook.automaton.nca import NCA
from ncabook.automaton.perception import (
    ConvPerception,
    MultiPerception,
    ResidualPerception,
    SobelPerception,
)


def turned_kernel(kernel: Tensor, degrees: float) -> Tensor:
    """A kernel ``[..., k, k]``, k odd, whose rings are shifted clockwise."""
    size = kernel.shape[-1]
    flat, result = kernel.flatten(-2), kernel.flatten(-2).clone()
    for radius in range(1, size // 2 + 1):
        ring = _ring(size, radius)
        shift = degrees / 360 * len(ring)
        whole = int(shift // 1)
        values = flat[..., ring]
        result[..., ring] = torch.lerp(
            values.roll(whole, -1), values.roll(whole + 1, -1), shift - whole
        )
    return result.view_as(kernel)


def turned(nca: NCA, degrees: float) -> NCA:
    """A copy of an automaton, its field of perception turned clockwise by ``degrees``.

    Raises:
        TypeError: its perception has no kernels to turn, or is derived or changed.

    """
    check_unchanged(nca, "a turn")
    result = deepcopy(nca)
    _turn(result.perception, degrees)
    return result


def can_turn(perception: nn.Module) -> bool:
    """Whether all that a perception sees by is kernels."""
    if isinstance(perception, MultiPerception):
        return all(map(can_turn, perception.branches))
    return isinstance(perception, ConvPerception | ResidualPerception | SobelPerception)


def check_turn(perception: nn.Module) -> None:
    """Refuses a perception that cannot be turned."""
    if not can_turn(perception):
        raise TypeError(
            f"{type(perception).__name__} has no kernels to turn; expected convolutions or Sobel "
            "filters, or several of them"
        )


@torch.no_grad()
def _turn(perception: nn.Module, degrees: float) -> None:
    check_turn(perception)
    match perception:
        case MultiPerception():
            for branch in perception.branches:
                _turn(branch, degrees)
        case ResidualPerception():
            for part in (perception.first, perception.second):  # the shortcut sees one cell
                _turn(part, degrees)
        case SobelPerception():
            perception.bank.copy_(turned_kernel(perception.bank, degrees))
        case ConvPerception():
            perception.conv.weight.copy_(turned_kernel(perception.conv.weight, degrees))


def _ring(size: int, radius: int) -> list[int]:
    """The taps at a distance of ``radius``, clockwise from the upper left, in a flat kernel."""
    first, last = size // 2 - radius, size // 2 + radius
    side = range(first, last)
    cells = [(first, x) for x in side] + [(y, last) for y in side]
    cells += [(last, x) for x in range(last, first, -1)]
    cells += [(y, first) for y in range(last, first, -1)]
    return [y * size + x for y, x in cells]
