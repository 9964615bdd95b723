"""Textures: files of every kind become the right pixels, and the losses are what they claim."""

import json
import math
from copy import deepcopy
from dataclasses import replace

import numpy as np
import pytest
import torch
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from ncabook import cli, zoo
from ncabook.automaton import NCA, ChannelLayout, ConvPerception, MLPUpdate
from ncabook.data.registry import DataUnavailableError
from ncabook.data.texture import COMPUTED, DTD, best_square, periodic, texture
from ncabook.data.weights import VGG16, vgg16_features
from ncabook.evaluation import texture as evaluation
from ncabook.evaluation.retrieval import Gallery, gallery, texture_features
from ncabook.evaluation.texture import TextureProtocol, evaluate_texture
from ncabook.experiments import load_experiment, runner
from ncabook.files import CorruptFileError
from ncabook.reading import ConfigError
from ncabook.tasks import TextureExperiment, build_network
from ncabook.tasks.fine_texture import FineTextureData
from ncabook.tasks.texture import TextureTask
from ncabook.training.style import (
    LAYERS,
    GramDifference,
    SlicedTransport,
    VGGFeatures,
    style_loss,
)
from ncabook.training.texture import TextureLearner, check, gray_canvas

SHORT = TextureProtocol(
    canvases=3,
    short=(2, 4),
    grown=5,
    final=9,
    every=2,
    long=(7, 10),
    long_canvases=2,
    elsewhere=((64, 72),),
    projections=4,
)
TINY = {
    "task": "texture",
    "name": "tiny",
    "title": "Tiny",
    "data": {"name": "woven", "size": 64},
    "model": {
        "hidden_channels": 3,
        "perception": {"kind": "conv", "features": 8},
        "update": {"kind": "mlp", "hidden": [8]},
        "living_threshold": None,
    },
    "training": {
        "iterations": 3,
        "batch": 4,
        "steps": {"min": 2, "max": 3},
        "optimizer": {"kind": "adam", "learning_rate": 0.002},
        "warmup": 1,
        "projections": 4,
        "pool": {"capacity": 8, "delay": 0, "ratio": 0.75, "mutation": 0.0, "damage": 0.34},
        "checkpoint_every": 2,
    },
}


@pytest.fixture(scope="module")
def small_vgg():
    """VGG16's layers, a sixteenth as wide, with random weights: for what needs no meaning."""
    torch.manual_seed(0)
    widths = {0: 4, 2: 4, 5: 8, 7: 8, 10: 16, 12: 16, 14: 16, 17: 32}
    weights, into = {}, 3
    for layer, out in widths.items():
        weights[f"{layer}.weight"] = torch.randn(out, into, 3, 3) * (2 / (9 * into)) ** 0.5
        weights[f"{layer}.bias"] = 0.1 * torch.randn(out)
        into = out
    return weights


@pytest.fixture
def real_vgg(small_vgg, monkeypatch):
    """The module's own VGG16 is replaced by the small one."""
    monkeypatch.setattr("ncabook.training.style.vgg16_features", lambda: small_vgg)


def test_what_is_no_texture(tmp_path):
    with pytest.raises(ValueError, match="there is no texture"):
        texture("x" * 5000, 64)
    path = tmp_path / "picture.png"
    Image.new("RGB", (40, 24)).save(path)
    with pytest.raises(ValueError, match="has 40×24 pixels; a texture of 64×64 needs as many"):
        texture(str(path), 64)
    with pytest.raises(ValueError, match="no texture 'velvet'; expected an image file or one of"):
        texture("velvet", 64)
    with pytest.raises(ValueError, match="size is 0"):
        texture("woven", 0)


@pytest.mark.parametrize("name", COMPUTED)
def test_computed_textures_close_on_a_torus(name):
    """Their seam is no larger a jump than those inside."""
    image = texture(name, 96)
    assert image.shape == (3, 96, 96)
    assert image.min() >= 0
    assert image.max() <= 1
    assert image.std() > 0.1
    for dim in (1, 2):
        jumps = (image - image.roll(1, dim)).abs().mean((0, 3 - dim))
        assert jumps[0] <= jumps[1:].max() + 1e-6


