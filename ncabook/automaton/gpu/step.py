"""One step in a few Triton kernels, with a backward pass that recomputes the activations.

Autograd keeps the state, one byte for the fire mask and one for the living mask per cell and
step: for 16 channels 16.5 floats, where the plain step keeps about 190. The backward pass works
out the activations of one step again, in buffers that the next step reuses. All sums run in a
fixed order (no atomics), so results and gradients are the same bits in every run on one machine.
"""

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from ncabook.automaton.gpu import launch
from ncabook.automaton.gpu.backward import Backward
from ncabook.automaton.gpu.packing import Packed, pack
from ncabook.automaton.rule import Rule


class FusedStep:
    """The step of an automaton under a condition, its parameters laid out once.

    Args:
        nca: an automaton for which :func:`~ncabook.automaton.gpu.supports` says yes.
        encoded: what its perception's ``encode`` returned.
        dtype: of the operands of matrix products, bfloat16 or float32 (as three tf32 products,
            several times slower). Sums, states and gradients are float32 in any case.

    """

    def __init__(self, nca: Rule, encoded: Any, dtype: torch.dtype = torch.bfloat16) -> None:
        if dtype not in (torch.bfloat16, torch.float32):
            raise ValueError(f"dtype is {dtype}; expected torch.bfloat16 or torch.float32")
        self.packed = pack(nca, encoded, dtype)

    def __call__(self, state: Tensor, fire: Tensor) -> Tensor:
        """The next state.

        Args:
            state: float32 ``[B, C, H, W]``; best channels-last, else it is copied.
            fire: bool ``[1 or B, 1, H, W]``.

        Returns:
            float32 ``[B, C, H, W]``, channels-last.

        """
        if fire.shape not in {(n, 1, *state.shape[2:]) for n in (1, len(state))}:
            raise ValueError(
                f"fire mask of shape {list(fire.shape)}; expected [1 or {len(state)}, 1, H, W]"
            )
        cells = state.permute(0, 2, 3, 1).contiguous()
        bits = fire.bool().contiguous().view(torch.uint8)
        after = _Step.apply(cells, bits, self.packed, *self.packed.learned)
        return after.permute(0, 3, 1, 2)


class _Step(torch.autograd.Function):
    """``[B, H, W, C]`` → ``[B, H, W, C]``; ``learned`` are ``packed.learned``."""

    @staticmethod
    def forward(ctx: Any, state: Tensor, fire: Tensor, packed: Packed, *learned: Tensor) -> Tensor:
        after, alive = torch.empty_like(state), None
        launch.forward(packed, state, fire, after)
        if packed.living is not None:
            after, alive = launch.living_mask(packed, state, after)
            after[..., : packed.fixed] = state[..., : packed.fixed]
        ctx.packed = packed
        ctx.save_for_backward(state, fire, alive)
        return after

    @staticmethod
    @once_differentiable
    def backward(  # pyright: ignore[reportIncompatibleMethodOverride] theirs: (ctx, *grads)
        ctx: Any, gradient: Tensor
    ) -> tuple[Tensor | None, ...]:
        work = Backward(ctx.packed, gradient.contiguous(), *ctx.saved_tensors)
        needed = ctx.needs_input_grad
        d_state, d_learned = work.run(needed[0], any(needed[3:]))
        fixed, alive = ctx.packed.fixed, ctx.saved_tensors[2]
        if (
            d_state is not None and fixed and alive is not None
        ):  # inputs that the kernels took for dead
            d_state[..., :fixed] += gradient[..., :fixed] * (alive == 0)[..., None]
        return d_state, None, None, *d_learned
