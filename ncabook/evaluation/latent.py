"""How automata that grow pictures in latents are measured: Table 1's protocol, decoded (§3.1.4).

From the encoded seed: looks at steps 64 to 96 (Stage 1) and 149 (Stage 2); four perturbations of
these states; another look at step 449. Half of the latents are erased, or three circles of them;
*picture* erases half of the decoded picture, which is encoded again; *mutation* changes the class.
Masks and new classes are those of :mod:`ncabook.evaluation.growth`. A rollout without any goes on
to step 1,000.

What is measured are pictures: the mean squared error of premultiplied RGBA, and LPIPS on white. Two
rows stand beside them. The *floor* is what the autoencoder makes of the targets themselves: nobody
who lives in its latents is better. *Enlarged* is an automaton of pixels that grew the same emojis,
at their own small size, made larger by bicubic interpolation.
"""

from dataclasses import asdict, dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from ncabook.automaton import NCA
from ncabook.automaton.perception import check_sizes
from ncabook.evaluation.enlarged import Small
from ncabook.evaluation.harm import circle_masks, damage_masks, mutated_classes
from ncabook.evaluation.perceptual import METRICS, distances
from ncabook.evaluation.recovery import bootstrap_interval, recovery
from ncabook.networks import VQVAE
from ncabook.training.latent import bound, encoded, erase_pixels, latent_seed

PERTURBATIONS = ("half", "circles", "picture", "mutation")


@dataclass(frozen=True)
class LatentProtocol:
    """When to look.

    Attributes:
        seeds: rollouts for each class.
        stage1: first and last step of the training horizon.
        every: steps between two looks at it.
        perturb: the perturbations come after this step.
        final: the last step after one.
        long: the last step of the undisturbed rollouts.
        batch: pictures decoded at once.
        random_seed: of the coins.
        version: of this protocol.

    """

    seeds: int = 4
    stage1: tuple[int, int] = (64, 96)
    every: int = 8
    perturb: int = 149
    final: int = 449
    long: int = 1000
    batch: int = 10
    random_seed: int = 2026
    version: int = 1

    def __post_init__(self) -> None:
        check_sizes(seeds=self.seeds, every=self.every, batch=self.batch)
        first, last = self.stage1
        if not 0 < first <= last < self.perturb < self.final <= self.long:
            raise ValueError(
                f"stage1 {self.stage1}, perturb {self.perturb}, final {self.final}, long "
                f"{self.long}; expected them to rise"
            )


