"""The command line as a first-time user meets it."""

import errno
import io
import os
import subprocess
import sys
import threading

import pytest
import yaml

from ncabook import cli, zoo
from ncabook.training.checkpoint import load_record
from tests.unit.test_experiments import changed


@pytest.fixture
def ncabook(monkeypatch, capsys, tmp_path):
    """Runs a command in this process; returns its status and what it printed."""

    def run(*arguments):
        # Set here, so that they are set back.
        monkeypatch.setattr(sys, "stderr", sys.stderr)
        monkeypatch.setattr(threading, "excepthook", threading.excepthook)
        monkeypatch.setattr(sys, "argv", ["ncabook", *map(str, arguments)])
        with pytest.raises(SystemExit) as end:
            cli.main()
        printed = capsys.readouterr()
        return end.value.code or 0, printed.out, printed.err

    monkeypatch.chdir(tmp_path)
    return run


def write(folder, **changes):
    path = folder / "tiny.yaml"
    path.write_text(yaml.safe_dump(changed(**changes), allow_unicode=True), encoding="utf-8")
    return path


@pytest.fixture
def tiny(tmp_path):
    return write(tmp_path)


def test_the_module_is_the_command():
    result = subprocess.run(
        [sys.executable, "-m", "ncabook", "--help"], capture_output=True, text=True, check=True
    )
    assert "Examples:" in result.stdout


@pytest.mark.parametrize(
    "command", ["train", "lab", "evaluate", "export", "import", "sweep", "table", "data"]
)
def test_help_teaches_by_example(ncabook, command):
    status, out, _ = ncabook(command, "--help")
    assert status == 0
    assert "Example" in out


def test_a_whole_life_train_evaluate_export(ncabook, tiny, tmp_path):
    status, out, err = ncabook("train", tiny)
    assert status == 0, err
    assert "loss" in out
    quick = ("--seeds", "1", "--no-lpips", "--no-further")
    status, out, err = ncabook("evaluate", "runs/tiny", *quick)
    assert "recovery, damage" in out, err
    status, _, err = ncabook("export", "runs/tiny", "--html", "page.html")
    assert status == 0, err
    assert "nca-figure" in (tmp_path / "page.html").read_text()
    status, _, err = ncabook("export", "runs/tiny", "--html", "page.html")
    assert (status, "add --force" in err) == (1, True)


