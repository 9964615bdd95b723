"""Neural cellular automata: models, training, evaluation and live figures of the book."""

from ncabook import zoo
from ncabook.automaton import NCA, ChannelLayout, ConvPerception, MLPUpdate, SobelPerception
from ncabook.data import emoji

__all__ = [
    "NCA",
    "ChannelLayout",
    "ConvPerception",
    "MLPUpdate",
    "SobelPerception",
    "emoji",
    "zoo",
]
