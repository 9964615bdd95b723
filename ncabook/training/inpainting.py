"""Filling holes in pictures, in latents (§3.1.4, Fig. 10): what is left tells what is missing.

A picture with a hole is encoded. Cells that are missing as a whole are 0, the mean latent; the
others begin as what is known of them. What is known stays known: a map of latents and, for each
cell, of the share that is missing lies in fixed channels, or is told at every step. Latents are
compared with those of the whole picture, mostly in the hole, and pictures at the end. Cells may
also be asked which code of the autoencoder each of them means (:mod:`ncabook.training.codes`).

The pool returns pictures that are filled already; new holes are made in them, so that one can be
damaged again and again.
"""

from typing import Annotated, Literal, get_args

import torch
import torch.nn.functional as F
from pydantic import Field, model_validator
from torch import Tensor

from ncabook.automaton import NCA
from ncabook.data.holes import erased, random_holes
from ncabook.networks import VQVAE
from ncabook.reading import Strict
from ncabook.training.codes import codes_apart
from ncabook.training.config import Ratio
from ncabook.training.holed import (
    Known,
    check_known,
    drawn_noise,
    filled,
    known_map,
    opened,
    start,
)
from ncabook.training.latent import LatentConfig, LatentLearner
from ncabook.training.latent_pairs import both_ways
from ncabook.training.pairs import random_pairs, shown
from ncabook.training.pool import Sample
from ncabook.training.style import VGGFeatures
from ncabook.training.tracking import Tracking

Kind = Literal["disc", "discs", "stroke", "half", "cells"]
KINDS: tuple[Kind, ...] = get_args(Kind)


class HolesConfig(Strict):
    """Which holes are made (:mod:`ncabook.data.holes`).

    Attributes:
        kinds: equally often.
        least: the smallest share of a picture that is missing.
        most: the largest.
        cells: how many of them are made of whole cells, in latents, as a reader makes them in a
            page; the others are made of pixels, and the picture with its hole is encoded.

    """

    kinds: Annotated[list[Kind], Field(min_length=1)] = Field(default_factory=lambda: [*KINDS])
    least: Annotated[float, Field(gt=0, lt=1)] = 0.05
    most: Annotated[float, Field(gt=0, lt=1)] = 0.7
    cells: Ratio = 0.0

    @model_validator(mode="after")
    def _rising(self) -> "HolesConfig":
        if self.most < self.least:
            raise ValueError(f"holes.most {self.most} is smaller than holes.least {self.least}")
        return self


class InpaintingConfig(LatentConfig):
    """How an automaton is trained to fill holes.

    In the pool, ``mutation`` is the share of the drawn samples that get another picture and hole,
    and ``damage`` that of those with one hole more.

    Attributes:
        holes: which.
        inside: weight of what is missing, in each sample; the rest is that of what is known.
        latent_weight: of the difference of latents, where pictures are compared, too.
        pixel_distance: of pictures, if it is another than that of latents.
        perceptual: weight of the difference of VGG16's features, where pictures are compared.
        codes: weight of the cross-entropy of codes in the hole, all the time
            (:func:`~ncabook.training.codes.codes_apart`).
        temperature: of the logits of codes, in units of the latents' mean variance.

    """

    holes: HolesConfig = HolesConfig()
    inside: Ratio = 0.9
    latent_weight: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0
    pixel_distance: Literal["mse", "l1"] | None = None
    perceptual: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0
    codes: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0
    temperature: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 1.0

    @model_validator(mode="after")
    def _no_erasure(self) -> "InpaintingConfig":
        if self.erased:
            raise ValueError("erased is for pictures that are grown; set `holes` and leave it out")
        return self


