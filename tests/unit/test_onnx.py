"""The exported step, run by onnxruntime, computes what PyTorch computes."""

import json
import re
import sys

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from ncabook import cli, zoo
from ncabook.automaton import (
    NCA,
    ConvPerception,
    MultiPerception,
    ResNetUpdate,
    centre_seed,
    hashed_fire,
    plant_seed,
)
from ncabook.live import to_onnx
from tests.live.test_engine import with_perception

HEIGHT, WIDTH, CLASSES, STEPS, SEED = 19, 26, 3, 64, 1234


def session(model):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def both(nca, run, state, condition, steps):
    """The states after ``steps`` steps: PyTorch's textbook step's, and onnxruntime's."""
    batch, _, height, width = state.shape
    wanted, actual = state, state.numpy()
    for t in range(steps):
        masks = [hashed_fire(height, width, t, SEED + b, nca.fire_rate) for b in range(batch)]
        inputs = {"state": actual, "fire": torch.cat(masks).numpy()}
        if condition is not None:
            inputs["condition"] = condition.numpy()
        (actual,) = run.run(["next_state"], inputs)
        wanted = nca.step(wanted, condition, fire=torch.cat(masks))
    return wanted, torch.from_numpy(actual)


def check(nca, run):
    """A batch of two on two grids, of which neither is the one that was exported."""
    classes = nca.perception.condition_channels
    condition = torch.eye(classes)[[0, classes - 1]] if classes else None
    seed = centre_seed(nca.layout, HEIGHT, WIDTH)
    state = torch.cat([seed, plant_seed(seed, nca.layout, 0, 3)])
    fixed = nca.layout.fixed
    state[:, :fixed] = torch.rand(2, fixed, HEIGHT, WIDTH)
    wanted, actual = both(nca, run, state, condition, STEPS)
    assert 0.5 < wanted.abs().max() < 100  # neither dead nor exploded
    assert (wanted[:, nca.layout.alpha] > 0.1).float().mean() > 0.02, "too little is alive to tell"
    assert (actual - wanted).abs().max() <= 1e-4
    assert torch.equal(actual[:, :fixed], state[:, :fixed])

    reach = nca.perception.reach  # of the smallest grid that there may be
    state = torch.rand(2, nca.layout.channels, reach, reach + 1)
    wanted, actual = both(nca, run, state, condition, 1)
    assert actual.shape == state.shape
    assert (actual - wanted).abs().max() <= 1e-4


@pytest.mark.parametrize(
    "kind",
    [
        "residual, dilated",
        "deformable",
        "local attention",
        "attention block",
        "two convolutions",  # 3×3, and 5×5 with dilation 2
    ],
)
def test_every_perception(kind):
    nca = with_perception(kind, 5, CLASSES)
    if kind == "deformable" and torch.__version__ < "2.7":
        with pytest.raises(TypeError, match="cannot translate DeformablePerception"):
            to_onnx(nca)
        return
    model = to_onnx(nca)
    if kind == "deformable" and _release() < (1, 25):
        pytest.skip("this onnxruntime has no DeformConv")
    check(nca, session(model))


def test_other_updates_and_layouts():
    """Sobel filters; a deeper update; a channel that a step never writes."""
    nca = with_perception(
        "sobel with Laplacian", 6, CLASSES, fixed=1, update=lambda i, o: ResNetUpdate(i, o, 18, 2)
    )
    check(nca, session(to_onnx(nca)))


def test_a_model_of_the_zoo_by_the_command_line(tmp_path, command):
    file = tmp_path / "new" / "emoji.onnx"
    assert command("export", "emoji-conv3", "--onnx", file) == (0, "")
    card = zoo.read_card(zoo.find("emoji-conv3"))
    model = zoo.load("emoji-conv3")
    run = session(file)
    assert [(i.name, i.type, i.shape) for i in (*run.get_inputs(), *run.get_outputs())] == [
        ("state", "tensor(float)", ["batch", 16, "height", "width"]),
        ("fire", "tensor(bool)", ["batch", 1, "height", "width"]),
        ("condition", "tensor(float)", ["batch", 5]),
        ("next_state", "tensor(float)", ["batch", 16, "height", "width"]),
    ]
    lizard = torch.eye(5)[[1]]
    wanted, actual = both(model.nca, run, centre_seed(model.nca.layout, 48, 48), lizard, STEPS)
    assert (actual - wanted).abs().max() <= 1e-4
    assert (actual[:, :4, 8:-8, 8:-8] - model.targets[1, :, 8:-8, 8:-8]).square().mean() < 0.02
    check(model.nca, run)

    metadata = run.get_modelmeta().custom_metadata_map
    assert metadata["format"] == "ncabook-step"
    assert metadata["title"] == card.experiment.title
    assert metadata["weights_sha256"] == card.weights_sha256
    read = {key: json.loads(metadata[key]) for key in ("version", "fire_rate", "reach", "channels")}
    assert read == {
        "version": 1,
        "fire_rate": 0.5,
        "reach": 1,
        "channels": {"fixed": 0, "visible": 4, "hidden": 12, "classes": 0},
    }
    assert json.loads(metadata["living_threshold"]) == 0.1
    assert [c["label"] for c in json.loads(metadata["classes"])] == card.experiment.data.glyphs
    graph = onnx.load(file).graph
    assert not any(part.metadata_props for part in (*graph.node, *graph.initializer))


