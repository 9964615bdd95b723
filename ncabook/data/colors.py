"""A colour for each of ten classes, in drawings, in the live figure and in seeds."""

import torch
from torch import Tensor

# Paul Tol's "muted" and orange: told apart by colour-blind readers too.
CLASS_COLORS = [
    *("#cc6677", "#332288", "#ddcc77", "#117733", "#88ccee"),
    *("#882255", "#44aa99", "#999933", "#aa4499", "#ee7733"),
]


def class_colors() -> Tensor:
    """The ten colours, RGB in [0, 1], ``[10, 3]``."""
    parts = [[int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)] for color in CLASS_COLORS]
    return torch.tensor(parts)
