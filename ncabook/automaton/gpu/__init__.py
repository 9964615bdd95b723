"""Fast steps on a GPU: fused Triton kernels, and whole rollouts as CUDA graphs.

:func:`supports` says whether an automaton, a state and a condition are covered; where it says
no, the plain PyTorch step is the way. :class:`~ncabook.automaton.gpu.step.FusedStep` is one
step with its gradients, :func:`fused_step` the same in one call, and
:mod:`~ncabook.automaton.gpu.graphs` replays whole rollouts without launching kernels one by one.
Importing this package needs no Triton: only the first fused step does.
"""

import importlib.util
import os
from typing import Any

import torch
from torch import Tensor

from ncabook.automaton.attention import LocalAttention
from ncabook.automaton.gpu.packing import LARGEST, MOST_HEADS, branches_of
from ncabook.automaton.nca import NCA
from ncabook.automaton.perception import ConvPerception
from ncabook.automaton.update import MLPUpdate

__all__ = ["fused_step", "supports"]


def supports(nca: NCA, state: Tensor, encoded: Any) -> bool:
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
        and all(share.shape[-2:] == (1, 1) for share in _shares(encoded))
        and _fits_int32(nca, state)
    )


def fused_step(
    nca: NCA, state: Tensor, encoded: Any, fire: Tensor, dtype: torch.dtype = torch.bfloat16
) -> Tensor:
    """One step; for many, lay the parameters out once with a ``FusedStep``.

    Args:
        nca: the automaton.
        state: float32 ``[B, C, H, W]``.
        encoded: what the perception's ``encode`` returned, for no condition or a vector.
        fire: bool ``[1 or B, 1, H, W]``.
        dtype: of the operands of matrix products, bfloat16 or float32.

    Raises:
        ValueError: if :func:`supports` says no.

    """
    if not supports(nca, state, encoded):
        raise ValueError(
            "the fused step does not cover this automaton, device or condition; see supports()"
        )
    from ncabook.automaton.gpu.step import FusedStep  # needs Triton

    return FusedStep(nca, encoded, dtype)(state, fire)


def _runs_on(device: torch.device) -> bool:
    if importlib.util.find_spec("triton") is None:
        return False
    if device.type == "cuda":  # Triton launches on the current device
        return device.index == torch.cuda.current_device()
    return os.environ.get("TRITON_INTERPRET") == "1"


def _covers(nca: NCA) -> bool:
    if type(nca.update) is not MLPUpdate or len(nca.update.layers) != 2:
        return False
    if max(nca.layout.channels, nca.update.layers[0].out_features) > LARGEST:
        return False
    if type(nca.perception) is LocalAttention:
        attention = nca.perception.attention
        return nca.perception.out_channels <= LARGEST and attention.heads <= MOST_HEADS
    return all(type(branch) is ConvPerception for branch in branches_of(nca.perception))


def _shares(encoded: Any) -> list[Tensor]:
    parts = encoded if isinstance(encoded, list) else [encoded]
    return [part for part in parts if part is not None]


def _fits_int32(nca: NCA, state: Tensor) -> bool:
    """Kernels number a tensor's values with 32 bits."""
    widest = max(LARGEST, nca.perception.out_channels)
    matrices = 3
    if type(nca.perception) is LocalAttention:
        attention = nca.perception.attention
        widest = max(3 * LARGEST, attention.heads * (2 * attention.reach + 1) ** 2)
    else:
        for branch in branches_of(nca.perception):
            blocks = 1 + (branch.out_channels - 1) // LARGEST
            matrices += blocks * branch.conv.kernel_size[0] ** 2
    # Gradients of matrices are summed in parts, at least one for every sample.
    return max(state[:, 0].numel() * widest, len(state) * matrices * LARGEST**2) < 2**31
