"""What happens next: an automaton that watches films (§3.4; Figs. 15 and 16)."""

from typing import Any, Literal

from pydantic import model_validator
from torch import Tensor

from ncabook.automaton import NCA
from ncabook.data.labelled import DIGITS, Labelled, rendered_digits
from ncabook.tasks.base import FLOAT, BaseExperiment, Look, Task
from ncabook.tasks.film_data import FilmData
from ncabook.tasks.parts import ModelConfig, MultiConfig, ResidualConfig, SinglePerception
from ncabook.tasks.report import Report
from ncabook.tasks.video_report import JUDGE, film_report, measured
from ncabook.training.screening import screening
from ncabook.training.tracking import Tracking
from ncabook.training.video import VideoLearner, check_length, news
from ncabook.training.video_config import FilmCellsConfig, FilmView
from ncabook.training.watching import FilmCells, film_layout


class FilmModelConfig(ModelConfig):
    """An automaton that watches films.

    Attributes:
        view: how it is shown them.

    """

    view: FilmView

    @property
    def reach(self) -> int:
        """Cells that news travels in a step."""
        return _travel(self.perception)


def _travel(perception: SinglePerception | MultiConfig) -> int:
    """Cells that news travels in a step of this perception."""
    if isinstance(perception, MultiConfig):
        return max(map(_travel, perception.branches))
    return perception.reach * (2 if isinstance(perception, ResidualConfig) else 1)


class VideoExperiment(BaseExperiment):
    """An automaton that is shown films, and tells the next frame.

    Attributes:
        data: films.
        model: the automaton.
        training: how it is trained.

    """

    task: Literal["next-frame"]
    data: FilmData
    model: FilmModelConfig
    training: FilmCellsConfig

    @property
    def grid(self) -> int:
        """Cells along a side."""
        return self.data.side // self.model.view.patch

    @model_validator(mode="after")
    def _fits(self) -> "VideoExperiment":
        data, model, steps = self.data, self.model, self.training.steps.min
        view = model.view
        check_length(data.frames, view.first, view.shift, self.training)
        if data.side % view.patch:
            raise ValueError(
                f"data.side {data.side} does not divide into cells of model.view.patch "
                f"{view.patch} pixels"
            )
        model.check_reach(self.grid)
        if model.living_threshold is not None:
            raise ValueError(
                f"model.living_threshold {model.living_threshold}, and in a film no cell is dead; "
                "set it to null"
            )
        if data.walls != view.walls:
            raise ValueError(
                f"data.walls {data.walls}, model.view.walls {view.walls}; expected the same: walls "
                "that nobody sees cannot be learned"
            )
        far, needed = news(view, model.reach, steps), data.fastest * view.shift
        if needed > far:
            raise ValueError(
                f"a digit of data.fastest {data.fastest:g} moves {needed:g} pixels from what is "
                f"seen to what is told, and news travels {far}: {steps} steps of {model.reach} "
                f"cells of {view.patch}; no such automaton can follow: expected "
                f"{far / view.shift:g} or less, or more training.steps"
            )
        return self


class VideoTask(Task[VideoExperiment]):
    """Films, told by cells one frame ahead, and then alone."""

    kind = VideoExperiment
    headline = ("next.mse", "free.mse", "free.ssim", "free.lpips", "erased.cells.percent")
    looks = True
    judges = (JUDGE,)

    def network(self, experiment: VideoExperiment) -> NCA:
        """Frames, positions and walls in fixed channels, or frames in visible ones; hidden ones."""
        model = experiment.model
        return model.build(film_layout(model.view, model.hidden_channels))

    def data(self, experiment: VideoExperiment) -> tuple[Tensor, ...]:
        """The digits that films are made of, and which they are."""
        labelled = experiment.data.build("train")
        return labelled.images, labelled.labels

    def learner(
        self,
        experiment: VideoExperiment,
        network: NCA,
        data: tuple[Tensor, ...],
        device: str,
        tracker: Tracking | None = None,
    ) -> VideoLearner:
        """Films that run while they are learned from."""
        images, labels = data
        training, films = experiment.training, experiment.data
        watcher = FilmCells(network, experiment.model.view, training.steps.max)
        source = Labelled(images, labels, DIGITS)
        seed, walls = experiment.seed, films.walls
        return VideoLearner(watcher, source, films.rules, training, seed, device, tracker, walls)

    def needs(self, experiment: VideoExperiment) -> dict[str, int]:
        """States of the films that run, and of an iteration."""
        model, training = experiment.model, experiment.training
        channels = model.view.fixed + model.view.visible + model.hidden_channels
        return film_bytes(
            channels,
            experiment.grid,
            training.films,
            training.batch * training.window,
            training.steps.min,
        )

    def measure(
        self,
        experiment: VideoExperiment,
        network: NCA,
        look: Look,
        device: str,
        judges: dict[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Next and later frames, what the paper's curve hides, steps inside a frame, physics.

        Args:
            experiment: whose films.
            network: trained.
            look: ``seeds`` are films; ``lpips``; ``further`` is physics.
            device: the CPU.
            judges: who says which digits are still there.

        """
        training = experiment.training
        watcher = FilmCells(network, experiment.model.view, training.steps.max)
        return measured(watcher, experiment.data, training.shown, look, judges)

    def report(self, metrics: dict[str, Any]) -> Report:
        """Errors beside baselines, then physics."""
        return film_report(metrics)

    def live(self, experiment: VideoExperiment, nca: NCA) -> dict[str, Any]:
        """A film beside what is told of it, and digits to throw: rendered ones, which are here."""
        view, rules = experiment.model.view, experiment.data.rules
        film = screening(view, experiment.training.steps.max, rendered_digits(200, 2), rules)
        return {"height": experiment.grid, "width": experiment.grid, "film": film, "beside": True}


def film_bytes(channels: int, grid: int, films: int, frames: int, steps: int = 1) -> dict[str, int]:
    """Of a training on films: those that run, and a state for each step of an iteration's frames.

    Args:
        channels: of a state.
        grid: cells along a side.
        films: that run.
        frames: of an iteration, of all films together.
        steps: in a frame.

    """
    state = FLOAT * channels * grid**2
    return {"targets": 0, "films": films * state, "rollout": frames * steps * state}
