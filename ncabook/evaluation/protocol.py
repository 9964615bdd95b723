"""How every growing automaton of the book is measured: Table 1's protocol, written down once.

For each class and each of 20 seeds: grow from the centre cell; look at steps 64–96 (Stage 1)
and 149 (Stage 2); perturb after step 149; look again at step 449 (Stage 3). Two perturbations,
from the same state: *damage* erases half of the grid, *mutation* changes the class and leaves
the cells. A third, undisturbed rollout goes on to step 1,000. The masks and the new classes
are fixed, the same for every model:

- rollout *i* of each class loses the right, bottom, left or top half, by *i* mod 4;
- its new class is the (1 + *i* mod (K − 1))-th after its own, so that all pairs come up.

Metrics: mean squared error of premultiplied RGBA against the class image, and LPIPS (AlexNet)
of both on white. After a mutation both are taken against the new class, "right after" being
the old picture judged as the new one.
"""

import math
from dataclasses import asdict, dataclass, field
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from ncabook.automaton import NCA, centre_seed
from ncabook.evaluation.perceptual import lpips_distance
from ncabook.evaluation.recovery import bootstrap_interval, recovery
from ncabook.figures import on_white
from ncabook.training.perturbation import half_mask

HALVES = ("right", "bottom", "left", "top")


@dataclass(frozen=True)
class Protocol:
    """The numbers of the protocol. Change one, and it is another protocol: raise ``version``.

    Attributes:
        seeds: rollouts per class.
        stage1: first and last step of the training horizon, both included.
        grown: the step at which a grown picture is judged by itself.
        perturb: the perturbation comes after this step.
        final: the last step after a perturbation.
        long: the last step of the undisturbed rollout.
        random_seed: where all fire masks come from.

    """

    version: int = 1
    seeds: int = 20
    stage1: tuple[int, int] = (64, 96)
    grown: int = 96
    perturb: int = 149
    final: int = 449
    long: int = 1000
    random_seed: int = 2026


@dataclass
class Measurement:
    """What one metric showed, each value per rollout ``[classes · seeds]``."""

    stage1: Tensor
    grown: Tensor
    stage2: Tensor
    long: Tensor
    damaged: Tensor
    damage_final: Tensor
    mutated: Tensor
    mutation_final: Tensor

    def summary(self) -> dict[str, Any]:
        """Means, and recoveries in percent with their 95 % bootstrap intervals."""
        means = {name: float(value.mean()) for name, value in vars(self).items()}
        for name, start, end in (
            ("damage", self.damaged, self.damage_final),
            ("mutation", self.mutated, self.mutation_final),
        ):
            means[f"{name}_recovery"] = recovery(self.stage2, start, end)
            means[f"{name}_recovery_interval"] = list(bootstrap_interval(self.stage2, start, end))
        return means


@dataclass
class Evaluation:
    """The outcome of :func:`evaluate`."""

    protocol: Protocol
    metrics: dict[str, Measurement] = field(default_factory=dict)

    def summary(self) -> dict[str, Any]:
        """Everything that goes into a card, as plain numbers."""
        return {
            "protocol": asdict(self.protocol),
            **{name: measured.summary() for name, measured in self.metrics.items()},
        }


def damage_masks(count: int, height: int, width: int) -> Tensor:
    """The protocol's masks for rollouts 0 … ``count`` − 1, ``[count, 1, H, W]``."""
    angles = torch.arange(count) % len(HALVES) * (math.pi / 2)
    return half_mask(height, width, angles)


def mutated_classes(classes: Tensor, rollouts: Tensor, count: int) -> Tensor:
    """The protocol's new class for each class and rollout number, both ``[N]``."""
    return (classes + 1 + rollouts % (count - 1)) % count


@torch.no_grad()
def evaluate(
    nca: NCA,
    targets: Tensor,
    protocol: Protocol | None = None,
    perceptual: bool = True,
) -> Evaluation:
    """Measures an automaton by the protocol, on the CPU, in float32.

    Args:
        nca: grows one image per class.
        targets: ``[classes, 4, H, W]``, premultiplied RGBA.
        protocol: the book's, unless a quick look is wanted.
        perceptual: also measure LPIPS, which needs AlexNet's weights.

    Raises:
        ValueError: there is only one class, so that mutation cannot be measured.

    """
    protocol = protocol or Protocol()
    count = len(targets)
    if count < 2:
        raise ValueError("the protocol mutates classes and needs at least 2; there is 1")
    nca = nca.to("cpu").eval()
    rollouts = torch.arange(protocol.seeds).repeat(count)
    classes = torch.arange(count).repeat_interleave(protocol.seeds)
    others = mutated_classes(classes, rollouts, count)
    generator = torch.Generator().manual_seed(protocol.random_seed)

    def advance(state: Tensor, steps: int, labels: Tensor) -> Tensor:
        condition = F.one_hot(labels, count).float()
        return nca.rollout(state, steps, condition, generator=generator)

    def distances(state: Tensor, labels: Tensor) -> dict[str, Tensor]:
        image, target = state[:, :4], targets[labels]
        values = {"mse": (image - target).square().mean((1, 2, 3))}
        if perceptual:
            values["lpips"] = lpips_distance(on_white(image), on_white(target))
        return values

    height, width = targets.shape[-2:]
    state = centre_seed(nca.layout, height, width, len(classes))
    first, last = protocol.stage1
    state = advance(state, first, classes)
    horizon = [distances(state, classes)]
    seen: dict[str, dict[str, Tensor]] = {}
    for step in range(first + 1, last + 1):
        state = advance(state, 1, classes)
        horizon.append(distances(state, classes))
        if step == protocol.grown:
            seen["grown"] = horizon[-1]
    seen["stage1"] = {name: torch.stack([h[name] for h in horizon]).mean(0) for name in horizon[0]}
    state = advance(state, protocol.perturb - last, classes)
    seen["stage2"] = distances(state, classes)

    remaining = protocol.final - protocol.perturb
    damaged = state * damage_masks(protocol.seeds, height, width)[rollouts]
    seen["damaged"] = distances(damaged, classes)
    seen["damage_final"] = distances(advance(damaged, remaining, classes), classes)
    seen["mutated"] = distances(state, others)
    seen["mutation_final"] = distances(advance(state, remaining, others), others)
    undisturbed = advance(state, protocol.long - protocol.perturb, classes)
    seen["long"] = distances(undisturbed, classes)
    return Evaluation(
        protocol,
        {
            name: Measurement(**{stage: values[name] for stage, values in seen.items()})
            for name in seen["grown"]
        },
    )
