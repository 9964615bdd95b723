"""The look of every figure, and the few plots that several chapters share."""

import sys
from collections.abc import Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import torch
from cycler import cycler
from matplotlib.figure import Figure
from torch import Tensor

from ncabook.automaton import NCA
from ncabook.data.colors import class_colors
from ncabook.evaluation.perceptual import on_white
from ncabook.figures import pictures, tables
from ncabook.training.classification import voters

WIDTH = 7.0  # inches; every figure of the book is this wide
# Okabe and Ito's colours: told apart by colour-blind readers too.
COLORS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9"]
LEAST_INK, PHOTO = 0.35, 0.45  # as in the live figure


def use_style() -> None:
    """Sets Matplotlib, and pandas in a notebook, up for the book; chapters call it once.

    In a notebook, figures become drawings that a page can show in light and dark, on a desk and
    on a phone (:mod:`ncabook.figures.pictures`), and tables are whole
    (:mod:`ncabook.figures.tables`).
    """
    plt.rcParams.update(
        {
            "figure.figsize": (WIDTH, 2.6),
            "figure.dpi": 110,
            "figure.constrained_layout.use": True,
            "axes.prop_cycle": cycler(color=COLORS),
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.grid": True,
            "grid.alpha": 0.25,
            "font.size": 9,
            "legend.frameon": False,
        }
    )
    if (shell := _notebook()) is not None:
        pictures.install(shell)
        tables.install(shell)


def _notebook() -> Any:
    """The shell of the notebook that this runs in; None elsewhere."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return shell if hasattr(shell, "kernel") else None


def votes_picture(nca: NCA, state: Tensor) -> Tensor:
    """Voters in the colours of their votes: a state ``[C, H, W]`` → RGB ``[3, H, W]`` in [0, 1].

    On white, paler where a cell sees no ink itself; on a photograph, it shines through.
    """
    layout = nca.layout
    colors = class_colors()
    color = colors[state[layout.class_slice].argmax(0) % len(colors)].permute(2, 0, 1)
    image, votes = state[: layout.fixed].clamp(0, 1), voters(nca, state[None])[0]
    if layout.fixed == 3:
        return torch.where(votes, PHOTO * image + (1 - PHOTO) * color, image)
    ink = votes * (LEAST_INK + (1 - LEAST_INK) * image[:1])
    return 1 + ink * (color - 1)


@torch.no_grad()
def film(
    nca: NCA,
    start: Tensor,
    moments: Sequence[int],
    seed: int = 0,
    hurt: tuple[int, Tensor] | None = None,
    condition: Tensor | None = None,
) -> Tensor:
    """States after each of some steps, ``[len(moments), B, C, H, W]``.

    Args:
        nca: an automaton.
        start: ``[B, C, H, W]``.
        moments: rising numbers of steps.
        seed: of the fire masks.
        hurt: a step, and the mask that the state is multiplied by after it.
        condition: what the automaton is told, ``[B, D]`` or ``[B, D, H, W]``.

    """
    generator = torch.Generator(start.device).manual_seed(seed)
    state, frames, now = start, [], 0
    for moment in moments:
        if hurt is not None and now <= hurt[0] < moment:
            state = nca.rollout(state, hurt[0] - now, condition, generator=generator)
            state, now = state * hurt[1], hurt[0]
        state, now = nca.rollout(state, moment - now, condition, generator=generator), moment
        frames.append(state)
    return torch.stack(frames)


def show_images(
    images: Sequence[Tensor | np.ndarray],
    titles: Sequence[str] = (),
    columns: int | None = None,
    cmap: str = "viridis",
    limits: tuple[float, float] | None = None,
) -> Figure:
    """Images side by side: RGB(A) or state ``[≥3, H, W]``, or one channel ``[H, W]`` in colours."""
    columns = columns or len(images)
    rows = -(-len(images) // columns)
    height = WIDTH / columns * rows + (0.3 * rows if titles else 0)
    figure, axes = plt.subplots(rows, columns, figsize=(WIDTH, height), squeeze=False)
    for axis in axes.flat:
        axis.axis("off")
    for i, image in enumerate(images):
        axis = axes.flat[i]
        data = torch.as_tensor(image).detach().float().cpu()
        if data.ndim == 3:
            rgb = on_white(data) if data.shape[0] >= 4 else data.clamp(0, 1)
            axis.imshow(rgb.permute(1, 2, 0).numpy())
        else:
            low, high = limits or (float(data.min()), float(data.max()))
            axis.imshow(data.numpy(), cmap=cmap, vmin=low, vmax=high)
        if i < len(titles):
            axis.set_title(titles[i])
    return figure
