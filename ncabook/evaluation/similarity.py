"""Structural similarity of pictures, SSIM (Wang et al. 2004), as scikit-image computes it."""

import torch
import torch.nn.functional as F
from torch import Tensor

WINDOW = 7  # pixels


def ssim(a: Tensor, b: Tensor, *data_ranges: float) -> Tensor:
    """SSIM in windows of 7 × 7 pixels, averaged over those that lie inside, and over channels.

    Args:
        a: ``[N, C, H, W]``.
        b: likewise.
        data_ranges: between the smallest and the largest number there can be; 1 if none is given.
            OpenSTL's published figures have 2 for pictures in [0, 1], the usual of scikit-image up
            to 0.19, which makes all pictures more alike.

    Returns:
        ``[N]`` for one range, 1 for equal pictures; ``[ranges, N]`` for several.

    Raises:
        ValueError: shapes differ, or pictures are smaller than a window.

    """
    if a.shape != b.shape or a.ndim != 4 or min(a.shape[2:]) < WINDOW:
        raise ValueError(
            f"SSIM of {list(a.shape)} and {list(b.shape)}; expected two [N, C, H, W] of "
            f"{WINDOW}×{WINDOW} pixels or more"
        )
    a, b = a.double(), b.double()  # variances are differences of squares
    unbiased = WINDOW**2 / (WINDOW**2 - 1)
    first, second = _mean(a), _mean(b)
    both, squares = first * second, first**2 + second**2
    together = unbiased * (_mean(a * b) - both)
    variances = unbiased * (_mean(a * a + b * b) - squares)
    found = []
    for data_range in data_ranges or (1.0,):
        c1, c2 = (0.01 * data_range) ** 2, (0.03 * data_range) ** 2
        likeness = (2 * both + c1) * (2 * together + c2)
        found.append((likeness / ((squares + c1) * (variances + c2))).mean((1, 2, 3)).float())
    return found[0] if len(found) == 1 else torch.stack(found)


def _mean(x: Tensor) -> Tensor:
    return F.avg_pool2d(x, WINDOW, stride=1)
