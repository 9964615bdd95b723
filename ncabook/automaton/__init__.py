"""One step of an automaton, and nothing else: this package knows no other room of ncabook."""

from ncabook.automaton.attention import AttentionBlock, LocalAttention
from ncabook.automaton.contract import Perception, Update
from ncabook.automaton.deformable import DeformablePerception
from ncabook.automaton.fire import hashed_fire, random_fire, ring_fire
from ncabook.automaton.nca import NCA
from ncabook.automaton.patchwork import Patchwork
from ncabook.automaton.perception import (
    ConvPerception,
    MultiPerception,
    ResidualPerception,
    SobelPerception,
)
from ncabook.automaton.rotation import turned
from ncabook.automaton.state import ChannelLayout, centre_seed, empty_state, first_cell, plant_seed
from ncabook.automaton.update import MLPUpdate, ResNetUpdate

__all__ = [
    "NCA",
    "AttentionBlock",
    "ChannelLayout",
    "ConvPerception",
    "DeformablePerception",
    "LocalAttention",
    "MLPUpdate",
    "MultiPerception",
    "Patchwork",
    "Perception",
    "ResNetUpdate",
    "ResidualPerception",
    "SobelPerception",
    "Update",
    "centre_seed",
    "empty_state",
    "first_cell",
    "hashed_fire",
    "plant_seed",
    "random_fire",
    "ring_fire",
    "turned",
]