@pytest.mark.parametrize("name", DTD)
def test_photographs(name):
    """They are bytes, and their seams no larger a jump than what they have inside."""
    try:
        image = texture(name, 128)
    except DataUnavailableError as error:
        pytest.skip(str(error))
    assert image.shape == (3, 128, 128)
    assert torch.equal((255 * image).round() / 255, image)
    for dim in (1, 2):
        jumps = (image - image.roll(1, dim)).abs().mean((0, 3 - dim))
        assert jumps[0] <= 1.1 * jumps[1:].max()


def test_without_network_a_photograph_says_what_is_missing(tmp_path, monkeypatch):
    monkeypatch.setenv("NCABOOK_DATA", str(tmp_path))
    monkeypatch.setenv("NCABOOK_CACHE", str(tmp_path / "cache"))

    def unreachable(*_, **__):
        raise OSError("no route to host")

    monkeypatch.setattr("torchvision.datasets.DTD", unreachable)
    with pytest.raises(DataUnavailableError, match=r"lacelike_0004 of DTD \(600 MB.*voronoi"):
        texture("lacelike_0004", 64)
    monkeypatch.setattr("torchvision.datasets.DTD", lambda *_, **__: None)  # an empty one is there
    with pytest.raises(DataUnavailableError, match="the download lacks it.*delete .*dtd if a"):
        texture("lacelike_0004", 64)
    broken = tmp_path / "dtd" / "images" / "lacelike" / "lacelike_0004.jpg"
    broken.parent.mkdir(parents=True)
    broken.write_bytes(b"no picture")
    with pytest.raises(CorruptFileError, match="is corrupt.*delete it to have it downloaded"):
        texture("lacelike_0004", 64)


