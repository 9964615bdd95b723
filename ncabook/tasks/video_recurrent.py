"""What an automaton that watches films is compared with: a convolutional LSTM, trained alike."""

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator
from torch import Tensor

from ncabook.data.labelled import DIGITS, Labelled
from ncabook.networks import ConvLSTM
from ncabook.reading import Strict
from ncabook.tasks.base import BaseExperiment, Look, Task
from ncabook.tasks.film_data import FilmData
from ncabook.tasks.parts import Odd
from ncabook.tasks.report import Report
from ncabook.tasks.video import VideoTask, film_bytes
from ncabook.tasks.video_report import film_report, measured
from ncabook.training.config import Width
from ncabook.training.tracking import Tracking
from ncabook.training.video import VideoLearner, check_length
from ncabook.training.video_config import Few, FilmConfig
from ncabook.training.watching import RecurrentFilm


class ConvLSTMConfig(Strict):
    """A :class:`~ncabook.networks.ConvLSTM`.

    Attributes:
        patch: pixels along the side of a place.
        widths: of its layers.
        kernel_size: of its convolutions.

    """

    patch: Few = 1
    widths: Annotated[list[Width], Field(min_length=1, max_length=8)]
    kernel_size: Odd = 3


class VideoRecurrentExperiment(BaseExperiment):
    """A convolutional LSTM that is shown films, and tells the next frame.

    Attributes:
        data: films.
        model: the network.
        training: how it is trained.

    """

    task: Literal["next-frame-recurrent"]
    data: FilmData
    model: ConvLSTMConfig
    training: FilmConfig

    @model_validator(mode="after")
    def _fits(self) -> "VideoRecurrentExperiment":
        check_length(self.data.frames, 0, 1, self.training)
        if self.data.side % self.model.patch:
            raise ValueError(
                f"data.side {self.data.side} does not divide into places of model.patch "
                f"{self.model.patch} pixels"
            )
        if self.data.walls:
            raise ValueError("data.walls is true, and this network has no channels for walls")
        return self


class VideoRecurrentTask(Task[VideoRecurrentExperiment]):
    """Films, told by a network that remembers."""

    kind = VideoRecurrentExperiment
    headline = VideoTask.headline
    has_figure = False
    looks = True
    judges = VideoTask.judges

    def network(self, experiment: VideoRecurrentExperiment) -> ConvLSTM:
        """Of a patch's pixels as channels."""
        model = experiment.model
        return ConvLSTM(model.patch**2, model.widths, model.kernel_size)

    def data(self, experiment: VideoRecurrentExperiment) -> tuple[Tensor, ...]:
        """The digits that films are made of, and which they are."""
        labelled = experiment.data.build("train")
        return labelled.images, labelled.labels

    def learner(
        self,
        experiment: VideoRecurrentExperiment,
        network: ConvLSTM,
        data: tuple[Tensor, ...],
        device: str,
        tracker: Tracking | None = None,
    ) -> VideoLearner:
        """As of the automata."""
        images, labels = data
        watcher = RecurrentFilm(network, experiment.model.patch)
        source = Labelled(images, labels, DIGITS)
        rules, training, seed = experiment.data.rules, experiment.training, experiment.seed
        return VideoLearner(watcher, source, rules, training, seed, device, tracker)

    def needs(self, experiment: VideoRecurrentExperiment) -> dict[str, int]:
        """States of the films that run, and of an iteration."""
        model, training = experiment.model, experiment.training
        grid, frames = experiment.data.side // model.patch, training.batch * training.window
        return film_bytes(2 * sum(model.widths), grid, training.films, frames)

    def measure(
        self,
        experiment: VideoRecurrentExperiment,
        network: ConvLSTM,
        look: Look,
        device: str,
        judges: dict[str, Any] | None = None,
    ) -> dict[str, Any]:
        """As automata, without steps inside a frame.

        Args:
            experiment: whose films.
            network: trained.
            look: ``seeds`` are films; ``lpips``; ``further`` is physics.
            device: the CPU.
            judges: who says which digits are still there.

        """
        watcher = RecurrentFilm(network.eval(), experiment.model.patch)
        return measured(watcher, experiment.data, experiment.training.shown, look, judges)

    def report(self, metrics: dict[str, Any]) -> Report:
        """Errors beside baselines, then physics."""
        return film_report(metrics)
