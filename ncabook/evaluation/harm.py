"""What the protocols do to a grown pattern: fixed masks and fixed new classes, for every model."""

import math

import torch
from torch import Tensor

from ncabook.training.perturbation import circle_mask, half_mask

HALVES = ("right", "bottom", "left", "top")


def damage_masks(count: int, height: int, width: int) -> Tensor:
    """The protocol's half removals for rollouts 0 … ``count`` − 1, ``[count, 1, H, W]``."""
    angles = torch.arange(count) % len(HALVES) * (math.pi / 2)
    return half_mask(height, width, angles)


def circle_masks(count: int, height: int, width: int) -> Tensor:
    """The protocol's three circles: radius 1/10 of the side, centres 1/6 of it off the middle."""
    side = min(height, width)
    turn = torch.arange(count) % 4 * (math.pi / 6)
    masks = torch.ones(count, 1, height, width)
    for k in range(3):
        angle = turn + k * (2 * math.pi / 3)
        row = (height - 1) / 2 + side / 6 * torch.sin(angle)
        column = (width - 1) / 2 + side / 6 * torch.cos(angle)
        masks = masks * circle_mask(height, width, row, column, side / 10)
    return masks


def mutated_classes(classes: Tensor, rollouts: Tensor, count: int) -> Tensor:
    """The protocol's new class for each class and rollout number, both ``[N]``."""
    return (classes + 1 + rollouts % (count - 1)) % count
