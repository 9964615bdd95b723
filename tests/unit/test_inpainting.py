"""Filling holes in latents: what is known and stays so, old states with new holes, what counts."""

import pytest
import torch
import torch.nn.functional as F
from typer.testing import CliRunner

from ncabook import cli, zoo
from ncabook.automaton import NCA, ChannelLayout, ConvPerception, MLPUpdate
from ncabook.data.drawn_faces import drawn_faces
from ncabook.data.faces import FEATURES
from ncabook.evaluation import fillings
from ncabook.evaluation import inpainting as evaluation
from ncabook.evaluation.by_size import groups
from ncabook.evaluation.features import features_seen, own_errors, smooth, soft, train_judge
from ncabook.evaluation.filling import Filling
from ncabook.evaluation.fillings import biharmonic, scores, simple_fillers, ssim_map
from ncabook.evaluation.inpainting import (
    InpaintingProtocol,
    evaluate_inpainting,
    protocol_holes,
)
from ncabook.evaluation.inpainting_further import again, evaluate_further, larger, moving, near
from ncabook.evaluation.perceptual import lpips_distance, lpips_map
from ncabook.experiments import runner
from ncabook.live import describe
from ncabook.networks import VQVAE, UNet
from ncabook.reading import ConfigError
from ncabook.tasks import autoencoder as autoencoder_module
from ncabook.tasks import experiment_from, task_of
from ncabook.tasks.inpainting_report import at, further_rows
from ncabook.tasks.report import Report
from ncabook.training import inpainting as training_module
from ncabook.training import inpainting_one_pass as one_pass_module
from ncabook.training.holed import filled, known_map, known_of, start
from ncabook.training.inpainting import InpaintingConfig, InpaintingLearner, balanced
from ncabook.training.inpainting_one_pass import reads
from tests.unit.test_autoencoder import content as autoencoding
from tests.unit.test_pairs import gone_on_with

HEIGHT, WIDTH = 48, 40
QUICK = InpaintingProtocol(pictures=10, steps=(2, 4, 6), look=4, long=8, few=5, batch=5)


def autoencoder(channels=3, latents=3, seed=0):
    torch.manual_seed(seed)
    vqvae = VQVAE(channels, latents, 16, 4, 2)
    vqvae.latent_mean += torch.linspace(-0.3, 0.5, latents)
    vqvae.latent_spread *= torch.linspace(0.2, 2, latents)
    return vqvae


def automaton(known="fixed", latents=3, hidden=2):
    torch.manual_seed(1)
    told = latents + 1 if known == "condition" else 0
    layout = ChannelLayout(latents, hidden, fixed=latents + 1 - told)
    sees = ConvPerception(layout.channels, 8, condition_channels=told)
    return NCA(layout, sees, MLPUpdate(8, latents + hidden, (8,)), living_threshold=None)


def content(autoencoder="x", known="fixed", **training):
    return {
        "name": "toy-inpaint",
        "title": "Toy",
        "task": "inpaint-latent",
        "data": {
            "name": "drawn-faces",
            "side": WIDTH,
            "height": HEIGHT,
            "autoencoder": autoencoder,
        },
        "model": {
            "latent_channels": 3,
            "scale": 4,
            "hidden_channels": 2,
            "known": known,
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
            "holes": {"cells": 0.5},
            "pool": {
                **{"capacity": 8, "delay": 1, "ratio": 0.75, "mutation": 0.34, "damage": 0.34},
                "lead": 3,
            },
            **training,
        },
    }


def learner(known="fixed", vqvae=None, **training):
    config = InpaintingConfig(**content(**training)["training"])
    images = drawn_faces(6, 0, HEIGHT, WIDTH)
    return InpaintingLearner(
        automaton(known), vqvae or autoencoder(), images, known, config, seed=0
    )


