"""Several rules on one canvas: a map says which rules which cell."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from ncabook.automaton.contract import module_list
from ncabook.automaton.fire import random_fire
from ncabook.automaton.nca import NCA
from ncabook.automaton.state import check_tensor


class Patchwork(nn.Module):
    """Automata that share a canvas, each with the cells that a map gives it.

    All see the same state, whoever wrote it; a cell is changed by its own rule only. So a cell
    that is farther from the border between two rules than news can travel has the state that its
    rule alone would have given it, bit for bit where the same kernels do the work.

    Args:
        automata: without living masks, and of one layout.

    Raises:
        ValueError: there is none, or they cannot share a state.

    """

    def __init__(self, automata: Sequence[NCA]) -> None:
        super().__init__()
        automata = list(automata)
        if not automata:
            raise ValueError("no automaton is given; expected one at least")
        layouts = {a.layout for a in automata}
        if len(layouts) > 1:
            raise ValueError(
                "automata on one canvas need the same channels; these have "
                + " and ".join(sorted(str(layout) for layout in layouts))
            )
        if any(a.living_threshold is not None for a in automata):
            raise ValueError(
                "a living mask would let the cells of one rule kill those of another; expected "
                "automata with living_threshold None"
            )
        if any(a.has_own_step() for a in automata):
            raise ValueError(
                "an automaton has a step of its own, which a patchwork would not take; expected "
                "automata of class NCA"
            )
        if any(a.perception.condition_channels for a in automata):
            raise ValueError("a patchwork has no classes; expected automata without a condition")
        self.automata = module_list(automata)
        self.layout = automata[0].layout

    def rollout(
        self,
        state: Tensor,
        steps: int,
        rules: Tensor,
        *,
        generator: torch.Generator | None = None,
        fire: Callable[[int], Tensor] | None = None,
    ) -> Tensor:
        """``steps`` steps in a row.

        Args:
            state: ``[B, C, H, W]``.
            steps: how many.
            rules: which automaton rules which cell, whole numbers ``[H, W]`` or ``[B, H, W]``.
            generator: source of the fire masks, one for all rules; None uses PyTorch's global one.
            fire: a function from the step's number, counted from 0, to its fire mask, bool
                ``[1 or B, 1, H, W]``.

        Returns:
            The last state ``[B, C, H, W]``.

        Raises:
            TypeError: state, map or a mask is no tensor.
            ValueError: state or masks are none of these automata, the map does not fit, or it
                names an automaton that is not there.

        """
        first = self.automata[0]
        first.check(state, None)
        if steps < 0:
            raise ValueError(f"steps is {steps}; expected a whole number ≥ 0")
        regions = self._regions(state, rules)
        rates = torch.stack([a.fire_rate * r for a, r in zip(self.automata, regions, strict=True)])
        rates = rates.sum(0)
        functions = [
            a.step_function(state, a.perception.encode(None), steps) for a in self.automata
        ]
        for t in range(steps):
            if fire is None:
                coins = random_fire(state, rates, generator)
            else:
                coins = first.check_fire(state, fire(t))
            after = state
            for step, region in zip(functions, regions, strict=True):
                mine = coins & region
                after = torch.where(mine, step(state, mine), after)
            state = after
        return state

    def _regions(self, state: Tensor, rules: Tensor) -> list[Tensor]:
        """For each automaton its cells, bool ``[1 or B, 1, H, W]``."""
        check_tensor("the map of rules", rules)
        batch, _, height, width = state.shape
        fits = rules.shape in ((height, width), (batch, height, width))
        if not fits or rules.is_floating_point():
            raise ValueError(
                f"a map of shape {list(rules.shape)}, {rules.dtype}; expected whole numbers, "
                f"[{height}, {width}] or [{batch}, {height}, {width}]"
            )
        count = len(self.automata)
        low, high = int(rules.min()), int(rules.max())
        if low < 0 or high >= count:
            raise ValueError(
                f"the map names automata {low} to {high}; there are {count}, counted from 0"
            )
        rules = rules.view(-1, 1, height, width)
        return [rules == k for k in range(count)]
