"""Experiments that classify, from file to measured model: rendered digits, tiny and fast."""

import json

import pytest
import torch
import yaml

from ncabook import cli, zoo
from ncabook.evaluation import classification as evaluation
from ncabook.experiments import find, load_experiment, runner
from ncabook.reading import ConfigError
from ncabook.tasks import ClassificationExperiment, classification, task_of
from ncabook.training.loop import Loop

TINY = {
    "name": "tiny-digits",
    "title": "Rendered digits, tiny",
    "task": "classify",
    "data": {"name": "rendered-digits", "padding": 1},
    "model": {
        "hidden_channels": 3,
        "perception": {"kind": "conv", "features": 8},
        "update": {"kind": "mlp", "hidden": [8]},
    },
    "training": {
        "iterations": 4,
        "batch": 6,
        "steps": {"min": 3, "max": 4},
        "loss": "mse",
        "optimizer": {"kind": "adam", "learning_rate": 0.002},
        "warmup": 1,
        "pool": {"capacity": 12, "ratio": 0.5, "mutation": 0.5, "damage": 0.0},
        "checkpoint_every": 2,
    },
}
SHORT = evaluation.ClassificationProtocol(
    short=(2, 3), grown=4, final=7, long=9, long_images=5, batch=8
)


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """Few digits, few steps."""
    monkeypatch.setattr(classification, "RENDERED", {"train": (40, 0), "test": (20, 1)})
    monkeypatch.setitem(evaluation.PROTOCOLS, "rendered-digits", SHORT)


def stop_after_two(save):
    """Ctrl-C, once the second iteration is saved."""

    def saving(loop):
        save(loop)
        if loop.iteration == 2:
            raise KeyboardInterrupt

    return saving


def write(tmp_path, **changes):
    path = tmp_path / "tiny.yaml"
    path.write_text(yaml.safe_dump(TINY | changes), encoding="utf-8")
    return path


def test_a_whole_life(tmp_path, capsys):
    """Trained, stopped and resumed to the same weights, measured, reported, shown."""
    experiment = load_experiment(write(tmp_path))
    assert isinstance(experiment, ClassificationExperiment)
    card = runner.train(experiment, tmp_path / "run", progress=False)
    assert card.parameters == 14 * 9 * 8 + 8 + 8 * 8 + 8 + 8 * 13 + 13
    model = zoo.load(str(tmp_path / "run"))
    assert model.targets is None
    layout = model.nca.layout
    assert (layout.fixed, layout.visible, layout.hidden, layout.classes) == (1, 0, 3, 10)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Loop, "save", stop_after_two(Loop.save))
        with pytest.raises(KeyboardInterrupt):
            runner.train(experiment, tmp_path / "half", progress=False)
    assert (tmp_path / "half" / runner.CHECKPOINT).exists()
    runner.train(experiment, tmp_path / "half", resume=True, progress=False)
    resumed = zoo.load(str(tmp_path / "half")).nca.state_dict()
    assert all(torch.equal(resumed[k], v) for k, v in model.nca.state_dict().items())

    metrics = runner.evaluate_model(str(tmp_path / "run"), save=True)
    assert zoo.read_card(tmp_path / "run").metrics == json.loads(json.dumps(metrics))
    assert metrics["protocol"]["images"] == 20
    assert metrics["data"]["note"] == "digits rendered from typefaces, not MNIST"
    report = task_of(experiment).report(metrics).text()
    assert "protocol 1, 20 images" in report
    assert "cells right" in report
    assert "recovery" in report
    assert "digits rendered from typefaces" in report
    page = tmp_path / "digits.html"
    cli.export(str(tmp_path / "run"), html=page)
    assert "vote" in page.read_text("utf-8")
    assert "wrote" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"data": {"name": "mnist", "padding": -1}}, "data.padding: Input should be greater"),
        ({"data": {"name": "imagenet"}}, "data.name: Input should be 'mnist', 'cifar10' or"),
        ({"data": {"name": "cifar10"}}, "living_threshold lets cells live where the first image"),
        ({"training": TINY["training"] | {"loss": "l1"}}, "training.loss: Input should be 'mse'"),
        ({"task": "vote"}, "task: 'vote'; expected one of grow, one-pass, classify"),
        (
            {
                "model": TINY["model"]
                | {"perception": {"kind": "conv", "features": 8, "dilation": 31}}
            },
            "the perception's reach of 31 is larger than the grid of 30",
        ),
    ],
    ids=str,
)
def test_mistakes_are_one_line(tmp_path, changes, message):
    with pytest.raises(ConfigError, match=message) as caught:
        load_experiment(write(tmp_path, **changes))
    assert "\n" not in str(caught.value)


def test_every_data_set_has_a_protocol():
    names = ClassificationExperiment.model_fields["data"].annotation.model_fields["name"]
    assert (
        set(names.annotation.__args__)
        == set(evaluation.PROTOCOLS)
        == {*("mnist", "cifar10", "rendered-digits")}
    )


def test_votes_have_names_that_fit_below_a_bar():
    """On a phone a bar is 30 pixels wide; two names of CIFAR-10 were cut to the same "a…"."""
    experiment = find("cifar-conv3")
    shown = task_of(experiment).live(experiment, None)
    assert len(shown["votes"]) == len(set(shown["votes"])) == 10
    assert max(len(name) for name in shown["votes"]) <= 5
