"""How a filled hole is measured, and what fills one without an automaton.

All in pictures: the peak signal-to-noise ratio in decibels, SSIM and LPIPS, of the pixels in the
hole and of the whole picture. *Pasted*, what is known is as it was; unpasted, what an autoencoder
makes of it counts, too.
"""

from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ncabook.data.holes import GRAY, check_holes
from ncabook.evaluation.autoencoder import seen
from ncabook.evaluation.perceptual import lpips_distance, lpips_map
from ncabook.extras import need

WINDOW, SIGMA = 11, 1.5  # of SSIM (Wang et al. 2004)
LARGEST = 160**2  # pixels; of larger pictures the biharmonic equation takes minutes


def pasted(made: Tensor, truth: Tensor, missing: Tensor) -> Tensor:
    """``made`` in the hole, the truth elsewhere, ``[N, C, H, W]`` in [0, 1]."""
    check_holes(missing, truth)
    return torch.lerp(truth, made.clamp(0, 1), missing)


@torch.no_grad()
def scores(made: Tensor, truth: Tensor, missing: Tensor) -> dict[str, Tensor]:
    """Of each picture, ``[N]`` by name.

    Args:
        made: whole pictures, ``[N, C, H, W]``.
        truth: likewise, in [0, 1].
        missing: the holes, ``[N, 1, H, W]``.

    Returns:
        ``inside``: decibels in the hole; ``overall``: of the pasted picture, ``unpasted``: of the
        other; ``ssim`` and ``lpips`` of the pasted one, both also with ``_inside``; and
        ``lpips_unpasted``.

    """
    made = made.clamp(0, 1)
    whole = pasted(made, truth, missing)
    error = (whole - truth).square().mean((1, 2, 3))
    wanted, shown = seen(truth), seen(whole)
    likeness, distance = ssim_map(shown, wanted), lpips_map(shown, wanted)
    return {
        "inside": decibels_inside(made, truth, missing),
        "overall": _decibels(error),
        "unpasted": _decibels((made - truth).square().mean((1, 2, 3))),
        "ssim": likeness.mean((1, 2, 3)),
        "ssim_inside": _inside(likeness, missing),
        "lpips": lpips_distance(shown, wanted),
        "lpips_inside": _inside(distance, missing),
        "lpips_unpasted": lpips_distance(seen(made), wanted),
    }


def decibels_inside(made: Tensor, truth: Tensor, missing: Tensor) -> Tensor:
    """The peak signal-to-noise ratio in the hole, ``[N]``; arguments as for :func:`scores`."""
    error = (made.clamp(0, 1) - truth).square().mean(1, keepdim=True)
    return _decibels(_inside(error, missing))


def _inside(values: Tensor, missing: Tensor) -> Tensor:
    """Means over holes, ``[N]``."""
    return (values * missing).sum((1, 2, 3)) / missing.sum((1, 2, 3))


def _decibels(error: Tensor) -> Tensor:
    return -10 * error.clamp_min(1e-10).log10()


def ssim_map(a: Tensor, b: Tensor) -> Tensor:
    """Structural similarity at each pixel, ``[N, 1, H, W]``, of RGB in [0, 1] (Wang et al. 2004).

    With a Gaussian window, mirrored at the edges; the mean over channels.
    """
    along = torch.arange(WINDOW) - WINDOW // 2
    weights = torch.exp(-(along**2) / (2 * SIGMA**2))
    weights = (weights / weights.sum()).to(a)
    channels = a.shape[1]

    def mean(x: Tensor) -> Tensor:
        x = F.pad(x, [WINDOW // 2] * 4, mode="reflect")
        for shape in ((1, 1, WINDOW, 1), (1, 1, 1, WINDOW)):
            kernel = weights.view(shape).expand(channels, -1, -1, -1)
            x = F.conv2d(x, kernel, groups=channels)
        return x

    first, second = mean(a), mean(b)
    spread, other = mean(a * a) - first**2, mean(b * b) - second**2
    both = mean(a * b) - first * second
    c, d = 0.01**2, 0.03**2
    likeness = (2 * first * second + c) * (2 * both + d)
    likeness = likeness / ((first**2 + second**2 + c) * (spread + other + d))
    return likeness.mean(1, keepdim=True)


Filler = Callable[[Tensor, Tensor], Tensor]


def gray(truth: Tensor, missing: Tensor) -> Tensor:
    """Gray, or nothing where pictures have an alpha."""
    return torch.full_like(truth, GRAY if truth.shape[1] == 3 else 0.0)


def biharmonic(truth: Tensor, missing: Tensor) -> Tensor:
    """The smoothest surface with the known values and slopes at the hole's edge (scikit-image).

    Raises:
        ModuleNotFoundError: scikit-image is not installed.

    """
    need("skimage", "inpainting", "biharmonic inpainting")
    from skimage.restoration import inpaint_biharmonic

    holes = missing[:, 0].numpy() > 0
    known = (truth * (1 - missing)).double().numpy()
    made = [inpaint_biharmonic(x, m, channel_axis=0) for x, m in zip(known, holes, strict=True)]
    return torch.from_numpy(np.stack(made)).float().clamp(0, 1)


def simple_fillers(train: Tensor) -> dict[str, Filler]:
    """What fills a hole without having learned how, by name.

    Args:
        train: uint8 ``[N, C, H, W]``, of which the mean picture is.

    """
    mean = torch.stack([part.float().mean(0) for part in train.split(500)])
    sizes = torch.tensor([len(part) for part in train.split(500)])[:, None, None, None]
    mean = (mean * sizes).sum(0) / (255 * len(train))
    found: dict[str, Filler] = {
        "gray": gray,
        "mean picture": lambda truth, missing: mean.expand_as(truth),
    }
    if train.shape[2] * train.shape[3] <= LARGEST:
        found["biharmonic"] = biharmonic
    return found
