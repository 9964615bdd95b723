"""A new kind of experiment is one class of experiments, one of tasks, and its learner's loss."""

from typing import Literal

import pytest
import torch

from ncabook import cli, zoo
from ncabook.automaton import ChannelLayout, empty_state
from ncabook.experiments import load_experiment, runner
from ncabook.tasks import TASKS
from ncabook.tasks.base import BaseExperiment, Task, state_bytes
from ncabook.tasks.parts import ModelConfig
from ncabook.tasks.report import Measured, Report
from ncabook.training.config import Ratio, TrainingConfig
from ncabook.training.evolving import EvolvingLearner

# The toy: all cells are to become gray, of one shade. From here …

SIDE = 6


class GrayExperiment(BaseExperiment):
    task: Literal["gray"]
    data: Ratio
    model: ModelConfig
    training: TrainingConfig


class GrayLearner(EvolvingLearner):
    def __init__(self, nca, shade, *others):
        super().__init__(nca, (SIDE, SIDE), *others)
        self.shade = shade.to(self.device)

    def fresh(self, count):
        return {"state": empty_state(self.nca.layout, SIDE, SIDE, count, self.device)}

    def mutate(self, old, fresh):
        return fresh

    def condition(self, sample):
        return None

    def loss(self, film, sample):
        return (film[-1][:, :3] - self.shade).square().mean()


class GrayTask(Task[GrayExperiment]):
    kind = GrayExperiment
    headline = ("error",)

    def network(self, experiment):
        return experiment.model.build(ChannelLayout(3, experiment.model.hidden_channels))

    def data(self, experiment):
        return (torch.tensor([experiment.data]),)

    def learner(self, experiment, network, data, device, tracker=None):
        training, seed = experiment.training, experiment.seed
        return GrayLearner(network, *data, training, seed, device, tracker)

    def needs(self, experiment):
        return {"targets": 0, **state_bytes(experiment, 5, SIDE)}

    def measure(self, experiment, network, look, device):
        with torch.no_grad():
            end = network.rollout(empty_state(network.layout, SIDE, SIDE), 8)
        return {"error": float((end[:, :3] - experiment.data).square().mean())}

    def report(self, metrics):
        return Report("gray", [Measured("error", "step 8", "MSE", metrics["error"], 4)])

    def live(self, experiment, nca):
        return {"height": SIDE, "width": SIDE, "start": empty_state(nca.layout, SIDE, SIDE)}


# … to here. And its file:

YAML = """
name: toy
title: All cells gray
task: gray
data: 0.4
model:
  hidden_channels: 2
  perception: {kind: conv, features: 8}
  update: {kind: mlp, hidden: [8]}
  fire_rate: 1.0
  living_threshold: null
training:
  iterations: 60
  batch: 4
  steps: {min: 6, max: 8}
  optimizer: {kind: adam, learning_rate: 0.01}
  warmup: 5
  checkpoint_every: 20
  pool: {capacity: 8, ratio: 0.5, mutation: 0.0, damage: 0.25}
"""


@pytest.fixture
def toy(monkeypatch, tmp_path):
    """The task, registered by its one line, and an experiment of it."""
    monkeypatch.setitem(TASKS, "gray", GrayTask())
    path = tmp_path / "toy.yaml"
    path.write_text(YAML, encoding="utf-8")
    return path


def test_everything_knows_a_new_task(toy, tmp_path, capsys):
    """Trained, killed and resumed, loaded, measured into its card, reported, shown in a page."""
    experiment, folder = load_experiment(toy), tmp_path / "run"
    begun, _ = runner.prepare(experiment, folder, "cpu")
    for _ in range(25):
        begun.step()
    begun.save()
    card = runner.train(experiment, folder, resume=True, progress=False)
    straight = runner.train(experiment, tmp_path / "straight", progress=False)
    assert card.weights_sha256 == straight.weights_sha256
    assert card.experiment == experiment
    assert zoo.load(str(folder)).targets is None
    cli.evaluate(str(folder), save=True)
    error = zoo.read_card(folder).metrics["error"]
    assert error < 0.01
    assert f"{error:.4f}" in capsys.readouterr().out
    cli.export(str(folder), html=tmp_path / "toy.html")
    assert "nca-figure" in (tmp_path / "toy.html").read_text("utf-8")
    with pytest.raises(ValueError, match="task gray has a protocol of its own"):
        cli.evaluate(str(folder), lpips=False)
