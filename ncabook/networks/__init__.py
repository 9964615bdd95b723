"""Networks that are no automata, and an automaton with one behind it (``fine.py``)."""

from ncabook.networks.classifier import SmallCNN
from ncabook.networks.critic import PatchCritic
from ncabook.networks.fine import FineModel, first_cell, scattered
from ncabook.networks.local_decoder import LocalDecoder
from ncabook.networks.one_pass import OnePass
from ncabook.networks.pix2pix import PatchDiscriminator, Pix2Pix
from ncabook.networks.unet import UNet
from ncabook.networks.vqvae import VQVAE, Decoder, Quantised

__all__ = [
    "VQVAE",
    "Decoder",
    "FineModel",
    "LocalDecoder",
    "OnePass",
    "PatchCritic",
    "PatchDiscriminator",
    "Pix2Pix",
    "Quantised",
    "SmallCNN",
    "UNet",
    "first_cell",
    "scattered",
]