@pytest.fixture(autouse=True)
def few(monkeypatch):
    monkeypatch.setattr(autoencoder_module, "DRAWN", {"train": (12, 0), "test": (10, 1)})


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """The folder of an autoencoder of drawn faces, trained for a moment."""
    raw = {
        "name": "toy-vqvae",
        "title": "Toy",
        "task": "autoencode",
        "data": {"name": "drawn-faces", "side": WIDTH, "height": HEIGHT},
        "model": {"latent_channels": 3, "codes": 16, "base": 4, "stages": 2},
        "training": {"iterations": 3, "batch": 4, "learning_rate": 0.003, "warmup": 2},
    }
    folder = tmp_path_factory.mktemp("inpainting") / "vqvae"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(autoencoder_module, "DRAWN", {"train": (12, 0), "test": (10, 1)})
        runner.train(experiment_from(raw, "here"), folder, progress=False, tracker="none")
    return str(folder)


def a_hole(count=1, cells=1):
    """The middle third of the rows; ``cells`` widens it to one more pixel."""
    missing = torch.zeros(count, 1, HEIGHT, WIDTH)
    missing[:, :, 16 : 32 + 1 - cells] = 1
    return missing


# --- what is known -------------------------------------------------------------------------------


def test_what_lies_in_a_hole_is_not_looked_at():
    """Two pictures that differ only there are one to the automaton, to the bit."""
    vqvae, missing = autoencoder(), a_hole(2, cells=0)
    images = torch.rand(1, 3, HEIGHT, WIDTH).repeat(2, 1, 1, 1)
    images[1, :, 18:30] = 0.25
    map_ = known_of(vqvae, images, missing)
    assert torch.equal(map_[0], map_[1])
    assert map_.shape == (2, 4, 12, 10)
    assert not map_[:, :3, 4:8].any()
    assert map_[0, 3, :, 0].tolist() == [0, 0, 0, 0, 1, 1, 1, 1, 0.25, 0, 0, 0]
    assert map_[:, :3, 8].any()


def test_states_begin_as_what_is_known_and_hidden_channels_empty():
    map_ = known_map(torch.randn(2, 3, 12, 10), a_hole(2), 4)
    for known, fixed in (("fixed", 4), ("condition", 0)):
        layout = automaton(known).layout
        assert layout.fixed == fixed
        state = start(layout, map_)
        assert torch.equal(state[:, :fixed], map_[:, :fixed])
        assert torch.equal(state[:, layout.visible_slice], map_[:, :3])
        assert not state[:, fixed + 3 :].any()


def test_what_is_kept_is_shown_as_it_was():
    """Whatever the automaton does to visible channels there; the hole is its own."""
    nca, map_ = automaton(), known_map(torch.randn(1, 3, 12, 10), a_hole(cells=0), 4)
    state = start(nca.layout, map_)
    state[:, nca.layout.fixed :] = 7
    kept = filled(nca.layout, state, "kept")
    missing = map_[:, 3:] > 0
    assert (kept[missing.expand_as(kept)] == 7).all()
    assert torch.equal(kept * ~missing, map_[:, :3] * ~missing)
    assert (filled(nca.layout, state, "fixed") == 7).all()


def test_told_or_fixed_is_the_same_to_convolutions():
    """With the same weights, in another order; what is told is encoded once only."""
    fixed, told = automaton("fixed"), automaton("condition")
    with torch.no_grad():
        weight = fixed.perception.conv.weight
        told.perception.conv.weight.copy_(torch.cat([weight[:, 4:], weight[:, :4]], 1))
        told.perception.conv.bias.copy_(fixed.perception.conv.bias)
        for part in (fixed.update, told.update):
            for parameter in part.parameters():
                parameter.fill_(0.1)
    map_ = known_map(torch.randn(1, 3, 12, 10), a_hole(), 4)
    ends = [
        nca.rollout(
            start(nca.layout, map_), 3, condition, generator=torch.Generator().manual_seed(0)
        )[:, nca.layout.visible_slice]
        for nca, condition in ((fixed, None), (told, map_))
    ]
    assert torch.allclose(*ends, atol=1e-5)


# --- learning ------------------------------------------------------------------------------------


