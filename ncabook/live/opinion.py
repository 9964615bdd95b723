"""A critic in a figure: what it says of each place of the picture, while the picture changes."""

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

        """
        scores = torch.stack([critic(pictures, context) for pictures in (real, made)])
        return cls(critic, float(scores.mean()), AWAY * float(scores.std()))

    def described(self, layout: ChannelLayout, program: Program) -> dict[str, Any]:
        """The description's part; appends the critic's numbers to those of ``program``.

        Raises:
            TypeError: the engine does not know the critic: it is derived or changed.
            ValueError: it judges something else than this automaton's channels, or a number cannot
                be used.

        """
        check_unchanged(self.critic, ENGINE)
        check_range(self.critic)
        convolutions = [part for part in self.critic.layers if isinstance(part, nn.Conv2d)]
        told, wanted = convolutions[0].in_channels, layout.visible + layout.fixed
        if told != wanted or self.critic.context != layout.fixed:
            raise ValueError(
                f"a critic of {told} channels, {self.critic.context} of them context; expected "
                f"{wanted} and {layout.fixed}, the visible and the fixed channels"
            )
        if not self.spread > 0:
            raise ValueError(f"the opinion's spread is {self.spread}; expected a number > 0")
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
