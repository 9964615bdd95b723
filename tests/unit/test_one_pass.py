"""Networks of one pass: they learn the automata's task, and are measured by the same masks."""

import json
import re
import subprocess
import sys

import pytest
import torch
import yaml
from torch import nn

from ncabook import zoo
from ncabook.evaluation.growth import GrowthProtocol
from ncabook.evaluation.one_pass import evaluate_one_pass
from ncabook.experiments import load_experiment, runner
from ncabook.networks import OnePass
from ncabook.reading import ConfigError
from ncabook.tasks import build_network
from ncabook.training.config import OnePassConfig
from ncabook.training.loop import Loop
from ncabook.training.one_pass import OnePassLearner

TINY = {
    "task": "one-pass",
    "name": "tiny",
    "title": "Two small emojis",
    "data": {"glyphs": ["🦎", "🐠"], "size": 20, "padding": 6},
    "model": {"base": 4, "halvings": 2},
    "training": {
        "iterations": 60,
        "batch": 8,
        "learning_rate": 0.01,
        "warmup": 5,
        "seeds": 0.25,
        "mutation": 0.34,
        "damage": 0.34,
    },
}


def experiment(tmp_path, **training):
    content = json.loads(json.dumps(TINY))
    content["training"].update(training)
    path = tmp_path / "tiny.yaml"
    path.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    return load_experiment(path)


@pytest.mark.parametrize("training", [{}, {"critic": 4, "learning_rate": 0.002}], ids=str)
def test_a_run_learns_and_leaves_a_model(tmp_path, training):
    made = experiment(tmp_path, **training)
    card = runner.train(made, tmp_path / "run", progress=False)
    torch.manual_seed(made.seed)
    network, targets = build_network(made), made.data.build()
    loop = Loop(OnePassLearner(network, targets, made.training, made.seed))
    loop.run(progress=False)
    assert sum(loop.losses[-5:]) < 0.5 * sum(loop.losses[:5])
    model = zoo.load(str(tmp_path / "run"))
    assert card.parameters == model.network.parameter_count  # the critic is not kept
    for a, b in zip(network.parameters(), model.network.parameters(), strict=True):
        assert torch.equal(a, b)  # same seed, same weights
    with pytest.raises(TypeError, match="tiny is no automaton but a network of one pass"):
        _ = model.nca
    with pytest.raises(runner.RunExistsError):
        runner.train(made, tmp_path / "run", progress=False)


def test_a_killed_run_goes_on_from_its_checkpoint(tmp_path):
    """Both networks of pix2pix, their optimisers and the coins: to the bit."""
    made = experiment(tmp_path, critic=4, iterations=9, checkpoint_every=4)
    straight, _ = runner.prepare(made, tmp_path / "straight", "cpu")
    straight.run(progress=False)
    killed, _ = runner.prepare(made, tmp_path / "killed", "cpu")
    for _ in range(5):
        killed.step()
    killed.save()
    resumed, _ = runner.prepare(made, tmp_path / "killed", "cpu")
    resumed.resume()
    resumed.run(progress=False)
    assert resumed.losses == straight.losses
    states = (loop.learner.parts()["critic"].state_dict() for loop in (resumed, straight))
    assert all(torch.equal(a, b) for a, b in zip(*map(dict.values, states), strict=True))


def test_a_batch_has_seeds_mutations_and_damages():
    """Its parts stand in this order, and each is what it is called."""
    targets = torch.rand(3, 4, 8, 8) + 0.5
    config = OnePassConfig(
        iterations=1,
        batch=12,
        learning_rate=0.1,
        warmup=1,
        seeds=0.25,
        mutation=0.34,
        damage=0.34,
    )
    trainer = OnePassLearner(OnePass(3, 4, 1), targets, config, seed=0)
    image, classes = trainer.batch()
    assert torch.equal(image[:3].sum((1, 2, 3)), torch.full((3,), 4.0))
    assert (image[:3, :, 4, 4] == 1).all()

    def origin(i):
        return [k for k in range(3) if torch.equal(image[i], targets[k])]

    assert all(len(origin(i)) == 1 and origin(i) != [int(classes[i])] for i in range(3, 6))
    for i in range(6, 9):
        erased = image[i, 0] == 0
        assert 0 < erased.float().mean() < 1
        assert torch.equal(image[i][:, ~erased], targets[classes[i]][:, ~erased])
    assert all(origin(i) == [int(classes[i])] for i in range(9, 12))


class Painter(nn.Module):
    """Draws its class whatever it is given."""

    def __init__(self, targets):
        super().__init__()
        self.targets = targets

    def forward(self, image, condition):
        return self.targets[condition.argmax(1)]


def test_what_ignores_its_input_recovers_from_everything():
    """The reason why the book does not call it repair: nothing at all is as good as a picture."""
    targets = torch.rand(3, 4, 16, 16, generator=torch.Generator().manual_seed(0))
    summary = evaluate_one_pass(
        Painter(targets), targets, GrowthProtocol(seeds=4), perceptual=False
    )
    assert summary["mse"]["stage2"] == 0
    for kind in ("half", "circles", "damage", "mutation"):
        assert summary["mse"][f"{kind}_recovery"] == pytest.approx(100)
    assert summary["further"]["nothing"] == 0
    assert "stage1" not in summary["mse"]
    assert json.loads(json.dumps(summary))["protocol"]["seeds"] == 4


def test_what_returns_its_input_recovers_from_nothing():
    """The other end of the scale; and the protocol's own masks are used."""

    class Mirror(nn.Module):
        def forward(self, image, condition):
            return image + 0.5 * (image.sum((1, 2, 3), keepdim=True) == 4)  # draws from a seed

    targets = torch.full((2, 4, 16, 16), 0.5)
    targets[1] = 0.25
    summary = evaluate_one_pass(Mirror(), targets, GrowthProtocol(seeds=4), perceptual=False)
    assert summary["mse"]["half_recovery"] == pytest.approx(0)
    assert summary["mse"]["half"] > summary["mse"]["stage2"]
    assert summary["further"]["repeated"] == pytest.approx(float(targets.square().mean()))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"task": "draw"}, "task: 'draw'; expected one of grow, one-pass"),
        ({"task": ["grow"]}, "expected one of grow, one-pass"),
        ({"task": "grow"}, "model.hidden_channels: Field required"),
        ({"model": {"base": 4, "halvings": 6}}, "halvings 6 asks for a grid divisible by 64"),
        ({"start_from": 7}, "start_from: Input should be a valid string"),
    ],
    ids=str,
)
def test_bad_files(tmp_path, change, message):
    path = tmp_path / "bad.yaml"
    path.write_text(yaml.safe_dump(TINY | change, allow_unicode=True), encoding="utf-8")
    with pytest.raises(ConfigError, match=re.escape(message)):
        load_experiment(path)


def test_export_says_that_it_is_no_automaton(tmp_path):
    """On the command line: one line, no page."""
    runner.train(experiment(tmp_path, iterations=1), tmp_path / "run", progress=False)
    command = [sys.executable, "-m", "ncabook", "export", str(tmp_path / "run"), "--html"]
    result = subprocess.run([*command, str(tmp_path / "x.html")], capture_output=True, text=True)
    assert result.returncode == 1
    assert result.stderr.strip().splitlines()[-1].startswith("error: tiny is no automaton")
    assert not (tmp_path / "x.html").exists()
