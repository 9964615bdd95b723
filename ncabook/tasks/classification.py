"""Cells that vote on an image's class (§3.3; Tables 3 and 4)."""

from typing import Annotated, Any, Literal

import torch
from pydantic import Field, model_validator
from torch import Tensor

from ncabook.automaton import NCA, ChannelLayout
from ncabook.data.labelled import (
    CIFAR10,
    DIGITS,
    SHORT,
    Labelled,
    Split,
    cifar10,
    mnist,
    rendered_digits,
)
from ncabook.evaluation.classification import PROTOCOLS, evaluate_classification
from ncabook.evaluation.copies import compare_copies
from ncabook.reading import Strict
from ncabook.tasks.base import LARGEST, BaseExperiment, Look, Task, state_bytes
from ncabook.tasks.folder_data import FolderData
from ncabook.tasks.parts import ModelConfig
from ncabook.tasks.report import Measured, Report
from ncabook.training.classification import ClassificationLearner, visible_image
from ncabook.training.config import ClassificationConfig
from ncabook.training.tracking import Tracking

RENDERED = {"train": (20000, 0), "test": (2000, 1)}  # how many, and their seed


class LabelledData(Strict):
    """Images to be classified.

    Attributes:
        name: which; ``rendered-digits`` stand in for MNIST, and are easier.
        padding: empty cells on every side of an image.

    """

    name: Literal["mnist", "cifar10", "rendered-digits"]
    padding: Annotated[int, Field(ge=0, le=LARGEST)] = 0

    @property
    def channels(self) -> int:
        """Of an image."""
        return 3 if self.name == "cifar10" else 1

    @property
    def grid(self) -> int:
        """Side of the whole grid, in cells."""
        return (32 if self.name == "cifar10" else 28) + 2 * self.padding

    @property
    def classes(self) -> tuple[str, ...]:
        """What the classes are called."""
        return CIFAR10 if self.name == "cifar10" else DIGITS

    def build(self, split: Split) -> Labelled:
        """The images and labels to train on, or to be measured by."""
        match self.name:
            case "mnist":
                return mnist(split)
            case "cifar10":
                return cifar10(split)
            case "rendered-digits":
                return rendered_digits(*RENDERED[split])

    def exact(self, test: Labelled) -> Labelled | None:
        """The first test images without loss, where ``test`` holds lossy copies; None elsewhere."""
        return cifar10("test", lossless=True) if self.name == "cifar10" and test.note else None

    def examples(self) -> dict[str, Tensor]:
        """What a page may begin with: an empty input, and for digits a rendered one of each kind.

        Returns:
            by name, ``[channels, grid, grid]`` in [0, 1].

        """
        blank = {"blank": torch.zeros(self.channels, self.grid, self.grid)}
        if self.name == "cifar10":
            return blank
        digits = rendered_digits(200, 2)
        firsts = {
            name: int((digits.labels == i).nonzero()[0]) for i, name in enumerate(digits.names)
        }
        shown = visible_image(digits.images, self.padding)
        return {name: shown[first] for name, first in firsts.items()} | blank


class ClassificationExperiment(BaseExperiment):
    """A row of Table 3 or 4: an automaton whose cells vote on an image's class.

    Attributes:
        data: what is to be classified.
        model: the automaton; the image and one channel per class come on top.
        training: how it is trained.

    """

    task: Literal["classify"]
    data: Annotated[LabelledData | FolderData, Field(discriminator="name")]
    model: ModelConfig
    training: ClassificationConfig

    @model_validator(mode="after")
    def _fits(self) -> "ClassificationExperiment":
        self.model.check_reach(self.data.grid)
        if self.model.living_threshold is not None and self.data.channels == 3:
            raise ValueError(
                "model.living_threshold lets cells live where the first image channel is bright, "
                "which says nothing in a photograph; set it to null"
            )
        return self


