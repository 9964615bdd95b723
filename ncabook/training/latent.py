"""Algorithm 2: automata that live in the latents of an autoencoder, which stays as it is (§A.2).

States are made of *normal* latents, of mean 0 and standard deviation 1 for each channel, so that an
automaton meets the same numbers whatever the encoder likes; zero is the mean, and nothing special.
No cell is dead: there is no alpha that could say so.

Where Algorithm 2 compares pictures at every iteration, the last ``pixels`` of the iterations may do
so, and the others compare latents, which costs no decoding.
"""

from abc import abstractmethod
from typing import Annotated, Literal

import torch
import torch.nn.functional as F
from pydantic import Field, model_validator
from torch import Tensor

from ncabook.automaton import NCA, empty_state
from ncabook.networks import VQVAE
from ncabook.training.config import Ratio, TrainingConfig
from ncabook.training.evolving import MOST_KEPT, EvolvingLearner
from ncabook.training.losses import overflow
from ncabook.training.perturbation import mutate, random_damage
from ncabook.training.pool import Sample
from ncabook.training.tracking import Tracking

SEED = 16  # pixels along the side of a seed, which is white and opaque
ROOM = 1.25  # how much farther than the targets' latents an automaton's may lie


class LatentConfig(TrainingConfig):
    """How an automaton in latents is trained (Algorithm 2).

    Attributes:
        distance: squared or absolute, of latents and of pictures.
        pixels: share of the iterations, at the end, that compare pictures; 1 is Algorithm 2.
        pixel_weight: of the difference of pictures, whose numbers are smaller than latents'.
        quantised: whether latents are taken for their nearest codes before pictures are compared;
            the gradient passes straight through.
        decoded: of a batch, how many samples are decoded to be compared; all if not given.
        erased: share of the damages that erase a part of the picture, which is encoded again; the
            others erase latents.

    """

    distance: Literal["mse", "l1"] = "mse"
    pixels: Ratio = 1.0
    pixel_weight: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 1.0
    quantised: bool = False
    decoded: Annotated[int, Field(ge=1)] | None = None
    erased: Ratio = 0.0

    @model_validator(mode="after")
    def _parts(self) -> "LatentConfig":
        if self.decoded is not None and self.decoded > self.batch:
            raise ValueError(
                f"decoded is {self.decoded}; expected at most the batch of {self.batch}"
            )
        return self


class LatentLearner(EvolvingLearner):
    """Trains an automaton whose visible channels are normal latents.

    Args:
        nca: trained in place; without a living mask.
        vqvae: encoder and decoder; their weights stay as they are.
        grid: height and width, in cells.
        reach: the largest absolute value of the targets' latents.
        config: the ``training`` part of an experiment.
        seed: everything random follows from it.
        device: where to train.
        tracker: where the curves go; None draws none.

    Raises:
        ValueError: the automaton's visible channels are not as many as a latent has, or it has
            dead cells.

    """

    config: LatentConfig

    def __init__(
        self,
        nca: NCA,
        vqvae: VQVAE,
        grid: tuple[int, int],
        reach: float,
        config: LatentConfig,
        seed: int,
        device: str = "cpu",
        tracker: Tracking | None = None,
    ) -> None:
        check(nca, vqvae)
        super().__init__(nca, grid, config, seed, device, tracker)
        self.vqvae = vqvae.to(self.device).eval().requires_grad_(False)
        self.range = (-ROOM * reach, ROOM * reach)
        self.most_kept = bound(reach)

    @abstractmethod
    def latents(self, sample: Sample) -> Tensor:
        """The targets' normal latents ``[B, latent_channels, H, W]``."""

    @abstractmethod
    def pictures(self, sample: Sample) -> Tensor:
        """The targets, ``[B, image_channels, h, w]`` in [0, 1]."""

    @property
    def compares_pictures(self) -> bool:
        """Whether this iteration does."""
        return self.iteration >= (1 - self.config.pixels) * self.config.iterations

    def loss(self, film: Tensor, sample: Sample) -> Tensor:
        """The distance of the ends from the targets, in pictures or in latents."""
        config, end = self.config, film[-1][:, self.nca.layout.visible_slice].float()
        distance = F.mse_loss if config.distance == "mse" else F.l1_loss
        if not self.compares_pictures:
            return distance(end, self.latents(sample))
        some = self.some(len(end))
        made = self.vqvae.pictures(end[some], config.quantised)
        wanted = self.pictures({name: values[some] for name, values in sample.items()})
        return config.pixel_weight * distance(made, wanted)

    def some(self, count: int) -> Tensor:
        """Which of a batch are decoded, by chance: fresh ones come first, and others count, too."""
        chosen = torch.randperm(count, generator=self.host_generator)[: self.config.decoded]
        return chosen.sort().values.to(self.device)

    def outside(self, ends: Tensor) -> Tensor:
        """Latents may go a little farther than the targets' do."""
        return overflow(ends, self.nca.layout, self.range)

    def damaged(self, whole: Tensor) -> Tensor:
        """A part of the latents erased, or of the picture."""
        if float(torch.rand((), generator=self.host_generator)) >= self.config.erased:
            return super().damaged(whole)
        mask = random_damage(len(whole), *self.grid, self.generator, self.device)
        return erase_pixels(self.nca, self.vqvae, whole, mask)


