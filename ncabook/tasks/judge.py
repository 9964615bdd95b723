"""A network that judges grown digits: a classifier of one pass, with an error of its own."""

from typing import Annotated, Any, Literal

import torch
from pydantic import Field
from torch import Tensor

from ncabook.networks import SmallCNN
from ncabook.reading import Strict
from ncabook.tasks.base import FLOAT, BaseExperiment, Look, Task
from ncabook.tasks.classification import LabelledData
from ncabook.tasks.report import Measured, Report
from ncabook.training.adversarial_config import JudgeConfig
from ncabook.training.config import Width
from ncabook.training.judge import JudgeLearner
from ncabook.training.tracking import Tracking

AT_ONCE = 1000  # images
VERSION = 1  # of the protocol: every test image once


class JudgeModel(Strict):
    """A :class:`~ncabook.networks.SmallCNN`."""

    widths: Annotated[list[Width], Field(min_length=1, max_length=6)]


class JudgeExperiment(BaseExperiment):
    """A judge of digits.

    Attributes:
        data: what it learns to tell apart.
        model: the network.
        training: how it is trained.

    """

    task: Literal["judge"]
    data: LabelledData
    model: JudgeModel
    training: JudgeConfig


class JudgeTask(Task[JudgeExperiment]):
    """Digits, told apart by a network that is no automaton."""

    kind = JudgeExperiment
    headline = ("accuracy",)
    has_figure = False

    def network(self, experiment: JudgeExperiment) -> SmallCNN:
        """Convolutions, an average, a linear layer."""
        return SmallCNN(
            len(experiment.data.classes), experiment.data.channels, experiment.model.widths
        )

    def data(self, experiment: JudgeExperiment) -> tuple[Tensor, ...]:
        """Training images and labels."""
        labelled = experiment.data.build("train")
        return labelled.images, labelled.labels

    def learner(
        self,
        experiment: JudgeExperiment,
        network: SmallCNN,
        data: tuple[Tensor, ...],
        device: str,
        tracker: Tracking | None = None,
    ) -> JudgeLearner:
        """By cross-entropy."""
        images, labels = data
        training, seed = experiment.training, experiment.seed
        return JudgeLearner(network, images, labels, training, seed, device, tracker)

    def needs(self, experiment: JudgeExperiment) -> dict[str, int]:
        """A batch at the first convolution's size."""
        side, batch = experiment.data.grid, experiment.training.batch
        return {"targets": 0, "batch": FLOAT * experiment.model.widths[0] * side**2 * batch}

    def measure(
        self, experiment: JudgeExperiment, network: SmallCNN, look: Look, device: str
    ) -> dict[str, Any]:
        """The share of test images that it gets right, of all and of each class."""
        test = experiment.data.build("test")
        network.eval()
        with torch.no_grad():
            parts = (test.images.float() / 255).to(device).split(AT_ONCE)
            answers = torch.cat([network(part).argmax(1) for part in parts]).cpu()
        right = (answers == test.labels).float()
        return {
            "protocol": {"version": VERSION, "images": len(test)},
            "accuracy": float(100 * right.mean()),
            "by_class": [
                float(100 * right[test.labels == c].mean()) for c in range(len(test.names))
            ],
        }

    def report(self, metrics: dict[str, Any]) -> Report:
        """Right answers."""
        accuracy = Measured("accuracy", "test set", "images right", metrics["accuracy"], 2, "%")
        rules = metrics["protocol"]
        heading = f"protocol {rules['version']}, {rules['images']:,} images"
        return Report(heading, [accuracy])
