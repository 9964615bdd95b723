"""Cells that vote: self-classification of images (§3.3, Algorithm 3).

An image lies in the fixed channels, where a step can read and never write. Every cell keeps its
own vote in the class channels, and all should agree on the image's class. The pool returns states
that have voted already; some of them get another image, *with its label*, and have to change
their minds.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from ncabook.automaton import NCA, empty_state
from ncabook.data.labelled import check_labels
from ncabook.training.config import ClassificationConfig
from ncabook.training.evolving import EvolvingLearner
from ncabook.training.losses import class_cross_entropy, class_mse
from ncabook.training.pool import Sample
from ncabook.training.tracking import Tracking

LOSSES = {"mse": class_mse, "cross-entropy": class_cross_entropy}
SHIFT = 4  # cells that augmentation moves an image by, at most, in each direction


class ClassificationLearner(EvolvingLearner):
    """Trains an automaton to classify images, all cells together.

    Args:
        nca: trained in place; its layout has as many fixed channels as the images, and one class
            channel for each class.
        images: uint8 ``[N, fixed, h, w]``; cells see values in [0, 1].
        labels: int64 ``[N]``.
        config: the ``training`` part of an experiment.
        seed: everything random follows from it.
        device: where to train.
        tracker: where the curves go; None draws none.
        padding: empty cells around the image.

    Raises:
        ValueError: images, labels and layout do not fit each other.

    """

    config: ClassificationConfig

    def __init__(
        self,
        nca: NCA,
        images: Tensor,
        labels: Tensor,
        config: ClassificationConfig,
        seed: int,
        device: str = "cpu",
        tracker: Tracking | None = None,
        padding: int = 0,
    ) -> None:
        check(nca, images, labels)
        height, width = (side + 2 * padding for side in images.shape[-2:])
        super().__init__(nca, (height, width), config, seed, device, tracker)
        self.images, self.labels = images.to(self.device), labels.to(self.device)
        self.padding = padding

    def fresh(self, count: int) -> Sample:
        """Images at random, of which no cell has thought anything yet, and their labels."""
        random = {"generator": self.generator, "device": self.device}
        picks = torch.randint(len(self.images), (count,), **random)
        image = visible_image(self.images[picks], self.padding)
        if self.config.augment:
            mirrored = torch.rand(count, 1, 1, 1, **random) < 0.5
            image = torch.where(mirrored, image.flip(3), image)
            shift = torch.randint(0, 2 * SHIFT + 1, (2, count), **random)
            image = shifted(image, shift)
        return {"state": initial_state(self.nca, image), "class": self.labels[picks]}

    def mutate(self, old: Sample, fresh: Sample) -> Sample:
        """Another image, and so another label: neither without the other."""
        fixed = self.nca.layout.fixed
        thoughts = old["state"][:, fixed:]
        return {
            "state": torch.cat([fresh["state"][:, :fixed], thoughts], dim=1),
            "class": fresh["class"],
        }

    def condition(self, sample: Sample) -> None:
        """None: the image says it all."""

    def loss(self, film: Tensor, sample: Sample) -> Tensor:
        """How far the votes of the living cells are from the label, at the end."""
        end = film[-1]
        measure = LOSSES[self.config.loss]
        return measure(end, sample["class"], self.nca.layout, voters(self.nca, end))


def visible_image(images: Tensor, padding: int) -> Tensor:
    """Images as cells see them: uint8 ``[N, c, h, w]`` → float ``[N, c, h + 2p, w + 2p]``."""
    if padding < 0:
        raise ValueError(f"padding is {padding}; expected a whole number ≥ 0")
    return F.pad(images.float() / 255, (padding,) * 4)


def initial_state(nca: NCA, image: Tensor) -> Tensor:
    """``[B, C, H, W]``: images ``[B, fixed, H, W]`` in the fixed channels, zeros elsewhere."""
    height, width = image.shape[2:]
    state = empty_state(nca.layout, height, width, len(image), str(image.device))
    state[:, : nca.layout.fixed] = image
    return state


def voters(nca: NCA, state: Tensor) -> Tensor:
    """Bool ``[B, 1, H, W]``: the living cells, or all where there is no living mask."""
    if nca.living_threshold is None:
        return torch.ones_like(state[:, :1], dtype=torch.bool)
    return nca.living(state)


def check(nca: NCA, images: Tensor, labels: Tensor) -> None:
    """Whether images, uint8 ``[N, fixed, h, w]``, and labels ``[N]`` are for this automaton.

    Raises:
        ValueError: says what was given, and what was expected.

    """
    layout = nca.layout
    if images.ndim != 4 or images.dtype != torch.uint8 or images.shape[1] != layout.fixed:
        raise ValueError(
            f"images of {images.dtype}, shape {list(images.shape)}; expected torch.uint8, "
            f"[N, {layout.fixed}, height, width], the layout's fixed channels"
        )
    check_labels(labels, len(images), layout.classes)


def shifted(image: Tensor, shift: Tensor) -> Tensor:
    """Each image moved by its own ``shift - SHIFT``, ``[2, B]`` in cells; black comes in."""
    batch, _, height, width = image.shape
    padded = F.pad(image, (SHIFT,) * 4)
    rows = torch.arange(height, device=image.device) + shift[0, :, None]
    columns = torch.arange(width, device=image.device) + shift[1, :, None]
    which = torch.arange(batch, device=image.device)[:, None, None]
    moved = padded.permute(0, 2, 3, 1)[which, rows[:, :, None], columns[:, None, :]]
    return moved.permute(0, 3, 1, 2)
