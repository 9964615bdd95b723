"""Cards: what is known of a trained model, in ``card.json`` beside its weights.

A card ties three things together: ``weights_sha256`` says which weights it speaks of, and
``experiment_sha256``, written with it, which configuration they were trained by. A card edited
by hand (another dilation fits the same weights) is refused.
"""

import hashlib
import json
import math
from pathlib import Path
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SerializeAsAny,
    ValidationError,
    field_validator,
)

from ncabook.files import CorruptFileError, write_atomically
from ncabook.reading import ConfigError, mistakes, shorten
from ncabook.tasks import BaseExperiment, experiment_from

WEIGHTS, CARD = "weights.safetensors", "card.json"
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Card(BaseModel):
    """What is known of a trained model: where it comes from and how good it is.

    Attributes:
        experiment: the full configuration.
        parameters: learned numbers.
        weights_sha256: of the weights file; another file is refused.
        data_sha256: of the targets' bytes, as float32; or of training images and labels.
        training: seed, iterations, seconds, device, loss and, per start, commit and machine; of a
            model that was trained elsewhere, in their place, ``imported``: what and from where.
        metrics: the evaluation's summary; None until the model is evaluated.
        evaluation: commit and machine of the evaluation.
        notes: anything else a reader of the numbers has to know.

    """

    model_config = ConfigDict(extra="forbid", strict=True)

    experiment: SerializeAsAny[BaseExperiment]
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
        if "imported" in training:  # nobody told how long it took, nor what its loss was
            return training
        for key in ("seconds", "mean_loss_of_last_100"):
            value = training.get(key)
            if not isinstance(value, int | float) or not math.isfinite(value):
                raise ValueError(f"{key} is {value!r}; expected a number")
        return training


def read_card(folder: Path) -> Card:
    """Reads ``card.json``.

    Raises:
        CorruptFileError: it is not JSON, lacks something, says something twice, or its
            experiment is not the one that the weights were trained by.

    """
    path = folder / CARD
    wrong = f"{path} is not a model card"
    try:
        content = json.loads(path.read_bytes(), object_pairs_hook=_unique)
    except RecursionError:
        raise CorruptFileError(f"{wrong}: it is nested too deeply") from None
    except ValueError as error:
        raise CorruptFileError(f"{wrong}: {error}") from None
    if not isinstance(content, dict):
        raise CorruptFileError(f"{wrong}: expected a mapping of fields")
    expected, configured = content.pop("experiment_sha256", None), content.get("experiment")
    try:
        if "experiment" in content:
            content["experiment"] = experiment_from(configured, wrong, "experiment")
        card = Card.model_validate(content)
    except ConfigError as error:
        raise CorruptFileError(str(error).splitlines()[0]) from None
    except ValidationError as error:
        raise CorruptFileError(mistakes(error, wrong)[0]) from None
    found = digest(configured)
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
    content["experiment_sha256"] = digest(content["experiment"])
    text = json.dumps(content, indent=2, ensure_ascii=False)
    write_atomically(folder / CARD, (text + "\n").encode())


def digest(experiment: Any) -> str:
    """sha256 of a configuration, independent of the order of its keys."""
    return hashlib.sha256(json.dumps(experiment, sort_keys=True).encode()).hexdigest()
