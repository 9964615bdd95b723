"""Many trainings: every experiment of a table with several seeds, here or on a SLURM cluster.

Each training has its own folder, ``runs/TABLE/EXPERIMENT/seed-N``. What is finished is left
alone, what was begun goes on from its checkpoint, so the same call again completes a sweep.
"""

import logging
import math
import os
import signal
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from filelock import FileLock, Timeout
from pydantic import Field, model_validator

from ncabook import experiments, zoo
from ncabook.experiments import runner
from ncabook.extras import need
from ncabook.reading import ConfigError, Strict, load, unknown
from ncabook.tasks.base import Name, Title
from ncabook.training.processes import check_device, default_device, ending_like_ctrl_c

if TYPE_CHECKING:
    import submitit

log = logging.getLogger(__name__)

TABLES = experiments.FOLDER / experiments.TABLES
POLL = 0.2  # seconds between two looks at the jobs
STOPS_WITHIN = 60.0  # seconds from Ctrl-C to the end of a job: an iteration, and a checkpoint
MOST_SEEDS = 1000  # of one experiment
Cluster = Literal["local", "slurm"]


class Table(Strict):
    """Rows of a table, each an experiment.

    Attributes:
        name: also the name of the folder below ``runs/``.
        title: what it is, for people.
        experiments: names, or paths to YAML files, as seen from the table's own file.

    """

    name: Name
    title: Title
    experiments: Annotated[list[str], Field(min_length=1, max_length=1000)]

    @model_validator(mode="after")
    def _different(self) -> "Table":
        for row in self.experiments:
            if self.experiments.count(row) > 1:
                raise ValueError(f"the experiment {row} stands twice")
        return self


@dataclass
class Run:
    """One training of a sweep.

    Attributes:
        source: the experiment's name or file.
        experiment: its name.
        seed: in place of the experiment's own.
        folder: where the training leaves its result.
        state: ``waiting``, ``running``, ``done`` (now), ``kept`` (done before) or ``failed``.
        loss: the mean of the last 100 iterations, when it is done.
        error: what went wrong, in one line.

    """

    source: str
    experiment: str
    seed: int
    folder: Path
    state: str = "waiting"
    loss: float | None = None
    error: str = ""


def tables() -> list[str]:
    """Tables that come with the package."""
    return sorted(p.stem for p in TABLES.glob("*.yaml"))


def find(name: str) -> tuple[Table, Path]:
    """A table by name, or from a path that ends in ``.yaml``; and the folder of its file.

    Raises:
        UnknownNameError: no such table.
        ConfigError: its file does not fit the schema.

    """
    if name.endswith((".yaml", ".yml")):
        return load(Table, Path(name)), Path(name).absolute().parent
    if name not in tables():
        raise unknown("table", name, tables())
    return load(Table, TABLES / f"{name}.yaml"), TABLES


def plan(name: str, seeds: int, output: Path) -> list[Run]:
    """The trainings of a table with seeds 0 to ``seeds − 1``; ``kept`` if there is a result.

    Raises:
        UnknownNameError: no such table, or no such experiment.
        ConfigError: a file does not fit its schema, or two experiments have the same name.
        RunExistsError: a result is there, but of another configuration.
        ValueError: an absurd number of seeds.

    """
    if not 1 <= seeds <= MOST_SEEDS:
        raise ValueError(f"{seeds} seeds; expected 1 to {MOST_SEEDS:,}")
    table, home = find(name)
    runs = []
    for row in table.experiments:
        source = str(home / row) if row.endswith((".yaml", ".yml")) else row
        experiment = experiments.find(source)
        if any(experiment.name == run.experiment for run in runs):
            raise ConfigError(f"{name}: two experiments are called {experiment.name}")
        for seed in range(seeds):
            folder = output / table.name / experiment.name / f"seed-{seed}"
            run = Run(source, experiment.name, seed, folder)
            if (folder / zoo.CARD).exists():
                card = zoo.read_card(folder)
                if card.experiment != experiments.with_seed(experiment, seed):
                    raise runner.RunExistsError(
                        f"{folder} holds a result of another configuration; "
                        "move it away, or name another folder with --output"
                    )
                run.state, run.loss = "kept", card.training["mean_loss_of_last_100"]
            runs.append(run)
    return runs


class Job:
    """One training in a process of its own; a cluster that stops it queues it again."""

    def __call__(self, source: str, seed: int, folder: str, device: str | None) -> str:
        """Trains, from the checkpoint if there is one. Plain arguments: they are pickled.

        Returns:
            What went wrong, in a line; nothing if the training is complete.

        """
        try:
            experiment = experiments.with_seed(experiments.find(source), seed)
            place = Path(folder)
            begun = bool(runner.checkpoints(place))
            used = default_device() if device is None else device
            # On a cluster, the keeper of the job decides what a signal means.
            with ending_like_ctrl_c(job=os.environ.get("SUBMITIT_EXECUTOR") == "local"):
                runner.train(experiment, place, used, begun, progress=False)
        except Exception as error:
            traceback.print_exc()  # into the job's log
            return str(error) or type(error).__name__
        return ""

    def checkpoint(self, *arguments: Any) -> "submitit.helpers.DelayedSubmission":
        """What a cluster that stops the job queues in its place: the same job."""
        submitit = need("submitit", "sweep", "A sweep")
        return submitit.helpers.DelayedSubmission(self, *arguments)


