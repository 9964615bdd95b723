"""The workloads of the paper's Table 2, all six rows: what a training iteration and a step cost.

A row is an automaton on the pixels of a picture, or on latents of an eighth of its side, which a
VQ-VAE's decoder turns into the picture; batch 1, half as many steps as the grid is wide. A training
iteration is a rollout, the squared error of the picture, and its gradient, without an optimiser.
All cells live: automata that grow from a seed compute fewer, and take less time.

The paper (§3.1.5) prints no channels and has published no code for the table. 64 channels with 80
features and 80 hidden units keep what its pixel row does; the book's own automata have 16.

:func:`law` says beforehand how much memory a row takes: what autograd keeps of one step and of one
decoded pixel is counted on a small grid, and multiplied. :mod:`ncabook.evaluation.apart` finds out.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from ncabook.automaton import NCA, ChannelLayout, ConvPerception, MLPUpdate, memory
from ncabook.automaton.precision import Precision, autocast
from ncabook.automaton.state import RGBA
from ncabook.evaluation.speed import synchronize
from ncabook.networks import VQVAE
from ncabook.networks.vqvae import Decoder

SPACES = ("latent", "pixel")
PICTURES = (256, 512, 1024)
CHANNELS = (64, 16)  # what the paper's pixel row seems to have, and the book's automata
WAYS = ("everything", "roots", "evaluation")
LATENT_CHANNELS, STAGES, BASE, CODES = 8, 3, 16, 512
WIDTH = 80  # features of the perception, and hidden units
COUNTED_ON = 64  # side of the grid, at most, on which one step's memory is counted
FLOAT = 4  # bytes
# The state that a rollout begins with, and a step's gradient, before and behind it.
STATES_IN_FLIGHT = 3


@dataclass(frozen=True)
class Case:
    """A row of Table 2 for one automaton.

    Attributes:
        space: "latent" or "pixel".
        picture: side in pixels, as the paper's row has it.
        channels: of a cell's state.
        device: "cpu" or a CUDA device.
        precision: of the products.
        scale: a divisor of all sides, for trials.

    """

    space: str
    picture: int
    channels: int = 64
    device: str = "cpu"
    precision: Precision = "float32"
    scale: int = 1

    @property
    def side(self) -> int:
        """Of the picture that is made, in pixels."""
        return self.picture // self.scale

    @property
    def grid(self) -> int:
        """Of the automaton, in cells."""
        return self.side // 2**STAGES if self.space == "latent" else self.side

    @property
    def steps(self) -> int:
        """The fewest that carry news from the centre to the edge, a cell a step (§3.1.5)."""
        return self.grid // 2

    @property
    def segment(self) -> int:
        """Steps of a segment, so that about √T states are kept."""
        return max(1, round(self.steps**0.5))

    def automaton(self) -> NCA:
        """With random weights. Latents have no alpha, and no cell of theirs is dead."""
        visible = LATENT_CHANNELS if self.space == "latent" else RGBA
        layout = ChannelLayout(visible=visible, hidden=self.channels - visible)
        parts = ConvPerception(self.channels, WIDTH), MLPUpdate(WIDTH, self.channels, [WIDTH])
        living = None if self.space == "latent" else 0.1
        return NCA(layout, *parts, living_threshold=living).to(self.device)

    def decoder(self) -> Decoder | None:
        """Of the latents; as the paper's, it is not trained with the automaton."""
        if self.space == "pixel":
            return None
        decoder = VQVAE(RGBA, LATENT_CHANNELS, CODES, BASE, STAGES).decoder
        return decoder.requires_grad_(False).to(self.device)

    def state(self, grid: int) -> Tensor:
        """``[1, C, grid, grid]`` in which all cells live."""
        state = torch.rand(1, self.channels, grid, grid, device=self.device)
        return state.contiguous(memory_format=torch.channels_last)


class Law(NamedTuple):
    """What a row keeps, in bytes, and what it therefore takes (eqs. of chapter 4).

    Attributes:
        kept: by autograd, per cell and step.
        state: per cell.
        decoder: by autograd, per pixel of the picture; 0 without a decoder.
        everything: of a training iteration that keeps everything.
        roots: of one that keeps √T states.

    """

    kept: float
    state: int
    decoder: float
    everything: int
    roots: int


