"""From a validated experiment to live objects: the automaton and its targets."""

import torch
from torch import Tensor

from ncabook.automaton import NCA, ChannelLayout, ConvPerception, MLPUpdate, SobelPerception
from ncabook.data.emoji import emoji
from ncabook.experiments.schema import ConvConfig, EmojiData, Experiment


def build_nca(experiment: Experiment) -> NCA:
    """A new automaton with random weights, drawn from PyTorch's global generator."""
    model = experiment.model
    layout = ChannelLayout(visible=4, hidden=model.hidden_channels)
    classes = len(experiment.data.glyphs)
    condition = classes if classes > 1 else 0
    if isinstance(model.perception, ConvConfig):
        perception = ConvPerception(
            layout.channels,
            model.perception.features,
            model.perception.kernel_size,
            model.perception.dilation,
            condition,
        )
    else:
        perception = SobelPerception(layout.channels, condition, model.perception.laplacian)
    update = MLPUpdate(perception.out_channels, layout.channels - layout.fixed, model.update_hidden)
    return NCA(layout, perception, update, model.fire_rate, model.living_threshold)


def build_targets(data: EmojiData) -> Tensor:
    """The class images, ``[classes, 4, grid, grid]``, premultiplied RGBA in [0, 1]."""
    return torch.stack([emoji(g, data.size, data.padding) for g in data.glyphs])
