"""Trained models: a folder each, with ``weights.safetensors`` and ``card.json``.

A card ties three things together: ``weights_sha256`` says which weights it speaks of, and
``experiment_sha256``, written with it, which configuration they were trained by. A card edited
by hand (another dilation fits the same weights) is refused.

:func:`names` does not list the models below ``stages``, on the way to others, which start from
``stages/NAME``.
"""

import hashlib
import json
import math
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from torch import Tensor

from ncabook.automaton import NCA
from ncabook.experiments.build import build_network, build_targets
from ncabook.experiments.needs import check_memory, parameter_count
from ncabook.experiments.reading import mistakes, shorten
from ncabook.experiments.schema import AnyExperiment, Experiment, OnePassExperiment
from ncabook.files import CorruptFileError, write_atomically
from ncabook.networks import OnePass
from ncabook.training.checkpoint import load_weights

ZOO = Path(__file__).parent
WEIGHTS, CARD = "weights.safetensors", "card.json"


class UnknownNameError(Exception):
    """A name that nothing has; says which names are near."""


Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Card(BaseModel):
    """What is known of a trained model: where it comes from and how good it is.

    Attributes:
        experiment: the full configuration.
        parameters: learned numbers.
        weights_sha256: of the weights file; another file is refused.
        data_sha256: of the targets' bytes, as float32; or of training images and labels.
        training: seed, iterations, seconds, device, loss and, per start, commit and machine.
        metrics: the evaluation's summary; None until the model is evaluated.
        evaluation: commit and machine of the evaluation.
        notes: anything else a reader of the numbers has to know.

    """

    model_config = ConfigDict(extra="forbid", strict=True)

    experiment: AnyExperiment
    parameters: Annotated[int, Field(ge=1)]
    weights_sha256: Sha256
    data_sha256: Sha256
    training: dict[str, Any]
    metrics: dict[str, Any] | None = None
    evaluation: dict[str, Any] | None = None
    notes: list[str] = []

    @field_validator("training")
    @classmethod
    def _has_what_is_read(cls, training: dict[str, Any]) -> dict[str, Any]:
        for key in ("seconds", "mean_loss_of_last_100"):
            value = training.get(key)
            if not isinstance(value, int | float) or not math.isfinite(value):
                raise ValueError(f"{key} is {value!r}; expected a number")
        return training


@dataclass
class TrainedModel:
    """A model of the zoo, ready to run.

    Attributes:
        network: with its trained weights.
        targets: ``[classes, 4, H, W]``, the pictures that it was trained to grow; None if it
            classifies, or covers a canvas.
        card: its record.
        folder: where it was loaded from.

    """

    network: NCA | OnePass
    targets: Tensor | None
    card: Card
    folder: Path

    @property
    def nca(self) -> NCA:
        """The network, which is an automaton.

        Raises:
            TypeError: it is a network of one pass.

        """
        if not isinstance(self.network, NCA):
            raise TypeError(
                f"{self.card.experiment.name} is no automaton but a network of one pass; "
                "it has no steps"
            )
        return self.network


def names() -> list[str]:
    """Models that come with the package."""
    return sorted(p.parent.name for p in ZOO.glob(f"*/{CARD}"))


def find(name: str) -> Path:
    """The folder of a model: a name of the zoo, or a path to a folder with a card.

    Raises:
        UnknownNameError: there is neither.

    """
    for folder in (ZOO / name, Path(name)) if name else ():
        if (folder / CARD).is_file():
            return folder
    raise unknown("model", name, names())


def load(name: str) -> TrainedModel:
    """Loads a trained model by name or folder.

    Raises:
        UnknownNameError: no such model.
        CorruptFileError: the card is not a card, or the weights are not the card's, or not
            those of its model.

    """
    folder = find(name)
    card = read_card(folder)
    count = parameter_count(card.experiment)
    if count != card.parameters:
        raise CorruptFileError(
            f"{folder / CARD}: parameters: {card.parameters:,}; expected {count:,}, as many as "
            "the experiment's model has; restore the card"
        )
    check_memory(card.experiment, training=False)
    network = build_network(card.experiment)
    load_weights(network, folder / WEIGHTS, card.weights_sha256)
    grows = isinstance(card.experiment, Experiment | OnePassExperiment)
    targets = build_targets(card.experiment.data) if grows else None
    return TrainedModel(network.eval(), targets, card, folder)


def read_card(folder: Path) -> Card:
    """Reads ``card.json``.

    Raises:
        CorruptFileError: it is not JSON, lacks something, says something twice, or its
            experiment is not the one that the weights were trained by.

    """
    path = folder / CARD
    try:
        content = json.loads(path.read_bytes(), object_pairs_hook=_unique)
    except RecursionError:
        raise CorruptFileError(f"{path} is not a model card: it is nested too deeply") from None
    except ValueError as error:
        raise CorruptFileError(f"{path} is not a model card: {error}") from None
    expected = content.pop("experiment_sha256", None) if isinstance(content, dict) else None
    try:
        card = Card.model_validate(content)
    except ValidationError as error:
        raise CorruptFileError(mistakes(error, f"{path} is not a model card")[0]) from None
    found = _digest(content["experiment"])
    if found != expected:
        raise CorruptFileError(
            f"{path}: the experiment was changed after training; expected sha256 {expected}, "
            f"found {found}; restore the card, or train again"
        )
    return card


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object; of two equal keys the last would win without a word."""
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"the key {shorten(key)} stands twice")
        found[key] = value
    return found


def write_card(folder: Path, card: Card) -> None:
    """Writes ``card.json``, whole or not at all."""
    content = card.model_dump(mode="json")
    content["experiment_sha256"] = _digest(content["experiment"])
    text = json.dumps(content, indent=2, ensure_ascii=False)
    write_atomically(folder / CARD, (text + "\n").encode())


def _digest(experiment: dict[str, Any]) -> str:
    """sha256 of a configuration, independent of the order of its keys."""
    return hashlib.sha256(json.dumps(experiment, sort_keys=True).encode()).hexdigest()


def unknown(kind: str, name: str, known: list[str]) -> UnknownNameError:
    """The error for a name that nothing has, with the nearest ones that something has."""
    near = get_close_matches(name, known, n=3, cutoff=0.4)
    if near:
        hint = "did you mean " + " or ".join(near) + "?"
    else:
        hint = "known: " + (", ".join(known) if known else "none yet")
    return UnknownNameError(f"there is no {kind} {name!r}; {hint}")
