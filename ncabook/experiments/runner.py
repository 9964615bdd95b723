"""From an experiment to a trained, measured model in a folder."""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import torch
from filelock import FileLock, Timeout
from torch import Tensor, nn

from ncabook import zoo
from ncabook.experiments.provenance import provenance
from ncabook.files import sha256
from ncabook.reading import UnknownNameError
from ncabook.tasks import BaseExperiment, Look, Network, task_of
from ncabook.tasks.needs import check_memory
from ncabook.training.checkpoint import differences, previous, save_tensors, unlike
from ncabook.training.loop import Loop
from ncabook.training.processes import check_device
from ncabook.training.tracking import TrackerName, Tracking, default_tracker

CHECKPOINT = "checkpoint.safetensors"
LOCK = ".lock"


class RunExistsError(Exception):
    """A folder that already holds a run."""


def train(
    experiment: BaseExperiment,
    folder: Path,
    device: str = "cpu",
    resume: bool = False,
    progress: bool = True,
    tracker: TrackerName | None = None,
    watch: Callable[[Loop], None] | None = None,
) -> zoo.Card:
    """Trains an experiment; leaves weights, card and the tracker's ``logs`` in ``folder``.

    Of several processes (``accelerate launch``, ``accelerate.notebook_launcher``) all call this;
    they share each batch, and the main one writes. All have to see the same ``folder``.

    Args:
        experiment: what is trained.
        folder: for the result.
        device: where.
        resume: whether a training that was stopped is to go on.
        progress: whether a bar shows it.
        tracker: of the curves; TensorBoard if it is installed.
        watch: is called with the loop after every iteration.

    Raises:
        RunExistsError: the folder holds a run and ``resume`` is not asked for, or a run is
            under way in it.
        FileNotFoundError: ``resume`` is asked for and there is no checkpoint.
        ValueError: the device is not here, cannot be used as asked, or has too little memory.
        TrainingDivergedError: the loss is not finite.

    """
    check_device(device)
    check_memory(experiment, device)
    _check_folder(folder, resume)  # before anything is made, and again when nobody else can write
    loop, started_from = prepare(experiment, folder, device, tracker)
    main = loop.accelerator.is_main_process
    with _only_run_in(folder, resume) if main else nullcontext():
        if resume:
            loop.resume()
            if loop.iteration == experiment.training.iterations and (folder / zoo.CARD).exists():
                return zoo.read_card(folder)  # nothing is left to do; the card may hold metrics
        loop.run(progress, watch)
        if main:
            recent = loop.losses[-100:]
            training = {
                "seed": experiment.seed,
                "started_from": started_from,
                **({"frozen": loop.identity["frozen"]} if "frozen" in loop.identity else {}),
                "device": device,
                "processes": loop.accelerator.num_processes,
                "iterations": len(loop.losses),
                "seconds": round(loop.seconds, 1),
                "mean_loss_of_last_100": sum(recent) / len(recent),
                **loop.learner.record(),
                "starts": loop.provenance,
            }
            data_sha256 = loop.identity["data_sha256"]
            network: Any = loop.learner.result()
            beside = loop.learner.beside()
            _write_result(network, experiment, folder, data_sha256, training, beside)
    loop.accelerator.wait_for_everyone()
    return zoo.read_card(folder)


def prepare(
    experiment: BaseExperiment, folder: Path, device: str, tracker: TrackerName | None = None
) -> tuple[Loop, dict[str, str] | None]:
    """A training that has not begun, all its randomness seeded; and what it starts from.

    Args:
        experiment: what is trained.
        folder: for checkpoint and curves; nothing is written yet.
        device: where.
        tracker: of the curves; TensorBoard if it is installed.

    """
    task = task_of(experiment)
    torch.manual_seed(experiment.seed)
    network = task.network(experiment)
    started_from = _start(network, experiment)
    data = task.data(experiment)
    content = experiment.model_dump(mode="json")
    tracking = Tracking(tracker or default_tracker(), folder, experiment.name, content)
    learner = task.learner(experiment, network, data, device, tracking, **zoo.frozen(experiment))
    stands_on = {
        role: {"model": name, "weights_sha256": zoo.read_card(zoo.find(name)).weights_sha256}
        for role, name in task.frozen(experiment).items()
    }
    identity = {
        **({"frozen": stands_on} if stands_on else {}),
        "data_sha256": digest(*data),
        "experiment": {k: v for k, v in content.items() if k not in ("training", "seed")},
    }
    return Loop(learner, folder / CHECKPOINT, provenance(device), identity, tracking), started_from


