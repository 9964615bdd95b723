"""Curves of a training: to TensorBoard on disk, to Weights & Biases, or nowhere."""

import importlib.util
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from accelerate import Accelerator

TrackerName = Literal["tensorboard", "wandb", "none"]
LOG_EVERY = 10  # iterations

log = logging.getLogger(__name__)


def default_tracker() -> TrackerName:
    """``tensorboard``; where it is not installed, ``none``, and a line that says so."""
    if importlib.util.find_spec("tensorboard") is not None:
        return "tensorboard"
    log.warning('no curves are kept: TensorBoard comes with pip install "ncabook[tensorboard]"')
    return "none"


@dataclass(frozen=True)
class Tracking:
    """Which tracker, and where it writes.

    Attributes:
        tracker: ``tensorboard``, ``wandb``, or ``none``, which keeps nothing.
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
            raise ValueError(
                f"there is no tracker {self.tracker!r}; known: tensorboard, wandb, none"
            )
        if self.tracker != "none" and importlib.util.find_spec(self.tracker) is None:
            raise ValueError(
                f"the tracker {self.tracker} is not installed; "
                f'install it with: pip install "ncabook[{self.tracker}]"'
            )

    def start(self, accelerator: Accelerator, iteration: int) -> None:
        """Opens the tracker, for values from ``iteration`` on."""
        if self.tracker == "none":
            return
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
