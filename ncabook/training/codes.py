"""Which code of an autoencoder a cell means: told by distance, learned by cross-entropy, drawn.

A latent that is compared by its distance alone ends between all that could be there. Here it says
how likely each code is, ``softmax(−‖z − e‖² / τ)``; since ``‖z‖²`` is the same for all codes, this
is a linear classifier whose weights are the codebook, and nothing is learned or saved beside the
automaton. Distances are those of :meth:`~ncabook.networks.VQVAE.quantise`; τ is in units of the
latents' mean variance.
"""

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from ncabook.networks import VQVAE
from ncabook.networks.vqvae import LEAST_SPREAD


def code_logits(vqvae: VQVAE, latents: Tensor, temperature: float = 1.0) -> Tensor:
    """What cells say of each code; the largest is the nearest code's.

    Args:
        vqvae: whose codebook it is; it gets no gradient.
        latents: normal ones, ``[..., D]``.
        temperature: τ.

    Returns:
        ``[..., codes]``: ``(2 z·e − ‖e‖²) / τ``.

    Raises:
        ValueError: no temperature above 0.

    """
    if not temperature > 0:
        raise ValueError(f"a temperature of {temperature:g}; expected one above 0")
    spread = vqvae.latent_spread.clamp_min(LEAST_SPREAD)
    relative = spread / spread.square().mean().sqrt()
    codes = vqvae.normal_codes() * relative
    products = (latents * relative) @ codes.T
    return (2 * products - codes.square().sum(1)) / temperature


def codes_apart(
    vqvae: VQVAE, made: Tensor, wanted: Tensor, share: Tensor, temperature: float
) -> Tensor:
    """Cross-entropy of the codes in holes, a number: the mean over cells, then over samples.

    Args:
        vqvae: whose codes they are.
        made: normal latents, ``[B, D, H, W]``.
        wanted: likewise; their nearest codes are the true ones.
        share: of each cell that is missing, ``[B, 1, H, W]``; so much it counts.
        temperature: τ of :func:`code_logits`.

    """
    inside = share[:, 0] > 0
    said = code_logits(vqvae, made.movedim(1, -1)[inside], temperature)
    with torch.no_grad():
        true = code_logits(vqvae, wanted.movedim(1, -1)[inside]).argmax(1)
    counts = share / share.sum((1, 2, 3), keepdim=True).clamp_min(1e-6)
    return (F.cross_entropy(said, true, reduction="none") * counts[:, 0][inside]).sum() / len(made)


@torch.no_grad()
def drawn_codes(
    vqvae: VQVAE,
    latents: Tensor,
    share: Tensor,
    generator: Generator,
    temperature: float = 1.0,
    relative: float = 1.0,
) -> Tensor:
    """A code for each cell, as normal latents ``[B, D, H, W]``: drawn in holes, nearest elsewhere.

    Args:
        vqvae: whose codes they are.
        latents: normal ones, ``[B, D, H, W]``.
        share: of each cell that is missing, ``[B, 1, H, W]``.
        generator: source of chance, on the device of ``latents``.
        temperature: τ that was trained with.
        relative: by so much the logits' differences are divided; 0 draws the nearest code.

    Raises:
        ValueError: a temperature that is none, or ``relative`` below 0.

    """
    which, _ = _drawn(vqvae, latents, share, generator, temperature, relative)
    return vqvae.normal_codes()[which].movedim(-1, 1)


@torch.no_grad()
def surest_codes(
    vqvae: VQVAE,
    latents: Tensor,
    share: Tensor,
    generator: Generator,
    part: float,
    temperature: float = 1.0,
    relative: float = 1.0,
) -> tuple[Tensor, Tensor]:
    """As :func:`drawn_codes`, and which cells of holes are surest of what was drawn.

    That is how MaskGIT decodes (Chang et al. 2022, Algorithm 1), without its noise on confidences.

    Args:
        vqvae: whose codes they are.
        latents: normal ones, ``[B, D, H, W]``.
        share: of each cell that is missing, ``[B, 1, H, W]``.
        generator: source of chance, on the device of ``latents``.
        part: of each sample's missing cells, rounded up.
        temperature: τ that was trained with.
        relative: by so much the logits' differences are divided.

    Returns:
        Normal latents ``[B, D, H, W]``, and whether a cell is among the surest, ``[B, 1, H, W]``.

    Raises:
        ValueError: a part outside (0, 1], or temperatures that are none.

    """
    if not 0 < part <= 1:
        raise ValueError(f"a part of {part:g}; expected one above 0, and at most 1")
    which, logits = _drawn(vqvae, latents, share, generator, temperature, relative)
    sure = logits.log_softmax(-1).gather(-1, which[..., None])[..., 0]
    inside = share[:, 0] > 0
    order = sure.masked_fill(~inside, -torch.inf).flatten(1).argsort(1, descending=True).argsort(1)
    many = (inside.flatten(1).sum(1, keepdim=True) * part).ceil()
    surest = (order < many).view_as(inside) & inside
    return vqvae.normal_codes()[which].movedim(-1, 1), surest[:, None]


def _drawn(
    vqvae: VQVAE,
    latents: Tensor,
    share: Tensor,
    generator: Generator,
    temperature: float,
    relative: float,
) -> tuple[Tensor, Tensor]:
    """Numbers of codes ``[B, H, W]``, and the logits ``[B, H, W, codes]`` of all."""
    if not relative >= 0:
        raise ValueError(f"a relative temperature of {relative:g}; expected 0 or more")
    logits = code_logits(vqvae, latents.movedim(1, -1), temperature)
    # The largest of logits with Gumbel's noise is a draw from their softmax.
    gumbel = -torch.empty_like(logits).exponential_(generator=generator).clamp_min(1e-30).log()
    inside = (share > 0).movedim(1, -1)
    return (logits + relative * gumbel * inside).argmax(-1), logits
