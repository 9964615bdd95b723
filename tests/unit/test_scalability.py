"""Table 2's benchmark: rows that are what they say, a law that holds, a script that goes on."""

import importlib.util
import json
import sys
from pathlib import Path

import pandas as pd
import pytest
from torch.autograd.graph import saved_tensors_hooks

from ncabook.evaluation import apart, runtime, scalability
from ncabook.evaluation.scalability import Case
from ncabook.experiments import results, table2

SCRIPT = Path(__file__).parents[2] / "benchmarks/scalability.py"
TINY = ["--rows", "pixel-256", "--channels", "64", "--scale", "8", "--threads", "1"]
MEASURED = {"bytes": 10**6, "seconds": {"iteration": [0.2], "rollout": [0.1]}}
MEASURED |= {"processor_seconds": [0.1]}


@pytest.fixture(scope="module")
def script():
    """The benchmark as a module."""
    spec = importlib.util.spec_from_file_location("benchmark_of_table_2", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def counted(monkeypatch):
    """Children that measure nothing; how many there were."""
    calls = []

    def pretend(case, way, *_):
        calls.append(f"{case.space} {way}")
        return json.loads(json.dumps(MEASURED))

    monkeypatch.setattr(apart, "_in_child", pretend)
    return calls


@pytest.mark.slow
def test_a_row_is_measured_whole_and_once(script, tmp_path, monkeypatch, capsys):
    """Memory with √T states is less where 16 steps are kept, and no number is missing."""
    output = tmp_path / "tiny.json"
    asked = [*TINY, "--repeats", "0", "--output", str(output)]
    assert script.main(asked) == 0
    (row,) = json.loads(output.read_text())["rows"].values()
    assert (row["grid"], row["steps"], row["kept_states"]) == (32, 16, 4)
    assert row["roots"]["bytes"] < row["everything"]["bytes"]
    for way in scalability.WAYS:
        found = row[way]
        assert found["bytes"] > 0
        assert all(seconds > 0 for seconds in found["seconds"].values())
        assert {"commit", "date", "hardware", "torch", "quiet", "others", "timed"} <= set(found)
    assert row["everything"]["predicted_over_measured"] > 0
    assert row["evaluation"]["ms_per_step"] > 0
    assert "pixel-256" in capsys.readouterr().out
    before = output.read_bytes()
    monkeypatch.setattr(apart, "_in_child", lambda *_: pytest.fail("it was measured already"))
    assert script.main(asked) == 0
    assert output.read_bytes() == before


def test_the_same_command_goes_on(script, tmp_path, counted, monkeypatch):
    """What is there stays, what was not possible is tried again, other settings are other rows."""
    output = tmp_path / "rows.json"
    asked = [*TINY, "--output", str(output)]
    there = runtime.free_memory("cpu")
    monkeypatch.setattr(runtime, "free_memory", lambda device: script.SPARED + 10**7)
    script.main(asked)
    (row,) = json.loads(output.read_text())["rows"].values()
    assert "GB by the law" in row["everything"]["not_run"]
    assert "bytes" not in row["everything"]
    assert set(counted) == {"pixel roots", "pixel evaluation"}
    monkeypatch.setattr(runtime, "free_memory", lambda device: there)
    counted.clear()
    script.main(asked)
    assert set(counted) == {"pixel everything"}
    counted.clear()
    script.main(asked)
    assert counted == []
    script.main([*asked, "--again"])
    assert len(set(counted)) == 3
    counted.clear()
    script.main([*asked, "--rows", "latent-256,pixel-256"])
    assert {name.split()[0] for name in counted} == {"latent"}
    record = json.loads(output.read_text())
    assert len(record["rows"]) == 2
    assert record["quotients"]["paper, from its rows"] == pytest.approx(30.1, abs=0.05)
    (ours,) = record["quotients"]["ours"].values()
    assert ours == {"everything": 1.0, "roots": 1.0}


def test_a_row_that_fails_is_told_and_tried_again(script, tmp_path, monkeypatch, capsys):
    def fail(*_):
        raise RuntimeError("roots ended with status -9: it said nothing (killed for its memory?)")

    monkeypatch.setattr(apart, "_in_child", fail)
    output = tmp_path / "rows.json"
    assert script.main([*TINY, "--output", str(output)]) == 1
    assert "killed for its memory?" in capsys.readouterr().err
    (row,) = json.loads(output.read_text())["rows"].values()
    assert "status -9" in row["roots"]["not_run"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--rows", "pixel-300"], "'pixel-300' is none of latent-256, latent-512, latent-1024"),
        (["--channels", "32"], "'32' is none of 64, 16"),
        (["--device", "tpu"], "invalid choice: 'tpu'"),
        (["--threads", "0"], "'0'; expected a whole number ≥ 1"),
        (["--threads", "99999"], "--threads 99999: this machine has"),
        (["--scale", "3", "--output", "x.json"], "--scale 3; expected 1, 2, 4 or 8"),
        (["--scale", "8"], "name a file of its own by --output"),
        (["--precision", "float16"], "invalid choice: 'float16'"),
        (["--unknown"], "unrecognized arguments: --unknown"),
    ],
)
def test_mistakes_are_one_line(script, capsys, arguments, message):
    with pytest.raises(SystemExit) as ended:
        script.main(arguments)
    said = capsys.readouterr().err
    assert ended.value.code == 2
    assert said.startswith("error: ")
    assert message in said
    assert len(said.strip().splitlines()) == 1


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"rows": 3}', '{"rows": {"a": 1}}'])
def test_another_file_is_left_alone(script, tmp_path, counted, text):
    path = tmp_path / "notes.json"
    path.write_text(text)
    with pytest.raises(SystemExit, match="is no result of this script"):
        script.main([*TINY, "--output", str(path)])
    assert path.read_text() == text
    assert counted == []


