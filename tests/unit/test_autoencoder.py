"""Autoencoders: codes that come back, parts and whole pictures, what is stored and measured."""

import pytest
import torch

from ncabook import zoo
from ncabook.data.pairs import outlines
from ncabook.evaluation.autoencoder import AutoencoderProtocol, decibels, evaluate_autoencoder
from ncabook.experiments import runner
from ncabook.networks import VQVAE
from ncabook.reading import ConfigError
from ncabook.tasks import experiment_from, task_of
from ncabook.tasks import pairs as pairs_module
from ncabook.training.autoencoder import AutoencoderConfig, AutoencoderLearner
from tests.unit.test_pairs import gone_on_with


@pytest.fixture(autouse=True)
def few(monkeypatch):
    monkeypatch.setattr(
        pairs_module, "DRAWN", {"train": (12, 0), "validate": (4, 1), "test": (5, 2)}
    )


def content(**training):
    return {
        "name": "toy-vqvae",
        "title": "Toy",
        "task": "autoencode",
        "data": {"name": "outlines", "side": 32},
        "model": {"latent_channels": 3, "codes": 16, "base": 4, "stages": 2},
        "training": {
            "iterations": 8,
            "batch": 4,
            "learning_rate": 0.003,
            "warmup": 2,
            "checkpoint_every": 2,
            "crop": 16,
            "whole": 0.25,
            "restart_every": 3,
            **training,
        },
    }


def learner(images=None, **training):
    torch.manual_seed(0)
    config = AutoencoderConfig(**content(**training)["training"])
    images = outlines(12, 0, 32).pictures if images is None else images
    return AutoencoderLearner(VQVAE(3, 3, 16, 4, 2), images, config, seed=0)


def test_parts_first_and_whole_pictures_at_the_end():
    """The last quarter of eight iterations; parts are taken anywhere, mirrored or not."""
    images = torch.arange(32, dtype=torch.uint8).expand(2, 3, 32, 32).contiguous()  # columns
    one = learner(images)
    seen = []
    for _ in range(8):
        seen.append(one.batch())
        one.iteration += 1
    assert [tuple(batch.shape[2:]) for batch in seen] == 6 * [(16, 16)] + 2 * [(32, 32)]
    slopes = {float((255 * (row[1] - row[0])).round()) for batch in seen for row in batch[:, 0, 0]}
    assert slopes == {1.0, -1.0}
    assert len({float(255 * batch[0, 0, 0].min()) for batch in seen[:6]}) > 1


def test_codes_of_no_use_come_back_where_latents_are():
    """All but the codes of use; Adam forgets what it had learned of their old place."""
    one = learner(restart_every=3)
    with torch.no_grad():
        one.vqvae.codebook[4:] = 1000.0
    for _ in range(2):
        one.step(1.0)
        assert (one.vqvae.codebook[4:] > 999).all()
    moments = [one.optimizer.state[one.vqvae.codebook][name] for name in ("exp_avg", "exp_avg_sq")]
    for moment in moments:
        moment[4:] = 1.0
    told = one.step(1.0)
    assert told["restarted"] >= 12
    assert one.vqvae.codebook.abs().max() < 100
    assert not one.optimizer.state[one.vqvae.codebook]["exp_avg_sq"][4:].any()
    assert not any(moment[4:].any() for moment in moments)
    assert (one.idle.iterations[4:] == 0).all()


def test_mean_and_spread_of_latents_are_stored_with_the_weights(tmp_path):
    experiment = experiment_from(content(iterations=200, learning_rate=1e-9), "here")
    runner.train(experiment, tmp_path / "run", progress=False, tracker="none")
    vqvae = zoo.load(str(tmp_path / "run")).network
    latents = vqvae.encode(experiment.data.build("train").float() / 255).detach()
    assert vqvae.latent_mean == pytest.approx(latents.mean((0, 2, 3)), abs=0.1)
    assert vqvae.latent_spread == pytest.approx(latents.std((0, 2, 3)), rel=0.3)
    assert vqvae.parameter_count == sum(p.numel() for p in vqvae.parameters())


