"""Training a coarse automaton together with its local decoder.

After Pajouheshgar et al. 2025 (arXiv 2506.22899), from the paper. Algorithm 1 with its pool goes
on on the coarse grid; only the loss looks at colours, at points that are drawn anew each time.
"""

from typing import Annotated

from pydantic import Field, model_validator
from torch import Tensor

from ncabook.automaton import first_cell
from ncabook.networks import scattered
from ncabook.networks.local_decoder import interpolated
from ncabook.training.config import Rate, TrainingConfig
from ncabook.training.evolving import EvolvingLearner
from ncabook.training.fine_model import FineModel
from ncabook.training.optimizer import Adam, Several, build_optimizer
from ncabook.training.pool import Sample
from ncabook.training.tracking import Tracking


class FineConfig(TrainingConfig):
    """How a coarse automaton and its decoder are trained (Algorithm 1).

    Attributes:
        decoder_learning_rate: of Adam, for the decoder; the automaton's optimiser if not given.

    """

    decoder_learning_rate: Rate | None = None

    @model_validator(mode="after")
    def _one_picture(self) -> "FineConfig":
        if self.pool is not None and self.pool.mutation > 0:
            raise ValueError("pool.mutation needs classes, and there is one picture; set it to 0")
        return self


class FineGrowthConfig(FineConfig):
    """How one picture is grown.

    Attributes:
        points: in each cell, at which colours are compared in an iteration.

    """

    points: Annotated[int, Field(ge=1, le=4096)] = 4


class FineLearner(EvolvingLearner):
    """Algorithm 1 for an automaton that a decoder reads; both learn.

    Args:
        model: both, trained in place.
        grid: height and width, in cells.
        config: the ``training`` part of an experiment.
        seed: everything random follows from it.
        device: where to train.
        tracker: where the curves go; None draws none.

    Raises:
        ValueError: a grid that is smaller than the perception's reach.

    """

    config: FineConfig

    def __init__(
        self,
        model: FineModel,
        grid: tuple[int, int],
        config: FineConfig,
        seed: int,
        device: str = "cpu",
        tracker: Tracking | None = None,
    ) -> None:
        if min(grid) < model.nca.perception.reach:
            raise ValueError(
                f"a grid of {grid[0]}×{grid[1]} cells; expected at least the perception's reach "
                f"of {model.nca.perception.reach} along each side"
            )
        super().__init__(model.nca, grid, config, seed, device, tracker, whole=model)
        self.fine = model
        if config.decoder_learning_rate is not None:
            self.optimizer = Several(
                build_optimizer(model.nca, config.optimizer),
                Adam(model.decoder, config.decoder_learning_rate),
            )

    def mutate(self, old: Sample, fresh: Sample) -> Sample:
        """There is nothing to change into; the configuration has no such share."""
        raise NotImplementedError("there is one picture, and no other class")

    def condition(self, sample: Sample) -> None:
        """None: a rule draws one picture."""


class FineGrowthLearner(FineLearner):
    """Trains automaton and decoder to grow one picture from a single cell.

    Args:
        model: trained in place.
        target: premultiplied RGBA ``[4, H, W]``, any whole number of pixels along a cell.
        cells: side of the grid.
        config: the ``training`` part of an experiment.
        seed: everything random follows from it.
        device: where to train.
        tracker: where the curves go; None draws none.

    Raises:
        ValueError: a target that is no square of whole cells.

    """

    config: FineGrowthConfig

    def __init__(
        self,
        model: FineModel,
        target: Tensor,
        cells: int,
        config: FineGrowthConfig,
        seed: int,
        device: str = "cpu",
        tracker: Tracking | None = None,
    ) -> None:
        channels = model.decoder.image_channels
        side = target.shape[-1]
        if target.shape != (channels, side, side) or side % cells:
            raise ValueError(
                f"a target of shape {list(target.shape)} on {cells}×{cells} cells; expected "
                f"[{channels}, side, side], the side a multiple of {cells}"
            )
        super().__init__(model, (cells, cells), config, seed, device, tracker)
        self.target = target[None].to(self.device)
        self.factor = side // cells

    def fresh(self, count: int) -> Sample:
        """Single cells."""
        return {"state": first_cell(self.nca.layout, *self.grid, count, self.device)}

    def loss(self, film: Tensor, sample: Sample) -> Tensor:
        """Mean squared difference of colours at random points, read linearly between pixels."""
        points = scattered(*self.grid, self.config.points, self.dice(), self.device)
        wanted = interpolated(self.target, self.factor * points)
        colours = self.fine.decoder.at(film[-1], points.expand(film.shape[1], -1, -1))
        return (colours - wanted).square().mean()
