"""Sweeps: planned from a table, trained by submitit, completed by the same command."""

import os
import signal
import subprocess
import sys
import time

import pytest
import submitit
import torch
import yaml
from filelock import FileLock
from safetensors.torch import load_file

from ncabook import experiments, zoo
from ncabook.experiments import runner
from ncabook.experiments import sweep as sweeps
from ncabook.files import sha256
from ncabook.reading import ConfigError, UnknownNameError
from ncabook.training.checkpoint import load_record
from tests.unit.test_experiments import changed

TABLE = {"name": "small", "title": "One tiny experiment", "experiments": ["tiny.yaml"]}


@pytest.fixture
def table(tmp_path):
    """A table file beside its only experiment, long enough to be interrupted."""
    tiny = changed(training__iterations=500, training__checkpoint_every=150)
    for name, content in (("tiny", tiny), ("small", TABLE)):
        text = yaml.safe_dump(content, allow_unicode=True)
        (tmp_path / f"{name}.yaml").write_text(text, encoding="utf-8")
    return tmp_path / "small.yaml"


@pytest.mark.parametrize("name", sweeps.tables())
def test_every_shipped_table_is_valid_and_named_after_its_file(name, tmp_path):
    table, _ = sweeps.find(name)
    assert table.name == name
    runs = sweeps.plan(name, 2, tmp_path)
    assert len(runs) == 2 * len(table.experiments)
    found = [experiments.find(row) for row in table.experiments]
    assert all(getattr(e, "start_from", None) is None for e in found)


def test_a_plan_has_a_folder_for_each_experiment_and_seed(table, tmp_path):
    runs = sweeps.plan(str(table), 2, tmp_path / "runs")
    assert [(run.experiment, run.seed, run.state) for run in runs] == [
        ("tiny", 0, "waiting"),
        ("tiny", 1, "waiting"),
    ]
    assert runs[1].folder == tmp_path / "runs/small/tiny/seed-1"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"experiments": []}, "experiments: List should have at least 1 item"),
        ({"experiments": ["a", "a"]}, "the experiment a stands twice"),
        ({"seeds": 3}, "seeds: Extra inputs are not permitted"),
        ({"name": "../x"}, "name: String should match pattern"),
        ({"title": ""}, "title: String should have at least 1 character"),
        ({"experiments": ["tiny.yaml", "./tiny.yaml"]}, "two experiments are called tiny"),
        ({"experiments": ["missing.yaml"]}, "missing.yaml: no such experiment file"),
    ],
)
def test_a_mistake_in_a_table_is_one_line(table, tmp_path, change, reason):
    table.write_text(yaml.safe_dump(TABLE | change))
    with pytest.raises(ConfigError) as caught:
        sweeps.plan(str(table), 1, tmp_path)
    assert reason in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize("seeds", [0, -1, 10**9])
def test_an_absurd_number_of_seeds_is_refused(tmp_path, seeds):
    with pytest.raises(ValueError, match=f"{seeds} seeds; expected 1 to 1,000"):
        sweeps.plan("table1", seeds, tmp_path)


def test_a_stopped_job_has_the_time_to_save(tmp_path):
    """Ctrl-C also reaches a job's keeper, which would kill the job a second later."""
    place = tmp_path / "state"

    def slow_to_end(place):
        import signal
        import time

        ends = []
        signal.signal(signal.SIGTERM, lambda *_: ends.append(1))
        place.write_text("begun")
        while not ends:
            time.sleep(0.01)
        time.sleep(1.5)  # an iteration, and a checkpoint
        place.write_text("saved")

    executor = submitit.AutoExecutor(folder=tmp_path / "jobs", cluster="local")
    with sweeps._deaf_to_ctrl_c():
        job = executor.submit(slow_to_end, place)
    while not place.exists():
        time.sleep(0.01)
    os.kill(int(job.job_id), signal.SIGINT)  # as the terminal does
    sweeps._stop([(sweeps.Run("x", "x", 0, tmp_path), job)])
    assert job.done()
    assert place.read_text() == "saved"


def test_unknown_tables_and_files_are_named(tmp_path):
    with pytest.raises(UnknownNameError, match="no table 'tabel1'; did you mean table1"):
        sweeps.plan("tabel1", 1, tmp_path)
    with pytest.raises(ConfigError, match=r"x\.yaml: no such table file"):
        sweeps.plan(str(tmp_path / "x.yaml"), 1, tmp_path)