@pytest.mark.parametrize("known", ["fixed", "condition", "kept"])
def test_a_sample_is_a_picture_with_a_hole_in_pixels_or_in_cells(known):
    one = learner(known)
    sample = one.fresh(16)
    assert 0 < sample["by_cells"].sum() < 16
    map_ = sample["known"] if known == "condition" else sample["state"][:, :4]
    assert ("known" in sample) == (known == "condition")
    share = F.avg_pool2d(sample["missing"], 4)
    assert torch.equal(map_[:, 3:], share)
    cells, pixels = sample["by_cells"], ~sample["by_cells"]
    assert set(share[cells].unique().tolist()) == {0.0, 1.0}
    assert ((share[pixels] > 0) & (share[pixels] < 1)).any()
    whole = one.latents(sample)
    assert torch.equal(map_[cells, :3], whole[cells] * (share[cells] < 1))
    images = one.pictures(sample)[pixels]
    again = known_of(one.vqvae, images, sample["missing"][pixels])
    assert torch.allclose(map_[pixels], again, atol=1e-5)


def test_new_holes_are_made_in_old_states():
    """What is under them is gone, the rest stays; what is known is told anew."""
    one = learner(holes={"cells": 0.5, "most": 0.5})
    old = one.fresh(12)
    old["state"][:, 4:] = 7.0
    new = one.hurt({name: values.clone() for name, values in old.items()})
    share = F.avg_pool2d(new["missing"], 4)
    assert torch.equal(new["state"][:, 3:4], share)
    assert (new["missing"].mean((1, 2, 3)) <= 0.5 + 1e-6).all()
    stayed = (new["state"][:, 4:] == 7).all(1, keepdim=True)
    assert stayed.any()
    assert not stayed.all()
    grown = (new["missing"] >= old["missing"]).all(3).all(2).all(1)
    assert grown.any()
    fresh_hole = F.avg_pool2d(new["missing"] - old["missing"], 4) > 0
    assert not (stayed & fresh_hole)[grown].any()
    assert not new["state"][:, 7:][(~stayed).expand(-1, 2, -1, -1)].any()
    for name in ("pair", "mirrored", "by_cells"):
        assert torch.equal(new[name], old[name])


def test_the_hole_counts_as_much_as_it_is_told_to():
    """However large it is: an error of 1 there costs ``inside``, elsewhere the rest."""
    sample = learner().fresh(4)
    share = F.avg_pool2d(sample["missing"], 4)
    sharp = (share > 0.5).float()
    for error, cost in ((sharp, 0.8), (1 - sharp, 0.2), (torch.ones_like(share), 1.0)):
        found = balanced(error.expand(-1, 3, -1, -1), sharp, "mse", 0.8)
        assert found.item() == pytest.approx(cost)
    inside = balanced(torch.ones(1, 3, 4, 4), torch.ones(1, 1, 4, 4), "l1", 0.8)
    assert inside.item() == pytest.approx(0.8)
    outside = balanced(torch.ones(1, 3, 4, 4), torch.zeros(1, 1, 4, 4), "l1", 0.8)
    assert outside.item() == pytest.approx(0.2)


def test_latents_are_compared_first_and_pictures_at_the_end():
    one = learner(decoded=2, pixel_distance="l1", pixel_weight=3.0, latent_weight=0.5)
    one.some = lambda count: torch.tensor([0, 2])
    sample = one.fresh(4)
    film = torch.randn(1, 4, 9, 12, 10, requires_grad=True)
    share = F.avg_pool2d(sample["missing"], 4)
    end = film[-1][:, 4:7]
    apart = balanced(end - one.latents(sample), share, "mse", 0.9)
    assert one.loss(film, sample).item() == pytest.approx(apart.item())
    one.iteration = 4
    made = one.vqvae.pictures(end[::2])  # a fresh sample and an old one
    truth = one.pictures(sample)[::2]
    pixels = balanced(made - truth, sample["missing"][::2], "l1", 0.9)
    expected = 3 * pixels + 0.5 * apart
    loss = one.loss(film, sample)
    assert loss.item() == pytest.approx(expected.item(), rel=1e-5)
    loss.backward()
    assert (film.grad[-1, :, 4:7].abs().sum((1, 2, 3)) > 0).all()
    assert all(p.grad is None for p in one.vqvae.parameters())


