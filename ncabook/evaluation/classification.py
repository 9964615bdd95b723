"""How automata that classify are measured: Table 3's and Table 4's protocol, written down once.

Every image of a test set starts one rollout with empty cells around it. A *voter* is a living
cell, or any cell where there is no living mask; its vote is its largest class channel. At each
step: the share of voters that are right, averaged over the images (*per cell*); the share of
images whose votes, averaged over the voters, are largest for the right class (*per image*); and
the entropy of the votes of an image in bits (0: all agree), averaged over the images.

- *short*: the mean over an early window of steps, that of the training (20–30 for MNIST).
- *grown*: step 149.
- After step 149 every image is swapped for another one of another class; the cells keep what they
  thought. *swapped*: the same votes against the new label; *final*: step 449. The recovery is that
  of eq. 3, of the accuracy per cell.
- *long*: step 2,000 without any swap, of the first images only.
- Where steps are expensive, only the first images of the test set (``late_images``) go past the
  early window; all that lies behind it, and the curve, is of these.
- *consensus*: the first step at which nine tenths of an image's voters vote alike; the median
  over the images, of those that get there.

The paper prints accuracies per cell at the same steps and the recovery (§3.3.1, §3.3.2).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ncabook.automaton import NCA
from ncabook.automaton.perception import check_sizes
from ncabook.automaton.precision import Precision, autocast, products
from ncabook.evaluation.recovery import bootstrap_interval, recovery
from ncabook.training.classification import check, initial_state, visible_image, voters

VERSION = 1
CONSENSUS = 0.9
MEASURES = ("per_cell", "per_image", "entropy_bits")


@dataclass(frozen=True)
class ClassificationProtocol:
    """When to look; the defaults are those of MNIST.

    Attributes:
        short: first and last step of the early window.
        grown: the step after which images are swapped.
        final: the last step after the swap.
        long: the last step without a swap.
        long_images: how many images go that far.
        late_images: how many go past the early window.
        batch: images at once; the coins depend on it, so that it is part of the protocol.
        precision: of the products, that of the training or a better one (float32 where the
            hardware does not multiply bfloat16).

    """

    short: tuple[int, int] = (20, 30)
    grown: int = 149
    final: int = 449
    long: int = 2000
    long_images: int = 1000
    late_images: int = 10_000
    batch: int = 500
    precision: Precision = "float32"

    def __post_init__(self) -> None:
        check_sizes(late_images=self.late_images, long_images=self.long_images, batch=self.batch)
        first, last = self.short
        if not 1 <= first <= last < self.grown < min(self.final, self.long):
            raise ValueError(
                f"short {self.short}, grown {self.grown}, final {self.final}, long {self.long}; "
                "expected 1 ≤ first ≤ last < grown, and grown before final and long"
            )
        if self.precision not in ("float32", "bfloat16"):
            raise ValueError(f"precision is {self.precision!r}; expected float32 or bfloat16")


PROTOCOLS = {
    "mnist": ClassificationProtocol(),
    "rendered-digits": ClassificationProtocol(),
    "folder": ClassificationProtocol(batch=100),
    "cifar10": ClassificationProtocol(
        short=(32, 64),
        grown=300,
        final=600,
        long_images=250,
        late_images=1000,
        batch=250,
        precision="bfloat16",
    ),
}


class Record:
    """One number per image and step, for each of three measures.

    They lie in one tensor from the start: small ones, made one after another between a rollout's
    large ones, would scatter over the heap and keep gigabytes from being used again.
    """

    def __init__(self, steps: Sequence[int], images: int, device: torch.device) -> None:
        self.rows = {step: row for row, step in enumerate(steps)}
        self.table = torch.zeros(len(MEASURES), len(steps), images, device=device)
        self.seen = dict.fromkeys(steps, 0)

    def add(self, step: int, ballot: "Ballot", labels: Tensor) -> None:
        """The next images at this step."""
        first = self.seen[step]
        self.seen[step] = first + len(labels)
        place = self.table[:, self.rows[step], first : self.seen[step]]
        place[0] = 100 * ballot.share_of(labels)
        place[1] = 100 * (ballot.winner == labels).float()
        place[2] = ballot.entropy

    def values(self, measure: str, step: int) -> Tensor:
        """Of all images seen, ``[N]``."""
        return self.table[MEASURES.index(measure), self.rows[step], : self.seen[step]]

    def means(self, *steps: int, first: int | None = None) -> dict[str, float]:
        """Of all steps, and of all images or the first ones."""
        return {
            measure: float(torch.stack([self.values(measure, t)[:first] for t in steps]).mean())
            for measure in MEASURES
        }


@dataclass(frozen=True)
class Ballot:
    """How the cells of some images vote.

    Attributes:
        counts: votes for each class, ``[B, classes]``.
        winner: the class with the largest mean of the voters' class channels, ``[B]``.

    """

    counts: Tensor
    winner: Tensor

    @property
    def total(self) -> Tensor:
        """Voters of each image, ``[B]``, at least 1."""
        return self.counts.sum(1).clamp_min(1)

    @property
    def entropy(self) -> Tensor:
        """Of each image's votes, in bits, ``[B]``."""
        share = self.counts / self.total[:, None]
        return -(share * share.clamp_min(1e-12).log2()).sum(1)

    @property
    def agreement(self) -> Tensor:
        """Share of the most frequent vote, ``[B]``."""
        return self.counts.amax(1) / self.total

    def share_of(self, classes: Tensor) -> Tensor:
        """Share of the voters that vote for ``classes`` ``[B]``."""
        return self.counts.gather(1, classes[:, None])[:, 0] / self.total