def test_the_best_square_finds_the_period():
    """Of a chequerboard with noise, a square with an even number of tiles; not the largest one."""
    y, x = torch.meshgrid(torch.arange(110), torch.arange(120), indexing="ij")
    board = ((y // 10 + x // 10) % 2).float().expand(3, -1, -1)
    noisy = board + 0.05 * torch.rand(3, 110, 120, generator=torch.Generator().manual_seed(0))
    top, left, side = best_square(noisy.clamp(0, 1))
    assert 76 <= side <= 110
    assert top + side <= 110
    assert left + side <= 120
    assert min(side % 20, 20 - side % 20) <= 2  # the whole of it, 110, would be 10 away
    assert best_square(torch.zeros(3, 7, 9), least=7) == (0, 1, 7)


@settings(max_examples=20, deadline=None)
@given(st.integers(2, 9), st.integers(2, 9), st.integers(0, 2**31))
def test_periodic_component(height, width, seed):
    """A periodic image is its own; and what is taken away is harmonic inside."""
    generator = torch.Generator().manual_seed(seed)
    image = torch.rand(3, height, width, generator=generator)
    image[:, -1] = image[:, 0]
    image[:, :, -1] = image[:, :, 0]  # no jump between the edges: nothing to take away
    jumps = (image[:, 0] - image[:, -1]).abs().max() + (
        image[:, :, 0] - image[:, :, -1]
    ).abs().max()
    if jumps == 0:
        assert torch.allclose(periodic(image), image, atol=1e-5)
    other = torch.rand(3, height, width, generator=generator)
    smooth = (other - periodic(other)).double()
    inner = sum(smooth.roll(s, d) for s in (1, -1) for d in (1, 2)) - 4 * smooth
    assert inner[:, 1:-1, 1:-1].abs().max() < 1e-5 if min(height, width) > 2 else True


@pytest.mark.parametrize("kind", ["transport", "gram"])
def test_a_style_is_that_of_itself_rolled_but_not_shuffled(real_vgg, kind):
    image = texture("voronoi", 64)
    measure = style_loss(image, kind, 16)

    def of(*images):
        return measure(torch.stack(images), torch.Generator().manual_seed(0))

    order = torch.randperm(64 * 64, generator=torch.Generator().manual_seed(0))
    shuffled = image.flatten(1)[:, order].view_as(image)
    same, rolled, other = of(image, image.roll((16, 24), (1, 2)), shuffled)
    assert same < 1e-10  # not 0: a product's rounding may depend on the size of the batch
    assert rolled < 1e-9
    assert other > 0.01


def test_transport_in_one_dimension_is_known():
    """Between two uniform distributions a distance d apart, the cost is d² for each direction."""
    places = torch.rand(1, 50, generator=torch.Generator().manual_seed(0))
    order = torch.randperm(50, generator=torch.Generator().manual_seed(1))
    transport = SlicedTransport([places], projections=3)
    moved = places[None, :, order] + 0.25
    cost = transport([moved], torch.Generator().manual_seed(2))
    assert cost.item() == pytest.approx(0.25**2 / places.square().mean().item(), rel=1e-5)


def test_transport_compares_canvases_of_other_sizes_at_equal_quantiles():
    values = torch.linspace(0, 1, 101)[None]
    fewer = torch.linspace(0, 1, 26)[None, None]
    cost = SlicedTransport([values], 2)([fewer], torch.Generator().manual_seed(0))
    assert cost.item() < 1e-3


def test_gram_is_the_second_moment():
    target, mine = torch.randn(2, 3, 40).double()
    difference = GramDifference([target.float()])([mine[None].float()])
    wanted = np.cov(target, bias=True) + np.outer(target.mean(1), target.mean(1))
    found = np.cov(mine, bias=True) + np.outer(mine.mean(1), mine.mean(1))
    reference = ((wanted - found) ** 2).mean() / (wanted**2).mean()
    assert difference.item() == pytest.approx(reference, rel=1e-4)


def test_features_are_those_of_torchvision(small_vgg):
    """Inside, where wrapping and zeros at the border make no difference."""
    layers, into = [], 3
    for i in range(LAYERS[-1] + 1):
        if f"{i}.weight" in small_vgg:
            out = len(small_vgg[f"{i}.bias"])
            layer = torch.nn.Conv2d(into, out, 3, padding=1)
            layer.load_state_dict({k: small_vgg[f"{i}.{k}"] for k in ("weight", "bias")})
            into = out
        else:
            layer = torch.nn.MaxPool2d(2) if i in (4, 9, 16) else torch.nn.ReLU()
        layers.append(layer)
    mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    image = torch.rand(1, 3, 128, 128, generator=torch.Generator().manual_seed(0))
    x = (image - mean[:, None, None]) / std[:, None, None]
    found = VGGFeatures(small_vgg)(image)
    with torch.no_grad():
        for i, layer in enumerate(layers):
            x = layer(x)
            if i in LAYERS:
                mine = found[LAYERS.index(i)].view_as(x)
                edge = x.shape[-1] * 5 // 16
                inner = slice(edge, -edge)
                assert torch.allclose(mine[..., inner, inner], x[..., inner, inner], atol=1e-4)


def test_canvases_that_cannot_be_measured(small_vgg):
    for target in (torch.rand(64, 64), torch.zeros(3, 64, 64, dtype=torch.uint8)):
        with pytest.raises(ValueError, match=r"expected RGB, \[3, height, width\]"):
            style_loss(target, "gram", 1)
    with pytest.raises(ValueError, match="style loss 'colour'; expected transport or gram"):
        style_loss(torch.rand(3, 64, 64), "colour", 1)
    vgg = VGGFeatures(small_vgg)
    with pytest.raises(ValueError, match="72×40 is smaller than the 60 pixels that a unit"):
        vgg(torch.rand(1, 3, 40, 72))
    with pytest.raises(ValueError, match="68×64; expected sides divisible by 8"):
        vgg(torch.rand(1, 3, 64, 68))
    with pytest.raises(ValueError, match="projections is 0"):
        SlicedTransport([], 0)


def rule(**changes):
    """One that changes nothing."""
    layout = ChannelLayout(**({"visible": 3, "hidden": 3} | changes))
    update = MLPUpdate(8, layout.channels, [8])
    torch.nn.init.zeros_(update.layers[-1].weight)
    torch.nn.init.zeros_(update.layers[-1].bias)
    return NCA(layout, ConvPerception(layout.channels, 8), update, living_threshold=None)


def test_automata_that_cannot_cover_a_canvas():
    with pytest.raises(ValueError, match="expected three visible channels"):
        check(rule(visible=4))
    with pytest.raises(ValueError, match="expected three visible channels"):
        check(rule(classes=2))
    mortal = rule()
    mortal.living_threshold = 0.1
    with pytest.raises(ValueError, match="expected living_threshold None"):
        check(mortal)


def test_a_rule_that_does_nothing_is_as_far_as_gray(real_vgg):
    """And recovers nothing: black halves stay black."""
    nca, target = rule(), texture("dotted", 64)
    metrics = evaluate_texture(nca, target, SHORT)
    measure = style_loss(target, "transport", SHORT.projections)
    gray = measure(gray_canvas(nca, 64, 64)[:, :3], torch.Generator().manual_seed(0))
    assert metrics["grown"] == pytest.approx(gray.item(), rel=1e-5)
    assert metrics["short"] == pytest.approx(gray.item(), rel=1e-5)
    for half in ("horizontal", "vertical"):
        assert metrics[half]["recovery"] == pytest.approx(0, abs=1e-3)
    assert set(metrics["alive"]) == {"7", "10"}
    assert metrics["alive"]["10"]["change"] == 0
    assert metrics["curves"]["grown"]["steps"] == [0, 2, 4, 5]
    assert metrics["curves"]["vertical"]["steps"] == [0, 2, 4]


class Aging(NCA):
    """Every channel of the i-th canvas grows by 1 + i in a step: its values tell its age."""

    def __init__(self):
        same = rule()
        super().__init__(same.layout, same.perception, same.update, living_threshold=None)

    def rollout(self, state, steps, generator=None):
        assert steps > 0
        return state + steps * (1 + torch.arange(len(state)))[:, None, None, None]


def test_a_texture_is_looked_at_when_the_protocol_says(monkeypatch):
    """The distance is replaced by the mean of the visible channels, so by the age."""
    kinds = []

    def style(target, kind, projections, device):
        kinds.append((kind, projections))
        return lambda image, generator: image.mean((1, 2, 3))

    monkeypatch.setattr(evaluation, "style_loss", style)
    target = torch.rand(3, 64, 72, generator=torch.Generator().manual_seed(0))
    asked = []

    class Asked:
        def ranks(self, images, wanted, name):
            assert torch.equal(wanted, target)
            asked.append((len(images), name))
            return {"ranks": [1] * len(images), "nearest": [name] * len(images), "of": 3}

    metrics = evaluate_texture(Aging(), target, SHORT, photographs=Asked(), name="aged")
    assert asked == [(3, "aged"), (2, "aged")]
    assert [*metrics["retrieval"]] == ["5", "10"]
    assert kinds == [("transport", SHORT.projections)]
    speed = torch.tensor([1.0, 2, 3])
    start, grown = 0.5, 0.5 + 5 * speed  # gray; three canvases at step 5
    assert metrics["short"] == pytest.approx(start + 3 * 2)  # steps 2 and 4
    assert metrics["grown"] == pytest.approx(float(grown.mean()))
    assert metrics["shuffled"] == pytest.approx(float(target.mean()), rel=1e-4)
    curve = metrics["curves"]["grown"]
    assert curve["steps"] == [0, 2, 4, 5]
    for name, v in (("least", 1), ("mean", 2), ("greatest", 3)):
        assert curve[name] == pytest.approx([start + v * t for t in curve["steps"]])
    for half in ("horizontal", "vertical"):
        found = metrics[half]
        assert found["damaged"] == pytest.approx(float(grown.mean()) / 2)
        assert found["final"] == pytest.approx(float(grown.mean()) / 2 + 2 * 4)
        wanted = 100 * 8 / (float(grown.mean()) / 2)
        assert found["recovery"] == pytest.approx(wanted)
        low, high = found["recovery_interval"]
        assert low <= wanted <= high
        assert metrics["curves"][half]["steps"] == [0, 2, 4]
        assert metrics["curves"][half]["mean"] == pytest.approx(
            [float(grown.mean()) / 2 + 2 * t for t in (0, 2, 4)]
        )
    for step in (7, 10):  # of the first two canvases
        state = (
            0.5 + step * speed[:2],
            step * speed[:2],
        )  # visible channels begin gray, all others 0
        found = metrics["alive"][str(step)]
        assert found["style"] == pytest.approx(float(state[0].mean()))
        square = sum(part.square().mean() for part in state) / 2
        assert found["channels"] == pytest.approx(float(square.sqrt()))
        assert found["change"] == pytest.approx(float(speed[:2].square().mean().sqrt()))
    assert metrics["elsewhere"] == {"64×72": pytest.approx(5.5)}


@pytest.mark.parametrize("half", ["horizontal", "vertical"])
def test_the_half_that_is_erased_is_the_one_that_is_named(real_vgg, monkeypatch, half):
    """A rule that can repaint right halves only recovers from the first damage alone; so below."""
    nca, target = rule(), texture("dotted", 64)
    right = (slice(None), slice(None), slice(None), slice(32, None))
    place = right if half == "horizontal" else (*right[:2], slice(32, None))
    painted = torch.cat([target, torch.ones_like(target)])[None]
    seen = []

    def rollout(state, steps, generator=None):
        gray = torch.equal(state, gray_canvas(nca, *state.shape[2:], len(state)))
        if gray:
            return painted[..., : state.shape[2], : state.shape[3]].expand(len(state), -1, -1, -1)
        seen.append(state)
        state = state.clone()
        state[place] = painted.expand_as(state)[place]
        return state

    monkeypatch.setattr(nca, "rollout", rollout)
    rules = replace(SHORT, elsewhere=())
    metrics = evaluate_texture(nca, target, rules)
    other = {"horizontal": "vertical", "vertical": "horizontal"}[half]
    assert metrics["grown"] == pytest.approx(0, abs=1e-6)
    assert metrics[half]["recovery"] == pytest.approx(100, abs=0.1)
    assert metrics[other]["recovery"] < 90
    assert any(not state[place].any() for state in seen), "hidden channels are erased, too"


def write(tmp_path, **changes):
    path = tmp_path / "tiny.yaml"
    path.write_text(yaml.safe_dump(TINY | changes), encoding="utf-8")
    return path


def test_a_whole_life(tmp_path, real_vgg, monkeypatch):
    """Trained, resumed to the same weights, measured, reported, shown."""
    monkeypatch.setattr(evaluation, "TextureProtocol", lambda: SHORT)
    known = Gallery(("a", "b"), texture_features(torch.rand(2, 3, 64, 64)))
    monkeypatch.setattr("ncabook.tasks.texture.gallery", lambda size: known)
    experiment = load_experiment(write(tmp_path))
    assert isinstance(experiment, TextureExperiment)
    card = runner.train(experiment, tmp_path / "run", progress=False)
    assert card.parameters == 6 * 9 * 8 + 8 + 8 * 8 + 8 + 8 * 6 + 6
    half = tmp_path / "half"
    loop, _ = runner.prepare(experiment, half, "cpu")
    loop.step()
    loop.save()
    runner.train(experiment, half, resume=True, progress=False)
    model, resumed = zoo.load(str(tmp_path / "run")), zoo.load(str(half)).nca.state_dict()
    assert model.targets is None
    assert all(torch.equal(resumed[k], v) for k, v in model.nca.state_dict().items())

    metrics = runner.evaluate_model(str(tmp_path / "run"), save=True)
    assert zoo.read_card(tmp_path / "run").metrics == json.loads(json.dumps(metrics))
    text = TextureTask().report(metrics).text()
    assert "right half erased" in text
    assert "canvas 64×72" in text
    assert "rank among 3 photographs" in text
    page = tmp_path / "woven.html"
    cli.export(str(tmp_path / "run"), html=page)
    assert "nca-figure" in page.read_text("utf-8")


def test_a_photograph_of_ones_own(tmp_path, real_vgg):
    """By its path; what was trained from it is loaded and shown where the file is not."""
    photograph = tmp_path / "wall.png"
    pixels = np.random.default_rng(0).integers(0, 256, (80, 96, 3), np.uint8)
    Image.fromarray(pixels).save(photograph)
    data = {"name": str(photograph), "size": 64}
    experiment = load_experiment(write(tmp_path, data=data))
    assert torch.equal(experiment.data.build(), texture(str(photograph), 64))
    fine = FineTextureData(**data, cells=16)
    assert torch.equal(fine.build(), experiment.data.build())
    runner.train(experiment, tmp_path / "run", progress=False)
    photograph.unlink()
    model = zoo.load(str(tmp_path / "run"))
    assert model.live()["width"] == 64
    cli.export(str(tmp_path / "run"), html=tmp_path / "wall.html")
    with pytest.raises(ValueError, match=r"no texture '.*wall.png'; expected an image") as caught:
        runner.evaluate_model(str(tmp_path / "run"))
    assert "\n" not in str(caught.value)
    with pytest.raises(ValueError, match=r"no texture '.*wall.png'; expected an image"):
        runner.train(experiment, tmp_path / "again", progress=False)
    assert not (tmp_path / "again").exists()


def test_a_second_stage_goes_on_on_smaller_canvases(real_vgg, tmp_path):
    """It begins at the first one's weights; its canvases are as large as it says."""
    first = TextureExperiment.model_validate(TINY | {"data": {"name": "woven", "size": 72}})
    runner.train(first, tmp_path / "one", progress=False)
    training = {"canvas": 64, "optimizer": {"kind": "adam", "learning_rate": 1e-12}}
    content = first.model_dump() | {
        "start_from": str(tmp_path / "one"),
        "training": TINY["training"] | training,
    }
    second = TextureExperiment.model_validate(content)
    runner.train(second, tmp_path / "two", progress=False)
    one, two = (zoo.load(str(tmp_path / name)) for name in ("one", "two"))
    for a, b in zip(one.nca.parameters(), two.nca.parameters(), strict=True):
        assert torch.allclose(a, b, atol=1e-6)
    assert two.card.training["started_from"]["weights_sha256"] == one.card.weights_sha256
    run = TextureLearner(two.nca, texture("woven", 72), second.training, 0)
    run.step(1.0)
    assert run.pool.samples["state"].shape[2:] == (64, 64)


def test_parts_of_a_batch_see_the_same_directions(real_vgg):
    """How a batch is split changes nothing but rounding."""
    experiment = TextureExperiment.model_validate(TINY)
    losses = []
    for parts in (1, 2):
        config = experiment.training.model_copy(update={"accumulation": parts})
        torch.manual_seed(0)
        run = TextureLearner(build_network(experiment), texture("woven", 64), config, 0)
        losses.append([run.step(1.0)["loss"] for _ in range(4)])
    assert losses[0] == pytest.approx(losses[1], rel=1e-4)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"data": {"name": "velvet", "size": 64}},
            "data.name: expected an image file or one of striped",
        ),
        ({"data": {"name": "woven", "size": 40}}, "data.size: Input should be greater than"),
        ({"data": {"name": "woven", "size": 65}}, "data.size: Input should be a multiple of 8"),
        (
            {"model": TINY["model"] | {"living_threshold": 0.1}},
            "a texture has no dead cells; set model.living_threshold to null",
        ),
        (
            {"training": TINY["training"] | {"pool": TINY["training"]["pool"] | {"mutation": 0.5}}},
            "pool.mutation needs classes, and a texture has one style",
        ),
        ({"training": TINY["training"] | {"style": "colour"}}, "training.style: Input should be"),
        ({"training": TINY["training"] | {"canvas": 56}}, "training.canvas: Input should be great"),
    ],
    ids=str,
)
def test_mistakes_are_one_line(tmp_path, changes, message):
    with pytest.raises(ConfigError, match=message) as caught:
        load_experiment(write(tmp_path, **changes))
    assert "\n" not in str(caught.value)