def test_features_are_compared_where_it_is_asked_for(monkeypatch):
    """Of the pasted picture: what is made of known pixels costs nothing."""

    class Blurred(torch.nn.Module):
        def forward(self, images):
            return [F.avg_pool2d(images, 4).flatten(2)]

    monkeypatch.setattr(training_module, "VGGFeatures", Blurred)
    one = learner(perceptual=1.0, pixels=1.0, pixel_weight=1e-9)
    sample = one.fresh(2)
    truth = one.latents(sample)
    film = torch.randn(1, 2, 9, 12, 10)
    far = one.loss(film, sample)
    one.vqvae.pictures = lambda latents, quantised: one.pictures(sample)
    assert one.loss(film, sample) == pytest.approx(0, abs=1e-6)
    assert far > 1e-3
    one.vqvae.pictures = lambda latents, quantised: torch.lerp(
        torch.rand_like(one.pictures(sample)), one.pictures(sample), sample["missing"]
    )
    assert one.loss(film, sample) == pytest.approx(0, abs=1e-6)
    assert truth.shape == (2, 3, 12, 10)


@pytest.mark.parametrize("known", ["fixed", "condition", "kept"])
def test_a_training_goes_on_to_the_bit(tmp_path, trained, known):
    """Across the change from latents to pictures, with a pool of holes."""
    experiment = experiment_from(content(trained, known), "here")
    straight, resumed = gone_on_with(experiment, tmp_path)
    assert resumed.weights_sha256 == straight.weights_sha256
    assert straight.training["frozen"]["pictures"]["model"] == trained


def test_it_learns():
    fast = {"kind": "soap", "learning_rate": 0.01}
    one = learner(iterations=80, pixels=0.0, holes={"cells": 1.0}, optimizer=fast)
    losses = [one.step(1.0)["loss"] for _ in range(80)]
    assert sum(losses[-10:]) < 0.7 * sum(losses[:10])


def test_a_bounded_memory_is_checked_before_training():
    """Where a map is told, its cost is counted, too."""
    learner("condition", memory="500MB").check()


# --- what cannot be ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"data": {"height": 52}}, "data.height: Input should be a multiple of 8"),
        ({"model": {"scale": 16}}, "data.side 40 is no multiple of model.scale 16"),
        ({"training": {"holes": {"least": 0.5, "most": 0.2}}}, "holes.most 0.2 is smaller than"),
        ({"training": {"holes": {"kinds": ["star"]}}}, "training.holes.kinds.0: Input should be"),
        ({"training": {"holes": {"kinds": []}}}, "training.holes.kinds: List should have at least"),
        ({"training": {"holes": {"most": 1.0}}}, "training.holes.most: Input should be less"),
        ({"training": {"erased": 0.5}}, "erased is for pictures that are grown"),
        ({"model": {"known": "guessed"}}, "model.known: Input should be 'fixed', 'condition'"),
        (
            {"data": {"name": "emoji", "height": None}, "training": {"perceptual": 1.0}},
            "perceptual is for RGB, and emoji have 4 channels; set it to 0",
        ),
    ],
    ids=str,
)
def test_experiments_that_cannot_be_are_one_line(change, message):
    raw = content()
    for part, fields in change.items():
        raw[part] = {**raw[part], **fields}
    with pytest.raises(ConfigError) as caught:
        experiment_from(raw, "here")
    assert message in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize(
    ("images", "missing", "message"),
    [
        ((1, 3, 48, 40), torch.ones(1, 1, 40, 48), r"shape \[1, 1, 40, 48\]; expected \[1, 1, 48"),
        ((1, 3, 48, 40), torch.zeros(1, 1, 48, 40), "mask of picture 0 is empty; expected a hole"),
        ((1, 3, 48, 40), torch.ones(1, 1, 48, 40), "mask of picture 0 covers the whole picture"),
        ((1, 3, 48, 40), 255 * a_hole(), r"numbers outside \[0, 1\]; expected 1 in the hole"),
        ((1, 4, 48, 40), a_hole(), "images of 4 channels; this autoencoder was made for 3"),
        ((1, 3, 46, 40), a_hole()[:, :, :46], "images of 46×40; expected sides divisible by 4"),
    ],
)
def test_pictures_and_masks_that_do_not_fit_are_one_line(images, missing, message):
    filling = Filling(automaton(), autoencoder(), "fixed")
    with pytest.raises(ValueError, match=message) as caught:
        filling.begin(torch.rand(images), missing)
    assert len(str(caught.value).splitlines()) == 1


