"""Fast steps on a GPU: fused Triton kernels.

:func:`supports` says whether an automaton, a state and a condition are covered; where it says
no, the plain PyTorch step is the way. :class:`~ncabook.automaton.gpu.step.FusedStep` is one
step with its gradients, and
:mod:`ncabook.automaton.graphs` replays whole rollouts of it without launching kernels one by one.
Importing this package needs no Triton: only the first fused step does.
"""

import importlib.util
import logging
import os
from collections.abc import Callable, Sequence
from typing import Any, cast

import torch
from torch import Tensor

from ncabook.automaton.attention import LocalAttention
from ncabook.automaton.gpu.packing import LARGEST, MOST_HEADS
from ncabook.automaton.known import changed
from ncabook.automaton.perception import LEAKY_SLOPE, ConvPerception
from ncabook.automaton.rule import Rule
from ncabook.automaton.update import MLPUpdate

__all__ = ["fused", "supports", "trusted"]

# Of bfloat16 operands, and of a cell whose alpha rounding carries over the living threshold.
LARGEST_DIFFERENCE = 0.1
# By chance one of them may carry more cells over the threshold; not all do.
TRIALS = 3

log = logging.getLogger(__name__)


def supports(nca: Rule, state: Tensor, encoded: Any) -> bool:
    """Whether the fused step covers this automaton, state and condition.

    It does for a convolution, several side by side, or :class:`LocalAttention`, an update with
    one hidden layer, at most 128 channels, hidden or attention features, no condition or a
    vector per sample, in float32, on the current CUDA device with Triton installed (or on the
    CPU under Triton's interpreter, ``TRITON_INTERPRET=1``).

    Args:
        nca: the automaton.
        state: ``[B, C, H, W]``.
        encoded: what the perception's ``encode`` returned.

    """
    return (
        _runs_on(state.device)
        and _covers(nca)
        and state.dtype == torch.float32
        and all(p.dtype == torch.float32 and p.device == state.device for p in nca.parameters())
        and min(state.shape[2:]) >= nca.perception.reach
        and all(
            share.shape[-2:] == (1, 1)
            for share in nca.perception.shares(encoded)
            if share is not None
        )
        and _fits_int32(nca, state)
    )


def fused(nca: Rule, encoded: Any, dtype: torch.dtype) -> Callable[[Tensor, Tensor], Tensor]:
    """The fused step for a rollout: from a state and a fire mask to the next state."""
    from ncabook.automaton.gpu.step import FusedStep  # needs Triton

    return FusedStep(nca, encoded, dtype).__call__


_verdicts: dict[Any, bool] = {}


def trusted(nca: Rule, device: torch.device) -> bool:
    """Whether the fused step agrees with the plain one on this device, tried once per kind.

    Kernels are compiled for the GPU at hand by the Triton at hand; a compiler's mistake must not
    become a training's. A small step with gradients is made both ways in bfloat16; where it
    fails, or differs by more than a few roundings, a warning says so and the plain step is used.
    """
    parts = [type(branch).__name__ for branch in nca.perception.branches]
    shapes = (tuple(p.shape) for p in nca.parameters())
    key = (device, *parts, *shapes, nca.layout, nca.living_threshold)
    if key not in _verdicts:
        try:
            difference = min(_difference(nca, device, seed) for seed in range(TRIALS))
            _verdicts[key] = difference < LARGEST_DIFFERENCE
            reason = f"its results differ by {difference:.1%}"
        except Exception as error:  # a compiler can fail in many ways
            _verdicts[key], reason = False, f"{type(error).__name__}: {error}".splitlines()[0]
        if not _verdicts[key]:
            log.warning("the fused GPU step is not used (%s); rollouts are slower", reason)
    return _verdicts[key]


def _difference(nca: Rule, device: torch.device, seed: int) -> float:
    """The largest relative difference between fused and plain, of states and gradients.

    Half of the cells are dead, and not zero: a step without the living mask shows.
    """
    generator = torch.Generator().manual_seed(seed)
    side = max(16, nca.perception.reach)
    state = torch.rand(2, nca.layout.channels, side, side, generator=generator)
    if nca.living_threshold is not None:
        state[:, nca.layout.living, :, : side // 2] = 0
    state = state.to(device)
    fire = (torch.rand(2, 1, side, side, generator=generator) < 0.5).to(device)
    channels = nca.perception.condition_channels
    condition = torch.rand(2, channels, generator=generator).to(device) if channels else None
    parameters = [p for p in nca.parameters() if p.requires_grad]
    ways = []
    for plain in (True, False):
        with torch.enable_grad():
            leaf = state.clone().requires_grad_()
            encoded = nca.perception.encode(condition)
            if plain:
                after = nca.step(leaf, condition, fire=fire)
            else:
                after = fused(nca, encoded, torch.bfloat16)(leaf, fire)
            loss = after.square().sum()
            ways.append([after.detach(), *torch.autograd.grad(loss, [leaf, *parameters])])
    return max(float((b - a).norm() / (a.norm() + 1e-12)) for a, b in zip(*ways, strict=True))


def _runs_on(device: torch.device) -> bool:
    if importlib.util.find_spec("triton") is None:
        return False
    if device.type == "cuda":  # Triton launches on the current device
        return device.index == torch.cuda.current_device()
    return os.environ.get("TRITON_INTERPRET") == "1"


def _covers(nca: Rule) -> bool:
    if changed(nca) is not None:
        return False
    if type(nca.update) is not MLPUpdate or len(nca.update.layers) != 2:
        return False
    if nca.update.slope != LEAKY_SLOPE:  # which stands in the kernels
        return False
    if max(nca.layout.channels, nca.update.layers[0].out_features) > LARGEST:
        return False
    if type(nca.perception) is LocalAttention:
        attention = nca.perception.attention
        return nca.perception.out_channels <= LARGEST and attention.heads <= MOST_HEADS
    return all(type(branch) is ConvPerception for branch in nca.perception.branches)


def _fits_int32(nca: Rule, state: Tensor) -> bool:
    """Kernels number a tensor's values with 32 bits."""
    widest = max(LARGEST, nca.perception.out_channels)
    matrices = 3
    if type(nca.perception) is LocalAttention:
        attention = nca.perception.attention
        widest = max(3 * LARGEST, attention.heads * (2 * attention.reach + 1) ** 2)
    else:
        for branch in cast(Sequence[ConvPerception], nca.perception.branches):
            blocks = 1 + (branch.out_channels - 1) // LARGEST
            matrices += blocks * branch.conv.kernel_size[0] ** 2
    # Gradients of matrices are summed in parts, at least one for every sample.
    return max(state[:, 0].numel() * widest, len(state) * matrices * LARGEST**2) < 2**31
