"""Drawings and pictures: what is read, what is refused, how they are learned from and measured."""

import numpy as np
import pytest
import torch
from PIL import Image

from ncabook import zoo
from ncabook.automaton import NCA, ChannelLayout, ConvPerception, MLPUpdate
from ncabook.data.pairs import HANDBAGS, LINE, Pairs, handbags, outlines, read_pairs
from ncabook.data.registry import DataUnavailableError
from ncabook.evaluation import pairs as evaluation
from ncabook.evaluation.kid import kid, kid_interval
from ncabook.evaluation.pairs import PairsProtocol, evaluate_pairs
from ncabook.evaluation.perceptual import described
from ncabook.experiments import runner
from ncabook.files import CorruptFileError, sha256
from ncabook.reading import ConfigError
from ncabook.tasks import experiment_from, task_of
from ncabook.tasks import pairs as task_module
from ncabook.training.pairs import PairsLearner, turned_over, white_paper

TINY = PairsProtocol(steps=(2, 4, 6), damage=4, final=6, long=8, few=2, batch=3)
LAYOUT = ChannelLayout(visible=3, hidden=4, fixed=1)


@pytest.fixture(autouse=True)
def few(monkeypatch):
    monkeypatch.setattr(
        task_module, "DRAWN", {"train": (12, 0), "validate": (4, 1), "test": (6, 2)}
    )


def content(**training):
    return {
        "name": "toy-pairs",
        "title": "Toy",
        "task": "colour",
        "data": {"name": "outlines"},
        "model": {
            "hidden_channels": 4,
            "perception": {"kind": "conv", "features": 8},
            "update": {"kind": "mlp", "hidden": [8]},
            "living_threshold": None,
        },
        "training": {
            "iterations": 8,
            "batch": 4,
            "steps": {"min": 2, "max": 4},
            "pixel": "l1",
            "optimizer": {"kind": "soap", "learning_rate": 0.003},
            "warmup": 2,
            "checkpoint_every": 2,
            "pool": {"capacity": 8, "ratio": 0.5, "mutation": 0.5, "damage": 0.5, "lead": 3},
            **training,
        },
    }


def test_handbags_are_drawings_and_photographs_in_three_parts():
    """1,000, 100 and 100, no picture in two of them; ink where the drawing is dark."""
    parts = {split: handbags(split) for split in ("train", "validate", "test")}
    assert [len(p) for p in parts.values()] == [1000, 100, 100]
    seen = [p.tobytes() for part in parts.values() for p in part.pictures.numpy()]
    assert len(set(seen)) > 1190  # some of the set's own photographs come twice
    test = parts["test"]
    assert test.ink.shape == (100, 1, 64, 64)
    assert 0.02 < float(test.ink.float().mean() / 255) < 0.5
    with pytest.raises(ValueError, match="expected train, validate or test"):
        handbags("all")


def test_missing_handbags_say_what_how_large_and_what_to_do(monkeypatch, tmp_path):
    monkeypatch.setenv("NCABOOK_DATA", str(tmp_path))
    monkeypatch.setenv("NCABOOK_CACHE", str(tmp_path / "cache"))
    with pytest.raises(DataUnavailableError, match=r"29 MB, 1,200 pairs.*outlines"):
        handbags("test")


def test_a_wrong_archive_is_named_and_not_the_package(monkeypatch, tmp_path):
    """Installing again would not help."""
    (archived,) = HANDBAGS.files
    path = tmp_path / archived.path
    path.parent.mkdir()
    path.write_bytes(b"half of it")
    monkeypatch.setenv("NCABOOK_DATA", str(tmp_path))
    with pytest.raises(CorruptFileError, match=f"{path} is corrupt: .*; put the right file there"):
        handbags("test")


def pair_file(path, left, right=(10, 200, 30), side=40, wide=None):
    image = np.full((side, wide or 2 * side, 3), 255, np.uint8)
    image[:, :side] = left
    image[10:12, 5:30] = 0
    image[:, side:] = right
    Image.fromarray(image).save(path)
    return path


def test_pairs_of_ones_own(tmp_path):
    """A dark line becomes ink, as much of it as a thin one of the archive; colours stay."""
    paths = [pair_file(tmp_path / f"{i}.png", (255, 255, 255)) for i in range(2)]
    pairs = read_pairs(paths, side=20)
    assert pairs.ink.shape == (2, 1, 20, 20)
    assert pairs.ink[0, 0, 5, 10] == 255
    assert pairs.ink[0, 0, 15, 10] == 0
    assert pairs.pictures[0, :, 7, 7].tolist() == [10, 200, 30]
    assert LINE > 1


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda p: pair_file(p, (255, 255, 255), wide=90), ValueError, "90 × 40 pixels; expected"),
        (lambda p: pair_file(p, (200, 60, 40)), ValueError, "is coloured; expected a drawing"),
        (lambda p: pair_file(p, (40, 40, 40)), ValueError, "is dark; expected a drawing"),
        (lambda p: p.write_bytes(b"no image"), CorruptFileError, "not an image that can be read"),
    ],
)
def test_what_is_no_pair_is_refused_in_a_line(make, error, message, tmp_path):
    path = tmp_path / "pair.png"
    make(path)
    with pytest.raises(error, match=message) as caught:
        read_pairs([path])
    assert "\n" not in str(caught.value)
    assert path.name in str(caught.value)


