"""Kernel inception distance (Bińkowski et al. 2018) between two sets of pictures.

The unbiased squared maximum mean discrepancy of features, with the kernel (x·y / d + 1)³. Features
here are AlexNet's, whose weights the book has for LPIPS, so that figures compare with each other
and not with those of Inception. With a hundred pictures a set it is noisy: hence the interval.
"""

import torch
from torch import Tensor


def kid(a: Tensor, b: Tensor) -> float:
    """The distance of features ``[n, d]`` and ``[m, d]``; unbiased, so that it can be below zero.

    Raises:
        ValueError: fewer than two in a set, or features of different length.

    """
    if a.ndim != 2 or b.ndim != 2 or a.shape[1] != b.shape[1] or min(len(a), len(b)) < 2:
        raise ValueError(
            f"features of {list(a.shape)} and {list(b.shape)}; expected [n, d] and [m, d] of at "
            "least two each"
        )
    a, b = a.double(), b.double()

    def kernel(x: Tensor, y: Tensor) -> Tensor:
        return (x @ y.T / x.shape[1] + 1) ** 3

    own = 0.0
    for x in (a, b):
        n, k = len(x), kernel(x, x)
        own += float((k.sum() - k.diagonal().sum()) / (n * (n - 1)))
    return own - 2 * float(kernel(a, b).mean())


def kid_interval(
    a: Tensor, b: Tensor, draws: int = 200, share: float = 0.5, seed: int = 0
) -> tuple[float, float]:
    """A 95 % interval from random halves of both sets (drawn without replacement).

    Copies of a picture, as a bootstrap draws them, would count as similar; halves have none. Their
    spread is that of sets half as large, so the interval is wide rather than narrow.
    """
    generator = torch.Generator().manual_seed(seed)
    found = []
    for _ in range(draws):
        one, other = (
            x[torch.randperm(len(x), generator=generator)[: max(2, int(share * len(x)))]]
            for x in (a, b)
        )
        found.append(kid(one, other))
    low, high = torch.tensor(found).quantile(torch.tensor([0.025, 0.975])).tolist()
    return low, high