def sweep(
    runs: list[Run],
    logs: Path,
    cluster: Cluster = "local",
    parallel: int | None = None,
    hours: float = 24,
    partition: str | None = None,
    device: str | None = None,
    report: Callable[[Run], None] = lambda run: None,
) -> None:
    """Trains what is ``waiting`` among ``runs`` and notes in each how it ended.

    Args:
        runs: from :func:`plan`.
        logs: folder for the jobs' output.
        cluster: ``local`` for this machine, ``slurm`` for a cluster's queue.
        parallel: jobs at a time; if not given, 1 here and all on a cluster.
        hours: limit of a job; a cluster queues it again, to go on from its checkpoint.
        partition: of SLURM; the cluster's default if not given.
        device: for each job; the GPU if there is one where it runs.
        report: called with each run as it ends.

    Raises:
        KeyboardInterrupt: Ctrl-C; jobs on this machine were stopped, those in a queue were not.
        ModuleNotFoundError: submitit is not installed.
        ValueError: the device is not here, the limit of a job is no time, or the partition has
            no name.

    """
    submitit = need("submitit", "sweep", "A sweep")
    if not 0 < hours < math.inf:
        raise ValueError(f"{hours} hours for a job; expected a number above 0")
    used = default_device() if device is None else device
    check_device(used, here=cluster == "local")
    if partition == "":
        raise ValueError("the partition's name is empty; leave it out, or name one")
    executor = submitit.AutoExecutor(folder=logs, cluster=cluster)
    executor.update_parameters(name="ncabook", timeout_min=max(1, round(hours * 60)))
    if used.startswith("cuda"):
        executor.update_parameters(gpus_per_node=1)
    if partition is not None:
        executor.update_parameters(slurm_partition=partition)
    parallel = parallel or (1 if cluster == "local" else len(runs))
    waiting = iter([run for run in runs if run.state == "waiting"])
    jobs: list[tuple[Run, Any]] = []
    try:
        while True:
            jobs += _submit(executor, waiting, parallel - len(jobs), device)
            if not jobs:
                return
            time.sleep(POLL)
            for run, job in list(jobs):
                if job.done():
                    jobs.remove((run, job))
                    _note_end(run, job)
                    report(run)
    except BaseException:
        if cluster == "local":
            _stop(jobs)
        raise


def _stop(jobs: "list[tuple[Run, submitit.Job[str]]]") -> None:
    """Lets jobs on this machine save a checkpoint and end; a second Ctrl-C ends the waiting."""
    deadline = time.monotonic() + STOPS_WITHIN
    while time.monotonic() < deadline:
        running = [job for _, job in jobs if not job.done()]
        if not running:
            break
        for job in running:
            # Again and again, since one that comes too early in a job's start is lost. To its
            # keeper, which passes it on; Ctrl-C would make that one kill the job in a second.
            os.kill(int(job.job_id), signal.SIGTERM)
        time.sleep(POLL)
    for run, _ in jobs:
        _wait_for_end(run)


def _wait_for_end(run: Run) -> None:
    """Waits for a stopped training; its process may outlive the one that started it."""
    lock = run.folder / runner.LOCK
    if not lock.exists():
        return
    try:
        with FileLock(lock, timeout=STOPS_WITHIN):
            pass
    except Timeout:
        log.warning("the training in %s still runs", run.folder)


def _submit(
    executor: "submitit.Executor", waiting: Iterator[Run], count: int, device: str | None
) -> "list[tuple[Run, submitit.Job[str]]]":
    jobs = []
    for _, run in zip(range(count), waiting, strict=False):
        folder = str(run.folder.absolute())
        with _deaf_to_ctrl_c():
            jobs.append((run, executor.submit(Job(), run.source, run.seed, folder, device)))
        run.state = "running"
    return jobs


@contextmanager
def _deaf_to_ctrl_c() -> Iterator[None]:
    """What is started in here never hears Ctrl-C: the sweep does, and stops its jobs in order."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    previous = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, previous)


def _note_end(run: Run, job: "submitit.Job[str]") -> None:
    stopped = job.exception()
    run.error = "the job ended without a result" if stopped else job.result()
    if run.error:
        run.state = "failed"
        run.error += f" (log: {job.paths.stderr})"
    else:
        run.state = "done"
        run.loss = zoo.read_card(run.folder).training["mean_loss_of_last_100"]
