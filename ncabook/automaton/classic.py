"""Classic cellular automata: the 256 elementary ones and Conway's Life, each written twice.

Once as a lookup table, the way the rule is usually told, and once as a convolution, the way a
neural automaton computes it (Gilpin 2019, "Cellular automata as convolutional neural
networks"). Both give the same bits. All grids are tori: left of the first cell is the last.

Cells are 0 or 1, uint8 or bool, and a step returns the dtype it was given. Any number of
batch dimensions may stand in front.
"""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from ncabook.automaton.state import check_tensor

WINDOW = 3  # cells across a neighbourhood; a torus needs as many, or a cell meets itself twice


def rule_table(number: int) -> Tensor:
    """The lookup table of elementary rule ``number``: uint8 ``[8]`` (Wolfram 1983).

    Entry k is the next state of a cell whose neighbourhood, read from left to right as a
    binary number, is k. The entries are therefore the bits of ``number``, lowest first.

    Raises:
        ValueError: ``number`` is not a whole number from 0 to 255.

    """
    if isinstance(number, bool) or not isinstance(number, int) or not 0 <= number <= 255:
        raise ValueError(f"rule number is {number!r}; expected a whole number from 0 to 255")
    return torch.tensor([number >> k & 1 for k in range(8)], dtype=torch.uint8)


def elementary_step(cells: Tensor, number: int) -> Tensor:
    """One step of elementary rule ``number`` by lookup: ``[..., width]`` → ``[..., width]``."""
    check_cells(cells, spatial=1)
    table = rule_table(number).to(cells.device, cells.dtype)
    left, centre, right = cells.long().roll(1, -1), cells.long(), cells.long().roll(-1, -1)
    return table[4 * left + 2 * centre + right]


def elementary_step_by_convolution(cells: Tensor, number: int) -> Tensor:
    """The same step as a network: eight filters of width 3, ReLU, and a 1×1 convolution.

    Filter k answers 1 to the neighbourhood k and 0 or less to the other seven, so after the
    ReLU the eight features are one-hot; the 1×1 convolution's weights are the rule's table.
    ``[..., width]`` → ``[..., width]``.
    """
    check_cells(cells, spatial=1)
    patterns = torch.tensor([[k >> 2 & 1, k >> 1 & 1, k & 1] for k in range(8)]).float()
    patterns = patterns.to(cells.device)
    x = cells.reshape(-1, 1, cells.shape[-1]).float()
    x = F.pad(x, (1, 1), mode="circular")
    features = F.relu(F.conv1d(x, 2 * patterns[:, None] - 1, bias=1 - patterns.sum(1)))
    out = F.conv1d(features, rule_table(number).to(x)[None, :, None])
    return out.reshape(cells.shape).to(cells.dtype)


def all_neighbourhoods() -> Tensor:
    """Every 3×3 neighbourhood, uint8 ``[512, 3, 3]``.

    Number k read row by row is k in binary, top left first. On a 3×3 torus the centre cell's
    neighbourhood is the whole grid, so a step of these 512 grids, read at ``[:, 1, 1]``, is the
    rule's complete table.
    """
    bits = torch.arange(512)[:, None] >> torch.arange(8, -1, -1) & 1
    return bits.to(torch.uint8).reshape(512, 3, 3)


def life_table() -> Tensor:
    """Life's lookup table, uint8 ``[512]``, in the order of :func:`all_neighbourhoods`.

    A dead cell with exactly three living neighbours is born, a living one with two or three
    survives, all others are dead in the next step (Gardner 1970).
    """
    neighbourhoods = all_neighbourhoods()
    alive = neighbourhoods[:, 1, 1] == 1
    neighbours = neighbourhoods.sum((1, 2)) - neighbourhoods[:, 1, 1]
    return ((neighbours == 3) | alive & (neighbours == 2)).to(torch.uint8)


def life_step(cells: Tensor) -> Tensor:
    """One step of Life by lookup: ``[..., height, width]`` → ``[..., height, width]``."""
    check_cells(cells, spatial=2)
    code = torch.zeros_like(cells, dtype=torch.long)
    for row in (-1, 0, 1):
        for column in (-1, 0, 1):
            code = 2 * code + cells.long().roll((-row, -column), (-2, -1))
    return life_table().to(cells.device, cells.dtype)[code]


def life_step_by_convolution(cells: Tensor) -> Tensor:
    """The same step as one convolution and an interval: ``[..., H, W]`` → ``[..., H, W]``.

    Two for every living neighbour and one for the cell itself: the sum is 5, 6 or 7 for exactly
    those neighbourhoods (2 + self, 3, 3 + self) after which the cell lives.
    """
    check_cells(cells, spatial=2)
    kernel = torch.tensor([[2.0, 2.0, 2.0], [2.0, 1.0, 2.0], [2.0, 2.0, 2.0]], device=cells.device)
    x = cells.reshape(-1, 1, *cells.shape[-2:]).float()
    total = F.conv2d(F.pad(x, (1, 1, 1, 1), mode="circular"), kernel[None, None])
    return ((total >= 5) & (total <= 7)).reshape(cells.shape).to(cells.dtype)


def evolve(cells: Tensor, steps: int, step: Callable[[Tensor], Tensor]) -> Tensor:
    """The start and the ``steps`` states after it, ``[steps + 1, *cells.shape]``."""
    if steps < 0:
        raise ValueError(f"steps is {steps}; expected a whole number ≥ 0")
    history = [cells]
    for _ in range(steps):
        history.append(step(history[-1]))
    return torch.stack(history)


def check_cells(cells: Tensor, spatial: int, window: int = WINDOW) -> None:
    """Refuses anything but a grid of zeros and ones with ``spatial`` or more dimensions.

    Args:
        cells: to be checked.
        spatial: dimensions of a grid.
        window: cells across a neighbourhood, which a torus must hold.

    """
    check_tensor("the grid of cells", cells)
    if cells.dtype not in (torch.uint8, torch.bool):
        raise TypeError(
            f"cells are {cells.dtype}; expected torch.uint8 or torch.bool "
            "(convert with cells.to(torch.uint8))"
        )
    wanted = "[..., width]" if spatial == 1 else "[..., height, width]"
    if cells.ndim < spatial:
        raise ValueError(f"cells of shape {list(cells.shape)}; expected {wanted}")
    if min(cells.shape[-spatial:]) < window:
        raise ValueError(
            f"cells of shape {list(cells.shape)}; a grid needs at least {window} cells "
            f"in each direction of {wanted}"
        )
    if cells.dtype == torch.uint8 and cells.numel() and int(cells.max()) > 1:
        raise ValueError(f"cells hold the value {int(cells.max())}; expected only 0 and 1")
