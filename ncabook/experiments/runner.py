"""From an experiment's name to a trained, measured model in a folder."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any, TypeVar

import torch
from filelock import FileLock, Timeout
from torch import Tensor

from ncabook import zoo
from ncabook.automaton import NCA
from ncabook.data.labelled import Labelled
from ncabook.evaluation.copies import compare_copies
from ncabook.evaluation.one_pass import evaluate_one_pass
from ncabook.evaluation.protocol import Protocol, evaluate
from ncabook.evaluation.textures import evaluate_texture
from ncabook.evaluation.voting import PROTOCOLS, evaluate_voting
from ncabook.experiments.build import (
    build_labelled,
    build_lossless,
    build_nca,
    build_network,
    build_targets,
    build_texture,
)
from ncabook.experiments.needs import check_memory
from ncabook.experiments.provenance import provenance
from ncabook.experiments.reading import parse
from ncabook.experiments.schema import (
    ClassificationExperiment,
    Experiment,
    OnePassExperiment,
    Task,
    TextureExperiment,
    load_experiment,
)
from ncabook.files import sha256
from ncabook.networks import OnePass
from ncabook.training.checkpoint import previous, save_tensors, unlike
from ncabook.training.classification import ClassificationTrainer
from ncabook.training.growth import GrowthTrainer
from ncabook.training.one_pass import OnePassTrainer
from ncabook.training.processes import check_device
from ncabook.training.texture import TextureTrainer
from ncabook.training.tracking import TrackerName, Tracking, default_tracker
from ncabook.training.trainer import Trainer

EXPERIMENTS = Path(__file__).parent
CHECKPOINT = "checkpoint.safetensors"
LOCK = ".lock"


Evolving = Experiment | ClassificationExperiment | TextureExperiment  # what is trained in steps


class RunExistsError(Exception):
    """A folder that already holds a run."""


def names() -> list[str]:
    """Experiments that come with the package."""
    return sorted(p.stem for p in EXPERIMENTS.glob("*.yaml"))


def find(name: str) -> Task:
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


AnyKind = TypeVar(
    "AnyKind", Experiment, OnePassExperiment, ClassificationExperiment, TextureExperiment
)


def with_seed(experiment: AnyKind, seed: int) -> AnyKind:
    """The same experiment with another seed, checked like one from a file."""
    return parse(type(experiment), experiment.model_dump() | {"seed": seed}, experiment.name)


def train(
    experiment: Task,
    folder: Path,
    device: str = "cpu",
    resume: bool = False,
    progress: bool = True,
    tracker: TrackerName | None = None,
) -> zoo.Card:
    """Trains an experiment; leaves weights, card and the tracker's ``logs`` in ``folder``.

    The tracker, if none is named, is TensorBoard, or none at all where it is not installed.

    Networks of one pass train in minutes; they have no checkpoints and no curves.

    Of several processes (``accelerate launch``, ``accelerate.notebook_launcher``) all call this;
    they share each batch, and the main one writes. All have to see the same ``folder``.

    Raises:
        RunExistsError: the folder holds a run and ``resume`` is not asked for, or a run is
            under way in it.
        FileNotFoundError: ``resume`` is asked for and there is no checkpoint.
        ValueError: the device is not here, cannot be used as asked, or has too little memory.
        TrainingDivergedError: the loss is not finite.

    """
    check_device(device)
    check_memory(experiment, device)
    if resume and isinstance(experiment, OnePassExperiment):
        raise ValueError(
            f"{experiment.name} is a network of one pass, which trains in minutes and keeps no "
            "checkpoints; train it without --resume"
        )
    _check_folder(folder, resume)  # before anything is made, and again when nobody else can write
    torch.manual_seed(experiment.seed)
    if isinstance(experiment, OnePassExperiment):
        return _train_one_pass(experiment, folder, device, progress)
    nca = build_nca(experiment)
    started_from = _start(nca, experiment)
    trainer = _trainer(nca, experiment, folder, device, tracker)
    main = trainer.accelerator.is_main_process
    with _only_run_in(folder, resume) if main else nullcontext():
        if resume:
            trainer.resume()
            if trainer.iteration == experiment.training.iterations and (folder / zoo.CARD).exists():
                return zoo.read_card(folder)  # nothing is left to do; the card may hold metrics
        trainer.run(progress)
        if main:
            processes = trainer.accelerator.num_processes
            training = _record(
                experiment, device, processes, trainer.seconds, trainer.losses, started_from
            )
            training["skipped"] = trainer.skipped
            training["starts"] = trainer.provenance
            _write_result(
                trainer.nca, experiment, folder, trainer.identity["data_sha256"], training
            )
    trainer.accelerator.wait_for_everyone()
    return zoo.read_card(folder)


def _start(nca: NCA, experiment: Evolving) -> dict[str, str] | None:
    """Loads the weights that an experiment starts from; says which, for the card."""
    if isinstance(experiment, ClassificationExperiment) or experiment.start_from is None:
        return None
    source = zoo.load(experiment.start_from)
    if differing := unlike(source.nca.state_dict(), nca.state_dict()):
        raise ValueError(
            f"{experiment.name}: start_from: {experiment.start_from} is another model: {differing}"
        )
    nca.load_state_dict(source.nca.state_dict())
    return {"model": experiment.start_from, "weights_sha256": source.card.weights_sha256}


def _trainer(
    nca: NCA,
    experiment: Evolving,
    folder: Path,
    device: str,
    tracker: TrackerName | None,
) -> Trainer:
    """The trainer of an experiment's task, on its data."""
    kind, named = GrowthTrainer, {}
    if isinstance(experiment, ClassificationExperiment):
        kind, named = ClassificationTrainer, {"padding": experiment.data.padding}
        labelled = build_labelled(experiment.data, "train")
        data = (labelled.images, labelled.labels)
    elif isinstance(experiment, TextureExperiment):
        kind, data = TextureTrainer, (build_texture(experiment.data),)
    else:
        data = (build_targets(experiment.data),)
    return kind(
        nca,
        *data,
        experiment.training,
        experiment.seed,
        folder / CHECKPOINT,
        device,
        provenance(device),
        {
            "data_sha256": digest(*data),
            "experiment": experiment.model_dump(mode="json", exclude={"training", "seed"}),
        },
        Tracking(
            tracker or default_tracker(),
            folder,
            experiment.name,
            experiment.model_dump(mode="json"),
        ),
        **named,
    )