def test_pairs_that_do_not_belong_together_are_refused():
    ink, pictures = torch.zeros(2, 1, 8, 8).byte(), torch.zeros(3, 3, 8, 8).byte()
    with pytest.raises(ValueError, match="expected as many, of one size"):
        Pairs(ink, pictures)
    with pytest.raises(ValueError, match="ink of torch.float32"):
        Pairs(ink.float(), pictures[:2])
    with pytest.raises(ValueError, match="no files"):
        read_pairs([])


@pytest.mark.parametrize("side", [0, -1, 7, 64.0, "64", True])
def test_sides_that_show_nothing_are_refused(side):
    for make in (lambda: outlines(2, 0, side), lambda: handbags("test", side=side)):
        with pytest.raises(ValueError, match="side is .*; expected a whole number ≥ 16"):
            make()
    with pytest.raises(ValueError, match="count is '2'; expected a whole number ≥ 1"):
        outlines("2", 0)


def test_outlines_stand_in_and_say_so():
    """Ink on white paper at the emoji's edges; the same seed gives the same pairs."""
    pairs = outlines(8, 3)
    assert "in place of handbags" in pairs.note
    assert torch.equal(pairs.pictures, outlines(8, 3).pictures)
    assert not torch.equal(pairs.pictures, outlines(8, 4).pictures)
    ink = pairs.ink.float().mean((1, 2, 3)) / 255
    assert ((ink > 0.03) & (ink < 0.5)).all()
    assert (pairs.pictures[:, :, 0, 0] == 255).all()


def test_a_mirrored_drawing_has_a_mirrored_picture():
    pairs = outlines(4, 0)
    experiment = experiment_from(content(), "here")
    nca = task_of(experiment).network(experiment)
    learner = PairsLearner(nca, pairs, experiment.training, 0)
    sample = learner.fresh(16)
    assert 0 < sample["mirrored"].sum() < 16
    ink, real = sample["state"][:, :1], learner.real(sample)
    for i, (pair, mirrored) in enumerate(zip(sample["pair"], sample["mirrored"], strict=True)):
        flip = (2,) if mirrored else ()
        assert torch.equal(ink[i], (pairs.ink[pair].float() / 255).flip(flip))
        assert torch.equal(real[i], (pairs.pictures[pair].float() / 255).flip(flip))
    assert torch.equal(sample["state"][:, 1:4], torch.ones(16, 3, 64, 64))


def test_another_drawing_brings_its_target_and_keeps_the_paper():
    experiment = experiment_from(content(), "here")
    nca = task_of(experiment).network(experiment)
    learner = PairsLearner(nca, outlines(4, 0), experiment.training, 0)
    old, fresh = learner.fresh(3), learner.fresh(3)
    old["state"] = torch.rand_like(old["state"])
    new = learner.mutate(old, fresh)
    assert torch.equal(new["state"][:, 1:], old["state"][:, 1:])
    assert torch.equal(new["state"][:, :1], fresh["state"][:, :1])
    assert torch.equal(learner.real(new), learner.real(fresh))


def gone_on_with(experiment, tmp_path):
    """Cards of a training in one go, and of one that was stopped after five iterations."""
    straight = runner.train(experiment, tmp_path / "straight", progress=False, tracker="none")
    begun, _ = runner.prepare(experiment, tmp_path / "stopped", "cpu", "none")
    for _ in range(5):
        begun.step()
    begun.save()
    folder = tmp_path / "stopped"
    return straight, runner.train(experiment, folder, resume=True, progress=False, tracker="none")


@pytest.mark.parametrize("critic", [False, True])
def test_a_training_goes_on_to_the_bit(critic, tmp_path):
    extra = {"critic": {"widths": [8, 8], "ahead": 2}, "average": 0.9} if critic else {}
    experiment = experiment_from(content(**extra), "here")
    straight, resumed = gone_on_with(experiment, tmp_path)
    assert resumed.weights_sha256 == straight.weights_sha256