def test_a_result_of_another_configuration_is_not_taken_for_this_one(table, tmp_path):
    """Else an edited experiment would be reported with the old one's loss."""
    small = changed(training__iterations=2)
    (tmp_path / "tiny.yaml").write_text(yaml.safe_dump(small, allow_unicode=True))
    (run,) = sweeps.plan(str(table), 1, tmp_path)
    assert sweeps.Job()(run.source, 0, str(run.folder), "cpu") == ""
    (run,) = sweeps.plan(str(table), 1, tmp_path)
    assert run.state == "kept"
    assert run.loss == zoo.read_card(run.folder).training["mean_loss_of_last_100"]
    small["training"]["iterations"] = 3
    (tmp_path / "tiny.yaml").write_text(yaml.safe_dump(small, allow_unicode=True))
    with pytest.raises(runner.RunExistsError, match="seed-0 holds a result of another config"):
        sweeps.plan(str(table), 1, tmp_path)


def test_a_job_returns_its_error_in_words(table, tmp_path, capsys):
    (run,) = sweeps.plan(str(table), 1, tmp_path)
    run.folder.mkdir(parents=True)
    (run.folder / runner.CHECKPOINT).write_bytes(b"not a checkpoint")
    error = sweeps.Job()(run.source, 0, str(run.folder), "cpu")
    assert "not a whole safetensors file" in error
    assert "Traceback" in capsys.readouterr().err


@pytest.mark.slow
def test_the_same_command_completes_an_interrupted_sweep(table, tmp_path):
    """Ctrl-C in the second of two trainings: the first is kept, the second saves and goes on."""
    command = [sys.executable, "-m", "ncabook", "sweep", str(table), "--seeds", "2"]
    command += ["--device", "cpu"]
    one_thread = os.environ | {"OMP_NUM_THREADS": "1"}  # another number, other bits
    first = subprocess.Popen(
        command,
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env=one_thread,
        # A shell that starts the tests in the background ignores Ctrl-C, and so would the sweep.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    done, begun = (tmp_path / f"runs/small/tiny/seed-{n}" for n in (0, 1))
    while not (begun / runner.CHECKPOINT).exists() and first.poll() is None:
        time.sleep(0.01)
    os.killpg(first.pid, signal.SIGINT)  # as a terminal does: to the sweep and its jobs
    out, err = first.communicate(timeout=60)
    assert first.returncode == 130, err
    assert "the same command again goes on" in err
    assert out.split()[:3] == ["tiny", "0", "done"]
    assert not (begun / zoo.CARD).exists()
    with FileLock(begun / runner.LOCK, timeout=0):
        pass  # no job is left behind
    kept = load_record(runner.checkpoints(begun)[0])["iteration"]
    assert kept > 150  # it was saved then, not only when the time had come
    card = (done / zoo.CARD).read_bytes()

    second = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, timeout=100, env=one_thread
    )
    assert second.returncode == 0, second.stderr
    rows = [line.split() for line in second.stdout.splitlines()]
    assert [row[:3] for row in rows[-3:]] == [
        ["experiment", "seed", "state"],
        ["tiny", "0", "kept"],
        ["tiny", "1", "done"],
    ]
    loss = zoo.read_card(begun).training["mean_loss_of_last_100"]
    assert rows[-1][3] == f"{loss:.5f}"
    assert (done / zoo.CARD).read_bytes() == card
    assert len(zoo.read_card(begun).training["starts"]) == 2

    straight = yaml.safe_load((tmp_path / "tiny.yaml").read_text(encoding="utf-8")) | {"seed": 1}
    (tmp_path / "straight.yaml").write_text(yaml.safe_dump(straight, allow_unicode=True))
    command[3:] = ["train", "straight.yaml", "--output", "straight", "--device", "cpu"]
    subprocess.run(command, cwd=tmp_path, capture_output=True, check=True, env=one_thread)
    straight, resumed = (load_file(f / zoo.WEIGHTS) for f in (tmp_path / "straight", begun))
    assert all(torch.equal(straight[name], resumed[name]) for name in straight)
    assert sha256(done / zoo.WEIGHTS) != sha256(begun / zoo.WEIGHTS)  # the seed counts
