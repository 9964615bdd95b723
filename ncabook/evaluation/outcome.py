"""What the protocol of growing automata found: distances at each stage, and recoveries."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ncabook.evaluation.recovery import bootstrap_interval, recovery


@dataclass
class Measurement:
    """What one metric showed, each value per rollout ``[classes · seeds]``.

    Where there is one class only, nothing is mutated.
    """

    stage1: Tensor
    grown: Tensor
    stage2: Tensor
    long: Tensor
    half: Tensor
    half_final: Tensor
    circles: Tensor
    circles_final: Tensor
    mutated: Tensor | None = None
    mutation_final: Tensor | None = None

    def stages(self) -> dict[str, Tensor]:
        """What was seen, by name."""
        return {name: value for name, value in vars(self).items() if value is not None}

    @property
    def damaged(self) -> Tensor:
        """Right after either damage, ``[2 · classes · seeds]``."""
        return torch.cat([self.half, self.circles])

    @property
    def damage_final(self) -> Tensor:
        """Stage 3 of either damage."""
        return torch.cat([self.half_final, self.circles_final])

    def of(self, rollouts: Tensor) -> "Measurement":
        """The same of some rollouts, bool ``[classes · seeds]``."""
        return Measurement(**{name: value[rollouts] for name, value in self.stages().items()})

    def summary(self, alive: Tensor | None = None) -> dict[str, Any]:
        """Means, and recoveries in percent with their 95 % bootstrap intervals.

        With ``alive``, bool ``[classes · seeds]``, also ``median``, of all, and ``living``, the
        same means and recoveries of these rollouts; None if there are none.
        """
        stages = {**self.stages(), "damaged": self.damaged, "damage_final": self.damage_final}
        means = summarise(stages)
        if alive is not None:
            means["median"] = {name: float(value.quantile(0.5)) for name, value in stages.items()}
            means["living"] = self.of(alive).summary() if alive.any() else None
        return means


def measurements(seen: dict[str, dict[str, Tensor]]) -> dict[str, Measurement]:
    """By metric, from distances by stage."""
    return {
        name: Measurement(**{stage: values[name] for stage, values in seen.items()})
        for name in seen["grown"]
    }


def summarise(stages: dict[str, Tensor]) -> dict[str, Any]:
    """Means, and recoveries in percent with their 95 % bootstrap intervals.

    Args:
        stages: the names of a :class:`Measurement`, each with a value per rollout; those of a
            mutation may be missing.

    """
    means: dict[str, Any] = {name: float(value.mean()) for name, value in stages.items()}
    for name, start in (
        ("half", "half"),
        ("circles", "circles"),
        ("damage", "damaged"),
        ("mutation", "mutated"),
    ):
        if start not in stages:
            continue
        after, end = stages[start], stages[f"{name}_final"]
        before = stages["stage2"].repeat(len(after) // len(stages["stage2"]))
        means[f"{name}_recovery"] = recovery(before, after, end)
        means[f"{name}_recovery_interval"] = list(bootstrap_interval(before, after, end))
    return means


@dataclass
class Further:
    """What Table 1 leaves out: mean squared errors per rollout ``[classes · further_seeds]``."""

    stage2: Tensor
    far: Tensor
    repeated: Tensor
    larger: Tensor
    slower: Tensor
    faster: Tensor
    noise: Tensor
    noise_final: Tensor
    erased: Tensor
    erased_final: Tensor

    def summary(self) -> dict[str, Any]:
        """Means, medians, and the recoveries from the unseen damages."""
        means: dict[str, Any] = {name: float(value.mean()) for name, value in vars(self).items()}
        means["median"] = {name: float(value.quantile(0.5)) for name, value in vars(self).items()}
        for name in ("noise", "erased"):
            values = (self.stage2, getattr(self, name), getattr(self, f"{name}_final"))
            means[f"{name}_recovery"] = recovery(*values)
            means[f"{name}_recovery_interval"] = list(bootstrap_interval(*values))
        return means
