"""Growing one picture at any resolution: a coarse automaton and a local decoder."""

from typing import Annotated, Any, Literal

import torch
import torch.nn.functional as F
from pydantic import Field, model_validator
from torch import Tensor

from ncabook.automaton import ChannelLayout
from ncabook.data.large_emoji import MARGIN, framed
from ncabook.evaluation.enlarged import Small
from ncabook.evaluation.fine import FineProtocol, evaluate_fine
from ncabook.evaluation.perceptual import METRICS
from ncabook.networks import LocalDecoder
from ncabook.reading import Strict
from ncabook.tasks.base import FLOAT, LARGEST, BaseExperiment, Look, Task, state_bytes
from ncabook.tasks.parts import ModelConfig
from ncabook.tasks.picture_data import Glyph
from ncabook.tasks.report import Measured, Report
from ncabook.training.config import Width
from ncabook.training.fine import FineGrowthConfig, FineGrowthLearner
from ncabook.training.fine_model import FineModel
from ncabook.training.tracking import Tracking

PIXELS = "emoji-conv3"  # an automaton whose cells are pixels; it has grown the same glyphs
FRAME = "a step and its picture"


class FineModelConfig(ModelConfig):
    """A coarse automaton and its decoder: all channels are hidden, and the decoder reads them.

    Attributes:
        decoder: width of the decoder's two hidden layers.

    """

    decoder: Width = 64

    @model_validator(mode="after")
    def _no_mask(self) -> "FineModelConfig":
        if self.living_threshold is not None:
            raise ValueError(
                "living_threshold asks for an alpha channel, and no channel is a colour; set it to "
                "null"
            )
        return self

    def fine(self, image_channels: int) -> FineModel:
        """With random weights, for RGB (3) or RGBA (4)."""
        layout = ChannelLayout(visible=0, hidden=self.hidden_channels)
        nca = self.build(layout)
        return FineModel(nca, LocalDecoder(self.hidden_channels, image_channels, self.decoder))


def check_cells(model: ModelConfig, cells: int, side: int) -> None:
    """Refuses pictures that are not made of whole cells, and grids that are too small."""
    if side % cells:
        raise ValueError(
            f"data.cells is {cells} and the picture's side {side}; expected whole pixels along a "
            "cell: a multiple of data.cells"
        )
    model.check_reach(cells)


