"""The trainer of the page, run by Node, against PyTorch: gradients, Adam, and that it learns."""

import base64
import html
import json
import subprocess
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from ncabook.automaton import NCA, ChannelLayout, ConvPerception, MLPUpdate, centre_seed
from ncabook.automaton.fire import hashed_fire, ring_fire
from ncabook.data import emoji
from ncabook.files import CorruptFileError
from ncabook.live import describe, load_trained, trainer_figure
from ncabook.live.script import trainer_module
from ncabook.live.trainer import EXAMPLE, SIZES
from ncabook.training.checkpoint import save_tensors
from ncabook.training.losses import overflow, visible_mse

HEIGHT, WIDTH = 9, 11
CHANNELS, FEATURES, UNITS = 12, 20, 8  # one vector, two and five: every path of the products
OVERFLOW = 0.3


@pytest.fixture(scope="session")
def trainer_file(tmp_path_factory):
    target = tmp_path_factory.mktemp("trainer") / "trainer.mjs"
    target.write_text(trainer_module(), encoding="utf-8")
    return target


@pytest.fixture
def node(trainer_file, tmp_path):
    """Runs a job and gives its answer."""

    def node(**job):
        (tmp_path / "job.json").write_text(json.dumps(job))
        script = Path(__file__).parent / "run_training.mjs"
        flags = ["--experimental-wasm-relaxed-simd"] if job.get("fast") else []
        command = ["node", *flags, script, tmp_path / "job.json", trainer_file]
        out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        return json.loads(out)

    return node


def packed(tensor):
    return base64.b64encode(tensor.detach().float().contiguous().numpy().tobytes()).decode()


def unpacked(text, shape):
    flat = np.frombuffer(base64.b64decode(text), np.float32)
    return torch.from_numpy(flat.copy()).reshape(shape)


def cells_first(state):
    """``[C, H, W]`` as the kernels have it, ``[H, W, C]``."""
    return state.permute(1, 2, 0)


@pytest.fixture
def nca():
    """Tiny, and so lively that cells come to life and die within a few steps."""
    torch.manual_seed(3)
    layout = ChannelLayout(visible=4, hidden=CHANNELS - 4)
    nca = NCA(layout, ConvPerception(CHANNELS, FEATURES), MLPUpdate(FEATURES, CHANNELS, [UNITS]))
    with torch.no_grad():
        nca.update.layers[-1].weight.normal_(std=0.5)
        nca.update.layers[-1].bias.normal_(std=0.05)
    return nca


def starts(nca):
    """A seed with a ring, a seed without, and a ragged state over the grid's edges."""
    seed = centre_seed(nca.layout, HEIGHT, WIDTH)
    ragged = torch.randn(1, CHANNELS, HEIGHT, WIDTH) * 0.7
    ragged = ragged * (torch.rand(1, 1, HEIGHT, WIDTH) < 0.4)
    return [(seed, 7, True, 0), (seed, 6, False, 3), (ragged, 5, False, 0)]


def samples_of(nca):
    return [
        {"start": start, "steps": steps, "seed": 977 * i + 5, "ring": ring, "first": first}
        for i, (start, steps, ring, first) in enumerate(starts(nca))
    ]


def rolled(nca, sample, grid=(HEIGHT, WIDTH)):
    """PyTorch's rollout with the coins of the hash."""
    state = sample["start"].to(next(nca.parameters()).dtype)
    for step in range(sample["steps"]):
        number = sample["first"] + step
        fire = hashed_fire(*grid, number, sample["seed"], nca.fire_rate)
        if sample["ring"] and step == 0:
            fire = ring_fire(fire, nca.living_cells(state))
        state = nca._plain_step(state, None, fire)
    return state


def torch_losses(nca, samples, target):
    """As an iteration has them: each sample's difference and overflow, and the whole."""
    ends = [rolled(nca, sample) for sample in samples]
    parts = [(visible_mse(e, target, nca.layout), overflow(e, nca.layout)) for e in ends]
    whole = torch.stack([square + OVERFLOW * outside for square, outside in parts]).mean()
    return ends, parts, whole


