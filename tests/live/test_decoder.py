"""The page's engine decodes latents as PyTorch does."""

import base64
import json

import numpy as np
import pytest
import torch

from ncabook.automaton import NCA, ChannelLayout, ConvPerception, MLPUpdate, hashed_fire
from ncabook.live import describe
from ncabook.networks import Decoder

pytestmark = pytest.mark.node
HEIGHT, WIDTH, STEPS, SEED = 6, 9, 24, 77


def latent_automaton(latent=5, hidden=3, fixed=0, image=3, base=4, stages=2):
    """An automaton without dead cells, its decoder and a start, in numbers that float16 holds."""
    torch.manual_seed(1)
    layout = ChannelLayout(visible=latent, hidden=hidden, fixed=fixed)
    perception = ConvPerception(layout.channels, 12, 3)
    update = MLPUpdate(12, layout.channels - fixed, [8])
    torch.nn.init.normal_(update.layers[-1].weight, std=0.05)
    nca = NCA(layout, perception, update, 0.5, None).half().float()
    decoder = Decoder(latent, image, base, stages)
    for stage in decoder.stages:
        torch.nn.init.normal_(stage.norm.weight)
        torch.nn.init.normal_(stage.norm.bias)
    decoder = decoder.half().float()
    start = torch.randn(1, layout.channels, HEIGHT, WIDTH).half().float()
    return nca.requires_grad_(False), decoder.requires_grad_(False), start


def wanted_picture(nca, decoder, start, steps=STEPS):
    state = nca.rollout(
        start, steps, fire=lambda t: hashed_fire(HEIGHT, WIDTH, t, SEED, nca.fire_rate)
    )
    return decoder(state[:, nca.layout.visible_slice])[0]


def described(nca, decoder, start):
    return describe(nca, HEIGHT, WIDTH, seed=SEED, decoder=decoder, start=start)


@pytest.fixture
def decode(node):
    """What a job's engine decodes after some steps: ``[image, H, W]``."""

    def decode(model, image, steps=STEPS, **job):
        answer = node(*model, actions=[["steps", steps]], decode=True, **job)
        picture = answer["picture"]
        flat = np.frombuffer(base64.b64decode(picture["numbers"]), np.float32)
        cells = flat.reshape(picture["height"], picture["width"], picture["stride"])
        return torch.from_numpy(cells[..., :image].copy()).permute(2, 0, 1)

    return decode


VARIANTS = [
    {},
    {"image": 4, "base": 6, "stages": 1},  # nothing is a multiple of four
    {"base": 20, "stages": 1},  # more than one block of outputs, and the last is not whole
    {"latent": 8, "hidden": 0, "fixed": 2, "base": 16, "stages": 3},
]


@pytest.mark.parametrize("variant", VARIANTS, ids=str)
@pytest.mark.parametrize("wasm", [True, False], ids=["WebAssembly", "JavaScript"])
def test_the_picture_is_that_of_pytorch(decode, variant, wasm):
    nca, decoder, start = latent_automaton(**variant)
    actual = decode(described(nca, decoder, start), decoder.image_channels, wasm=wasm)
    wanted = wanted_picture(nca, decoder, start)
    assert wanted.shape == actual.shape
    assert 0.1 < wanted.std() < 100
    assert (actual - wanted).abs().max() <= 1e-4


@pytest.mark.parametrize("wasm", [True, False], ids=["WebAssembly", "JavaScript"])
def test_a_grid_of_one_row(decode, wasm):
    """What lies above and below a cell is the cell itself, and large pixels see it thrice."""
    nca, decoder, start = latent_automaton()
    start = start[:, :, :1, :3]
    model = describe(nca, 1, 3, seed=SEED, decoder=decoder, start=start)
    actual = decode(model, decoder.image_channels, steps=0, wasm=wasm)
    wanted = decoder(start[:, nca.layout.visible_slice])[0]
    assert (actual - wanted).abs().max() <= 1e-4


@pytest.mark.parametrize("wasm", [True, False], ids=["WebAssembly", "JavaScript"])
def test_groups_far_from_zero(decode, wasm):
    """A variance that is small beside the mean is not lost when cells are counted in parts."""
    nca, decoder, start = latent_automaton()
    for stage in decoder.stages:
        stage.conv.bias += 100
    decoder = decoder.half().float()
    actual = decode(described(nca, decoder, start), decoder.image_channels, steps=0, wasm=wasm)
    wanted = decoder.double()(start[:, nca.layout.visible_slice].double())[0]
    assert (actual - wanted).abs().max() <= 1e-3


