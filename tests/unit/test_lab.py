"""The laboratory: what its shelf holds, and a server that is for this machine's own page only."""

import http.client
import json
import re
import shutil
import sys
import threading

import pytest
import torch
import yaml

from ncabook import cli, experiments, zoo
from ncabook.experiments import runner
from ncabook.lab import runs, shelf
from ncabook.lab.runs import Run, thinned
from ncabook.lab.server import Laboratory, Server
from ncabook.reading import UnknownNameError
from ncabook.tasks import task_of
from ncabook.training.checkpoint import glance, load_record
from tests.unit.test_experiments import changed

MODEL = "emoji-sobel"


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A training that was stopped: a checkpoint, and no result."""
    folder = tmp_path_factory.mktemp("runs") / "mine"
    experiment = experiments.load_experiment(write(folder.parent))
    runner.train(experiment, folder, progress=False, tracker="none")
    for name in (zoo.CARD, zoo.WEIGHTS):
        (folder / name).rename(folder / f"{name}.away")
    return folder


def write(folder):
    path = folder / "tiny.yaml"
    path.write_text(yaml.safe_dump(changed(), allow_unicode=True), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def server(run):
    """A laboratory with one run and one model."""
    with Server(Laboratory([str(run), MODEL]), 0) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def ask(server, path, method="GET", **headers):
    """Status, headers and content; ``Host`` is what it should be if not given."""
    port = server.server_address[1]
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.putrequest(method, path, skip_host=True)
    for name, value in {"Host": f"127.0.0.1:{port}", **headers}.items():
        if value is not None:
            connection.putheader(name.replace("_", "-"), value)
    connection.endheaders()
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    return answer.status, dict(answer.headers), content


def test_it_listens_on_this_machine_only(server):
    assert server.server_address[0] == "127.0.0.1"
    status, headers, content = ask(server, "/")
    assert status == 200
    assert b"nca-lab" in content
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"


def test_only_its_own_page_may_ask(server):
    """Another name that leads here (DNS rebinding), or a page of another server, gets nothing."""
    port = server.server_address[1]
    for host in ("localhost", "127.0.0.1"):
        assert ask(server, "/lab/shelf.js", Host=f"{host}:{port}")[0] == 200
    for host in (f"evil.example:{port}", "127.0.0.1", f"127.0.0.1:{port + 1}", "", None):
        assert ask(server, "/lab/shelf.js", Host=host)[0] == 403, host
    assert ask(server, "/lab/runs.json", Origin=f"http://localhost:{port}")[0] == 200
    for origin in ("http://evil.example", "null", f"https://127.0.0.1:{port}", "http://127.0.0.1"):
        assert ask(server, "/lab/runs.json", Origin=origin)[0] == 403, origin
    cross = {"Sec_Fetch_Site": "cross-site"}
    assert ask(server, "/lab/shelf.js", **cross, Sec_Fetch_Mode="no-cors")[0] == 403
    assert ask(server, "/", **cross, Sec_Fetch_Mode="navigate")[0] == 200  # a link to it


def test_nothing_else_is_served(server):
    """There are no files behind the addresses, so that no way leads up or out."""
    for path in (
        *("/lab", "/lab/", "/lab/shelf.py", "/lab/server.py", "/etc/passwd", "//etc/passwd"),
        *("/../../etc/passwd", "/lab/../pyproject.toml", "/%2e%2e/%2e%2e/etc/passwd"),
        *("/lab/models/../../zoo/__init__.py", "/lab/models/..%2f..%2fzoo%2f__init__.py"),
        *("/lab/models/no-such.js", "/live/faces-inpaint.html", "/files/run-1.json"),
        *(
            "/files/faces-inpaint.json",
            "http://127.0.0.1/",
            "/lab/models/%00.js",
            "/lab/models/.js",
        ),
    ):
        assert ask(server, path)[0] == 404, path


def test_it_is_to_be_looked_at_only(server):
    for method in ("POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD", "TRACE", "CONNECT"):
        status, headers, _ = ask(server, "/", method)
        assert (status, headers["Allow"]) == (405, "GET"), method


def test_a_port_in_use_is_one_line(server, monkeypatch, capsys, tmp_path):
    port = server.server_address[1]
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["ncabook", "lab", "--port", str(port), "--no-browser"])
    with pytest.raises(SystemExit) as end:
        cli.main()
    said = capsys.readouterr().err
    assert end.value.code == 1
    assert (
        said
        == f"error: port {port} is in use; name another with --port, or 0 for any that is free\n"
    )


def test_the_shelf_holds_what_may_be_shown(server):
    content = ask(server, "/lab/shelf.js")[2].decode()
    entries = json.loads(re.fullmatch(r"ncaLab\.shelve\((.*)\);\n", content)[1])
    keys = [entry["key"] for entry in entries]
    assert keys[:2] == ["run-1", MODEL]
    assert "faces-inpaint" not in keys  # learned from pictures that may not be shown
    assert "unet-25k" not in keys  # has no steps
    assert set(keys) - {"run-1"} == set(shelf.shown_names())
    model = entries[1]
    assert model["parameters"] == zoo.read_card(zoo.find(MODEL)).parameters
    assert {"title": "LPIPS, recovery, damage (%)"}.items() <= model["numbers"][2].items()
    for place in (*model["links"].values(), f"lab/models/{MODEL}.png"):
        assert ask(server, f"/{place}")[0] == 200, place


def test_a_model_comes_as_a_figure(server):
    content = ask(server, f"/lab/models/{MODEL}.js?anything")[2].decode()
    key, figure = json.loads(f"[{re.fullmatch(r'ncaLab.take.(.*).;', content.strip())[1]}]")
    assert key == MODEL
    assert figure.startswith('<figure class="nca-figure" data-nca="')


def test_a_training_is_shown_by_its_checkpoint(server, run):
    """Its weights, its curve, and a new version when there is a new checkpoint."""
    (told,) = json.loads(ask(server, "/lab/runs.json")[2])
    record = load_record(run / runner.CHECKPOINT)
    assert told["iteration"] == told["iterations"] == record["iteration"]
    assert told["losses"][-1][0] == record["iteration"]
    shown = Run("run-1", run).shown()
    for name, tensor in shown.nca.state_dict().items():
        assert torch.equal(tensor, record["parts"]["model"][name]), name
    before = ask(server, "/lab/models/run-1.js")[2]
    path = run / runner.CHECKPOINT
    shutil.copy(path, run / "copy")
    (run / "copy").replace(path)
    (again,) = json.loads(ask(server, "/lab/runs.json")[2])
    assert again["version"] != told["version"]
    assert ask(server, "/lab/models/run-1.js")[2] == before  # the same weights


def test_a_result_that_is_newer_takes_the_checkpoints_place(run, tmp_path):
    folder = shutil.copytree(run, tmp_path / "done")
    for name in (zoo.WEIGHTS, zoo.CARD):
        shutil.copyfile(folder / f"{name}.away", folder / name)
    found = Run("run-1", folder)
    assert found.source().name == zoo.CARD
    assert found.entry()["parameters"] == zoo.read_card(folder).parameters
    assert found.shown().description["title"] == zoo.read_card(folder).experiment.title


def test_a_damaged_checkpoint_leaves_the_one_before(run, tmp_path):
    folder = shutil.copytree(run, tmp_path / "damaged")
    good = folder / runner.CHECKPOINT
    shutil.copy(good, good.with_name("checkpoint.previous.safetensors"))
    good.write_bytes(b"half of it")
    assert Run("run-1", folder).progress() is not None
    good.with_name("checkpoint.previous.safetensors").unlink()
    laboratory = Laboratory([MODEL])
    laboratory.runs["run-1"] = Run("run-1", folder)
    assert laboratory._progress() == []  # told on stderr; the page keeps what it has


def test_a_glance_reads_what_it_is_asked_for(run):
    whole, part = load_record(run / runner.CHECKPOINT), glance(run / runner.CHECKPOINT, ["model"])
    assert set(part["parts"]) == {"model"} < set(whole["parts"])
    assert torch.equal(part["losses"], whole["losses"])
    assert part["identity"] == whole["identity"]
    assert glance(run / runner.CHECKPOINT)["parts"] == {}


def test_what_cannot_be_shown_is_one_line(run, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs/begun").mkdir(parents=True)
    for name in ("begun", "runs/begun"):
        with pytest.raises(FileNotFoundError, match="neither a checkpoint nor a result") as wrong:
            Laboratory([name])
        assert "\n" not in str(wrong.value)
    with pytest.raises(UnknownNameError, match=r"no run 'begn', here or in runs; .*'begn'"):
        Laboratory(["begn"])
    with pytest.raises(UnknownNameError, match="no run ''"):
        Laboratory([""])
    with pytest.raises(ValueError, match="faces-inpaint may not be shown"):
        Laboratory(["faces-inpaint"])
    with pytest.raises(TypeError, match="unet-25k is no automaton"):
        Laboratory(["unet-25k"])
    shutil.copytree(run, tmp_path / "runs/mine")
    assert runs.find("mine") == runs.RUNS / "mine"
    (tmp_path / "runs/begun" / runner.LOCK).touch()
    assert Laboratory().first == ["run-1"]  # `begun` is passed over
    assert "runs/begun is left out: it has no checkpoint yet" in capsys.readouterr().err


def test_a_curve_keeps_its_end_and_its_mean():
    losses = [float(n) for n in range(1000)]
    curve = thinned(losses)
    assert len(curve) <= runs.POINTS
    assert curve[-1][0] == 1000
    assert curve[0] == (4, 1.5)
    assert thinned([]) == []


def test_the_book_has_all_that_its_page_loads(tmp_path, monkeypatch):
    monkeypatch.setattr(shelf, "shown_names", lambda: [MODEL])
    shelf.write(tmp_path)
    assert {path.name for path in (tmp_path / "lab").iterdir()} == {
        *shelf.FILES,
        shelf.SHELF,
        "models",
    }
    assert (tmp_path / f"live/{MODEL}.html").read_text().startswith("<!doctype html>")
    experiment = zoo.read_card(zoo.find(MODEL)).experiment
    assert task_of(experiment).shows(experiment)
    assert (tmp_path / f"lab/models/{MODEL}.png").read_bytes().startswith(b"\x89PNG")


def test_ctrl_c_closes_it_in_a_line(monkeypatch, capsys, tmp_path):
    """It prints where it is, opens nothing unasked, and ends without a traceback."""

    def interrupted(server):
        assert server.laboratory.first == [MODEL]
        raise KeyboardInterrupt

    monkeypatch.setattr(Server, "serve_forever", interrupted)
    monkeypatch.setattr("webbrowser.open", lambda _: pytest.fail("a browser was opened"))
    monkeypatch.chdir(tmp_path)
    arguments = ["ncabook", "lab", MODEL, "--port", "0", "--no-browser"]
    monkeypatch.setattr(sys, "argv", arguments)
    with pytest.raises(SystemExit) as end:
        cli.main()
    printed = capsys.readouterr()
    assert not end.value.code
    assert re.match(r"the laboratory is at http://127\.0\.0\.1:\d+/ ", printed.out)
    assert printed.out.endswith("the laboratory is closed\n")
    assert printed.err == ""