def _start(network: Network, experiment: BaseExperiment) -> dict[str, str] | None:
    """Loads the weights that an experiment starts from; says which, for the card."""
    if experiment.start_from is None:
        return None
    try:
        source = zoo.load(experiment.start_from)
    except UnknownNameError as error:
        raise UnknownNameError(
            f"{experiment.name} with seed {experiment.seed} starts from {experiment.start_from}: "
            f"{error}; train that first, and name its folder as start_from in a file of your own"
        ) from None
    differing = unlike(source.network.state_dict(), network.state_dict())
    if differing := differing or _other_parts(source.card.experiment, experiment):
        raise ValueError(
            f"{experiment.name}: start_from: {experiment.start_from} is another model: {differing}"
        )
    theirs, ours = (getattr(n, "layout", None) for n in (source.network, network))
    if theirs is not None and theirs.seed is not None and ours is not None and ours.seed is None:
        raise ValueError(
            f"{experiment.name}: start_from: {experiment.start_from} grows from a seed cell of its "
            f"own; add it to the experiment, or numbers of yours: seed_cell: {[*theirs.seed]}"
        )
    network.load_state_dict(source.network.state_dict())
    return {"model": experiment.start_from, "weights_sha256": source.card.weights_sha256}


def _other_parts(theirs: BaseExperiment, ours: BaseExperiment) -> str | None:
    """Where two automata differ though their weights have the same shapes; None if they do not.

    Activations, dilations and heads are in no weight, and in other hands the same weights compute
    something else. When cells fire and when they die may change.
    """
    there, here = (e.model_dump(mode="json")["model"] for e in (theirs, ours))
    for part in ("perception", "update"):
        if lines := differences(there.get(part), here.get(part), f"model.{part}"):
            return lines[0]
    return None


def _write_result(
    network: Network,
    experiment: BaseExperiment,
    folder: Path,
    data_sha256: str,
    training: dict[str, Any],
    beside: dict[str, nn.Module],
) -> None:
    save_tensors(folder / zoo.WEIGHTS, network.state_dict())
    others = {}
    for name, other in beside.items():
        save_tensors(folder / f"{name}.safetensors", other.state_dict())
        others[f"{name}_sha256"] = sha256(folder / f"{name}.safetensors")
    card = zoo.Card(
        experiment=experiment,
        parameters=network.parameter_count,
        weights_sha256=sha256(folder / zoo.WEIGHTS),
        data_sha256=data_sha256,
        training=training | others,
        notes=task_of(experiment).notes(experiment),
    )
    zoo.write_card(folder, card)


def checkpoints(folder: Path) -> list[Path]:
    """The checkpoints of a run that are there: the newest, and the one before it."""
    newest = folder / CHECKPOINT
    return [path for path in (newest, previous(newest)) if path.exists()]


def check_free(folder: Path) -> None:
    """Refuses a folder that holds a run.

    Raises:
        RunExistsError: it does.

    """
    _check_folder(folder, resume=False)


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
    name: str, look: Look | None = None, save: bool = False, device: str = "cpu"
) -> dict[str, Any]:
    """Measures a trained model by its task's protocol; with ``save``, writes it into its card.

    Args:
        name: of a model, or its folder.
        look: how much is measured; all of it if not given.
        save: whether the card is to keep the result.
        device: where; not every task is measured on a GPU.

    Returns:
        What stands in a card's ``metrics``.

    Raises:
        ValueError: a smaller look is asked for where the protocol has none; or a device that is
            not here, or on which the model is not measured; or another model came into its folder
            meanwhile, and is left as it is.

    """
    check_device(device)
    look = look or Look()
    model = zoo.load(name)
    experiment = model.card.experiment
    task = task_of(experiment)
    if device.split(":")[0] not in task.devices:
        raise ValueError(f"{name} is measured on the CPU; leave out --device {device}")
    if not look.whole and not task.looks:
        raise ValueError(
            f"{name}: task {experiment.task} has a protocol of its own, with fixed seeds and "
            "without LPIPS; leave out --seeds, --no-lpips and --no-further"
        )
    model.network.to(device)
    judges = {"judges": {name: zoo.load(name) for name in task.judges}} if task.judges else {}
    others = judges | zoo.frozen(experiment, model.card.training.get("frozen"))
    metrics = task.measure(experiment, model.network, look, device, **others)
    if save:
        if zoo.read_card(model.folder) != model.card:
            raise ValueError(
                f"{model.folder / zoo.CARD} was changed while its model was measured; "
                "it is left as it is: measure again"
            )
        notes = list(dict.fromkeys([*model.card.notes, *task.notes(experiment)]))
        measured = {"metrics": metrics, "evaluation": provenance(device), "notes": notes}
        card = model.card.model_copy(update=measured)
        zoo.write_card(model.folder, card)
    return metrics


def digest(*tensors: Tensor) -> str:
    """sha256 of tensors' values, one after another."""
    total = hashlib.sha256()
    for tensor in tensors:
        total.update(tensor.contiguous().numpy().tobytes())
    return total.hexdigest()
