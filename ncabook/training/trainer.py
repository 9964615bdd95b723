"""Algorithm 1 as a loop that can be interrupted and resumed, whatever is to be learned."""

import math
import time
from abc import ABC, abstractmethod
from contextlib import nullcontext
from pathlib import Path
from typing import Any, NoReturn

import torch
from torch import Tensor
from tqdm.auto import tqdm

from ncabook.automaton import NCA, centre_seed
from ncabook.automaton.denormals import flushed_denormals
from ncabook.automaton.fire import random_fire
from ncabook.automaton.nca import alive
from ncabook.automaton.precision import autocast, products
from ncabook.files import remove_leftovers
from ncabook.training import tracking
from ncabook.training.checkpoint import (
    differences,
    fall_back,
    load_newest,
    previous,
    save_record,
)
from ncabook.training.config import TrainingConfig
from ncabook.training.losses import overflow
from ncabook.training.optimizer import build_optimizer, warmup_cosine
from ncabook.training.perturbation import random_damage
from ncabook.training.pool import SamplePool
from ncabook.training.processes import (
    Rollout,
    accelerator,
    any_process,
    noting_interrupts,
    share,
)

# A rollout near the edge of stability may have a gradient that overflows; many in a row are no
# accident.
MOST_SKIPPED = 10
# Trained states stay within ±2 or so. One that has left this far is no start for a rollout: in the
# pool, it would come back, and again, and drown what the others could teach.
MOST_KEPT = 10.0


class TrainingDivergedError(Exception):
    """The loss is NaN or infinite; says when, and where the last good weights are."""


