"""Neural cellular automata: models, training, evaluation and live figures of the book."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from ncabook.automaton import NCA, ChannelLayout, ConvPerception, MLPUpdate, SobelPerception
from ncabook.data import emoji

if TYPE_CHECKING:
    from ncabook import zoo

__all__ = [
    "NCA",
    "ChannelLayout",
    "ConvPerception",
    "MLPUpdate",
    "SobelPerception",
    "emoji",
    "zoo",
]


def __getattr__(name: str) -> Any:
    """The zoo, which brings the trainers with it: slow to import, and not everybody needs it."""
    if name == "zoo":
        return import_module("ncabook.zoo")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
