"""Colouring drawings in latents: two encoders, and an automaton between them (§3.1.4, Fig. 9b).

The drawing's latents lie in fixed channels, the picture's in the visible ones. All cells begin as
white paper, encoded.
"""

import torch
from torch import Tensor

from ncabook.automaton import NCA, empty_state
from ncabook.data.pairs import Pairs
from ncabook.networks import VQVAE
from ncabook.training.latent import LatentConfig, LatentLearner, encoded
from ncabook.training.pairs import random_pairs, shown
from ncabook.training.pool import Sample
from ncabook.training.tracking import Tracking


class LatentPairsLearner(LatentLearner):
    """Trains an automaton to colour drawings in latents.

    Args:
        nca: trained in place; its fixed channels are those of a drawing's latent.
        pictures: the autoencoder of photographs; both stay as they are.
        drawings: the autoencoder of drawings.
        pairs: drawings and photographs, all of one size.
        config: the ``training`` part of an experiment.
        seed: everything random follows from it.
        device: where to train.
        tracker: where the curves go; None draws none.

    Raises:
        ValueError: channels that do not fit.

    """

    def __init__(
        self,
        nca: NCA,
        pictures: VQVAE,
        drawings: VQVAE,
        pairs: Pairs,
        config: LatentConfig,
        seed: int,
        device: str = "cpu",
        tracker: Tracking | None = None,
    ) -> None:
        check_drawings(nca, drawings)
        wanted, seen = both_ways(pictures, pairs.pictures), both_ways(drawings, pairs.ink)
        grid, reach = (wanted.shape[3], wanted.shape[4]), float(wanted[:, 0].abs().max())
        super().__init__(nca, pictures, grid, reach, config, seed, device, tracker)
        self.wanted, self.seen = wanted.to(self.device), seen.to(self.device)
        self.pairs = pairs.to(self.device)

    def fresh(self, count: int) -> Sample:
        """White paper under drawings at random, half of them mirrored."""
        which = random_pairs(count, len(self.pairs), mirror=True, generator=self.generator)
        seen = self.seen[which["pair"], which["mirrored"].long()]
        return {"state": latent_paper(self.nca, self.vqvae, seen), **which}

    def mutate(self, old: Sample, fresh: Sample) -> Sample:
        """Another drawing under what was there, and so another target."""
        fixed = self.nca.layout.fixed
        state = torch.cat([fresh["state"][:, :fixed], old["state"][:, fixed:]], dim=1)
        return {**fresh, "state": state}

    def condition(self, sample: Sample) -> None:
        """None: the drawing says it all."""

    def latents(self, sample: Sample) -> Tensor:
        """The photographs', encoded, not quantised."""
        return self.wanted[sample["pair"], sample["mirrored"].long()]

    def pictures(self, sample: Sample) -> Tensor:
        """The photographs."""
        return shown(self.pairs.pictures, sample)


def both_ways(vqvae: VQVAE, images: Tensor) -> Tensor:
    """Normal latents of images ``[N, C, h, w]`` and of their mirror images, ``[N, 2, D, H, W]``.

    An encoder need not turn over what it makes of a picture when the picture is turned over.
    """
    return torch.stack([encoded(vqvae, x) for x in (images, images.flip(3))], 1)


def check_drawings(nca: NCA, drawings: VQVAE) -> None:
    """Whether an automaton reads a drawing's latents; a ValueError if it has other channels."""
    channels = drawings.decoder.latent_channels
    if nca.layout.fixed != channels:
        raise ValueError(
            f"{nca.layout}; expected {channels} fixed channels, as many as a drawing's latent has"
        )


@torch.no_grad()
def latent_paper(nca: NCA, pictures: VQVAE, seen: Tensor) -> Tensor:
    """White paper, encoded, with the latents of drawings ``[B, fixed, H, W]`` below it."""
    layout, scale = nca.layout, pictures.decoder.scale
    height, width = seen.shape[2:]
    state = empty_state(layout, height, width, len(seen), str(seen.device))
    paper = torch.ones(1, 3, scale * height, scale * width, device=seen.device)
    state[:, : layout.fixed] = seen
    state[:, layout.visible_slice] = pictures.normal(paper)
    return state