def test_a_training_goes_on_to_the_bit(tmp_path):
    """Across a restart of codes, which hangs on how long they have been idle."""
    experiment = experiment_from(content(), "here")
    straight, resumed = gone_on_with(experiment, tmp_path)
    assert resumed.weights_sha256 == straight.weights_sha256


def test_it_learns():
    one = learner(learning_rate=0.01, iterations=60)
    losses = [one.step(1.0)["loss"] for _ in range(60)]
    assert sum(losses[-5:]) < 0.5 * sum(losses[:5])


class Perfect(VQVAE):
    """Draws what it was given, on all of its codes in turn."""

    def forward(self, images):
        self.given = images
        latent = torch.zeros(len(images), 3, *(n // 4 for n in images.shape[2:]))
        codes = torch.arange(latent[:, 0].numel()).view_as(latent[:, 0]) % 8
        quantised = self.quantise(latent)._replace(codes=codes)
        self.decoder.forward = lambda _: images
        return images, quantised


def test_who_is_perfect_has_no_error_and_codes_are_counted():
    found = evaluate_autoencoder(Perfect(3, 3, 16, 4, 2), outlines(5, 2, 32).pictures)
    assert found["images"] == 5
    assert found["quantised"]["lpips"] == pytest.approx(0, abs=1e-6)
    assert found["quantised"]["psnr"] == found["shift"] == pytest.approx(120)
    assert found["codes"]["used"] == 8
    assert found["codes"]["perplexity"] == pytest.approx(8)
    assert decibels(torch.tensor(0.01)) == pytest.approx(20)
    with pytest.raises(ValueError, match="part is 0; expected a share"):
        AutoencoderProtocol(part=0)


def test_a_part_by_itself_is_another_picture(tmp_path):
    """By the means of group normalisation; the report tells how much."""
    experiment = experiment_from(content(iterations=4), "here")
    runner.train(experiment, tmp_path / "run", progress=False, tracker="none")
    metrics = runner.evaluate_model(str(tmp_path / "run"), save=True)
    assert 0 < metrics["shift"] < 100
    assert metrics["quantised"]["psnr_interval"][0] <= metrics["quantised"]["psnr"]
    text = task_of(experiment).report(metrics).text()
    for words in ("not quantised", "perplexity", "of 16 codes", "dB"):
        assert words in text


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"crop": 18}, "training.crop is 18; expected a multiple of 4, at most data.side 32"),
        ({"crop": 64}, "training.crop is 64; expected a multiple of 4, at most data.side 32"),
    ],
)
def test_crops_that_do_not_fit_are_one_line(change, message):
    with pytest.raises(ConfigError, match=message):
        experiment_from(content(**change), "here")
    with pytest.raises(ValueError, match="expected at most 32, a multiple of 4"):
        learner(**change)


def test_drawings_are_measured_too_and_one_latent_has_a_spread(tmp_path):
    """Ink is dark on white; a part of a single latent, one in a batch, has a spread of 0."""
    raw = content(batch=1, crop=16)
    raw["data"] = {"name": "outlines", "part": "drawings", "side": 32}
    raw["model"]["stages"] = 4
    experiment = experiment_from(raw, "here")
    runner.train(experiment, tmp_path / "run", progress=False, tracker="none")
    metrics = runner.evaluate_model(str(tmp_path / "run"))
    assert 0 < metrics["quantised"]["lpips"] < 2


def test_widths_that_no_normalisation_divides_are_named_with_their_field():
    raw = content()
    raw["model"]["base"] = 3
    with pytest.raises(ConfigError, match="here: model: base 3 and stages 2; expected an even"):
        experiment_from(raw, "here")


def test_sides_that_cannot_be_halved_so_often_are_one_line():
    raw = content() | {"data": {"name": "outlines", "side": 40}}
    raw["model"]["stages"] = 4
    with pytest.raises(ConfigError, match="asks for pictures divisible by 16; data.side is 40"):
        experiment_from(raw, "here")
