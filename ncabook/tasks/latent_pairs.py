"""Colouring drawings in latents (§3.1.4; Fig. 9b): two encoders, and cells of 8 × 8 pixels."""

from typing import Annotated, Any, Literal

import torch
from pydantic import Field
from torch import Tensor

from ncabook.automaton import NCA, ChannelLayout
from ncabook.data.pairs import Pairs, PairSplit, sketches
from ncabook.evaluation.latent_pairs import enlarged_pairs, evaluate_latent_pairs
from ncabook.reading import Strict
from ncabook.tasks.base import FLOAT, Look, Task, state_bytes
from ncabook.tasks.latent_growth import LatentExperiment, LatentModelConfig, given
from ncabook.tasks.pairs import compared_rows, pairs_of
from ncabook.tasks.report import Measured, Report
from ncabook.training.config import Width
from ncabook.training.latent_pairs import LatentPairsLearner, latent_paper
from ncabook.training.tracking import Tracking

SMALL = ("handbags-combined-long", "handbags-conv5-critic")  # one cell for a pixel, 64 × 64


class LargePairsData(Strict):
    """Drawings and pictures, and whose latents the automaton lives in.

    Attributes:
        name: which; ``outlines`` of emojis stand in for handbags, and are easier.
        side: in pixels.
        autoencoder: of pictures: a trained model's name, or its folder.
        drawings: of drawings.

    """

    name: Literal["edges2handbags", "outlines"]
    side: Annotated[int, Field(ge=32, le=1024)] = 256
    autoencoder: Annotated[str, Field(min_length=1)]
    drawings: Annotated[str, Field(min_length=1)]

    def build(self, split: PairSplit) -> Pairs:
        """The pairs to learn from, to stop by, or to be measured by."""
        return pairs_of(self.name, split, self.side)


class LatentPairsModelConfig(LatentModelConfig):
    """An automaton in latents that sees a drawing's.

    Attributes:
        drawing_channels: of a drawing's latent; they are the fixed ones.

    """

    drawing_channels: Width


class LatentPairsExperiment(LatentExperiment):
    """A panel of Fig. 9: an automaton that colours drawings in latents.

    Attributes:
        data: drawings and pictures.
        model: the automaton.

    """

    task: Literal["colour-latent"]
    data: LargePairsData
    model: LatentPairsModelConfig


class LatentPairsTask(Task[LatentPairsExperiment]):
    """Drawings, coloured by cells of eight by eight pixels."""

    kind = LatentPairsExperiment
    headline = (
        "steps.16.lpips",
        "steps.48.lpips",
        "floor.quantised.lpips",
        f"enlarged.{SMALL[0]}.lpips",
        "recovery.percent",
    )
    judges = SMALL

    def network(self, experiment: LatentPairsExperiment) -> NCA:
        """A drawing's latents in fixed channels, a picture's, hidden ones."""
        model = experiment.model
        layout = ChannelLayout(
            visible=model.latent_channels,
            hidden=model.hidden_channels,
            fixed=model.drawing_channels,
        )
        return model.build(layout)

    def frozen(self, experiment: LatentPairsExperiment) -> dict[str, str]:
        """Both autoencoders."""
        return {"pictures": experiment.data.autoencoder, "drawings": experiment.data.drawings}

    def data(self, experiment: LatentPairsExperiment) -> tuple[Tensor, ...]:
        """Drawings and pictures to learn from."""
        pairs = experiment.data.build("train")
        return pairs.ink, pairs.pictures

    def learner(
        self,
        experiment: LatentPairsExperiment,
        network: NCA,
        data: tuple[Tensor, ...],
        device: str,
        tracker: Tracking | None = None,
        frozen: dict[str, Any] | None = None,
    ) -> LatentPairsLearner:
        """Algorithm 2."""
        networks = given(frozen, "pictures"), given(frozen, "drawings")
        ink, images = data
        pairs = Pairs(ink, images)
        training, seed = experiment.training, experiment.seed
        return LatentPairsLearner(network, *networks, pairs, training, seed, device, tracker)

    def needs(self, experiment: LatentPairsExperiment) -> dict[str, int]:
        """States; and the pictures' latents."""
        model = experiment.model
        channels = model.latent_channels + model.hidden_channels + model.drawing_channels
        return {
            "targets": 0,
            "latents": FLOAT * 2 * 1000 * channels * experiment.grid**2,
            **state_bytes(experiment, channels, experiment.grid),
        }

    def measure(
        self,
        experiment: LatentPairsExperiment,
        network: NCA,
        look: Look,
        device: str,
        judges: dict[str, Any] | None = None,
        frozen: dict[str, Any] | None = None,
    ) -> dict[str, Any]:
        """LPIPS, absolute difference and KID over steps, beside the floor and enlarged pixels."""
        data = experiment.data
        test, train = data.build("test"), data.build("train")
        networks = given(frozen, "pictures"), given(frozen, "drawings")
        found = evaluate_latent_pairs(network, *networks, test, train)
        small = {name: model.nca for name, model in (judges or {}).items()}
        found["enlarged"] = enlarged_pairs(small, pairs_of(data.name, "test"), test)
        return found | {"data": {"name": experiment.data.name, "note": test.note}}

    def report(self, metrics: dict[str, Any]) -> Report:
        """Over steps, beside the floor and what pixels draw, enlarged."""
        rows = {f"steps.{step}": f"step {step}" for step in metrics["steps"]}
        rows |= {
            "snapped": f"step {metrics['protocol']['damage']}, nearest codes",
            "floor.quantised": "the autoencoder alone, nearest codes",
            "floor.free": "the autoencoder alone",
        }
        rows |= {f"enlarged.{name}": f"{name}, enlarged" for name in metrics["enlarged"]}
        rows |= {f"trivial.{name}": name for name in metrics["trivial"]}
        found = []
        for place, row in rows.items():
            values: Any = metrics
            for part in place.split(".", 1):
                values = values[part]
            found += compared_rows(place, row, values)
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

    def live(
        self, experiment: LatentPairsExperiment, nca: NCA, frozen: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """White paper above a sketch of our own, and a decoder that reads the cells."""
        pictures, drawings = given(frozen, "pictures"), given(frozen, "drawings")
        ink = sketches(experiment.data.side)["satchel"]
        with torch.no_grad():
            seen = drawings.normal(ink[None])
        return {
            "height": experiment.grid,
            "width": experiment.grid,
            "decoder": pictures.normal_decoder(),
            "start": latent_paper(nca, pictures, seen),
        }
