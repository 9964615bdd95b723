"""Models from elsewhere, in made-up weights: step by step what their own formulas make of them.

The steps here are written out from the sources' formulas, and share no code with the package.
"""

import base64
import json
import sys
from itertools import product

import numpy as np
import pytest
import torch
import torch.nn.functional as F
import yaml
from PIL import Image, ImageDraw
from safetensors.torch import save_file
from typer.testing import CliRunner

from ncabook import cli, zoo
from ncabook.automaton import centre_seed
from ncabook.cli.drafts import training
from ncabook.experiments import runner
from ncabook.experiments.foreign import import_model
from ncabook.experiments.foreign.brought import ForeignModelError
from ncabook.files import sha256
from ncabook.lab.server import Laboratory
from ncabook.reading import ConfigError
from ncabook.tasks import experiment_from

CHANNELS = 16


# ------------------------------------------------------------------------------------------------
# Distill's growing models
# ------------------------------------------------------------------------------------------------


def packed(kernel, bias, kind="uint8"):
    """A layer as the article's notebook packs it: kernel ``[in, out]``, bias ``[out]``."""
    scales = [2 * float(np.abs(part).max()) for part in (kernel, bias)]
    rows = np.vstack([kernel, bias[None]])
    if kind == "uint8":
        parts = zip((kernel, bias[None]), scales, strict=True)
        rows = np.vstack([np.round((part / scale + 0.5) * 255) for part, scale in parts])
    else:
        scales = [1.0, 1.0]
    data = rows.astype(kind).tobytes()
    return {
        "data_b64": base64.b64encode(data).decode("ascii"),
        "in_ch": len(kernel),
        "out_ch": len(bias),
        "weight_scale": scales[0],
        "bias_scale": scales[1],
        "type": kind,
    }


def distill_layers(kind="uint8", channels=CHANNELS, hidden=128):
    dice = np.random.default_rng(1)
    shapes = [(3 * channels, hidden), (hidden, channels)]
    return [
        packed(dice.normal(0, 0.15, shape), dice.normal(0, 0.03, shape[1]), kind)
        for shape in shapes
    ]


def distill_step(layers, state, fire):
    """What ``ca.js`` does, but for its 8-bit states: state ``[H, W, C]``, float64, cell by cell."""
    height, width, channels = state.shape
    matrices = []
    for layer in layers:
        numbers = np.frombuffer(base64.b64decode(layer["data_b64"]), layer["type"])
        rows = numbers.reshape(layer["in_ch"] + 1, layer["out_ch"]).astype(np.float64)
        if layer["type"] == "uint8":
            rows = rows / 255 - 0.5
        scale = np.full((len(rows), 1), layer["weight_scale"])
        scale[-1] = layer["bias_scale"]
        matrices.append(rows * scale)
    sobel = np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]]) / 8
    change = np.zeros_like(state)
    for y, x in product(range(height), range(width)):
        dx, dy = np.zeros(channels), np.zeros(channels)
        for j, i in product(range(3), range(3)):
            a = state[(y + j - 1) % height, (x + i - 1) % width]
            dx += sobel[j, i] * a
            dy += sobel[i, j] * a
        seen = np.concatenate([state[y, x], dx, dy])
        inner = np.maximum(seen @ matrices[0][:-1] + matrices[0][-1], 0)
        change[y, x] = (inner @ matrices[1][:-1] + matrices[1][-1]) * fire[y, x]
    after = state + change

    def around(a, y, x):
        return max(a[(y + j) % height, (x + i) % width, 3] for j in (-1, 0, 1) for i in (-1, 0, 1))

    for y, x in product(range(height), range(width)):
        if min(around(state, y, x), around(state + change, y, x)) < 0.1:
            after[y, x] = 0
    return after


@pytest.fixture
def distill(tmp_path):
    """A file in the article's format, and its layers."""
    layers = distill_layers()
    file = tmp_path / "ex3_lizard.json"
    file.write_text(json.dumps(layers))
    return file, layers