class ClassificationTask(Task[ClassificationExperiment]):
    """Digits, photographs, images of one's own, told apart by all cells together."""

    kind = ClassificationExperiment
    headline = (
        "short.per_cell",
        "grown.per_cell",
        "final.per_cell",
        "recovery",
        "long.per_cell",
        "short.per_image",
        "grown.per_image",
        "long.per_image",
        "lossless.short.per_image.bias",
        "lossless.grown.per_image.bias",
    )
    devices = ("cpu", "cuda")

    def network(self, experiment: ClassificationExperiment) -> NCA:
        """The image in fixed channels, hidden ones, and one for each class."""
        layout = ChannelLayout(
            visible=0,
            hidden=experiment.model.hidden_channels,
            fixed=experiment.data.channels,
            classes=len(experiment.data.classes),
        )
        return experiment.model.build(layout)

    def data(self, experiment: ClassificationExperiment) -> tuple[Tensor, ...]:
        """Training images and labels."""
        labelled = experiment.data.build("train")
        return labelled.images, labelled.labels

    def learner(
        self,
        experiment: ClassificationExperiment,
        network: NCA,
        data: tuple[Tensor, ...],
        device: str,
        tracker: Tracking | None = None,
    ) -> ClassificationLearner:
        """Algorithm 3."""
        images, labels = data
        training, padding = experiment.training, experiment.data.padding
        return ClassificationLearner(
            network, images, labels, training, experiment.seed, device, tracker, padding
        )

    def needs(self, experiment: ClassificationExperiment) -> dict[str, int]:
        """States; the images are few beside them."""
        data = experiment.data
        channels = data.channels + len(data.classes) + experiment.model.hidden_channels
        return {"targets": 0, **state_bytes(experiment, channels, data.grid)}

    def measure(
        self, experiment: ClassificationExperiment, network: NCA, look: Look, device: str
    ) -> dict[str, Any]:
        """Table 3's and 4's protocol on the test set, and what lossy copies of it change."""
        data = experiment.data
        test, rules = data.build("test"), PROTOCOLS[data.name]
        metrics = evaluate_classification(
            network, test.images.to(device), test.labels, data.padding, rules
        )
        metrics["data"] = {"name": data.name, "note": test.note}
        if (exact := data.exact(test)) is not None:
            metrics["lossless"] = compare_copies(
                network, exact, test, data.padding, rules, device=device
            )
        return metrics

    def report(self, metrics: dict[str, Any]) -> Report:
        """Right votes of cells and of images, at each moment of the protocol."""
        protocol = metrics["protocol"]
        first, last = protocol["short"]
        rows = {
            "short": f"steps {first}–{last}",
            "grown": f"step {protocol['grown']}",
            "swapped": "another image",
            "final": f"another image, step {protocol['final']}",
            "long": f"step {protocol['long']:,}",
        }
        columns = {
            "per_cell": ("cells right", 2, "%"),
            "per_image": ("images right", 2, "%"),
            "entropy_bits": ("entropy, bits", 3, ""),
        }
        found = [
            Measured(f"{moment}.{name}", row, words, metrics[moment][name], digits, unit)
            for moment, row in rows.items()
            for name, (words, digits, unit) in columns.items()
        ]
        low, high = metrics["recovery_interval"]
        recovered = metrics["recovery"]
        found.append(
            Measured("recovery", "recovery", "cells right", recovered, 2, "%", (low, high))
        )
        for moment in ("short", "grown"):
            if values := metrics.get("lossless", {}).get(moment):
                low, high = values["per_image"]["interval"]
                found.append(
                    Measured(
                        f"lossless.{moment}.per_image.bias",
                        f"bias of copies, {rows[moment]}",
                        "images right",
                        values["per_image"]["bias"],
                        1,
                        "points",
                        (low, high),
                    )
                )
        agreed, at_step = metrics["consensus_percent"], metrics["consensus_step"]
        when = "" if at_step is None else f", at step {at_step:.0f} (median)"
        notes = [f"nine tenths agree in {agreed:.1f} % of images{when}"]
        if metrics["data"]["note"]:
            notes.append(f"note: {metrics['data']['note']}")
        late = protocol["late_images"]
        further = f", {late:,} of them past step {last}" if late < protocol["images"] else ""
        heading = f"protocol {protocol['version']}, {protocol['images']:,} images{further}"
        return Report(heading, found, notes)

    def live(self, experiment: ClassificationExperiment, nca: NCA) -> dict[str, Any]:
        """Inputs to choose among and to draw on, and the names of the votes."""
        data = experiment.data
        return {
            "height": data.grid,
            "width": data.grid,
            "inputs": data.examples(),
            "votes": [SHORT.get(name, name) for name in data.classes],
        }
