"""A VQ-VAE (van den Oord et al. 2017): images to a small grid of vectors, and back."""

import copy
from itertools import pairwise
from typing import NamedTuple, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ncabook.networks.blocks import Doubling, Halving, Wrapped, widths
from ncabook.networks.counted import Counted

COMMITMENT = 0.25  # β of van den Oord et al.
LEAST_SPREAD = 1e-6  # of a channel that says nothing


class Decoder(nn.Module):
    """From latents to images.

    Args:
        latent_channels: of a latent.
        image_channels: 3 for RGB, 4 for premultiplied RGBA.
        base: width at full size; it is twice that at half the size, and so on.
        stages: how often the size doubles.

    Shapes:
        ``[B, latent_channels, H, W]`` → ``[B, image_channels, 2ˢ H, 2ˢ W]``, s = ``stages``.

    """

    def __init__(
        self, latent_channels: int, image_channels: int = 3, base: int = 64, stages: int = 3
    ) -> None:
        super().__init__()
        sizes = widths(base, stages)[::-1]
        self.latent_channels = latent_channels
        self.image_channels = image_channels
        self.first = Wrapped(latent_channels, sizes[0])
        self.stages = nn.ModuleList(Doubling(a, b) for a, b in pairwise(sizes))
        self.last = Wrapped(base, image_channels)

    @property
    def scale(self) -> int:
        """Pixels along a latent's side."""
        return 2 ** len(self.stages)

    def forward(self, latent: Tensor) -> Tensor:
        """The images."""
        x = self.first(latent)
        for stage in self.stages:
            x = stage(x)
        return self.last(x)


class Quantised(NamedTuple):
    """What became of latents.

    Attributes:
        encoded: what was quantised, ``[B, C, H, W]``.
        latent: the nearest codes ``[B, C, H, W]``; their gradient goes on to what was quantised.
        codes: which they are, int64 ``[B, H, W]``.
        loss: of the codebook and, times β, of commitment (van den Oord et al. 2017, eq. 3).

    """

    encoded: Tensor
    latent: Tensor
    codes: Tensor
    loss: Tensor


class VQVAE(Counted):
    """Encoder, codebook and decoder.

    Args:
        image_channels: 3 for RGB, 4 for premultiplied RGBA.
        latent_channels: of a latent and of a code.
        codes: how many there are.
        base: width at full size.
        stages: how often the size is halved.

    Attributes:
        latent_mean: of each channel, over what it was trained with; an automaton may begin there.
        latent_spread: its standard deviation.

    Shapes:
        images ``[B, image_channels, H, W]``, sides divisible by ``2 ** stages``.

    """

    def __init__(
        self,
        image_channels: int = 3,
        latent_channels: int = 64,
        codes: int = 512,
        base: int = 64,
        stages: int = 3,
    ) -> None:
        super().__init__()
        sizes = widths(base, stages)
        self.encoder = nn.Sequential(
            Wrapped(image_channels, base),
            *(Halving(a, b) for a, b in pairwise(sizes)),
            nn.Conv2d(sizes[-1], latent_channels, 1),
        )
        self.decoder = Decoder(latent_channels, image_channels, base, stages)
        self.codebook = nn.Parameter(torch.empty(codes, latent_channels))
        nn.init.uniform_(self.codebook, -1 / codes, 1 / codes)
        self.latent_mean: Tensor
        self.latent_spread: Tensor
        self.register_buffer("latent_mean", torch.zeros(latent_channels))
        self.register_buffer("latent_spread", torch.ones(latent_channels))

    def encode(self, images: Tensor) -> Tensor:
        """Latents ``[B, latent_channels, H / 2ˢ, W / 2ˢ]``, not quantised.

        Raises:
            ValueError: a side cannot be halved often enough, or the channels are others.

        """
        scale, channels = self.decoder.scale, self.decoder.image_channels
        if images.shape[1] != channels:
            raise ValueError(
                f"images of {images.shape[1]} channels; this autoencoder was made for {channels}"
            )
        if any(side % scale for side in images.shape[-2:]):
            raise ValueError(
                f"images of {images.shape[-2]}×{images.shape[-1]}; expected sides divisible by "
                f"{scale}"
            )
        return self.encoder(images)

    def quantise(self, latent: Tensor) -> Quantised:
        """Each vector's nearest code.

        Raises:
            ValueError: a code is not a number, so that nothing is nearest.

        """
        if not self.codebook.isfinite().all():
            raise ValueError(
                f"the codebook holds {int((~self.codebook.isfinite()).sum())} numbers that are NaN "
                "or infinite; expected finite ones: train again, with a smaller learning rate"
            )
        vectors = latent.movedim(1, -1)
        codes = torch.cdist(vectors.flatten(0, 2), self.codebook).argmin(1)
        codes = codes.view(vectors.shape[:-1])
        nearest = self.codebook[codes].movedim(-1, 1)
        loss = F.mse_loss(nearest, latent.detach())
        loss = loss + COMMITMENT * F.mse_loss(latent, nearest.detach())
        return Quantised(latent, latent + (nearest - latent).detach(), codes, loss)

    def normal(self, images: Tensor) -> Tensor:
        """Latents as automata live in them: of mean 0 and standard deviation 1 for each channel.

        ``[B, image_channels, H, W]`` → ``[B, latent_channels, H / 2ˢ, W / 2ˢ]``, not quantised.
        """
        mean, spread = self._scale()
        return (self.encode(images) - mean) / spread

    def pictures(self, normal: Tensor, quantised: bool = False) -> Tensor:
        """What normal latents look like, :meth:`normal` the other way round.

        Args:
            normal: ``[B, latent_channels, H, W]``.
            quantised: whether each is taken for its nearest code.

        Raises:
            ValueError: they have other channels.

        """
        if normal.ndim != 4 or normal.shape[1] != len(self.latent_mean):
            raise ValueError(
                f"latents of shape {list(normal.shape)}; expected [B, {len(self.latent_mean)}, H, "
                "W], as this decoder reads"
            )
        mean, spread = self._scale()
        latent = normal * spread + mean
        return self.decoder(self.quantise(latent).latent if quantised else latent)

    def normal_decoder(self) -> Decoder:
        """A decoder that reads normal latents: mean and spread are put into its first weights."""
        decoder = copy.deepcopy(self.decoder).requires_grad_(False)
        mean, spread = self._scale()
        first = decoder.first
        bias = cast(Tensor, first.bias)
        bias += (first.weight * mean).sum((1, 2, 3))
        first.weight *= spread
        return decoder

    def normal_codes(self) -> Tensor:
        """The codebook in normal latents, ``[codes, latent_channels]``."""
        spread = self.latent_spread.clamp_min(LEAST_SPREAD)
        return ((self.codebook - self.latent_mean) / spread).detach()

    def _scale(self) -> tuple[Tensor, Tensor]:
        """Mean and spread, ``[1, latent_channels, 1, 1]`` each."""
        mean, spread = self.latent_mean, self.latent_spread
        return mean[None, :, None, None], spread[None, :, None, None].clamp_min(LEAST_SPREAD)

    def forward(self, images: Tensor) -> tuple[Tensor, Quantised]:
        """The images from their quantised latents, and these."""
        quantised = self.quantise(self.encode(images))
        return self.decoder(quantised.latent), quantised
