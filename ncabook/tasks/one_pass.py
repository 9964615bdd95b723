"""What the automata of Table 1 are compared with: networks of one pass (§3.1.2)."""

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator
from torch import Tensor

from ncabook.evaluation.one_pass import evaluate_one_pass
from ncabook.networks import OnePass
from ncabook.reading import Strict
from ncabook.tasks.base import FLOAT, BaseExperiment, Look, Task
from ncabook.tasks.growth import GrowthTask, picture_report, protocol_of
from ncabook.tasks.picture_data import PictureData
from ncabook.tasks.report import Report
from ncabook.training.config import OnePassConfig, Width
from ncabook.training.one_pass import OnePassLearner
from ncabook.training.tracking import Tracking


class UNetConfig(Strict):
    """A :class:`~ncabook.networks.OnePass`."""

    base: Width
    halvings: Annotated[int, Field(ge=1, le=12)]


class OnePassExperiment(BaseExperiment):
    """A row of a table that is no automaton.

    Attributes:
        data: what is to be drawn.
        model: the network.
        training: how it is trained.

    """

    task: Literal["one-pass"]
    data: PictureData
    model: UNetConfig
    training: OnePassConfig

    @model_validator(mode="after")
    def _sizes(self) -> "OnePassExperiment":
        for side in (self.data.height, self.data.width):
            if side % 2**self.model.halvings:
                raise ValueError(
                    f"model.halvings {self.model.halvings} asks for a grid divisible by "
                    f"{2**self.model.halvings}; data.size + 2 · data.padding is {side}"
                )
        return self


class OnePassTask(Task[OnePassExperiment]):
    """U-Net and pix2pix on the task of growing."""

    kind = OnePassExperiment
    headline = GrowthTask.headline
    has_figure = False
    looks = True

    def network(self, experiment: OnePassExperiment) -> OnePass:
        """A conditional U-Net."""
        model = experiment.model
        return OnePass(len(experiment.data.classes), model.base, model.halvings)

    def data(self, experiment: OnePassExperiment) -> tuple[Tensor, ...]:
        """The class images."""
        return (experiment.data.build(),)

    def targets(self, experiment: OnePassExperiment) -> Tensor:
        """The class images."""
        return experiment.data.build()

    def learner(
        self,
        experiment: OnePassExperiment,
        network: OnePass,
        data: tuple[Tensor, ...],
        device: str,
        tracker: Tracking | None = None,
    ) -> OnePassLearner:
        """By squared error, with a critic if there is one."""
        (targets,) = data
        training, seed = experiment.training, experiment.seed
        return OnePassLearner(network, targets, training, seed, device, tracker)

    def needs(self, experiment: OnePassExperiment) -> dict[str, int]:
        """Pictures, and a batch at the network's full size."""
        data, batch = experiment.data, experiment.training.batch
        return {
            "targets": data.target_bytes,
            "batch": FLOAT * experiment.model.base * data.height * data.width * batch,
        }

    def measure(
        self, experiment: OnePassExperiment, network: OnePass, look: Look, device: str
    ) -> dict[str, Any]:
        """The automata's perturbations, and nothing to wait for."""
        targets = self.targets(experiment)
        return evaluate_one_pass(network, targets, protocol_of(look), look.lpips)

    def report(self, metrics: dict[str, Any]) -> Report:
        """As of automata, without what needs steps."""
        return picture_report(metrics)