@torch.no_grad()
def evaluate_latents(
    nca: NCA,
    vqvae: VQVAE,
    targets: Tensor,
    protocol: LatentProtocol | None = None,
    small: Small | None = None,
) -> dict[str, Any]:
    """Measures an automaton that grows one picture for each class in latents, on the CPU.

    Args:
        nca: told the class.
        vqvae: encoder and decoder.
        targets: ``[classes, 4, h, w]``, premultiplied RGBA in [0, 1].
        protocol: when to look.
        small: an automaton of pixels that grows the same classes.

    Raises:
        ValueError: one class only, which leaves nothing to mutate.

    """
    rules = protocol or LatentProtocol()
    count = len(targets)
    if count < 2:
        raise ValueError("the protocol mutates classes and needs at least 2; there is 1")
    nca, vqvae = nca.to("cpu").eval(), vqvae.to("cpu").eval()
    look = _Look(vqvae, targets, rules.batch)
    generator = torch.Generator().manual_seed(rules.random_seed)
    classes = torch.arange(count).repeat_interleave(rules.seeds)
    rollouts = torch.arange(rules.seeds).repeat(count)
    layout = nca.layout

    def advance(state: Tensor, steps: int, labels: Tensor) -> Tensor:
        condition = F.one_hot(labels, count).float()
        return nca.rollout(state, steps, condition, generator=generator)

    def seen_as(state: Tensor, labels: Tensor, quantised: bool = False) -> dict[str, Tensor]:
        return look.distances(state[:, layout.visible_slice], labels, quantised)

    wanted = encoded(vqvae, targets, batch=1)
    height, width = wanted.shape[2:]
    state = latent_seed(nca, vqvae, height, width).repeat(len(classes), 1, 1, 1)
    first, last = rules.stage1
    now, horizon = 0, []
    for step in range(first, last + 1, rules.every):
        state, now = advance(state, step - now, classes), step
        horizon.append(seen_as(state, classes))
    state = advance(state, rules.perturb - now, classes)
    seen = {
        "stage1": {name: torch.stack([h[name] for h in horizon]).mean(0) for name in METRICS},
        "stage2": seen_as(state, classes),
        "snapped": seen_as(state, classes, quantised=True),
    }
    masks = {"half": damage_masks, "circles": circle_masks, "picture": damage_masks}
    others = mutated_classes(classes, rollouts, count)
    for kind in PERTURBATIONS:
        labels, hurt = (others, state) if kind == "mutation" else (classes, state)
        if kind in masks:
            mask = masks[kind](rules.seeds, height, width)[rollouts]
            if kind == "picture":
                parts = zip(state.split(1), mask.split(1), strict=True)
                hurt = torch.cat([erase_pixels(nca, vqvae, *pair) for pair in parts])
            else:
                hurt = state * mask
        seen[kind] = seen_as(hurt, labels)
        seen[f"{kind}_final"] = seen_as(advance(hurt, rules.final - rules.perturb, labels), labels)
    end = advance(state, rules.long - rules.perturb, classes)
    seen["long"] = seen_as(end, classes)
    floor = {
        "quantised": look.distances(wanted, torch.arange(count), True),
        "free": look.distances(wanted, torch.arange(count), False),
    }
    found = {
        "protocol": asdict(rules) | {"stage1": list(rules.stage1)},
        "rollouts": {
            "all": len(end),
            "within": int((end.abs().amax((1, 2, 3)) <= bound(float(wanted.abs().max()))).sum()),
        },
        "floor": {
            kind: {name: float(values.mean()) for name, values in each.items()}
            for kind, each in floor.items()
        },
        **{name: _summary({k: v[name] for k, v in seen.items()}) for name in METRICS},
    }
    if small is not None:
        found["enlarged"] = _enlarged(small, look, rules, generator)
    return found


def _summary(stages: dict[str, Tensor]) -> dict[str, Any]:
    """Means, and recoveries with their intervals, of one metric."""
    means: dict[str, Any] = {name: float(value.mean()) for name, value in stages.items()}
    for kind in PERTURBATIONS:
        values = (stages["stage2"], stages[kind], stages[f"{kind}_final"])
        means[f"{kind}_recovery"] = recovery(*values)
        means[f"{kind}_recovery_interval"] = list(bootstrap_interval(*values))
    return means


class _Look:
    """Pictures of latents against the class pictures."""

    def __init__(self, vqvae: VQVAE, targets: Tensor, batch: int) -> None:
        self.vqvae, self.targets, self.batch = vqvae, targets, batch

    def distances(self, latents: Tensor, labels: Tensor, quantised: bool) -> dict[str, Tensor]:
        """By metric, ``[N]``, of normal latents ``[N, C, H, W]``."""
        pairs = zip(latents.split(self.batch), labels.split(self.batch), strict=True)
        parts = [
            distances(self.vqvae.pictures(z, quantised), self.targets[which]) for z, which in pairs
        ]
        return {name: torch.cat([part[name] for part in parts]) for name in METRICS}


def _enlarged(
    small: Small, look: _Look, rules: LatentProtocol, generator: torch.Generator
) -> dict[str, Any]:
    """Pictures of pixels at Stage 2, enlarged, and enlarged targets: no enlargement is better."""
    count = len(small.targets)
    classes = torch.arange(count).repeat_interleave(rules.seeds)
    grown = small.grown(classes, rules.perturb, generator)
    found = {"grown": (grown, classes), "floor": (small.targets, torch.arange(count))}
    means = {}
    for name, (pictures, labels) in found.items():
        parts = zip(pictures.split(look.batch), labels.split(look.batch), strict=True)
        each = []
        for part, which in parts:
            truth = look.targets[which]
            each.append(distances(small.placed(part, which, truth), truth))
        means[name] = {m: float(torch.cat([e[m] for e in each]).mean()) for m in METRICS}
    return means