@pytest.mark.parametrize("kind", ["uint8", "float32"])
def test_distills_step(tmp_path, kind):
    layers = distill_layers(kind)
    file = tmp_path / "ex1.json"
    file.write_text(json.dumps(layers))
    import_model(file, "distill", tmp_path / "there")
    nca = zoo.load(str(tmp_path / "there")).nca
    height, width = 7, 9
    state = centre_seed(nca.layout, height, width)
    mine = np.zeros((height, width, CHANNELS))
    mine[height // 2, width // 2, 3:] = 1
    fires = np.random.default_rng(2).random((12, height, width)) < 0.5
    fires[0] = True  # a seed alone may die by chance
    for fire in fires:
        mine = distill_step(layers, mine, fire)
        state = nca.step(state, fire=torch.tensor(fire)[None, None])
        there = state[0].permute(1, 2, 0).detach().numpy()
        assert np.abs(there - mine).max() <= 1e-4 * max(1, np.abs(mine).max())
    assert (np.abs(mine[..., 3]) > 0.1).mean() > 0.3  # it went round the border


def test_what_the_card_says(distill, tmp_path):
    file, _ = distill
    import_model(file, "distill", tmp_path / "there")
    card = zoo.read_card(tmp_path / "there")
    assert card.training["imported"].startswith("not trained here: a growing model in the format")
    assert card.training["from"] == "ex3_lizard.json"
    assert card.experiment.training.sha256 == sha256(file)
    assert card.parameters == 48 * 128 + 128 + 128 * 16 + 16
    assert any("8-bit" in note for note in card.notes)
    assert any("border" in note for note in card.notes)
    assert card.experiment.data.seed == [0.0] * 3 + [1.0] * 13
    assert card.experiment.data.height == 72
    with pytest.raises(Exception, match="already holds a model"):
        import_model(file, "distill", tmp_path / "there")


def test_a_whole_life(distill, tmp_path, monkeypatch, capsys):
    """Imported with its picture, shown in a page, measured; and nobody trains it by mistake."""
    file, _ = distill
    image = Image.new("RGBA", (300, 200))
    ImageDraw.Draw(image).ellipse((40, 20, 200, 180), fill="red")
    image.save(tmp_path / "red.png")

    def ncabook(*arguments):
        monkeypatch.setattr(sys, "stderr", sys.stderr)
        monkeypatch.setattr(sys, "argv", ["ncabook", *map(str, arguments)])
        with pytest.raises(SystemExit) as end:
            cli.main()
        return end.value.code or 0, "".join(capsys.readouterr())

    monkeypatch.chdir(tmp_path)
    small = ("--size", 10, "--padding", 3)
    status, said = ncabook(
        "import", file, "--kind", "distill", "--output", "m", "--target", "red.png", *small
    )
    assert status == 0, said
    assert "8,336 parameters" in said
    assert "Imported, not trained here." in said
    (tmp_path / "red.png").unlink()  # the card needs no other file
    status, said = ncabook("export", "m", "--html", "page.html")
    assert status == 0, said
    assert "&quot;seeds&quot;:[[0.0,0.0,0.0,1.0," in (tmp_path / "page.html").read_text()
    quick = ("--seeds", "1", "--no-lpips", "--no-further")
    status, said = ncabook("evaluate", "m", *quick)
    assert status == 0, said
    assert "recovery, damage" in said
    assert "mutation" not in said

    assert ncabook("import", file, "--kind", "distill", "--output", "n")[0] == 0
    status, said = ncabook("evaluate", "n", *quick)
    assert (status, "--target PICTURE" in said, said.count("\n")) == (1, True, 1)
    assert ncabook("export", "n", "--html", "n.html")[0] == 0
    status, said = ncabook("film", "n", "n.gif", "--steps", 4, "--pixels", 1)  # of what it grows
    assert status == 0, said
    with Image.open(tmp_path / "n.gif") as film:
        assert film.size == (72, 72)


def test_it_is_trained_further(distill, tmp_path, monkeypatch):
    """By the experiment file that is written beside it; from its own seed, and with its ReLU."""
    file, _ = distill
    image = Image.new("RGBA", (30, 20))
    ImageDraw.Draw(image).ellipse((4, 2, 20, 18), fill="red")
    image.save(tmp_path / "red.png")
    monkeypatch.chdir(tmp_path)
    call = ["import", str(file), "--kind", "distill", "--output", "runs/Ex 3"]
    done = CliRunner().invoke(cli.app, [*call, "--target", "red.png", "--size", "8"])
    assert done.exit_code == 0, done.output
    assert "to train it further: ncabook train 'runs/Ex 3/further.yaml'" in done.output
    made = yaml.safe_load((tmp_path / "runs/Ex 3/further.yaml").read_text("utf-8"))
    made["training"] |= {"iterations": 2, "steps": {"min": 4, "max": 6}, "pool": None}
    made["training"]["optimizer"] = {"kind": "adam", "learning_rate": 1e-12}
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump(made), "utf-8")
    done = CliRunner().invoke(cli.app, ["train", "mine.yaml", "--device", "cpu"])
    assert done.exit_code == 0, done.output or done.exception
    before, after = (zoo.load(f"runs/{name}") for name in ("Ex 3", "ex-3-further"))
    for a, b in zip(before.nca.parameters(), after.nca.parameters(), strict=True):
        assert torch.allclose(a, b, atol=1e-6)
    assert after.nca.layout.seed == before.nca.layout.seed == (0.0,) * 3 + (1.0,) * 13
    assert after.nca.update.activation == "relu"
    assert torch.equal(after.targets, before.targets)
    assert after.card.training["started_from"]["model"] == "runs/Ex 3"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            {"seed_cell": None},
            r"grows from a seed cell of its own; add .*: seed_cell: \[0\.0, 0\.0",
        ),
        (
            {"update": {"kind": "mlp", "hidden": [128]}},
            "is another model: model.update.activation: 'relu' there, None here",
        ),
        ({"update": {"kind": "mlp", "hidden": [64], "activation": "relu"}}, "is another model: "),
        ({"seed_cell": [1.0]}, "seed_cell has 1 numbers; expected 16, one for each channel"),
        ({"seed_cell": [0.0] * 16}, "seed_cell has an alpha of 0.0, its fourth number; expected"),
    ],
)
def test_what_would_be_another_automaton_is_not_trained_further(distill, tmp_path, change, said):
    """Weights of the same shapes may be: with another activation, or from another seed."""
    file, _ = distill
    import_model(file, "distill", tmp_path / "there")
    content = {
        "name": "further",
        "title": "Further",
        "start_from": str(tmp_path / "there"),
        "data": {"glyphs": ["🦎"], "size": 8, "padding": 2},
        "model": zoo.read_card(tmp_path / "there").experiment.model.model_dump(mode="json"),
        "seed_cell": [0.0] * 3 + [1.0] * 13,
        "training": training(2, 8, several=False),
    }
    content["model"]["update"] = change.get("update", content["model"]["update"])
    content["seed_cell"] = change.get("seed_cell", content["seed_cell"])
    with pytest.raises((ValueError, ConfigError), match=said) as told:
        runner.train(experiment_from(content, "mine.yaml"), tmp_path / "out", progress=False)
    assert len(str(told.value).splitlines()) == 1
    assert not (tmp_path / "out").exists()


