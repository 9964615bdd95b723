"""How autoencoders are measured: their error is the floor of whatever lives in their latents.

Each test picture is encoded, quantised and drawn again, and once more without quantising: PSNR in
decibels, of the mean squared error over the whole test set, and LPIPS. How many of the codes are of
use, and how evenly (*perplexity*: as many as if all of so many were used equally). And
*shift*: the middle of each picture, encoded by itself, against the same part of the whole one's
drawing. Group normalisation takes its means over the picture that it is given, so the two differ.
"""

from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor

from ncabook.automaton.perception import check_sizes
from ncabook.evaluation.perceptual import lpips_distance, on_white
from ncabook.evaluation.recovery import bootstrap
from ncabook.networks import VQVAE


@dataclass(frozen=True)
class AutoencoderProtocol:
    """How pictures are looked at.

    Attributes:
        batch: pictures at once.
        part: side of the middle that is encoded by itself, as a share of the picture's.
        version: of this protocol.

    """

    batch: int = 20
    part: float = 0.5
    version: int = 1

    def __post_init__(self) -> None:
        check_sizes(batch=self.batch)
        if not 0 < self.part <= 1:
            raise ValueError(f"part is {self.part}; expected a share in (0, 1]")


@torch.no_grad()
def evaluate_autoencoder(
    vqvae: VQVAE, test: Tensor, protocol: AutoencoderProtocol | None = None
) -> dict[str, Any]:
    """Measures an autoencoder, on the CPU.

    Args:
        vqvae: the autoencoder.
        test: pictures that it has not seen, uint8 ``[N, C, H, W]``: ink, RGB, or
            premultiplied RGBA.
        protocol: how to look.

    """
    rules = protocol or AutoencoderProtocol()
    vqvae = vqvae.to("cpu").eval()
    count, _, height, width = test.shape
    scale = vqvae.decoder.scale
    top, left = (int(side * (1 - rules.part) / 2) // scale * scale for side in (height, width))
    tall, wide = (max(scale, int(n * rules.part) // scale * scale) for n in (height, width))
    middle = (..., slice(top, top + tall), slice(left, left + wide))
    used = torch.zeros(len(vqvae.codebook), dtype=torch.int64)
    found: dict[str, list[Tensor]] = {}
    for part in test.split(rules.batch):
        images = part.float() / 255
        drawn, quantised = vqvae(images)
        free = vqvae.decoder(quantised.encoded)
        used += torch.bincount(quantised.codes.flatten(), minlength=len(used))
        alone, _ = vqvae(images[middle])
        errors = {
            "quantised.mse": squared(drawn, images),
            "quantised.lpips": lpips_distance(seen(drawn), seen(images)),
            "free.mse": squared(free, images),
            "free.lpips": lpips_distance(seen(free), seen(images)),
            "shift": squared(alone, drawn[middle]),
        }
        for name, values in errors.items():
            found.setdefault(name, []).append(values)
    whole = {name: torch.cat(parts) for name, parts in found.items()}
    shares = used[used > 0].double() / used.sum()
    return {
        "protocol": asdict(rules),
        "images": count,
        **{kind: _summed(whole[f"{kind}.mse"], whole[f"{kind}.lpips"]) for kind in KINDS},
        "codes": {
            "of": len(used),
            "used": int((used > 0).sum()),
            "perplexity": float((-(shares * shares.log()).sum()).exp()),
        },
        "shift": decibels(whole["shift"].mean()),
    }


KINDS = ("quantised", "free")


def squared(a: Tensor, b: Tensor) -> Tensor:
    """Mean squared difference of pictures in [0, 1], after clamping, ``[N]``."""
    return (a.clamp(0, 1) - b.clamp(0, 1)).square().mean((1, 2, 3))


def seen(images: Tensor) -> Tensor:
    """RGB in [0, 1]; what has an alpha, on white; ink, dark on white."""
    if images.shape[1] == 1:
        return (1 - images.clamp(0, 1)).expand(-1, 3, -1, -1)
    return on_white(images) if images.shape[1] == 4 else images.clamp(0, 1)


def decibels(error: Tensor) -> float:
    """The peak signal-to-noise ratio of a mean squared error, where the peak is 1."""
    return float(-10 * error.clamp_min(1e-12).log10())


def _summed(mse: Tensor, lpips: Tensor) -> dict[str, Any]:
    def mean(values: Tensor) -> float:
        return float(values.mean())

    return {
        "psnr": decibels(mse.mean()),
        "psnr_interval": list(bootstrap(lambda values: decibels(values.mean()), mse)),
        "lpips": mean(lpips),
        "lpips_interval": list(bootstrap(mean, lpips)),
    }