def test_automata_without_room_for_what_is_known_are_one_line():
    with pytest.raises(ValueError, match="4 fixed channels and 0 of condition; expected 0 and 4"):
        Filling(automaton("fixed"), autoencoder(), "condition")
    with pytest.raises(ValueError, match="0 fixed channels and 4 of condition; expected 4 and 0"):
        Filling(automaton("condition"), autoencoder(), "kept")
    config = InpaintingConfig(**content(perceptual=1.0)["training"])
    images = torch.zeros(2, 4, HEIGHT, WIDTH, dtype=torch.uint8)
    with pytest.raises(ValueError, match="perceptual is 1.0, and pictures have 4 channels"):
        InpaintingLearner(automaton(), autoencoder(4), images, "fixed", config, seed=0)


# --- measuring -----------------------------------------------------------------------------------


def test_similarity_is_that_of_scikit_image():
    metrics = pytest.importorskip("skimage.metrics")
    a, b = torch.rand(1, 3, 24, 20), torch.rand(1, 3, 24, 20)
    _, wanted = metrics.structural_similarity(
        *(x[0].double().numpy() for x in (a, b)),
        channel_axis=0,
        data_range=1.0,
        gaussian_weights=True,
        use_sample_covariance=False,
        full=True,
    )
    found = ssim_map(a.double(), b.double())[0, 0]
    wanted = torch.from_numpy(wanted).mean(0)
    assert torch.allclose(found[5:-5, 5:-5], wanted[5:-5, 5:-5], atol=1e-6)


def test_the_map_of_lpips_has_its_mean():
    a, b = torch.rand(2, 3, 64, 64), torch.rand(2, 3, 64, 64)
    assert torch.allclose(lpips_map(a, b).mean((1, 2, 3)), lpips_distance(a, b), atol=0.01)
    assert lpips_map(a, b).shape == (2, 1, 64, 64)
    assert lpips_distance(a, b).shape == (2,)  # and stays a number for each


def test_scores_look_where_they_say():
    """An error of 0.1 in a part of the picture: 20 dB there, more in all."""
    truth, missing = torch.full((1, 3, HEIGHT, WIDTH), 0.5), a_hole()
    missing = F.pad(missing, (0, 24, 0, 16))
    truth = F.pad(truth, (0, 24, 0, 16), value=0.5)
    made = truth + 0.1
    found = scores(made, truth, missing)
    share = float(missing.mean())
    assert found["inside"].item() == pytest.approx(20, abs=1e-3)
    expected = -10 * torch.log10(torch.tensor(0.01 * share)).item()
    assert found["overall"].item() == pytest.approx(expected, abs=1e-3)
    assert found["unpasted"].item() == pytest.approx(20, abs=1e-3)
    assert found["ssim_inside"] < found["ssim"] < 1
    assert found["lpips"] < found["lpips_inside"]
    perfect = scores(truth, truth, missing)
    assert perfect["inside"] == pytest.approx(100)
    assert perfect["ssim"] == pytest.approx(1)


def test_simple_fillers_do_not_look_into_the_hole():
    """A slope is filled by the biharmonic equation as it was; known pixels are its own."""
    pytest.importorskip("skimage")
    slope = (torch.arange(HEIGHT)[:, None] / HEIGHT).expand(1, 3, HEIGHT, WIDTH) * 0.8 + 0.1
    missing = a_hole()
    found = biharmonic(slope, missing)
    assert torch.allclose(found, slope, atol=0.02)
    other = torch.where(missing.bool(), torch.rand(1, 3, HEIGHT, WIDTH), slope)
    assert torch.allclose(biharmonic(other, missing), found, atol=1e-6)
    train = (255 * torch.rand(7, 3, HEIGHT, WIDTH)).byte()
    fillers = simple_fillers(train)
    assert list(fillers) == ["gray", "mean picture", "biharmonic"]
    mean = fillers["mean picture"](slope, missing)
    assert torch.allclose(mean[0], train.float().mean(0) / 255, atol=1e-5)
    assert "biharmonic" not in simple_fillers(torch.zeros(1, 3, 512, 512, dtype=torch.uint8))


