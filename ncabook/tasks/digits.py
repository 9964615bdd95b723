"""Growing digits from coloured seeds (§A.5; Fig. 18)."""

from typing import Any, Literal

import torch
from pydantic import model_validator
from torch import Tensor

from ncabook.automaton import NCA, ChannelLayout
from ncabook.evaluation.digits import (
    DigitsProtocol,
    Judge,
    by_network,
    by_votes,
    evaluate_digits,
)
from ncabook.tasks.base import BaseExperiment, Look, Task, state_bytes
from ncabook.tasks.classification import LabelledData
from ncabook.tasks.parts import ModelConfig
from ncabook.tasks.report import Measured, Report
from ncabook.training.adversarial_config import DigitsConfig
from ncabook.training.digits import CLASSES, DigitsLearner, coloured_seed
from ncabook.training.tracking import Tracking

NETWORK, VOTERS = "digits-judge", "mnist-mse"  # who says which digit was grown


class DigitsExperiment(BaseExperiment):
    """A panel of Fig. 18: an automaton that grows all digits from seeds of ten colours.

    Attributes:
        data: digits to learn from.
        model: the automaton.
        training: how it is trained.

    """

    task: Literal["grow-digits"]
    data: LabelledData
    model: ModelConfig
    training: DigitsConfig

    @model_validator(mode="after")
    def _fits(self) -> "DigitsExperiment":
        self.model.check_reach(self.data.grid)
        if self.data.channels != 1:
            raise ValueError(f"data.name {self.data.name} is no set of digits; take mnist")
        if self.model.living_threshold is None:
            raise ValueError(
                "model.living_threshold is null, and a digit grows from a living seed into cells "
                "that are dead; set it, say to 0.1"
            )
        return self


