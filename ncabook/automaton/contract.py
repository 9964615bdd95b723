"""What an automaton asks of its two parts: a perception ``P(s, c)`` and an update ``U``.

A new kind of either derives from the class here. That is one file: :class:`~ncabook.automaton.NCA`
runs, trains, saves and loads it, on PyTorch's own kernels. Faster steps, the page's engine and the
counts know the kinds of this package only, and leave others alone or refuse them by name.
"""

from collections.abc import Iterable, Sequence
from typing import Any, TypeVar, cast

from torch import Tensor, nn

Part = TypeVar("Part", bound=nn.Module)


def module_list(parts: Iterable[Part]) -> Sequence[Part]:
    """An ``nn.ModuleList``; PyTorch's own type does not say what is in it."""
    return cast(Sequence[Part], nn.ModuleList(parts))


def check_condition(condition: Tensor | None, channels: int) -> Tensor | None:
    """Refuses a condition that does not fit a perception built for ``channels`` of them."""
    if (condition is None) != (channels == 0) or (
        condition is not None and (condition.ndim not in (2, 4) or condition.shape[1] != channels)
    ):
        given = "none" if condition is None else f"one of shape {list(condition.shape)}"
        wanted = f"[batch, {channels}] or [batch, {channels}, height, width]"
        raise ValueError(f"condition: given {given}, expected {wanted if channels else 'none'}")
    if condition is not None and not condition.is_floating_point():
        raise ValueError(f"condition is {condition.dtype}; expected a float tensor: add .float()")
    return condition


def check_sizes(**sizes: int) -> None:
    """Refuses counts that are no whole numbers from one on; some may be 0."""
    for name, size in sizes.items():
        least = 0 if name in ("condition_channels", "reach") else 1
        if not isinstance(size, int) or size < least:
            raise ValueError(f"{name} is {size!r}; expected a whole number ≥ {least}")


class Perception(nn.Module):
    """What a cell sees.

    Every perception is used in two calls. ``encode(condition)`` does, once per rollout, all the
    work that depends on the condition alone; ``forward(state, encoded)`` does the rest at every
    step. Most perceptions are linear in their input before the activation, and the condition does
    not change during a rollout, so splitting it off is exact and saves its share of every step.

    A derived class writes ``forward``, and ``encode`` if there is work that can be done once.

    Args:
        state_channels: channels of the state.
        out_channels: features per cell.
        reach: how many cells away a cell sees; the grid has to be as large.
        condition_channels: channels of the condition, 0 for none.

    Shapes:
        state ``[B, state_channels, H, W]`` → features ``[B, out_channels, H, W]``; a condition is
        a vector per sample, ``[B, condition_channels]``, or a map, ``[B, condition_channels, H,
        W]``.

    """

    def __init__(
        self,
        state_channels: int,
        out_channels: int,
        *,
        reach: int,
        condition_channels: int = 0,
    ) -> None:
        super().__init__()
        check_sizes(
            state_channels=state_channels,
            out_channels=out_channels,
            reach=reach,
            condition_channels=condition_channels,
        )
        self.state_channels = state_channels
        self.condition_channels = condition_channels
        self.out_channels = out_channels
        self.reach = reach

    @property
    def branches(self) -> Sequence["Perception"]:
        """The perceptions side by side in this one, whose features follow each other: itself."""
        return (self,)

    def shares(self, encoded: Any) -> Sequence[Any]:
        """What :meth:`encode` returned, branch by branch."""
        return (encoded,)

    def encode(self, condition: Tensor | None) -> Any:
        """What ``forward`` is given at every step of a rollout: here the condition as it is.

        Raises:
            ValueError: the condition is not what this perception was built for.

        """
        return check_condition(condition, self.condition_channels)

    def forward(self, state: Tensor, encoded: Any = None) -> Tensor:
        """Features of every cell; ``encoded`` is what :meth:`encode` returned."""
        raise NotImplementedError(f"{type(self).__name__} has no forward(state, encoded)")


class Update(nn.Module):
    """What a cell makes of its features. A derived class writes ``forward``.

    Args:
        in_channels: features per cell.
        out_channels: channels of the state that are changed, all that are not fixed.

    Shapes:
        features ``[B, in_channels, H, W]`` → change ``[B, out_channels, H, W]``.

    """

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        check_sizes(in_channels=in_channels, out_channels=out_channels)
        self.in_channels = in_channels
        self.out_channels = out_channels

    def forward(self, features: Tensor) -> Tensor:
        """The change of every cell's state, before any mask."""
        raise NotImplementedError(f"{type(self).__name__} has no forward(features)")


def check_part(name: str, part: Any, kind: type[nn.Module]) -> None:
    """Refuses what does not derive from ``kind``, :class:`Perception` or :class:`Update`.

    Raises:
        TypeError: says what was given, and how it becomes one.

    """
    if not isinstance(part, kind):
        raise TypeError(
            f"the {name} is of type {type(part).__name__}; expected a module derived from "
            f"ncabook.automaton.{kind.__name__}"
        )
