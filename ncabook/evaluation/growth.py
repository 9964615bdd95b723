"""How every growing automaton of the book is measured: Table 1's protocol, written down once.

For each class and each of 20 seeds: grow from the centre cell; look at steps 64–96 (Stage 1)
and 149 (Stage 2); perturb after step 149; look again at step 449 (Stage 3). Three perturbations,
from the same state: two *damages* erase half of the grid, and three circles; *mutation* changes
the class and leaves the cells. "Damage" without more words is both together. A rollout without
any goes on to step 1,000. The masks and the new classes are fixed, the same for every model:

- rollout *i* of each class loses the right, bottom, left or top half, by *i* mod 4;
- or three discs around the centre, turned by (*i* mod 4) · 30°;
- its new class is the (1 + *i* mod (K − 1))-th after its own, so that all pairs come up; an
  automaton of one class is not mutated.

Metrics: mean squared error of premultiplied RGBA against the class image, and LPIPS (AlexNet)
of both on white, unless they are too small for it. After a mutation both are taken against the
new class, "right after" being the old picture judged as the new one.

A seed may die in its first steps (:mod:`ncabook.evaluation.starts`). So the protocol counts, over
200 more starts of each class, and gives every figure three times: the mean over all rollouts, as
Table 1 has it; their median; and the mean over those that live at step 149. And once more from a
start that cannot die, the ring, which is the book's own.

Then what Table 1 leaves out, by mean squared error and for the first 4 rollouts of each class:
step 5,000; ten half removals, 150 steps apart; a grid 4/3 as wide; cells that fire half as often,
for twice the time, and always, for half of it; and two damages that no training had: noise, and
30 % of the cells erased at random.
"""

from dataclasses import asdict, dataclass, field
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from ncabook.automaton import NCA, centre_seed, ring_fire
from ncabook.automaton.fire import random_fire
from ncabook.automaton.nca import alive
from ncabook.evaluation.harm import circle_masks, damage_masks, mutated_classes
from ncabook.evaluation.outcome import Further, Measurement, measurements
from ncabook.evaluation.perceptual import LEAST, lpips_distance, on_white
from ncabook.evaluation.starts import starts

CURVE_STEP = 10


@dataclass(frozen=True)
class GrowthProtocol:
    """The numbers of the protocol. Change one, and it is another protocol: raise ``version``.

    Attributes:
        seeds: rollouts per class.
        stage1: first and last step of the training horizon, both included.
        grown: the step at which a grown picture is judged by itself.
        perturb: the perturbation comes after this step.
        final: the last step after a perturbation.
        long: the last step of the undisturbed rollout.
        further_seeds: rollouts per class for what Table 1 leaves out.
        far: the last step of those rollouts.
        damages: how many follow one another.
        between: steps between two of them.
        noise: standard deviation of the noise on all numbers of living cells.
        erased: share of cells that are erased at random.
        random_seed: where all fire masks come from.
        starts: starts per class that are counted, grown or died.

    """

    version: int = 3
    seeds: int = 20
    stage1: tuple[int, int] = (64, 96)
    grown: int = 96
    perturb: int = 149
    final: int = 449
    long: int = 1000
    further_seeds: int = 4
    far: int = 5000
    damages: int = 10
    between: int = 150
    noise: float = 0.3
    erased: float = 0.3
    random_seed: int = 2026
    starts: int = 200


