"""Growing patterns from seeds: Algorithm 1 as a loop that can be interrupted and resumed."""

import math
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any, NoReturn

import torch
import torch.nn.functional as F
from torch import Tensor
from tqdm.auto import tqdm

from ncabook.automaton import NCA, centre_seed
from ncabook.files import CorruptFileError
from ncabook.training.checkpoint import load_tensors, prefixed, save_tensors, under
from ncabook.training.config import TrainingConfig
from ncabook.training.losses import overflow, visible_mse
from ncabook.training.optimizer import Adam, MuonWithAdam, warmup_cosine
from ncabook.training.perturbation import mutate, random_damage
from ncabook.training.pool import SamplePool


class TrainingDivergedError(Exception):
    """The loss is NaN or infinite; says when, and where the last good weights are."""


class GrowthTrainer:
    """Trains an automaton to grow one image per class from a single cell.

    Args:
        nca: trained in place.
        targets: ``[classes, 4, H, W]``, premultiplied RGBA.
        config: the ``training`` part of an experiment.
        seed: everything random follows from it.
        checkpoint: file to save to and to resume from; None trains without.
        device: where to train.
        provenance: what to note in the checkpoint about the machine and the code.
        identity: what else a checkpoint has to agree on: the rest of the experiment, its data.

    """

    def __init__(
        self,
        nca: NCA,
        targets: Tensor,
        config: TrainingConfig,
        seed: int,
        checkpoint: Path | None = None,
        device: str = "cpu",
        provenance: dict[str, Any] | None = None,
        identity: dict[str, Any] | None = None,
    ) -> None:
        self.nca = nca.to(device)
        self.targets = targets.to(device)
        self.config = config
        self.seed = seed
        self.checkpoint = checkpoint
        self.device = device
        self.provenance = [provenance] if provenance else []
        self.identity = {
            "seed": seed,
            "device": torch.device(device).type,
            "training": config.model_dump(),
            **(identity or {}),
        }
        self.iteration = 0
        self.seconds = 0.0
        self.losses: list[float] = []
        self.optimizer = (
            MuonWithAdam(nca, config.optimizer.learning_rate, config.optimizer.adam_learning_rate)
            if config.optimizer.kind == "muon"
            else Adam(nca, config.optimizer.learning_rate)
        )
        height, width = targets.shape[-2:]
        self.pool = (
            SamplePool(config.pool.capacity, (nca.layout.channels, height, width), device)
            if config.pool
            else None
        )
        # Two sources of randomness: rollout lengths are needed on the host, the rest is not.
        self.host_generator = torch.Generator().manual_seed(seed)
        self.generator = torch.Generator(device).manual_seed(seed)

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
            disable=not progress,
        )
        with bar, _noting_interrupts() as interrupted:
            while self.iteration < self.config.iterations:
                started = time.perf_counter()
                loss = self.train_step()
                self.seconds += time.perf_counter() - started
                bar.update()
                bar.set_postfix(loss=f"{loss:.5f}", refresh=False)
                if interrupted.is_set():
                    self.save()
                    raise KeyboardInterrupt
                if self.iteration % self.config.checkpoint_every == 0:
                    self.save()
        self.save()
        return self.nca

    def train_step(self) -> float:
        """One iteration of Algorithm 1; returns the loss."""
        config = self.config
        state, classes = self.batch()
        condition = self.condition(classes)
        low, high = config.steps.min, config.steps.max
        steps = int(torch.randint(low, high + 1, (), generator=self.host_generator))
        autocast = (
            torch.autocast(torch.device(self.device).type, torch.bfloat16)
            if config.precision == "bfloat16"
            else nullcontext()
        )
        with autocast:
            state = self.nca.rollout(state, steps, condition, generator=self.generator)
        loss = visible_mse(state, self.targets[classes], self.nca.layout)
        total = loss + config.overflow * overflow(state, self.nca.layout)
        if not math.isfinite(total.item()) or not bool(state.isfinite().all()):
            self._stop(f"loss {total.item()}")
        self.nca.zero_grad(set_to_none=True)
        total.backward()
        norm = torch.nn.utils.clip_grad_norm_(self.nca.parameters(), config.clip)
        if not math.isfinite(norm):
            self._stop(f"gradient norm {norm.item()}")
        self.optimizer.step(warmup_cosine(self.iteration, config.iterations, config.warmup))
        if self.pool is not None and self.iteration >= config.pool.delay:
            self.pool.store(state, classes)
        self.iteration += 1
        self.losses.append(loss.item())
        return self.losses[-1]

    def batch(self) -> tuple[Tensor, Tensor]:
        """Starting states ``[B, C, H, W]`` and classes ``[B]``: seeds, then samples of the pool."""
        size, count = self.config.batch, len(self.targets)
        height, width = self.targets.shape[-2:]
        state = centre_seed(self.nca.layout, height, width, size, self.device)
        classes = torch.randint(count, (size,), generator=self.generator, device=self.device)
        if self.pool is None or len(self.pool) < size:
            return state, classes
        pool = self.config.pool
        drawn = int(size * pool.ratio)
        mutated, damaged = int(drawn * pool.mutation), int(drawn * pool.damage)
        old, labels = self.pool.draw(drawn, self.generator)
        if mutated:
            labels[:mutated] = mutate(labels[:mutated], count, self.generator)
        if damaged:
            mask = random_damage(damaged, height, width, self.generator, self.device)
            old[mutated : mutated + damaged] *= mask
        state[size - drawn :], classes[size - drawn :] = old, labels
        return state, classes

    def condition(self, classes: Tensor) -> Tensor | None:
        """One-hot classes ``[B, classes]``, or None for an automaton of one class."""
        count = len(self.targets)
        return F.one_hot(classes, count).float() if count > 1 else None

    def save(self) -> None:
        """Writes everything that a later run needs to go on exactly here."""
        if self.checkpoint is None:
            return
        if not all(bool(p.isfinite().all()) for p in self.nca.parameters()):
            self._stop("weights that are not finite")
        tensors = {
            **prefixed("model", self.nca.state_dict()),
            **prefixed("optimizer", self.optimizer.state_dict()),
            **(prefixed("pool", self.pool.state_dict()) if self.pool is not None else {}),
            "random/host": self.host_generator.get_state(),
            "random/device": self.generator.get_state(),
            "losses": torch.tensor(self.losses, dtype=torch.float64),
        }
        meta = {
            "iteration": self.iteration,
            "seconds": self.seconds,
            "provenance": self.provenance,
            "identity": self.identity,
        }
        save_tensors(self.checkpoint, tensors, meta)

    def resume(self) -> None:
        """Takes over the checkpoint.

        Raises:
            FileNotFoundError: there is none.
            CorruptFileError: it is damaged.
            ValueError: it belongs to another experiment, seed or kind of device.

        """
        tensors, meta = load_tensors(self.checkpoint)
        if meta is None or "identity" not in meta:
            raise CorruptFileError(f"{self.checkpoint} is no training checkpoint")
        differences = _differences(meta["identity"], self.identity)
        if differences:
            raise ValueError(
                f"{self.checkpoint} belongs to another run ({'; '.join(differences)}); "
                "give this run another output folder, or delete the checkpoint"
            )
        self.nca.load_state_dict(under("model", tensors))
        self.optimizer.load_state_dict(under("optimizer", tensors))
        if self.pool is not None:
            self.pool.load_state_dict(under("pool", tensors))
        self.host_generator.set_state(tensors["random/host"])
        self.generator.set_state(tensors["random/device"])
        self.losses = tensors["losses"].tolist()
        self.iteration, self.seconds = meta["iteration"], meta["seconds"]
        going_on = self.iteration < self.config.iterations
        self.provenance = meta["provenance"] + (self.provenance if going_on else [])

    def _stop(self, what: str) -> NoReturn:
        if self.checkpoint is not None and self.checkpoint.exists():
            last = f"the last good checkpoint is {self.checkpoint}"
        else:
            last = "there is no checkpoint yet"
        raise TrainingDivergedError(
            f"training diverged at iteration {self.iteration}: {what}; {last}; "
            "a smaller learning rate usually helps"
        )


def _differences(saved: Any, now: Any, path: str = "") -> list[str]:
    """Where two nested records differ, in words."""
    if isinstance(saved, dict) and isinstance(now, dict):
        keys = sorted(saved.keys() | now.keys())
        nested = (_differences(saved.get(k), now.get(k), f"{path}.{k}".strip(".")) for k in keys)
        return [line for lines in nested for line in lines]
    return [] if saved == now else [f"{path}: {saved!r} there, {now!r} here"]


@contextmanager
def _noting_interrupts() -> Iterator[threading.Event]:
    """Turns Ctrl-C into a flag, so that no iteration is left half done; a second one is Ctrl-C."""
    interrupted = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield interrupted  # only the main thread may, or needs to, handle signals
        return
    previous = signal.getsignal(signal.SIGINT)

    def note(*_: object) -> None:
        interrupted.set()
        signal.signal(signal.SIGINT, previous)

    signal.signal(signal.SIGINT, note)
    try:
        yield interrupted
    finally:
        signal.signal(signal.SIGINT, previous)
