"""Real processes: two of them train like one, and a killed one loses nothing."""

import os
import random
import re
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress

import pytest
import torch
import yaml
from safetensors.torch import load_file

from ncabook.training import processes
from ncabook.training.checkpoint import load_record, load_tensors, previous
from tests.unit.test_experiments import changed

# When a run is killed: in its start, some iterations after a new checkpoint, or while one is
# written.
KILLS = ("later", "start", "writing", "later", "writing", "start", "writing", "later")


def write(folder, **changes):
    path = folder / "tiny.yaml"
    path.write_text(yaml.safe_dump(changed(**changes), allow_unicode=True), encoding="utf-8")
    return path


def free_port():
    """One that nobody gets who asks the system for any: such are above, and soon taken.

    Tests side by side begin to look at different places.
    """
    for port in range(20_000 + 10 * os.getpid() % 10_000, 32_000):
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise OSError("no port is free")


def train(nest, folder, path, output, *options, processes=1):
    """Trains and returns what was printed; each of several processes is one of a group."""
    port = free_port()
    log = folder / f"{output}.txt"
    pids = []
    for rank in range(processes):
        group = {
            "RANK": rank,
            "LOCAL_RANK": rank,
            "WORLD_SIZE": processes,
            "LOCAL_WORLD_SIZE": processes,
            "MASTER_ADDR": "127.0.0.1",
            "MASTER_PORT": port,
        }
        env = {k: str(v) for k, v in group.items()} if processes > 1 else {}
        arguments = ("train", str(path), "--output", str(folder / output), *options)
        arguments += ("--device", "cpu")
        pids.append(nest.start(*arguments, cwd=folder, log=log, **env))
    statuses = [nest.wait(pid) for pid in pids]
    return statuses, log.read_text()


def assert_close(a, b, tolerance):
    assert a.keys() == b.keys()
    for name in a:
        assert torch.allclose(a[name].double(), b[name].double(), rtol=0, atol=tolerance), name


@pytest.mark.parametrize(("kind", "accumulation"), [("adam", 1), ("muon", 1), ("adam", 2)], ids=str)
def test_two_processes_train_like_one(nest, tmp_path, kind, accumulation):
    """Same parameters, optimiser, pool, random streams; damage, mutation and fire included."""
    path = write(
        tmp_path,
        training__iterations=6,
        training__batch=8,
        training__optimizer={"kind": kind, "learning_rate": 0.002},
    )
    assert train(nest, tmp_path, path, "one")[0] == [0]
    content = path.read_text().replace("batch: 8", f"batch: 8\n  accumulation: {accumulation}")
    path.write_text(content)
    statuses, printed = train(nest, tmp_path, path, "two", processes=2)
    assert statuses == [0, 0], printed
    assert printed.count("trained 872 parameters") == 1
    one, _ = load_tensors(tmp_path / "one/checkpoint.safetensors")
    two, _ = load_tensors(tmp_path / "two/checkpoint.safetensors")
    assert len(one["parts/pool/samples/state"]) == 8
    for name in ("parts/random/host", "parts/random/device", "parts/pool/samples/class"):
        assert torch.equal(one[name], two[name])
    assert_close(one, two, 1e-6)


def test_a_batch_that_cannot_be_shared_is_refused_in_one_line(nest, tmp_path):
    path = write(tmp_path, training__batch=5, training__pool=None)
    statuses, printed = train(nest, tmp_path, path, "two", processes=2)
    assert [os.waitstatus_to_exitcode(status) for status in statuses] == [1, 1]
    line = "error: a batch of 5 cannot be shared by 2 processes with accumulation 1; expected"
    assert printed.count(line) == 2
    assert len(printed.strip().splitlines()) == 2
    assert not (tmp_path / "two").exists()


def unfinished(checkpoint):
    return set(checkpoint.parent.glob(".checkpoint.safetensors.*"))


def written(checkpoint):
    """When it was; 0 where it is not there, as for a moment between two renamings."""
    try:
        return checkpoint.stat().st_mtime_ns
    except FileNotFoundError:
        return 0


def test_killed_at_random_moments_a_run_ends_as_if_it_had_never_been(nest, tmp_path):
    """``kill -9``, again and again, also while a checkpoint is written; not a bit differs."""
    path = write(tmp_path, training__iterations=200, training__checkpoint_every=1)
    assert train(nest, tmp_path, path, "straight")[0] == [0]
    checkpoint = tmp_path / "killed/checkpoint.safetensors"
    dice = random.Random(0)
    log = tmp_path / "killed.txt"
    for kill, moment in enumerate(KILLS):
        arguments = ["train", str(path), "--output", str(checkpoint.parent), "--device", "cpu"]
        before = written(checkpoint)
        pid = nest.start(*arguments, *["--resume"] * (kill > 0), cwd=tmp_path, log=log)
        deadline = time.monotonic() + 300
        while moment != "start" and time.monotonic() < deadline:
            if written(checkpoint) not in (0, before):
                break
            time.sleep(0.001)
        if moment == "writing":
            while not unfinished(checkpoint) and time.monotonic() < deadline:
                pass
        else:
            time.sleep(dice.uniform(0, 0.1))
        os.kill(pid, signal.SIGKILL)
        assert nest.wait(pid) == signal.SIGKILL, log.read_text()  # it had not ended by itself
    # A kill between two renamings leaves the checkpoint before only.
    newest = checkpoint if checkpoint.exists() else previous(checkpoint)
    iteration = load_record(newest)["iteration"]
    assert len(KILLS) // 2 < iteration < 200
    assert train(nest, tmp_path, path, "killed", "--resume")[0] == [0], log.read_text()
    straight, killed = (
        load_file(tmp_path / f"{n}/weights.safetensors") for n in ("straight", "killed")
    )
    assert_close(straight, killed, 0)
    straight, killed = (
        load_tensors(tmp_path / f"{n}/checkpoint.safetensors")[0] for n in ("straight", "killed")
    )
    assert_close(straight, killed, 0)
    assert not list(checkpoint.parent.glob(".checkpoint.safetensors.*"))


