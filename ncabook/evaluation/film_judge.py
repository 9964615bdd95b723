"""Which digits are in a picture of several: a judge of single ones, and where it is to look.

A digit lies in the middle of its square of 28 × 28 pixels, in 20 × 20 of them. Where most ink lies
inside, and least in the rim around it, there is one; the judge says which; its square is cleared,
and the next is looked for. Digits that overlap mislead this in true pictures, too: what it gets
right of these stands beside what it gets right of told ones.
"""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

DIGIT, RIM = 28, 4  # pixels; of a digit's square, and of the rim that has no ink
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
    found = []
    for _ in range(count):
        whole = F.avg_pool2d(left, DIGIT, stride=1) * DIGIT**2
        inner = F.avg_pool2d(left, DIGIT - 2 * RIM, stride=1) * (DIGIT - 2 * RIM) ** 2
        inner = inner[:, :, RIM:-RIM, RIM:-RIM]
        best = (2 * inner - whole).flatten(1).argmax(1)
        row, column = best // whole.shape[3], best % whole.shape[3]
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
