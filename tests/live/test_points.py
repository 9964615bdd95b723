"""A decoder that reads the state at any point: the page's engine draws what PyTorch draws."""

import base64
import json

import numpy as np
import pytest
import torch

from ncabook.automaton import NCA, ChannelLayout, ConvPerception, MLPUpdate
from ncabook.live import describe
from ncabook.networks import FineModel, LocalDecoder

pytestmark = pytest.mark.node
HEIGHT, WIDTH = 4, 6
FACTOR = 512 // WIDTH


def fine_model(channels=7, image=4, hidden=10, fixed=0):
    """An automaton of hidden channels and its decoder, in numbers that float16 holds."""
    torch.manual_seed(3)
    layout = ChannelLayout(visible=0, hidden=channels - fixed, fixed=fixed)
    perception = ConvPerception(channels, 12, 3)
    update = MLPUpdate(12, channels - fixed, [8])
    torch.nn.init.normal_(update.layers[-1].weight, std=0.05)
    nca = NCA(layout, perception, update, 0.5, None)
    model = FineModel(nca, LocalDecoder(channels, image, hidden)).half().float()
    start = torch.randn(1, channels, HEIGHT, WIDTH).half().float()
    return model.requires_grad_(False), start


def described(model, start=None, **options):
    return describe(model.nca, HEIGHT, WIDTH, decoder=model.decoder, start=start, **options)


@pytest.fixture
def decode(node):
    """What a job's engine decodes: ``[image, rows, columns]``."""

    def decode(model, image, actions=(), **job):
        picture = node(*model, actions=list(actions), decode=True, **job)["picture"]
        flat = np.frombuffer(base64.b64decode(picture["numbers"]), np.float32)
        pixels = flat.reshape(picture["height"], picture["width"], picture["stride"])
        return torch.from_numpy(pixels[..., :image].copy()).permute(2, 0, 1)

    return decode


VARIANTS = [
    {},
    {"image": 3, "hidden": 64, "channels": 16},
    {"hidden": 20, "channels": 5, "fixed": 1},  # a block of outputs, and one that is not whole
]


@pytest.mark.parametrize("variant", VARIANTS, ids=str)
@pytest.mark.parametrize("wasm", [True, False], ids=["WebAssembly", "JavaScript"])
def test_the_whole_picture_is_that_of_pytorch(decode, variant, wasm):
    model, start = fine_model(**variant)
    wanted = model(start, FACTOR)[0]
    actual = decode(described(model, start), len(wanted), wasm=wasm)
    assert actual.shape == wanted.shape == (len(wanted), FACTOR * HEIGHT, FACTOR * WIDTH)
    assert wanted.std() > 0.05
    print((actual - wanted).abs().max())
    assert (actual - wanted).abs().max() <= 2e-5