def test_a_seed_in_place_of_the_files_own(ncabook, tiny, tmp_path):
    """In the card, and in the folder's name as the zoo has it; a bad one is one line."""
    status, _, err = ncabook("train", tiny, "--seed", "3")
    assert status == 0, err
    assert zoo.read_card(tmp_path / "runs/tiny-seed-3").experiment.seed == 3
    assert ncabook("train", tiny)[0] == 0  # of its own seed, which is no reason to collide
    assert ncabook("train", tiny, "--seed", "0")[0] == 0
    assert {p.name for p in (tmp_path / "runs").iterdir()} == {"tiny", "tiny-seed-0", "tiny-seed-3"}
    status, _, err = ncabook("train", "handbags-conv3-critic", "--seed", "5")
    assert status != 0
    assert "with seed 5 starts from handbags-conv3-l1-seed-5: there is no model" in err
    assert "train that first" in err
    status, _, err = ncabook("train", tiny, "--seed", "-3")
    assert status != 0
    assert "tiny: seed: Input should be greater than or equal to 0" in err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["train", "emoji-con3"], "there is no experiment 'emoji-con3'; did you mean emoji-conv3"),
        (["train", "emoji-conv3", "--device", "foo"], "device 'foo'; expected cpu"),
        (["train", "emoji-conv3", "--device", ""], "device ''; expected cpu"),
        (["train", ""], "there is no experiment ''"),
        (["train", "emoji-conv3", "--resume", "--output", "mistyped"], "check the folder's name"),
        (["sweep", "table1", "--device", ""], "device ''; expected cpu"),
        (["sweep", "table1", "--cluster", "slurm", "--device", "gpu"], "device 'gpu'; expected"),
        (["sweep", "table1", "--device", "cpu", "--partition", ""], "partition's name is empty"),
        (["sweep", "table1", "--hours", "inf"], "inf hours for a job; expected a number above 0"),
        (["train", "pix2pix-25k", "--device", "cuda:99"], "device 'cuda:99'; expected cpu"),
        (["evaluate", "nothing"], "there is no model 'nothing'"),
        (["evaluate", ""], "there is no model ''"),
        (["evaluate", "emoji-conv3", "--device", ""], "device ''; expected cpu"),
        (["data", "get", "emoji"], "did you mean emoji-"),
        (["data", "get", ""], "there is no data set ''"),
        (["data", "verify", ""], "there is no data set ''"),
        (["train", "no/such.yaml"], "no/such.yaml: no such experiment file"),
        (["evaluate", "x", "--seeds", "2", "--save"], "--save keeps whole evaluations only"),
        (
            ["export", "x", "--html", "a.onnx", "--onnx", "a.onnx"],
            "both a.onnx; name two files",
        ),
        (["evaluate", "mnist-mse", "--no-lpips"], "task classify has a protocol of its own"),
    ],
)
def test_mistakes_are_one_line(ncabook, tmp_path, arguments, message):
    status, _, err = ncabook(*arguments)
    assert status == 1
    assert err.startswith("error: ")
    assert message in err
    assert len(err.strip().splitlines()) == 1
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        *(
            ([*command, "--seeds", seeds], f"'--seeds': Input should be {bound}")
            for command in (["evaluate", "emoji-conv3"], ["sweep", "table1"])
            for seeds, bound in (
                ("0", "greater than or equal to 1"),
                (str(10**9), "less than or equal to 1000"),
            )
        ),
        (["train", "emoji-conv3", "--output", ""], "it is empty; name a file or folder"),
        (["sweep", "table1", "--output", ""], "it is empty; name a file or folder"),
        (["export", "emoji-conv3", "--html", ""], "it is empty; name a file or folder"),
    ],
)
def test_values_that_make_no_sense_are_refused(ncabook, tmp_path, arguments, message):
    status, _, err = ncabook(*arguments)
    assert status == 2
    assert message in err
    assert not list(tmp_path.iterdir())


def test_a_closed_standard_output_is_no_error(ncabook, monkeypatch):
    """As with ``ncabook list >&-``."""
    monkeypatch.setattr(sys, "stdout", None)
    assert ncabook("list") == (0, "", "")


@pytest.mark.parametrize("reason", [errno.EIO, errno.EPIPE, errno.ENOSPC])
def test_a_training_outlives_what_shows_its_progress(ncabook, tiny, tmp_path, monkeypatch, reason):
    """A terminal that is closed, a pipe without a reader, a full disk behind ``2>``."""

    class Gone(io.StringIO):
        encoding, errors = "utf-8", "replace"

        def write(self, text):
            raise OSError(reason, os.strerror(reason))

        def flush(self):
            raise OSError(reason, os.strerror(reason))

        def reconfigure(self, **options):
            pass

    monkeypatch.setattr(sys, "stderr", Gone())
    status, out, _ = ncabook("train", tiny)
    assert (status, "trained 872 parameters" in out) == (0, True)
    assert zoo.load(str(tmp_path / "runs/tiny"))


def test_a_full_disk_while_a_checkpoint_is_written_loses_nothing(ncabook, tmp_path, monkeypatch):
    path = write(tmp_path, training__iterations=6, training__checkpoint_every=2)
    checkpoint = tmp_path / "runs/tiny/checkpoint.safetensors"
    written, sync = [], os.fsync

    def filling(descriptor):
        written.append(descriptor)
        if len(written) == 2:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        sync(descriptor)

    with monkeypatch.context() as full:
        full.setattr(os, "fsync", filling)
        status, _, err = ncabook("train", path)
    assert status == 1
    assert err.splitlines()[-1] == (
        f"error: [Errno 28] No space left on device: '{checkpoint}'; runs/tiny/"
        f"checkpoint.safetensors is kept: go on with: ncabook train {path} --resume"
    )
    assert load_record(checkpoint)["iteration"] == 2
    assert not list(checkpoint.parent.glob(".check*"))
    status, out, err = ncabook("train", path, "--resume")
    assert (status, "trained 872 parameters" in out) == (0, True), err
    assert zoo.read_card(checkpoint.parent).training["iterations"] == 6