class InpaintingLearner(LatentLearner):
    """Trains an automaton to fill holes in pictures.

    Args:
        nca: trained in place; what it is told, and where, is as ``known`` says.
        vqvae: encoder and decoder; their weights stay as they are.
        images: uint8 ``[N, C, h, w]``.
        known: where what is known of a picture stands; see :func:`~ncabook.training.holed.start`.
        config: the ``training`` part of an experiment.
        seed: everything random follows from it.
        device: where to train.
        tracker: where the curves go; None draws none.
        noise: fixed channels that hold noise.

    Raises:
        ValueError: channels that do not fit, or a perceptual loss on pictures that are not RGB.

    """

    config: InpaintingConfig

    def __init__(
        self,
        nca: NCA,
        vqvae: VQVAE,
        images: Tensor,
        known: Known,
        config: InpaintingConfig,
        seed: int,
        device: str = "cpu",
        tracker: Tracking | None = None,
        noise: int = 0,
    ) -> None:
        check_known(nca, vqvae, known, noise)
        if config.perceptual and images.shape[1] != 3:
            raise ValueError(
                f"perceptual is {config.perceptual}, and pictures have {images.shape[1]} channels; "
                "VGG16 sees RGB: set it to 0"
            )
        wanted = both_ways(vqvae, images)
        grid, reach = (wanted.shape[3], wanted.shape[4]), float(wanted.abs().max())
        super().__init__(nca, vqvae, grid, reach, config, seed, device, tracker)
        self.images, self.wanted = images.to(self.device), wanted.to(self.device)
        self.known: Known = known
        self.noise = noise
        self.features = VGGFeatures().to(self.device) if config.perceptual else None

    def fresh(self, count: int) -> Sample:
        """Pictures at random, half of them mirrored, each with a hole."""
        which = random_pairs(count, len(self.images), mirror=True, generator=self.generator)
        chance = torch.rand(count, generator=self.generator, device=self.device)
        by_cells = chance < self.config.holes.cells
        return self.begun({**which, "by_cells": by_cells, "missing": self.holes(by_cells)})

    def begun(self, sample: Sample) -> Sample:
        """The same with ``known``, where it is told, and ``state``, with noise of its own."""
        map_ = self.what_is_known(sample)
        told = {"known": map_} if self.known == "condition" else {}
        noise = drawn_noise(map_, self.noise, self.generator) if self.noise else None
        return {**sample, **told, "state": start(self.nca.layout, map_, noise)}

    def holes(self, by_cells: Tensor) -> Tensor:
        """Holes at random ``[B, 1, h, w]``, of whole cells where ``by_cells`` ``[B]`` says so."""
        config, scale = self.config.holes, self.vqvae.decoder.scale
        count, (height, width) = len(by_cells), self.images.shape[2:]
        share = (config.least, config.most)
        found = torch.zeros(count, 1, height, width, device=self.device)
        for mine, cell in ((~by_cells, 1), (by_cells, scale)):
            some = int(mine.sum())
            if some:
                found[mine] = random_holes(
                    some, height, width, self.generator, config.kinds, share, cell
                )
        return found

    @torch.no_grad()
    def what_is_known(self, sample: Sample) -> Tensor:
        """Maps ``[B, D + 1, H, W]``; see :func:`~ncabook.training.holed.known_map`."""
        scale, missing = self.vqvae.decoder.scale, sample["missing"]
        latents = self.latents(sample).clone()
        encode = ~sample["by_cells"]
        if encode.any():
            images = shown(self.images, {name: values[encode] for name, values in sample.items()})
            latents[encode] = self.vqvae.normal(erased(images, missing[encode]))
        return known_map(latents, missing, scale)

    def mutate(self, old: Sample, fresh: Sample) -> Sample:
        """Another picture with a hole, while the cells still hold the one before."""
        fixed = self.nca.layout.fixed
        state = torch.cat([fresh["state"][:, :fixed], old["state"][:, fixed:]], dim=1)
        return {**fresh, "state": state}

    def hurt(self, old: Sample) -> Sample:
        """Another hole in what is filled. If too much would be missing, the first is mended."""
        more = self.holes(old["by_cells"])
        both = torch.maximum(old["missing"], more)
        few = both.mean((1, 2, 3), keepdim=True) <= self.config.holes.most
        begun = self.begun({**old, "missing": torch.where(few, both, more)})
        gone = F.avg_pool2d(more, self.vqvae.decoder.scale)
        return {**begun, "state": opened(self.nca.layout, old["state"], begun["state"], gone)}

    def condition(self, sample: Sample) -> Tensor | None:
        """What is known, if it is told; of a bare state, as many zeros."""
        if self.known != "condition":
            return None
        if "known" in sample:
            return sample["known"]
        state, channels = sample["state"], self.nca.perception.condition_channels
        return state.new_zeros(len(state), channels, *state.shape[2:])

    def latents(self, sample: Sample) -> Tensor:
        """The whole pictures', encoded, not quantised."""
        return self.wanted[sample["pair"], sample["mirrored"].long()]

    def pictures(self, sample: Sample) -> Tensor:
        """The whole pictures."""
        return shown(self.images, sample)

    def loss(self, film: Tensor, sample: Sample) -> Tensor:
        """How far ends are from whole pictures, in latents or pixels, mostly in the hole."""
        config = self.config
        end = filled(self.nca.layout, film[-1].float(), self.known)
        share = F.avg_pool2d(sample["missing"], self.vqvae.decoder.scale)
        wanted = self.latents(sample)
        apart = balanced(end - wanted, share, config.distance, config.inside)
        loss = apart
        if self.compares_pictures:
            loss = config.latent_weight * apart + self.pictures_apart(end, sample)
        if config.codes:
            unlike = codes_apart(self.vqvae, end, wanted, share, config.temperature)
            loss = loss + config.codes * unlike
        return loss

    def pictures_apart(self, end: Tensor, sample: Sample) -> Tensor:
        """How far pictures of the latents ``end`` are from whole ones, as weighted."""
        config = self.config
        some = self.some(len(end))
        made = self.vqvae.pictures(end[some], config.quantised)
        part = {name: values[some] for name, values in sample.items()}
        wanted, missing = self.pictures(part), part["missing"]
        distance = config.pixel_distance or config.distance
        pixels = balanced(made - wanted, missing, distance, config.inside)
        loss = config.pixel_weight * pixels
        if self.features is not None:
            pasted = torch.lerp(wanted, made, missing)
            loss = loss + config.perceptual * features_apart(self.features, pasted, wanted)
        return loss


def balanced(error: Tensor, missing: Tensor, distance: str, inside: float) -> Tensor:
    """The mean of errors, in each sample where something is missing and where not, as weighted.

    Args:
        error: differences, ``[B, C, H, W]``.
        missing: the share of each pixel or cell, ``[B, 1, H, W]``.
        distance: ``"mse"`` or ``"l1"``.
        inside: weight of what is missing; the rest is that of what is not.

    """
    error = error.abs() if distance == "l1" else error.square()
    error = error.mean(1, keepdim=True)
    means = [
        ((error * mask).sum((1, 2, 3)) / mask.sum((1, 2, 3)).clamp_min(1e-6)).mean()
        for mask in (missing, 1 - missing)
    ]
    return inside * means[0] + (1 - inside) * means[1]


def features_apart(features: VGGFeatures, made: Tensor, wanted: Tensor) -> Tensor:
    """Squared differences of VGG16's features, each layer's relative to its size, a number."""
    with torch.no_grad():
        aims = features(wanted)
    pairs = zip(features(made), aims, strict=True)
    return torch.stack([(a - b).square().mean() / b.square().mean() for a, b in pairs]).mean()