def job_of(nca, samples, target, **more):
    sizes = {"height": HEIGHT, "width": WIDTH, "channels": CHANNELS}
    return {
        "kind": "gradient",
        "sizes": sizes | {"features": FEATURES, "units": UNITS, "mostSteps": 8},
        "tensors": {name: packed(value) for name, value in nca.state_dict().items()},
        "target": packed(cells_first(target[0])),
        "overflow": OVERFLOW,
        "samples": [s | {"start": packed(cells_first(s["start"][0]))} for s in samples],
        **more,
    }


def furthest(ours, theirs):
    """The largest difference, of the largest number."""
    return float((ours - theirs).abs().max() / theirs.abs().max())


@pytest.mark.parametrize("fast", [True, False])
def test_gradients_are_those_of_pytorch(nca, node, fast):
    """Of every tensor, over several steps, with cells that are born, die, and lie at the edge."""
    target, samples = torch.rand(1, 4, HEIGHT, WIDTH), samples_of(nca)
    answer = node(**job_of(nca, samples, target, fast=fast))
    nca.double()
    ends, parts, whole = torch_losses(nca, samples, target.double())
    whole.backward()
    for end, given in zip(ends, answer["ends"], strict=True):
        ours = unpacked(given, (HEIGHT, WIDTH, CHANNELS)).double()
        assert furthest(ours, cells_first(end[0].detach())) < 1e-5
        alive = (end[:, 3] > 0.1).float().mean()
        assert 0.05 < alive < 0.95, "the test wants living cells and dead ones"
    for (square, outside), given in zip(parts, answer["losses"], strict=True):
        assert given["square"] == pytest.approx(float(square), rel=1e-5)
        assert given["outside"] == pytest.approx(float(outside), rel=1e-5)
        assert outside > 0, "the test wants numbers outside their range"
    for name, parameter in nca.named_parameters():
        ours = unpacked(answer["gradients"][name], parameter.shape).double()
        assert parameter.grad.abs().max() > 0
        assert furthest(ours, parameter.grad) < 1e-5, name


@pytest.mark.parametrize("normalise", [False, True])
def test_updates_are_those_of_adam(nca, node, normalise):
    """Three of them, each from the weights that the one before made."""
    target, samples = torch.rand(1, 4, HEIGHT, WIDTH), samples_of(nca)
    rate = 2e-3
    before = {name: value.clone() for name, value in nca.state_dict().items()}
    job = job_of(nca, samples, target, fast=True, updates=3, rate=rate, normalise=normalise)
    answer = node(**job)
    nca.double()
    adam = torch.optim.Adam(nca.parameters(), lr=rate)
    for _ in range(3):
        adam.zero_grad()
        torch_losses(nca, samples, target.double())[2].backward()
        if normalise:
            for parameter in nca.parameters():
                parameter.grad = F.normalize(parameter.grad.flatten(), dim=0).view_as(parameter)
        adam.step()
    for name, parameter in nca.named_parameters():
        moved = parameter.detach() - before[name]
        ours = unpacked(answer["weights"][name], parameter.shape).double() - before[name]
        assert moved.abs().max() > rate
        assert furthest(ours, moved) < 1e-3, name


def orthogonal(matrix):
    """Newton–Schulz, as torch.optim.Muon, which rounds to bfloat16 and cannot serve here."""
    wide = matrix if matrix.shape[0] <= matrix.shape[1] else matrix.T
    x = wide / wide.norm()
    for _ in range(5):
        gram = x @ x.T
        x = 3.4445 * x + (-4.775 * gram + 2.0315 * gram @ gram) @ x
    return x if wide is matrix else x.T