def test_holes_of_the_protocol_are_of_all_kinds_and_sizes_and_always_the_same():
    rules = InpaintingProtocol()
    found = protocol_holes(50, HEIGHT, WIDTH, rules)
    assert torch.equal(found, protocol_holes(50, HEIGHT, WIDTH, rules))
    shares = found.mean((1, 2, 3))
    for mine in groups(shares).values():
        assert mine.sum() > 5
    few = protocol_holes(3, HEIGHT, WIDTH, rules)
    assert few.mean((1, 2, 3)).min() > 0.04


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"steps": (4, 2), "look": 4}, "expected rising ones, 4 among them"),
        ({"look": 9}, "expected rising ones, 9 among them"),
        ({"long": 200}, "long is 200; expected more than 200"),
        ({"least": 0.7}, "least 0.7, most 0.6; expected shares that rise"),
    ],
)
def test_protocols_that_cannot_be_are_one_line(change, message):
    with pytest.raises(ValueError, match=message):
        InpaintingProtocol(**change)


def test_it_is_trained_measured_and_told_of(tmp_path, trained, monkeypatch):
    """Every number has a row; what the card keeps is what the protocol says."""
    monkeypatch.setattr(fillings, "LARGEST", 10)  # without the biharmonic equation
    monkeypatch.setattr(
        "ncabook.tasks.inpainting.evaluate_inpainting",
        lambda *arguments, aligned: evaluate_inpainting(*arguments, QUICK, aligned),
    )
    monkeypatch.setattr(
        "ncabook.evaluation.fillings.lpips_distance", lambda a, b: 0 * a[:, 0, 0, 0]
    )
    monkeypatch.setattr("ncabook.evaluation.fillings.lpips_map", lambda a, b: 0 * a[:, :1])
    monkeypatch.setattr(evaluation, "evaluate_further", lambda *_: {})
    experiment = experiment_from(content(trained), "here")
    runner.train(experiment, tmp_path / "run", progress=False, tracker="none")
    metrics = runner.evaluate_model(str(tmp_path / "run"), save=True)
    assert zoo.read_card(tmp_path / "run").metrics == metrics
    assert metrics["pictures"] == 10
    assert set(metrics["rows"]) == {"steps", "snapped", "long", "floor", "simple"}
    assert set(metrics["rows"]["steps"]) == {"2", "4", "6"}
    assert metrics["long"]["of"] == 5
    assert metrics["gains"] == {}
    assert "features" not in metrics  # these faces are too small to look for any
    report = task_of(experiment).report(metrics)
    for each in report.measured:
        assert at(metrics, each.key) == each.value
    text = report.text()
    for words in ("step 4, nearest codes", "mean picture", "> 40 % missing", "at step 8"):
        assert words in text


# --- features, and elsewhere ---------------------------------------------------------------------


def test_the_judge_tells_eyes_from_what_has_none():
    """It has learned from drawn faces; others, whole and filled smoothly, are told apart."""
    judge = train_judge(drawn_faces(80, 0), iterations=60, batch=16)
    test = drawn_faces(20, 1).float() / 255
    errors = own_errors(judge, test)
    assert errors["missed"] < 25
    assert errors["imagined"] < 25
    missing = torch.zeros(20, 1, 104, 88)
    missing[:15, :, 40:90] = 1
    whole = features_seen(judge, test, missing)
    assert whole["holes"] == 45  # three in each of fifteen
    low, high = whole["percent_interval"]
    assert low <= whole["percent"] <= high
    gray = features_seen(judge, torch.full_like(test, 0.5), missing)
    assert gray["percent"] < whole["percent"]
    assert features_seen(judge, test, 0 * missing) == {"holes": 0}
    with pytest.raises(ValueError, match=r"shape \[3, 48, 40\]; expected faces, \[3, 104, 88\]"):
        train_judge(drawn_faces(2, 0, 48, 40))


def test_smooth_goes_on_from_the_edges_and_soft_is_blurred_there_only():
    slope = torch.arange(104.0)[:, None] + 2 * torch.arange(88.0)
    slope = (slope / slope.max()).expand(1, 3, 104, 88)
    box = FEATURES["mouth"]
    assert torch.allclose(smooth(slope, box), slope, atol=1e-5)
    noise = torch.rand(1, 3, 104, 88)
    blurry = soft(noise, box, 3.0)
    changed = (blurry != noise).any(1)[0]
    assert changed[69:84, 31:57].all()
    assert not changed[:50].any()
    assert blurry[..., 69:84, 31:57].std() < noise[..., 69:84, 31:57].std() / 3


