"""Filling holes in pictures, in latents (§3.1.4, Fig. 10): what is left tells what is missing.

A picture with a hole is encoded. Cells that are missing as a whole are 0, the mean latent; the
others begin as what is known of them. What is known stays known: a map of latents and, for each
cell, of the share that is missing lies in fixed channels, or is told at every step. Latents are
compared with those of the whole picture, mostly in the hole, and pictures at the end.

The pool returns pictures that are filled already; new holes are made in them, so that one can be
damaged again and again.
"""

from typing import Annotated, Literal, get_args

import torch
import torch.nn.functional as F
from pydantic import Field, model_validator
from torch import Tensor

from ncabook.automaton import NCA, ChannelLayout, empty_state
from ncabook.data.holes import check_holes, check_missing, erased, random_holes
from ncabook.networks import VQVAE
from ncabook.reading import Strict
from ncabook.training.config import Ratio
from ncabook.training.latent import LatentConfig, LatentLearner
from ncabook.training.latent_pairs import both_ways
from ncabook.training.pairs import random_pairs, shown
from ncabook.training.pool import Sample
from ncabook.training.style import VGGFeatures
from ncabook.training.tracking import Tracking

Known = Literal["fixed", "condition", "kept"]
SHARE = 1  # channels of a map of what is known, beside the latents
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
        pixel_distance: of pictures, if it is another than that of latents.
        perceptual: weight of the difference of VGG16's features, where pictures are compared.

    """

    holes: HolesConfig = HolesConfig()
    inside: Ratio = 0.9
    pixel_distance: Literal["mse", "l1"] | None = None
    perceptual: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0

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
        known: where what is known of a picture stands; see :func:`start`.
        config: the ``training`` part of an experiment.
        seed: everything random follows from it.
        device: where to train.
        tracker: where the curves go; None draws none.

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
    ) -> None:
        check_known(nca, vqvae, known)
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
        self.features = VGGFeatures().to(self.device) if config.perceptual else None

    def fresh(self, count: int) -> Sample:
        """Pictures at random, half of them mirrored, each with a hole."""
        which = random_pairs(count, len(self.images), mirror=True, generator=self.generator)
        chance = torch.rand(count, generator=self.generator, device=self.device)
        by_cells = chance < self.config.holes.cells
        return self.begun({**which, "by_cells": by_cells, "missing": self.holes(by_cells)})

    def begun(self, sample: Sample) -> Sample:
        """The same with ``known``, where it is told, and ``state``."""
        map_ = self.what_is_known(sample)
        told = {"known": map_} if self.known == "condition" else {}
        return {**sample, **told, "state": start(self.nca.layout, map_)}

    def holes(self, by_cells: Tensor) -> Tensor:
        """Holes at random ``[B, 1, h, w]``, of whole cells where ``by_cells`` ``[B]`` says so."""
        config, scale = self.config.holes, self.vqvae.decoder.scale
        count, (height, width) = len(by_cells), self.images.shape[2:]
        share = (config.least, config.most)
        found = [
            random_holes(count, height, width, self.generator, config.kinds, share, cell)
            for cell in (1, scale)
        ]
        return torch.where(by_cells[:, None, None, None], found[1], found[0])

    @torch.no_grad()
    def what_is_known(self, sample: Sample) -> Tensor:
        """Maps ``[B, D + 1, H, W]``; see :func:`known_map`."""
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
        gone = F.avg_pool2d(more, self.vqvae.decoder.scale) > 0
        state = torch.where(gone, begun["state"], old["state"])
        fixed = self.nca.layout.fixed
        state[:, :fixed] = begun["state"][:, :fixed]
        return {**begun, "state": state}

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
        if not self.compares_pictures:
            share = F.avg_pool2d(sample["missing"], self.vqvae.decoder.scale)
            return self._balanced(end - self.latents(sample), share, config.distance)
        some = slice(0, config.decoded)
        made = self.vqvae.pictures(end[some], config.quantised)
        part = {name: values[some] for name, values in sample.items()}
        wanted, missing = self.pictures(part), part["missing"]
        distance = config.pixel_distance or config.distance
        loss = config.pixel_weight * self._balanced(made - wanted, missing, distance)
        if self.features is not None:
            pasted = torch.lerp(wanted, made, missing)
            loss = loss + config.perceptual * self._features_apart(pasted, wanted)
        return loss

    def _balanced(self, error: Tensor, missing: Tensor, distance: str) -> Tensor:
        """The mean of errors ``[B, C, H, W]``, where ``missing`` and where not, as weighted."""
        error = error.abs() if distance == "l1" else error.square()
        error = error.mean(1, keepdim=True)
        means = [
            ((error * mask).sum((1, 2, 3)) / mask.sum((1, 2, 3)).clamp_min(1e-6)).mean()
            for mask in (missing, 1 - missing)
        ]
        return self.config.inside * means[0] + (1 - self.config.inside) * means[1]

    def _features_apart(self, made: Tensor, wanted: Tensor) -> Tensor:
        """Squared differences of VGG16's features, each layer's relative to its size."""
        assert self.features is not None
        with torch.no_grad():
            aims = self.features(wanted)
        pairs = zip(self.features(made), aims, strict=True)
        return torch.stack([(a - b).square().mean() / b.square().mean() for a, b in pairs]).mean()


def check_known(nca: NCA, vqvae: VQVAE, known: Known) -> None:
    """Whether an automaton has room for what is known.

    Raises:
        ValueError: says what it has, and what was expected.

    """
    channels = vqvae.decoder.latent_channels + SHARE
    told = nca.perception.condition_channels
    wanted = (0, channels) if known == "condition" else (channels, 0)
    if (nca.layout.fixed, told) != wanted:
        raise ValueError(
            f"{nca.layout.fixed} fixed channels and {told} of condition; expected {wanted[0]} and "
            f"{wanted[1]}: as many as a latent has, and one for what is missing"
        )


def known_map(latents: Tensor, missing: Tensor, scale: int) -> Tensor:
    """What is known of pictures, ``[B, D + 1, H, W]``: latents, and the share that is missing.

    Args:
        latents: normal ones of the pictures with holes, ``[B, D, H, W]``; where a cell is missing
            as a whole they are put to 0.
        missing: the holes, ``[B, 1, scale H, scale W]``, 1 inside.
        scale: pixels along a cell's side.

    """
    share = F.avg_pool2d(missing, scale)
    return torch.cat([latents * (share < 1), share], 1)


def start(layout: ChannelLayout, known: Tensor) -> Tensor:
    """States to begin with, ``[B, C, H, W]``: what is known is visible, and in fixed channels.

    Args:
        layout: with as many fixed channels as ``known`` has, or none.
        known: from :func:`known_map`.

    """
    height, width = known.shape[2:]
    state = empty_state(layout, height, width, len(known), str(known.device))
    state[:, : layout.fixed] = known[:, : layout.fixed]
    state[:, layout.visible_slice] = known[:, :-SHARE]
    return state


def filled(layout: ChannelLayout, state: Tensor, known: Known) -> Tensor:
    """The latents that a state ``[B, C, H, W]`` shows, ``[B, D, H, W]``.

    Those in its visible channels; but where what is known is *kept*, only where a part of a cell is
    missing, and the known ones elsewhere.
    """
    visible = state[:, layout.visible_slice]
    if known != "kept":
        return visible
    fixed = state[:, : layout.fixed]
    return torch.where(fixed[:, -SHARE:] > 0, visible, fixed[:, :-SHARE])


@torch.no_grad()
def known_of(vqvae: VQVAE, images: Tensor, missing: Tensor, batch: int = 16) -> Tensor:
    """What is known of pictures with holes, ``[N, D + 1, H, W]``, on the CPU.

    Args:
        vqvae: encoder.
        images: ``[N, C, h, w]`` in [0, 1]; what lies in the holes is not looked at.
        missing: ``[N, 1, h, w]``, 1 in the hole.
        batch: pictures at once.

    Raises:
        ValueError: pictures or holes that do not fit.

    """
    check_holes(missing, images)
    check_missing(missing)
    pairs = zip(images.split(batch), missing.split(batch), strict=True)
    latents = torch.cat([vqvae.normal(erased(*pair)).cpu() for pair in pairs])
    return known_map(latents, missing.cpu(), vqvae.decoder.scale)
