"""The neural cellular automaton: a rule, and the fastest way at hand to run it many times."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from ncabook.automaton import gpu
from ncabook.automaton.cpu import listed
from ncabook.automaton.cpu import step as cpu_step
from ncabook.automaton.denormals import flushed_denormals
from ncabook.automaton.fire import random_fire, ring_fire
from ncabook.automaton.memory import Step, kept_bytes, run_in_segments, segment_length
from ncabook.automaton.rule import Rule

FUSED_FROM = 2**17  # cell-steps; below, compiling and rearranging cost more than they save


class NCA(Rule):
    """A perception, an update, and the two masks that make them an automaton.

    One step of it is :meth:`~ncabook.automaton.rule.Rule.step`, many are :meth:`rollout`.
    Arguments are those of :class:`~ncabook.automaton.rule.Rule`.
    """

    @flushed_denormals()
    def rollout(
        self,
        state: Tensor,
        steps: int,
        condition: Tensor | None = None,
        *,
        record_every: int | None = None,
        generator: torch.Generator | None = None,
        fire: Callable[[int], Tensor] | None = None,
        memory: int | None = None,
        ring: bool = False,
        ahead: int = 0,
    ) -> Tensor:
        """``steps`` steps in a row, each as :meth:`step` defines it.

        Where they know the automaton and its parts (:func:`~ncabook.automaton.known.changed`),
        fused steps do the work: on a CPU, from ``FUSED_FROM`` cell-steps on, those of
        :mod:`ncabook.automaton.cpu`; on a GPU the Triton kernels of
        :mod:`ncabook.automaton.gpu`. Under ``torch.autocast`` to bfloat16 their networks are
        computed in bfloat16.

        Args:
            state: ``[B, C, H, W]``.
            steps: how many.
            condition: ``[B, D]`` or ``[B, D, H, W]``, the same at every step.
            generator: source of the fire masks; None uses PyTorch's global one.
            record_every: also keep every so many states, the first one included.
            fire: a function from the step's number, counted from 0, to its fire mask.
            memory: bytes that the rollout may keep for its gradient; steps beyond that are
                computed again in the backward pass. None keeps all.
            ring: whether, in the first step, seeds rest and their neighbours fire
                (:func:`~ncabook.automaton.ring_fire`): so started, none dies by chance.
            ahead: steps to be made in all, where this rollout is one of many, such as a film's
                frames: a short one alone is not worth a fused step, many are.

        Returns:
            The last state ``[B, C, H, W]``, or, recording, ``[records, B, C, H, W]``.

        Raises:
            TypeError: state, condition or a mask is no tensor.
            ValueError: shapes do not fit, ``memory`` is too small for any rollout, or a ring is
                asked for where nothing lives or dies.

        """
        self.check(state, condition)
        if steps < 0 or (record_every is not None and record_every < 1):
            raise ValueError(f"steps {steps} must be ≥ 0 and record_every {record_every} ≥ 1")
        if memory is not None and record_every is not None:
            raise ValueError("memory and record_every exclude each other: records are kept")
        if memory is not None and not (isinstance(memory, int) and memory > 0):
            raise ValueError(f"memory is {memory!r}; expected a number of bytes, an int > 0")
        if ring and self.living_threshold is None:
            raise ValueError("ring is for automata that grow from seeds; here no cell is dead")
        step = self._next(state, condition, max(steps, ahead))
        seeds = self.living_cells(state) if ring else None

        def mask(t: int) -> Tensor:
            if fire is None:
                coins = random_fire(state, self.fire_rate, generator)
            else:
                coins = self.check_fire(state, fire(t))
            return ring_fire(coins, seeds) if seeds is not None and t == 0 else coins

        if memory is not None and torch.is_grad_enabled() and steps > 0:
            length = self.segment_length(state, condition, steps, memory)
            if length < steps:
                return run_in_segments(step, state, steps, length, mask)
        records = [state]
        for t in range(steps):
            state = step(state, mask(t))
            if record_every is not None and (t + 1) % record_every == 0:
                records.append(state)
        return state if record_every is None else torch.stack(records)

    def step_function(self, state: Tensor, encoded: Any, steps: int) -> Step:
        """The fastest way here to make one step from a state and a fire mask.

        Args:
            state: shape, type and device of the states to come.
            encoded: what the perception's ``encode`` returned.
            steps: how many there will be.

        """
        if type(self) is not NCA:  # what somebody derived, only its own code knows
            return lambda state, fire: self._plain_step(state, encoded, fire)
        device = state.device.type
        low = state.dtype == torch.float32 and torch.is_autocast_enabled(device)
        dtype = torch.get_autocast_dtype(device) if low else state.dtype
        if (
            device == "cuda"
            and gpu.supports(self, state, encoded)
            and gpu.trusted(self, state.device)
        ):
            return gpu.fused(self, encoded, dtype)
        cell_steps = state.shape[0] * state.shape[2] * state.shape[3] * steps
        if (
            device == "cpu"
            and cell_steps >= FUSED_FROM
            and cpu_step.covers(self, state.dtype, dtype)
            and min(state.shape[-2:]) >= self.perception.reach
            and cpu_step.available()
        ):
            return cpu_step.plan(self, encoded, dtype).step
        if (
            device == "cpu"
            and self.living_threshold is not None  # where all live, lists gain less than they cost
            and cell_steps >= FUSED_FROM
            and listed.covers(self, encoded, state.dtype)
            and min(state.shape[-2:]) >= self.perception.reach
            and cpu_step.available()
        ):
            return listed.plan(self, encoded, dtype)
        return lambda state, fire: self._plain_step(state, encoded, fire)

    def _next(self, state: Tensor, condition: Tensor | None, steps: int) -> Step:
        """A function from a state and a fire mask to the next state, for ``steps`` steps."""
        if self.has_own_step():
            return lambda state, fire: self.step(state, condition, fire=fire)
        return self.step_function(state, self.perception.encode(condition), steps)

    def has_own_step(self) -> bool:
        """Whether somebody put another :meth:`step` in the place of this class's."""
        return type(self).step is not NCA.step or "step" in vars(self)

    def segment_length(
        self, state: Tensor, condition: Tensor | None, steps: int, memory: int
    ) -> int:
        """How many steps at a time :meth:`rollout` keeps whole if it may keep ``memory`` bytes.

        Raises:
            ValueError: ``memory`` is too small for any.

        """
        step = self._next(state, condition, steps)
        # Counted once for each kind of step; `kept_bytes` makes one.
        device = state.device.type
        low = torch.is_autocast_enabled(device)
        key = (state.shape, state.dtype, device, low, step.__qualname__)
        kept: dict[Any, int] = vars(self).setdefault("_kept", {})
        if key not in kept:
            kept[key] = kept_bytes(step, state, self.parameters())
        cells = state.shape[0] * state.shape[2] * state.shape[3]
        return segment_length(steps, memory, state.numel() * state.element_size(), kept[key], cells)


def alive(nca: NCA, state: Tensor) -> Tensor:
    """Bool ``[B]``: in which samples any cell lives; in all where there is no living mask."""
    if nca.living_threshold is None:
        return torch.ones(len(state), dtype=torch.bool, device=state.device)
    return nca.living(state).flatten(1).any(1)
