"""Experiments that classify, from file to measured model: rendered digits, tiny and fast."""

import json
from typing import get_args

import pytest
import torch
import yaml
from PIL import Image, ImageDraw

from ncabook import cli, zoo
from ncabook.evaluation import classification as evaluation
from ncabook.experiments import find, load_experiment, runner
from ncabook.figures import votes_picture
from ncabook.files import CorruptFileError
from ncabook.live import describe
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
        ({"data": {"name": "mnist", "padding": -1}}, "data.mnist.padding: Input should be greater"),
        ({"data": {"name": "imagenet"}}, "data: Input tag 'imagenet' found using 'name' does not"),
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


SHAPES = {"disc": "ellipse", "square": "rectangle", "bar": "line"}


def shapes(folder, count=6):
    """A folder of drawn pictures for each of three classes, of several sizes and kinds."""
    for name, kind in SHAPES.items():
        (folder / name).mkdir(parents=True)
        for i in range(count):
            picture = Image.new("RGB", (20 + 4 * i, 24), "black")
            draw = ImageDraw.Draw(picture)
            getattr(draw, kind)((4, 4, 15, 15), fill=("white", "red", "yellow")[i % 3])
            picture.save(folder / name / f"{i}.{('png', 'jpg')[i % 2]}")
    (folder / ".hidden").mkdir()
    (folder / "disc" / ".DS_Store").write_bytes(b"no image")
    return folder


def own(place, **changes):
    data = {"name": "folder", "folder": str(place), "side": 12, "channels": 1} | changes
    return {key: value for key, value in data.items() if value is not None}


@pytest.mark.parametrize("channels", [1, 3])
def test_a_folder_of_ones_own(tmp_path, monkeypatch, channels):
    """As many classes as it has folders; what was trained is loaded and shown without it."""
    monkeypatch.setitem(evaluation.PROTOCOLS, "folder", SHORT)
    folder = shapes(tmp_path / "shapes")
    model = TINY["model"] | {"living_threshold": 0.1 if channels == 1 else None}
    training = TINY["training"] | {"iterations": 3}
    path = write(tmp_path, data=own(folder, channels=channels), model=model, training=training)
    experiment = load_experiment(path)
    train, test = (experiment.data.build(split) for split in ("train", "test"))
    assert experiment.data.classes == train.names == ("bar", "disc", "square")  # sorted
    assert train.images.shape == (15, channels, 12, 12)
    assert test.labels.tolist() == [0, 1, 2]  # the fifth of six, of each class
    assert train.images[5].max() == 255
    assert (train.images[-1][:, :2] == 0).all()  # 40 × 24: nothing above and below it
    runner.train(experiment, tmp_path / "run", progress=False)
    metrics = runner.evaluate_model(str(tmp_path / "run"), save=True)
    assert metrics["protocol"]["images"] == 3
    assert "cells right" in task_of(experiment).report(metrics).text()
    (tmp_path / "elsewhere").mkdir()
    shown = zoo.load(str(tmp_path / "run")).live()
    assert [*shown["inputs"]] == ["bar", "disc", "square", "blank"]
    folder.rename(tmp_path / "elsewhere" / "shapes")
    loaded = zoo.load(str(tmp_path / "run"))
    assert loaded.card.experiment.data.names == ["bar", "disc", "square"]
    assert loaded.nca.layout.classes == 3
    assert [*loaded.live()["inputs"]] == ["blank"]
    cli.export(str(tmp_path / "run"), html=tmp_path / "shapes.html")
    with pytest.raises(ValueError, match="there is no folder .*bar; expected the images"):
        runner.evaluate_model(str(tmp_path / "run"))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"folder": "nowhere"}, "there is no folder nowhere; expected one that holds a folder of"),
        ({"names": ["disc"]}, "names: List should have at least 2 items"),
        ({"names": ["disc", "disc"]}, "names: disc stands twice; expected different classes"),
        ({"names": ["disc", "../bar"]}, "names: ../bar is no name of a folder in the folder"),
        ({"names": [str(i) for i in range(1001)]}, "names: List should have at most 1000 items"),
        ({"channels": 2}, "channels: Input should be 1 or 3"),
        ({"side": None}, "side: Field required"),
        ({"channels": 3}, "living_threshold lets cells live where the first image"),
    ],
    ids=str,
)
def test_mistakes_in_a_folder_are_one_line(tmp_path, changes, message):
    folder = shapes(tmp_path / "shapes")
    with pytest.raises(ConfigError, match=message) as caught:
        load_experiment(write(tmp_path, data=own(folder, **changes)))
    assert "\n" not in str(caught.value)


def test_what_lies_in_a_folder_has_to_be_images(tmp_path):
    folder = shapes(tmp_path / "shapes")
    experiment = load_experiment(write(tmp_path, data=own(folder)))
    (folder / "square" / "5.jpg").write_text("no picture")
    with pytest.raises(CorruptFileError, match="square/5.jpg is not an image that can be read"):
        experiment.data.build("train")
    (folder / "empty").mkdir()
    experiment = load_experiment(write(tmp_path, data=own(folder)))
    with pytest.raises(ValueError, match="empty holds 0 images; expected 5 or more") as caught:
        experiment.data.build("test")
    assert "\n" not in str(caught.value)


def test_a_thousand_classes_can_be_told_apart():
    """Their votes are counted, drawn and shown."""
    names = [f"kind {i}" for i in range(1000)]
    data = {"name": "folder", "folder": "nowhere", "names": names, "side": 8}
    model = TINY["model"] | {"living_threshold": None}
    experiment = ClassificationExperiment.model_validate(TINY | {"data": data, "model": model})
    nca = task_of(experiment).network(experiment)
    assert nca.layout.classes == 1000
    state = torch.zeros(2, nca.layout.channels, 8, 8)
    state[0, nca.layout.class_slice][700] = 1.0
    state[1, nca.layout.class_slice][999, :, :3] = 1.0
    votes = evaluation.ballot(nca, state)
    assert votes.winner.tolist() == [700, 999]
    assert votes.counts[0, 700] == 64
    assert votes.counts[1, [0, 999]].tolist() == [40, 24]
    assert votes_picture(nca, state[0]).shape == (3, 8, 8)
    description, _ = describe(nca, **task_of(experiment).live(experiment, nca))
    assert len(description["votes"]) == 1000


def test_every_data_set_has_a_protocol():
    kinds = get_args(ClassificationExperiment.model_fields["data"].annotation)
    names = {name for kind in kinds for name in get_args(kind.model_fields["name"].annotation)}
    assert names == {*evaluation.PROTOCOLS} == {"mnist", "cifar10", "rendered-digits", "folder"}


def test_votes_have_names_that_fit_below_a_bar():
    """On a phone a bar is 30 pixels wide; two names of CIFAR-10 were cut to the same "a…"."""
    experiment = find("cifar-conv3")
    shown = task_of(experiment).live(experiment, None)
    assert len(shown["votes"]) == len(set(shown["votes"])) == 10
    assert max(len(name) for name in shown["votes"]) <= 5
