"""What a lossy copy of a test set costs: the same images in both copies, under the same coins.

Where CIFAR-10's original archive is not, its test images are JPEG files, but for the first 1,000,
which are there without loss as well (:mod:`ncabook.data.labelled`). What a classifier shows on the
files is not quite what it would show on the originals. So it is measured on both copies of these,
in the same order: each image meets the same coins twice, and only its pixels differ.

The *bias* of a measure is that of the copy, less that of the exact images, in points, with the 95 %
bootstrap interval over images (both copies of an image are drawn together).
"""

from typing import Any

import torch
from torch import Tensor

from ncabook.automaton import NCA
from ncabook.automaton.precision import autocast, products
from ncabook.data.labelled import Labelled
from ncabook.evaluation.classification import ClassificationProtocol, Record, ballot
from ncabook.evaluation.recovery import bootstrap
from ncabook.training.classification import check, initial_state, visible_image

ACCURACIES = ("per_cell", "per_image")  # of what `Record` keeps


def copies_of(exact: Labelled, lossy: Labelled) -> Labelled:
    """The lossy copies of the exact images, in their order: the k-th of a class is the k-th there.

    Raises:
        ValueError: some have no copy.

    """
    picks = torch.empty(len(exact), dtype=torch.int64)
    for label, name in enumerate(exact.names):
        wanted = (exact.labels == label).nonzero()[:, 0]
        there = (lossy.labels == label).nonzero()[:, 0]
        if len(there) < len(wanted):
            raise ValueError(
                f"{len(there)} copies of class {name}; expected at least {len(wanted)}, one for "
                "each exact image"
            )
        picks[wanted] = there[: len(wanted)]
    return Labelled(lossy.images[picks], lossy.labels[picks], lossy.names, lossy.note)


def compare_copies(
    nca: NCA,
    exact: Labelled,
    lossy: Labelled,
    padding: int = 0,
    protocol: ClassificationProtocol | None = None,
    seed: int = 0,
    device: str = "cpu",
) -> dict[str, Any]:
    """Measures an automaton on exact images and on their lossy copies.

    Args:
        nca: the automaton.
        exact: images without loss.
        lossy: a copy of the whole test set, in any order in which each class keeps its own.
        padding: empty cells around each image.
        protocol: when to look: early window and *grown*.
        seed: of the coins.
        device: where the automaton is.

    Returns:
        The number of images, and by moment and measure what both copies give, and the bias.

    Raises:
        ValueError: the images do not fit the automaton, or some have no copy.

    """
    protocol = protocol or ClassificationProtocol()
    found = [
        _accuracies(nca, one.images.to(device), one.labels.to(device), padding, protocol, seed)
        for one in (exact, copies_of(exact, lossy))
    ]
    result: dict[str, Any] = {
        "images": len(exact),
        "precision": products(device, protocol.precision),
    }
    for moment, measures in found[0].items():
        result[moment] = {
            measure: _bias(right, found[1][moment][measure]) for measure, right in measures.items()
        }
    return result


def _bias(exact: Tensor, copy: Tensor) -> dict[str, Any]:
    """Of accuracies in percent, ``[N]`` each."""
    return {
        "exact": float(exact.mean()),
        "copy": float(copy.mean()),
        "bias": float((copy - exact).mean()),
        "interval": list(bootstrap(lambda points: float(points.mean()), copy - exact)),
    }


@torch.no_grad()
def _accuracies(
    nca: NCA,
    images: Tensor,
    labels: Tensor,
    padding: int,
    protocol: ClassificationProtocol,
    seed: int,
) -> dict[str, dict[str, Tensor]]:
    """By moment and measure, of each image, in percent, ``[N]``."""
    check(nca, images, labels)
    generator = torch.Generator(images.device).manual_seed(seed)
    first, last = protocol.short
    window = range(first, last + 1)
    record = Record([*window, protocol.grown], len(images), images.device)
    for start in range(0, len(images), protocol.batch):
        part = slice(start, start + protocol.batch)
        state, done = initial_state(nca, visible_image(images[part], padding)), 0
        for step in record.rows:
            with autocast(state.device, protocol.precision):
                state = nca.rollout(state, step - done, generator=generator)
            record.add(step, ballot(nca, state), labels[part])
            done = step
    return {
        moment: {
            measure: torch.stack([record.values(measure, t) for t in steps]).mean(0).cpu()
            for measure in ACCURACIES
        }
        for moment, steps in (("short", window), ("grown", (protocol.grown,)))
    }