@pytest.mark.parametrize("space", scalability.SPACES)
@pytest.mark.parametrize("way", scalability.WAYS[:2])
def test_an_iteration_reaches_every_parameter(space, way, monkeypatch):
    """Through the decoder, where there is one; whose own weights stay."""
    made = []
    for part in ("automaton", "decoder"):
        build = getattr(Case, part)
        monkeypatch.setattr(
            Case, part, lambda self, build=build: (made.append(build(self)), made[-1])[1]
        )
    case = Case(space, 256, 16, scale=8)
    scalability.workload(case, way)()
    nca, decoder = made
    assert all(p.grad is not None and bool(p.grad.any()) for p in nca.parameters())
    assert decoder is None or all(p.grad is None for p in decoder.parameters())
    assert decoder is None or nca.living_threshold is None


@pytest.mark.parametrize("space", scalability.SPACES)
def test_the_law_counts_what_is_kept(space):
    """Of a whole iteration, by autograd's own account."""
    case = Case(space, 256, 16, scale=8 if space == "pixel" else 1)
    kept: dict[int, int] = {}
    alive = []

    def note(tensor):
        kept.setdefault(tensor.untyped_storage().data_ptr(), tensor.untyped_storage().nbytes())
        alive.append(tensor)
        return tensor

    with saved_tensors_hooks(note, lambda tensor: tensor):
        scalability.workload(case, "everything")()
    assert scalability.law(case).everything == pytest.approx(sum(kept.values()), rel=0.2)


@pytest.mark.parametrize("channels", scalability.CHANNELS)
@pytest.mark.parametrize("scale", [4, 8])
def test_about_the_root_of_the_steps_is_kept(channels, scale):
    case = Case("pixel", 256, channels, scale=scale)
    nca, state = case.automaton(), case.state(case.grid)
    bytes_ = scalability.budget(case, nca, state)
    length = nca.segment_length(state, None, case.steps, bytes_)
    assert abs(-(-case.steps // length) - case.steps**0.5) <= 1


def test_the_law_grows_as_the_chapter_says():
    """Twice the side: four times the cells, twice the steps; the states kept grow by √2."""
    small, large = (scalability.law(Case("pixel", side)) for side in (512, 1024))
    assert large.everything / small.everything == pytest.approx(8, rel=0.01)
    assert large.roots / small.roots == pytest.approx(4 * 2**0.5, rel=0.1)
    assert large.roots < 16e9 < large.everything


def test_an_unknown_way_is_refused():
    with pytest.raises(ValueError, match="there are everything, roots, evaluation"):
        scalability.workload(Case("pixel", 256, scale=8), "half")


def test_table_2_stands_beside_the_papers(script, tmp_path, counted, monkeypatch):
    output = tmp_path / "rows.json"
    monkeypatch.setattr(script, "OUTPUT", tmp_path / "benchmark.json")
    monkeypatch.setattr(script, "COPY", output)
    monkeypatch.setattr(runtime, "free_memory", lambda device: 20 * 10**9)
    monkeypatch.setattr(table2, "RECORD", output)
    assert results.table(2)["all kept (s)"].isna().all()
    script.main(["--rows", "latent-256,pixel-1024", "--channels", "64", "--threads", "1"])
    assert (tmp_path / "benchmark.json").read_bytes() == output.read_bytes()
    frame = results.table(2)
    assert list(frame.index) == [f"{s}-{p}" for s in scalability.SPACES for p in (256, 512, 1024)]
    assert frame.loc["latent-256", "√T states (MiB)"] == pytest.approx(10**6 / 2**20)
    assert frame.loc["latent-256", "evaluation (ms)"] == pytest.approx(100 / 16)
    assert frame.loc["latent-256", "paper, training (MiB)"] == 474
    assert frame.loc["pixel-1024", "paper, training (MiB)"] == "out of memory"
    assert frame.loc["pixel-1024", "all kept (MiB)"] == "not run: 142 GB by the law"
    assert pd.isna(frame.loc["pixel-256", "all kept (s)"])
    text = results.markdown(frame)
    assert len({line.count("|") for line in text.splitlines()}) == 1
    with pytest.raises(ValueError, match=r"benchmarks/scalability\.py measures it anew"):
        results.models(2)


def test_the_package_has_the_benchmarks_record(script):
    """What ``ncabook table 2`` reads is what was measured."""
    assert script.COPY == table2.RECORD
    assert script.COPY.exists() == script.OUTPUT.exists()  # neither, before it was ever run
    if script.COPY.exists():
        assert script.COPY.read_bytes() == script.OUTPUT.read_bytes()