def law(case: Case) -> Law:
    """A row's training memory, from one step and one small picture.

    Everything kept: ``f H W (T + 1)`` for the automaton, and all of the decoder's. √T states: they
    and the decoder's, or, when the decoder's is gone, they and one segment, whichever is more.
    Work space of libraries, some megabytes, is not in it: small rows take more.
    """
    nca, decoder = case.automaton(), case.decoder()
    grid = min(case.grid, COUNTED_ON)
    cells, pixels = case.grid**2, case.side**2
    small = case.state(grid)
    # As many cell-steps as the row has: who makes a step depends on them.
    steps = max(1, cells * case.steps // grid**2)
    with autocast(case.device, case.precision):
        kept = memory.kept_bytes(nca.step_function(small, None, steps), small, nca.parameters())
        decoded = 0
        if decoder is not None:
            latent, draw = small[:, :LATENT_CHANNELS], decoder
            decoded = memory.kept_bytes(lambda x, _: draw(x), latent, draw.parameters())
    kept_per_cell, per_pixel = kept / grid**2, decoded / (grid * case.side // case.grid) ** 2
    sizes = case.channels * FLOAT * cells, round(kept_per_cell * cells), cells
    states = -(-case.steps // case.segment) * sizes[0]
    shown = round(per_pixel * pixels)
    # And the picture, the one it should be, and the gradient of their distance.
    rest = STATES_IN_FLIGHT * sizes[0] + 3 * RGBA * FLOAT * pixels
    return Law(
        kept_per_cell,
        case.channels * FLOAT,
        per_pixel,
        memory.rollout_bytes(case.steps, case.steps, *sizes) + shown + rest,
        max(memory.rollout_bytes(case.steps, case.segment, *sizes), states + shown) + rest,
    )


def budget(case: Case, nca: NCA, state: Tensor) -> int:
    """Bytes with which :meth:`~ncabook.automaton.NCA.rollout` keeps about √T states."""
    step = nca.step_function(state, None, case.steps)
    kept = memory.kept_bytes(step, state, nca.parameters())
    cells = state.shape[-2] * state.shape[-1]
    return memory.rollout_bytes(case.steps, case.segment, state.nbytes, kept, cells)


def workload(case: Case, way: str, ahead: int = 0) -> Callable[[], dict[str, float]]:
    """What is measured: a training iteration, or a rollout without gradient.

    Args:
        case: the row.
        way: "everything" or "roots", what training keeps, or "evaluation".
        ahead: steps to be made later (``NCA.rollout``): a small grid then runs as a large one does.

    Returns:
        What does the work, and returns seconds by name; of the ``iteration``, or of the
        ``rollout`` and of the ``decoder``.

    Raises:
        ValueError: no such way.

    """
    if way not in WAYS:
        raise ValueError(f"no way {way!r}; there are {', '.join(WAYS)}")
    torch.manual_seed(0)
    nca, decoder, state = case.automaton(), case.decoder(), case.state(case.grid)
    target = torch.rand(1, RGBA, case.side, case.side, device=case.device)

    def now() -> float:
        synchronize()
        return time.perf_counter()

    def shown(state: Tensor) -> Tensor:
        visible = state[:, nca.layout.visible_slice]
        return visible if decoder is None else decoder(visible)

    def train() -> dict[str, float]:
        started = now()
        with autocast(case.device, case.precision):
            bytes_ = budget(case, nca, state) if way == "roots" else None
            after = nca.rollout(state, case.steps, memory=bytes_, ahead=ahead)
            picture = shown(after)
        nca.zero_grad()
        F.mse_loss(picture.float(), target).backward()
        return {"iteration": now() - started}

    def evaluate() -> dict[str, float]:
        started = now()
        with torch.no_grad(), autocast(case.device, case.precision):
            after = nca.rollout(state, case.steps, ahead=ahead)
            between = now()
            if decoder is None:
                return {"rollout": between - started}
            shown(after)
        return {"rollout": between - started, "decoder": now() - between}

    return evaluate if way == "evaluation" else train
