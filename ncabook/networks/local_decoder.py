"""Pictures of any resolution from a coarse grid: a tiny network reads cells at any point.

After Pajouheshgar et al. 2025 (arXiv 2506.22899), from the paper: there is no code. A point's
colour comes from two things: the state there, between four cells interpolated linearly, and where
in its cell the point lies. The same numbers serve for every point, and points may be as dense as
one likes.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ncabook.networks.counted import Counted

HARMONICS = 2
PLACE = 4 * HARMONICS  # numbers that tell where in its cell a point lies
OMEGA = 4.0  # how fast the first sines turn, at first


class LocalDecoder(Counted):
    """From a state to colours at any points, by two layers of sines (SIREN, Sitzmann et al. 2020).

    Where in its cell a point lies is told by sines and cosines of that place, which are the same on
    both sides of a border: no seams.

    Args:
        state_channels: of the automaton's state; all of them are read.
        image_channels: 3 for RGB, 4 for premultiplied RGBA.
        hidden: width of both layers.

    """

    def __init__(self, state_channels: int, image_channels: int = 4, hidden: int = 64) -> None:
        super().__init__()
        if min(state_channels, image_channels, hidden) < 1:
            raise ValueError(
                f"state_channels {state_channels}, image_channels {image_channels} and hidden "
                f"{hidden}; expected at least 1 each"
            )
        self.state_channels = state_channels
        self.image_channels = image_channels
        self.first = nn.Linear(state_channels + PLACE, hidden)
        self.second = nn.Linear(hidden, hidden)
        self.last = nn.Linear(hidden, image_channels)
        inputs = self.first.in_features
        nn.init.uniform_(self.first.weight, -OMEGA / inputs, OMEGA / inputs)
        bound = math.sqrt(6 / hidden)
        nn.init.uniform_(self.second.weight, -bound, bound)

    def at(self, state: Tensor, points: Tensor) -> Tensor:
        """Colours ``[B, N, image_channels]`` of points.

        Args:
            state: ``[B, state_channels, H, W]``, a torus.
            points: row and column ``[B, N, 2]`` in cells; the middle of the first cell is (½, ½).

        """
        if state.ndim != 4 or state.shape[1] != self.state_channels:
            raise ValueError(
                f"state of shape {list(state.shape)}; expected [B, {self.state_channels}, H, W]"
            )
        features = torch.cat([interpolated(state, points), place(points)], dim=2)
        x = torch.sin(self.first(features))
        return self.last(torch.sin(self.second(x)))

    def forward(self, state: Tensor, factor: int) -> Tensor:
        """A whole picture, ``factor`` pixels along a cell: ``[B, C, factor · H, factor · W]``."""
        if factor < 1:
            raise ValueError(f"factor is {factor}; expected a whole number of pixels ≥ 1")
        batch, _, height, width = state.shape
        points = lattice(height, width, factor, state.device).expand(batch, -1, -1)
        colours = self.at(state, points)
        return colours.transpose(1, 2).unflatten(2, (factor * height, factor * width))


def lattice(height: int, width: int, factor: int, device: torch.device | str = "cpu") -> Tensor:
    """Middles of pixels, row by row, in cells: ``[1, factor² · height · width, 2]``."""
    rows, columns = (
        (torch.arange(factor * n, device=device) + 0.5) / factor for n in (height, width)
    )
    grid = torch.meshgrid(rows, columns, indexing="ij")
    return torch.stack(grid, dim=-1).flatten(0, 1)[None]


def place(points: Tensor) -> Tensor:
    """Where in their cells points ``[B, N, 2]`` lie: sines and cosines ``[B, N, 8]``."""
    turns = [2 * math.pi * k * points for k in range(1, HARMONICS + 1)]
    return torch.cat([f(turn) for turn in turns for f in (torch.sin, torch.cos)], dim=-1)


def interpolated(state: Tensor, points: Tensor) -> Tensor:
    """The state between four cells, linearly, on the torus: ``[B, N, C]``."""
    height, width = state.shape[2:]
    cells = F.pad(state, (1, 1, 1, 1), mode="circular")
    sides = points.new_tensor([height, width])
    wrapped = points.remainder(sides) + 1  # in the padded grid
    normal = 2 * wrapped / (sides + 2) - 1
    grid = normal.flip(-1)[:, :, None]  # x before y
    read = F.grid_sample(cells, grid.to(cells.dtype), mode="bilinear", align_corners=False)
    return read[..., 0].transpose(1, 2)


def scattered(
    height: int, width: int, count: int, generator: torch.Generator, device: str = "cpu"
) -> Tensor:
    """Points by chance, ``count`` in every cell: row and column, ``[1, count · H · W, 2]``.

    As many in each cell, so that the mean over them varies less than over as many anywhere.
    """
    if count < 1:
        raise ValueError(f"count is {count}; expected a whole number of points ≥ 1")
    within = torch.rand(height, width, count, 2, generator=generator, device=device)
    rows, columns = (torch.arange(n, device=device) for n in (height, width))
    corners = torch.stack(torch.meshgrid(rows, columns, indexing="ij"), dim=-1)
    return (corners[:, :, None] + within).reshape(1, -1, 2)
