"""Training an autoencoder whose latents an automaton is to live in (§3.1.4)."""

from typing import Annotated, Any

import torch
from pydantic import Field
from torch import Tensor

from ncabook.automaton.denormals import flushed_denormals
from ncabook.automaton.precision import autocast
from ncabook.data.holes import erased, random_holes
from ncabook.networks import VQVAE
from ncabook.training.config import AdamConfig, Ratio, Samples
from ncabook.training.learner import AdamLearner, Stateful
from ncabook.training.tracking import Tracking

BETAS = (0.9, 0.99)
# Of the squared error, beside the absolute one. Van den Oord et al. divide it by the variance of
# the data, which is about that small; with 1, rare colours are never learned, since the codes'
# losses count for more than they do.
SQUARED = 16.0
FORGET = 0.01  # of the running mean and spread of latents, for each iteration


class AutoencoderConfig(AdamConfig):
    """How an autoencoder is trained, by the absolute and the squared error.

    Attributes:
        batch: pictures in an iteration.
        crop: side of the part of a picture that is looked at; the whole one if not given.
        whole: share of the iterations, at the end, that look at whole pictures, as many as make no
            more pixels than the parts, but one at least. The means of group normalisation are those
            of a picture, and so another thing for a part of it.
        holes: share of the pictures that have one (:mod:`ncabook.data.holes`), which is to be drawn
            again as it is: an automaton that fills holes begins with such latents.
        mirror: whether half of the pictures are shown from right to left.
        restart_every: iterations after which a code that was nearest to nothing gets a new place,
            at one of the latents.

    """

    batch: Samples
    crop: Annotated[int, Field(ge=8, le=4096)] | None = None
    whole: Ratio = 0.0
    holes: Ratio = 0.0
    mirror: bool = True
    restart_every: Annotated[int, Field(ge=1, le=10**9)] = 100


class Idle:
    """For how many iterations each code has been nearest to nothing."""

    def __init__(self, codes: int, device: str) -> None:
        self.iterations = torch.zeros(codes, dtype=torch.int64, device=device)

    def note(self, codes: Tensor) -> None:
        """Counts an iteration, in which ``codes`` were of use."""
        self.iterations += 1
        self.iterations[codes.flatten()] = 0

    def state_dict(self) -> dict[str, Any]:
        """The counts."""
        return {"iterations": self.iterations}

    def load_state_dict(self, saved: dict[str, Any]) -> None:
        """Takes over what :meth:`state_dict` returned."""
        self.iterations = saved["iterations"].to(self.iterations.device)


class AutoencoderLearner(AdamLearner):
    """Trains a VQ-VAE to draw its input again.

    Args:
        network: trained in place; its ``latent_mean`` and ``latent_spread`` come to be those of
            what it was shown.
        images: uint8 ``[N, C, H, W]``.
        config: the ``training`` part of an experiment.
        seed: everything random follows from it.
        device: where to train.
        tracker: where the curves go; None draws none.

    Raises:
        ValueError: a crop that is larger than the images, or that cannot be halved so often.

    """

    config: AutoencoderConfig

    def __init__(
        self,
        network: VQVAE,
        images: Tensor,
        config: AutoencoderConfig,
        seed: int,
        device: str = "cpu",
        tracker: Tracking | None = None,
    ) -> None:
        super().__init__(network, config, seed, device, tracker, BETAS)
        self.vqvae = network.to(memory_format=torch.channels_last)
        self.images = images.to(self.device)
        least, scale = min(images.shape[2:]), network.decoder.scale
        if config.crop is not None and (config.crop > least or config.crop % scale):
            raise ValueError(
                f"crops of {config.crop} from images of {images.shape[2]}×{images.shape[3]}; "
                f"expected at most {least}, a multiple of {scale}"
            )
        self.idle = Idle(len(network.codebook), self.device)

    def parts(self) -> dict[str, Stateful]:
        """Also how long each code has been idle."""
        return super().parts() | {"idle": self.idle}

    @flushed_denormals()
    def step(self, rate: float) -> dict[str, float]:
        """One batch; the loss is that of the pictures, without the codes'."""
        images = self.batch()
        with autocast(self.device, self.config.precision):
            encoded = self.vqvae.encode(images)
        quantised = self.vqvae.quantise(encoded.float())
        with autocast(self.device, self.config.precision):
            drawn = self.vqvae.decoder(quantised.latent)
        difference = drawn - images
        error = difference.abs().mean() + SQUARED * difference.square().mean()
        told = self.descend(error + quantised.loss, error, rate)
        self.idle.note(quantised.codes)
        self._remember(quantised.encoded.detach())
        if self.iteration % self.config.restart_every == 0:
            told["restarted"] = float(self._restart(quantised.encoded.detach()))
        return told

    def batch(self) -> Tensor:
        """Pictures or parts of some, ``[B, C, h, w]`` in [0, 1]."""
        config, random = self.config, {"generator": self.generator, "device": self.device}
        count, _, height, width = self.images.shape
        size, crop = config.batch, config.crop
        whole = crop is None or self.iteration >= (1 - config.whole) * config.iterations
        if whole and crop is not None:
            size = max(1, size * crop**2 // (height * width))
        picks = torch.randint(count, (size,), **random)
        mirrored = torch.rand(size, **random) < 0.5 * config.mirror
        images = self.images[picks]
        if crop is not None and not whole:
            top, left = (torch.randint(n - crop + 1, (size,), **random) for n in (height, width))
            corners = zip(images, top.tolist(), left.tolist(), strict=True)
            images = torch.stack([x[:, t : t + crop, at : at + crop] for x, t, at in corners])
        images = images.float().to(memory_format=torch.channels_last) / 255
        images = torch.where(mirrored[:, None, None, None], images.flip(3), images)
        hurt = int(config.holes * size)
        if hurt:
            missing = random_holes(hurt, images.shape[2], images.shape[3], self.generator)
            images[:hurt] = erased(images[:hurt], missing)
        return images

    @torch.no_grad()
    def _remember(self, latents: Tensor) -> None:
        """Mean and spread of latents ``[B, C, h, w]``, of late."""
        keep = FORGET if self.iteration > 1 else 1.0
        self.vqvae.latent_mean.lerp_(latents.mean((0, 2, 3)), keep)
        self.vqvae.latent_spread.lerp_(latents.std((0, 2, 3), correction=0), keep)

    @torch.no_grad()
    def _restart(self, latents: Tensor) -> int:
        """Puts codes that were of no use where latents ``[B, C, h, w]`` are; how many."""
        dead = (self.idle.iterations >= self.config.restart_every).nonzero()[:, 0]
        vectors = latents.movedim(1, -1).flatten(0, 2)
        picks = torch.randint(
            len(vectors), (len(dead),), generator=self.generator, device=self.device
        )
        self.vqvae.codebook[dead] = vectors[picks]
        for moment in ("exp_avg", "exp_avg_sq"):  # what Adam has learned of another place
            self.optimizer.state[self.vqvae.codebook][moment][dead] = 0
        self.idle.iterations[dead] = 0
        return len(dead)
