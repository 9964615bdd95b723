"""Whole rollouts as CUDA graphs: one launch for all steps, and one for their backward pass.

A small automaton's step takes less time on a GPU than its launch does on the CPU. A CUDA graph
records the kernels of a whole rollout, with all addresses, and replays them at once. Inputs are
therefore copied into buffers of the graph's own, and results out of them.

Nothing in the package uses this yet: the benchmark of GPU steps (``benchmarks/gpu_step.py``) and
the tests do. Training draws another number of steps in every iteration, and each takes a recording.
"""

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from ncabook.automaton.gpu import supports
from ncabook.automaton.nca import NCA

WARM_UPS = 3
"""Runs before recording, in which kernels are compiled and libraries set up."""


class GraphedRollouts:
    """Rollouts of one automaton, each recorded when first met and replayed from then on.

    There is one recording for every number of steps, shape of state and condition, and need of
    gradients. One for training holds all its states, ``4 · C + 2`` bytes per cell and step.
    Without CUDA the same steps run one by one, and where
    :func:`~ncabook.automaton.gpu.supports` says no, so does the plain ``NCA.rollout``.

    Args:
        nca: the automaton. Its parameters may change in place, as optimisers and
            ``load_state_dict`` do, but must not move.
        dtype: of the operands of matrix products, bfloat16 or float32.

    """

    def __init__(self, nca: NCA, dtype: torch.dtype = torch.bfloat16) -> None:
        self.nca, self.dtype = nca, dtype
        self._recorded: dict[Any, _Recording] = {}

    def __call__(
        self,
        state: Tensor,
        steps: int,
        condition: Tensor | None = None,
        *,
        fires: Tensor | None = None,
        generator: torch.Generator | None = None,
    ) -> Tensor:
        """``steps`` steps in a row.

        Args:
            state: float32 ``[B, C, H, W]``.
            steps: how many.
            condition: ``[B, D]``, the same at every step.
            fires: bool ``[steps, 1 or B, 1, H, W]`` in place of random masks.
            generator: source of the masks, all drawn at once: other coins than
                ``NCA.rollout`` would toss with the same seed.

        Returns:
            The last state ``[B, C, H, W]``.

        """
        if fires is None:
            shape = (steps, len(state), 1, *state.shape[2:])
            coins = torch.rand(shape, device=state.device, generator=generator)
            fires = coins < self.nca.fire_rate
        elif fires.ndim != 5 or len(fires) != steps:
            raise ValueError(
                f"fires of shape {list(fires.shape)}; expected [{steps}, 1 or B, 1, H, W]"
            )
        with torch.no_grad():
            covered = supports(self.nca, state, self.nca.perception.encode(condition))
        if not covered:
            return self.nca.rollout(state, steps, condition, fire=lambda t: fires[t])
        if state.device.type != "cuda" or steps == 0:
            return one_by_one(self.nca, state, fires, condition, self.dtype)
        inputs = [x for x in (state, condition) if x is not None]
        parameters = list(self.nca.parameters())
        needs = [torch.is_grad_enabled() and x.requires_grad for x in (*inputs, *parameters)]
        shapes = tuple(tuple(x.shape) for x in (*inputs, fires))
        addresses = tuple(p.data_ptr() for p in parameters)
        key = (shapes, tuple(needs))
        recording = self._recorded.get(key)
        if recording is None or recording.addresses != addresses:
            recording = _Recording(self.nca, inputs, needs, fires, self.dtype, addresses)
            self._recorded[key] = recording
        recording.fires.copy_(fires)
        if not recording.inputs:
            return recording.forward(inputs).clone()
        return _Replay.apply(recording, len(inputs), *inputs, *recording.parameters)


def one_by_one(
    nca: NCA, state: Tensor, fires: Tensor, condition: Tensor | None, dtype: torch.dtype
) -> Tensor:
    """One fused step per mask of ``fires`` ``[steps, 1 or B, 1, H, W]``."""
    from ncabook.automaton.gpu.step import FusedStep  # needs Triton

    step = FusedStep(nca, nca.perception.encode(condition), dtype)
    for fire in fires:
        state = step(state, fire)
    return state


class _Recording:
    """The graphs of one rollout, and the tensors that they read and write."""

    def __init__(
        self,
        nca: NCA,
        inputs: list[Tensor],
        needs: list[bool],
        fires: Tensor,
        dtype: torch.dtype,
        addresses: tuple[int, ...],
    ) -> None:
        self.addresses = addresses
        wanted = dict(zip((*inputs, *nca.parameters()), needs, strict=True))
        self.given = [x.detach().clone().requires_grad_(wanted[x]) for x in inputs]
        self.fires = fires.clone()
        self.parameters = [p for p in nca.parameters() if wanted[p]]
        self.inputs = [x for x in self.given if x.requires_grad] + self.parameters
        self.turn = 0
        state, *rest = self.given
        condition = rest[0] if rest else None

        def run() -> Tensor:
            with torch.set_grad_enabled(bool(self.inputs)):
                return one_by_one(nca, state, self.fires, condition, dtype)

        # Warming up belongs on another stream than the one in use, as recording does.
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(WARM_UPS):
                after = run()
                if self.inputs:
                    self._differentiate(after, torch.ones_like(after))
                del after
        torch.cuda.current_stream().wait_stream(stream)
        self.forward_graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self.forward_graph):
            self.after = run()
        if self.inputs:
            self.gradient = torch.ones_like(self.after)
            self.backward_graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(self.backward_graph, pool=self.forward_graph.pool()):
                self.gradients = self._differentiate(self.after, self.gradient)

    def _differentiate(self, after: Tensor, gradient: Tensor) -> tuple[Tensor | None, ...]:
        return torch.autograd.grad(after, self.inputs, gradient, allow_unused=True)

    def forward(self, inputs: list[Tensor]) -> Tensor:
        """The graph's own result, which the next replay overwrites."""
        with torch.no_grad():
            for mine, given in zip(self.given, inputs, strict=True):
                mine.copy_(given)
        self.forward_graph.replay()
        self.turn += 1
        return self.after.detach()

    def backward(self, gradient: Tensor, turn: int) -> list[Tensor | None]:
        """Gradients of ``inputs``."""
        if turn != self.turn:
            raise RuntimeError(
                "this rollout was replayed again before its backward pass, which overwrote its "
                "states; call backward() first, or use NCA.rollout for one of the two"
            )
        self.gradient.copy_(gradient)
        self.backward_graph.replay()
        return [None if g is None else g.clone() for g in self.gradients]


class _Replay(torch.autograd.Function):
    """A recording as a differentiable function of its inputs."""

    @staticmethod
    def forward(ctx: Any, recording: _Recording, given: int, *tensors: Tensor) -> Tensor:
        after = recording.forward(list(tensors[:given])).clone()
        ctx.recording, ctx.turn = recording, recording.turn
        return after

    @staticmethod
    @once_differentiable
    def backward(  # pyright: ignore[reportIncompatibleMethodOverride] theirs: (ctx, *grads)
        ctx: Any, gradient: Tensor
    ) -> tuple[Tensor | None, ...]:
        gradients = iter(ctx.recording.backward(gradient, ctx.turn))
        needed = ctx.needs_input_grad[2:]
        return None, None, *(next(gradients) if need else None for need in needed)
