"""From a validated experiment to live objects: the automaton and its targets."""

import torch
from torch import Tensor, nn

from ncabook.automaton import (
    NCA,
    AttentionBlock,
    ChannelLayout,
    ConvPerception,
    DeformablePerception,
    LocalAttention,
    MLPUpdate,
    MultiPerception,
    ResidualPerception,
    ResNetUpdate,
    SobelPerception,
)
from ncabook.data.emoji import emoji
from ncabook.experiments import schema
from ncabook.experiments.schema import EmojiData, Experiment, OnePassExperiment
from ncabook.networks import OnePass


def build_network(experiment: Experiment | OnePassExperiment) -> NCA | OnePass:
    """The experiment's model with random weights, from PyTorch's global generator."""
    if isinstance(experiment, OnePassExperiment):
        model = experiment.model
        return OnePass(len(experiment.data.glyphs), model.base, model.halvings)
    return build_nca(experiment)


def build_nca(experiment: Experiment) -> NCA:
    """A new automaton with random weights, drawn from PyTorch's global generator."""
    model = experiment.model
    layout = ChannelLayout(visible=4, hidden=model.hidden_channels)
    classes = len(experiment.data.glyphs)
    condition = classes if classes > 1 else 0
    perception = build_perception(model.perception, layout.channels, condition)
    update = build_update(model.update, perception.out_channels, layout.channels - layout.fixed)
    return NCA(layout, perception, update, model.fire_rate, model.living_threshold)


def build_perception(config: schema.Strict, channels: int, condition: int) -> nn.Module:
    """The perception that ``config`` describes, for so many channels of state and condition."""
    match config:
        case schema.ConvConfig(features=features, kernel_size=size, dilation=dilation):
            return ConvPerception(channels, features, size, dilation, condition)
        case schema.SobelConfig(laplacian=laplacian):
            return SobelPerception(channels, condition, laplacian)
        case schema.ResidualConfig(features=features, kernel_size=size, dilation=dilation):
            return ResidualPerception(channels, features, size, dilation, condition)
        case schema.DeformableConfig(features=features, kernel_size=size):
            return DeformablePerception(channels, features, size, condition)
        case schema.LocalAttentionConfig(features=features, heads=heads, kernel_size=size):
            return LocalAttention(channels, features, heads, size, condition)
        case schema.AttentionBlockConfig(
            features=features, embedding=embedding, heads=heads, kernel_size=size
        ):
            return AttentionBlock(channels, features, embedding, heads, size, condition)
        case schema.MultiConfig(branches=branches):
            return MultiPerception([build_perception(b, channels, condition) for b in branches])
    raise TypeError(f"no perception for {type(config).__name__}")


def build_update(config: schema.Strict, features: int, channels: int) -> nn.Module:
    """The update that ``config`` describes, from ``features`` to a change of ``channels``."""
    match config:
        case schema.MLPConfig(hidden=hidden):
            return MLPUpdate(features, channels, hidden)
        case schema.ResNetConfig(hidden=hidden, blocks=blocks):
            return ResNetUpdate(features, channels, hidden, blocks)
    raise TypeError(f"no update for {type(config).__name__}")


def build_targets(data: EmojiData) -> Tensor:
    """The class images, ``[classes, 4, grid, grid]``, premultiplied RGBA in [0, 1]."""
    return torch.stack([emoji(g, data.size, data.padding) for g in data.glyphs])
