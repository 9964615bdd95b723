"""Curves: what a training writes for TensorBoard and for Weights & Biases."""

import importlib.util
import time

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from ncabook.experiments import runner
from ncabook.reading import parse
from ncabook.tasks import GrowthExperiment
from ncabook.training.loop import Loop
from tests.unit.test_experiments import changed

LONG = changed(training__iterations=25, training__checkpoint_every=5)
NAMES = {"loss", "learning_rate", "gradient_norm", "seconds_per_iteration"}


def curves(folder):
    events = EventAccumulator(str(folder / "logs"))
    events.Reload()
    assert set(events.Tags()["scalars"]) == NAMES
    return {name: {event.step: event.value for event in events.Scalars(name)} for name in NAMES}


def test_tensorboard_gets_the_curves_of_a_run(tmp_path):
    runner.train(parse(GrowthExperiment, LONG, "x"), tmp_path, progress=False)
    found = curves(tmp_path)
    for values in found.values():
        assert list(values) == [10, 20, 25]
    assert all(value > 0 for value in found["loss"].values())
    assert all(value > 0 for value in found["gradient_norm"].values())
    assert found["learning_rate"][25] < found["learning_rate"][10] <= 0.002
    assert all(0 < value < 5 for value in found["seconds_per_iteration"].values())


def test_a_resumed_run_has_each_iteration_once(tmp_path, monkeypatch):
    """What was logged after the last checkpoint is logged anew, not twice."""
    step, calls = Loop.step, []

    def dying(loop):
        calls.append(1)
        if len(calls) == 13:
            raise RuntimeError("power cut")
        return step(loop)

    monkeypatch.setattr(Loop, "step", dying)
    experiment = parse(
        GrowthExperiment, changed(training__iterations=25, training__checkpoint_every=8), "x"
    )
    with pytest.raises(RuntimeError, match="power cut"):
        runner.train(experiment, tmp_path, progress=False)
    assert list(curves(tmp_path)["loss"]) == [10]
    time.sleep(1.1)  # names of event files hold whole seconds, and the reader sorts by name
    runner.train(experiment, tmp_path, resume=True, progress=False)
    assert list(curves(tmp_path)["loss"]) == [10, 20, 25]


def test_wandb_works_without_a_network(tmp_path, monkeypatch):
    pytest.importorskip("wandb")
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("WANDB_SILENT", "true")
    runner.train(
        parse(GrowthExperiment, LONG, "x"), tmp_path / "run", progress=False, tracker="wandb"
    )
    (file,) = (tmp_path / "run/logs").rglob("offline-run-*/run-*.wandb")
    content = file.read_bytes()
    for name in NAMES:
        assert name.encode() in content
    assert not list((tmp_path / "run/logs").rglob("events.*"))


def test_a_tracker_that_is_missing_is_named(tmp_path, monkeypatch):
    experiment = parse(GrowthExperiment, LONG, "x")
    with pytest.raises(ValueError, match="no tracker 'paper'; known: tensorboard, wandb"):
        runner.train(experiment, tmp_path / "run", tracker="paper")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ValueError, match=r'pip install "ncabook\[wandb\]"'):
        runner.train(experiment, tmp_path / "run", tracker="wandb")
    assert not (tmp_path / "run").exists()