class Still(NCA):
    """Stays as it is, and notes which cells fired."""

    def step(self, state, condition=None, *, fire=None, generator=None):
        self.__dict__.setdefault("fired", []).append(fire)
        return state


def test_the_same_weights_elsewhere():
    """Near: only cells about the hole fire. Moving: what is left behind is as it was."""
    one = automaton()
    nca = Still(one.layout, one.perception, one.update, living_threshold=None)
    filling = Filling(nca, autoencoder(), "fixed")
    truth = drawn_faces(2, 0, HEIGHT, WIDTH).float() / 255
    missing = torch.zeros(2, 1, HEIGHT, WIDTH)
    missing[:, :, :8] = 1
    found = near(filling, truth, missing, 3, 6, torch.Generator().manual_seed(0))
    rows = torch.stack(nca.fired).sum((0, 1, 2, 4))
    assert rows[:8].all()
    assert not rows[8:].any()  # two rows of cells are missing, and six more are near
    assert found["cells"] == pytest.approx(8 / 12)
    assert found["for each missing"] == pytest.approx(4)
    kept = Filling(nca, autoencoder(), "kept")
    moved = moving(kept, truth, 2, torch.Generator().manual_seed(0))
    assert moved["moved"]["inside"] == pytest.approx(moved["still"]["inside"], abs=1)
    healed = again(filling, truth, missing, 2, torch.Generator().manual_seed(0))
    assert healed["percent"] == 0  # nothing was done


def test_larger_pictures_are_made_of_whole_cells():
    filling = Filling(automaton(), autoencoder(), "fixed")
    truth = drawn_faces(1, 0, HEIGHT, WIDTH).float() / 255
    found = larger(filling, truth, a_hole(), 2, torch.Generator().manual_seed(0))
    assert found["size"] == [72, 60]
    assert set(found) == {"2", "3", "4", "floor", "size"}


def test_what_is_done_elsewhere_has_its_rows(monkeypatch):
    """Each number once, where it stands in the card."""
    monkeypatch.setattr("ncabook.evaluation.fillings.lpips_map", lambda a, b: 0 * a[:, :1])
    for module in ("fillings", "inpainting_further"):
        name = f"ncabook.evaluation.{module}.lpips_distance"
        monkeypatch.setattr(name, lambda a, b: (a - b).abs().mean((1, 2, 3)))
    filling = Filling(automaton(), autoencoder(), "fixed")
    truth = drawn_faces(2, 0, HEIGHT, WIDTH).float() / 255
    found = evaluate_further(filling, truth, a_hole(2), 2, seed=0)
    report = Report("", further_rows(found), [])
    keys = [each.key for each in report.measured]
    assert len(set(keys)) == len(keys)
    for each in report.measured:
        assert at({"further": found}, each.key) == each.value
    for words in ("25 % fire, step 4", "only cells up to 2 from the hole", "a hole that moved"):
        assert words in report.text()
    assert further_rows({}) == []


# --- what may be shown ---------------------------------------------------------------------------


def test_a_live_figure_begins_with_a_picture_that_has_a_hole(tmp_path, trained):
    """It can be described, whether what is known lies in channels or is told."""
    for known in ("fixed", "condition"):
        experiment = experiment_from(content(trained, known), "here")
        folder = tmp_path / known
        runner.train(experiment, folder, progress=False, tracker="none")
        model = zoo.load(str(folder))
        shown = model.live()
        map_ = shown["condition"] if known == "condition" else shown["start"][0, :4]
        assert 0.1 < map_[3].mean() < 0.3
        described, _ = describe(model.nca, **shown)
        assert (described["height"], described["width"]) == (12, 10)
        (note,) = model.card.notes
        assert note == "learned from drawn-faces, which the package draws itself"