def _train_one_pass(
    experiment: OnePassExperiment, folder: Path, device: str, progress: bool
) -> zoo.Card:
    network, targets = build_network(experiment), build_targets(experiment.data)
    trainer = OnePassTrainer(network, targets, experiment.training, experiment.seed, device)
    with _only_run_in(folder, resume=False):
        trainer.run(progress)
        network.to("cpu")
        training = _record(experiment, device, 1, trainer.seconds, trainer.losses, None)
        training["starts"] = [provenance(device)]
        _write_result(network, experiment, folder, digest(targets), training)
    return zoo.read_card(folder)


def _record(
    experiment: Task,
    device: str,
    processes: int,
    seconds: float,
    losses: list[float],
    started_from: dict[str, str] | None,
) -> dict[str, Any]:
    """What a card says of a training, but for its starts."""
    recent = losses[-100:]
    return {
        "seed": experiment.seed,
        "started_from": started_from,
        "device": device,
        "processes": processes,
        "iterations": len(losses),
        "seconds": round(seconds, 1),
        "mean_loss_of_last_100": sum(recent) / len(recent),
    }


def _write_result(
    network: NCA | OnePass,
    experiment: Task,
    folder: Path,
    data_sha256: str,
    training: dict[str, Any],
) -> None:
    save_tensors(folder / zoo.WEIGHTS, network.state_dict())
    card = zoo.Card(
        experiment=experiment,
        parameters=network.parameter_count,
        weights_sha256=sha256(folder / zoo.WEIGHTS),
        data_sha256=data_sha256,
        training=training,
    )
    zoo.write_card(folder, card)


def checkpoints(folder: Path) -> list[Path]:
    """The checkpoints of a run that are there: the newest, and the one before it."""
    newest = folder / CHECKPOINT
    return [path for path in (newest, previous(newest)) if path.exists()]


