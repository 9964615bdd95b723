"""What the parts of an automaton tell of themselves, for those who check types.

PyTorch's modules say of each of their attributes that it may be a tensor or a module.
"""

from typing import Any, Protocol, cast

from torch import Tensor

from ncabook.automaton import NCA


class Perception(Protocol):
    """Any perception of the package."""

    state_channels: int
    condition_channels: int
    out_channels: int
    reach: int

    def encode(self, condition: Tensor | None) -> Any:
        """The condition as the perception takes it in every step."""


def perception_of(nca: NCA) -> Perception:
    """The perception of ``nca``."""
    return cast(Perception, nca.perception)
