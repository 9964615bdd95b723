"""What there is to see in a figure: colours, what a decoder makes of latents, or votes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from ncabook.automaton import ChannelLayout
from ncabook.automaton.state import RGB, RGBA, check_tensor
from ncabook.live.labels import Label, class_labels
from ncabook.live.program import Program
from ncabook.networks import Decoder, LocalDecoder

MOST_PIXELS = 512  # along a side of a picture that a local decoder draws


@dataclass(frozen=True)
class Sight:
    """What cells show, and what it is compared with; arguments of ``describe``."""

    targets: Tensor | None
    decoder: Decoder | LocalDecoder | None
    votes: Sequence[str]
    beside: bool = False
    codes: Tensor | None = None

    def check(self, layout: ChannelLayout, classes: int, grid: tuple[int, int]) -> None:
        """Refuses channels that nobody could see, and targets that are not their pictures.

        Raises:
            TypeError: the targets or the codes are no tensor.
            ValueError: what is wrong with channels, decoder, codes or targets.

        """
        if self.decoder is None and layout.visible not in (RGB, RGBA) and not layout.classes:
            raise ValueError(
                f"this automaton has {layout.visible} visible channels; the figure shows RGB (3) "
                "or RGBA (4), what a decoder makes of latents, or votes"
            )
        if isinstance(self.decoder, LocalDecoder):
            self._check_local(self.decoder, layout, grid)
        elif self.decoder is not None and layout.visible != self.decoder.latent_channels:
            raise ValueError(
                f"this automaton has {layout.visible} visible channels, and the decoder reads "
                f"{self.decoder.latent_channels}"
            )
        self._check_latents(layout)
        if self.targets is None:
            return
        check_tensor("targets", self.targets)
        if self.decoder is not None:
            raise ValueError("targets are compared with cells; with a decoder, give none")
        if layout.visible == RGB:
            raise ValueError("targets are RGBA, and this automaton is RGB; give none")
        wanted = (max(1, classes), 4, *grid)
        if tuple(self.targets.shape) != wanted:
            raise ValueError(
                f"targets of shape {list(self.targets.shape)}; expected {list(wanted)}: one "
                "picture of the grid's size for each class"
            )

    def _check_local(
        self, decoder: LocalDecoder, layout: ChannelLayout, grid: tuple[int, int]
    ) -> None:
        if layout.channels != decoder.state_channels:
            raise ValueError(
                f"this automaton has {layout.channels} channels, and the decoder reads "
                f"{decoder.state_channels}"
            )
        if decoder.image_channels not in (RGB, RGBA):
            raise ValueError(
                f"a decoder to {decoder.image_channels} channels; the figure shows RGB (3) or "
                "RGBA (4)"
            )
        if max(grid) > MOST_PIXELS:
            raise ValueError(
                f"a grid of {grid[0]}×{grid[1]} cells for a picture of {MOST_PIXELS}×{MOST_PIXELS} "
                f"pixels at most; expected at most {MOST_PIXELS} cells on a side"
            )
        if self.codes is not None:
            raise ValueError("codes are of latents, and this decoder reads a state; give none")

    def _check_latents(self, layout: ChannelLayout) -> None:
        if not isinstance(self.beside, bool):
            raise ValueError(f"beside is {self.beside!r}; expected True or False")
        if self.decoder is None and (self.beside or self.codes is not None):
            given = "beside" if self.beside else "codes"
            raise ValueError(f"{given} is for latents, and there is no decoder; give one")
        if self.codes is None:
            return
        check_tensor("codes", self.codes)
        shape = list(self.codes.shape)
        if len(shape) != 2 or shape[0] < 1 or shape[1] != layout.visible:
            raise ValueError(
                f"codes of shape {shape}; expected [K, {layout.visible}], a code in each row"
            )

    def latents(self, program: Program) -> dict[str, Any]:
        """What a description has of latents that are shown; nothing if they are not."""
        codes = self.codes
        return {
            **({"beside": True} if self.beside else {}),
            **(
                {}
                if codes is None
                else {"codes": {"offset": program.numbers(codes, "<f2"), "count": len(codes)}}
            ),
        }

    def elected(self, layout: ChannelLayout) -> list[Label]:
        """The classes that cells vote for, one for each class channel."""
        return class_labels(layout.classes, self.votes, None, "votes", "state")

    def pictures(self, program: Program) -> dict[str, int] | None:
        """The part of the targets that is not empty in all, as bytes, and where it lies."""
        if self.targets is None:
            return None
        used = self.targets.abs().amax((0, 1)) > 0
        rows, columns = used.any(1).nonzero().flatten(), used.any(0).nonzero().flatten()
        top, left = (int(v.min()) if len(v) else 0 for v in (rows, columns))
        bottom, right = (int(v.max()) + 1 if len(v) else 1 for v in (rows, columns))
        part = self.targets[:, :, top:bottom, left:right].clamp(0, 1).permute(0, 2, 3, 1)
        return {
            "offset": program.numbers((255 * part).round(), "<u1"),
            "top": top,
            "left": left,
            "height": bottom - top,
            "width": right - left,
        }
