"""Trained models: ``FAMILY/NAME/weights.safetensors`` and ``card.json`` (:mod:`ncabook.zoo.cards`).

A critic that learned beside a model may lie there, too, as ``critic.safetensors``. Models on the
way to others, which start from them, lie in ``FAMILY/stages/NAME``; they are found by name like all
others, and :func:`names` does not list them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from ncabook.automaton import NCA
from ncabook.files import CorruptFileError
from ncabook.networks import PatchCritic
from ncabook.reading import UnknownNameError, unknown
from ncabook.tasks import BaseExperiment, Network, task_of
from ncabook.tasks.needs import check_memory, parameter_count
from ncabook.training.adversarial import CRITIC
from ncabook.training.checkpoint import load_tensors, load_weights
from ncabook.training.fine_model import FineModel
from ncabook.zoo.cards import CARD, WEIGHTS, Card, read_card, write_card

__all__ = [
    "CARD",
    "WEIGHTS",
    "ZOO",
    "Card",
    "TrainedModel",
    "find",
    "folders",
    "frozen",
    "load",
    "load_critic",
    "names",
    "read_card",
    "stages",
    "write_card",
]

ZOO = Path(__file__).parent
STAGES = "stages"


@dataclass
class TrainedModel:
    """A model of the zoo, ready to run.

    Attributes:
        network: with its trained weights.
        targets: ``[classes, 4, H, W]``, the pictures that it was trained to grow; None if it
            was trained for something else.
        card: its record.
        folder: where it was loaded from.

    """

    network: Network
    targets: Tensor | None
    card: Card
    folder: Path

    @property
    def nca(self) -> NCA:
        """The network, which is an automaton.

        Raises:
            TypeError: it is a network of one pass, or an automaton with a decoder.

        """
        if isinstance(self.network, FineModel):
            raise TypeError(
                f"{self.card.experiment.name} is an automaton with a decoder, and its state has no "
                "colours; take network.nca and network.decoder"
            )
        if not isinstance(self.network, NCA):
            raise TypeError(
                f"{self.card.experiment.name} is no automaton but a network of one pass; "
                "it has no steps"
            )
        return self.network

    def live(self) -> dict[str, Any]:
        """What :func:`ncabook.live.describe` is to be told of it.

        Raises:
            TypeError: it has no live figure.

        """
        experiment = self.card.experiment
        others = frozen(experiment, self.card.training.get("frozen"))
        network = self.network if isinstance(self.network, FineModel) else self.nca
        return task_of(experiment).live(experiment, network, **others)

    @property
    def stepped(self) -> NCA:
        """The automaton that makes the steps, as :func:`ncabook.live.describe` is to be given it.

        Raises:
            TypeError: it is a network of one pass.

        """
        return self.network.nca if isinstance(self.network, FineModel) else self.nca


def folders() -> dict[str, Path]:
    """Of the models that come with the package, stages excepted, by name."""
    return {p.parent.name: p.parent for p in sorted(ZOO.glob(f"*/*/{CARD}"))}


def names() -> list[str]:
    """Models that come with the package."""
    return sorted(folders())


def stages() -> dict[str, Path]:
    """Folders of the models that others start from, by name."""
    return {p.parent.name: p.parent for p in sorted(ZOO.glob(f"*/{STAGES}/*/{CARD}"))}


def find(name: str) -> Path:
    """The folder of a model: a name of the zoo, or a path to a folder with a card.

    Raises:
        UnknownNameError: there is neither, or a folder without a card.

    """
    known = folders() | stages()
    if name in known:
        return known[name]
    if name and (Path(name) / CARD).is_file():
        return Path(name)
    if name and Path(name).is_dir():
        raise UnknownNameError(
            f"{name} holds no trained model: there is no {CARD} in it, which a training writes at "
            f"its end; go on with it by --resume, or watch it by ncabook lab {name}"
        )
    raise unknown("model", name, sorted(known))


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
    task = task_of(card.experiment)
    network = task.network(card.experiment)
    load_weights(network, folder / WEIGHTS, card.weights_sha256)
    return TrainedModel(network.eval(), task.targets(card.experiment), card, folder)


def frozen(experiment: BaseExperiment, made: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The networks that an experiment stands on, as its task's methods take them.

    Args:
        experiment: whose task names them.
        made: of a trained model's card, which of them it was trained with, and their weights'
            sha256; others are refused.

    Returns:
        ``{"frozen": networks by what they are for}``, or nothing where there are none.

    Raises:
        UnknownNameError: no such model.
        ValueError: it is not the one that the model was trained with.

    """
    networks = {}
    for role, name in task_of(experiment).frozen(experiment).items():
        try:
            model = load(name)
        except UnknownNameError as error:
            raise UnknownNameError(
                f"{experiment.name} stands on {name}: {error}; train that first, and name its "
                "folder in a file of your own"
            ) from None
        known = (made or {}).get(role, {}).get("weights_sha256")
        if known not in (None, model.card.weights_sha256):
            raise ValueError(
                f"{experiment.name} was trained with another {name} (weights {known[:12]}…, here "
                f"{model.card.weights_sha256[:12]}…); train it again"
            )
        networks[role] = model.network
    return {"frozen": networks} if networks else {}


def load_critic(name: str) -> PatchCritic:
    """The critic that learned beside a model, by the model's name or folder.

    Raises:
        UnknownNameError: no such model.
        ValueError: it had no critic, or none was kept.
        CorruptFileError: the file is not the card's.

    """
    folder = find(name)
    card = read_card(folder)
    path, known = folder / f"{CRITIC}.safetensors", card.training.get(f"{CRITIC}_sha256")
    if known is not None and folder not in folders().values() and not path.exists():
        raise CorruptFileError(f"{path} is missing, and the card names it; restore it")
    if known is None or not path.exists():
        with_one = [n for n, place in folders().items() if (place / path.name).exists()]
        raise ValueError(
            f"no critic is kept beside {name}; expected one of {', '.join(with_one)}, or the "
            "folder of a training with one"
        )
    tensors, _ = load_tensors(path, known)
    visible = load(name).nca.layout.visible
    told = tensors["layers.0.weight"].shape[1] - visible
    critic = PatchCritic(visible, told, card.experiment.training.critic.widths)
    load_weights(critic, path, known)
    return critic.eval()
