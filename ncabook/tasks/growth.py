"""Growing pictures from a seed (§3.1; Tables 1 and 5)."""

from typing import Any, Literal

from pydantic import (
    FiniteFloat,
    SerializerFunctionWrapHandler,
    model_serializer,
    model_validator,
)
from torch import Tensor

from ncabook.automaton import NCA, ChannelLayout
from ncabook.evaluation.growth import GrowthProtocol, evaluate
from ncabook.evaluation.starts import percent_died
from ncabook.tasks.base import BaseExperiment, Look, Task, state_bytes
from ncabook.tasks.parts import ModelConfig
from ncabook.tasks.picture_data import PictureData
from ncabook.tasks.report import Measured, Report, at
from ncabook.training.config import GrowthConfig
from ncabook.training.growth import GrowthLearner
from ncabook.training.tracking import Tracking


class GrowthExperiment(BaseExperiment):
    """A row of Table 1 or 5: an automaton that grows one picture per class.

    Attributes:
        data: what is to be grown.
        model: the automaton.
        training: how it is trained.
        seed_cell: what a seed cell holds, a number for each channel; 1 in red, green, blue and
            alpha and 0 in the rest if not given. Automata from elsewhere may need others.

    """

    task: Literal["grow"] = "grow"
    data: PictureData
    model: ModelConfig
    training: GrowthConfig
    seed_cell: list[FiniteFloat] | None = None

    @model_serializer(mode="wrap")
    def _unsaid(self, written: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """The usual seed is not written: cards and runs of before there was another fit."""
        fields = written(self)
        if self.seed_cell is None:
            fields.pop("seed_cell", None)
        return fields

    @model_validator(mode="after")
    def _fits(self) -> "GrowthExperiment":
        self.model.check_reach(min(self.data.height, self.data.width))
        pool = self.training.pool
        if pool is not None and pool.mutation > 0 and len(self.data.classes) < 2:
            raise ValueError("pool.mutation needs at least two pictures in data")
        channels, threshold = 4 + self.model.hidden_channels, self.model.living_threshold
        if self.seed_cell is not None and len(self.seed_cell) != channels:
            raise ValueError(
                f"seed_cell has {len(self.seed_cell)} numbers; expected {channels}, one for each "
                "channel"
            )
        if self.seed_cell is not None and threshold is not None and self.seed_cell[3] <= threshold:
            raise ValueError(
                f"seed_cell has an alpha of {self.seed_cell[3]}, its fourth number; expected more "
                f"than model.living_threshold, {threshold}: it would die at once"
            )
        return self


class GrowthTask(Task[GrowthExperiment]):
    """Pictures from seeds, that last, heal and change their class."""

    kind = GrowthExperiment
    headline = (
        "lpips.stage2",
        "lpips.living.stage2",
        "lpips.damage_recovery",
        "lpips.mutation_recovery",
        "mse.long",
        "further.far",
        "further.repeated",
        "starts.seed",
    )
    looks = True

    def network(self, experiment: GrowthExperiment) -> NCA:
        """RGBA and hidden channels; told the class, if there are several."""
        seed = None if experiment.seed_cell is None else tuple(experiment.seed_cell)
        layout = ChannelLayout(visible=4, hidden=experiment.model.hidden_channels, seed=seed)
        classes = len(experiment.data.classes)
        return experiment.model.build(layout, classes if classes > 1 else 0)

    def data(self, experiment: GrowthExperiment) -> tuple[Tensor, ...]:
        """The class images."""
        return (experiment.data.build(),)

    def targets(self, experiment: GrowthExperiment) -> Tensor:
        """The class images."""
        return experiment.data.build()

    def learner(
        self,
        experiment: GrowthExperiment,
        network: NCA,
        data: tuple[Tensor, ...],
        device: str,
        tracker: Tracking | None = None,
    ) -> GrowthLearner:
        """Algorithm 1."""
        (targets,) = data
        training, seed = experiment.training, experiment.seed
        return GrowthLearner(network, targets, training, seed, device, tracker)

    def needs(self, experiment: GrowthExperiment) -> dict[str, int]:
        """Pictures and states."""
        channels = 4 + experiment.model.hidden_channels
        return {
            "targets": experiment.data.target_bytes,
            **state_bytes(experiment, channels, experiment.data.height, experiment.data.width),
        }

    def measure(
        self, experiment: GrowthExperiment, network: NCA, look: Look, device: str
    ) -> dict[str, Any]:
        """Table 1's protocol, and further."""
        protocol = protocol_of(look)
        targets = self.targets(experiment)
        return evaluate(network, targets, protocol, look.lpips, look.further).summary()

    def report(self, metrics: dict[str, Any]) -> Report:
        """Errors and recoveries by MSE and LPIPS, and what died."""
        return picture_report(metrics)

    def live(self, experiment: GrowthExperiment, nca: NCA) -> dict[str, Any]:
        """Its pictures and classes; seeds begin with the ring, so that none dies by chance."""
        data = experiment.data
        return {
            "height": data.height,
            "width": data.width,
            "classes": data.classes if len(data.classes) > 1 else (),
            "targets": self.targets(experiment),
            "ring": nca.living_threshold is not None,
        }


def protocol_of(look: Look) -> GrowthProtocol:
    """The book's protocol with so many rollouts as were asked for."""
    return GrowthProtocol() if look.seeds is None else GrowthProtocol(seeds=look.seeds)


def picture_report(metrics: dict[str, Any]) -> Report:
    """Of pictures that are grown or drawn; networks of one pass lack what needs steps."""
    protocol = metrics["protocol"]
    first, last = protocol["stage1"]
    step = f"step {protocol['perturb']}"
    found = []
    for name in ("mse", "lpips"):
        rows = {
            f"{name}.stage1": f"steps {first}–{last}",
            f"{name}.grown": f"step {protocol['grown']}",
            f"{name}.stage2": step,
            f"{name}.median.stage2": f"{step}, median",
            f"{name}.living.stage2": f"{step}, living",
            f"ring.{name}.stage2": f"{step}, ring",
            f"{name}.long": f"step {protocol['long']:,}",
            f"{name}.damaged": "after damage",
            f"{name}.damage_final": f"damage, step {protocol['final']}",
            f"{name}.mutated": "after mutation",
            f"{name}.mutation_final": f"mutation, step {protocol['final']}",
        }
        digits = 5 if name == "mse" else 4
        found += [
            Measured(key, row, name.upper(), value, digits)
            for key, row in rows.items()
            if (value := at(metrics, key)) is not None
        ]
        for kind in ("half", "circles", "damage", "mutation"):
            key = f"{name}.{kind}_recovery"
            if (value := at(metrics, key)) is not None:
                low, high = at(metrics, f"{key}_interval")
                found.append(
                    Measured(key, f"recovery, {kind}", name.upper(), value, 2, "%", (low, high))
                )
    rows = {
        "far": f"step {protocol['far']:,}",
        "repeated": f"after {protocol['damages']} damages",
        "larger": "a grid 4/3 as wide",
        "slower": "firing half as often",
        "faster": "firing always",
        "noise_final": "noise, in the end",
        "erased_final": "random cells, in the end",
        "nothing": "from an empty image",
    }
    found += [
        Measured(f"further.{key}", row, "MSE", value, 5)
        for key, row in rows.items()
        if (value := at(metrics, f"further.{key}")) is not None
    ]
    for kind, row in (("noise", "recovery, noise"), ("erased", "recovery, random cells")):
        key = f"further.{kind}_recovery"
        if (value := at(metrics, key)) is not None:
            found.append(Measured(key, row, "MSE", value, 2, "%"))
    notes = []
    if counted := metrics.get("starts"):
        for kind in ("seed", "ring"):
            died = percent_died(counted, kind)
            found.append(Measured(f"starts.{kind}", f"died, {kind}", "starts", died, 1, "%"))
        total = counted["each"] * len(counted["seed"])
        notes.append(f"starts: {total:,}, {counted['steps']} steps each")
        if rollouts := metrics.get("rollouts"):
            all_, died = rollouts["all"], rollouts["died"]
            notes[-1] += f"; of the {all_} rollouts above {died} died"
    heading = f"protocol {protocol['version']}, {protocol['seeds']} seeds per class"
    return Report(heading, found, notes)
