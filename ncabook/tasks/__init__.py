"""Kinds of experiments, one module each: what is learned, how, how it is measured and shown.

:data:`TASKS` lists them. A new one is a module with an experiment, derived from
:class:`~ncabook.tasks.base.BaseExperiment`, and a :class:`~ncabook.tasks.base.Task`; and its line
here.
"""

from typing import Any

from ncabook.reading import ConfigError, parse, shorten
from ncabook.tasks.autoencoder import AutoencoderExperiment, AutoencoderTask
from ncabook.tasks.base import BaseExperiment, Look, Network, Task
from ncabook.tasks.classification import ClassificationExperiment, ClassificationTask
from ncabook.tasks.digits import DigitsExperiment, DigitsTask
from ncabook.tasks.fine import FineExperiment, FineTask
from ncabook.tasks.fine_texture import FineTextureExperiment, FineTextureTask
from ncabook.tasks.growth import GrowthExperiment, GrowthTask
from ncabook.tasks.imported import ImportedExperiment, ImportedTask
from ncabook.tasks.inpainting import InpaintingExperiment, InpaintingTask
from ncabook.tasks.inpainting_one_pass import InpaintingOnePassExperiment, InpaintingOnePassTask
from ncabook.tasks.judge import JudgeExperiment, JudgeTask
from ncabook.tasks.latent_growth import LatentGrowthExperiment, LatentGrowthTask
from ncabook.tasks.latent_pairs import LatentPairsExperiment, LatentPairsTask
from ncabook.tasks.one_pass import OnePassExperiment, OnePassTask
from ncabook.tasks.pairs import PairsExperiment, PairsTask
from ncabook.tasks.pairs_one_pass import PairsOnePassExperiment, PairsOnePassTask
from ncabook.tasks.texture import TextureExperiment, TextureTask
from ncabook.tasks.video import VideoExperiment, VideoTask
from ncabook.tasks.video_recurrent import VideoRecurrentExperiment, VideoRecurrentTask

__all__ = [
    "TASKS",
    "AutoencoderExperiment",
    "BaseExperiment",
    "ClassificationExperiment",
    "DigitsExperiment",
    "FineExperiment",
    "FineTextureExperiment",
    "GrowthExperiment",
    "ImportedExperiment",
    "InpaintingExperiment",
    "InpaintingOnePassExperiment",
    "JudgeExperiment",
    "LatentGrowthExperiment",
    "LatentPairsExperiment",
    "Look",
    "Network",
    "OnePassExperiment",
    "PairsExperiment",
    "PairsOnePassExperiment",
    "Task",
    "TextureExperiment",
    "VideoExperiment",
    "VideoRecurrentExperiment",
    "build_network",
    "experiment_from",
    "task_of",
]

TASKS: dict[str, Task[Any]] = {
    task.name: task
    for task in (
        GrowthTask(),
        OnePassTask(),
        ClassificationTask(),
        TextureTask(),
        DigitsTask(),
        JudgeTask(),
        PairsTask(),
        PairsOnePassTask(),
        AutoencoderTask(),
        LatentGrowthTask(),
        LatentPairsTask(),
        InpaintingTask(),
        InpaintingOnePassTask(),
        FineTask(),
        FineTextureTask(),
        VideoTask(),
        VideoRecurrentTask(),
        ImportedTask(),
    )
}
USUAL = GrowthTask().name  # of a file that names none


def task_of(experiment: BaseExperiment) -> Task[Any]:
    """Everything that depends on an experiment's kind."""
    return TASKS[experiment.task]


def build_network(experiment: BaseExperiment) -> Network:
    """An experiment's model with random weights, drawn from PyTorch's global generator."""
    return task_of(experiment).network(experiment)


def experiment_from(content: Any, source: str, within: str = "") -> BaseExperiment:
    """An experiment of the kind that its ``task`` names.

    Args:
        content: a mapping of fields.
        source: names it in error messages.
        within: the field of ``source`` that it is, if it is one.

    Raises:
        ConfigError: one line per mistake.

    """
    place = f"{source}: {within}" if within else source
    if not isinstance(content, dict):
        raise ConfigError(f"{place}: expected a mapping of fields (given: {shorten(content)})")
    task = content.get("task", USUAL)
    if not isinstance(task, str) or task not in TASKS:
        raise ConfigError(f"{place}: task: {shorten(task)}; expected one of {', '.join(TASKS)}")
    return parse(TASKS[task].kind, content, source, within)