class Trainer(ABC):
    """Algorithm 1 for any task; those that derive from it say what a batch is, and what the loss.

    Several processes (``accelerate launch``) share each batch and average their gradients. All
    of them draw the randomness of the whole batch and keep the same pool, so that the result is
    that of one process, up to rounding.

    Args:
        nca: trained in place.
        grid: height and width, in cells.
        config: the ``training`` part of an experiment.
        seed: everything random follows from it.
        checkpoint: file to save to and to resume from; None trains without.
        device: where to train: ``cpu``, ``cuda`` or ``cuda:1``.
        provenance: what to note in the checkpoint about the machine and the code.
        identity: what else a checkpoint has to agree on: the rest of the experiment, its data.
        tracker: where the curves go; None draws none.

    Raises:
        ValueError: the batch cannot be shared equally.

    """

    def __init__(
        self,
        nca: NCA,
        grid: tuple[int, int],
        config: TrainingConfig,
        seed: int,
        checkpoint: Path | None = None,
        device: str = "cpu",
        provenance: dict[str, Any] | None = None,
        identity: dict[str, Any] | None = None,
        tracker: tracking.Tracking | None = None,
    ) -> None:
        self.accelerator = accelerator(device, config.precision, tracker)
        self.parts = share(self.accelerator, config.batch, config.accumulation)
        self.model = self.accelerator.prepare_model(Rollout(nca, config.memory_bytes))
        self.nca = nca
        self.device = str(self.accelerator.device)
        self.grid = grid
        self.config = config
        self.seed = seed
        self.checkpoint = checkpoint
        self.tracker = tracker
        used = {"precision": products(self.accelerator.device, config.precision)}
        self.provenance = [provenance | used] if provenance else []
        self.identity = {
            "seed": seed,
            "device": self.accelerator.device.type,
            # How a batch is split, and what is computed twice, changes nothing but rounding.
            "training": config.model_dump(exclude={"accumulation", "memory"}),
            **(identity or {}),
        }
        self.iteration = 0
        self.seconds = 0.0
        self.losses: list[float] = []
        self.gradient_norm = math.nan
        self.skipped = 0  # iterations without an update, since their gradient overflowed
        self._skipped_in_a_row = 0
        self.optimizer = build_optimizer(nca, config.optimizer)
        self.pool = (
            SamplePool(config.pool.capacity, (nca.layout.channels, *grid), self.device)
            if config.pool
            else None
        )
        # Two sources of randomness: rollout lengths are needed on the host, the rest is not.
        self.host_generator = torch.Generator().manual_seed(seed)
        self.generator = torch.Generator(self.device).manual_seed(seed)

    @abstractmethod
    def fresh(self, count: int) -> tuple[Tensor, Tensor]:
        """New starting states ``[n, C, H, W]`` and their classes ``[n]``."""

    @abstractmethod
    def mutate(self, old: Tensor, classes: Tensor, state: Tensor, others: Tensor) -> Tensor:
        """Turns samples of the pool into ones of other classes; returns these.

        Args:
            old: their states ``[n, C, H, W]``, changed in place where a class shows in them.
            classes: what they are now, ``[n]``.
            state: as many fresh states, which they displace.
            others: and the classes of those.

        """

    @abstractmethod
    def condition(self, classes: Tensor) -> Tensor | None:
        """What the automaton is told of its classes ``[B]``."""

    @abstractmethod
    def loss(self, end: Tensor, classes: Tensor) -> Tensor:
        """How far states ``[B, C, H, W]`` at the end of a rollout are from where they should be."""

    def regulariser(self) -> Tensor | None:
        """A part of the loss that does not hang on the batch; None for none."""
        return None

    def run(self, progress: bool = True) -> NCA:
        """Trains until the configured number of iterations; returns the automaton.

        Raises:
            TrainingDivergedError: the loss is not finite.
            KeyboardInterrupt: Ctrl-C, after a checkpoint was saved.

        """
        bar = tqdm(
            total=self.config.iterations,
            initial=self.iteration,
            desc="training",
            unit="it",
            disable=not (progress and self.accelerator.is_main_process),
        )
        self._check_memory()
        if self.tracker:
            self.tracker.start(self.accelerator, self.iteration)
        logged = self.iteration, self.seconds
        try:
            with bar, noting_interrupts() as interrupted:
                while self.iteration < self.config.iterations:
                    started = time.perf_counter()
                    loss = self.train_step()
                    self.seconds += time.perf_counter() - started
                    bar.update()
                    bar.set_postfix(loss=f"{loss:.5f}", refresh=False)
                    last = self.iteration == self.config.iterations
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
        return self.nca

    def _check_memory(self) -> None:
        """Refuses a budget that the longest rollout would not fit, before anything is trained."""
        memory, part = self.config.memory_bytes, self.parts[0]
        if memory is None:
            return
        classes = torch.zeros(self.config.batch, dtype=torch.int64, device=self.device)[part]
        state = centre_seed(self.nca.layout, *self.grid, len(classes), self.device)
        with autocast(self.accelerator.device, self.config.precision):
            self.nca.segment_length(state, self.condition(classes), self.config.steps.max, memory)

    @flushed_denormals()
    def train_step(self) -> float:
        """One iteration of Algorithm 1; returns the loss.

        Where the gradient overflows though the loss does not, weights and pool stay as they are.
        """
        config = self.config
        state, classes = self.batch()
        low, high = config.steps.min, config.steps.max
        steps = int(torch.randint(low, high + 1, (), generator=self.host_generator))
        fire = [random_fire(state, self.nca.fire_rate, self.generator) for _ in range(steps)]
        self.nca.zero_grad(set_to_none=True)
        regulariser = self.regulariser()
        if regulariser is not None:  # the same in every process, and so is its mean
            regulariser.backward()
        ends, measured = [], []
        for part in self.parts:
            labels = classes[part]
            last = part is self.parts[-1]  # the processes average their gradients then
            with nullcontext() if last else self.accelerator.no_sync(self.model):
                masks = [mask[part] for mask in fire]
                end = self.model(state[part], steps, self.condition(labels), masks)
                loss = self.loss(end, labels)
                total = loss + config.overflow * overflow(end, self.nca.layout)
                (total / len(self.parts)).backward()
            ends.append(end.detach())
            measured.append(torch.stack([loss, total, end.isfinite().all()]).detach())
        norm = torch.nn.utils.clip_grad_norm_(self.nca.parameters(), config.clip)
        # One look at the device per iteration, with the same numbers in every process.
        mean = torch.cat([torch.stack(measured).mean(0), norm.detach()[None]])
        loss, total, finite, self.gradient_norm = self.accelerator.reduce(mean, "mean").tolist()
        if not math.isfinite(total) or finite < 1:
            self._stop(f"loss {total}")
        if math.isfinite(self.gradient_norm):
            self._skipped_in_a_row = 0
            self.optimizer.step(self.rate(self.iteration))
            if self.pool is not None and self.iteration >= config.pool.delay:
                starts = torch.cat([state[part] for part in self.parts])
                kept = worth_keeping(self.nca, torch.cat(ends), starts)
                self.pool.store(self.accelerator.gather(kept), classes)
        else:
            self.skipped += 1
            self._skipped_in_a_row += 1
            if self._skipped_in_a_row > MOST_SKIPPED:
                norm = self.gradient_norm
                self._stop(f"gradient norm {norm}, {self._skipped_in_a_row} times in a row")
        self.iteration += 1
        self.losses.append(loss)
        return loss

    def batch(self) -> tuple[Tensor, Tensor]:
        """Starting states ``[B, C, H, W]`` and classes ``[B]``: fresh ones, then the pool's."""
        size = self.config.batch
        state, classes = self.fresh(size)
        if self.pool is None or len(self.pool) < size:
            return state, classes
        pool = self.config.pool
        drawn = int(size * pool.ratio)
        mutated, damaged = int(drawn * pool.mutation), int(drawn * pool.damage)
        old, known = self.pool.draw(drawn, self.generator)
        if pool.lead:
            old = self._lived_on(old, known, pool.lead)
        if mutated:
            displaced = slice(size - drawn, size - drawn + mutated)
            known[:mutated] = self.mutate(
                old[:mutated], known[:mutated], state[displaced], classes[displaced]
            )
        if damaged:
            mask = random_damage(damaged, *self.grid, self.generator, self.device)
            whole = old[mutated : mutated + damaged]
            hurt = whole.clone()
            hurt[:, self.nca.layout.fixed :] *= mask
            old[mutated : mutated + damaged] = torch.where(
                alive(self.nca, hurt)[:, None, None, None], hurt, whole
            )
        state[size - drawn :], classes[size - drawn :] = old, known
        return state, classes

    def _lived_on(self, old: Tensor, classes: Tensor, most: int) -> Tensor:
        """States some steps later, up to ``most``; those that die or explode as they were."""
        steps = int(torch.randint(0, most + 1, (), generator=self.host_generator))
        with torch.no_grad(), autocast(self.accelerator.device, self.config.precision):
            later = self.nca.rollout(old, steps, self.condition(classes), generator=self.generator)
        return worth_keeping(self.nca, later, old)

    def rate(self, iteration: int) -> float:
        """What the learning rate is multiplied by at ``iteration``, counted from 0."""
        return warmup_cosine(iteration, self.config.iterations, self.config.warmup)

    def save(self) -> None:
        """Writes everything that a later run needs to go on exactly here.

        The checkpoint before is kept, too. Only the main process writes.
        """
        if self.checkpoint is None:
            return
        if not all(bool(p.isfinite().all()) for p in self.nca.parameters()):
            self._stop("weights that are not finite")
        if not self.accelerator.is_main_process:
            return
        record = {
            "iteration": self.iteration,
            "seconds": self.seconds,
            "losses": torch.tensor(self.losses, dtype=torch.float64),
            "skipped": (self.skipped, self._skipped_in_a_row),
            "provenance": self.provenance,
            "identity": self.identity,
            "model": self.nca.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "pool": self.pool.state_dict() if self.pool is not None else None,
            "random": {
                "host": self.host_generator.get_state(),
                "device": self.generator.get_state(),
            },
        }
        save_record(self.checkpoint, record, keep=previous(self.checkpoint))

    def resume(self) -> None:
        """Takes over the newest checkpoint, or the one before it if the newest is damaged.

        A damaged or foreign newest one is renamed, and a line on stderr says so.

        Raises:
            FileNotFoundError: there is none.
            CorruptFileError: none is good.
            ValueError: it belongs to another experiment, seed or kind of device.

        """
        saved, wrong = load_newest(self.checkpoint)
        differing = differences(saved["identity"], self.identity)
        if differing:
            raise ValueError(
                f"{self.checkpoint} belongs to another run ({'; '.join(differing)}); "
                "give this run another output folder, or delete the checkpoint"
            )
        self.nca.load_state_dict(saved["model"])
        self.optimizer.load_state_dict(saved["optimizer"])
        if self.pool is not None:
            self.pool.load_state_dict(saved["pool"])
        self.host_generator.set_state(saved["random"]["host"])
        self.generator.set_state(saved["random"]["device"])
        self.losses = saved["losses"].tolist()
        self.iteration, self.seconds = saved["iteration"], saved["seconds"]
        self.skipped, self._skipped_in_a_row = saved["skipped"]
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
            "loss": self.losses[-1],
            "learning_rate": self.config.optimizer.learning_rate * self.rate(self.iteration - 1),
            "gradient_norm": self.gradient_norm,
            "seconds_per_iteration": (self.seconds - seconds) / (self.iteration - iteration),
        }
        self.accelerator.log(values, step=self.iteration)

    def _stop(self, what: str) -> NoReturn:
        candidates = (self.checkpoint, previous(self.checkpoint)) if self.checkpoint else ()
        good = next((path for path in candidates if path.exists()), None)
        last = f"the last good checkpoint is {good}" if good else "there is no checkpoint yet"
        raise TrainingDivergedError(
            f"training diverged at iteration {self.iteration}: {what}; {last}; "
            "a smaller learning rate usually helps"
        )


def worth_keeping(nca: NCA, ends: Tensor, starts: Tensor) -> Tensor:
    """States for the pool, ``[B, C, H, W]``: ends of rollouts; starts where these died or exploded.

    Neither would come back to life: a dead state has no gradient, and stays in the pool for good.
    """
    kept = (ends.abs().amax((1, 2, 3)) <= MOST_KEPT) & alive(nca, ends)
    return torch.where(kept[:, None, None, None], ends, starts)
