"""Structural similarity of pictures, SSIM (Wang et al. 2004), as scikit-image computes it."""

import torch.nn.functional as F
from torch import Tensor

WINDOW = 7  # pixels


def ssim(a: Tensor, b: Tensor, data_range: float = 1.0) -> Tensor:
    """SSIM in windows of 7 × 7 pixels, averaged over those that lie inside, and over channels.

    Args:
        a: ``[N, C, H, W]``.
        b: likewise.
        data_range: between the smallest and the largest number there can be. OpenSTL's published
            figures have 2 for pictures in [0, 1], the usual of scikit-image up to 0.19, which makes
            all pictures more alike.

    Returns:
        ``[N]``, 1 for equal pictures.

    Raises:
        ValueError: shapes differ, or pictures are smaller than a window.

    """
    if a.shape != b.shape or a.ndim != 4 or min(a.shape[2:]) < WINDOW:
        raise ValueError(
            f"SSIM of {list(a.shape)} and {list(b.shape)}; expected two [N, C, H, W] of "
            f"{WINDOW}×{WINDOW} pixels or more"
        )
    a, b = a.double(), b.double()
    unbiased = WINDOW**2 / (WINDOW**2 - 1)

    def mean(x: Tensor) -> Tensor:
        return F.avg_pool2d(x, WINDOW, stride=1)

    first, second = mean(a), mean(b)
    variance_a = unbiased * (mean(a * a) - first**2)
    variance_b = unbiased * (mean(b * b) - second**2)
    together = unbiased * (mean(a * b) - first * second)
    c1, c2 = (0.01 * data_range) ** 2, (0.03 * data_range) ** 2
    likeness = (2 * first * second + c1) * (2 * together + c2)
    norm = (first**2 + second**2 + c1) * (variance_a + variance_b + c2)
    return (likeness / norm).mean((1, 2, 3)).float()
