"""Runs of one's own on the shelf: trained ones, and trainings under way, by their checkpoints."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from ncabook import zoo
from ncabook.experiments import runner
from ncabook.files import CorruptFileError
from ncabook.lab.shelf import Shown, entry_of
from ncabook.reading import UnknownNameError, unknown
from ncabook.tasks import BaseExperiment, experiment_from, task_of
from ncabook.training.checkpoint import glance, unlike
from ncabook.training.fine_model import FineModel

RUNS = Path("runs")
FAMILY = "Your runs"
POINTS = 300  # of a curve
WEIGHTS = ("mean", "model")  # parts of a checkpoint: the running mean, where there is one


@dataclass(frozen=True)
class Progress:
    """How far a training is.

    Attributes:
        iteration: made so far.
        iterations: in all.
        seconds: that they took.
        losses: iterations and the mean loss since the one before, few enough to be drawn.

    """

    iteration: int
    iterations: int
    seconds: float
    losses: list[tuple[int, float]]


class Run:
    """A folder that ``ncabook train`` or ``ncabook grow`` writes to.

    Args:
        key: its name in addresses.
        folder: where it is.

    """

    def __init__(self, key: str, folder: Path) -> None:
        self.key, self.folder = key, folder
        self._known: tuple[str, Progress | None] | None = None

    @property
    def name(self) -> str:
        """Its folder, as it was named."""
        return str(self.folder)

    def source(self) -> Path:
        """What is shown: the result, or a checkpoint that is newer than it.

        Raises:
            FileNotFoundError: there is neither.

        """
        found = [path for path in runner.checkpoints(self.folder)[:1] if path.exists()]
        card = self.folder / zoo.CARD
        if card.is_file() and (self.folder / zoo.WEIGHTS).is_file():
            found.append(card)  # written last
        if not found:
            raise FileNotFoundError(
                f"{self.folder} holds neither a checkpoint nor a result; a training writes its "
                "first checkpoint after `checkpoint_every` iterations: try again then"
            )
        return max(found, key=lambda path: path.stat().st_mtime_ns)

    def version(self) -> str:
        """Another one whenever there is something new to show."""
        stat = self.source().stat()
        return f"{stat.st_mtime_ns:x}-{stat.st_size:x}"

    def age(self) -> float:
        """Seconds since the last of it was written."""
        return max(0.0, time.time() - self.source().stat().st_mtime)

    def progress(self) -> Progress | None:
        """How far it is; None where no checkpoint was kept."""
        version = self.version()
        if self._known is None or self._known[0] != version:
            self._known = version, self._progress()
        return self._known[1]

    def _progress(self) -> Progress | None:
        record = self._record(())
        if record is None:
            return None
        losses = record["losses"].tolist()
        iterations = record["identity"]["training"]["iterations"]
        return Progress(record["iteration"], iterations, record["seconds"], thinned(losses))

    def _record(self, parts: tuple[str, ...]) -> dict[str, Any] | None:
        """The newest checkpoint that can be read; a training may replace it at any moment."""
        wrong: Exception | None = None
        for path in runner.checkpoints(self.folder):
            try:
                return glance(path, parts)
            except (CorruptFileError, FileNotFoundError) as error:
                wrong = wrong or error
        if wrong is not None:
            raise wrong
        return None

    def entry(self) -> dict[str, Any]:
        """What the shelf says of it."""
        if self.source().name == zoo.CARD:
            made = entry_of(self.key, self.name, FAMILY, zoo.read_card(self.folder))
        else:
            experiment, _, record = self._trained()
            made = {
                "key": self.key,
                "name": self.name,
                "title": experiment.title,
                "family": FAMILY,
                "parameters": task_of(experiment).network(experiment).parameter_count,
                "minutes": round(record["seconds"] / 60, 1),
                "numbers": [],
            }
        return made | {"version": self.version(), "links": {"page": f"live/{self.key}.html"}}

    def shown(self) -> Shown:
        """It as it is now.

        Raises:
            TypeError: it is no automaton.
            ValueError: what it learned from may not be shown.

        """
        if self.source().name == zoo.CARD:
            model = zoo.load(str(self.folder))
            check_shown(model.card.experiment, self.name)
            title = model.card.experiment.title
            return Shown(self.key, title, model.stepped, model.live())
        experiment, weights, record = self._trained()
        check_shown(experiment, self.name)
        task = task_of(experiment)
        network: Any = task.network(experiment)
        if differing := unlike(weights, network.state_dict()):
            raise CorruptFileError(f"{self.folder} holds another model: {differing}")
        network.load_state_dict(weights)
        network.eval()
        others = zoo.frozen(experiment, record["identity"].get("frozen"))
        stepped = network.nca if isinstance(network, FineModel) else network
        options = task.live(experiment, network, **others)
        return Shown(self.key, experiment.title, stepped, options)

    def _trained(self) -> tuple[BaseExperiment, dict[str, torch.Tensor], dict[str, Any]]:
        record = self._record(WEIGHTS)
        if record is None:
            raise FileNotFoundError(f"{self.folder}: its checkpoints are gone")
        identity, parts = record["identity"], record["parts"]
        content = identity["experiment"] | {k: identity[k] for k in ("training", "seed")}
        experiment = experiment_from(content, str(self.folder / runner.CHECKPOINT))
        found = next((parts[name] for name in WEIGHTS if name in parts), None)
        if found is None:
            raise TypeError(f"{self.folder} trains no automaton; there is nothing to show alive")
        return experiment, found, record


def thinned(losses: list[float]) -> list[tuple[int, float]]:
    """A curve of few points: iterations, and the mean of the losses up to each."""
    size = max(1, -(-len(losses) // POINTS))
    parts = [losses[at : at + size] for at in range(0, len(losses), size)]
    ends = [min(len(losses), at + size) for at in range(0, len(losses), size)]
    return [(end, sum(part) / len(part)) for end, part in zip(ends, parts, strict=True)]


def check_shown(experiment: BaseExperiment, name: str) -> None:
    """Refuses what no page may run.

    Raises:
        TypeError: it is no automaton.
        ValueError: what it learned from may not be shown.

    """
    task = task_of(experiment)
    if not task.has_figure:
        raise TypeError(
            f"{name} is no automaton (task {experiment.task}); there is nothing to show alive"
        )
    if not task.shows(experiment):
        raise ValueError(f"{name} may not be shown: what it learned from is not free to be shown")


def is_run(folder: Path) -> bool:
    """Whether a folder holds a checkpoint or a result."""
    return bool(runner.checkpoints(folder)) or (folder / zoo.CARD).is_file()


def find(name: str) -> str | Path:
    """A model's name in the zoo, or the folder of a run: as it is given, or in ``runs``.

    Raises:
        FileNotFoundError: it is a folder without a checkpoint.
        UnknownNameError: there is neither.

    """
    if name in zoo.folders() | zoo.stages():
        return name
    folders = [Path(name), RUNS / name] if name else []
    for folder in folders:
        if folder.is_dir() and is_run(folder):
            return folder
    for folder in folders:
        if folder.is_dir():
            Run("", folder).source()  # says what is missing
    known = sorted(zoo.folders() | zoo.stages())
    raise UnknownNameError(f"no run {name!r}, here or in {RUNS}; {unknown('model', name, known)}")


def all_runs() -> list[Path]:
    """Folders below ``runs`` that hold a run, the newest first."""
    names = (zoo.CARD, runner.CHECKPOINT)
    found = {path.parent for name in names for path in RUNS.glob(f"**/{name}")}

    def age(folder: Path) -> float:
        return Run("", folder).age()

    return sorted((folder for folder in found if is_run(folder)), key=age)


def waiting() -> list[Path]:
    """Folders below ``runs`` in which a training has begun that has no checkpoint yet."""
    begun = {path.parent for path in RUNS.glob(f"**/{runner.LOCK}")}
    return sorted(folder for folder in begun if not is_run(folder))