def test_the_start_is_where_reset_returns(node):
    nca, decoder, start = latent_automaton()
    model = described(nca, decoder, start)
    assert torch.equal(node(*model, actions=[["steps", 3], ["reset"]])["state"], start)


def test_the_figure_shows_the_decoded_picture(simulate):
    nca, decoder, start = latent_automaton()
    report = simulate(
        *described(nca, decoder, start), {"kind": "advance", "steps": 2, "budget": 1e9}
    )
    row = torch.tensor(report["pixels"]).view(-1, 4)[:WIDTH, :3] / 255
    wanted = wanted_picture(nca, decoder, start, 2).clamp(0, 1)[:, 0, :WIDTH].T
    assert report["size"] == [4 * HEIGHT, 4 * WIDTH]
    assert (row - wanted).abs().max() <= 0.5 / 255 + 1e-4


def test_a_decoded_picture_may_wait_while_steps_follow(simulate):
    """Then the steps go on; whoever looks sees the present."""
    nca, decoder, start = latent_automaton()
    model = described(nca, decoder, start)
    hurried = {"kind": "advance", "steps": 1, "budget": 1}
    first = simulate(*model, hurried)
    late = simulate(*model, hurried, {"kind": "later"}, hurried)
    assert late["step"] == 2
    assert late["pixels"] == first["pixels"]
    looked = simulate(*model, hurried, {"kind": "later"}, hurried, {"kind": "look"})
    assert looked["pixels"] != first["pixels"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"scale": 8}, "decoder.ops is .*; expected a conv at the end, into 3 channels at 8 times"),
        ({"image": 5}, "decoder.image is 5; expected 3 or 4"),
        ({"scales": [1]}, "decoder.scales is .*; expected a whole number ≥ 1 for each buffer"),
        ({"buffers": [7]}, "decoder.buffers is .*; expected a list of sizes"),
        ({"ops": []}, "decoder.ops is .*; expected a list of operations"),
        ((1, {"kind": "attend"}), r"decoder.ops\[1\].kind is .*; expected one of conv, doubling"),
        ((1, {"kind": "upsample"}), r'ops\[1\].kind is "upsample"; expected one of conv, doubling'),
        ((1, {"from": 9}), r"decoder.ops\[1\].from is 9"),
        ((1, {"from": 3, "in": 4}), r"decoder.ops\[1\].to is 2; expected a buffer"),
        ((1, {"to": 1}), r"decoder.ops\[1\].out is 8; expected the 16 numbers of buffer 1"),
        ((1, {"in": 17}), r"decoder.ops\[1\].in is 17; expected something that fits the 16"),
        ((1, {"weight": 10**9}), r"decoder.ops\[1\].weight is 1000000000"),
        ((2, {"groups": 3}), r"decoder.ops\[2\].groups is 3; expected a divisor of channels"),
        ((2, {"weight": 10**9}), r"decoder.ops\[2\].weight is 1000000000"),
    ],
    ids=str,
)
def test_bad_decoder(node, change, message):
    description, weights = described(*latent_automaton())
    decoder = json.loads(json.dumps(description["decoder"]))
    if isinstance(change, tuple):
        decoder["ops"][change[0]].update(change[1])
    else:
        decoder.update(change)
    with pytest.raises(RuntimeError, match=message):
        node({**description, "decoder": decoder}, weights, actions=[])


def test_what_does_not_fit_together():
    nca, decoder, start = latent_automaton()
    with pytest.raises(ValueError, match="has 5 visible channels; the figure shows RGB"):
        describe(nca, HEIGHT, WIDTH)
    with pytest.raises(ValueError, match="5 visible channels, and the decoder reads 6"):
        describe(nca, HEIGHT, WIDTH, decoder=Decoder(6, 3, 4, 1))
    with pytest.raises(ValueError, match=r"start of shape \[1, 8, 6, 9\]; expected \[1, 8, 7, 9\]"):
        describe(nca, HEIGHT + 1, WIDTH, decoder=decoder, start=start)
    targets = torch.zeros(1, 4, HEIGHT, WIDTH)
    with pytest.raises(ValueError, match="targets are compared with cells"):
        describe(nca, HEIGHT, WIDTH, decoder=decoder, targets=targets)
    with torch.no_grad():
        decoder.last.weight[0, 0, 0, 0] = 1e6
    with pytest.raises(ValueError, match="last.weight has weights that float16 cannot hold"):
        describe(nca, HEIGHT, WIDTH, decoder=decoder)
