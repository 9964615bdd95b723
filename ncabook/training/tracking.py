"""Curves of a training: to TensorBoard on disk, or to Weights & Biases."""

import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from accelerate import Accelerator

TrackerName = Literal["tensorboard", "wandb"]
LOG_EVERY = 10  # iterations


@dataclass(frozen=True)
class Tracking:
    """Which tracker, and where it writes.

    Attributes:
        tracker: ``tensorboard`` or ``wandb``.
        folder: of the run; the tracker's files go to ``logs`` below it.
        name: of the run, for people.
        config: what to note as the run's configuration at Weights & Biases.

    """

    tracker: TrackerName
    folder: Path
    name: str
    config: dict[str, Any]

    def __post_init__(self) -> None:
        """Refuses an unknown tracker, and one that is not installed."""
        if self.tracker not in get_args(TrackerName):
            raise ValueError(f"there is no tracker {self.tracker!r}; known: tensorboard, wandb")
        if importlib.util.find_spec(self.tracker) is None:
            raise ValueError(
                f"the tracker {self.tracker} is not installed; "
                f'install it with: pip install "ncabook[{self.tracker}]"'
            )

    def start(self, accelerator: Accelerator, iteration: int) -> None:
        """Opens the tracker, for values from ``iteration`` on."""
        logs = self.folder / "logs"
        if self.tracker == "tensorboard":
            # Values that a killed run logged after its last checkpoint are logged anew.
            accelerator.init_trackers(
                logs.name, init_kwargs={"tensorboard": {"purge_step": iteration + 1}}
            )
            return
        if accelerator.is_main_process:
            logs.mkdir(parents=True, exist_ok=True)
        accelerator.init_trackers(
            "ncabook", self.config, {"wandb": {"dir": str(logs), "name": self.name}}
        )


def finish(accelerator: Accelerator) -> None:
    """Closes the trackers, so that everything is on the disk."""
    for tracker in accelerator.trackers:
        tracker.finish()
    accelerator.trackers.clear()
