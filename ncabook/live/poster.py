"""The picture that stands in a live figure's place: in print, without scripts, before it starts."""

import base64
import io
from collections.abc import Mapping, Sequence
from typing import Any, cast

import torch
from PIL import Image
from torch import Tensor

from ncabook.automaton import NCA, Patchwork, centre_seed, first_cell, hashed_fire, ring_fire
from ncabook.automaton.state import RGB
from ncabook.evaluation.perceptual import on_white
from ncabook.live.film import Screen
from ncabook.live.sight import MOST_PIXELS
from ncabook.live.start import Start, start_of
from ncabook.networks import Decoder, LocalDecoder
from ncabook.training.screening import Screening

STEPS = 96
GAP = 2  # pixels between two pictures
RANGE = 2.5  # of latents in colours, on either side of 0
# Options of describe() that change the picture.
SEEN = ("decoder", "beside", "start", "inputs", "condition", "ring", "seeds", "film")
LOOKS = 16  # of a film


def figure_poster(
    automata: Sequence[NCA | Patchwork], description: Mapping[str, Any], options: Mapping[str, Any]
) -> str:
    """The poster of a figure, from what :func:`~ncabook.live.export.describe` took and gave."""
    names = ("height", "width", "class_index", "seed")
    given = {name: options[name] for name in SEEN if name in options}
    return poster(automata, **{name: description[name] for name in names}, **given)


@torch.no_grad()
def poster(
    automata: Sequence[NCA | Patchwork],
    height: int,
    width: int,
    class_index: int,
    seed: int,
    decoder: Decoder | LocalDecoder | None = None,
    beside: bool = False,
    start: Start = None,
    inputs: Mapping[str, Tensor] | None = None,
    condition: Tensor | None = None,
    ring: bool = False,
    seeds: Mapping[str, Tensor] | None = None,
    film: Screening | None = None,
) -> str:
    """What automata have become after 96 steps, or 16 frames: a PNG as a data URL.

    One pixel per cell, or as a decoder makes them, on white; the fire masks are those of the live
    figure, so that this is what it shows at that step. Arguments as for
    :func:`~ncabook.live.export.describe`.
    """
    pictures = []
    for one in automata:
        # The first automaton of a patchwork rules all cells to begin with.
        nca = one if isinstance(one, NCA) else cast(NCA, one.automata[0])
        begin = start_of(start, class_index)
        screen = Screen.of(film, nca, (height, width), {})
        if screen is not None:
            told = screen.watched(class_index, LOOKS, seed)[: 1 + beside]
            pictures += [frame[..., None].expand(-1, -1, RGB) for frame in told]
            continue
        local = isinstance(decoder, LocalDecoder)
        if local and begin is None:
            begin = first_cell(nca.layout, height, width)
            begin[:, : nca.layout.fixed] = 0
        if seeds:
            begin = centre_seed(nca.layout, height, width)
            cell = list(seeds.values())[class_index]
            begin[0, nca.layout.fixed :, height // 2, width // 2] = cell
        state = _grown(nca, height, width, class_index, seed, begin, inputs, condition, ring)
        state = state.nan_to_num()
        pictures.append(_picture(nca, state, decoder))
        if beside and decoder is not None:
            scale = MOST_PIXELS // max(height, width) if local else decoder.scale
            pictures.append(_latents(nca, state, scale))
    gap = torch.ones(len(pictures[0]), GAP, 3)
    parts = [part for picture in pictures for part in (gap, picture)][1:]
    pixels = (255 * torch.cat(parts, dim=1)).round().to(torch.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels.numpy()).quantize(256).save(file, "PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode("ascii")


def _grown(
    nca: NCA,
    height: int,
    width: int,
    class_index: int,
    seed: int,
    start: Tensor | None,
    inputs: Mapping[str, Tensor] | None,
    condition: Tensor | None,
    ring: bool,
) -> Tensor:
    """The state ``[1, C, H, W]`` after all steps."""
    device = next(nca.parameters()).device
    classes = nca.perception.condition_channels
    if condition is not None:
        told = condition[None].to(device)
    else:
        told = torch.eye(classes, device=device)[[class_index]] if classes else None
    seeded = centre_seed(nca.layout, height, width, 1, str(device))
    state = seeded if start is None else start.to(seeded).clone()
    if inputs:
        state[:, : nca.layout.fixed] = list(inputs.values())[class_index].to(device)
    for t in range(STEPS):  # not a rollout, which would first compile the CPU's fused step
        fire = hashed_fire(height, width, t, seed, nca.fire_rate)
        if ring and t == 0:
            fire = ring_fire(fire, nca.living_cells(state).cpu())
        state = nca.step(state, told, fire=fire.to(device))
    return state


def _picture(nca: NCA, state: Tensor, decoder: Decoder | LocalDecoder | None) -> Tensor:
    """``[H, W, 3]`` in [0, 1]."""
    # Matplotlib is slow to import; a widget needs none.
    from ncabook.figures import votes_picture

    if nca.layout.classes:
        return votes_picture(nca, state[0].cpu()).permute(1, 2, 0)
    visible = state[:, nca.layout.visible_slice]
    if isinstance(decoder, LocalDecoder):
        picture = decoder(state, MOST_PIXELS // max(state.shape[2:]))[0].cpu()
    else:
        picture = (visible if decoder is None else decoder(visible))[0].cpu()
    picture = picture.clamp(0, 1) if len(picture) == RGB else on_white(picture)
    return picture.permute(1, 2, 0)


def _latents(nca: NCA, state: Tensor, scale: int) -> Tensor:
    """``[H, W, 3]`` in [0, 1]: the first latents in colours, ``scale`` pixels along a side."""
    visible = state[0, nca.layout.visible_slice if nca.layout.visible else slice(None)].cpu()
    channels = [min(k, len(visible) - 1) for k in range(RGB)]
    colours = ((visible[channels] + RANGE) / (2 * RANGE)).clamp(0, 1)
    return colours.repeat_interleave(scale, 1).repeat_interleave(scale, 2).permute(1, 2, 0)
