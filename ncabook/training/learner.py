"""What a training loop repeats: a network, one step of learning, and what a checkpoint holds."""

import math
from abc import ABC, abstractmethod
from dataclasses import asdict, dataclass
from typing import Any, Protocol

from torch import Generator, Tensor, nn, optim

from ncabook.training.config import AdamConfig, LoopConfig
from ncabook.training.processes import accelerator
from ncabook.training.tracking import Tracking


class TrainingDivergedError(Exception):
    """The loss is NaN or infinite; says when, and where the last good weights are."""


class Stateful(Protocol):
    """What can be saved and go on: a module, an optimiser, a pool, random numbers."""

    def state_dict(self) -> Any:
        """Nested tensors and numbers (:mod:`ncabook.training.tree`)."""
        ...

    def load_state_dict(self, state_dict: Any, /) -> Any:
        """Takes over what :meth:`state_dict` returned."""
        ...


class Learner(ABC):
    """Learns by :meth:`step`; :class:`~ncabook.training.loop.Loop` repeats, saves and resumes it.

    Args:
        network: trained in place.
        config: how often and how fast.
        seed: everything random follows from it.
        device: where to train: ``cpu``, ``cuda`` or ``cuda:1``.
        tracker: where the curves go; None draws none.

    Attributes:
        accelerator: device, precision and processes.
        device: the accelerator's, in words.
        iteration: steps made.

    """

    def __init__(
        self,
        network: nn.Module,
        config: LoopConfig,
        seed: int,
        device: str = "cpu",
        tracker: Tracking | None = None,
    ) -> None:
        self.accelerator = accelerator(device, config.precision, tracker)
        self.device = str(self.accelerator.device)
        self.network = network
        self.config = config
        self.seed = seed
        self.iteration = 0

    @abstractmethod
    def step(self, rate: float) -> dict[str, float]:
        """One iteration with the learning rates times ``rate``.

        Returns:
            What is worth a curve, ``loss`` among it; the same in every process.

        Raises:
            TrainingDivergedError: a number is not finite that has to be.

        """

    @abstractmethod
    def parts(self) -> dict[str, Stateful]:
        """By name, all that a checkpoint has to hold beside the number of iterations."""

    @property
    @abstractmethod
    def learning_rate(self) -> float:
        """What :meth:`step` multiplies."""

    def result(self) -> nn.Module:
        """What has been trained, for its file; the network itself, where there is no other."""
        return self.network

    def beside(self) -> dict[str, nn.Module]:
        """By name, what else has been trained and is worth a file, such as a critic."""
        return {}

    def identity(self) -> dict[str, Any]:
        """What a checkpoint has to agree on to be gone on with."""
        return {
            "seed": self.seed,
            "device": self.accelerator.device.type,
            # How a batch is split, and what is computed twice, changes nothing but rounding.
            "training": self.config.model_dump(exclude={"accumulation", "memory"}),
        }

    def record(self) -> dict[str, Any]:
        """What a card says of this training, beside iterations, time and loss."""
        return {}

    def check(self) -> None:  # noqa: B027 (most have nothing to refuse)
        """Refuses what cannot be trained, before anything is."""


class Randomness:
    """Generators that belong together, by name."""

    def __init__(self, **generators: Generator) -> None:
        self._generators = generators

    def state_dict(self) -> dict[str, Any]:
        """Where each generator is."""
        return {name: each.get_state() for name, each in self._generators.items()}

    def load_state_dict(self, saved: dict[str, Any]) -> None:
        """Takes over what :meth:`state_dict` returned."""
        for name, each in self._generators.items():
            each.set_state(saved[name])


class AdamLearner(Learner):
    """A network of one pass under one Adam; those that derive from it make batches and losses.

    Args:
        network: trained in place.
        config: how often and how fast.
        seed: everything random follows from it.
        device: where to train.
        tracker: where the curves go; None draws none.
        betas: Adam's.

    """

    config: AdamConfig

    def __init__(
        self,
        network: nn.Module,
        config: AdamConfig,
        seed: int,
        device: str = "cpu",
        tracker: Tracking | None = None,
        betas: tuple[float, float] = (0.9, 0.999),
    ) -> None:
        super().__init__(network, config, seed, device, tracker)
        network.to(self.device).train()
        self.generator = Generator(self.device).manual_seed(seed)
        self.optimizer = optim.Adam(network.parameters(), config.learning_rate, betas)

    @property
    def learning_rate(self) -> float:
        """Of Adam, before the schedule."""
        return self.config.learning_rate

    def parts(self) -> dict[str, Stateful]:
        """Weights, optimiser, random numbers."""
        return {
            "model": self.network,
            "optimizer": self.optimizer,
            "random": Randomness(device=self.generator),
        }

    def descend(self, minimised: Tensor, told: Tensor, rate: float) -> dict[str, float]:
        """One step of Adam along ``minimised``; ``told`` is the loss that is written down.

        Raises:
            TrainingDivergedError: the loss is not finite.

        """
        self.optimizer.param_groups[0]["lr"] = self.learning_rate * rate
        self.optimizer.zero_grad(set_to_none=True)
        minimised.backward()
        self.optimizer.step()
        loss = float(told.detach())
        if not math.isfinite(loss):
            raise TrainingDivergedError(f"loss {loss}")
        self.iteration += 1
        return {"loss": loss}


@dataclass
class Skipped:
    """Iterations without an update, since their gradient overflowed."""

    all: int = 0
    in_a_row: int = 0

    def note(self, overflowed: bool) -> None:
        """Counts one more iteration."""
        self.in_a_row = self.in_a_row + 1 if overflowed else 0
        self.all += overflowed

    def state_dict(self) -> dict[str, int]:
        """Both counts."""
        return asdict(self)

    def load_state_dict(self, saved: dict[str, int]) -> None:
        """Takes over what :meth:`state_dict` returned."""
        self.all, self.in_a_row = saved["all"], saved["in_a_row"]
