"""Light cones: which pixels of the input a cell can have heard of after some steps.

News travels one window per step, and only through cells that live and fire. With the coins given,
the set is exact, and no weights are needed: whatever an automaton computes, a cell's vote is a
function of the pixels in its cone. A network that sees nothing but cones is therefore a measure
of what cells could say at that step (``benchmarks/light_cone.py``).
"""

from collections.abc import Iterable, Iterator

import torch
from torch import Tensor


def light_cones(living: Tensor, fires: Iterable[Tensor], reach: int = 1) -> Iterator[Tensor]:
    """After each step, which pixels each cell's state can depend on.

    A cell that fires hears of the pixels in its window, and of all that the cells of its window
    have heard of. One that rests keeps what it knows. A dead cell says that it is dead, which is
    to say that no pixel of its own window is above the threshold: that much is known of it from
    the start, a step or two early.

    Args:
        living: which cells live, bool ``[B, 1, H, W]``; it is the input that decides, so it is
            the same in all steps (:meth:`ncabook.automaton.NCA.living`).
        fires: the steps' fire masks, bool ``[B, 1, H, W]`` each.
        reach: how far the perception's window reaches, in cells: 1 for 3 × 3. The living mask
            always looks at 3 × 3.

    Yields:
        bool ``[B, H, W, H · W]``: of each cell, the pixels. The torus has no border.

    Raises:
        ValueError: ``living`` is not of one channel, or ``reach`` is below 1.

    """
    if living.ndim != 4 or living.shape[1] != 1 or living.dtype != torch.bool or reach < 1:
        raise ValueError(
            f"living is {living.dtype} {list(living.shape)}, reach {reach}; "
            "expected bool [B, 1, H, W], reach ≥ 1"
        )
    height, width = living.shape[2:]
    own = torch.eye(height * width, dtype=torch.bool, device=living.device)
    own = own.view(1, height, width, -1)
    seen, about = _gathered(own, reach), _gathered(own, 1)
    alive = living[:, 0, :, :, None]
    known = about & ~alive
    for fire in fires:
        awake = fire[:, 0, :, :, None] & alive
        known = known | ((seen | _gathered(known, reach)) & awake)
        yield known


def _gathered(known: Tensor, reach: int) -> Tensor:
    """What all cells of a window know, ``[B, H, W, P]``, on a torus."""
    for axis in (1, 2):
        parts = [known.roll(shift, axis) for shift in range(-reach, reach + 1)]
        known = torch.stack(parts).any(0)
    return known
