"""A decoder that reads the state at any point: the page's engine draws what PyTorch draws."""

import base64
import json
from typing import Any, cast

import numpy as np
import pytest
import torch

from ncabook.automaton import NCA, ChannelLayout, ConvPerception, MLPUpdate
from ncabook.live import describe
from ncabook.networks import FineModel, LocalDecoder

pytestmark = pytest.mark.node
HEIGHT, WIDTH = 4, 6
FACTOR, FACTOR_OF_JAVASCRIPT = 512 // WIDTH, 128 // WIDTH


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
    factor = FACTOR if wasm else FACTOR_OF_JAVASCRIPT
    wanted = model(start, factor)[0]
    actual = decode(described(model, start), len(wanted), wasm=wasm)
    assert actual.shape == wanted.shape == (len(wanted), factor * HEIGHT, factor * WIDTH)
    assert wanted.std() > 0.05
    assert (actual - wanted).abs().max() <= 2e-5


WINDOWS = [
    {"top": 1.3, "left": 5.25, "height": 2.0, "width": 1.5, "rows": 40, "columns": 30},  # wraps
    {"top": 0, "left": 0, "height": 4, "width": 6, "rows": 12, "columns": 20},
]


@pytest.mark.parametrize("window", WINDOWS, ids=["across the border", "few pixels"])
@pytest.mark.parametrize("wasm", [True, False], ids=["WebAssembly", "JavaScript"])
def test_a_window_is_what_pytorch_has_at_its_points(decode, window, wasm):
    model, start = fine_model()
    rows, columns = (
        window[first] + (torch.arange(window[count]) + 0.5) / window[count] * window[cells]
        for first, count, cells in (("top", "rows", "height"), ("left", "columns", "width"))
    )
    points = torch.stack(torch.meshgrid(rows, columns, indexing="ij"), -1).reshape(1, -1, 2)
    wanted = model.decoder.at(start, points)[0].T.unflatten(1, (len(rows), len(columns)))
    actual = decode(described(model, start), 4, [["aim", window]], wasm=wasm)
    assert (actual - wanted).abs().max() <= 2e-5


def test_a_seed_cell_has_ones_in_all_channels(node):
    model, _ = fine_model(fixed=1)
    state = node(*described(model), actions=[])["state"]
    wanted = torch.zeros(1, 7, HEIGHT, WIDTH)
    wanted[:, 1:, HEIGHT // 2, WIDTH // 2] = 1
    assert torch.equal(state, wanted)