def test_real_vgg16_tells_textures_apart():
    """With the weights that the book uses, each texture is nearest to itself."""
    if VGG16.find(*VGG16.files) is None:
        pytest.skip("VGG16's weights are not here")
    images = {name: texture(name, 64) for name in COMPUTED}
    for name, target in images.items():
        measure = style_loss(target, "transport", 16)
        found = {
            other: measure(image[None], torch.Generator().manual_seed(0)).item()
            for other, image in images.items()
        }
        assert min(found, key=found.get) == name
        assert found[name] == 0
        assert sorted(found.values())[1] > 0.1


@pytest.mark.parametrize("size", [1.5, 0, float("nan")])
def test_a_size_is_a_whole_number(size):
    with pytest.raises(ValueError, match=r"size is .*; expected a whole number ≥ 1"):
        texture("woven", size)


def test_a_name_longer_than_names_can_be_is_no_file():
    with pytest.raises(ValueError, match="there is no texture"):
        texture("x" * 300, 64)


def test_vgg16_lacks_no_layer(small_vgg):
    with pytest.raises(ValueError, match="without layer 17"):
        VGGFeatures({k: v for k, v in small_vgg.items() if not k.startswith("17")})
    with pytest.raises(ValueError, match="without layer 0"):
        VGGFeatures({})


