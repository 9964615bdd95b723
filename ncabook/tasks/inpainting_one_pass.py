"""What automata that fill holes are compared with: a U-Net of as many parameters (§3.1.4)."""

from typing import Any, Literal

import torch
from pydantic import model_validator
from torch import Tensor

from ncabook.data.faces import HEIGHT, WIDTH
from ncabook.evaluation.inpainting import InpaintingProtocol, compare, protocol_holes, simple_rows
from ncabook.networks import UNet
from ncabook.tasks.autoencoder import PicturesData, terms
from ncabook.tasks.base import FLOAT, BaseExperiment, Look, Task
from ncabook.tasks.inpainting import ALIGNED
from ncabook.tasks.inpainting_report import by_size_rows, heading, judged
from ncabook.tasks.one_pass import UNetConfig
from ncabook.tasks.report import Report
from ncabook.training.inpainting_one_pass import (
    InpaintingOnePassConfig,
    InpaintingOnePassLearner,
    reads,
)
from ncabook.training.tracking import Tracking


class InpaintingOnePassExperiment(BaseExperiment):
    """A row beside Fig. 10 that is no automaton.

    Attributes:
        data: pictures.
        model: the network.
        training: how it is trained.

    """

    task: Literal["inpaint-one-pass"]
    data: PicturesData
    model: UNetConfig
    training: InpaintingOnePassConfig

    @model_validator(mode="after")
    def _sizes(self) -> "InpaintingOnePassExperiment":
        least = 2**self.model.halvings
        for field, length in zip(("height", "side"), self.data.size, strict=True):
            if length % least:
                raise ValueError(
                    f"model.halvings {self.model.halvings} asks for pictures divisible by {least}; "
                    f"data.{field} is {length}"
                )
        if self.training.perceptual and self.data.channels != 3:
            raise ValueError(
                f"training.perceptual is for RGB, and {self.data.name} have {self.data.channels} "
                "channels; set it to 0"
            )
        return self


class InpaintingOnePassTask(Task[InpaintingOnePassExperiment]):
    """Holes, filled in one pass."""

    kind = InpaintingOnePassExperiment
    headline = (
        "rows.answer.small.inside",
        "rows.answer.middle.inside",
        "rows.answer.middle.lpips",
        "rows.answer.large.lpips",
    )
    has_figure = False

    def network(self, experiment: InpaintingOnePassExperiment) -> UNet:
        """From a picture with its hole, and the hole, to the picture."""
        channels = experiment.data.channels
        return UNet(channels + 1, channels, experiment.model.base, experiment.model.halvings)

    def data(self, experiment: InpaintingOnePassExperiment) -> tuple[Tensor, ...]:
        """Pictures to learn from."""
        return (experiment.data.build("train"),)

    def learner(
        self,
        experiment: InpaintingOnePassExperiment,
        network: UNet,
        data: tuple[Tensor, ...],
        device: str,
        tracker: Tracking | None = None,
    ) -> InpaintingOnePassLearner:
        """By the absolute difference, and VGG16's features."""
        (images,) = data
        training, seed = experiment.training, experiment.seed
        return InpaintingOnePassLearner(network, images, training, seed, device, tracker)

    def notes(self, experiment: InpaintingOnePassExperiment) -> list[str]:
        """On which terms its pictures come."""
        return terms(experiment.data)

    def needs(self, experiment: InpaintingOnePassExperiment) -> dict[str, int]:
        """A batch at the network's full size."""
        height, width = experiment.data.size
        batch = FLOAT * experiment.model.base * height * width * experiment.training.batch
        return {"targets": 0, "batch": batch}

    @torch.no_grad()
    def measure(
        self, experiment: InpaintingOnePassExperiment, network: UNet, look: Look, device: str
    ) -> dict[str, Any]:
        """The same pictures and holes as an automaton gets."""
        rules, data = InpaintingProtocol(), experiment.data
        test, train = data.build("test"), data.build("train")
        truth = test[: rules.pictures].float() / 255
        missing = protocol_holes(len(truth), truth.shape[2], truth.shape[3], rules)
        seen = reads(truth, missing).split(rules.batch)
        network = network.to("cpu").eval()
        rows = {"answer": torch.cat([network(part) for part in seen])}
        rows |= simple_rows(truth, missing, train, rules.batch)
        aligned = data.name in ALIGNED and data.size == (HEIGHT, WIDTH)
        found = compare(rows, truth, missing, rules, "answer", train if aligned else None)
        return found | {"data": {"name": data.name}}

    def report(self, metrics: dict[str, Any]) -> Report:
        """By the size of the hole."""
        found = by_size_rows(metrics, {"answer": "the network's answer"})
        return Report(heading(metrics), found, judged(metrics))
