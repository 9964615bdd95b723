"""The picture that stands in a live figure's place: in print, without scripts, before it starts."""

import base64
import io
from collections.abc import Sequence

import torch
from PIL import Image
from torch import Tensor

from ncabook.automaton import NCA, centre_seed, hashed_fire

STEPS = 96
GAP = 2  # pixels between two pictures


@torch.no_grad()
def poster(automata: Sequence[NCA], height: int, width: int, class_index: int, seed: int) -> str:
    """What automata have grown from one cell in 96 steps, side by side: a PNG as a data URL.

    One pixel per cell, on white; the fire masks are those of the live figure, so that this is
    what it shows at that step.
    """
    pictures = [_grown(nca, height, width, class_index, seed) for nca in automata]
    gap = torch.ones(height, GAP, 3)
    parts = [part for picture in pictures for part in (gap, picture)][1:]
    pixels = (255 * torch.cat(parts, dim=1)).round().to(torch.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels.numpy()).quantize(256).save(file, "PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode("ascii")


def _grown(nca: NCA, height: int, width: int, class_index: int, seed: int) -> Tensor:
    """``[H, W, 3]`` in [0, 1]."""
    from ncabook.figures import on_white  # Matplotlib is slow to import; a widget needs none

    device = next(nca.parameters()).device
    classes = nca.perception.condition_channels
    condition = torch.eye(classes, device=device)[[class_index]] if classes else None
    state = centre_seed(nca.layout, height, width, 1, device)
    for t in range(STEPS):  # not a rollout, which would first compile the CPU's fused step
        fire = hashed_fire(height, width, t, seed, nca.fire_rate).to(device)
        state = nca.step(state, condition, fire=fire)
    return on_white(state[0, nca.layout.visible_slice].cpu().nan_to_num()).permute(1, 2, 0)
