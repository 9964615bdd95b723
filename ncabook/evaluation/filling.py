"""An automaton that fills holes, together with what it lives in: pictures in, pictures out."""

from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from ncabook.automaton import NCA
from ncabook.automaton.precision import autocast
from ncabook.networks import VQVAE
from ncabook.training.holed import (
    SHARE,
    Known,
    check_known,
    drawn_noise,
    filled,
    known_of,
    opened,
    start,
)


@dataclass(frozen=True)
class Filling:
    """An automaton that fills holes, and what it lives in.

    Attributes:
        nca: the automaton.
        vqvae: encoder and decoder.
        known: where what is known stands.
        noise: fixed channels that hold noise.

    """

    nca: NCA
    vqvae: VQVAE
    known: Known
    noise: int = 0

    def __post_init__(self) -> None:
        check_known(self.nca, self.vqvae, self.known, self.noise)

    def begin(self, images: Tensor, missing: Tensor, seed: int = 0) -> tuple[Tensor, Tensor]:
        """States and what is known, of pictures ``[N, C, h, w]`` with holes ``[N, 1, h, w]``.

        The noise, if any, follows from ``seed``.

        Raises:
            ValueError: other channels, sizes or numbers than expected; a mask that is empty, or
                covers all.

        """
        map_ = known_of(self.vqvae, images, missing)
        dice = torch.Generator().manual_seed(seed)
        noise = drawn_noise(map_, self.noise, dice) if self.noise else None
        return start(self.nca.layout, map_, noise), map_

    @torch.no_grad()
    def go_on(self, state: Tensor, map_: Tensor, steps: int, **how: Any) -> Tensor:
        """States ``[N, C, H, W]`` some steps later; ``how`` as in :meth:`NCA.rollout`."""
        told = map_ if self.known == "condition" else None
        with autocast(state.device, "bfloat16"):
            return self.nca.rollout(state, steps, told, **how)

    @torch.no_grad()
    def show(self, state: Tensor, snapped: bool = False, batch: int = 25) -> Tensor:
        """Pictures ``[N, C, h, w]`` in [0, 1]; ``snapped`` to codes, if asked."""
        return self.show_latents(filled(self.nca.layout, state.float(), self.known), snapped, batch)

    @torch.no_grad()
    def show_latents(self, latents: Tensor, snapped: bool = False, batch: int = 25) -> Tensor:
        """The same of latents ``[N, D, H, W]``."""
        parts = [self.vqvae.pictures(part, snapped) for part in latents.split(batch)]
        return torch.cat(parts).clamp(0, 1)

    def fill(
        self, images: Tensor, missing: Tensor, steps: int, generator: torch.Generator
    ) -> Tensor:
        """Pictures ``[N, C, h, w]`` whose holes are filled in so many steps, unpasted."""
        state, map_ = self.begin(images, missing)
        return self.show(self.go_on(state, map_, steps, generator=generator))

    def learn(self, state: Tensor, map_: Tensor, where: Tensor) -> Tensor:
        """States ``[N, C, H, W]`` that are told of cells what they are, and show it.

        Args:
            state: ``[N, C, H, W]``.
            map_: what is known now, ``[N, D + 1, H, W]``.
            where: it is news, ``[N, 1, H, W]``.

        """
        layout, state = self.nca.layout, state.clone()
        if self.known != "condition":
            state[:, : map_.shape[1]] = map_
        visible = state[:, layout.visible_slice]
        state[:, layout.visible_slice] = torch.where(where, map_[:, :-SHARE].to(state), visible)
        return state

    def open(
        self, state: Tensor, images: Tensor, missing: Tensor, gone: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Old states with another hole, and what is known now.

        Args:
            state: ``[N, C, H, W]``.
            images: ``[N, C, h, w]``.
            missing: all that is not known, ``[N, 1, h, w]``.
            gone: what is missing of late, ``[N, 1, h, w]``: there states begin anew.

        """
        begun, map_ = self.begin(images, missing)
        share = F.avg_pool2d(gone, self.vqvae.decoder.scale)
        return opened(self.nca.layout, state, begun, share), map_