def _check_folder(folder: Path, resume: bool) -> None:
    """Refuses a folder with a run that is not to go on, and one without a run to go on with."""
    begun = checkpoints(folder)
    if resume:
        if not begun:
            raise FileNotFoundError(
                f"{folder / CHECKPOINT}: no such file to go on from; check the folder's name, or "
                "train without --resume"
            )
        return
    results = [folder / name for name in (zoo.WEIGHTS, zoo.CARD)]
    for path in [*begun, *filter(Path.exists, results)]:
        raise RunExistsError(
            f"{folder} already holds a run ({path.name}); add --resume to go on with it, "
            "or name another folder with --output"
        )


@contextmanager
def _only_run_in(folder: Path, resume: bool) -> Iterator[None]:
    """Keeps other runs out of ``folder``; also finds a bad folder now, not hours later."""
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / LOCK)  # the system lets go of it when the process dies
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise RunExistsError(
            f"a run is under way in {folder}; wait for it, or name another folder with --output"
        ) from None
    try:
        _check_folder(folder, resume)  # another run may have begun, and ended, since the last look
        yield
    finally:
        lock.release()


def evaluate_model(
    name: str,
    protocol: Protocol | None = None,
    perceptual: bool = True,
    further: bool = True,
    save: bool = False,
    device: str = "cpu",
) -> dict[str, Any]:
    """Measures a trained model; with ``save``, writes the result into its card.

    Automata that classify have a protocol of their own, :data:`PROTOCOLS`, and their test set;
    those that draw textures have theirs. These two can be measured on a GPU.

    Returns:
        What stands in a card's ``metrics``.

    Raises:
        ValueError: a smaller protocol is asked for, and the model has another one than growth's;
            or a device that is not here, or on which the model is not measured; or another model
            came into its folder meanwhile, and is left as it is.

    """
    check_device(device)
    model = zoo.load(name)
    experiment = model.card.experiment
    whole = protocol in (None, Protocol()) and perceptual and further
    own = isinstance(experiment, ClassificationExperiment | TextureExperiment)
    if device != "cpu" and not own:
        raise ValueError(f"{name} is measured on the CPU; leave out --device {device}")
    if not whole and own:
        raise ValueError(
            f"{name}: task {experiment.task} has a protocol of its own, with fixed seeds and "
            "without LPIPS; leave out --seeds, --no-lpips and --no-further"
        )
    model.network.to(device)
    if isinstance(experiment, ClassificationExperiment):
        test = build_labelled(experiment.data, "test")
        padding, rules = experiment.data.padding, PROTOCOLS[experiment.data.name]
        metrics = evaluate_voting(model.nca, test.images.to(device), test.labels, padding, rules)
        metrics["data"] = {"name": experiment.data.name, "note": test.note}
        metrics |= measure_lossless(model, test, device)
    elif isinstance(experiment, TextureExperiment):
        metrics = evaluate_texture(model.nca, build_texture(experiment.data).to(device))
    elif isinstance(model.network, OnePass):
        metrics = evaluate_one_pass(model.network, model.targets, protocol, perceptual)
    else:
        metrics = evaluate(model.nca, model.targets, protocol, perceptual, further).summary()
    if save:
        if zoo.read_card(model.folder) != model.card:
            raise ValueError(
                f"{model.folder / zoo.CARD} was changed while its model was measured; "
                "it is left as it is: measure again"
            )
        card = model.card.model_copy(update={"metrics": metrics, "evaluation": provenance(device)})
        zoo.write_card(model.folder, card)
    return metrics


def measure_lossless(model: zoo.TrainedModel, test: Labelled, device: str) -> dict[str, Any]:
    """What a card's ``metrics`` say of lossless images, ``{"lossless": …}``.

    Empty where the test images are not lossy copies. It says itself where it was measured: cards
    from before there was such a comparison have it from a later day than the rest.
    """
    data = model.card.experiment.data
    exact = build_lossless(data, test)
    if exact is None:
        return {}
    rules = PROTOCOLS[data.name]
    compared = compare_copies(model.nca, exact, test, data.padding, rules, device=device)
    return {"lossless": {**compared, "evaluation": provenance(device)}}


def digest(*tensors: Tensor) -> str:
    """sha256 of tensors' values, one after another."""
    total = hashlib.sha256()
    for tensor in tensors:
        total.update(tensor.contiguous().numpy())
    return total.hexdigest()
