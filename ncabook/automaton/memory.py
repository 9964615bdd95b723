"""Training in less memory: keep a few states of a rollout, compute the rest again.

Backpropagation needs every step's activations. Keeping only the state at the start of each
segment, and running the segment a second time when its turn comes in the backward pass, bounds
the memory at the price of at most one more forward pass (Chen et al. 2016, "Training deep nets
with sublinear memory cost").
"""

from collections.abc import Callable, Iterable
from contextlib import nullcontext

import torch
from torch import Tensor
from torch.autograd.graph import saved_tensors_hooks
from torch.utils.checkpoint import checkpoint

from ncabook.automaton.denormals import flushed_denormals

Step = Callable[[Tensor, Tensor], Tensor]


def kept_bytes(step: Step, like: Tensor, parameters: Iterable[Tensor]) -> int:
    """Bytes that autograd keeps for one step of a batch ``like`` this, all of its cells alive.

    Args:
        step: from a state ``[B, C, H, W]`` and a fire mask ``[B, 1, H, W]`` to the next state.
        like: ``[B, C, H, W]``; gives shape, dtype and device.
        parameters: what is in memory anyway.

    """
    known = {p.untyped_storage().data_ptr() for p in parameters}
    kept: dict[int, int] = {}

    def note(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in known:
            kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    batch, _, height, width = like.shape
    fire = torch.ones(batch, 1, height, width, dtype=torch.bool, device=like.device)
    with torch.enable_grad(), saved_tensors_hooks(note, lambda tensor: tensor):
        after = step(torch.ones_like(like).requires_grad_(), fire)  # lives until all is counted
    total = sum(kept.values())
    del after
    return total


def rollout_bytes(
    steps: int, length: int, state_bytes: int, kept_bytes: int, fire_bytes: int
) -> int:
    """Bytes at the peak of a rollout and its gradient, run in segments of ``length`` steps.

    Per cell ``C T / k + f (k + 1) + T / 4`` numbers of four bytes: the states at the segments'
    beginnings, what autograd keeps of one segment, and the fire masks. A step in flight holds about
    as much again in temporaries as it keeps. With ``length`` = ``steps``, all is kept.

    Args:
        steps: of the rollout.
        length: steps of a segment.
        state_bytes: of one state of the whole batch.
        kept_bytes: what one step keeps for the whole batch.
        fire_bytes: of one step's fire mask.

    """
    states = -(-steps // length) * state_bytes if length < steps else 0
    return states + (length + 1) * kept_bytes + steps * fire_bytes


def segment_length(
    steps: int, budget: int, state_bytes: int, kept_bytes: int, fire_bytes: int
) -> int:
    """The longest segment whose rollout fits the budget; ``steps`` if nothing need be cut.

    Args:
        steps: of the rollout.
        budget: bytes for everything that the rollout keeps for its gradient.
        state_bytes: of one state of the whole batch.
        kept_bytes: what one step keeps for the whole batch.
        fire_bytes: of one step's fire mask.

    Raises:
        ValueError: no segment fits; says how much the leanest one takes.

    """
    needs = {
        length: rollout_bytes(steps, length, state_bytes, kept_bytes, fire_bytes)
        for length in range(1, steps + 1)
    }
    fitting = [length for length, need in needs.items() if need <= budget]
    if not fitting:
        least = min(needs.values())
        raise ValueError(
            f"memory: {budget / 1e6:,.3g} MB given, this rollout of {steps} steps takes at least "
            f"{least / 1e6:,.3g} MB; give more, or take a smaller batch, grid or number of steps"
        )
    return max(fitting)


def run_in_segments(
    step: Step, state: Tensor, steps: int, length: int, fire: Callable[[int], Tensor]
) -> Tensor:
    """``steps`` steps, keeping every ``length``-th state; fire masks are drawn once and kept."""

    def segment(state: Tensor, *masks: Tensor) -> Tensor:
        # Of its own: the backward pass, which comes here again, may be outside of the rollout's.
        with flushed_denormals() if state.device.type == "cpu" else nullcontext():
            for mask in masks:
                state = step(state, mask)
        return state

    for first in range(0, steps, length):
        masks = [fire(t) for t in range(first, min(first + length, steps))]
        state = checkpoint(segment, state, *masks, use_reentrant=False, preserve_rng_state=False)
    return state