class DigitsTask(Task[DigitsExperiment]):
    """Digits, grown by cells that know their class by their own colour."""

    kind = DigitsExperiment
    headline = (
        "judges.digits-judge.grown.all",
        "judges.digits-judge.late.all",
        "judges.mnist-mse.grown.all",
        "diversity.grown.features.mean",
        "recovery.percent",
    )
    looks = True
    judges = (NETWORK, VOTERS)

    def network(self, experiment: DigitsExperiment) -> NCA:
        """RGBA and hidden channels, told nothing."""
        layout = ChannelLayout(visible=4, hidden=experiment.model.hidden_channels)
        return experiment.model.build(layout)

    def data(self, experiment: DigitsExperiment) -> tuple[Tensor, ...]:
        """Training images and labels."""
        labelled = experiment.data.build("train")
        return labelled.images, labelled.labels

    def learner(
        self,
        experiment: DigitsExperiment,
        network: NCA,
        data: tuple[Tensor, ...],
        device: str,
        tracker: Tracking | None = None,
    ) -> DigitsLearner:
        """Algorithm 1, with a critic if there is one."""
        images, labels = data
        training, padding = experiment.training, experiment.data.padding
        return DigitsLearner(
            network, images, labels, training, experiment.seed, device, tracker, padding
        )

    def needs(self, experiment: DigitsExperiment) -> dict[str, int]:
        """States; the images are few beside them."""
        channels = 4 + experiment.model.hidden_channels
        return {"targets": 0, **state_bytes(experiment, channels, experiment.data.grid)}

    def measure(
        self,
        experiment: DigitsExperiment,
        network: NCA,
        look: Look,
        device: str,
        judges: dict[str, Any] | None = None,
    ) -> dict[str, Any]:
        """What two judges recognise, diversity, copies, recovery.

        Args:
            experiment: whose data and noise.
            network: trained.
            look: ``seeds`` of each class; ``lpips``. ``further`` changes nothing.
            device: the CPU.
            judges: trained models by name, with cards that say what they get right.

        """
        if judges is None:
            raise TypeError(f"judges: none given; expected {' and '.join(self.judges)}, loaded")
        data = experiment.data
        cnn, cells = judges[NETWORK], judges[VOTERS]
        who = (
            Judge(NETWORK, by_network(cnn.network), cnn.card.metrics["accuracy"]),
            Judge(VOTERS, by_votes(cells.nca), cells.card.metrics["short"]["per_image"]),
        )
        metrics = evaluate_digits(
            network,
            experiment.training.noise,
            data.build("test"),
            data.build("train"),
            who,
            cnn.network,
            data.padding,
            _protocol(look),
            lpips=look.lpips,
        )
        metrics["judged_by"] = {name: judges[name].card.weights_sha256 for name in self.judges}
        return metrics

    def report(self, metrics: dict[str, Any]) -> Report:
        """What judges recognise, and how different the digits of a class are."""
        rules = metrics["protocol"]
        found = []
        for name, judged in metrics["judges"].items():
            for key, step in (("grown", rules["grown"]), ("late", rules["late"])):
                words = f"recognised by {name}"
                value = judged[key]["all"]
                found.append(
                    Measured(f"judges.{name}.{key}.all", f"step {step}", words, value, 1, "%")
                )
            worst = min(judged["grown"]["by_class"])
            found.append(
                Measured(
                    f"judges.{name}.worst",
                    "the worst class",
                    f"recognised by {name}",
                    worst,
                    1,
                    "%",
                )
            )
            real = judged["right_of_real"]
            found.append(
                Measured(
                    f"judges.{name}.right_of_real",
                    "real digits",
                    f"recognised by {name}",
                    real,
                    1,
                    "%",
                )
            )
        for what in ("grown", "real"):
            row = f"step {rules['grown']}" if what == "grown" else "real digits"
            for key, words, digits in (
                ("features", "distance in features", 2),
                ("lpips", "LPIPS of pairs", 3),
                ("variance", "variance", 4),
            ):
                if key in metrics["diversity"][what]:
                    value = metrics["diversity"][what][key]["mean"]
                    place = f"diversity.{what}.{key}.mean"
                    found.append(Measured(place, row, words, value, digits))
            value = metrics["copies"][what]
            found.append(Measured(f"copies.{what}", row, "nearest training digit", value, 3))
        healed = metrics["recovery"]
        interval = tuple(healed["interval"])
        found.append(
            Measured(
                "recovery.percent", "recovery", "recognised", healed["percent"], 1, "%", interval
            )
        )
        interval = tuple(healed["mse_interval"])
        found.append(
            Measured(
                "recovery.mse_percent", "recovery", "MSE", healed["mse_percent"], 1, "%", interval
            )
        )
        died, total = sum(metrics["died"]), rules["seeds"] * CLASSES
        late = rules["late_seeds"] * CLASSES
        notes = [
            f"of {total:,} seeds {died} died by step {rules['grown']}; of {late:,}, "
            f"{metrics['died_late']} by step {rules['late']}"
        ]
        return Report(
            f"protocol {rules['version']}, {rules['seeds']:,} seeds per class", found, notes
        )

    def live(self, experiment: DigitsExperiment, nca: NCA) -> dict[str, Any]:
        """Seeds of all colours, on a canvas with room for several digits.

        And one of none, where such seeds were trained, to lead the others away from it.
        """
        side = experiment.data.grid
        generator = torch.Generator().manual_seed(0)
        noise = experiment.training.noise
        seeds = coloured_seed(nca.layout, 1, 1, torch.arange(CLASSES), noise, generator)
        shown = {
            "height": 2 * side,
            "width": 2 * side,
            "seeds": dict(zip(experiment.data.classes, seeds[:, :, 0, 0], strict=True)),
        }
        if experiment.training.unconditional:
            free = coloured_seed(nca.layout, 1, 1, torch.tensor([CLASSES]), noise, generator)
            shown["free"] = free[0, :, 0, 0]
        return shown


def _protocol(look: Look) -> DigitsProtocol:
    """The whole protocol, or one of fewer seeds."""
    if look.seeds is None:
        return DigitsProtocol()
    return DigitsProtocol(seeds=look.seeds, late_seeds=min(look.seeds, DigitsProtocol.late_seeds))