def test_the_automaton_is_not_changed(make_nca):
    """Neither its precision nor its mode; the model is float32, here less condition and mask."""
    nca = make_nca(living_threshold=None).double().train()
    model = to_onnx(nca)
    assert to_onnx(nca) == model, "the same automaton gave other bytes"
    run = session(model)
    assert [i.name for i in run.get_inputs()] == ["state", "fire"]
    assert nca.training
    assert {p.dtype for p in nca.parameters()} == {torch.float64}
    state = np.random.default_rng(0).random((1, 8, 5, 6), np.float32)
    (after,) = run.run(None, {"state": state, "fire": np.ones((1, 1, 5, 6), bool)})
    fire = torch.ones(1, 1, 5, 6, dtype=torch.bool)
    wanted = nca.step(torch.from_numpy(state).double(), fire=fire)
    assert (torch.from_numpy(after) - wanted).abs().max() <= 1e-5


def test_a_perception_for_one_size_of_grid_is_refused(make_nca):
    class Painted(ConvPerception):
        def forward(self, state, encoded=None):
            return super().forward(state, encoded) + torch.ones(state.shape[2:].numel()).view(6, 8)

    nca = make_nca()
    painted = Painted(nca.layout.channels, 12)
    nca = NCA(nca.layout, MultiPerception([painted]), nca.update)
    with pytest.raises(TypeError, match="cannot translate MultiPerception .* grids of any size"):
        to_onnx(nca)


def test_labels_that_do_not_fit(make_nca):
    with pytest.raises(ValueError, match="classes has 1 labels; the automaton's condition has 2"):
        to_onnx(make_nca(condition=2), classes=["🦎"])


@pytest.mark.parametrize("package", ["onnx", "onnxscript"])
def test_a_missing_package_is_named(tmp_path, command, monkeypatch, package):
    monkeypatch.setitem(sys.modules, package, None)
    code, error = command("export", "emoji-conv3", "--onnx", tmp_path / "x.onnx")
    assert (code, error.count("\n")) == (1, 1)
    assert re.match(rf'error: ONNX export needs the package {package}: .*"ncabook\[onnx\]"', error)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "nothing to write; add --html FILE.html, --onnx FILE.onnx or --glsl FILE.glsl"),
        (["--onnx", "lizard.html"], "expected a name that ends in .onnx"),
        (["--onnx", "folder.onnx", "--force"], "folder.onnx is a folder; name a file in it"),
        (["--onnx", "old.onnx"], "old.onnx exists; add --force to replace it"),
        (["--onnx", "new.onnx"], "unet-25k is no automaton but a network of one pass"),
    ],
)
def test_mistakes_are_one_line(tmp_path, command, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder.onnx").mkdir()
    (tmp_path / "old.onnx").write_bytes(b"old")
    code, error = command("export", "unet-25k", *arguments)
    assert (code, error.count("\n")) == (1, 1)
    assert error.startswith("error: ")
    assert message in error
    assert (tmp_path / "old.onnx").read_bytes() == b"old"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["folder.onnx", "old.onnx"]


@pytest.fixture
def command(monkeypatch, capsys):
    """Runs ``ncabook`` in this process; gives its exit code and what it said on stderr."""

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["ncabook", *map(str, arguments)])
        with pytest.raises(SystemExit) as end:
            cli.main()
        return end.value.code, capsys.readouterr().err

    return run


def _release():
    return tuple(int(part) for part in onnxruntime.__version__.split(".")[:2])