def test_updates_are_those_of_muon(nca, node):
    """And roughly those of PyTorch's own."""
    target, samples = torch.rand(1, 4, HEIGHT, WIDTH), samples_of(nca)
    rate, bias_rate = 0.012, 2e-3
    before = {name: value.double().clone() for name, value in nca.state_dict().items()}
    job = job_of(nca, samples, target, fast=True, updates=3, muon=True)
    answer = node(**job, rate=rate, biasRate=bias_rate)
    nca.double()
    matrices = {n: p for n, p in nca.named_parameters() if p.ndim > 1}
    views = {n: p.detach().view(len(p), -1) for n, p in matrices.items()}
    theirs = {n: view.clone() for n, view in views.items()}  # moved by PyTorch's, of our gradients
    muon = torch.optim.Muon([*theirs.values()], lr=rate, weight_decay=0)
    adam = torch.optim.Adam([p for p in nca.parameters() if p.ndim == 1], lr=bias_rate)
    means = {name: torch.zeros_like(view) for name, view in views.items()}
    for _ in range(3):
        nca.zero_grad()
        torch_losses(nca, samples, target.double())[2].backward()
        for name, view in views.items():
            slope = matrices[name].grad.view_as(view)
            theirs[name].grad = slope.clone()
            means[name].lerp_(slope, 0.05)
            step = rate * max(1, view.shape[0] / view.shape[1]) ** 0.5
            view.sub_(step * orthogonal(slope.lerp(means[name], 0.95)))
        muon.step()
        adam.step()
    for name, parameter in nca.named_parameters():
        moved = parameter.detach() - before[name]
        ours = unpacked(answer["weights"][name], parameter.shape).double() - before[name]
        assert furthest(ours, moved) < 1e-3, name
        if name in theirs:
            other = theirs[name].view_as(moved) - before[name]
            assert furthest(ours, other) < 0.1, name


def test_a_short_training_lowers_the_loss(node):
    """A tenth of what a reader waits for; and nothing is skipped."""
    picture = emoji("🐠", 12, 2)
    job = {"height": 16, "width": 16, "rgba": packed(cells_first(picture))}
    settings = {"channels": 12, "features": 24, "units": 24, "steps": [12, 16]}
    answer = node(kind="learn", picture=job, settings=settings, iterations=100)
    losses = answer["losses"]
    assert answer["skipped"] == 0
    assert np.mean(losses[-10:]) < 0.5 * np.mean(losses[:5])


def test_what_was_learned_is_the_same_in_pytorch_and_in_the_live_figure(node, tmp_path):
    """The saved file, and the weights that the book's player is given."""
    picture = emoji("🐠", 12, 2)
    size = dict(zip(("channels", "features", "units"), SIZES["small"], strict=True))
    given = json.loads(
        html.unescape(trainer_figure({"fish": emoji("🐠", 12, 0)}, margin=2).split('"')[3])
    )
    chosen = next(s for s in given["sizes"] if s["features"] == size["features"])
    answer = node(
        kind="save",
        picture={"height": 16, "width": 16, "rgba": packed(cells_first(picture))},
        settings=size | {"steps": [8, 12]},
        iterations=30,
        steps=20,
        description=chosen["description"],
        parts=chosen["parts"],
    )
    path = tmp_path / "weights.safetensors"
    path.write_bytes(base64.b64decode(answer["file"]))
    nca = load_trained(path)
    assert nca.layout.channels == size["channels"]
    sample = {"start": centre_seed(nca.layout, 16, 16), "steps": 20, "seed": answer["coins"]}
    with torch.no_grad():
        state = rolled(nca, sample | {"ring": True, "first": 0}, (16, 16))
    ours = unpacked(answer["state"], (16, 16, size["channels"]))
    assert (ours - cells_first(state[0])).abs().max() < 1e-4
    description, weights = describe(nca, 16, 16, title=chosen["description"]["title"], ring=True)
    assert description == chosen["description"]
    assert base64.b64decode(answer["live"]) == weights


def test_a_file_of_another_kind_is_refused(tmp_path):
    path = tmp_path / "weights.safetensors"
    save_tensors(path, {"a": torch.zeros(2)}, {"format": "another"})
    with pytest.raises(CorruptFileError, match="trained in the page"):
        load_trained(path)


def test_the_example_grows_a_fish():
    """What the chapter loads, recognisably: a tenth of the distance of an empty grid."""
    nca, picture = load_trained(EXAMPLE), emoji("🐠", 24, 4)[None]
    seed = centre_seed(nca.layout, 32, 32)
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        state = nca.rollout(seed, 64, generator=generator, ring=True)
    assert visible_mse(state, picture, nca.layout) < 0.1 * picture.square().mean()


@pytest.mark.parametrize("pictures", [{}, {"a": torch.zeros(3, 4, 4)}, {"a": torch.zeros(4, 4, 5)}])
def test_pictures_that_are_none_are_refused(pictures):
    with pytest.raises(ValueError, match="expected some"):
        trainer_figure(pictures)