def test_it_stands_in_the_laboratory(distill, tmp_path):
    """Nobody told how long it was trained; the shelf can do without."""
    file, _ = distill
    import_model(file, "distill", tmp_path / "there")
    _, shelf = Laboratory([str(tmp_path / "there")]).answer("/lab/shelf.js")
    entry = json.loads(shelf.decode().removeprefix("ncaLab.shelve(").removesuffix(");\n"))[0]
    assert entry["parameters"] == 8336
    assert "minutes" not in entry


def changed(layers, i=0, **fields):
    layers = [dict(layer) for layer in layers]
    layers[i].update(fields)
    return layers


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\x89PNG", "is no JSON"),
        (b"[" * 100_000, "is no JSON"),
        ({"a": 1}, "expected a list of two layers"),
        ({"modelTopology": {}}, "is a graph of TensorFlow.js"),
        ([[], []], "layer 1: expected a mapping"),
        (lambda layers: layers[:1], "expected a list of two layers"),
        (lambda layers: [{"scale": 1, "data_flatten": ""}] * 2, "layer 1: data_b64, in_ch"),
        (lambda layers: changed(layers, in_ch=52), r"6,272 numbers; expected 6,784"),
        (lambda layers: changed(layers, 1, out_ch="16"), "layer 2: in_ch 128, out_ch '16'"),
        (lambda layers: changed(layers, data_b64="&"), "layer 1: data_b64 is not whole"),
        (lambda layers: changed(layers, data_b64=7), "layer 1: data_b64 is not whole"),
        (lambda layers: changed(layers, weight_scale=float("nan")), "expected two finite"),
        (lambda layers: changed(layers, type="int4"), "type 'int4'"),
        (lambda layers: layers[::-1], "layers of 128 → 16, 48 → 128; expected"),
        (lambda layers: distill_layers(channels=2, hidden=4), "layers of 6 → 4, 4 → 2"),
    ],
)
def test_what_is_no_model_of_distills_is_one_line(distill, tmp_path, content, message):
    file, layers = distill
    if callable(content):
        content = content(layers)
    file.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    with pytest.raises(ForeignModelError, match=message) as error:
        import_model(file, "distill", tmp_path / "there")
    assert "\n" not in str(error.value)
    assert not (tmp_path / "there").exists()


