"""Light cones: which pixels of the input a cell can have heard of after some steps.

News travels one window per step, and only through cells that live and fire. With the coins given,
the set is exact, and no weights are needed: whatever an automaton computes, a cell's vote is a
function of the pixels in its cone. A network that sees nothing but cones is therefore a measure
of what cells could say at that step (``benchmarks/light_cone.py``).
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from ncabook.automaton.cpu.look import wider


def light_cone(living: Tensor, fires: Sequence[Tensor], cell: Tensor, reach: int = 1) -> Tensor:
    """The pixels that a cell's state can depend on after some steps, one cell of each image.

    It is found backwards, from the cell: a cell that fires has seen the pixels of its window, and
    the states of its window, which depend on what their cells saw in earlier steps. One that
    rests, or is dead, has seen nothing. A dead cell says one thing, that it is dead, which is to
    say that no pixel of its own 3 × 3 window is above the threshold: those count as known.

    Args:
        living: which cells live, bool ``[B, 1, H, W]``; it is the input that decides, so it is
            the same in all steps (:meth:`ncabook.automaton.NCA.living`).
        fires: the steps' fire masks in their order, bool ``[B or 1, 1, H, W]`` each.
        cell: row · W + column of the cell of each image, int64 ``[B]``.
        reach: how far the perception's window reaches, in cells: 1 for 3 × 3.

    Returns:
        bool ``[B, 1, H, W]``, True for the pixels. The torus has no border.

    Raises:
        ValueError: shapes or types are others.

    """
    if living.ndim != 4 or living.shape[1] != 1 or living.dtype != torch.bool or reach < 1:
        raise ValueError(
            f"living is {living.dtype} {list(living.shape)}, reach {reach}; "
            "expected bool [B, 1, H, W], reach ≥ 1"
        )
    batch, _, height, width = living.shape
    cells = height * width
    if cell.shape != (batch,) or not bool(((cell >= 0) & (cell < cells)).all()):
        raise ValueError(
            f"cell is {list(cell.shape)}; expected [{batch}], numbers from 0 to {cells - 1}"
        )
    matters = F.one_hot(cell, cells).bool().view(batch, 1, height, width)
    known = torch.zeros_like(matters)
    for fire in reversed(fires):
        seen = wider(matters & living & fire, 2 * reach + 1)
        known, matters = known | seen, matters | seen
    return known | wider(matters & ~living, 3)
