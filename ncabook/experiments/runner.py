"""From an experiment's name to a trained, measured model in a folder."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import torch
from filelock import FileLock, Timeout
from torch import Tensor

from ncabook import zoo
from ncabook.evaluation.protocol import Evaluation, Protocol, evaluate
from ncabook.experiments.build import build_nca, build_targets
from ncabook.experiments.provenance import provenance
from ncabook.experiments.schema import Experiment, load_experiment, parse
from ncabook.files import sha256
from ncabook.training.checkpoint import previous, save_tensors
from ncabook.training.tracking import TrackerName, Tracking
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


def with_seed(experiment: Experiment, seed: int) -> Experiment:
    """The same experiment with another seed, checked like one from a file."""
    return parse(Experiment, experiment.model_dump() | {"seed": seed}, experiment.name)


def train(
    experiment: Experiment,
    folder: Path,
    device: str = "cpu",
    resume: bool = False,
    progress: bool = True,
    tracker: TrackerName = "tensorboard",
) -> zoo.Card:
    """Trains an experiment; leaves weights, card and the tracker's ``logs`` in ``folder``.

    Of several processes (``accelerate launch``, ``accelerate.notebook_launcher``) all call this;
    they share each batch, and the main one writes. All have to see the same ``folder``.

    Raises:
        RunExistsError: the folder holds a run and ``resume`` is not asked for, or a run is
            under way in it.
        FileNotFoundError: ``resume`` is asked for and there is no checkpoint.
        TrainingDivergedError: the loss is not finite.

    """
    checkpoint = folder / CHECKPOINT
    if not resume:
        for name in (CHECKPOINT, previous(checkpoint).name, zoo.WEIGHTS, zoo.CARD):
            if (folder / name).exists():
                raise RunExistsError(
                    f"{folder} already holds a run ({name}); add --resume to go on with it, "
                    "or name another folder with --output"
                )
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
        Tracking(tracker, folder, experiment.name, experiment.model_dump(mode="json")),
    )
    main = trainer.accelerator.is_main_process
    with _only_run_in(folder) if main else nullcontext():
        if resume:
            trainer.resume()
            if trainer.iteration == experiment.training.iterations and (folder / zoo.CARD).exists():
                return zoo.read_card(folder)  # nothing is left to do; the card may hold metrics
        trainer.run(progress)
        if main:
            _write_result(trainer, experiment, folder, started_from, device)
    trainer.accelerator.wait_for_everyone()
    return zoo.read_card(folder)


def _write_result(
    trainer: GrowthTrainer,
    experiment: Experiment,
    folder: Path,
    started_from: dict[str, str] | None,
    device: str,
) -> None:
    save_tensors(folder / zoo.WEIGHTS, trainer.nca.state_dict())
    recent = trainer.losses[-100:]
    card = zoo.Card(
        experiment=experiment,
        parameters=trainer.nca.parameter_count,
        weights_sha256=sha256(folder / zoo.WEIGHTS),
        data_sha256=trainer.identity["data_sha256"],
        training={
            "seed": experiment.seed,
            "started_from": started_from,
            "device": device,
            "processes": trainer.accelerator.num_processes,
            "iterations": trainer.iteration,
            "seconds": round(trainer.seconds, 1),
            "mean_loss_of_last_100": sum(recent) / len(recent),
            "starts": trainer.provenance,
        },
    )
    zoo.write_card(folder, card)


@contextmanager
def _only_run_in(folder: Path) -> Iterator[None]:
    """Keeps other runs out of ``folder``; also finds a bad folder now, not hours later."""
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / ".lock")  # the system lets go of it when the process dies
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise RunExistsError(
            f"a run is under way in {folder}; wait for it, or name another folder with --output"
        ) from None
    try:
        yield
    finally:
        lock.release()


def evaluate_model(
    name: str,
    protocol: Protocol | None = None,
    perceptual: bool = True,
    further: bool = True,
    save: bool = False,
) -> Evaluation:
    """Measures a trained model; with ``save``, writes the result into its card."""
    model = zoo.load(name)
    result = evaluate(model.nca, model.targets, protocol, perceptual, further)
    if save:
        card = model.card.model_copy(
            update={"metrics": result.summary(), "evaluation": provenance()}
        )
        zoo.write_card(model.folder, card)
    return result


def digest(tensor: Tensor) -> str:
    """sha256 of a tensor's values."""
    return hashlib.sha256(tensor.contiguous().numpy().tobytes()).hexdigest()
