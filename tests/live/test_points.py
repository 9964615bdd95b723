"""A decoder that reads the state at any point: the page's engine draws what PyTorch draws."""

import base64
import io
import json

import numpy as np
import pytest
import torch
from PIL import Image

from ncabook.automaton import NCA, ChannelLayout, ConvPerception, MLPUpdate
from ncabook.live import describe, to_html
from ncabook.networks import LocalDecoder
from ncabook.training.fine_model import FineModel

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


def seen(model, state, window):
    """PyTorch's picture of a window of a state: ``[image, rows, columns]``."""
    rows, columns = (
        window[first] + (torch.arange(window[count]) + 0.5) / window[count] * window[cells]
        for first, count, cells in (("top", "rows", "height"), ("left", "columns", "width"))
    )
    points = torch.stack(torch.meshgrid(rows, columns, indexing="ij"), -1).reshape(1, -1, 2)
    return model.decoder.at(state, points)[0].T.unflatten(1, (len(rows), len(columns)))


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
    actual = decode(described(model, start), 4, [["aim", window]], wasm=wasm)
    assert (actual - seen(model, start, window)).abs().max() <= 2e-5


def test_a_seed_cell_has_ones_in_all_channels(node):
    model, _ = fine_model(fixed=1)
    state = node(*described(model), actions=[])["state"]
    wanted = torch.zeros(1, 7, HEIGHT, WIDTH)
    wanted[:, 1:, HEIGHT // 2, WIDTH // 2] = 1
    assert torch.equal(state, wanted)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kind": "global"}, 'decoder.kind is "global"; expected nothing, or "local"'),
        ({"image": 5}, "decoder.image is 5; expected 3 or 4"),
        ({"harmonics": 3}, "decoder.harmonics is 3; expected 2"),
        ({"hidden": 0}, "decoder.hidden is 0; expected a whole number ≥ 1"),
        ({"second": None}, "decoder.second is null; expected offsets of 10 × 10 weights"),
        ({"last": {"weight": 10**9, "bias": 0}}, "decoder.last is .*; expected offsets of 10 × 4"),
    ],
    ids=str,
)
def test_bad_decoder(node, change, message):
    description, weights = described(*fine_model())
    decoder = {**json.loads(json.dumps(description["decoder"])), **change}
    with pytest.raises(RuntimeError, match=message):
        node({**description, "decoder": decoder}, weights, actions=[])


def test_bad_zoom(node):
    with pytest.raises(RuntimeError, match="times is 3; expected one of 1, 2, 4"):
        node(*described(*fine_model()), messages=[{"kind": "zoom", "times": 3, "x": 0, "y": 0}])


def test_the_figure_shows_the_window(node):
    """Its frame is what PyTorch has there, on white, over the border of the torus."""
    model, start = fine_model()
    message = {"kind": "zoom", "times": 4, "x": 0, "y": 2}
    report = node(*described(model, start), messages=[message])
    assert report["size"] == [FACTOR * HEIGHT, FACTOR * WIDTH]
    columns = 0.5 - WIDTH / 8 + (torch.arange(100) + 0.5) / (4 * FACTOR)
    rows = torch.full_like(columns, 2.5 - HEIGHT / 8 + 0.5 / (4 * FACTOR))
    colours = model.decoder.at(start, torch.stack([rows, columns], -1)[None])[0]
    wanted = (colours[:, :3] + 1 - colours[:, 3:].clamp(0, 1)).clamp(0, 1)
    actual = torch.tensor(report["pixels"]).view(-1, 4)[:, :3] / 255
    assert (actual - wanted).abs().max() <= 0.5 / 255 + 1e-4


def test_what_does_not_fit_together():
    model, start = fine_model()
    grid = (model.nca, HEIGHT, WIDTH)
    with pytest.raises(ValueError, match="has 7 channels, and the decoder reads 6"):
        describe(*grid, decoder=LocalDecoder(6))
    with pytest.raises(ValueError, match="a decoder to 2 channels; the figure shows RGB"):
        describe(*grid, decoder=LocalDecoder(7, 2))
    with pytest.raises(ValueError, match="a grid of 4×513 cells .*; expected at most 512 cells"):
        describe(model.nca, HEIGHT, 513, decoder=model.decoder)
    with pytest.raises(ValueError, match="codes are of latents, and this decoder reads a state"):
        describe(*grid, decoder=model.decoder, start=start, codes=torch.zeros(3, 7))
    with torch.no_grad():
        model.decoder.last.weight[0, 0] = 1e6
    with pytest.raises(ValueError, match="last.weight has weights that float16 cannot hold"):
        describe(*grid, decoder=model.decoder)


@pytest.mark.parametrize("beside", [False, True])
def test_the_picture_in_the_figures_place(beside):
    """Drawn by PyTorch, from one cell; the state stands beside it where it is to be seen."""
    model, _ = fine_model()
    html = to_html(model.nca, HEIGHT, WIDTH, decoder=model.decoder, beside=beside)
    code = html.split("data:image/png;base64,")[1].split('"')[0]
    picture = Image.open(io.BytesIO(base64.b64decode(code)))
    assert picture.size == ((2 * FACTOR * WIDTH + 2 if beside else FACTOR * WIDTH), FACTOR * HEIGHT)
