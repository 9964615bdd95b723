"""States of pictures with holes: what is known of them, how they begin, what they show.

What is known is a map ``[B, D + 1, H, W]``: latents, and the share of each cell that is missing. It
lies in *fixed* channels, or is told at every step as a *condition*, which costs less, and is the
same for convolutions. Where it is *kept*, it lies in fixed channels and is shown as it was.

Behind it, further fixed channels may hold *noise*: numbers from N(0, 1), drawn once for a rollout,
so that cells can choose where several things could be there. Another hole gets other noise.
"""

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from ncabook.automaton import NCA, ChannelLayout, empty_state
from ncabook.data.holes import check_holes, check_missing, erased
from ncabook.networks import VQVAE

Known = Literal["fixed", "condition", "kept"]
SHARE = 1  # channels of a map of what is known, beside the latents


def check_known(nca: NCA, vqvae: VQVAE, known: Known, noise: int = 0) -> None:
    """Whether an automaton has room for what is known, and for as many channels of noise.

    Raises:
        ValueError: says what it has, and what was expected.

    """
    channels = vqvae.decoder.latent_channels + SHARE
    told = nca.perception.condition_channels
    wanted = (noise, channels) if known == "condition" else (channels + noise, 0)
    if (nca.layout.fixed, told) != wanted:
        beside = f", beside {noise} of noise" if noise else ""
        raise ValueError(
            f"{nca.layout.fixed} fixed channels and {told} of condition; expected {wanted[0]} and "
            f"{wanted[1]}: as many as a latent has, and one for what is missing{beside}"
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


def drawn_noise(known: Tensor, channels: int, generator: Generator) -> Tensor:
    """Noise beside a map of what is known, ``[B, channels, H, W]``, on the generator's device."""
    shape = (len(known), channels, *known.shape[2:])
    return torch.randn(shape, generator=generator, device=generator.device)


def start(layout: ChannelLayout, known: Tensor, noise: Tensor | None = None) -> Tensor:
    """States to begin with, ``[B, C, H, W]``: what is known is visible, and in fixed channels.

    Args:
        layout: with as many fixed channels as ``known`` has, or none; and those of noise.
        known: from :func:`known_map`.
        noise: for the last fixed channels, ``[B, channels, H, W]``; None for none.

    """
    height, width = known.shape[2:]
    state = empty_state(layout, height, width, len(known), str(known.device))
    map_ = layout.fixed - (0 if noise is None else noise.shape[1])
    state[:, :map_] = known[:, :map_]
    if noise is not None:
        state[:, map_ : layout.fixed] = noise
    state[:, layout.visible_slice] = known[:, :-SHARE]
    return state


def opened(layout: ChannelLayout, old: Tensor, begun: Tensor, gone: Tensor) -> Tensor:
    """Old states ``[B, C, H, W]`` with another hole: there they begin anew.

    Args:
        layout: of both.
        old: what was there.
        begun: as :func:`start` makes them, of what is known now.
        gone: the share of each cell that the new hole takes, ``[B, 1, H, W]``.

    """
    state = torch.where(gone > 0, begun, old)
    state[:, : layout.fixed] = begun[:, : layout.fixed]
    return state


def filled(layout: ChannelLayout, state: Tensor, known: Known) -> Tensor:
    """The latents that a state ``[B, C, H, W]`` shows, ``[B, D, H, W]``.

    Those in its visible channels; but where what is known is *kept*, only where a part of a cell is
    missing, and the known ones elsewhere.
    """
    visible = state[:, layout.visible_slice]
    if known != "kept":
        return visible
    fixed = state[:, : layout.visible + SHARE]
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
