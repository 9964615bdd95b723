"""A critic in a figure: what it says of each place of the picture, while the picture changes."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, cast

import torch
from torch import Tensor, nn

from ncabook.automaton import ChannelLayout
from ncabook.automaton.known import check_unchanged
from ncabook.live.program import ENGINE, LINEAR, Program
from ncabook.live.stepping import check_range
from ncabook.networks import PatchCritic
from ncabook.networks.critic import SLOPE

AWAY = 2.0  # standard deviations from the centre that have the strongest colour


@dataclass(frozen=True)
class Opinion:
    """A critic, and what of its scores is low and high: they have no zero of their own.

    Attributes:
        critic: of the visible channels, beside the fixed ones.
        centre: the score that is shown as neither real nor made.
        spread: how far from it a score is shown in full colour.

    """

    critic: PatchCritic
    centre: float
    spread: float

    def __post_init__(self) -> None:
        if not isinstance(self.critic, PatchCritic):
            raise TypeError(
                f"an opinion of a {type(self.critic).__name__}; expected a PatchCritic, such as "
                "ncabook.zoo.load_critic gives"
            )
        for name in ("centre", "spread"):
            value = getattr(self, name)
            if not isinstance(value, float) or not math.isfinite(value):
                raise ValueError(f"the opinion's {name} is {value!r}; expected a finite float")
        if self.spread <= 0:
            raise ValueError(f"the opinion's spread is {self.spread}; expected a number > 0")

    @classmethod
    @torch.no_grad()
    def of(
        cls, critic: PatchCritic, real: Tensor, made: Tensor, context: Tensor | None = None
    ) -> "Opinion":
        """On the scale of its scores for some pictures.

        Args:
            critic: whose opinion.
            real: pictures, ``[B, C, H, W]``.
            made: as many.
            context: what belongs to them, ``[B, D, H, W]``.

        Raises:
            ValueError: shapes differ, or values are far outside [0, 1].

        """
        alike = real.shape == made.shape and real.ndim == 4 and len(real) > 0
        if not alike or (context is not None and len(context) != len(real)):
            told = "" if context is None else f", context {list(context.shape)}"
            raise ValueError(
                f"pictures of {list(real.shape)} and {list(made.shape)}{told}; expected as many of "
                "one size, [B, C, H, W]"
            )
        low, high = (float(value) for value in torch.stack([real, made]).aminmax())
        if not (low >= -1 and high <= 2):
            raise ValueError(f"pictures with values from {low:g} to {high:g}; expected [0, 1]")
        scores = torch.stack([critic(pictures, context) for pictures in (real, made)])
        return cls(critic, float(scores.mean()), AWAY * float(scores.std()))

    def check(self, layout: ChannelLayout, decoded: bool, sizes: Sequence[tuple[int, int]]) -> None:
        """Refuses what nobody could have this opinion of.

        Args:
            layout: of the automaton.
            decoded: whether a decoder makes its picture.
            sizes: of the grids.

        Raises:
            TypeError: the engine does not know the critic: it is derived or changed.
            ValueError: it judges something else than this automaton's channels, or needs a larger
                grid.

        """
        check_unchanged(self.critic, ENGINE)
        check_range(self.critic)
        if decoded or layout.classes:
            raise ValueError("an opinion is of cells that show colours; leave it out")
        told, wanted = self._convolutions[0].in_channels, layout.visible + layout.fixed
        if told != wanted or self.critic.context != layout.fixed:
            raise ValueError(
                f"a critic of {told} channels, {self.critic.context} of them context; expected "
                f"{wanted} and {layout.fixed}, the visible and the fixed channels"
            )
        least = 2 ** (len(self._convolutions) - 1)
        for height, width in sizes:
            if min(height, width) < least:
                raise ValueError(
                    f"a grid of {height}×{width} cells; expected at least {least}×{least} for this "
                    "critic"
                )

    @property
    def _convolutions(self) -> list[nn.Conv2d]:
        return [part for part in self.critic.layers if isinstance(part, nn.Conv2d)]

    def described(self, program: Program) -> dict[str, Any]:
        """The description's part; appends the critic's numbers to those of ``program``."""
        convolutions = self._convolutions
        slopes = [SLOPE for _ in pairwise(convolutions)] + [LINEAR]
        layers = [
            {
                "in": layer.in_channels,
                "out": layer.out_channels,
                "kernel": layer.kernel_size[0],
                "stride": layer.stride[0],
                "padding": layer.padding[0],
                "slope": slope,
                "weight": program.numbers(layer.weight, "<f2"),
                "bias": program.numbers(cast(Tensor, layer.bias), "<f4"),
            }
            for layer, slope in zip(convolutions, slopes, strict=True)
        ]
        return {"layers": layers, "centre": self.centre, "spread": self.spread}