@dataclass
class Evaluation:
    """The outcome of :func:`evaluate`.

    Attributes:
        protocol: what was done.
        metrics: by metric, ``mse`` and ``lpips``.
        curves: by perturbation, the mean squared error every ``CURVE_STEP`` steps from the
            perturbation on: quartiles over rollouts, ``[3, times]``.
        further: what Table 1 leaves out; None if it was not asked for.
        alive: the rollouts in which a cell lives at step ``protocol.perturb``, bool
            ``[classes · seeds]``.
        starts: how many of more starts died, from the seed and from the ring, as
            :func:`~ncabook.evaluation.starts.starts` gives it.
        ring: the same metrics of rollouts from the ring.

    """

    protocol: GrowthProtocol
    metrics: dict[str, Measurement]
    alive: Tensor
    curves: dict[str, Tensor] = field(default_factory=dict)
    further: Further | None = None
    starts: dict[str, Any] | None = None
    ring: dict[str, Measurement] = field(default_factory=dict)

    def summary(self) -> dict[str, Any]:
        """Everything that goes into a card, as plain numbers."""
        curves = {
            name: [[float(f"{v:.4g}") for v in quartile] for quartile in curve.tolist()]
            for name, curve in self.curves.items()
        }
        return {
            "protocol": asdict(self.protocol),
            **{name: measured.summary(self.alive) for name, measured in self.metrics.items()},
            "rollouts": {"all": len(self.alive), "died": int((~self.alive).sum())},
            **({"starts": self.starts} if self.starts else {}),
            **({"ring": {k: m.summary() for k, m in self.ring.items()}} if self.ring else {}),
            "curves": {"every": CURVE_STEP, **curves},
            **({"further": self.further.summary()} if self.further else {}),
        }