class LatentGrowthLearner(LatentLearner):
    """Trains an automaton to grow one picture for each class from a seed, in latents.

    Args:
        nca: trained in place; told the class.
        vqvae: encoder and decoder.
        targets: ``[classes, 4, h, w]``, premultiplied RGBA in [0, 1].
        config: the ``training`` part of an experiment.
        seed: everything random follows from it.
        device: where to train.
        tracker: where the curves go; None draws none.

    """

    def __init__(
        self,
        nca: NCA,
        vqvae: VQVAE,
        targets: Tensor,
        config: LatentConfig,
        seed: int,
        device: str = "cpu",
        tracker: Tracking | None = None,
    ) -> None:
        wanted = encoded(vqvae, targets)
        grid = (wanted.shape[2], wanted.shape[3])
        super().__init__(nca, vqvae, grid, float(wanted.abs().max()), config, seed, device, tracker)
        self.wanted, self.targets = wanted.to(self.device), targets.to(self.device)
        self.start = latent_seed(nca, self.vqvae, *grid)

    def fresh(self, count: int) -> Sample:
        """Encoded seeds, of classes at random."""
        known = len(self.targets)
        classes = torch.randint(known, (count,), generator=self.generator, device=self.device)
        state = self.start.repeat(count, 1, 1, 1)
        return {"state": state.to(memory_format=torch.channels_last), "class": classes}

    def mutate(self, old: Sample, fresh: Sample) -> Sample:
        """Another class for each."""
        return {**old, "class": mutate(old["class"], len(self.targets), self.generator)}

    def condition(self, sample: Sample) -> Tensor | None:
        """One-hot classes ``[B, classes]``, or None for an automaton of one class."""
        count = len(self.targets)
        return F.one_hot(sample["class"], count).float() if count > 1 else None

    def latents(self, sample: Sample) -> Tensor:
        """The class pictures', encoded, not quantised."""
        return self.wanted[sample["class"]]

    def pictures(self, sample: Sample) -> Tensor:
        """The class pictures."""
        return self.targets[sample["class"]]


def bound(reach: float) -> float:
    """What numbers of a state are not beyond unless it has exploded, where targets reach so far."""
    return max(MOST_KEPT, 2 * reach)


def check(nca: NCA, vqvae: VQVAE) -> None:
    """Whether an automaton can live in an autoencoder's latents.

    Raises:
        ValueError: says what it has, and what was expected.

    """
    channels = vqvae.decoder.latent_channels
    if nca.layout.visible != channels:
        raise ValueError(
            f"{nca.layout}; expected {channels} visible channels, as many as a latent of the "
            "autoencoder has"
        )
    if nca.living_threshold is not None:
        raise ValueError("latents have no dead cells; expected living_threshold None")


@torch.no_grad()
def encoded(vqvae: VQVAE, images: Tensor, batch: int = 16) -> Tensor:
    """Normal latents of many images ``[N, C, h, w]``, uint8 or in [0, 1]; on the CPU."""
    device = vqvae.codebook.device
    parts = []
    for part in images.split(batch):
        part = part.to(device)
        part = part.float() / 255 if part.dtype == torch.uint8 else part
        parts.append(vqvae.normal(part).cpu())
    return torch.cat(parts)


@torch.no_grad()
def latent_seed(nca: NCA, vqvae: VQVAE, height: int, width: int) -> Tensor:
    """What growing begins with, ``[1, C, height, width]``: a white square in an empty picture.

    Encoded, as Algorithm 2 has it; hidden channels are 0, but 1 in the middle cell.
    """
    scale = vqvae.decoder.scale
    device = str(vqvae.codebook.device)
    picture = torch.zeros(
        1, vqvae.decoder.image_channels, scale * height, scale * width, device=device
    )
    top, left = (scale * n // 2 - SEED // 2 for n in (height, width))
    picture[:, :, top : top + SEED, left : left + SEED] = 1.0
    state = empty_state(nca.layout, height, width, 1, device)
    state[:, nca.layout.visible_slice] = vqvae.normal(picture)
    state[:, nca.layout.visible_slice.stop :, height // 2, width // 2] = 1.0
    return state


@torch.no_grad()
def erase_pixels(nca: NCA, vqvae: VQVAE, state: Tensor, mask: Tensor) -> Tensor:
    """Damage that happens to the picture: decoded, erased, and encoded again.

    What is erased becomes transparent, or white where there is no alpha. Hidden channels of cells
    under it are erased, too, since no picture tells them.

    Args:
        nca: whose states they are.
        vqvae: encoder and decoder.
        state: ``[B, C, H, W]``.
        mask: ``[B, 1, H, W]``, 1 where the picture survives.

    """
    layout, scale = nca.layout, vqvae.decoder.scale
    empty = 1.0 if vqvae.decoder.image_channels == 3 else 0.0
    picture = vqvae.pictures(state[:, layout.visible_slice].float()).clamp(0, 1)
    pixels = F.interpolate(mask, scale_factor=scale, mode="nearest")
    hurt = state.clone()
    hurt[:, layout.fixed :] *= mask
    hurt[:, layout.visible_slice] = vqvae.normal(
        torch.lerp(torch.full_like(picture, empty), picture, pixels)
    )
    return hurt
