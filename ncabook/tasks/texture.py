"""Covering a canvas with a texture (§3.2; Figure 11)."""

from pathlib import Path
from statistics import median
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator
from torch import Tensor

from ncabook.automaton import NCA, ChannelLayout
from ncabook.data.registry import DataUnavailableError
from ncabook.data.texture import COMPUTED, DTD, is_file, texture
from ncabook.evaluation.retrieval import Gallery, gallery
from ncabook.evaluation.texture import evaluate_texture
from ncabook.reading import Strict
from ncabook.tasks.base import LARGEST, BaseExperiment, Look, Task, state_bytes
from ncabook.tasks.parts import ModelConfig
from ncabook.tasks.report import Measured, Report
from ncabook.training.config import TextureConfig
from ncabook.training.style import RECEPTIVE_FIELD, SHRINK
from ncabook.training.texture import TextureLearner, gray_canvas
from ncabook.training.tracking import Tracking

EXPLODED = 100.0  # a style that no picture has


class TextureData(Strict):
    """What a canvas is to be covered with.

    Attributes:
        name: a photograph of DTD, a computed texture, or the path of an image file of one's own. A
            trained model is loaded without that file; it is looked for when it is needed.
        size: side of the texture, in cells, and of the canvas if the training names no other.

    """

    name: str
    size: Annotated[int, Field(ge=RECEPTIVE_FIELD, le=LARGEST, multiple_of=SHRINK)]

    @field_validator("name")
    @classmethod
    def _known(cls, name: str) -> str:
        if name not in (*COMPUTED, *DTD) and not Path(name).suffix and not is_file(name):
            raise ValueError(f"expected an image file or one of {', '.join([*COMPUTED, *DTD])}")
        return name

    def build(self) -> Tensor:
        """The texture to be grown, RGB in [0, 1], ``[3, size, size]``."""
        return texture(self.name, self.size)


class TextureExperiment(BaseExperiment):
    """An automaton that covers a canvas with a texture.

    Attributes:
        data: the texture.
        model: the automaton; red, green and blue come on top.
        training: how it is trained.

    """

    task: Literal["texture"]
    data: TextureData
    model: ModelConfig
    training: TextureConfig

    @property
    def canvas(self) -> int:
        """Side of a training's canvas, in cells."""
        return self.training.canvas or self.data.size

    @model_validator(mode="after")
    def _fits(self) -> "TextureExperiment":
        self.model.check_reach(self.canvas)
        if self.model.living_threshold is not None:
            raise ValueError("a texture has no dead cells; set model.living_threshold to null")
        return self


class TextureTask(Task[TextureExperiment]):
    """Textures that cover a torus, heal, and last."""

    kind = TextureExperiment
    headline = (
        "grown",
        "horizontal.recovery",
        "vertical.recovery",
        "alive.1000.style",
        "alive.10000.style",
        "shuffled",
    )
    devices = ("cpu", "cuda")

    def network(self, experiment: TextureExperiment) -> NCA:
        """Red, green, blue and hidden channels."""
        layout = ChannelLayout(visible=3, hidden=experiment.model.hidden_channels)
        return experiment.model.build(layout)

    def data(self, experiment: TextureExperiment) -> tuple[Tensor, ...]:
        """The texture."""
        return (experiment.data.build(),)

    def learner(
        self,
        experiment: TextureExperiment,
        network: NCA,
        data: tuple[Tensor, ...],
        device: str,
        tracker: Tracking | None = None,
    ) -> TextureLearner:
        """By the distance of styles."""
        (target,) = data
        training, seed = experiment.training, experiment.seed
        return TextureLearner(network, target, training, seed, device, tracker)

    def needs(self, experiment: TextureExperiment) -> dict[str, int]:
        """States; VGG's features come on top."""
        channels = 3 + experiment.model.hidden_channels
        return {"targets": 0, **state_bytes(experiment, channels, experiment.canvas)}

    def measure(
        self, experiment: TextureExperiment, network: NCA, look: Look, device: str
    ) -> dict[str, Any]:
        """Figure 11's protocol, and further."""
        data = experiment.data
        target = data.build().to(device)
        return evaluate_texture(network, target, photographs=photographs(data), name=data.name)

    def report(self, metrics: dict[str, Any]) -> Report:
        """Distances from the style, recoveries, and whether the canvas lasts."""
        protocol = metrics["protocol"]
        first, last = protocol["short"]
        notes: list[str] = []

        def style(key: str, row: str, value: float | None) -> Measured:
            gone = value is None or not value < EXPLODED
            if gone:
                notes.append(f"{row}: exploded")
            return Measured(key, row, "style", None if gone else value, 3)

        found = [
            style("short", f"steps {first}–{last}", metrics["short"]),
            style("grown", f"step {protocol['grown']}", metrics["grown"]),
            style("shuffled", "target, pixels shuffled", metrics["shuffled"]),
        ]
        for size, value in metrics["elsewhere"].items():
            found.append(style(f"elsewhere.{size}", f"canvas {size}", value))
        for name, half in (("horizontal", "right half"), ("vertical", "lower half")):
            values = metrics[name]
            low, high = values["recovery_interval"]
            found += [
                style(f"{name}.damaged", f"{half} erased", values["damaged"]),
                style(f"{name}.final", f"{half}, step {protocol['final']}", values["final"]),
                Measured(
                    f"{name}.recovery",
                    f"recovery, {half}",
                    "style",
                    values["recovery"],
                    2,
                    "%",
                    (low, high),
                ),
            ]
        for step, values in metrics["alive"].items():
            row = f"step {int(step):,}"
            found += [
                style(f"alive.{step}.style", row, values["style"]),
                Measured(f"alive.{step}.channels", row, "channels", values["channels"], 3),
                Measured(f"alive.{step}.change", row, "change", values["change"], 4),
            ]
        for step, values in metrics.get("retrieval", {}).items():
            ranks = sorted(values["ranks"])
            row = f"step {int(step):,}, rank among {values['of']} photographs"
            key, rank = f"retrieval.{step}.ranks", float(median(ranks))
            column, span = "rank", (float(ranks[0]), float(ranks[-1]))
            found.append(Measured(key, row, column, rank, 1, "", span))
        heading = f"protocol {protocol['version']}, {protocol['canvases']} canvases"
        return Report(heading, found, notes)

    def live(self, experiment: TextureExperiment, nca: NCA) -> dict[str, Any]:
        """A gray canvas."""
        side = experiment.data.size
        return {"height": side, "width": side, "start": gray_canvas(nca, side, side)}


def photographs(data: TextureData) -> Gallery | None:
    """Those that a canvas is compared with; None if they are not here, or too small for that."""
    try:
        return gallery(data.size)
    except (DataUnavailableError, ValueError):
        return None
