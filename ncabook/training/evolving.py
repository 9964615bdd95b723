"""Algorithm 1 as a learner: an automaton is rolled out, judged, and its states come back."""

import math
from abc import abstractmethod
from contextlib import nullcontext
from typing import Any

import torch
from torch import Tensor, nn

from ncabook.automaton import NCA, centre_seed
from ncabook.automaton.denormals import flushed_denormals
from ncabook.automaton.fire import random_fire
from ncabook.automaton.nca import alive
from ncabook.automaton.precision import autocast
from ncabook.training.config import TrainingConfig
from ncabook.training.learner import Learner, Randomness, Skipped, Stateful, TrainingDivergedError
from ncabook.training.losses import overflow
from ncabook.training.optimizer import build_optimizer
from ncabook.training.perturbation import random_damage
from ncabook.training.pool import Sample, SamplePool
from ncabook.training.processes import Rollout, gathered, reduced, share
from ncabook.training.tracking import Tracking

# A rollout near the edge of stability may have a gradient that overflows; many in a row are no
# accident.
MOST_SKIPPED = 10
# Trained states stay within ±2 or so. One that has left this far is no start for a rollout: in the
# pool, it would come back, and again, and drown what the others could teach.
MOST_KEPT = 10.0
SPREAD = 0x9E3779B97F4A7C15  # an odd number: seeds of one run's iterations are far apart


