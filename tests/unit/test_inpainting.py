"""Filling holes in latents: what is known and stays so, old states with new holes, what counts."""

import pytest
import torch
import torch.nn.functional as F

from ncabook import zoo
from ncabook.automaton import NCA, ChannelLayout, ConvPerception, MLPUpdate
from ncabook.data.drawn_faces import drawn_faces
from ncabook.evaluation import fillings
from ncabook.evaluation import inpainting as evaluation
from ncabook.evaluation.fillings import biharmonic, scores, simple_fillers, ssim_map
from ncabook.evaluation.inpainting import (
    Filling,
    InpaintingProtocol,
    evaluate_inpainting,
    protocol_holes,
)
from ncabook.evaluation.perceptual import lpips_distance, lpips_map
from ncabook.experiments import runner
from ncabook.networks import VQVAE
from ncabook.reading import ConfigError
from ncabook.tasks import autoencoder as autoencoder_module
from ncabook.tasks import experiment_from, task_of
from ncabook.training import inpainting as training_module
from ncabook.training.inpainting import (
    InpaintingConfig,
    InpaintingLearner,
    filled,
    known_map,
    known_of,
    start,
)
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
    one = learner(inside=0.8, pixels=0.0)
    sample = one.fresh(4)
    share = F.avg_pool2d(sample["missing"], 4)
    sharp = (share > 0.5).float()
    for error, cost in ((sharp, 0.8), (1 - sharp, 0.2), (torch.ones_like(share), 1.0)):
        found = one._balanced(error.expand(-1, 3, -1, -1), sharp, "mse")
        assert found.item() == pytest.approx(cost)
    inside = one._balanced(torch.ones(1, 3, 4, 4), torch.ones(1, 1, 4, 4), "l1")
    assert inside.item() == pytest.approx(0.8)
    outside = one._balanced(torch.ones(1, 3, 4, 4), torch.zeros(1, 1, 4, 4), "l1")
    assert outside.item() == pytest.approx(0.2)


def test_latents_are_compared_first_and_pictures_at_the_end():
    one = learner(decoded=2, pixel_distance="l1", pixel_weight=3.0)
    sample = one.fresh(4)
    film = torch.randn(1, 4, 9, 12, 10, requires_grad=True)
    share = F.avg_pool2d(sample["missing"], 4)
    end = film[-1][:, 4:7]
    expected = one._balanced(end - one.latents(sample), share, "mse")
    assert one.loss(film, sample).item() == pytest.approx(expected.item())
    one.iteration = 4
    made = one.vqvae.pictures(end[:2])
    truth = one.pictures(sample)[:2]
    expected = 3 * one._balanced(made - truth, sample["missing"][:2], "l1")
    loss = one.loss(film, sample)
    assert loss.item() == pytest.approx(expected.item(), rel=1e-5)
    loss.backward()
    assert film.grad[-1, :2, 4:7].abs().sum() > 0
    assert not film.grad[-1, 2:].any()
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
    one = learner(iterations=80, pixels=0.0, holes={"cells": 1.0})
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
    for mine in evaluation.groups(shares).values():
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
        lambda *arguments: evaluate_inpainting(*arguments, QUICK),
    )
    monkeypatch.setattr(
        "ncabook.evaluation.fillings.lpips_distance", lambda a, b: 0 * a[:, 0, 0, 0]
    )
    monkeypatch.setattr("ncabook.evaluation.fillings.lpips_map", lambda a, b: 0 * a[:, :1])
    experiment = experiment_from(content(trained), "here")
    runner.train(experiment, tmp_path / "run", progress=False, tracker="none")
    metrics = runner.evaluate_model(str(tmp_path / "run"), save=True)
    assert zoo.read_card(tmp_path / "run").metrics == metrics
    assert metrics["pictures"] == 10
    assert set(metrics["rows"]) >= {"steps.2", "steps.6", "snapped", "floor.free", "simple.gray"}
    assert metrics["long"]["of"] == 5
    assert metrics["gains"] == {}
    report = task_of(experiment).report(metrics)
    text = report.text()
    for words in ("step 4, nearest codes", "mean picture", "> 40 % missing", "at step 8"):
        assert words in text