# ------------------------------------------------------------------------------------------------
# NCAtorch's
# ------------------------------------------------------------------------------------------------

CLASSES, INSIDE, GRID, STEPS = 3, 8 + 3, 16, 3
PERCEPTIONS = {
    "conv": [{"MODE": "conv", "KERNEL_SIZE": 3}],
    "dilated": [{"MODE": "conv", "KERNEL_SIZE": 3, "DILATION": 2}],
    "sobel": [{"MODE": "sobel"}],
    "residual": [{"MODE": "residual_conv", "KERNEL_SIZE": 3}],
    "residual, as many features": [{"MODE": "residual_conv", "OUT_CHANNEL": INSIDE}],
    "attention": [{"MODE": "attention", "NUM_HEADS": 4, "OUT_CHANNEL": 12}],
    "attention, an earlier version": [{"MODE": "attention", "NUM_HEADS": 2, "bare": True}],
    "block": [{"MODE": "mh_attention", "NUM_HEADS": 4, "EMBED_DIM": 8}],
    "several": [
        {"MODE": "conv", "KERNEL_SIZE": 5, "DILATION": 2, "OUT_CHANNEL": 7},
        {"MODE": "sobel"},
        {"MODE": "attention", "NUM_HEADS": 2, "OUT_CHANNEL": 6},
    ],
}


def perception_weights(told, draw):
    """The tensors of one of NCAtorch's perceptions, by its names, and how many features it has."""
    out = told.get("OUT_CHANNEL", 10)
    size, mode = told.get("KERNEL_SIZE", 3), told["MODE"]
    heads, embedding = told.get("NUM_HEADS"), told.get("EMBED_DIM")
    if mode == "conv":
        return {"conv.weight": draw(out, INSIDE, size, size), "conv.bias": draw(out)}, out
    if mode == "sobel":
        x = torch.tensor([[1.0, 2, 1], [0, 0, 0], [-1, -2, -1]]) / 8
        laplacian = torch.tensor([[1.0, 2, 1], [2, -6, 2], [1, 2, 1]]) / 8
        identity = torch.zeros(3, 3)
        identity[1, 1] = 1
        named = {"identity": identity, "sobel_x": x, "sobel_y": x.T, "laplacian": laplacian}
        bank = {
            f"f_{name}": kernel.reshape(1, 1, 3, 3).repeat(INSIDE, 1, 1, 1)
            for name, kernel in named.items()
        }
        return bank, 4 * INSIDE
    if mode == "residual_conv":
        found = {
            "conv1.weight": draw(out, INSIDE, size, size),
            "conv1.bias": draw(out),
            "conv2.weight": draw(out, out, size, size),
            "conv2.bias": draw(out),
        }
        if out != INSIDE:
            found |= {"skip.weight": draw(out, INSIDE, 1, 1), "skip.bias": draw(out)}
        return found, out
    bias = {} if told.get("bare") else {"rel_pos_bias": 10 * draw(heads, size**2)}
    if mode == "attention":
        projection = {"project_out.weight": draw(out, out, 1, 1), "project_out.bias": draw(out)}
        return {"to_qkv.weight": draw(3 * out, INSIDE, 1, 1), **projection, **bias}, out
    found = {f"{n}_conv.weight": draw(embedding, INSIDE, 1, 1) for n in ("query", "key", "value")}
    for name, (a, b) in {
        "proj_conv": (out, embedding),
        "input_residual": (out, INSIDE),
        "ffn_conv1": (4 * out, out),
        "ffn_conv2": (out, 4 * out),
    }.items():
        found |= {f"{name}.weight": draw(a, b, 1, 1), f"{name}.bias": draw(a)}
    for name in ("norm_attn", "norm_ffn"):
        found |= {f"{name}.weight": 1 + draw(out), f"{name}.bias": draw(out)}
    return found | bias, out


