"""The command line as a first-time user meets it, in a process of its own."""

import os
import signal
import subprocess
import sys
import time

import pytest
import yaml

from tests.unit.test_experiments import TINY

pytestmark = pytest.mark.slow


def ncabook(*arguments, cwd=None):
    return subprocess.run(
        [sys.executable, "-m", "ncabook", *arguments],
        capture_output=True,
        text=True,
        cwd=cwd,
        timeout=120,
        check=False,
    )


@pytest.fixture
def tiny(tmp_path):
    path = tmp_path / "tiny.yaml"
    path.write_text(yaml.safe_dump(TINY, allow_unicode=True), encoding="utf-8")
    return path


def test_help_teaches_by_example():
    for command in ([], ["train"], ["evaluate"], ["export"], ["data"], ["data", "get"]):
        result = ncabook(*command, "--help")
        assert result.returncode == 0
        assert "Example" in result.stdout


def test_a_whole_life_train_evaluate_export(tiny, tmp_path):
    result = ncabook("train", str(tiny), cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert "loss" in result.stdout
    quick = ("--seeds", "1", "--no-lpips", "--no-further")
    result = ncabook("evaluate", "runs/tiny", *quick, cwd=tmp_path)
    assert "recovery after damage" in result.stdout, result.stderr
    result = ncabook("export", "runs/tiny", "--html", "page.html", cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert "nca-figure" in (tmp_path / "page.html").read_text()
    again = ncabook("export", "runs/tiny", "--html", "page.html", cwd=tmp_path)
    assert (again.returncode, "add --force" in again.stderr) == (1, True)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["train", "emoji-con3"], "there is no experiment 'emoji-con3'; did you mean emoji-conv3"),
        (["train", "emoji-conv3", "--device", "foo"], "device 'foo'; expected cpu"),
        (["train", "pix2pix-25k", "--device", "cuda:99"], "device 'cuda:99'; expected cpu"),
        (["evaluate", "nothing"], "there is no model 'nothing'"),
        (["data", "get", "emoji"], "did you mean emoji-"),
        (["train", "no/such.yaml"], "no/such.yaml: no such experiment file"),
        (["evaluate", "x", "--seeds", "2", "--save"], "--save keeps whole evaluations only"),
        (
            ["export", "x", "--html", "a.onnx", "--onnx", "a.onnx"],
            "both a.onnx; name two files",
        ),
        (["evaluate", "mnist-mse", "--no-lpips"], "task classify has a protocol of its own"),
    ],
)
def test_mistakes_are_one_line(arguments, message):
    result = ncabook(*arguments)
    assert result.returncode == 1
    assert result.stderr.startswith("error: ")
    assert message in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1


def test_ctrl_c_saves_and_says_how_to_go_on(tmp_path):
    long = dict(TINY, training=dict(TINY["training"], iterations=100_000))
    path = tmp_path / "tiny.yaml"
    path.write_text(yaml.safe_dump(long, allow_unicode=True), encoding="utf-8")
    process = subprocess.Popen(
        [sys.executable, "-m", "ncabook", "train", str(path)],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
    )
    seen = ""
    while "it/s" not in seen:  # the progress bar moves: training is under way
        seen += process.stderr.read(1)
    time.sleep(1)
    process.send_signal(signal.SIGINT)
    _, rest = process.communicate(timeout=60)
    assert process.returncode == 130
    assert f"go on with: ncabook train {path} --resume" in rest
    assert (tmp_path / "runs/tiny/checkpoint.safetensors").exists()
