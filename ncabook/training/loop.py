"""The one loop that all trainings share: it repeats a learner's step, saves, resumes and stops."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import nn
from tqdm.auto import tqdm

from ncabook.automaton.precision import products
from ncabook.files import remove_leftovers
from ncabook.training import tracking
from ncabook.training.checkpoint import (
    differences,
    fall_back,
    load_newest,
    previous,
    save_record,
)
from ncabook.training.learner import Learner, TrainingDivergedError
from ncabook.training.optimizer import warmup_cosine
from ncabook.training.processes import any_process, noting_interrupts


class Loop:
    """Trains until the configured number of iterations, however often it is interrupted.

    Of several processes (``accelerate launch``) each has a loop of its own, in step with the
    others; only the main one writes.

    Args:
        learner: makes the steps.
        checkpoint: file to save to and to resume from; None trains without.
        provenance: what to note in the checkpoint about the machine and the code.
        identity: what a checkpoint has to agree on beside what the learner names: the rest of the
            experiment, its data.
        tracker: where the curves go; None draws none.

    Attributes:
        losses: one for each iteration.
        seconds: that the iterations took.
        provenance: of each start of this training.

    """

    def __init__(
        self,
        learner: Learner,
        checkpoint: Path | None = None,
        provenance: dict[str, Any] | None = None,
        identity: dict[str, Any] | None = None,
        tracker: tracking.Tracking | None = None,
    ) -> None:
        self.learner = learner
        self.accelerator = learner.accelerator
        self.config = learner.config
        self.checkpoint = checkpoint
        self.tracker = tracker
        used = {"precision": products(self.accelerator.device, self.config.precision)}
        self.provenance = [provenance | used] if provenance else []
        self.identity = learner.identity() | (identity or {})
        self.seconds = 0.0
        self.losses: list[float] = []
        self._metrics: dict[str, float] = {}

    @property
    def iteration(self) -> int:
        """How many are made."""
        return self.learner.iteration

    def run(
        self, progress: bool = True, watch: "Callable[[Loop], None] | None" = None
    ) -> nn.Module:
        """Trains to the end; returns the network.

        Args:
            progress: whether a bar shows it.
            watch: is called after every iteration, in the main process; must change nothing.

        Raises:
            TrainingDivergedError: the loss is not finite.
            KeyboardInterrupt: Ctrl-C, after a checkpoint was saved.

        """
        total = self.config.iterations
        bar = tqdm(
            total=total,
            initial=self.iteration,
            desc="training",
            unit="it",
            disable=not (progress and self.accelerator.is_main_process),
        )
        self.learner.check()
        if self.tracker:
            self.tracker.start(self.accelerator, self.iteration)
        logged = self.iteration, self.seconds
        try:
            with bar, noting_interrupts() as interrupted:
                while self.iteration < total:
                    loss = self.step()
                    bar.update()
                    bar.set_postfix(loss=f"{loss:.5f}", refresh=False)
                    if watch is not None and self.accelerator.is_main_process:
                        watch(self)
                    last = self.iteration == total
                    if last or self.iteration % tracking.LOG_EVERY == 0:
                        self._log(*logged)
                        logged = self.iteration, self.seconds
                    if any_process(self.accelerator, interrupted.is_set()):
                        self.save()
                        raise KeyboardInterrupt
                    if last or self.iteration % self.config.checkpoint_every == 0:
                        self.save()
        finally:
            tracking.finish(self.accelerator)
        return self.learner.network

    def step(self) -> float:
        """One iteration; returns the loss."""
        started = time.perf_counter()
        try:
            self._metrics = self.learner.step(self.rate(self.iteration))
        except TrainingDivergedError as error:
            raise self._diverged(str(error)) from None
        self.seconds += time.perf_counter() - started
        self.losses.append(self._metrics["loss"])
        return self.losses[-1]

    def rate(self, iteration: int) -> float:
        """What the learning rate is multiplied by at ``iteration``, counted from 0."""
        return warmup_cosine(iteration, self.config.iterations, self.config.warmup)

    def save(self) -> None:
        """Writes everything that a later run needs to go on exactly here.

        The checkpoint before is kept, too. Only the main process writes.
        """
        if self.checkpoint is None:
            return
        if not all(bool(p.isfinite().all()) for p in self.learner.network.parameters()):
            raise self._diverged("weights that are not finite")
        if not self.accelerator.is_main_process:
            return
        record = {
            "iteration": self.iteration,
            "seconds": self.seconds,
            "losses": torch.tensor(self.losses, dtype=torch.float64),
            "provenance": self.provenance,
            "identity": self.identity,
            "parts": {name: part.state_dict() for name, part in self.learner.parts().items()},
        }
        save_record(self.checkpoint, record, keep=previous(self.checkpoint))

    def resume(self) -> None:
        """Takes over the newest checkpoint, or the one before it if the newest is damaged.

        A damaged or foreign newest one is renamed, and a line on stderr says so.

        Raises:
            FileNotFoundError: there is none.
            CorruptFileError: none is good.
            ValueError: it belongs to another experiment, seed or kind of device; or this loop
                keeps no checkpoint.

        """
        if self.checkpoint is None:
            raise ValueError("this training keeps no checkpoint; give the loop a file to resume")
        saved, wrong = load_newest(self.checkpoint)
        differing = differences(saved["identity"], self.identity)
        if differing:
            raise ValueError(
                f"{self.checkpoint} belongs to another run ({'; '.join(differing)}); "
                "give this run another output folder, or delete the checkpoint"
            )
        for name, part in self.learner.parts().items():
            part.load_state_dict(saved["parts"][name])
        self.learner.iteration = saved["iteration"]
        self.losses, self.seconds = saved["losses"].tolist(), saved["seconds"]
        going_on = self.iteration < self.config.iterations
        self.provenance = saved["provenance"] + (self.provenance if going_on else [])
        self.accelerator.wait_for_everyone()  # all have read; now files may be renamed
        if self.accelerator.is_main_process:
            remove_leftovers(self.checkpoint)
            if wrong is not None:
                fall_back(self.checkpoint, wrong, self.iteration)

    def _log(self, iteration: int, seconds: float) -> None:
        """Values for the tracker; ``iteration`` and ``seconds`` are those of the last time."""
        values = {
            **self._metrics,
            "learning_rate": self.learner.learning_rate * self.rate(self.iteration - 1),
            "seconds_per_iteration": (self.seconds - seconds) / (self.iteration - iteration),
        }
        self.accelerator.log(values, step=self.iteration)

    def _diverged(self, what: str) -> TrainingDivergedError:
        candidates = (self.checkpoint, previous(self.checkpoint)) if self.checkpoint else ()
        good = next((path for path in candidates if path.exists()), None)
        last = f"the last good checkpoint is {good}" if good else "there is no checkpoint yet"
        return TrainingDivergedError(
            f"training diverged at iteration {self.iteration}: {what}; {last}; "
            "a smaller learning rate usually helps"
        )
