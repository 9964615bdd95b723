"""Drawings coloured in one pass: the best weights by validation, measured as automata are."""

import pytest
import torch

from ncabook import zoo
from ncabook.data.pairs import outlines
from ncabook.evaluation.pairs import evaluate_answers, evaluate_pairs
from ncabook.experiments import runner
from ncabook.networks import UNet
from ncabook.reading import ConfigError
from ncabook.tasks import experiment_from, task_of
from ncabook.tasks import pairs as task_module
from ncabook.training.adversarial_config import PairsOnePassConfig
from ncabook.training.learner import TrainingDivergedError
from ncabook.training.pairs_one_pass import PairsOnePassLearner
from tests.unit.test_pairs import TINY, gone_on_with, leaves_white


@pytest.fixture(autouse=True)
def few(monkeypatch):
    monkeypatch.setattr(
        task_module, "DRAWN", {"train": (12, 0), "validate": (4, 1), "test": (6, 2)}
    )


def content(**training):
    return {
        "name": "toy-unet",
        "title": "Toy",
        "task": "colour-one-pass",
        "data": {"name": "outlines"},
        "model": {"base": 2, "halvings": 2},
        "training": {
            "iterations": 8,
            "batch": 4,
            "learning_rate": 0.003,
            "warmup": 2,
            "checkpoint_every": 2,
            "validate_every": 2,
            **training,
        },
    }


def test_the_best_weights_by_validation_are_the_result():
    """Looks come at 2, 4, 6 and at the end, and say 3, 1, 2, 1: those of the first 1 are kept."""
    said, seen = iter([3.0, 1.0, 2.0, 1.0]), []

    def distance(answers, pictures):
        assert answers.shape == pictures.shape == (4, 3, 64, 64)
        assert answers.min() >= 0
        assert answers.max() <= 1
        seen.append(answers)
        return torch.full((4,), next(said))

    torch.manual_seed(0)
    network = UNet(1, 3, 2, 2)
    config = PairsOnePassConfig(**content(iterations=7)["training"])
    train, validation = outlines(12, 0), outlines(4, 1)
    learner = PairsOnePassLearner(network, train, validation, distance, config, seed=0)
    told = [learner.step(1.0) for _ in range(7)]
    assert [one.get("validation") for one in told] == [None, 3, None, 1, None, 2, 1]
    assert learner.record()["validation"] == {"distance": 1.0, "iteration": 4}
    kept = learner.result().eval()
    assert torch.equal(kept(validation.ink.float() / 255).clamp(0, 1), seen[1])
    assert not torch.equal(seen[1], seen[3])
    assert network.training  # batch norm goes on learning after a look


def test_what_cannot_be_chosen_by_ends_the_training():
    """Else the result would be the weights of the beginning."""
    config = PairsOnePassConfig(**content()["training"])
    train, none = outlines(4, 0), outlines(1, 1)
    none = type(none)(none.ink[:0], none.pictures[:0])
    with pytest.raises(ValueError, match="4 pairs to learn from and 0 to choose by"):
        PairsOnePassLearner(UNet(1, 3, 2, 2), train, none, torch.dist, config, seed=0)

    def nowhere(answers, pictures):
        return torch.full((len(answers),), torch.nan)

    learner = PairsOnePassLearner(UNet(1, 3, 2, 2), train, train, nowhere, config, seed=0)
    learner.step(1.0)
    with pytest.raises(TrainingDivergedError, match="validation nan"):
        learner.step(1.0)


@pytest.mark.parametrize("critic", [None, 4])
def test_a_training_goes_on_to_the_bit(critic, tmp_path):
    """Also the best weights so far, which an interruption must not forget."""
    experiment = experiment_from(content(critic=critic), "here")
    straight, resumed = gone_on_with(experiment, tmp_path)
    assert resumed.weights_sha256 == straight.weights_sha256
    assert resumed.training["validation"] == straight.training["validation"]


def test_a_model_is_measured_as_automata_are(tmp_path):
    """The same pictures, the same numbers; and a report with one row."""
    experiment = experiment_from(content(iterations=2), "here")
    runner.train(experiment, tmp_path / "run", progress=False, tracker="none")
    metrics = runner.evaluate_model(str(tmp_path / "run"), save=True)
    report = task_of(experiment).report(metrics)
    assert {m.row for m in report.measured} == {"one pass"}
    assert "in place of handbags" in report.text()
    assert zoo.read_card(tmp_path / "run").metrics == metrics

    class White(UNet):
        def forward(self, x):
            return torch.full((len(x), 3, 64, 64), 7.0)  # is clamped

    test, train = outlines(6, 2), outlines(12, 0)
    trivial = evaluate_pairs(leaves_white(), test, train, TINY)["trivial"]["white"]
    answer = evaluate_answers(White(1, 3, 2, 2), test)["answer"]
    assert answer.keys() == trivial.keys()
    for key, value in trivial.items():
        assert answer[key] == pytest.approx(value)


def test_pictures_that_cannot_be_halved_so_often_are_refused():
    raw = content() | {"model": {"base": 2, "halvings": 7}}
    with pytest.raises(ConfigError, match=r"halvings 7 asks for pictures divisible by 128"):
        experiment_from(raw, "here")