def test_what_asks_for_an_end_saves_and_says_how_to_go_on(nest, tmp_path):
    """Ctrl-C, ``kill``, and a terminal that is closed, which may say so more than once."""
    path = write(tmp_path, training__iterations=10**5, training__checkpoint_every=10**5)
    ends = {"ctrl-c": [signal.SIGINT], "kill": [signal.SIGTERM] * 2, "closed": [signal.SIGHUP] * 3}
    logs = {name: tmp_path / f"{name}.txt" for name in ends}
    pids = {
        name: nest.start(
            *("train", str(path), "--output", name, "--device", "cpu"), cwd=tmp_path, log=log
        )
        for name, log in logs.items()
    }
    for name, signals in ends.items():
        while "loss=" not in logs[name].read_text():  # the progress bar moves
            time.sleep(0.01)
        for number in signals:
            os.kill(pids[name], number)
    for name, log in logs.items():
        status = nest.wait(pids[name])
        said = log.read_text()
        assert os.waitstatus_to_exitcode(status) == 130, said
        assert said.endswith(
            f"stopped; the checkpoint is {name}/checkpoint.safetensors\n"
            f"go on with: ncabook train {path} --output {name} --resume\n"
        )
        assert load_record(tmp_path / name / "checkpoint.safetensors")["iteration"] > 0


def test_an_interrupted_evaluation_leaves_the_card(nest, tmp_path):
    path = write(tmp_path)
    assert train(nest, tmp_path, path, "run")[0] == [0]
    card = (tmp_path / "run/card.json").read_bytes()
    log = tmp_path / "evaluate.txt"
    pid = nest.start("evaluate", "run", "--save", cwd=tmp_path, log=log)
    time.sleep(0.3)
    os.kill(pid, signal.SIGINT)
    assert os.waitstatus_to_exitcode(nest.wait(pid)) == 130, log.read_text()
    assert log.read_text() == "\nstopped; nothing was saved\n"
    assert (tmp_path / "run/card.json").read_bytes() == card
    assert not list((tmp_path / "run").glob(".card*"))


def test_a_second_interrupt_while_the_first_is_noted_does_not_hang(ctrl_c):
    """A terminal and a job's controller send one each, at once: the second is a plain Ctrl-C."""
    with processes.noting_interrupts() as interrupted, pytest.MonkeyPatch.context() as patch:
        patch.setattr(interrupted, "set", lambda: signal.raise_signal(signal.SIGINT))
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_closed_terminal_may_say_so_twice(request):
    """The shell and the system both do; the second is no sign of impatience."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)  # started under nohup, it is ignored
    request.addfinalizer(lambda: signal.signal(signal.SIGHUP, before))
    with processes.ending_like_ctrl_c(), processes.noting_interrupts() as interrupted:
        for number in (signal.SIGHUP, signal.SIGHUP, signal.SIGTERM):
            signal.raise_signal(number)
            assert interrupted.is_set()
    assert signal.getsignal(signal.SIGHUP) is signal.SIG_DFL
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def test_who_ignores_a_closed_terminal_goes_on():
    """As under ``nohup``, or in a library's hands."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with processes.ending_like_ctrl_c(), processes.noting_interrupts() as interrupted:
            signal.raise_signal(signal.SIGHUP)
            assert not interrupted.is_set()
    finally:
        signal.signal(signal.SIGHUP, before)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere PyTorch has another OpenMP")
@pytest.mark.parametrize(
    ("asked", "spins"),
    [({}, "1000"), ({"OMP_WAIT_POLICY": "active"}, None)],
)
def test_threads_that_wait_soon_sleep_unless_asked_otherwise(asked, spins):
    """What OpenMP itself says when it is loaded; beside other programs spinning costs much."""
    ours = {k: v for k, v in os.environ.items() if not k.startswith(("OMP_", "GOMP_"))}
    done = subprocess.run(
        [sys.executable, "-c", "import ncabook"],
        env=ours | {"OMP_DISPLAY_ENV": "verbose"} | asked,
        capture_output=True,
        text=True,
        check=True,
    )
    found = re.search(r"GOMP_SPINCOUNT = '(\d+)'", done.stderr)
    assert found, done.stderr
    assert found[1] == spins if spins else int(found[1]) > 10**6
