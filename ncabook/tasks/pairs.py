"""Colouring drawings: edges to handbags (§3.1.3; Fig. 7)."""

from typing import Any, Literal

import torch
from pydantic import model_validator
from torch import Tensor

from ncabook.automaton import NCA, ChannelLayout
from ncabook.data.pairs import SIDE, Pairs, PairSplit, handbags, outlines, sketches
from ncabook.evaluation.pairs import evaluate_pairs
from ncabook.reading import Strict
from ncabook.tasks.base import BaseExperiment, Look, Task, state_bytes
from ncabook.tasks.parts import ModelConfig
from ncabook.tasks.report import Measured, Report
from ncabook.training.adversarial_config import PairsConfig
from ncabook.training.pairs import PairsLearner, white_paper
from ncabook.training.tracking import Tracking

DRAWN = {"train": (1000, 0), "validate": (100, 1), "test": (100, 2)}  # how many, and their seed


COLUMNS = {"lpips": ("LPIPS", 3), "l1": ("absolute difference", 3), "kid": ("KID", 2)}


class PairsData(Strict):
    """Drawings and pictures.

    Attributes:
        name: which; ``outlines`` of emojis stand in for handbags, and are easier.

    """

    name: Literal["edges2handbags", "outlines"]

    def build(self, split: PairSplit) -> Pairs:
        """The pairs to learn from, to stop by, or to be measured by."""
        return pairs_of(self.name, split)


def pairs_of(name: str, split: PairSplit, side: int = SIDE) -> Pairs:
    """Handbags, or the outlines that stand in for them."""
    if name == "edges2handbags":
        return handbags(split, side=side)
    return outlines(*DRAWN[split], side)


class PairsExperiment(BaseExperiment):
    """A curve of Fig. 7: an automaton that colours drawings.

    Attributes:
        data: drawings and pictures.
        model: the automaton; the drawing and RGB come on top.
        training: how it is trained.

    """

    task: Literal["colour"]
    data: PairsData
    model: ModelConfig
    training: PairsConfig

    @model_validator(mode="after")
    def _fits(self) -> "PairsExperiment":
        self.model.check_reach(SIDE)
        if self.model.living_threshold is not None:
            raise ValueError(
                "model.living_threshold asks for an alpha channel, and pictures are RGB; set it to "
                "null"
            )
        return self


class PairsTask(Task[PairsExperiment]):
    """Drawings, coloured by cells that see the ink below them."""

    kind = PairsExperiment
    headline = ("steps.48.lpips", "steps.200.lpips", "steps.48.l1", "recovery.percent")

    def network(self, experiment: PairsExperiment) -> NCA:
        """The drawing in a fixed channel, RGB, hidden ones."""
        layout = ChannelLayout(visible=3, hidden=experiment.model.hidden_channels, fixed=1)
        return experiment.model.build(layout)

    def data(self, experiment: PairsExperiment) -> tuple[Tensor, ...]:
        """Drawings and pictures to learn from."""
        pairs = experiment.data.build("train")
        return pairs.ink, pairs.pictures

    def learner(
        self,
        experiment: PairsExperiment,
        network: NCA,
        data: tuple[Tensor, ...],
        device: str,
        tracker: Tracking | None = None,
    ) -> PairsLearner:
        """Algorithm 1, with a critic if there is one."""
        ink, pictures = data
        training, seed = experiment.training, experiment.seed
        return PairsLearner(network, Pairs(ink, pictures), training, seed, device, tracker)

    def needs(self, experiment: PairsExperiment) -> dict[str, int]:
        """States; the pictures are few beside them."""
        channels = 4 + experiment.model.hidden_channels
        return {"targets": 0, **state_bytes(experiment, channels, SIDE)}

    def measure(
        self, experiment: PairsExperiment, network: NCA, look: Look, device: str
    ) -> dict[str, Any]:
        """LPIPS, absolute difference and KID over steps, and recovery, on the test pairs."""
        test, train = (experiment.data.build(split) for split in ("test", "train"))
        metrics = evaluate_pairs(network, test, train)
        return metrics | {"data": {"name": experiment.data.name, "note": test.note}}

    def report(self, metrics: dict[str, Any]) -> Report:
        """Over steps, beside rows that cost nothing."""
        rows = {f"steps.{step}": f"step {step}" for step in metrics["steps"]}
        rows |= {f"trivial.{name}": name for name in metrics["trivial"]}
        found = []
        for place, row in rows.items():
            group, name = place.split(".")
            found += compared_rows(place, row, metrics[group][name])
        healed, alive = metrics["recovery"], metrics["alive"]
        low, high = healed["interval"]
        found.append(
            Measured(
                "recovery.percent", "recovery", "LPIPS", healed["percent"], 1, "%", (low, high)
            )
        )
        long = metrics["protocol"]["long"]
        notes = [f"at step {long:,} {alive['alive']} of {alive['of']} were alive"]
        if metrics["data"]["note"]:
            notes.append(f"note: {metrics['data']['note']}")
        return Report(
            f"protocol {metrics['protocol']['version']}, {metrics['pairs']} pairs", found, notes
        )

    def live(self, experiment: PairsExperiment, nca: NCA) -> dict[str, Any]:
        """White paper, and drawings of our own to choose among and to draw on."""
        inputs = sketches() | {"blank": torch.zeros(1, SIDE, SIDE)}
        start = white_paper(nca.layout, torch.zeros(1, 1, SIDE, SIDE))
        return {"height": SIDE, "width": SIDE, "inputs": inputs, "start": start}


def compared_rows(place: str, row: str, figures: dict[str, Any]) -> list[Measured]:
    """What :func:`~ncabook.evaluation.pairs.compared` found, as numbers below ``place``."""
    found = []
    for key, (words, digits) in COLUMNS.items():
        low, high = figures[f"{key}_interval"]
        value = figures[key]
        found.append(Measured(f"{place}.{key}", row, words, value, digits, "", (low, high)))
    return found
