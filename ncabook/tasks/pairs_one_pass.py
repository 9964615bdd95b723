"""What automata that colour drawings are compared with: a U-Net and pix2pix (§3.1.3)."""

from typing import Any, Literal

from pydantic import model_validator
from torch import Tensor

from ncabook.data.pairs import SIDE, Pairs
from ncabook.evaluation.pairs import evaluate_answers
from ncabook.evaluation.perceptual import lpips_distance
from ncabook.networks import UNet
from ncabook.tasks.base import FLOAT, BaseExperiment, Look, Task
from ncabook.tasks.one_pass import UNetConfig
from ncabook.tasks.pairs import PairsData, compared_rows
from ncabook.tasks.report import Report
from ncabook.training.adversarial_config import PairsOnePassConfig
from ncabook.training.pairs_one_pass import PairsOnePassLearner
from ncabook.training.tracking import Tracking


class PairsOnePassExperiment(BaseExperiment):
    """A row beside those of Fig. 7 that is no automaton.

    Attributes:
        data: drawings and pictures.
        model: the network.
        training: how it is trained.

    """

    task: Literal["colour-one-pass"]
    data: PairsData
    model: UNetConfig
    training: PairsOnePassConfig

    @model_validator(mode="after")
    def _sizes(self) -> "PairsOnePassExperiment":
        if SIDE % 2**self.model.halvings:
            raise ValueError(
                f"model.halvings {self.model.halvings} asks for pictures divisible by "
                f"{2**self.model.halvings}; these have {SIDE} × {SIDE} pixels"
            )
        return self


class PairsOnePassTask(Task[PairsOnePassExperiment]):
    """Drawings, coloured in one pass."""

    kind = PairsOnePassExperiment
    headline = ("answer.lpips", "answer.l1", "answer.kid")
    has_figure = False

    def network(self, experiment: PairsOnePassExperiment) -> UNet:
        """From ink to RGB."""
        return UNet(1, 3, experiment.model.base, experiment.model.halvings)

    def data(self, experiment: PairsOnePassExperiment) -> tuple[Tensor, ...]:
        """Drawings and pictures to learn from, then those to choose by."""
        train, validation = (experiment.data.build(split) for split in ("train", "validate"))
        return train.ink, train.pictures, validation.ink, validation.pictures

    def learner(
        self,
        experiment: PairsOnePassExperiment,
        network: UNet,
        data: tuple[Tensor, ...],
        device: str,
        tracker: Tracking | None = None,
    ) -> PairsOnePassLearner:
        """By the absolute error, with pix2pix's critic if there is one; the best by LPIPS."""
        ink, pictures, validation_ink, validation_pictures = data
        train, validation = Pairs(ink, pictures), Pairs(validation_ink, validation_pictures)
        training, seed = experiment.training, experiment.seed
        return PairsOnePassLearner(
            network, train, validation, lpips_distance, training, seed, device, tracker
        )

    def needs(self, experiment: PairsOnePassExperiment) -> dict[str, int]:
        """A batch at the network's full size."""
        batch = FLOAT * experiment.model.base * SIDE**2 * experiment.training.batch
        return {"targets": 0, "batch": batch}

    def measure(
        self, experiment: PairsOnePassExperiment, network: UNet, look: Look, device: str
    ) -> dict[str, Any]:
        """As the automata's pictures are, and nothing to wait for."""
        test = experiment.data.build("test")
        metrics = evaluate_answers(network, test)
        return metrics | {"data": {"name": experiment.data.name, "note": test.note}}

    def report(self, metrics: dict[str, Any]) -> Report:
        """One row."""
        notes = [f"note: {metrics['data']['note']}"] if metrics["data"]["note"] else []
        heading = f"protocol {metrics['protocol']['version']}, {metrics['pairs']} pairs"
        return Report(heading, compared_rows("answer", "one pass", metrics["answer"]), notes)