def test_no_figure_is_made_of_faces_that_nobody_may_show(tmp_path, trained, monkeypatch):
    """One line, and no file; the card says on which terms the weights may be used."""
    some = drawn_faces(12, 0, HEIGHT, WIDTH)
    monkeypatch.setattr(autoencoder_module, "faces", lambda *_: some)
    raw = content(trained)
    raw["data"]["name"] = "faces"
    folder = tmp_path / "run"
    runner.train(experiment_from(raw, "here"), folder, progress=False, tracker="none")
    with pytest.raises(TypeError, match="none of which may be published: expected a model of draw"):
        zoo.load(str(folder)).live()
    page = tmp_path / "page.html"
    result = CliRunner().invoke(cli.app, ["export", str(folder), "--html", str(page)])
    assert result.exit_code != 0
    assert not page.exists()
    (note,) = zoo.read_card(folder).notes
    for words in ("celeba", "non-commercial research only", "pictures may not"):
        assert words in note


def test_terms_are_those_of_the_data():
    for name, words in (
        ("textures", "the photographs are their owners'"),
        ("emoji", "SIL Open Font License"),
        ("outlines", "which the package draws itself"),
    ):
        experiment = experiment_from({**autoencoding(), "data": {"name": name, "side": 64}}, "here")
        (note,) = task_of(experiment).notes(experiment)
        assert words in note


# --- beside it: one pass -------------------------------------------------------------------------


def one_pass(**training):
    return {
        "name": "toy-unet",
        "title": "Toy",
        "task": "inpaint-one-pass",
        "data": {"name": "drawn-faces", "side": WIDTH, "height": HEIGHT},
        "model": {"base": 2, "halvings": 2},
        "training": {
            "iterations": 8,
            "batch": 4,
            "learning_rate": 0.003,
            "warmup": 2,
            "checkpoint_every": 2,
            **training,
        },
    }


def test_a_network_of_one_pass_gets_the_same_pictures_and_holes(tmp_path, monkeypatch):
    monkeypatch.setattr(
        "ncabook.evaluation.fillings.lpips_distance", lambda a, b: 0 * a[:, 0, 0, 0]
    )
    monkeypatch.setattr("ncabook.evaluation.fillings.lpips_map", lambda a, b: 0 * a[:, :1])
    experiment = experiment_from(one_pass(), "here")
    straight, resumed = gone_on_with(experiment, tmp_path)
    assert resumed.weights_sha256 == straight.weights_sha256
    metrics = runner.evaluate_model(str(tmp_path / "straight"))
    assert set(metrics["rows"]) == {"answer", "simple"}
    assert metrics["pictures"] == 10
    report = task_of(experiment).report(metrics)
    for each in report.measured:
        assert at(metrics, each.key) == each.value
    assert "the network's answer, 20–40 % missing" in report.text()


def test_a_network_of_one_pass_does_not_see_what_is_missing():
    missing = a_hole(2)
    images = torch.rand(1, 3, HEIGHT, WIDTH).repeat(2, 1, 1, 1)
    images[1, :, 16:32] = 0.25
    seen = reads(images, missing)
    assert torch.equal(seen[0], seen[1])
    assert torch.equal(seen[:, 3:], missing)


def test_features_are_compared_late_if_so_asked(monkeypatch):
    monkeypatch.setattr(one_pass_module, "VGGFeatures", torch.nn.Identity)
    asked = []
    monkeypatch.setattr(
        one_pass_module, "features_apart", lambda *_: asked.append(one.iteration) or 0.0
    )
    training = one_pass(perceptual=1.0, features_from=0.5)["training"]
    images = drawn_faces(4, 0, HEIGHT, WIDTH)
    config = one_pass_module.InpaintingOnePassConfig(**training)
    one = one_pass_module.InpaintingOnePassLearner(UNet(4, 3, 2, 2), images, config, seed=0)
    for _ in range(8):
        one.step(1.0)
    assert asked == [4, 5, 6, 7]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"model": {"halvings": 4}}, "asks for pictures divisible by 16; data.side is 40"),
        (
            {"data": {"name": "emoji", "height": None}, "training": {"perceptual": 1.0}},
            "perceptual is for RGB, and emoji have 4 channels",
        ),
    ],
)
def test_networks_of_one_pass_that_cannot_be_are_one_line(change, message):
    raw = one_pass()
    for part, fields in change.items():
        raw[part] = {**raw[part], **fields}
    with pytest.raises(ConfigError, match=message):
        experiment_from(raw, "here")
