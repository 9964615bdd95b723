"""Growing automata that were trained elsewhere: they are measured and shown, not trained.

``ncabook import`` writes their cards (:mod:`ncabook.experiments.foreign`).
"""

from typing import Annotated, Any, Literal

import torch
from pydantic import Field, FiniteFloat, model_validator
from torch import Tensor

from ncabook.automaton import NCA, ChannelLayout
from ncabook.evaluation.growth import evaluate
from ncabook.reading import Strict
from ncabook.tasks.base import LARGEST, BaseExperiment, Look, Task
from ncabook.tasks.growth import GrowthTask, picture_report, protocol_of
from ncabook.tasks.parts import ModelConfig
from ncabook.tasks.picture_data import Label, PictureData
from ncabook.tasks.report import Report
from ncabook.training.learner import Learner

Side = Annotated[int, Field(ge=1, le=LARGEST)]


class ImportedData(Strict):
    """What an automaton from elsewhere grows, and from what.

    Attributes:
        height: of its grid, in cells.
        width: likewise.
        classes: what its pictures are called, one or more.
        seed: the numbers of a seed cell, one for each channel; as usual if not given.
        pictures: what it is to grow, if somebody knows it: one for each class.

    """

    height: Side
    width: Side
    classes: Annotated[list[Label], Field(min_length=1, max_length=4096)]
    seed: list[FiniteFloat] | None = None
    pictures: PictureData | None = None

    @model_validator(mode="after")
    def _fits(self) -> "ImportedData":
        pictures = self.pictures
        if pictures is None:
            return self
        if len(pictures.classes) != len(self.classes):
            raise ValueError(
                f"{len(pictures.classes)} pictures for {len(self.classes)} classes; expected one "
                "for each"
            )
        if (pictures.height, pictures.width) != (self.height, self.width):
            raise ValueError(
                f"pictures of {pictures.height}×{pictures.width} cells on a grid of "
                f"{self.height}×{self.width}; expected one size, padding included"
            )
        return self


class ImportedConfig(Strict):
    """Where an automaton comes from, in place of how it was trained.

    Attributes:
        imported: whose format it was in.
        file: the name of the file.
        sha256: of that file.

    """

    imported: Literal["distill", "ncatorch"]
    file: Annotated[str, Field(min_length=1, max_length=1000)]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class ImportedExperiment(BaseExperiment):
    """An automaton that somebody else trained.

    Attributes:
        data: what it grows, if that is known.
        model: the automaton, in this package's parts.
        training: where it comes from.

    """

    task: Literal["imported"] = "imported"
    data: ImportedData
    model: ModelConfig
    training: ImportedConfig

    @model_validator(mode="after")
    def _fits(self) -> "ImportedExperiment":
        self.model.check_reach(min(self.data.height, self.data.width))
        channels = 4 + self.model.hidden_channels
        if self.data.seed is not None and len(self.data.seed) != channels:
            raise ValueError(
                f"data.seed has {len(self.data.seed)} numbers; expected {channels}, one for each "
                "channel"
            )
        return self


class ImportedTask(Task[ImportedExperiment]):
    """Pictures that automata from elsewhere grow, measured as the book's own are."""

    kind = ImportedExperiment
    headline = GrowthTask.headline
    looks = True

    def network(self, experiment: ImportedExperiment) -> NCA:
        """RGBA and hidden channels; told the class, if there are several."""
        data, hidden = experiment.data, experiment.model.hidden_channels
        seed = None if data.seed is None else tuple(data.seed)
        layout = ChannelLayout(visible=4, hidden=hidden, seed=seed)
        classes = len(data.classes)
        return experiment.model.build(layout, classes if classes > 1 else 0)

    def data(self, experiment: ImportedExperiment) -> tuple[Tensor, ...]:
        """The pictures, or nothing."""
        pictures = self.targets(experiment)
        return (torch.zeros(0) if pictures is None else pictures,)

    def targets(self, experiment: ImportedExperiment) -> Tensor | None:
        """The pictures, if they are known."""
        pictures = experiment.data.pictures
        return None if pictures is None else pictures.build()

    def learner(self, experiment: ImportedExperiment, *_: Any, **__: Any) -> Learner:
        """There is none.

        Raises:
            ValueError: says how to train from it.

        """
        raise ValueError(
            f"{experiment.name} was trained elsewhere; to train it further, name its folder as "
            "start_from in an experiment of task grow"
        )

    def needs(self, experiment: ImportedExperiment) -> dict[str, int]:
        """The pictures."""
        pictures = experiment.data.pictures
        return {"targets": 0 if pictures is None else pictures.target_bytes}

    def measure(
        self, experiment: ImportedExperiment, network: NCA, look: Look, device: str
    ) -> dict[str, Any]:
        """Table 1's protocol, and further; of a single picture, without mutation."""
        targets = self.targets(experiment)
        if targets is None:
            raise ValueError(
                f"{experiment.name} was imported without the picture that it is to grow; import "
                "it again with --target PICTURE"
            )
        protocol = protocol_of(look)
        return evaluate(network, targets, protocol, look.lpips, look.further).summary()

    def report(self, metrics: dict[str, Any]) -> Report:
        """Errors and recoveries by MSE and LPIPS, and what died."""
        return picture_report(metrics)

    def live(self, experiment: ImportedExperiment, nca: NCA) -> dict[str, Any]:
        """Its classes, and its pictures if they are known; seeds begin as they did elsewhere."""
        data, targets = experiment.data, self.targets(experiment)
        return {
            "height": data.height,
            "width": data.width,
            "classes": data.classes if len(data.classes) > 1 else (),
            **({} if targets is None else {"targets": targets}),
        }
