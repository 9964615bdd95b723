"""Networks that are no automata. This package knows no other room of ncabook."""

from ncabook.networks.pix2pix import PatchDiscriminator, Pix2Pix
from ncabook.networks.unet import UNet

__all__ = ["PatchDiscriminator", "Pix2Pix", "UNet"]
