"""Perceptual distance: LPIPS (eq. 4; Zhang et al. 2018) through the ``lpips`` package."""

import warnings
from collections.abc import Iterator
from functools import cache
from typing import Any

import torch
from torch import Tensor, nn

from ncabook.data.weights import alexnet_features

METRICS = ("mse", "lpips")
LEAST = 31  # pixels of a side; of smaller pictures nothing is left in AlexNet's last layers


@cache
def _network() -> nn.Module:
    """LPIPS with AlexNet: heads from the package, backbone from :mod:`ncabook.data.weights`."""
    import lpips  # slow to import, and only whole evaluations need it

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torchvision's deprecated constructor, called by lpips
        model = lpips.LPIPS(net="alex", pnet_rand=True, verbose=False)
    features = alexnet_features()
    backbone = {
        name: features[name.split(".", 1)[1]] for name in model.net.state_dict()
    }  # "slice2.3.weight" is features.3.weight
    model.net.load_state_dict(backbone)
    return model.eval().requires_grad_(False)


@torch.no_grad()
def described(images: Tensor, chunk: int = 100) -> Tensor:
    """AlexNet's last convolutional features, averaged over the picture, ``[N, 256]``.

    Args:
        images: RGB in [0, 1], ``[N, 3, H, W]``.
        chunk: pictures at once.

    """
    parts = images.split(chunk)
    return torch.cat([layers(part)[-1].mean((2, 3)) for part in parts])


@torch.no_grad()
def layers(images: Tensor) -> list[Tensor]:
    """AlexNet's five convolutional layers, ``[N, C, h, w]`` each, of RGB in [0, 1], on the CPU."""
    network: Any = _network()
    return list(network.net(network.scaling_layer(2 * images.cpu() - 1)))


def on_white(state: Tensor) -> Tensor:
    """Premultiplied RGBA on a white page: ``[..., ≥4, H, W]`` → RGB ``[..., 3, H, W]`` in [0, 1].

    Looks at the first four channels only, so a whole state of a layout without fixed channels
    will do.
    """
    rgb, alpha = state[..., :3, :, :], state[..., 3:4, :, :].clamp(0, 1)
    return (rgb + 1 - alpha).clamp(0, 1)


@torch.no_grad()
def lpips_distance(a: Tensor, b: Tensor, chunk: int = 100) -> Tensor:
    """LPIPS of image pairs.

    Args:
        a: RGB in [0, 1], ``[N, 3, H, W]``; scaled to [−1, 1] here, as the package expects.
        b: likewise; the distance is symmetric.
        chunk: pairs computed at once.

    Returns:
        ``[N]``, 0 for equal images.

    Raises:
        ValueError: shapes differ, or values are far outside [0, 1].

    """
    network = _network()
    return torch.cat([network(x, y).flatten() for x, y in _pairs(a, b, chunk)])


@torch.no_grad()
def lpips_map(a: Tensor, b: Tensor, chunk: int = 100) -> Tensor:
    """LPIPS at each pixel, ``[N, 1, H, W]``, whose mean is about that of :func:`lpips_distance`.

    Layers see more than a pixel, and are enlarged to the picture's size. Arguments and errors are
    those of :func:`lpips_distance`.
    """
    network: Any = _network()
    network.spatial = True
    try:
        return torch.cat([network(x, y) for x, y in _pairs(a, b, chunk)])
    finally:
        network.spatial = False


def _pairs(a: Tensor, b: Tensor, chunk: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Pictures as the network reads them, in [−1, 1]."""
    if a.shape != b.shape or a.ndim != 4 or a.shape[1] != 3:
        raise ValueError(f"LPIPS of {list(a.shape)} and {list(b.shape)}; expected two [N, 3, H, W]")
    low, high = min(a.min(), b.min()), max(a.max(), b.max())
    if low < -1e-3 or high > 1 + 1e-3:
        raise ValueError(f"LPIPS of values in [{low:.3g}, {high:.3g}]; expected RGB in [0, 1]")
    yield from zip((2 * a.cpu() - 1).split(chunk), (2 * b.cpu() - 1).split(chunk), strict=True)


def distances(pictures: Tensor, truth: Tensor, chunk: int = 4) -> dict[str, Tensor]:
    """Of large pictures from drawings: mean squared error, and LPIPS on white, ``[N]`` each.

    Args:
        pictures: premultiplied RGBA ``[N, 4, H, W]``; clamped to [0, 1] here.
        truth: one drawing for all ``[4, H, W]``, or one for each ``[N, 4, H, W]``, in [0, 1].
        chunk: pictures at once.

    """
    shown, wanted = pictures.clamp(0, 1), truth.expand_as(pictures)
    return {
        "mse": (shown - wanted).square().mean((1, 2, 3)),
        "lpips": lpips_distance(on_white(shown), on_white(wanted), chunk),
    }
