"""An automaton's rule: ``s' = (s + m ⊙ U(P(s, c))) ⊙ M`` (eq. 2, Algorithm 1), in plain PyTorch.

Whoever computes it faster (:mod:`ncabook.automaton.cpu`, :mod:`ncabook.automaton.gpu`) reads a
rule's parts and masks; :class:`~ncabook.automaton.NCA`, which is a rule, chooses among them.
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ncabook.automaton.contract import Perception, Update, check_part
from ncabook.automaton.denormals import flushed_denormals
from ncabook.automaton.fire import random_fire
from ncabook.automaton.perception import circular_pad
from ncabook.automaton.precision import plain_autocast
from ncabook.automaton.state import ChannelLayout, check_tensor


class Rule(nn.Module):
    """A perception, an update, and the two masks that make them an automaton: one step of it.

    Args:
        layout: the state's channels.
        perception: what a cell sees.
        update: what it makes of it; writes all channels that are not fixed.
        fire_rate: probability that a cell fires in a step.
        living_threshold: a cell lives while some alpha in its 3×3 neighbourhood exceeds this;
            None for automata that have no dead cells.

    Raises:
        TypeError: a part is no perception, or no update.
        ValueError: the parts do not fit the layout or each other, or a mask makes no sense.

    """

    def __init__(
        self,
        layout: ChannelLayout,
        perception: Perception,
        update: Update,
        fire_rate: float = 0.5,
        living_threshold: float | None = 0.1,
    ) -> None:
        super().__init__()
        check_part("perception", perception, Perception)
        check_part("update", update, Update)
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

    @property
    def parameter_count(self) -> int:
        """Learned numbers, all together."""
        return sum(p.numel() for p in self.parameters())

    @property
    def _threshold(self) -> float:
        if self.living_threshold is None:
            raise ValueError("this automaton has no living mask: in it, no cell is dead")
        return self.living_threshold

    def living(self, state: Tensor) -> Tensor:
        """Bool ``[B, 1, H, W]``: cells with a value above the threshold in their 3×3 window.

        The value is alpha, or what else :attr:`ChannelLayout.living` names.
        """
        value = state[:, self.layout.living, None].detach()
        return F.max_pool2d(circular_pad(value, 1), 3, stride=1) > self._threshold

    def living_cells(self, state: Tensor) -> Tensor:
        """Bool ``[B, 1, H, W]``: cells whose own value exceeds the threshold."""
        return state[:, self.layout.living, None].detach() > self._threshold

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
