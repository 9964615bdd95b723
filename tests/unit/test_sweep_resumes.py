"""A job of a sweep that was killed while it saved goes on from the checkpoint before."""

import pytest
import yaml

from ncabook import experiments, zoo
from ncabook.experiments import runner
from ncabook.experiments import sweep as sweeps
from ncabook.training.checkpoint import previous
from tests.unit.test_experiments import changed


@pytest.mark.parametrize("left", ["both", "newest", "previous"])
def test_a_job_goes_on_from_whichever_checkpoint_is_left(tmp_path, left):
    """Between the two renames of a save only the previous one is there; it is a begun run."""
    file = tmp_path / "tiny.yaml"
    content = changed(training__iterations=4, training__checkpoint_every=1)
    file.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    folder = tmp_path / "seed-0"
    checkpoint = folder / runner.CHECKPOINT
    experiment = experiments.with_seed(experiments.find(str(file)), 0)
    loop, _ = runner.prepare(experiment, folder, "cpu")
    folder.mkdir()
    for _ in range(2):
        loop.step()
        loop.save()
    if left == "newest":
        previous(checkpoint).unlink()
    elif left == "previous":
        checkpoint.replace(previous(checkpoint))
    assert sweeps.Job()(str(file), 0, str(folder), "cpu") == ""
    training = zoo.read_card(folder).training
    assert training["iterations"] == 4
    assert len(training["starts"]) == 2, "it began anew"
