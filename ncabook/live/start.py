"""What a figure begins with: a seed cell or a state, and what lies under it or tells the cells."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ncabook.automaton import ChannelLayout
from ncabook.automaton.state import RGB, check_tensor
from ncabook.live.program import Program

HALF_MAX = 65504.0

Start = Tensor | list[Tensor] | tuple[Tensor, ...] | None


def start_of(start: Start, class_index: int) -> Tensor | None:
    """The state to begin with where a class is chosen; None for a seed cell."""
    return start if start is None or isinstance(start, Tensor) else start[class_index]


@dataclass(frozen=True)
class Beginning:
    """One state, one for each class or input, or seed cells; arguments of ``describe``."""

    start: Start
    inputs: Mapping[str, Tensor] | None
    condition: Tensor | None
    ring: bool
    seeds: Mapping[str, Tensor] | None = None
    free: Tensor | None = None
    erased: Tensor | None = None

    def check_map(self, told: int, classes: int, grid: tuple[int, int]) -> None:
        """Refuses a map of the condition that does not fit.

        Args:
            told: channels of the automaton's condition.
            classes: how many labels of classes were given.
            grid: height and width.

        Raises:
            TypeError: the map is no tensor.
            ValueError: its shape is wrong, or there are classes beside it.

        """
        if self.condition is None:
            return
        check_tensor("condition", self.condition)
        wanted = (told, *grid)
        if not told or tuple(self.condition.shape) != wanted or classes:
            raise ValueError(
                f"condition of shape {list(self.condition.shape)}, {classes} classes; expected "
                f"{list(wanted)} and no classes"
            )

    def check(self, layout: ChannelLayout, classes: int, grid: tuple[int, int]) -> None:
        """Refuses inputs and states that do not fit, and a ring where no seed is.

        Args:
            layout: of the automaton.
            classes: how many there are, inputs among them.
            grid: height and width.

        Raises:
            TypeError: one of them is no tensor.
            ValueError: a shape or a value is wrong, or there is not one state for each class.

        """
        for name, image in (self.inputs or {}).items():
            _check_input(name, image, (layout.fixed, *grid))
        listed = isinstance(self.start, list | tuple)
        states = self._states()
        if listed and len(states) != max(1, classes):
            raise ValueError(
                f"start is a list of {len(states)}; expected {max(1, classes)}, one for each "
                "class or input, or one state for all"
            )
        for i, state in enumerate(states):
            name = f"start[{i}]" if listed else "start"
            _check_state(name, state, (1, layout.channels, *grid))
        if self.seeds is not None:
            self._check_seeds(layout)
        if self.free is not None:
            if self.seeds is None:
                raise ValueError("free is a seed beside those of classes; give seeds, too")
            _check_state("free seed", self.free, (layout.channels - layout.fixed,))
        if self.erased is not None:
            if not layout.fixed:
                raise ValueError("erased is for fixed channels, and this automaton has none")
            _check_state("erased", self.erased, (layout.fixed,))
        if self.ring and (self.start is not None or not layout.visible):
            raise ValueError("ring is for seeds, and this automaton begins with none; leave it out")

    def _check_seeds(self, layout: ChannelLayout) -> None:
        """Refuses seeds that do not fit, and a start or inputs beside them."""
        if not self.seeds or self.start is not None or self.inputs or not layout.visible:
            raise ValueError(
                "seeds are for automata that grow from one cell, at least one seed, and neither "
                "start nor inputs"
            )
        for name, seed in self.seeds.items():
            _check_state(f"seed {name!r}", seed, (layout.channels - layout.fixed,))

    def colours(self, named: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """The classes' labels, with the colours of their seeds where these say which it is."""
        if self.seeds is None:
            return named
        seeds = self.seeds.values()
        shown = [[round(float(x), 4) for x in seed[:RGB].clamp(0, 1)] for seed in seeds]
        return [label | {"color": color} for label, color in zip(named, shown, strict=True)]

    def alike(self) -> bool:
        """Whether there is one state, the same in all of its cells."""
        start = self.start
        return isinstance(start, Tensor) and bool((start == start[..., :1, :1]).all())

    def described(self, program: Program) -> dict[str, Any]:
        """An offset of states, or, if all cells are alike, one's numbers; and what is erased."""
        erased = {} if self.erased is None else {"erased": [float(x) for x in self.erased]}
        return {**self._begun(program), **erased}

    def _begun(self, program: Program) -> dict[str, Any]:
        if self.start is None:
            seeds = [[float(x) for x in seed] for seed in (self.seeds or {}).values()]
            free = {} if self.free is None else {"free": [float(x) for x in self.free]}
            return {"start": None, **({"seeds": seeds} if seeds else {}), **free}
        if self.alike():
            return {"start": None, "fill": self._states()[0][0, :, 0, 0].tolist()}
        states = torch.cat([one.float() for one in self._states()]).permute(0, 2, 3, 1)
        return {
            "start": program.numbers(states, "<f2"),
            **({"starts": len(states)} if len(states) > 1 else {}),
        }

    def map_at(self, program: Program) -> int | None:
        """Where the condition's map lies, ``[row, column, channel]``."""
        if self.condition is None:
            return None
        return program.numbers(self.condition.permute(1, 2, 0), "<f2")

    def inputs_at(self, program: Program) -> int | None:
        """Where the inputs lie, ``[input, row, column, channel]``, as bytes."""
        if not self.inputs:
            return None
        images = torch.stack([image.float() for image in self.inputs.values()])
        return program.numbers((255 * images.permute(0, 2, 3, 1)).round(), "<u1")

    def _states(self) -> list[Tensor]:
        if self.start is None:
            return []
        return list(self.start) if isinstance(self.start, list | tuple) else [self.start]


def _check_input(name: str, image: Tensor, shape: tuple[int, ...]) -> None:
    check_tensor(f"the input {name!r}", image)
    if tuple(image.shape) != shape or not bool(((image >= 0) & (image <= 1)).all()):
        low, high = (float(value) for value in image.aminmax())
        raise ValueError(
            f"the input {name!r} has shape {list(image.shape)} and values from {low:g} to "
            f"{high:g}; expected {list(shape)} in [0, 1]"
        )


def _check_state(name: str, state: Tensor, shape: tuple[int, ...]) -> None:
    check_tensor(name, state)
    if not bool((state.abs() <= HALF_MAX).all()):  # nor is NaN
        raise ValueError(f"the {name} has numbers beyond ±{HALF_MAX}, or none at all (NaN)")
    if tuple(state.shape) != shape:
        raise ValueError(f"{name} of shape {list(state.shape)}; expected {list(shape)}")
