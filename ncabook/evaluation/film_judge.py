"""Which digits are in a picture of several: a judge of single ones, and where it is to look.

MNIST's digits have their centre of mass in the middle of a square of 28 × 28 pixels, and their ink
within some twelve pixels of it. So ink counts 1 − (d / 12)² at a distance of d, less than nothing
farther out; where the sum is largest, there is a digit. The judge says which; its square is
cleared, and the next is looked for. Digits that overlap mislead this in true pictures, too: what it
gets right of these stands beside what it gets right of told ones.
"""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

DIGIT, FAR = 28, 12  # pixels: a digit's square, and how far from its middle there is ink
RIM = 4  # pixels by which a square may stand out of the picture
CLASSES = 10

Answers = Callable[[Tensor], Tensor]


@torch.no_grad()
def digits_in(pictures: Tensor, count: int, answers: Answers) -> Tensor:
    """The digits that a judge sees in each picture, one after another.

    Args:
        pictures: ``[N, H, W]`` in [0, 1].
        count: digits to look for.
        answers: from ink ``[N, 1, 28, 28]`` to classes ``[N]``.

    Returns:
        int64 ``[N, count]``.

    """
    left = F.pad(pictures, (RIM,) * 4)[:, None].clone()
    along = (torch.arange(DIGIT, device=left.device) - (DIGIT - 1) / 2).square()
    kernel = 1 - (along[:, None] + along) / FAR**2
    found = []
    for _ in range(count):
        score = F.conv2d(left, kernel[None, None])
        best = score.flatten(1).argmax(1)
        row, column = best // score.shape[3], best % score.shape[3]
        line = torch.arange(DIGIT, device=left.device)
        rows, columns = row[:, None, None] + line[:, None], column[:, None, None] + line
        films = torch.arange(len(left), device=left.device)[:, None, None]
        found.append(answers(left[films, 0, rows, columns][:, None]))
        left[films, 0, rows, columns] = 0
    return torch.stack(found, 1)


def named(found: Tensor, labels: Tensor) -> Tensor:
    """Percent of a film's digits that are among those found: ``[N, D]`` twice → ``[N]``.

    A digit that is there twice has to be found twice.
    """
    both = (F.one_hot(x, CLASSES).sum(1) for x in (found, labels))
    return 100 * torch.minimum(*both).sum(1).float() / labels.shape[1]
