"""Networks that are no automata. This package knows no other room of ncabook."""

from ncabook.networks.classifier import SmallCNN
from ncabook.networks.convlstm import ConvLSTM
from ncabook.networks.critic import PatchCritic
from ncabook.networks.local_decoder import LocalDecoder, scattered
from ncabook.networks.one_pass import OnePass
from ncabook.networks.pix2pix import PatchDiscriminator, Pix2Pix
from ncabook.networks.unet import UNet
from ncabook.networks.vqvae import VQVAE, Decoder, Quantised

__all__ = [
    "VQVAE",
    "ConvLSTM",
    "Decoder",
    "LocalDecoder",
    "OnePass",
    "PatchCritic",
    "PatchDiscriminator",
    "Pix2Pix",
    "Quantised",
    "SmallCNN",
    "UNet",
    "scattered",
]