def test_the_critic_is_kept_beside_the_model(tmp_path):
    """With its hash in the card: another file is refused; where there is none, a line says so."""
    experiment = experiment_from(content(critic={"widths": [8, 6]}), "here")
    card = runner.train(experiment, tmp_path / "with", progress=False, tracker="none")
    critic = zoo.load_critic(str(tmp_path / "with"))
    made, ink = torch.rand(2, 3, 64, 64), torch.rand(2, 1, 64, 64)
    assert critic(made, ink).shape == (2, 1, 16, 16)
    resumed, _ = runner.prepare(experiment, tmp_path / "with", "cpu", "none")
    resumed.resume()
    assert torch.equal(resumed.learner.critic.critic(made, ink), critic(made, ink))
    assert card.training["critic_sha256"] == sha256(tmp_path / "with" / "critic.safetensors")
    (tmp_path / "with" / "critic.safetensors").write_bytes(b"other")
    with pytest.raises(CorruptFileError, match="critic.safetensors"):
        zoo.load_critic(str(tmp_path / "with"))
    runner.train(
        experiment_from(content(), "x"), tmp_path / "without", progress=False, tracker="none"
    )
    with pytest.raises(ValueError, match="no critic is kept beside .*without; expected one of"):
        zoo.load_critic(str(tmp_path / "without"))


def test_a_mask_of_the_living_is_refused():
    raw = content()
    raw["model"]["living_threshold"] = 0.1
    with pytest.raises(ConfigError, match="pictures are RGB; set it to null"):
        experiment_from(raw, "here")


def test_kid_is_the_unbiased_discrepancy():
    """By hand for two vectors each; near zero for halves of one set, large for a shifted one."""
    a, b = torch.tensor([[1.0, 0.0], [0.0, 1.0]]), torch.tensor([[1.0, 1.0], [2.0, 0.0]])

    def kernel(x, y):
        return (float(x @ y) / 2 + 1) ** 3

    cross = sum(kernel(x, y) for x in a for y in b) / 4
    assert kid(a, b) == pytest.approx(kernel(*a) + kernel(*b) - 2 * cross)
    generator = torch.Generator().manual_seed(0)
    one, other = torch.randn(2, 400, 8, generator=generator)
    same, far = kid(one, other), kid(one, other + 1)
    assert abs(same) < 0.1 < far
    low, high = kid_interval(one, other + 1)
    assert low < far < high
    with pytest.raises(ValueError, match="at least two each"):
        kid(one[:1], other)


def test_features_tell_pictures_apart():
    features = described(torch.cat([torch.zeros(1, 3, 64, 64), torch.rand(1, 3, 64, 64)]))
    assert features.shape == (2, 256)
    assert (features[0] - features[1]).norm() > 0.1


def test_trivial_rows_are_what_they_say():
    test, train = outlines(3, 1), outlines(5, 0)
    assert torch.equal(evaluation.white(test, train), torch.ones(3, 3, 64, 64))
    mean = evaluation.mean_colour(test, train)
    assert mean[0, :, 5, 5] == pytest.approx(train.pictures.float().mean((0, 2, 3)) / 255)
    assert torch.equal(evaluation.drawing(test, train)[:, 0], 1 - test.ink[:, 0].float() / 255)
    assert torch.equal(evaluation.nearest(train, train), train.pictures.float() / 255)


def leaves_white():
    """An automaton that changes nothing."""
    torch.manual_seed(0)
    nca = NCA(LAYOUT, ConvPerception(8, 8), MLPUpdate(8, 7, [8]), 0.5, None)
    with torch.no_grad():
        for parameter in nca.update.parameters():
            parameter.zero_()
    return nca


def test_a_model_is_measured_over_steps_and_reported():
    """Someone who leaves the paper white scores as white paper does, and cannot recover it."""
    test, train = outlines(6, 2), outlines(12, 0)
    found = evaluate_pairs(leaves_white(), test, train, TINY)
    for step in ("2", "4", "6"):
        ours, white = found["steps"][step], found["trivial"]["white"]
        assert {k: ours[k] for k in ("lpips", "l1", "kid")} == pytest.approx(
            {k: white[k] for k in ("lpips", "l1", "kid")}, rel=1e-4
        )
    assert found["recovery"]["percent"] == pytest.approx(0, abs=1e-3)
    assert found["recovery"]["lpips"][1] > found["recovery"]["lpips"][0]
    assert found["alive"] == {"alive": 2, "of": 2, "moved": 0.0}
    experiment = experiment_from(content(), "here")
    metrics = found | {"data": {"name": "outlines", "note": test.note}}
    text = task_of(experiment).report(metrics).text()
    for words in ("step 4", "nearest training picture", "KID", "in place of handbags"):
        assert words in text
    with pytest.raises(ValueError, match="expected rising ones, 5 among them"):
        PairsProtocol(steps=(2, 4), damage=5)


def test_a_page_begins_white_with_drawings_of_our_own():
    """Six sketches and a blank one; nothing of the photographs' owners goes into a page."""
    experiment = experiment_from(content(), "here")
    task = task_of(experiment)
    shown = task.live(experiment, task.network(experiment))
    assert [*shown["inputs"]][-1] == "blank"
    assert len(shown["inputs"]) == 7
    assert torch.equal(shown["start"], white_paper(LAYOUT, torch.zeros(1, 1, 64, 64)))
    assert torch.equal(turned_over(shown["start"], torch.tensor([True])), shown["start"])
