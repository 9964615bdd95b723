"""The neural cellular automaton: ``s' = (s + m ⊙ U(P(s, c))) ⊙ M`` (eq. 2, Algorithm 1)."""

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ncabook.automaton.cpu import listed
from ncabook.automaton.cpu import step as cpu_step
from ncabook.automaton.denormals import flushed_denormals
from ncabook.automaton.fire import random_fire, ring_fire
from ncabook.automaton.memory import Step, kept_bytes, run_in_segments, segment_length
from ncabook.automaton.perception import circular_pad
from ncabook.automaton.precision import plain_autocast
from ncabook.automaton.state import ChannelLayout, check_tensor

FUSED_FROM = 2**17  # cell-steps; below, compiling and rearranging cost more than they save


class NCA(nn.Module):
    """A perception, an update, and the two masks that make them an automaton.

    Args:
        layout: the state's channels.
        perception: what a cell sees.
        update: what it makes of it; writes all channels that are not fixed.
        fire_rate: probability that a cell fires in a step.
        living_threshold: a cell lives while some alpha in its 3×3 neighbourhood exceeds this;
            None for automata that have no dead cells.

    """

    def __init__(
        self,
        layout: ChannelLayout,
        perception: nn.Module,
        update: nn.Module,
        fire_rate: float = 0.5,
        living_threshold: float | None = 0.1,
    ) -> None:
        super().__init__()
        if not 0.0 < fire_rate <= 1.0:
            raise ValueError(f"fire_rate is {fire_rate}; expected a probability in (0, 1]")
        if living_threshold is not None:
            _ = layout.living  # says what is wrong if there is no such channel
        wanted = (perception.out_channels, layout.channels - layout.fixed)
        given = (update.in_channels, update.out_channels)
        if perception.state_channels != layout.channels or given != wanted:
            raise ValueError(
                f"the parts do not fit: a layout of {layout.channels} channels, a perception of "
                f"{perception.state_channels} → {wanted[0]}, an update of {given[0]} → {given[1]}; "
                f"expected a perception of {layout.channels} channels and an update of "
                f"{wanted[0]} → {wanted[1]}"
            )
        self.layout = layout
        self.perception = perception
        self.update = update
        self.fire_rate = fire_rate
        self.living_threshold = living_threshold
        self._kept: dict[Any, int] = {}

    @property
    def parameter_count(self) -> int:
        """Learned numbers, all together."""
        return sum(p.numel() for p in self.parameters())

    def living(self, state: Tensor) -> Tensor:
        """Bool ``[B, 1, H, W]``: cells with a value above the threshold in their 3×3 window.

        The value is alpha, or what else :attr:`ChannelLayout.living` names.
        """
        value = state[:, self.layout.living, None].detach()
        return F.max_pool2d(circular_pad(value, 1), 3, stride=1) > self.living_threshold

    def living_cells(self, state: Tensor) -> Tensor:
        """Bool ``[B, 1, H, W]``: cells whose own value exceeds the threshold."""
        return state[:, self.layout.living, None].detach() > self.living_threshold

    @flushed_denormals()
    def step(
        self,
        state: Tensor,
        condition: Tensor | None = None,
        *,
        generator: torch.Generator | None = None,
        fire: Tensor | None = None,
    ) -> Tensor:
        """One step of every cell. Pure: ``state`` is not changed.

        Args:
            state: ``[B, C, H, W]``.
            condition: ``[B, D]`` or ``[B, D, H, W]``, as the perception was built for.
            generator: source of the fire mask; None uses PyTorch's global one.
            fire: a bool mask ``[1 or B, 1, H, W]`` in place of a random one.

        """
        self.check(state, condition)
        if fire is None:
            fire = random_fire(state, self.fire_rate, generator)
        return self._plain_step(
            state, self.perception.encode(condition), self.check_fire(state, fire)
        )

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
        device = state.device.type
        low = state.dtype == torch.float32 and torch.is_autocast_enabled(device)
        dtype = torch.get_autocast_dtype(device) if low else state.dtype
        if device == "cuda":
            from ncabook.automaton import gpu  # imports this module

            if gpu.supports(self, state, encoded) and gpu.trusted(self, state.device):
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
        if key not in self._kept:
            self._kept[key] = kept_bytes(step, state, self.parameters())
        cells = state.shape[0] * state.shape[2] * state.shape[3]
        return segment_length(
            steps, memory, state.numel() * state.element_size(), self._kept[key], cells
        )

    def _plain_step(self, state: Tensor, encoded: Any, fire: Tensor) -> Tensor:
        with plain_autocast(state.device):
            return self._dense_step(state, encoded, fire)

    def without_mask(self, state: Tensor, encoded: Any, fire: Tensor) -> Tensor:
        """A step without the living mask: ``s + m ⊙ U(P(s, c))``.

        Args:
            state: ``[B, C, H, W]``.
            encoded: what the perception's ``encode`` returned.
            fire: bool ``[1 or B, 1, H, W]``.

        """
        change = self.update(self.perception(state, encoded))
        if self.layout.fixed:
            change = F.pad(change, (0, 0, 0, 0, self.layout.fixed, 0))
        return state + change * fire

    def _dense_step(self, state: Tensor, encoded: Any, fire: Tensor) -> Tensor:
        after = self.without_mask(state, encoded, fire)
        if self.living_threshold is None:
            return after
        return self.without_dead(after, self.living(state) & self.living(after))

    def without_dead(self, state: Tensor, alive: Tensor) -> Tensor:
        """``state`` times ``alive``, bool ``[B, 1, H, W]``, but for the input channels."""
        fixed = self.layout.fixed
        if not fixed:
            return state * alive
        return torch.cat([state[:, :fixed], state[:, fixed:] * alive], dim=1)

    def check_fire(self, state: Tensor, fire: Tensor) -> Tensor:
        """A mask for all cells of ``state``, ``[1 or B, 1, H, W]``, or an error."""
        check_tensor("the fire mask", fire)
        height, width = state.shape[2:]
        fits = fire.ndim == 4 and fire.shape[0] in (1, len(state)) and fire.shape[1] == 1
        if not (fits and fire.shape[2:] in ((height, width), (1, 1)) and fire.dtype == torch.bool):
            raise ValueError(
                f"fire mask of shape {list(fire.shape)}, {fire.dtype}; expected "
                f"[1 or {len(state)}, 1, {height}, {width}], or 1×1 for all cells alike, torch.bool"
            )
        return fire.expand(-1, 1, height, width)

    def check(self, state: Tensor, condition: Tensor | None) -> None:
        """A ValueError if state or condition are none of this automaton; a TypeError of others."""
        check_tensor("state", state)
        if condition is not None:
            check_tensor("condition", condition)
        if state.ndim != 4 or state.shape[1] != self.layout.channels:
            raise ValueError(
                f"state of shape {list(state.shape)}; "
                f"expected [batch, {self.layout.channels}, height, width]"
            )
        if condition is not None and len(condition) != len(state):
            raise ValueError(
                f"a batch of {len(state)} states with {len(condition)} conditions; "
                "expected as many of one as of the other"
            )
        grid = state.shape[2:]
        if (
            condition is not None
            and condition.ndim == 4
            and condition.shape[2:] not in (grid, (1, 1))
        ):
            raise ValueError(
                f"a condition map of {condition.shape[2]}×{condition.shape[3]} on a grid of "
                f"{grid[0]}×{grid[1]}; expected the grid's size, or 1×1"
            )


def alive(nca: NCA, state: Tensor) -> Tensor:
    """Bool ``[B]``: in which samples any cell lives; in all where there is no living mask."""
    if nca.living_threshold is None:
        return torch.ones(len(state), dtype=torch.bool, device=state.device)
    return nca.living(state).flatten(1).any(1)
