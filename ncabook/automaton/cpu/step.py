"""The CPU's fused step: compiled once, on first use, from ``step.cpp`` beside this file.

What it computes is :meth:`~ncabook.automaton.rule.Rule.step`, exactly, on finite states (where a
living mask is, a NaN in a skipped cell becomes zero). What it saves: cells that do not fire or do
not live are not computed, activations stay in the cache, and only the state is kept for the
gradient. It covers convolutions, several of them side by side, and Sobel filters (which, with the
update's first layer, are one convolution), under an :class:`~ncabook.automaton.MLPUpdate`.
"""

import functools
import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from ncabook.automaton.contract import Perception
from ncabook.automaton.cpu import build
from ncabook.automaton.cpu.look import taps
from ncabook.automaton.known import changed
from ncabook.automaton.perception import LEAKY_SLOPE, ConvPerception, SobelPerception
from ncabook.automaton.rule import Rule
from ncabook.automaton.update import MLPUpdate

log = logging.getLogger(__name__)

# The compiler's flags, and those for what torch finds in this processor. Nobody reads `errno` or
# asks which operation overflowed; where the compiler knows, it computes conditions in vectors.
FLAGS = {
    "all": ["-O3", "-fopenmp", "-fno-math-errno", "-fno-trapping-math"],
    "AVX2": ["-mavx2", "-mfma"],
    "AVX512": [*(f"-mavx512{part}" for part in ("f", "bw", "dq", "vl")), "-mfma"],
}


@functools.cache
def available() -> bool:
    """Whether the compiled step is there, compiling it if it never was (some 15 seconds).

    Without a C++ compiler the answer is no, and automata run on PyTorch's own kernels.
    """
    capability = torch.backends.cpu.get_cpu_capability()
    try:
        build.load(
            # Machines of different kinds may share a home folder.
            "ncabook_cpu_step_" + re.sub(r"\W", "_", capability.lower()),
            [Path(__file__).with_name(name) for name in ("step.cpp", "adaptive.cpp")],
            [*FLAGS["all"], *FLAGS.get(capability, [])],
        )
    except build.NotCompiledError as error:
        log.warning(
            "the fused CPU step could not be compiled (%s); rollouts are several times slower; "
            "a C++ compiler (g++ or clang++) and ninja are needed",
            error,
        )
        return False
    return True


def covers(nca: Rule, state: torch.dtype, compute: torch.dtype) -> bool:
    """Whether the compiled step knows this automaton, its parts and these dtypes.

    Parts that are changed (:func:`~ncabook.automaton.known.changed`) are not known.
    """
    perception, update = nca.perception, nca.update
    return (
        state in (torch.float32, torch.float64)
        and compute in (state, torch.bfloat16)
        and all(p.dtype == state for p in nca.parameters())
        and type(update) is MLPUpdate
        and (
            all(type(branch) is ConvPerception for branch in perception.branches)
            or (type(perception) is SobelPerception and len(update.layers) > 1)
        )
        and all(type(layer) is nn.Linear and layer.bias is not None for layer in update.layers)
        and changed(nca) is None
    )


@dataclass(frozen=True)
class Network:
    """An automaton's two parts as the compiled step wants them.

    Attributes:
        kernels: per branch ``[features, taps · C]``, float.
        taps: per branch int64 ``[taps, 2]``, (dy, dx).
        bias: ``[1, batch or cells, features]``, the condition's share included.
        weights: of the remaining layers, ``[out, in]``.
        biases: ``[out]``.
        seen: slope left of zero of what is seen, of LeakyReLU; 0 for ReLU.
        inner: the same between the update's layers.

    """

    kernels: list[Tensor]
    taps: list[Tensor]
    bias: Tensor
    weights: list[Tensor]
    biases: list[Tensor]
    seen: float
    inner: float

    @property
    def tensors(self) -> list[Tensor]:
        """All that has a gradient."""
        return [*self.kernels, self.bias, *self.weights, *self.biases]