class FineData(Strict):
    """One emoji, and on how many cells it grows.

    Attributes:
        glyph: the character.
        side: of the picture, in pixels, a sixteenth of it left free on every side.
        cells: side of the grid.

    """

    glyph: Glyph
    side: Annotated[int, Field(ge=128, le=LARGEST)] = 512
    cells: Annotated[int, Field(ge=1, le=LARGEST)] = 32

    @property
    def factors(self) -> list[int]:
        """Pixels along a cell at which a drawing exists: all, half, a quarter of them."""
        whole = self.side // self.cells
        return [whole // part for part in (4, 2, 1) if whole % part == 0]

    def build(self) -> Tensor:
        """The picture, premultiplied RGBA ``[4, side, side]`` in [0, 1]."""
        return framed(self.glyph, self.side)


class FineExperiment(BaseExperiment):
    """An automaton whose cells are large, and a decoder that draws one picture of them.

    Attributes:
        data: what is grown.
        model: automaton and decoder.
        training: how both are trained.

    """

    task: Literal["grow-fine"]
    data: FineData
    model: FineModelConfig
    training: FineGrowthConfig

    @model_validator(mode="after")
    def _fits(self) -> "FineExperiment":
        check_cells(self.model, self.data.cells, self.data.side)
        return self


class FineTask(Task[FineExperiment]):
    """One picture at any resolution, that lasts and heals."""

    kind = FineExperiment
    headline = (
        "grown.lpips",
        "grown.mse",
        "recovery.lpips.percent",
        "alive.lpips",
        "beside.drawing.lpips",
        "beside.pixels.lpips",
        "multiply_adds.frame",
    )
    judges = (PIXELS,)

    def network(self, experiment: FineExperiment) -> FineModel:
        """Automaton and decoder to RGBA."""
        return experiment.model.fine(4)

    def data(self, experiment: FineExperiment) -> tuple[Tensor, ...]:
        """The picture."""
        return (experiment.data.build(),)

    def learner(
        self,
        experiment: FineExperiment,
        network: FineModel,
        data: tuple[Tensor, ...],
        device: str,
        tracker: Tracking | None = None,
    ) -> FineGrowthLearner:
        """Algorithm 1; colours are compared at random points."""
        (target,) = data
        training, cells, seed = experiment.training, experiment.data.cells, experiment.seed
        return FineGrowthLearner(network, target, cells, training, seed, device, tracker)

    def needs(self, experiment: FineExperiment) -> dict[str, int]:
        """The picture, and states."""
        return {
            "targets": FLOAT * 4 * experiment.data.side**2,
            **state_bytes(experiment, experiment.model.hidden_channels, experiment.data.cells),
        }

    def measure(
        self,
        experiment: FineExperiment,
        network: FineModel,
        look: Look,
        device: str,
        judges: dict[str, Any] | None = None,
    ) -> dict[str, Any]:
        """At several sizes, beside enlarged pictures of the same glyph.

        Args:
            experiment: whose picture and grid.
            network: trained.
            look: all of it.
            device: the CPU.
            judges: the automaton of pixels, loaded; nothing is beside, if not given.

        """
        data = experiment.data
        whole, largest = data.build(), data.side // data.cells
        truths = {factor: F.avg_pool2d(whole, largest // factor) for factor in data.factors}
        beside = enlarged_pixels(judges[PIXELS], data.glyph, whole) if judges else {}
        return evaluate_fine(network, data.cells, truths, beside)

    def live(self, experiment: FineExperiment, nca: FineModel) -> dict[str, Any]:
        """From one cell, drawn by the decoder."""
        cells = experiment.data.cells
        return {"height": cells, "width": cells, "decoder": nca.decoder}

    def report(self, metrics: dict[str, Any]) -> Report:
        """Errors by size, recoveries, and what a frame costs."""
        rules, words = metrics["protocol"], {"mse": ("MSE", 5), "lpips": ("LPIPS", 4)}
        first, last = rules["stage1"]
        sizes = {f"smaller.{factor}.": values for factor, values in metrics["smaller"].items()}
        found = []
        for before, values in {"": metrics, **sizes}.items():
            side, grown = values["side"], values["grown"]
            for key in METRICS:
                column, digits = words[key]
                row, place = f"steps {first}–{last}, {side} px", f"{before}stage1.{key}"
                found.append(Measured(place, row, column, values["stage1"][key], digits))
                row, place = f"step {rules['perturb']}, {side} px", f"{before}grown.{key}"
                low, high = grown[f"{key}_interval"]
                found.append(Measured(place, row, column, grown[key], digits, "", (low, high)))
        for key in METRICS:
            column, digits = words[key]
            healed, long = metrics["recovery"][key], f"step {rules['long']:,}"
            (low, high), percent = healed["interval"], healed["percent"]
            place, row = f"recovery.{key}", "recovery, half"
            found += [
                Measured(f"{place}.damaged", "half erased", column, healed["damaged"], digits),
                Measured(f"{place}.percent", row, column, percent, 2, "%", (low, high)),
                Measured(f"alive.{key}", long, column, metrics["alive"][key], digits),
            ]
            for name, values in metrics["beside"].items():
                row = BESIDE[name]
                found.append(Measured(f"beside.{name}.{key}", row, column, values[key], digits))
        frame = metrics["multiply_adds"]["frame"]
        found.append(Measured("multiply_adds.frame", FRAME, "multiply-adds", frame, 0))
        alive, parameters = metrics["alive"], metrics["parameters"]
        notes = [
            f"at step {rules['long']:,} {alive['alive']} of {alive['of']} were alive",
            f"parameters: automaton {parameters['automaton']:,}, decoder {parameters['decoder']:,}",
        ]
        return Report(f"protocol {rules['version']}, {rules['seeds']} seeds", found, notes)


BESIDE = {"pixels": "pixels, enlarged", "drawing": "drawing of pixels, enlarged"}


@torch.no_grad()
def enlarged_pixels(model: Any, glyph: str, truth: Tensor) -> dict[str, Tensor]:
    """What a trained automaton of pixels grows, enlarged, and the small drawing that it learned.

    Both are moved by as many pixels as bring that drawing nearest to the large one.

    Args:
        model: of the zoo, with classes.
        glyph: what is to be seen.
        truth: the large drawing, ``[4, side, side]``.

    Returns:
        ``pixels`` ``[N, 4, side, side]``, at the protocol's step, and ``drawing``
        ``[1, 4, side, side]``; nothing if it grows no such glyph.

    """
    data, rules = model.card.experiment.data, FineProtocol()
    if glyph not in data.glyphs:
        return {}
    label, side = data.glyphs.index(glyph), truth.shape[-1]
    small = Small(model.nca, model.targets, data.size, side - 2 * (side // MARGIN))
    classes = torch.full((rules.seeds,), label)
    grown = small.grown(classes, rules.perturb, torch.Generator().manual_seed(0))
    drawing = model.targets[label : label + 1]
    return {
        "pixels": small.placed(grown, classes, truth.expand(rules.seeds, -1, -1, -1)),
        "drawing": small.placed(drawing, classes[:1], truth[None]),
    }