def seen(told, w, x):
    """What one of NCAtorch's perceptions makes of ``[B, C, H, W]``, by its formulas."""
    height, width = x.shape[2:]
    mode, size = told["MODE"], told.get("KERNEL_SIZE", 3)

    def around(t, reach):
        return F.pad(t, (reach,) * 4, mode="circular")

    if mode == "conv":
        dilation = told.get("DILATION", 1)
        padded = around(x, dilation * (size // 2))
        return F.leaky_relu(
            F.conv2d(padded, w["conv.weight"], w["conv.bias"], dilation=dilation), 0.2
        )
    if mode == "sobel":
        names = ("f_identity", "f_sobel_x", "f_sobel_y", "f_laplacian")
        return torch.cat([F.conv2d(around(x, 1), w[n], groups=INSIDE) for n in names], dim=1)
    if mode == "residual_conv":
        skip = F.conv2d(x, w["skip.weight"], w["skip.bias"]) if "skip.weight" in w else x
        y = F.relu(F.conv2d(around(x, size // 2), w["conv1.weight"], w["conv1.bias"]))
        y = F.conv2d(around(y, size // 2), w["conv2.weight"], w["conv2.bias"])
        return F.relu(y + skip)
    heads = told["NUM_HEADS"]
    if mode == "attention":
        q, k, v = F.conv2d(x, w["to_qkv.weight"]).chunk(3, dim=1)
    else:
        q, k, v = (F.conv2d(x, w[f"{n}_conv.weight"]) for n in ("query", "key", "value"))
    wide = q.shape[1]
    places = [
        [around(t, 1)[:, :, i : i + height, j : j + width] for i in range(3) for j in range(3)]
        for t in (k, v)
    ]
    k, v = (torch.stack(t, 2).view(len(x), heads, -1, 9, height, width) for t in places)
    scores = (q.view(len(x), heads, -1, 1, height, width) * k).sum(2) * (wide // heads) ** -0.5
    if "rel_pos_bias" in w:
        scores = scores + w["rel_pos_bias"].view(1, heads, 9, 1, 1)
    heard = (scores.softmax(2)[:, :, None] * v).sum(3).reshape(len(x), wide, height, width)
    if mode == "attention":
        return F.leaky_relu(F.conv2d(heard, w["project_out.weight"], w["project_out.bias"]), 0.2)

    def norm(t, name):
        last = t.permute(0, 2, 3, 1)
        weight, bias = w[f"{name}.weight"], w[f"{name}.bias"]
        return F.layer_norm(last, weight.shape, weight, bias).permute(0, 3, 1, 2)

    def dense(t, name):
        return F.conv2d(t, w[f"{name}.weight"], w[f"{name}.bias"])

    y = norm(dense(heard, "proj_conv") + dense(x, "input_residual"), "norm_attn")
    y = norm(y + dense(F.gelu(dense(y, "ffn_conv1")), "ffn_conv2"), "norm_ffn")
    return F.leaky_relu(y, 0.2)


def ncatorch_step(config, weights, state, condition, fire):
    """``CAModel.forward`` with its pipeline: fire, add, living mask."""
    height, width = state.shape[2:]
    x = torch.cat([state, condition[:, :, None, None].expand(-1, -1, height, width)], dim=1)
    modes = config["MODEL"]["PERCEPTIONS"]
    parts = []
    for i, told in enumerate(modes):
        prefix = "perception." if len(modes) == 1 else f"perception.perceptions.{i}."
        own = {k.removeprefix(prefix): v for k, v in weights.items() if k.startswith(prefix)}
        parts.append(seen(told, own, x))
    y = torch.cat(parts, dim=1)

    def dense(t, name):
        return F.conv2d(t, weights[f"{name}.weight"], weights[f"{name}.bias"])

    if config["MODEL"]["NAME"] == "ResNet":
        y = dense(y, "update_model.initial_conv")
        for i in range(2):
            block = f"update_model.res_blocks.{i}"
            inner = F.leaky_relu(dense(y, f"{block}.conv1"), 0.2)
            y = F.leaky_relu(dense(inner, f"{block}.conv2") + y, 0.2)
        y = dense(y, "update_model.final_conv")
    else:
        y = F.leaky_relu(dense(y, "update_model.model.0"), 0.2)
        y = dense(y, "update_model.model.2")
    after = state + y * fire
    if not config["MODEL"]["LIVING_MASK"]:
        return after
    living = [F.max_pool2d(s[:, 3], 3, stride=1, padding=1) > 0.1 for s in (state, after)]
    return after * (living[0] & living[1])[:, None]


def ncatorch_model(kind="conv", name="MLP", **model):
    """A configuration and its state dict, all weights made up."""
    dice = torch.Generator().manual_seed(4)

    def draw(*shape):
        return 0.25 * torch.randn(*shape, generator=dice)

    modes = PERCEPTIONS[kind]
    weights, features = {}, 0
    for i, told in enumerate(modes):
        prefix = "perception." if len(modes) == 1 else f"perception.perceptions.{i}."
        own, count = perception_weights(told, draw)
        weights |= {prefix + key: value for key, value in own.items()}
        features += count
    sizes = {"update_model.model.0": (12, features), "update_model.model.2": (8, 12)}
    if name == "ResNet":
        sizes = {"update_model.initial_conv": (12, features), "update_model.final_conv": (8, 12)}
        for i in range(2):
            sizes |= {f"update_model.res_blocks.{i}.conv{j}": (12, 12) for j in (1, 2)}
    for layer, (a, b) in sizes.items():
        weights |= {f"{layer}.weight": draw(a, b, 1, 1), f"{layer}.bias": draw(a)}
    config = {
        "SEED": 42,
        "MODEL": {
            **{"NAME": name, "CHANNEL_N": 8, "LIVING_MASK": True, "PERCEPTIONS": modes},
            **model,
        },
        "TRAINING": {"STEPS": 100000},
        "DATASET": {
            **{"NAME": "emoji", "TARGET_SIZE": 10, "TARGET_PADDING": 3},
            "EMOJIS": ["😭", "🔥", "🍀"],
        },
    }
    return config, weights


def written(folder, config, weights, name="ca_final.pt"):
    folder.mkdir(exist_ok=True)
    (folder / "config.yaml").write_text(yaml.safe_dump(config, allow_unicode=True), "utf-8")
    file = folder / name
    if file.suffix == ".safetensors":
        save_file({key: value.contiguous() for key, value in weights.items()}, file)
    else:
        torch.save(weights, file)
    return file


@pytest.mark.parametrize("update", ["MLP", "ResNet"])
@pytest.mark.parametrize("kind", PERCEPTIONS)
def test_ncatorchs_step(tmp_path, kind, update):
    """A patch of life away from the border, where the two living masks differ."""
    config, weights = ncatorch_model(kind, update)
    import_model(written(tmp_path / "run", config, weights), "ncatorch", tmp_path / "there")
    nca = zoo.load(str(tmp_path / "there")).nca
    state = torch.zeros(2, 8, GRID, GRID)
    state[:, :, 6:10, 6:11] = torch.rand(2, 8, 4, 5)
    condition = torch.eye(CLASSES)[[0, 2]]
    mine = state
    for _ in range(STEPS):
        fire = torch.rand(2, 1, GRID, GRID) < 0.5
        mine = ncatorch_step(config, weights, mine, condition, fire)
        state = nca.step(state, condition, fire=fire).detach()
        assert (state - mine).abs().max() <= 1e-4 * max(1, float(mine.abs().max()))
    assert (mine.abs() > 0.05).float().mean() > 0.05


def test_what_its_card_says(tmp_path):
    config, weights = ncatorch_model("sobel", NOISE_INJECTION=0.01)
    folder = tmp_path / "there"
    import_model(written(tmp_path / "run", config, weights, "w.safetensors"), "ncatorch", folder)
    card = zoo.read_card(folder)
    assert card.experiment.data.classes == ["😭", "🔥", "🍀"]
    assert card.experiment.data.width == 16
    for word in ("hidden channels of 0", "border", "Sobel", "noise of 0.01"):
        assert any(word in note for note in card.notes), word
    config, weights = ncatorch_model("attention, an earlier version", LIVING_MASK=False)
    config["DATASET"]["EMOJIS"] = []
    file = written(tmp_path / "run", config, {"state_dict": weights})
    import_model(file, "ncatorch", tmp_path / "other")
    card = zoo.read_card(tmp_path / "other")
    assert card.experiment.data.classes == ["1", "2", "3"]
    assert card.experiment.model.living_threshold is None
    assert any("no bias for places" in note for note in card.notes)


class Trap:
    """What a pickle may do on the machine of who opens it."""

    def __reduce__(self):
        return (print, ("trapped",))


def without(name):
    return lambda config, weights: weights.pop(name)


def model(**fields):
    return lambda config, weights: config["MODEL"].update(fields)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (without("perception.conv.bias"), "perception.conv.bias is missing"),
        (without("update_model.model.2.bias"), "update_model.model.2.bias is missing"),
        (without("update_model.model.2.weight"), "update_model.model.2.bias has no place in"),
        (model(NAME="ResNet"), "update_model.initial_conv.weight is missing"),
        (model(PERCEPTIONS=[{"MODE": "sobel"}]), "perception.f_identity is missing"),
        (model(PERCEPTIONS=[{"MODE": "deformable_conv"}]), "'deformable_conv' has no equal here"),
        (model(CHANNEL_N=7), "another model: .*update.layers.1"),
        (model(CHANNEL_N=10), "perceptions of .11. channels in all, of which CHANNEL_N = 10"),
        (model(CHANNEL_N="many"), "config.yaml: MODEL.CHANNEL_N: "),
        (model(FINAL_ACTIVATION=True), "FINAL_ACTIVATION has no equal here"),
        (model(CLAMP_OUTPUT=True), "CLAMP_OUTPUT has no equal here"),
        (model(CHANNEL_OUT=7), "CHANNEL_OUT 7 has no equal here"),
        (lambda c, w: c["DATASET"].update(NAME="mnist"), "DATASET.NAME mnist has no equal here"),
        (lambda c, w: w.update({"more.weight": torch.zeros(2)}), "more.weight has no place in"),
        (lambda c, w: w["perception.conv.bias"].fill_(float("nan")), "conv.bias holds NaN"),
        (lambda c, w: w.update({"perception.conv.weight": torch.zeros(4)}), "expected .out, in"),
        (lambda c, w: w.update({"trap": Trap()}), "is no state dict"),
        (lambda c, w: w.update({"step": 3}), "'step' is no tensor"),
        (lambda c, w: w.clear(), "expected tensors by name"),
    ],
)
def test_what_is_no_model_of_ncatorchs_is_one_line(tmp_path, capsys, spoil, message):
    config, weights = ncatorch_model()
    spoil(config, weights)
    file = written(tmp_path / "run", config, weights)
    with pytest.raises(ForeignModelError, match=message) as error:
        import_model(file, "ncatorch", tmp_path / "there")
    assert "\n" not in str(error.value)
    assert "trapped" not in capsys.readouterr().out
    assert not (tmp_path / "there").exists()


@pytest.mark.parametrize("name", ["ca.pt", "ca.safetensors"])
def test_a_broken_file_is_one_line(tmp_path, name):
    file = written(tmp_path / "run", *ncatorch_model(), name)
    file.write_bytes(file.read_bytes()[:200])
    with pytest.raises(ForeignModelError, match="is no state dict") as error:
        import_model(file, "ncatorch", tmp_path / "there")
    assert "\n" not in str(error.value)
    (tmp_path / "run" / "config.yaml").unlink()
    with pytest.raises(ForeignModelError, match="config.yaml with --config"):
        import_model(file, "ncatorch", tmp_path / "there")
    with pytest.raises(FileNotFoundError, match="no such file"):
        import_model(tmp_path / "nothing.pt", "ncatorch", tmp_path / "there")
