"""From a validated experiment to live objects: the automaton and its targets."""

import torch
from torch import Tensor

from ncabook.automaton import NCA, ChannelLayout
from ncabook.data.emoji import emoji
from ncabook.data.labelled import (
    CIFAR10,
    DIGITS,
    Labelled,
    Split,
    cifar10,
    mnist,
    rendered_digits,
)
from ncabook.data.texture import texture
from ncabook.experiments.schema import (
    ClassificationExperiment,
    EmojiData,
    Experiment,
    LabelledData,
    OnePassExperiment,
    Task,
    TextureData,
    TextureExperiment,
)
from ncabook.networks import OnePass
from ncabook.training.classification import visible_image

RENDERED = {"train": (20000, 0), "test": (2000, 1)}  # how many, and their seed


def build_network(experiment: Task) -> NCA | OnePass:
    """The experiment's model with random weights, from PyTorch's global generator."""
    if isinstance(experiment, OnePassExperiment):
        model = experiment.model
        return OnePass(len(experiment.data.glyphs), model.base, model.halvings)
    return build_nca(experiment)


def build_nca(experiment: Experiment | ClassificationExperiment | TextureExperiment) -> NCA:
    """A new automaton with random weights, drawn from PyTorch's global generator."""
    model = experiment.model
    if isinstance(experiment, ClassificationExperiment):
        layout = ChannelLayout(
            visible=0,
            hidden=model.hidden_channels,
            fixed=experiment.data.channels,
            classes=len(DIGITS),
        )
        condition = 0
    elif isinstance(experiment, TextureExperiment):
        layout, condition = ChannelLayout(visible=3, hidden=model.hidden_channels), 0
    else:
        layout = ChannelLayout(visible=4, hidden=model.hidden_channels)
        classes = len(experiment.data.glyphs)
        condition = classes if classes > 1 else 0
    perception = model.perception.build(layout.channels, condition)
    update = model.update.build(perception.out_channels, layout.channels - layout.fixed)
    return NCA(layout, perception, update, model.fire_rate, model.living_threshold)


def build_targets(data: EmojiData) -> Tensor:
    """The class images, ``[classes, 4, grid, grid]``, premultiplied RGBA in [0, 1]."""
    return torch.stack([emoji(g, data.size, data.padding) for g in data.glyphs])


def build_texture(data: TextureData) -> Tensor:
    """The texture to be grown, RGB in [0, 1], ``[3, size, size]``."""
    return texture(data.name, data.size)


def build_labelled(data: LabelledData, split: Split) -> Labelled:
    """The images and labels to train on, or to be measured by."""
    match data.name:
        case "mnist":
            return mnist(split)
        case "cifar10":
            return cifar10(split)
        case "rendered-digits":
            return rendered_digits(*RENDERED[split])


def build_lossless(data: LabelledData, test: Labelled) -> Labelled | None:
    """The first test images without loss, where ``test`` holds lossy copies; None elsewhere."""
    return cifar10("test", lossless=True) if data.name == "cifar10" and test.note else None


def class_names(data: LabelledData) -> tuple[str, ...]:
    """What the classes are called."""
    return CIFAR10 if data.name == "cifar10" else DIGITS


def example_inputs(data: LabelledData) -> dict[str, Tensor]:
    """What a page may begin with: an empty input, and for digits a rendered one of each kind.

    Returns:
        by name, ``[channels, grid, grid]`` in [0, 1].

    """
    blank = {"blank": torch.zeros(data.channels, data.grid, data.grid)}
    if data.name == "cifar10":
        return blank
    digits = rendered_digits(200, 2)
    firsts = {name: int((digits.labels == i).nonzero()[0]) for i, name in enumerate(digits.names)}
    shown = visible_image(digits.images, data.padding)
    return {name: shown[first] for name, first in firsts.items()} | blank