@pytest.mark.parametrize("fill", [255.0, float("nan")])
def test_a_target_is_a_picture(fill, real_vgg):
    with pytest.raises(ValueError, match=r"expected RGB in \[0, 1\]"):
        style_loss(torch.full((3, 64, 64), fill), "transport", 2)


def test_a_wrong_file_in_torchs_cache_is_refused(tmp_path, monkeypatch):
    """It may be cut off, or another's; unpickling it would be the wrong way to find out."""
    monkeypatch.setenv("NCABOOK_DATA", str(tmp_path))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    cached = tmp_path / "hub/checkpoints/vgg16-397923af.pth"
    cached.parent.mkdir(parents=True)
    cached.write_bytes(b"<html>no</html>")
    with pytest.raises(CorruptFileError, match="does not begin with 397923af; delete it"):
        vgg16_features()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"short": (54, 32)}, "expected 0 ≤ first ≤ last ≤ grown < final"),
        ({"short": (2, 200)}, "expected 0 ≤ first ≤ last ≤ grown < final"),
        ({"final": 100}, "expected 0 ≤ first ≤ last ≤ grown < final"),
        ({"long": (100,)}, "expected rising steps after 150"),
        ({"long": (2000, 1000)}, "expected rising steps after 150"),
        ({"elsewhere": ((65, 64),)}, "elsewhere has 65×64"),
        ({"every": 0}, "every is 0"),
        ({"long_canvases": 0}, "long_canvases is 0"),
    ],
)
def test_a_protocol_that_cannot_be_followed(change, message):
    with pytest.raises(ValueError, match=message):
        TextureProtocol(**change)


