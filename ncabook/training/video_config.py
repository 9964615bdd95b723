"""How films are watched and learned from, as typed configuration."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from ncabook.reading import Strict
from ncabook.training.config import (
    LoopConfig,
    OptimizerConfig,
    Rate,
    Ratio,
    Samples,
    StepsConfig,
)

Few = Annotated[int, Field(ge=1, le=64)]


class FilmView(Strict):
    """How an automaton is shown a film.

    Attributes:
        frames: that it sees at once, k.
        shift: frames between what it sees and what it tells, n; more than 1 in a window only.
        patch: pixels along a cell's side.
        state: ``carried``: the frames lie in fixed channels, hidden ones live on from frame to
            frame; ``fresh``: likewise, but hidden ones begin each frame at zero; ``window``: the
            frames lie in visible channels, and become the later ones (§3.4).
        positions: two fixed channels that tell where a cell is, since a torus has no edges:
            ``walls`` fade from an edge to the middle, in pixels, on a canvas of any size;
            ``coordinates`` go from −1 to 1. None for none.
        walls: whether fixed channels show walls.

    """

    frames: Few
    shift: Few = 1
    patch: Few = 1
    state: Literal["carried", "fresh", "window"] = "carried"
    positions: Literal["walls", "coordinates"] | None = None
    walls: bool = False

    @model_validator(mode="after")
    def _shifted(self) -> "FilmView":
        if self.state == "window":
            if self.shift > self.frames:
                raise ValueError(
                    f"shift {self.shift} leaves nothing of a window of {self.frames} frames; "
                    "expected no more than frames"
                )
        elif self.shift != 1:
            raise ValueError(
                f"shift {self.shift} with state {self.state}, which tells one frame; expected 1, "
                "or state: window"
            )
        return self

    @property
    def visible(self) -> int:
        """Channels of what is told."""
        return self.patch**2 * (self.frames if self.state == "window" else 1)

    @property
    def fixed(self) -> int:
        """Channels of what is shown and stays: frames, positions, walls."""
        shown = 0 if self.state == "window" else self.frames
        return (shown + self.walls) * self.patch**2 + (2 if self.positions else 0)

    @property
    def first(self) -> int:
        """The newest frame of the first view, counted from 0."""
        return self.frames - 1 if self.state == "window" else 0


class FilmConfig(LoopConfig):
    """How films are learned.

    Attributes:
        batch: films in an iteration.
        running: films that are kept running, each at another age; a batch if not given. They are
            the pool: what was made of a film comes back with its next frames.
        window: frames in an iteration, through which the gradient flows; there it is cut.
        shown: frames of a film that are true ones; what follows is the model's own.
        forced: share of the training at whose beginning all frames shown are true.
        optimizer: of the weights.
        clip: largest norm of a gradient.

    """

    batch: Samples
    running: Samples | None = None
    window: Few = 1
    shown: Few = 10
    forced: Ratio = 0.1
    optimizer: OptimizerConfig
    clip: Rate = 1.0

    @property
    def films(self) -> int:
        """That are kept running."""
        return self.batch if self.running is None else self.running

    @model_validator(mode="after")
    def _enough(self) -> "FilmConfig":
        if self.films < self.batch:
            raise ValueError(
                f"running {self.running} is smaller than the batch of {self.batch}; expected as "
                "many or more"
            )
        return self


class FilmCellsConfig(FilmConfig):
    """How an automaton learns films.

    Attributes:
        steps: of the automaton, for each frame.
        overflow: weight of the loss on numbers beyond ±3.

    """

    steps: StepsConfig
    overflow: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.01
