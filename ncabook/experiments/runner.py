"""From an experiment's name to a trained, measured model in a folder."""

import hashlib
from pathlib import Path

import torch
from torch import Tensor

from ncabook import zoo
from ncabook.evaluation.protocol import Evaluation, Protocol, evaluate
from ncabook.experiments.build import build_nca, build_targets
from ncabook.experiments.provenance import provenance
from ncabook.experiments.schema import Experiment, load_experiment
from ncabook.files import sha256, write_atomically
from ncabook.training.checkpoint import save_tensors
from ncabook.training.trainer import GrowthTrainer

EXPERIMENTS = Path(__file__).parent
CHECKPOINT = "checkpoint.safetensors"


class RunExistsError(Exception):
    """A folder that already holds a run."""


def names() -> list[str]:
    """Experiments that come with the package."""
    return sorted(p.stem for p in EXPERIMENTS.glob("*.yaml"))


def find(name: str) -> Experiment:
    """An experiment by name, or from a path that ends in ``.yaml``.

    Raises:
        UnknownNameError: no such experiment.
        ConfigError: its file does not fit the schema.

    """
    if name.endswith((".yaml", ".yml")):
        return load_experiment(Path(name))
    if name not in names():
        raise zoo.unknown("experiment", name, names())
    return load_experiment(EXPERIMENTS / f"{name}.yaml")


def train(
    experiment: Experiment,
    folder: Path,
    device: str = "cpu",
    resume: bool = False,
    progress: bool = True,
) -> zoo.Card:
    """Trains an experiment; leaves weights and card in ``folder``.

    Raises:
        RunExistsError: the folder holds a run and ``resume`` is not asked for.
        FileNotFoundError: ``resume`` is asked for and there is no checkpoint.
        TrainingDivergedError: the loss is not finite.

    """
    checkpoint = folder / CHECKPOINT
    if not resume:
        for name in (CHECKPOINT, zoo.WEIGHTS, zoo.CARD):
            if (folder / name).exists():
                raise RunExistsError(
                    f"{folder} already holds a run ({name}); add --resume to go on with it, "
                    "or name another folder with --output"
                )
    write_atomically(folder / ".writable", b"")  # learn of a bad folder now, not hours later
    (folder / ".writable").unlink()
    torch.manual_seed(experiment.seed)
    nca = build_nca(experiment)
    started_from = None
    if experiment.start_from is not None:
        source = zoo.load(experiment.start_from)
        nca.load_state_dict(source.nca.state_dict())
        started_from = {
            "model": experiment.start_from,
            "weights_sha256": source.card.weights_sha256,
        }
    targets = build_targets(experiment.data)
    trainer = GrowthTrainer(
        nca,
        targets,
        experiment.training,
        experiment.seed,
        checkpoint,
        device,
        provenance(device),
        {
            "data_sha256": digest(targets),
            "experiment": experiment.model_dump(mode="json", exclude={"training", "seed"}),
        },
    )
    if resume:
        trainer.resume()
        if trainer.iteration == experiment.training.iterations and (folder / zoo.CARD).exists():
            return zoo.read_card(folder)  # nothing is left to do; the card may hold metrics
    trainer.run(progress)
    save_tensors(folder / zoo.WEIGHTS, nca.state_dict())
    recent = trainer.losses[-100:]
    card = zoo.Card(
        experiment=experiment,
        parameters=nca.parameter_count,
        weights_sha256=sha256(folder / zoo.WEIGHTS),
        data_sha256=digest(targets),
        training={
            "seed": experiment.seed,
            "started_from": started_from,
            "device": device,
            "iterations": trainer.iteration,
            "seconds": round(trainer.seconds, 1),
            "mean_loss_of_last_100": sum(recent) / len(recent),
            "starts": trainer.provenance,
        },
    )
    zoo.write_card(folder, card)
    return card


def evaluate_model(
    name: str, protocol: Protocol | None = None, perceptual: bool = True, save: bool = False
) -> Evaluation:
    """Measures a trained model; with ``save``, writes the result into its card."""
    model = zoo.load(name)
    result = evaluate(model.nca, model.targets, protocol, perceptual)
    if save:
        card = model.card.model_copy(
            update={"metrics": result.summary(), "evaluation": provenance()}
        )
        zoo.write_card(model.folder, card)
    return result


def digest(tensor: Tensor) -> str:
    """sha256 of a tensor's values."""
    return hashlib.sha256(tensor.contiguous().numpy().tobytes()).hexdigest()
