"""A CPU's step for perceptions that ``step.cpp`` does not know: only for the cells that matter.

The list is that of ``step.cpp``: cells that fire, and live or border on life. Compiled operations
(``adaptive.cpp``) collect what they see, and what follows is one small network on the rows of the
list.
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from ncabook.automaton.contract import Perception
from ncabook.automaton.cpu.look import Listed, wider
from ncabook.automaton.cpu.perceive import PREPARE, Perceive
from ncabook.automaton.known import changed
from ncabook.automaton.memory import Step
from ncabook.automaton.rule import Rule
from ncabook.automaton.update import MLPUpdate, ResNetUpdate


def covers(nca: Rule, encoded: Any, state: torch.dtype) -> bool:
    """Whether this step knows the automaton's parts, dtype and condition.

    Parts that are changed (:func:`~ncabook.automaton.known.changed`) are not known.
    """
    return (
        all(type(branch) in PREPARE for branch in nca.perception.branches)
        and type(nca.update) in (MLPUpdate, ResNetUpdate)
        and state in (torch.float32, torch.float64)
        and all(p.dtype == state for p in nca.parameters())
        and all(share.shape[2:] == (1, 1) for share in _shares(encoded))
        and changed(nca) is None
    )


def plan(nca: Rule, encoded: Any, compute: torch.dtype) -> Step:
    """Prepares a rollout; gradients flow back through the preparation.

    Of all its products only wide ones gain by ``compute`` = bfloat16 (a feed-forward network's,
    twice as fast with AMX, and a second convolution's); for the rest, casts cost more than they
    save.
    """
    with torch.autocast("cpu", enabled=False):
        dtype = next(nca.parameters()).dtype  # autocast may have encoded in another
        perceive = _prepare(nca.perception, _as(encoded, dtype), compute)
    fixed, threshold = nca.layout.fixed, nca.living_threshold

    @torch.autocast("cpu", enabled=False)
    def step(state: Tensor, fire: Tensor) -> Tensor:
        batch, channels, height, width = state.shape
        living = None if threshold is None else nca.living(state)
        near = fire.expand(batch, -1, -1, -1)
        if living is not None:
            near = near & wider(living, 3)
        states = state.permute(0, 2, 3, 1).reshape(-1, channels)
        listed = Listed.of(near, states.dtype)
        change = nca.update(perceive(listed, states)[:, :, None, None])[:, :, 0, 0]
        if fixed:
            change = F.pad(change, (fixed, 0))
        after = states.index_add(0, listed.cells, change)
        after = after.view(batch, height, width, channels).permute(0, 3, 1, 2)
        return after if living is None else nca.without_dead(after, living & nca.living(after))

    return step


def _shares(encoded: Any) -> list[Tensor]:
    """All tensors in what ``encode`` returned."""
    if encoded is None or isinstance(encoded, Tensor):
        return [] if encoded is None else [encoded]
    return [share for part in encoded for share in _shares(part)]


def _as(encoded: Any, dtype: torch.dtype) -> Any:
    """What ``encode`` returned, as ``dtype``."""
    if encoded is None or isinstance(encoded, Tensor):
        return encoded if encoded is None else encoded.to(dtype)
    return type(encoded)(_as(part, dtype) for part in encoded)


def _prepare(perception: Perception, encoded: Any, compute: torch.dtype) -> Perceive:
    """What each branch sees, one after the other."""
    branches = [
        PREPARE[type(branch)](branch, share, compute)
        for branch, share in zip(perception.branches, perception.shares(encoded), strict=True)
    ]
    if len(branches) == 1:
        return branches[0]

    def perceive(listed: Listed, states: Tensor) -> Tensor:
        return torch.cat([branch(listed, states) for branch in branches], dim=1)

    return perceive
