"""Neural cellular automata: models, training, evaluation and live figures of the book."""

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

# PyTorch's threads wait for each other several times in a step. On Linux one that waits asks
# 300,000 times before it sleeps, and keeps a core from the thread that it waits for whenever
# another program has the other cores. With the number that the library itself takes where threads
# are more than cores, a training loses half as much time (benchmarks/beside_others.json). It is
# read when PyTorch is loaded; where that was before, nothing changes.
if "OMP_WAIT_POLICY" not in os.environ:
    os.environ.setdefault("GOMP_SPINCOUNT", "1000")

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
