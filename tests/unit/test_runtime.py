"""The workloads of Tables 2 and 6: the right models, whole steps, and the printed memory."""

import pytest
import torch

from ncabook.evaluation import paper, runtime

TINY = {"batch": 2, "size": 32, "steps": 2}
MODELS = [*paper.TABLE_6, runtime.PIXEL]


@pytest.mark.parametrize("name", ["NCA (3×3 conv)", "NCA (attention)"])
def test_automata_have_the_printed_parameters(name):
    """To the last one: otherwise Table 6 would be compared with something else."""
    assert runtime.build(name).parameter_count == paper.TABLE_6[name].parameters


@pytest.mark.parametrize("variant", runtime.VARIANTS)
@pytest.mark.parametrize("model", MODELS)
def test_a_training_step_moves_every_parameter(model, variant, monkeypatch):
    """A workload that forgot the backward pass or the optimiser would look fast."""
    modules = []
    build = runtime.build

    def remember(*arguments):
        modules.append(build(*arguments))
        return modules[-1]

    monkeypatch.setattr(runtime, "build", remember)
    step = runtime.training_step(model, variant, **TINY)
    before = [p.detach().clone() for p in modules[0].parameters()]
    step()
    after = list(modules[0].parameters())
    assert all(p.grad is not None for p in after)
    moved = sum(not torch.equal(a, b) for a, b in zip(before, after, strict=True))
    assert moved >= 0.9 * len(after)


@pytest.mark.parametrize("model", MODELS)
def test_inference_keeps_nothing(model):
    runtime.inference(model, "ncabook", **TINY)()


def test_the_textbook_step_keeps_what_the_paper_prints():
    """Table 6's peak, at its own sizes, is within five percent of what autograd keeps."""
    for name in ("NCA (3×3 conv)", "NCA (attention)"):
        kept = runtime.kept_bytes(name, "reference", batch=16, size=64, steps=32)
        assert kept / 2**20 == pytest.approx(paper.TABLE_6[name].training_mb, rel=0.05)


def test_unknown_names_are_refused():
    with pytest.raises(ValueError, match="there are U-Net"):
        runtime.build("ResNet")
    with pytest.raises(ValueError, match="there are reference, ncabook"):
        runtime.inference("U-Net", "fast", **TINY)


@pytest.mark.slow
def test_a_workload_that_does_not_fit_is_left_out_and_said_to_be(monkeypatch):
    monkeypatch.setattr(runtime, "free_memory", lambda device: 1000)
    monkeypatch.setattr(runtime, "_peak", lambda *_: 0)
    sizes = {"size": 32, "batch": 2, "steps": 2, "inference": 2, "pixel": 32, "repeats": 1}
    rows = runtime.measure(("U-Net", "NCA (3×3 conv)"), sizes)
    entry = rows["NCA (3×3 conv)"]["reference"]
    assert "GiB are free" in entry["left_out"]
    assert "training_seconds" not in entry
    assert "1" in entry["inference_seconds"]
    assert "training_seconds" in rows["U-Net"]["ncabook"]


def test_the_small_sizes_fit_where_nothing_is_halved() -> None:
    """Without bfloat16 a rollout keeps twice as much; the budget still has it compute twice."""
    pixel, memory = runtime.SMOKE["pixel"], runtime.SMOKE["pixel_memory"]
    nca = runtime.build(runtime.PIXEL)
    state = torch.rand(1, nca.layout.channels, pixel, pixel)
    assert nca.segment_length(state, None, pixel // 2, memory) < pixel // 2
