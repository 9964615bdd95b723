"""Neural cellular automata: models, training, evaluation and live figures of the book."""

import torch

from ncabook import zoo
from ncabook.automaton import NCA, ChannelLayout, ConvPerception, MLPUpdate, SobelPerception
from ncabook.data import emoji

# Denormal numbers appear in every trained automaton (hidden values fade out) and slow a CPU's
# arithmetic by 5–10×. Worker threads copy the setting when they start, so it has to come
# before the first parallel operation.
torch.set_flush_denormal(True)

__all__ = [
    "NCA",
    "ChannelLayout",
    "ConvPerception",
    "MLPUpdate",
    "SobelPerception",
    "emoji",
    "zoo",
]