class EvolvingLearner(Learner):
    """Algorithm 1 for any task; those that derive from it say what a sample is, and what the loss.

    A sample is a dictionary of tensors with a batch in front: ``state`` ``[B, C, H, W]`` and what
    else belongs to it, such as its ``class`` ``[B]``. The pool keeps all of it.

    Several processes (``accelerate launch``) share each batch and average their gradients. All
    of them draw the randomness of the whole batch and keep the same pool, so that the result is
    that of one process, up to rounding.

    Args:
        nca: trained in place.
        grid: height and width, in cells.
        config: the ``training`` part of an experiment.
        seed: everything random follows from it.
        device: where to train: ``cpu``, ``cuda`` or ``cuda:1``.
        tracker: where the curves go; None draws none.
        whole: what learns and is saved, with the automaton in it; the automaton if not given.

    Attributes:
        film_every: steps between two states that the loss is to see, from the start on; None shows
            it the last one only.
        most_kept: the largest number of a state that the pool takes.

    Raises:
        ValueError: the batch cannot be shared equally.

    """

    config: TrainingConfig
    film_every: int | None = None
    most_kept: float = MOST_KEPT

    def __init__(
        self,
        nca: NCA,
        grid: tuple[int, int],
        config: TrainingConfig,
        seed: int,
        device: str = "cpu",
        tracker: Tracking | None = None,
        whole: nn.Module | None = None,
    ) -> None:
        super().__init__(nca if whole is None else whole, config, seed, device, tracker)
        self.shares = share(self.accelerator, config.batch, config.accumulation)
        rollout = Rollout(nca, config.memory_bytes, self.film_every)
        self.model = self.accelerator.prepare_model(rollout)
        self.nca = nca
        self.network.to(self.device)
        mine = set(nca.parameters())
        self.beside_rollouts = [p for p in self.network.parameters() if p not in mine]
        self.grid = grid
        self.optimizer = build_optimizer(self.network, config.optimizer)
        self.pool = SamplePool(config.pool.capacity, self.device) if config.pool else None
        # Two sources of randomness: rollout lengths are needed on the host, the rest is not.
        self.host_generator = torch.Generator().manual_seed(seed)
        self.generator = torch.Generator(self.device).manual_seed(seed)
        self.skipped = Skipped()

    @abstractmethod
    def fresh(self, count: int) -> Sample:
        """New samples, as a rollout of a reader begins."""

    @abstractmethod
    def mutate(self, old: Sample, fresh: Sample) -> Sample:
        """Samples of the pool turned into ones of other classes.

        Args:
            old: from the pool.
            fresh: as many new ones, which they displace.

        """

    @abstractmethod
    def condition(self, sample: Sample) -> Tensor | None:
        """What the automaton is told of a sample."""

    @abstractmethod
    def loss(self, film: Tensor, sample: Sample) -> Tensor:
        """How far rollouts are from where they should be, a number.

        Args:
            film: states ``[T, B, C, H, W]``, the last one the end.
            sample: what the rollouts began with.

        """

    def regulariser(self) -> Tensor | None:
        """A part of the loss that does not hang on the batch; None for none."""
        return None

    def dice(self) -> torch.Generator:
        """Of this iteration's loss: the same for all parts of a batch, and in every process.

        So how a batch is split changes nothing but rounding.
        """
        number = (self.seed + self.iteration * SPREAD) % 2**63
        return torch.Generator(self.device).manual_seed(number)

    def outside(self, ends: Tensor) -> Tensor:
        """How far the last states ``[B, C, H, W]`` leave their range, a number (eq. 6)."""
        return overflow(ends, self.nca.layout)

    def damaged(self, whole: Tensor) -> Tensor:
        """States of the pool ``[B, C, H, W]``, each with a part erased at random."""
        mask = random_damage(len(whole), *self.grid, self.generator, self.device)
        hurt = whole.clone()
        hurt[:, self.nca.layout.fixed :] *= mask
        return hurt

    def hurt(self, old: Sample) -> Sample:
        """Samples of the pool, damaged; those that would die of it are left as they are."""
        whole = old["state"]
        hurt = self.damaged(whole)
        kept = alive(self.nca, hurt)[:, None, None, None]
        return {**old, "state": torch.where(kept, hurt, whole)}

    def follow(self, ends: Tensor, sample: Sample, rate: float) -> dict[str, float]:
        """What else an iteration does, when the automaton has learned.

        Args:
            ends: this process's last states, ``[B, C, H, W]``.
            sample: what all rollouts began with.
            rate: learning rates are multiplied by it.

        Returns:
            What else is worth a curve.

        """
        return {}

    @property
    def learning_rate(self) -> float:
        """Of the optimiser, before the schedule."""
        return self.config.optimizer.learning_rate

    def parts(self) -> dict[str, Stateful]:
        """Weights, optimiser, pool, random numbers, and what was skipped."""
        pool = {"pool": self.pool} if self.pool is not None else {}
        return {
            "model": self.network,
            "optimizer": self.optimizer,
            **pool,
            "random": Randomness(host=self.host_generator, device=self.generator),
            "skipped": self.skipped,
        }

    def record(self) -> dict[str, Any]:
        """How many iterations changed nothing."""
        return {"skipped": self.skipped.all}

    def check(self) -> None:
        """Refuses a budget that the longest rollout would not fit."""
        memory, part = self.config.memory_bytes, self.shares[0]
        if memory is None:
            return
        classes = torch.zeros(self.config.batch, dtype=torch.int64, device=self.device)[part]
        state = centre_seed(self.nca.layout, *self.grid, len(classes), self.device)
        with autocast(self.accelerator.device, self.config.precision):
            condition = self.condition({"state": state, "class": classes})
            self.nca.segment_length(state, condition, self.config.steps.max, memory)

    @flushed_denormals()
    def step(self, rate: float) -> dict[str, float]:
        """One iteration of Algorithm 1.

        Where the gradient overflows though the loss does not, weights and pool stay as they are.
        """
        config = self.config
        sample = self.batch()
        low, high = config.steps.min, config.steps.max
        steps = int(torch.randint(low, high + 1, (), generator=self.host_generator))
        state, chance = sample["state"], self.nca.fire_rate
        fire = [random_fire(state, chance, self.generator) for _ in range(steps)]
        self.network.zero_grad(set_to_none=True)
        regulariser = self.regulariser()
        if regulariser is not None:  # the same in every process, and so is its mean
            regulariser.backward()
        ends, measured = [], []
        for part in self.shares:
            mine = {name: values[part] for name, values in sample.items()}
            last = part is self.shares[-1]  # the processes average their gradients then
            with nullcontext() if last else self.accelerator.no_sync(self.model):
                masks = [mask[part] for mask in fire]
                film = self.model(state[part], steps, self.condition(mine), masks)
                loss = self.loss(film, mine)
                total = loss + config.overflow * self.outside(film[-1])
                (total / len(self.shares)).backward()
            ends.append(film[-1].detach())
            measured.append(torch.stack([loss, total, ends[-1].isfinite().all()]).detach())
        if self.accelerator.num_processes > 1:  # the rollout's own are averaged already
            for parameter in self.beside_rollouts:
                if parameter.grad is not None:
                    parameter.grad = reduced(self.accelerator, parameter.grad, "mean")
        norm = torch.nn.utils.clip_grad_norm_(self.network.parameters(), config.clip)
        # One look at the device per iteration, with the same numbers in every process.
        mean = torch.cat([torch.stack(measured).mean(0), norm.detach()[None]])
        loss, total, finite, norm = reduced(self.accelerator, mean, "mean").tolist()
        if not math.isfinite(total) or finite < 1:
            raise TrainingDivergedError(f"loss {total}")
        self.skipped.note(overflowed=not math.isfinite(norm))
        if self.skipped.in_a_row > MOST_SKIPPED:
            raise TrainingDivergedError(
                f"gradient norm {norm}, {self.skipped.in_a_row} times in a row"
            )
        if not self.skipped.in_a_row:
            self.optimizer.step(rate)
            if self.pool is not None and config.pool and self.iteration >= config.pool.delay:
                starts = torch.cat([state[part] for part in self.shares])
                kept = worth_keeping(self.nca, torch.cat(ends), starts, self.most_kept)
                self.pool.store({**sample, "state": gathered(self.accelerator, kept)})
        further = self.follow(torch.cat(ends), sample, rate)
        self.iteration += 1
        return {"loss": loss, "gradient_norm": norm, **further}

    def batch(self) -> Sample:
        """What an iteration starts from: fresh samples, then the pool's."""
        size, pool = self.config.batch, self.config.pool
        sample = self.fresh(size)
        if self.pool is None or pool is None or len(self.pool) < size:
            return sample
        drawn = int(size * pool.ratio)
        mutated, damaged = int(drawn * pool.mutation), int(drawn * pool.damage)
        old = self.pool.draw(drawn, self.generator)
        if pool.lead:
            old["state"] = self._lived_on(old, pool.lead)
        if mutated:
            displaced = slice(size - drawn, size - drawn + mutated)
            new = self.mutate(
                {name: values[:mutated] for name, values in old.items()},
                {name: values[displaced] for name, values in sample.items()},
            )
            for name, values in new.items():
                old[name][:mutated] = values
        if damaged:
            part = slice(mutated, mutated + damaged)
            hurt = self.hurt({name: values[part] for name, values in old.items()})
            for name, values in hurt.items():
                old[name][part] = values
        for name, values in old.items():
            sample[name][size - drawn :] = values
        return sample

    def _lived_on(self, old: Sample, most: int) -> Tensor:
        """States some steps later, up to ``most``; those that die or explode as they were."""
        state = old["state"]
        steps = int(torch.randint(0, most + 1, (), generator=self.host_generator))
        with torch.no_grad(), autocast(self.accelerator.device, self.config.precision):
            later = self.nca.rollout(state, steps, self.condition(old), generator=self.generator)
        return worth_keeping(self.nca, later, state, self.most_kept)


def worth_keeping(nca: NCA, ends: Tensor, starts: Tensor, most: float = MOST_KEPT) -> Tensor:
    """States for the pool, ``[B, C, H, W]``: ends of rollouts; starts where these died or exploded.

    Neither would come back to life: a dead state has no gradient, and stays in the pool for good.
    A state has exploded where a number of it is larger than ``most``.
    """
    kept = (ends.abs().amax((1, 2, 3)) <= most) & alive(nca, ends)
    return torch.where(kept[:, None, None, None], ends, starts)