def ballot(nca: NCA, state: Tensor) -> Ballot:
    """Counts the votes of states ``[B, C, H, W]``."""
    layout, counts = nca.layout, voters(nca, state)
    channels = state[:, layout.class_slice]
    cast = torch.zeros(
        channels.shape[:2], device=state.device
    )  # a table [B, classes, H, W] is large
    cast.scatter_add_(1, channels.argmax(1).flatten(1), counts.flatten(1).float())
    mean = (channels * counts).sum((2, 3))  # the number of voters is the same for all classes
    return Ballot(cast, mean.argmax(1))


@torch.no_grad()
def evaluate_classification(
    nca: NCA,
    images: Tensor,
    labels: Tensor,
    padding: int = 0,
    protocol: ClassificationProtocol | None = None,
    seed: int = 0,
) -> dict[str, Any]:
    """Measures an automaton on a test set.

    Args:
        nca: the automaton.
        images: uint8 ``[N, fixed, h, w]``, on the automaton's device.
        labels: int64 ``[N]``, on the CPU.
        padding: empty cells around each image.
        protocol: when to look.
        seed: of the coins and of the swaps.

    Returns:
        What stands in a card's ``metrics``.

    Raises:
        ValueError: images and labels do not fit the automaton, or there is only one class.

    """
    protocol = protocol or ClassificationProtocol()
    check(nca, images, labels)
    generator = torch.Generator().manual_seed(seed)
    partner = other_class(labels, generator)  # the same on all devices
    device = images.device
    if device.type != "cpu":
        generator = torch.Generator(device).manual_seed(seed)
    labels, partner = labels.to(device), partner.to(device)
    late = min(protocol.late_images, len(images))

    def rollout(state: Tensor, steps: int) -> Tensor:
        with autocast(state.device, protocol.precision):
            return nca.rollout(state, steps, generator=generator)

    before = Record(range(1, protocol.grown + 1), len(images), device)
    after = Record((protocol.grown, protocol.final), late, device)
    further = Record((protocol.long,), min(late, protocol.long_images), device)
    reached = []
    for first in range(0, len(images), protocol.batch):
        part = slice(first, first + protocol.batch)
        image, label, other = visible_image(images[part], padding), labels[part], partner[part]
        state = initial_state(nca, image)
        agreed = torch.zeros(len(label), dtype=torch.int64, device=device)
        for step in range(1, protocol.grown + 1):
            if step == protocol.short[1] + 1:
                going_on = max(0, late - first)
                state, label, other, agreed = (t[:going_on] for t in (state, label, other, agreed))
            if not len(label):
                break
            state = rollout(state, 1)
            votes = ballot(nca, state)
            before.add(step, votes, label)
            agreed[(agreed == 0) & (votes.agreement >= CONSENSUS)] = step
        reached.append(agreed)
        if not len(label):
            continue
        swapped, kept = state.clone(), state[: max(0, protocol.long_images - first)]
        swapped[:, : nca.layout.fixed] = visible_image(images[other], padding)
        after.add(protocol.grown, ballot(nca, swapped), labels[other])
        swapped = rollout(swapped, protocol.final - protocol.grown)
        after.add(protocol.final, ballot(nca, swapped), labels[other])
        if len(kept):
            kept = rollout(kept, protocol.long - protocol.grown)
            further.add(protocol.long, ballot(nca, kept), label[: len(kept)])
    grown, final = protocol.grown, protocol.final
    accuracies = (
        before.values("per_cell", grown).cpu(),
        after.values("per_cell", grown).cpu(),
        after.values("per_cell", final).cpu(),
    )
    agreed = torch.cat(reached)
    there = agreed[agreed > 0].float()
    steps = range(1, grown + 1)
    return {
        "protocol": {"version": VERSION, "images": len(images), **vars(protocol)},
        "precision": products(device, protocol.precision),
        "short": before.means(*range(protocol.short[0], protocol.short[1] + 1)),
        "grown": before.means(grown),
        "swapped": after.means(grown),
        "final": after.means(final),
        "recovery": recovery(*accuracies),
        "recovery_interval": list(bootstrap_interval(*accuracies)),
        "long": further.means(protocol.long),
        "consensus_step": float(there.median()) if len(there) else None,
        "consensus_percent": 100 * len(there) / len(agreed),
        "curve": {m: [before.means(t, first=late)[m] for t in steps] for m in MEASURES},
    }


def other_class(labels: Tensor, generator: torch.Generator) -> Tensor:
    """For each image the number of one of another class, at random, ``[N]``.

    Raises:
        ValueError: there is no other class.

    """
    if len(labels.unique()) < 2:
        raise ValueError("all images are of one class; expected at least two, to swap them")
    count = len(labels)
    chosen = torch.randint(count, (count,), generator=generator)
    while bool((same := labels[chosen] == labels).any()):
        chosen[same] = torch.randint(count, (int(same.sum()),), generator=generator)
    return chosen