def test_a_canvas_that_exploded_is_said_to():
    """Its style is no number to compare; a dash alone would look as if nobody had measured."""
    metrics = deepcopy(zoo.read_card(zoo.find("bubbly-conv3")).metrics)
    assert "exploded" not in TextureTask().report(metrics).text()
    for style in (None, math.nan, 1e7):
        metrics["alive"]["10000"]["style"] = style
        report = TextureTask().report(metrics)
        assert report["alive.10000.style"].value is None
        assert report.text().endswith("step 10,000: exploded")


def test_a_photograph_is_told_from_others_whatever_part_of_it_is_seen():
    """Rolled, mirrored or noisy it is nearest to itself; without its structure it is not."""
    photographs = gallery(64)
    assert len(set(photographs.names)) == len(photographs.names) == 77
    noise = 0.05 * torch.randn(3, 64, 64, generator=torch.Generator().manual_seed(0))
    order = torch.randperm(64 * 64, generator=torch.Generator().manual_seed(0))
    for name in DTD:
        target = texture(name, 64)
        changed = [target.roll((20, 9), (1, 2)), target.flip(2), (target + noise).clamp(0, 1)]
        shuffled = target.flatten(1)[:, order].view_as(target)
        found = photographs.ranks(torch.stack([*changed, shuffled]), target, name)
        assert found["of"] == 77
        assert found["ranks"][:3] == [1, 1, 1]
        assert found["nearest"][:3] == [name] * 3
        assert found["ranks"][3] > 1
        assert found["nearest"][3] != name


def test_a_target_of_ones_own_is_one_photograph_more():
    target = torch.rand(3, 64, 64, generator=torch.Generator().manual_seed(0))
    known = Gallery(("a", "b"), texture_features(torch.zeros(2, 3, 64, 64)))
    found = known.ranks(target[None], target, "mine")
    assert found == {"ranks": [1], "nearest": ["mine"], "of": 3}