def network(perception: Perception, update: MLPUpdate, encoded: Any) -> Network:
    """Rearranges the parameters, once per rollout; gradients flow back through it."""
    layers, seen = list(update.layers), LEAKY_SLOPE
    if isinstance(perception, SobelPerception):
        seen = update.slope  # nothing lies between filters and first layer
        first, *layers = layers
        kernels, offsets, bias = _sobel(perception, first, encoded)
    else:
        branches = cast(Sequence[ConvPerception], perception.branches)
        kernels = [
            b.conv.weight[:, : b.state_channels].permute(0, 2, 3, 1).flatten(1) for b in branches
        ]
        offsets = [taps(b.conv.kernel_size[0], b.dilation) for b in branches]
        rows = [
            b.bias[None] if e is None else b.bias + e.permute(0, 2, 3, 1).flatten(0, 2)
            for b, e in zip(branches, perception.shares(encoded), strict=True)
        ]
        bias = torch.cat(rows, dim=1)
    weights: list[Tensor] = [layer.weight for layer in layers]
    biases: list[Tensor] = [layer.bias for layer in layers]
    return Network(kernels, offsets, bias, weights, biases, seen, update.slope)


def _sobel(
    perception: SobelPerception, first: nn.Linear, encoded: Tensor | None
) -> tuple[list[Tensor], list[Tensor], Tensor]:
    """Filters and the first layer in one kernel: both are linear, nothing lies between."""
    filters = len(perception.bank)
    weight = first.weight.unflatten(1, (filters, -1))
    kernel = torch.einsum(
        "pfc,fyx->pyxc", weight[..., : perception.state_channels], perception.bank
    )
    bias = first.bias[None]
    if encoded is not None:
        share = torch.einsum(
            "pfd,bfdyx->byxp", weight[..., perception.state_channels :], encoded
        ).flatten(0, 2)
        bias = bias + share
    return [kernel.flatten(1)], [taps(3)], bias


class _Step(torch.autograd.Function):
    """One compiled step; keeps its input state, the list of computed cells and the survivors."""

    @staticmethod
    def forward(ctx: Any, state: Tensor, fire: Tensor, plan: "Plan", *tensors: Tensor) -> Tensor:
        after, cells, mask = torch.ops.ncabook.step(
            state, fire, *plan.arguments, plan.fixed, plan.alpha, plan.threshold, plan.mortal
        )
        ctx.save_for_backward(state, cells, mask)
        ctx.plan = plan
        return after

    @staticmethod
    @once_differentiable
    def backward(  # pyright: ignore[reportIncompatibleMethodOverride] theirs: (ctx, *grads)
        ctx: Any, grad: Tensor
    ) -> tuple[Tensor | None, ...]:
        state, cells, mask = ctx.saved_tensors
        plan = ctx.plan
        if plan.versions != [t._version for t in plan.network.tensors]:
            raise RuntimeError(
                "the weights changed between this rollout and its backward pass; "
                "call backward before the optimiser's step"
            )
        state_grad, kernels, bias, weights, biases = torch.ops.ncabook.step_backward(
            grad.contiguous(),
            state,
            cells,
            mask,
            *plan.arguments,
            plan.fixed,
            ctx.needs_input_grad[0],
        )
        given = state_grad if ctx.needs_input_grad[0] else None
        return given, None, None, *kernels, bias, *weights, *biases


@dataclass(frozen=True)
class Plan:
    """What stays the same during a rollout."""

    network: Network
    arguments: tuple[Any, ...]
    fixed: int
    alpha: int
    threshold: float
    mortal: bool
    versions: list[int]

    def step(self, state: Tensor, fire: Tensor) -> Tensor:
        """One step of ``[B, C, H, W]``."""
        cells_last = state.permute(0, 2, 3, 1).contiguous()
        after = _Step.apply(cells_last, fire.contiguous(), self, *self.network.tensors)
        return after.permute(0, 3, 1, 2)


def plan(nca: Rule, encoded: Any, dtype: torch.dtype) -> Plan:
    """Prepares a rollout of ``nca`` with networks computed in ``dtype``."""
    net = network(nca.perception, cast(MLPUpdate, nca.update), encoded)
    threshold = nca.living_threshold
    mortal = threshold is not None

    def ready(tensors: list[Tensor]) -> list[Tensor]:
        return [t.detach().to(dtype).contiguous() for t in tensors]

    bias, *biases = (t.detach().contiguous() for t in (net.bias, *net.biases))
    return Plan(
        net,
        (ready(net.kernels), net.taps, bias, ready(net.weights), biases, net.seen, net.inner),
        nca.layout.fixed,
        nca.layout.living if mortal else 0,
        threshold if mortal else 0.0,
        mortal,
        [t._version for t in net.tensors],
    )