@dataclass
class _Run:
    """An automaton under the protocol: what all its rollouts have in common."""

    nca: NCA
    targets: Tensor
    protocol: GrowthProtocol
    perceptual: bool
    generator: torch.Generator

    def advance(
        self,
        state: Tensor,
        steps: int,
        labels: Tensor,
        rate: float | None = None,
        ring: bool = False,
    ) -> Tensor:
        count = len(self.targets)
        condition = F.one_hot(labels, count).float() if count > 1 else None
        rate = rate or self.nca.fire_rate

        def fire(t: int) -> Tensor:
            coins = random_fire(state, rate, self.generator)
            return ring_fire(coins, self.nca.living_cells(state)) if ring and t == 0 else coins

        return self.nca.rollout(state, steps, condition, fire=fire)

    def mse(self, state: Tensor, labels: Tensor) -> Tensor:
        return (state[:, :4] - self.targets[labels]).square().mean((1, 2, 3))

    def distances(self, state: Tensor, labels: Tensor) -> dict[str, Tensor]:
        values = {"mse": self.mse(state, labels)}
        if self.perceptual:
            image, target = on_white(state[:, :4]), on_white(self.targets[labels])
            values["lpips"] = lpips_distance(image, target)
        return values

    def repair(self, state: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """From a perturbed state to the final one, and the quartiles of the way there."""
        remaining = self.protocol.final - self.protocol.perturb
        errors = [self.mse(state, labels)]
        while remaining > 0:
            steps = min(CURVE_STEP, remaining)
            state = self.advance(state, steps, labels)
            errors.append(self.mse(state, labels))
            remaining -= steps
        levels = torch.tensor([0.25, 0.5, 0.75])
        return state, torch.stack(errors, dim=1).quantile(levels, dim=0)


@torch.no_grad()
def evaluate(
    nca: NCA,
    targets: Tensor,
    protocol: GrowthProtocol | None = None,
    perceptual: bool = True,
    further: bool = True,
) -> Evaluation:
    """Measures an automaton by the protocol, on the CPU, in float32.

    Args:
        nca: grows one image per class.
        targets: ``[classes, 4, H, W]``, premultiplied RGBA.
        protocol: the book's, unless a quick look is wanted.
        perceptual: also measure LPIPS, which needs AlexNet's weights, and pictures of at least
            :data:`~ncabook.evaluation.perceptual.LEAST` pixels a side; of smaller ones it is left
            out.
        further: also measure what Table 1 leaves out.

    """
    protocol = protocol or GrowthProtocol()
    count = len(targets)
    perceptual = perceptual and min(targets.shape[-2:]) >= LEAST
    generator = torch.Generator().manual_seed(protocol.random_seed)
    run = _Run(nca.to("cpu").eval(), targets, protocol, perceptual, generator)
    rollouts = torch.arange(protocol.seeds).repeat(count)
    classes = torch.arange(count).repeat_interleave(protocol.seeds)

    seen, curves, state = _stages(run, classes, rollouts)
    undisturbed = run.advance(state, protocol.long - protocol.perturb, classes)
    seen["long"] = run.distances(undisturbed, classes)
    result = Evaluation(protocol, measurements(seen), alive(nca, state), curves)
    if further:
        some = rollouts < protocol.further_seeds
        result.further = _further(run, state[some], undisturbed[some], classes[some])
    if nca.living_threshold is not None:
        result.starts = starts(nca, count, protocol.starts, protocol.random_seed)
        run.generator.manual_seed(protocol.random_seed)
        seen, _, state = _stages(run, classes, rollouts, ring=True)
        state = run.advance(state, protocol.long - protocol.perturb, classes)
        seen["long"] = run.distances(state, classes)
        result.ring = measurements(seen)
    return result


def _stages(
    run: _Run, classes: Tensor, rollouts: Tensor, ring: bool = False
) -> tuple[dict[str, dict[str, Tensor]], dict[str, Tensor], Tensor]:
    """Distances by stage, curves of repair, and the states of Stage 2."""
    protocol = run.protocol
    height, width = run.targets.shape[-2:]
    state = centre_seed(run.nca.layout, height, width, len(classes))
    first, last = protocol.stage1
    state = run.advance(state, first, classes, ring=ring)
    horizon = [run.distances(state, classes)]
    seen: dict[str, dict[str, Tensor]] = {}
    for step in range(first + 1, last + 1):
        state = run.advance(state, 1, classes)
        horizon.append(run.distances(state, classes))
        if step == protocol.grown:
            seen["grown"] = horizon[-1]
    seen["stage1"] = {name: torch.stack([h[name] for h in horizon]).mean(0) for name in horizon[0]}
    state = run.advance(state, protocol.perturb - last, classes)
    seen["stage2"] = run.distances(state, classes)

    curves = {}
    for name, masks in (("half", damage_masks), ("circles", circle_masks)):
        damaged = state * masks(protocol.seeds, height, width)[rollouts]
        seen[name] = run.distances(damaged, classes)
        after, curves[name] = run.repair(damaged, classes)
        seen[f"{name}_final"] = run.distances(after, classes)
    if len(run.targets) > 1:
        others = mutated_classes(classes, rollouts, len(run.targets))
        seen["mutated"] = run.distances(state, others)
        after, curves["mutation"] = run.repair(state, others)
        seen["mutation_final"] = run.distances(after, others)
    return seen, curves, state


def _further(run: _Run, state: Tensor, undisturbed: Tensor, classes: Tensor) -> Further:
    """Continues the rollouts of Stage 2 and of the undisturbed end, and starts some anew."""
    protocol, targets = run.protocol, run.targets
    height, width = targets.shape[-2:]
    each = len(classes) // len(targets)
    number = torch.arange(each).repeat(len(targets))
    generator = run.generator
    far = run.advance(undisturbed, protocol.far - protocol.long, classes)

    hurt = state
    for i in range(protocol.damages):
        masks = damage_masks(each + i, height, width)[i:]  # another side each time
        hurt = run.advance(hurt * masks[number], protocol.between, classes)

    def grow(rate: float, steps: float, margin: int = 0) -> Tensor:
        """Errors of grown pictures; a margin's cells count, but not as further pixels."""
        size = (height + 2 * margin, width + 2 * margin)
        seed = centre_seed(run.nca.layout, *size, len(classes))
        grown = run.advance(seed, round(steps), classes, rate)
        expected = F.pad(targets[classes], (margin,) * 4)
        difference = (grown[:, :4] - expected).square()
        return difference.sum((1, 2, 3)) / targets[0].numel()

    rate = run.nca.fire_rate
    margin = round(min(height, width) / 6)
    alive = run.nca.living(state) if run.nca.living_threshold is not None else 1.0
    noisy = state + protocol.noise * alive * torch.randn(state.shape, generator=generator)
    sparse = state * (torch.rand(state[:, :1].shape, generator=generator) >= protocol.erased)
    return Further(
        stage2=run.mse(state, classes),
        far=run.mse(far, classes),
        repeated=run.mse(hurt, classes),
        larger=grow(rate, protocol.perturb, margin),
        slower=grow(rate / 2, 2 * protocol.perturb),
        faster=grow(1.0, rate * protocol.perturb),
        noise=run.mse(noisy, classes),
        noise_final=run.mse(run.repair(noisy, classes)[0], classes),
        erased=run.mse(sparse, classes),
        erased_final=run.mse(run.repair(sparse, classes)[0], classes),
    )
