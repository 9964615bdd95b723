"""Covering a canvas with a texture at any resolution: a coarse automaton and a local decoder."""

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator
from torch import Tensor

from ncabook.automaton import empty_state
from ncabook.evaluation.fine_texture import evaluate_fine_texture
from ncabook.tasks.base import FLOAT, LARGEST, BaseExperiment, Look, Task, state_bytes
from ncabook.tasks.fine import FRAME, FineModelConfig, check_cells
from ncabook.tasks.report import Measured, Report
from ncabook.tasks.texture import EXPLODED, TextureData
from ncabook.training.fine_model import FineModel
from ncabook.training.fine_texture import FineTextureConfig, FineTextureLearner
from ncabook.training.style import RECEPTIVE_FIELD, SHRINK
from ncabook.training.tracking import Tracking


class FineTextureData(TextureData):
    """A texture, and how many cells it covers.

    Attributes:
        cells: along a side of the texture.

    """

    cells: Annotated[int, Field(ge=1, le=LARGEST)] = 32


class FineTextureExperiment(BaseExperiment):
    """An automaton whose cells are large, and a decoder that draws a texture of them.

    Attributes:
        data: the texture.
        model: automaton and decoder.
        training: how both are trained.

    """

    task: Literal["texture-fine"]
    data: FineTextureData
    model: FineModelConfig
    training: FineTextureConfig

    @model_validator(mode="after")
    def _fits(self) -> "FineTextureExperiment":
        cells, size = self.data.cells, self.data.size
        check_cells(self.model, cells, size)
        self.model.check_reach(self.training.canvas)
        self.training.check_sides()
        for factor in self.training.factors:
            side = factor * cells
            if side > size or side < RECEPTIVE_FIELD or side % SHRINK:
                raise ValueError(
                    f"training.factors has {factor}, of {cells} cells a texture of {side}×{side}; "
                    f"expected {RECEPTIVE_FIELD} to {size} (data.size) pixels, a multiple of "
                    f"{SHRINK}"
                )
        return self

    def targets(self) -> dict[int, Tensor]:
        """By factor, the texture with so many pixels along a cell: RGB ``[3, side, side]``."""
        data = self.data
        sides = {factor: factor * data.cells for factor in sorted({*self.training.factors})}
        return {
            factor: data.model_copy(update={"size": side}).build() for factor, side in sides.items()
        }


class FineTextureTask(Task[FineTextureExperiment]):
    """A texture at any resolution, that heals and lasts."""

    kind = FineTextureExperiment
    headline = (
        "grown",
        "horizontal.recovery",
        "vertical.recovery",
        "alive.1000.style",
        "alive.10000.style",
        "shuffled",
        "multiply_adds.frame",
    )
    devices = ("cpu", "cuda")

    def network(self, experiment: FineTextureExperiment) -> FineModel:
        """Automaton and decoder to RGB."""
        return experiment.model.fine(3)

    def data(self, experiment: FineTextureExperiment) -> tuple[Tensor, ...]:
        """The texture, by factor."""
        return tuple(experiment.targets().values())

    def learner(
        self,
        experiment: FineTextureExperiment,
        network: FineModel,
        data: tuple[Tensor, ...],
        device: str,
        tracker: Tracking | None = None,
    ) -> FineTextureLearner:
        """By the distance of styles."""
        training, seed = experiment.training, experiment.seed
        targets = dict(zip(sorted({*training.factors}), data, strict=True))
        return FineTextureLearner(network, targets, training, seed, device, tracker)

    def needs(self, experiment: FineTextureExperiment) -> dict[str, int]:
        """The texture, and states; VGG's features come on top."""
        channels, canvas = experiment.model.hidden_channels, experiment.training.canvas
        return {
            "targets": FLOAT * 3 * experiment.data.size**2,
            **state_bytes(experiment, channels, canvas),
        }

    def measure(
        self, experiment: FineTextureExperiment, network: FineModel, look: Look, device: str
    ) -> dict[str, Any]:
        """Distances from the style at every factor, recoveries, and whether the canvas lasts."""
        targets = {factor: target.to(device) for factor, target in experiment.targets().items()}
        return evaluate_fine_texture(network, experiment.data.cells, targets)

    def live(self, experiment: FineTextureExperiment, nca: FineModel) -> dict[str, Any]:
        """An empty canvas, drawn by the decoder."""
        cells = experiment.data.cells
        start = empty_state(nca.nca.layout, cells, cells)
        return {"height": cells, "width": cells, "decoder": nca.decoder, "start": start}

    def report(self, metrics: dict[str, Any]) -> Report:
        """The style by size, recoveries, lasting, and what a frame costs."""
        rules = metrics["protocol"]
        first, last = rules["short"]
        sizes = {f"smaller.{factor}.": values for factor, values in metrics["smaller"].items()}
        notes: list[str] = []

        def style(key: str, row: str, value: float | None) -> Measured:
            gone = value is None or not value < EXPLODED
            if gone:
                notes.append(f"{row}: exploded")
            return Measured(key, row, "style", None if gone else value, 3)

        found = []
        for before, values in {"": metrics, **sizes}.items():
            side = values["side"]
            found += [
                style(f"{before}short", f"steps {first}–{last}, {side} px", values["short"]),
                style(f"{before}grown", f"step {rules['grown']}, {side} px", values["grown"]),
                style(f"{before}shuffled", f"pixels shuffled, {side} px", values["shuffled"]),
            ]
        for name, half in (("horizontal", "right half"), ("vertical", "lower half")):
            values = metrics[name]
            low, high = values["recovery_interval"]
            percent, row = values["recovery"], f"recovery, {half}"
            found += [
                style(f"{name}.damaged", f"{half} erased", values["damaged"]),
                style(f"{name}.final", f"{half}, step {rules['final']}", values["final"]),
                Measured(f"{name}.recovery", row, "style", percent, 2, "%", (low, high)),
            ]
        for size, value in metrics["elsewhere"].items():
            found.append(style(f"elsewhere.{size}", f"{size} cells", value))
        for step, values in metrics["alive"].items():
            row = f"step {int(step):,}"
            found += [
                style(f"alive.{step}.style", row, values["style"]),
                Measured(f"alive.{step}.channels", row, "channels", values["channels"], 3),
                Measured(f"alive.{step}.change", row, "change", values["change"], 4),
            ]
        frame, parameters = metrics["multiply_adds"]["frame"], metrics["parameters"]
        found.append(Measured("multiply_adds.frame", FRAME, "multiply-adds", frame, 0))
        notes.append(
            f"parameters: automaton {parameters['automaton']:,}, decoder {parameters['decoder']:,}"
        )
        return Report(f"protocol {rules['version']}, {rules['canvases']} canvases", found, notes)
