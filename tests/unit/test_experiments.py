"""Experiment files, runs and the zoo: mistakes are named, nothing is lost."""

import json
import shutil
from dataclasses import asdict

import pytest
import torch
import yaml
from filelock import FileLock
from safetensors.torch import load_file, save_file

from ncabook import experiments, zoo
from ncabook.data.registry import DataUnavailableError
from ncabook.evaluation import classification, texture
from ncabook.evaluation.autoencoder import AutoencoderProtocol
from ncabook.evaluation.digits import DigitsProtocol
from ncabook.evaluation.fine import FineProtocol
from ncabook.evaluation.fine_texture import FineTextureProtocol
from ncabook.evaluation.growth import GrowthProtocol
from ncabook.evaluation.inpainting import InpaintingProtocol
from ncabook.evaluation.latent import LatentProtocol
from ncabook.evaluation.pairs import PairsProtocol
from ncabook.evaluation.video import VideoProtocol
from ncabook.experiments import load_experiment, runner
from ncabook.files import CorruptFileError, sha256
from ncabook.reading import ConfigError, UnknownNameError, parse
from ncabook.tasks import (
    AutoencoderExperiment,
    ClassificationExperiment,
    DigitsExperiment,
    FineExperiment,
    FineTextureExperiment,
    GrowthExperiment,
    InpaintingExperiment,
    InpaintingOnePassExperiment,
    JudgeExperiment,
    LatentGrowthExperiment,
    LatentPairsExperiment,
    Look,
    OnePassExperiment,
    PairsExperiment,
    PairsOnePassExperiment,
    TextureExperiment,
    VideoExperiment,
    VideoRecurrentExperiment,
    build_network,
    growth,
    needs,
    task_of,
    video_report,
)
from ncabook.training.checkpoint import load_tensors, save_tensors

TINY = {
    "name": "tiny",
    "title": "Two small emojis",
    "seed": 1,
    "data": {"glyphs": ["🦎", "🐠"], "size": 8, "padding": 2},
    "model": {
        "hidden_channels": 4,
        "perception": {"kind": "conv", "features": 8},
        "update": {"kind": "mlp", "hidden": [8]},
    },
    "training": {
        "iterations": 3,
        "batch": 4,
        "steps": {"min": 3, "max": 4},
        "optimizer": {"kind": "adam", "learning_rate": 0.002},
        "warmup": 1,
        "pool": {"capacity": 8, "ratio": 0.5, "mutation": 0.5, "damage": 0.5},
    },
}


def changed(**at):
    """TINY with single fields replaced, named by their path with double underscores."""
    content = json.loads(json.dumps(TINY))
    for path, value in at.items():
        *parents, last = path.split("__")
        place = content
        for key in parents:
            place = place[key]
        place[last] = value
    return content


def write(tmp_path, content):
    path = tmp_path / "tiny.yaml"
    path.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    return path


@pytest.mark.parametrize("name", experiments.names())
def test_every_shipped_experiment_is_valid_and_named_after_its_file(name):
    assert experiments.find(name).name == name


@pytest.mark.parametrize(
    ("change", "field", "reason"),
    [
        ({"training__bacth": 8}, "training.bacth", "Extra inputs are not permitted"),
        ({"training__batch": "8"}, "training.batch", "valid integer"),
        ({"training__batch": 0}, "training.batch", "greater than or equal to 1"),
        ({"training__steps": {"min": 9, "max": 4}}, "training.steps", "max 4 is smaller than"),
        ({"training__pool__ratio": 1.5}, "training.pool.ratio", "less than or equal to 1"),
        ({"training__pool__damage": 0.6}, "training.pool", "add up to more than 1"),
        ({"training__pool__capacity": 2}, "training", "smaller than the batch of 4"),
        (
            {"training__optimizer__kind": "sgd"},
            "training.optimizer.kind",
            "'muon' or 'adam'",
        ),
        ({"training__memory": "8 gigs"}, "training.memory", "match pattern"),
        ({"model__perception__kind": "magic"}, "model.perception", "'conv', 'sobel'"),
        ({"model__fire_rate": 0.0}, "model.fire_rate", "greater than 0"),
        ({"model__living_threshold": float("nan")}, "model.living_threshold", "finite"),
        ({"model__perception__kernel_size": 4}, "model.perception", "4 is even"),
        ({"model__perception__dilation": 99}, "(whole file)", "reach of 99 is larger"),
        ({"training__optimizer__learning_rate": float("inf")}, "learning_rate", "finite"),
        ({"training__optimizer__learning_rate": "5e-3"}, "learning_rate", "5.0e-3"),
        ({"seed": 2**64}, "seed", "less than"),
        ({"name": "../x"}, "name", "match pattern"),
        ({"data__glyphs": []}, "data", "neither glyphs nor images"),
        ({"data__glyphs": ["🦎"]}, "(whole file)", "at least two pictures"),
        ({"data__glyphs": ["🦎", "🐠", "🦎"]}, "data.glyphs", "🦎 stands twice"),
        ({"data__glyphs": ["❤", "❤\ufe0f"]}, "data.glyphs", "❤\ufe0f stands twice"),
        ({"data__glyphs": ["🦎", ""]}, "data.glyphs.1", "at least 1 character"),
        ({"data__glyphs": [str(i) for i in range(10**4)]}, "data.glyphs", "at most 4096 items"),
        ({"title": ""}, "title", "at least 1 character"),
        ({"name": "a" * 101}, "name", "at most 100 characters"),
        ({"start_from": ""}, "start_from", "at least 1 character"),
        ({"seed\nsecond": 1}, "seed second", "Extra inputs are not permitted"),
        ({"k" * 10**5: 1}, "kkk...", "Extra inputs are not permitted"),
        ({"task": ["grow"]}, "task", "['grow']; expected one of grow, one-pass, classify, texture"),
        ({"seed": None}, "seed", "valid integer"),
        ({"data__size": 10_000_000}, "data.size", "or two: [height, width]"),
        ({"data__size": -8}, "data.size", "or two: [height, width]"),
        ({"data__size": 8.5}, "data.size", "or two: [height, width]"),
        ({"data__padding": 10**9}, "data.padding", "less than or equal to 4096"),
        ({"model__hidden_channels": 10**9}, "model.hidden_channels", "less than or equal to 16384"),
        ({"model__perception__features": 10**9}, "conv.features", "less than or equal to 16384"),
        ({"model__perception__features": 10**20}, "conv.features", "less than or equal to 16384"),
        ({"model__perception__features": True}, "conv.features", "valid integer"),
        ({"model__perception__kernel_size": 10**9 + 1}, "conv.kernel_size", "less than or equal"),
        ({"model__update__hidden": [8, 10**9]}, "mlp.hidden.1", "less than or equal to 16384"),
        (
            {"model__update": {"kind": "resnet", "hidden": 8, "blocks": 10**6}},
            "resnet.blocks",
            "less than or equal to 1000",
        ),
        (
            {"model__perception": {"kind": "multi", "branches": 1000 * [{"kind": "sobel"}]}},
            "multi.branches",
            "at most 64 items",
        ),
        (
            {"model__perception": {"kind": "local-attention", "features": 10}},
            "model.perception.local-attention",
            "features 10 does not divide into 4 heads",
        ),
        (
            {
                "model__perception": {
                    "kind": "attention-block",
                    "features": 9,
                    "embedding": 8,
                    "heads": 3,
                }
            },
            "model.perception.attention-block",
            "embedding 8 does not divide into 3 heads",
        ),
        ({"training__pool__capacity": 10**12}, "training.pool.capacity", "less than or equal to"),
        ({"training__steps__max": 10**12}, "training.steps.max", "less than or equal to 100000"),
        ({"training__iterations": 10**30}, "training.iterations", "less than or equal to"),
    ],
)
def test_a_mistake_is_one_line_with_file_field_and_reason(tmp_path, change, field, reason):
    path = write(tmp_path, changed(**change))
    with pytest.raises(ConfigError) as caught:
        load_experiment(path)
    lines = str(caught.value).splitlines()
    assert len(lines) == 1
    assert lines[0].startswith(str(path))
    assert field in lines[0]
    assert reason in lines[0]
    assert len(lines[0].removeprefix(str(path))) < 300


def test_of_many_mistakes_the_first_few_are_told_and_how_many_more(tmp_path):
    path = write(tmp_path, TINY | {f"key-{i}": i for i in range(20_000)})
    with pytest.raises(ConfigError) as caught:
        load_experiment(path)
    lines = str(caught.value).splitlines()
    assert len(lines) == 11
    assert lines[0] == f"{path}: key-0: Extra inputs are not permitted (given: 0)"
    assert lines[-1] == f"{path}: and 19,990 more mistakes"


def test_halvings_that_no_grid_survives():
    """2 to this power would be computed before it is compared."""
    content = changed() | {"task": "one-pass", "model": {"base": 8, "halvings": 10**9}}
    with pytest.raises(ConfigError, match="model.halvings: .*less than or equal to 12"):
        parse(OnePassExperiment, content, "tiny.yaml")


@pytest.mark.parametrize(
    ("perception", "kind"),
    [
        ({"kind": "conv", "features": 8, "kernel_size": 5}, "ConvPerception"),
        ({"kind": "sobel", "laplacian": True}, "SobelPerception"),
        ({"kind": "residual", "features": 8}, "ResidualPerception"),
        ({"kind": "deformable", "features": 8}, "DeformablePerception"),
        ({"kind": "local-attention", "features": 8, "heads": 2}, "LocalAttention"),
        ({"kind": "attention-block", "features": 8, "embedding": 8}, "AttentionBlock"),
        (
            {"kind": "multi", "branches": [{"kind": "conv", "features": 8}, {"kind": "sobel"}]},
            "MultiPerception",
        ),
    ],
)
@pytest.mark.parametrize(
    "update", [{"kind": "mlp", "hidden": [8]}, {"kind": "resnet", "hidden": 8, "blocks": 1}]
)
def test_every_perception_and_update_can_be_configured_and_makes_a_step(perception, kind, update):
    experiment = parse(
        GrowthExperiment, changed(model__perception=perception, model__update=update), "tiny.yaml"
    )
    nca = build_network(experiment)
    assert type(nca.perception).__name__ == kind
    assert nca.step(torch.rand(2, 8, 12, 12), torch.eye(2)).shape == (2, 8, 12, 12)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a: [1", "not a YAML file"),
        ("- just\n- a list", "expected a mapping"),
        ("", "expected a mapping"),
        ("7", "expected a mapping"),
        ("\x00", "not a YAML file"),
        ("name: x\nseed: 1\nseed: 2", "line 3: the key 'seed' stands twice"),
        ("seed: 2026-13-45", "not a YAML file"),
        ("data: &d {size: 8}\nmodel:\n  <<: *d\n  padding: 2", "line 3: << merges keys unseen"),
        ("? [a, b]\n: 1", "line 1: expected a word as key"),
        ("a: " + "[" * 5000, "nested too deeply"),
        ("a: " + "{b: " * 5000, "nested too deeply"),
        ("name: tiny\n" + "# far too long\n" * 10**5, "1,500,011 bytes; expected at most"),
        ("seed: 0x" + "f" * 10**5, "a number of thousands of digits"),
    ],
    ids=lambda text: text[:20],
)
def test_what_is_not_an_experiment_file_is_a_config_error(tmp_path, text, reason):
    path = tmp_path / "x.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_experiment(path)
    assert reason in str(caught.value)
    assert all(line.startswith(f"{path}: ") for line in str(caught.value).splitlines())
    with pytest.raises(ConfigError, match="no such experiment file"):
        load_experiment(tmp_path / "missing.yaml")


def contents(folder):
    return {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A folder with a model that was trained for three iterations."""
    folder = tmp_path_factory.mktemp("run") / "tiny"
    path = write(folder.parent, TINY)
    runner.train(load_experiment(path), folder, progress=False)
    return folder


def test_a_run_leaves_a_model_with_its_record(trained):
    card = zoo.read_card(trained)
    assert card.weights_sha256 == sha256(trained / zoo.WEIGHTS)
    assert card.training["iterations"] == 3
    assert card.training["seconds"] >= 0
    start = card.training["starts"][0]
    assert start["hardware"]
    assert start["torch"] == torch.__version__
    model = zoo.load(str(trained))
    assert model.nca.parameter_count == card.parameters
    assert model.targets.shape == (2, 4, 12, 12)


def test_same_seed_same_weights(trained, tmp_path):
    runner.train(zoo.read_card(trained).experiment, tmp_path / "again", progress=False)
    assert sha256(tmp_path / "again" / zoo.WEIGHTS) == sha256(trained / zoo.WEIGHTS)


def test_an_existing_run_is_not_overwritten(trained):
    before = contents(trained)
    with pytest.raises(runner.RunExistsError, match="add --resume"):
        runner.train(zoo.read_card(trained).experiment, trained, progress=False)
    assert contents(trained) == before


def test_resuming_another_experiment_is_refused(trained, tmp_path):
    """The glyphs are no part of the training's own configuration, and yet of its identity."""
    other = load_experiment(write(tmp_path, changed(data__glyphs=["🦎", "🎄"])))
    with pytest.raises(ValueError, match=r"data.glyphs: \['🦎', '🐠'\] there, \['🦎', '🎄'\] here"):
        runner.train(other, trained, resume=True, progress=False)


def test_resuming_a_finished_run_keeps_its_card(trained):
    card = zoo.read_card(trained).model_copy(update={"notes": ["kept"]})
    zoo.write_card(trained, card)
    assert runner.train(card.experiment, trained, resume=True, progress=False) == card


def test_of_two_runs_started_together_the_later_one_leaves_the_other_ones_result(
    trained, tmp_path, monkeypatch
):
    """Between its first look at the folder and its lock another run begins and ends."""
    folder, prepare = tmp_path / "run", runner.prepare

    def slowly(*arguments):
        shutil.copytree(trained, folder)
        return prepare(*arguments)

    monkeypatch.setattr(runner, "prepare", slowly)
    with pytest.raises(runner.RunExistsError, match="already holds a run"):
        runner.train(zoo.read_card(trained).experiment, folder, progress=False)
    assert (folder / zoo.WEIGHTS).read_bytes() == (trained / zoo.WEIGHTS).read_bytes()
    assert (folder / zoo.CARD).read_bytes() == (trained / zoo.CARD).read_bytes()


def test_a_second_run_in_the_same_folder_is_refused(trained):
    before = contents(trained)
    with (
        FileLock(trained / ".lock"),
        pytest.raises(runner.RunExistsError, match="a run is under way in"),
    ):
        runner.train(zoo.read_card(trained).experiment, trained, resume=True, progress=False)
    assert contents(trained) == before


def test_another_seed_is_checked_like_one_from_a_file(trained):
    experiment = zoo.read_card(trained).experiment
    assert experiments.with_seed(experiment, 7).seed == 7
    with pytest.raises(ConfigError, match="tiny: seed: .*greater than or equal to 0"):
        experiments.with_seed(experiment, -1)


def test_a_folder_with_a_model_but_no_checkpoint_is_not_overwritten(trained, tmp_path):
    copy = tmp_path / "model"
    copy.mkdir()
    (copy / zoo.WEIGHTS).write_bytes(b"precious")
    with pytest.raises(runner.RunExistsError, match="already holds a run"):
        runner.train(zoo.read_card(trained).experiment, copy, progress=False)
    assert (copy / zoo.WEIGHTS).read_bytes() == b"precious"


def test_a_bad_output_folder_is_found_before_training(trained, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="file"):
        runner.train(zoo.read_card(trained).experiment, tmp_path / "file" / "x", progress=False)


def test_a_second_stage_starts_from_the_first_ones_weights(trained, tmp_path):
    content = changed(start_from=str(trained), training__optimizer__learning_rate=1e-12)
    runner.train(load_experiment(write(tmp_path, content)), tmp_path / "two", progress=False)
    first, second = (zoo.load(str(f)) for f in (trained, tmp_path / "two"))
    for a, b in zip(first.nca.parameters(), second.nca.parameters(), strict=True):
        assert torch.allclose(a, b, atol=1e-6)
    assert second.card.training["started_from"]["weights_sha256"] == first.card.weights_sha256


@pytest.mark.parametrize("name", experiments.names())
def test_the_books_experiments_start_from_the_automata_that_they_are(name):
    """A start with another activation, dilation or number of heads is refused (runner._start)."""
    for experiment in experiments.load_stages(experiments.file_of(name)):
        if experiment.start_from is None:
            continue
        try:
            source = zoo.read_card(zoo.find(experiment.start_from)).experiment
        except UnknownNameError:  # it is not kept
            continue
        assert runner._other_parts(source, experiment) is None


def test_another_seed_starts_from_the_result_of_that_seed():
    """Where the start is an experiment of its own; a stage is one for all seeds."""
    chained, staged = (experiments.find(n) for n in ("handbags-conv3-critic", "digits-critic"))
    assert experiments.with_seed(chained, 2).start_from == "handbags-conv3-l1-seed-2"
    assert experiments.with_seed(chained, 0) == chained
    assert experiments.with_seed(experiments.with_seed(chained, 1), 2).start_from.endswith("seed-2")
    assert experiments.with_seed(staged, 2).start_from == "digits-young"


@pytest.mark.parametrize(
    ("change", "differing"),
    [
        (
            {"model__perception__features": 16},
            "'float32 [8, 10, 3, 3]' there, 'float32 [16, 10, 3, 3]' here",
        ),
        ({"model__perception": {"kind": "sobel"}}, "None here"),
    ],
)
def test_a_start_from_another_model_is_refused_with_both_shapes(
    trained, tmp_path, change, differing
):
    content = changed(start_from=str(trained), **change)
    with pytest.raises(ValueError, match="tiny: start_from: .* is another model: ") as caught:
        runner.train(load_experiment(write(tmp_path, content)), tmp_path / "two", progress=False)
    assert differing in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1
    assert not (tmp_path / "two").exists()


@pytest.mark.parametrize(
    ("change", "need"),
    [
        ({"data__size": 4096, "training__pool__capacity": 10**4}, "pool"),
        ({"data__size": 4096, "training__steps": {"min": 1, "max": 10**5}}, "rollout"),
        (
            {"model__perception__features": 2**14, "model__update__hidden": 64 * [2**14]},
            "parameters",
        ),
    ],
)
def test_what_no_memory_holds_is_refused_at_once(tmp_path, monkeypatch, change, need):
    """On any machine that runs this, and before targets are drawn or numbers allocated."""
    monkeypatch.setattr(runner, "prepare", None)
    experiment = load_experiment(write(tmp_path, changed(**change)))
    message = rf"tiny needs at least [\d,]+ GB of memory \({need}: .* cpu has"
    with pytest.raises(ValueError, match=message):
        runner.train(experiment, tmp_path / "x", progress=False)
    assert not (tmp_path / "x").exists()


def test_a_rollout_in_bounded_memory_is_not_refused():
    """What is computed twice need not be kept; of a batch in parts, one part is there at a time."""
    sizes = {"data__size": 512, "training__steps": {"min": 1, "max": 1000}}
    whole = needs.least_memory(parse(GrowthExperiment, changed(**sizes), "x"))
    assert whole["rollout"] == 4 * 8 * 516**2 * 4 * 1000
    parts = parse(GrowthExperiment, changed(**sizes, training__accumulation=4), "x")
    assert needs.least_memory(parts)["rollout"] == whole["rollout"] // 4
    bounded = parse(GrowthExperiment, changed(**sizes, training__memory="1GB"), "x")
    assert needs.least_memory(bounded)["rollout"] == 10**9


@pytest.mark.parametrize("name", experiments.names())
def test_every_shipped_experiment_fits_this_machine(name):
    needs.check_memory(experiments.find(name))


def test_growth_is_measured_on_the_cpu_only(trained, monkeypatch):
    with pytest.raises(ValueError, match="device 'cuda:9'; expected cpu"):
        runner.evaluate_model(str(trained), device="cuda:9")
    monkeypatch.setattr(runner, "check_device", torch.device)
    with pytest.raises(ValueError, match="is measured on the CPU; leave out --device cuda"):
        runner.evaluate_model(str(trained), device="cuda")


def test_resuming_without_a_checkpoint_says_so_and_leaves_nothing(tmp_path):
    """A mistyped folder is not made."""
    experiment = load_experiment(write(tmp_path, TINY))
    for folder in (tmp_path / "new", tmp_path):
        before = set(tmp_path.iterdir())
        with pytest.raises(FileNotFoundError, match="no such file to go on from; check the folder"):
            runner.train(experiment, folder, resume=True, progress=False)
        assert set(tmp_path.iterdir()) == before


def test_evaluation_is_written_into_the_card(trained, tmp_path, monkeypatch):
    short = GrowthProtocol(2, 2, (2, 3), 3, 4, 5, 6, further_seeds=1, far=7, damages=1, between=1)
    monkeypatch.setattr(growth, "protocol_of", lambda look: short)
    runner.evaluate_model(str(trained), Look(lpips=False), save=True)
    card = zoo.read_card(trained)
    assert card.metrics["protocol"]["seeds"] == 2
    counted = {"rollouts", "starts", "ring"}
    assert set(card.metrics) == {"protocol", "mse", "curves", "further"} | counted
    assert card.evaluation["torch"] == torch.__version__


def test_an_evaluation_does_not_overwrite_what_changed_meanwhile(trained, tmp_path, monkeypatch):
    """Measuring takes minutes, in which somebody may train anew into the folder."""
    copy = copied(trained, tmp_path)
    newer = zoo.read_card(copy).model_copy(update={"notes": ["newer"]})

    def slowly(*arguments):
        zoo.write_card(copy, newer)
        return {"protocol": {}}

    monkeypatch.setattr(growth.GrowthTask, "measure", slowly)
    with pytest.raises(ValueError, match=r"card\.json was changed while its model was measured"):
        runner.evaluate_model(str(copy), Look(lpips=False), save=True)
    assert zoo.read_card(copy) == newer


@pytest.mark.parametrize("damage", ["truncate", "flip", "other"])
def test_damaged_weights_are_refused_and_left_alone(trained, tmp_path, damage):
    copy = tmp_path / "model"
    copy.mkdir()
    for name in (zoo.WEIGHTS, zoo.CARD):
        (copy / name).write_bytes((trained / name).read_bytes())
    weights = copy / zoo.WEIGHTS
    content = bytearray(weights.read_bytes())
    if damage == "truncate":
        content = content[:-10]
    elif damage == "flip":
        content[-1] ^= 1
    else:
        content = b"not weights at all"
    weights.write_bytes(content)
    with pytest.raises(CorruptFileError, match=r"weights.*expected sha256 \w{64}, found \w{64}"):
        zoo.load(str(copy))
    assert weights.read_bytes() == bytes(content)


def test_a_damaged_checkpoint_is_named(tmp_path):
    path = tmp_path / "c.safetensors"
    save_tensors(path, {"a": torch.zeros(3)}, {"x": 1})
    assert load_tensors(path)[1] == {"x": 1}
    path.write_bytes(path.read_bytes()[:-4])
    with pytest.raises(CorruptFileError, match="not a whole safetensors file.*sha256"):
        load_tensors(path)


def test_a_pickle_is_never_loaded(tmp_path):
    """A .pt file under the right name is an error, not code that runs."""
    path = tmp_path / "c.safetensors"
    torch.save({"a": torch.zeros(3)}, path)
    with pytest.raises(CorruptFileError):
        load_tensors(path)


def copied(trained, tmp_path):
    """A model without its run, in a folder of its own."""
    copy = tmp_path / "model"
    copy.mkdir()
    for name in (zoo.WEIGHTS, zoo.CARD):
        shutil.copy(trained / name, copy)
    return copy


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t | {"x": torch.zeros(2)}, "weights of another model: x: 'float32 [2]' there"),
        (lambda t: {}, "there, 'float32 [8]' here; "),
        (
            lambda t: {k: v[..., :1].clone() for k, v in t.items()},
            "'float32 [1]' there, 'float32 [8]' he",
        ),
        (lambda t: {k: v.to(torch.int8) for k, v in t.items()}, "'int8 [8]' there"),
        (lambda t: {k: v.bool() for k, v in t.items()}, "'bool [8]' there"),
        (lambda t: {k: v.double() for k, v in t.items()}, "'float64 [8]' there"),
        (lambda t: {k: v / 0 for k, v in t.items()}, "holds NaN or infinite numbers"),
    ],
    ids=["name", "none", "shape", "int8", "bool", "float64", "nan"],
)
def test_weights_that_are_not_the_models_are_refused(trained, tmp_path, change, message):
    """With a card that vouches for them: only names, dtypes, shapes and values tell."""
    copy = copied(trained, tmp_path)
    save_file(change(load_file(copy / zoo.WEIGHTS)), copy / zoo.WEIGHTS)
    card = zoo.read_card(copy)
    zoo.write_card(copy, card.model_copy(update={"weights_sha256": sha256(copy / zoo.WEIGHTS)}))
    with pytest.raises(CorruptFileError) as caught:
        zoo.load(str(copy))
    assert message in str(caught.value)
    assert len(str(caught.value)) < 400 + len(str(copy))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"parameters": 872,', "", "parameters: Field required"),
        ('"parameters": 872', '"parameters": -1', "parameters: Input should be greater"),
        ('"parameters": 872', '"parameters": "872"', "parameters: Input should be a valid integer"),
        ('"parameters": 872', '"parameters": 873', "parameters: 873; expected 872, as many as"),
        (
            '"parameters": 872',
            '"parameters": 1, "parameters": 872',
            "key 'parameters' stands twice",
        ),
        ('"size": 8', '"size": 16, "size": 8', "the key 'size' stands twice"),
        (
            '"task": "grow"',
            '"task": ["grow"]',
            "experiment: task: ['grow']; expected one of grow, one",
        ),
        ('"task": "grow"', '"task": "swim"', "experiment: task: 'swim'; expected one of grow, one"),
        ('"glyphs": [', '"glyphs": [7, ', "experiment.data.glyphs.0: Input should be a valid"),
        ('"mean_loss_of_last_100"', '"loss"', "training: mean_loss_of_last_100 is None; expected"),
        ('"weights_sha256": "', '"weights_sha256": "x', "weights_sha256: String should match"),
        ('"notes": [', '"notes": [{"a": ' + "[" * 10**5, "nested too deeply"),
        ('"notes": [', '"notes": 7, "x": [', "notes: Input should be a valid list"),
    ],
)
def test_a_broken_card_is_one_line_with_file_and_field(trained, tmp_path, old, new, message):
    copy = copied(trained, tmp_path)
    text = (copy / zoo.CARD).read_text(encoding="utf-8")
    assert old in text
    (copy / zoo.CARD).write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(CorruptFileError) as caught:
        zoo.load(str(copy))
    assert str(caught.value).startswith(str(copy / zoo.CARD))
    assert message in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize("experiment", [7, [], None, "tiny", True])
def test_an_experiment_that_is_no_mapping_is_named(trained, tmp_path, experiment):
    content = json.loads((trained / zoo.CARD).read_text()) | {"experiment": experiment}
    (tmp_path / zoo.CARD).write_text(json.dumps(content))
    with pytest.raises(CorruptFileError, match="card: experiment: expected a mapping of fields"):
        zoo.read_card(tmp_path)


def test_a_card_with_another_configuration_is_refused(trained, tmp_path):
    """Another dilation fits the same weights, and would be another automaton."""
    content = json.loads((trained / zoo.CARD).read_text())
    content["experiment"]["model"]["perception"]["dilation"] = 2
    (tmp_path / zoo.CARD).write_text(json.dumps(content))
    with pytest.raises(CorruptFileError, match="changed after training; expected sha256"):
        zoo.read_card(tmp_path)


def test_unknown_names_get_the_nearest_ones():
    with pytest.raises(UnknownNameError, match="did you mean emoji-conv"):
        experiments.find("emoji-conv")
    with pytest.raises(UnknownNameError, match="there is no model 'zzz'; known: "):
        zoo.find("zzz")


def test_a_folder_of_a_training_that_has_not_ended_says_so(tmp_path):
    """Not that a model of some other name may have been meant."""
    (tmp_path / "checkpoint.safetensors").write_bytes(b"")
    with pytest.raises(UnknownNameError, match="no card.json in it, .*; go on with it by --resume"):
        zoo.find(str(tmp_path))


def test_an_empty_name_is_not_this_folder(trained, monkeypatch):
    """As from a variable that is not set."""
    monkeypatch.chdir(trained)
    assert zoo.find(".").samefile(trained)
    with pytest.raises(UnknownNameError, match="there is no model ''"):
        zoo.find("")


@pytest.mark.parametrize("name", zoo.names())
def test_shipped_models_are_whole_and_measured(name):
    """Every model of the zoo loads, and its card holds everything that the book prints."""
    model = zoo.load(name)
    card = model.card
    seed = card.experiment.seed
    assert name == card.experiment.name + (f"-seed-{seed}" if seed else "")
    assert card.experiment == experiments.with_seed(experiments.find(card.experiment.name), seed)
    assert card.metrics is not None
    wanted = json.loads(json.dumps(protocol(card.experiment)))
    assert card.metrics["protocol"] == wanted
    assert card.evaluation is not None
    assert all("dirty" not in (s["commit"] or "") for s in card.training["starts"])
    assert card.data_sha256 == runner.digest(*training_data(model))


@pytest.mark.parametrize("name", zoo.stages())
def test_stages_are_what_a_later_one_started_from(name):
    """They load, are what their file says, and the next stage's card names their weights."""
    model = zoo.load(name)
    assert model.card.experiment == experiments.find(name)
    assert name not in zoo.names()
    assert name not in experiments.names()
    line = experiments.load_stages(experiments.file_of(name))
    place = [stage.name for stage in line].index(name)
    later = line[place + 1]
    assert later.start_from == name
    started = zoo.load(later.name).card.training["started_from"]
    assert started == {"model": name, "weights_sha256": model.card.weights_sha256}


def test_stages_say_what_differs(tmp_path):
    """At any depth; each starts from the one before, and the last is what the file itself says."""
    content = changed() | {
        "stages": [
            {"name": "one", "title": "One", "training": {"batch": 2, "pool": {"ratio": 0.25}}},
            {"name": "two", "title": "Two", "training": {"pool": None}},
        ]
    }
    one, two, last = experiments.load_stages(write(tmp_path, content))
    assert [e.name for e in (one, two, last)] == ["one", "two", "tiny"]
    assert [e.start_from for e in (one, two, last)] == [None, "one", "two"]
    assert (one.training.batch, one.training.pool.ratio, one.training.pool.capacity) == (2, 0.25, 8)
    assert (two.training.batch, two.training.pool) == (4, None)
    assert last.model_dump(exclude={"start_from"}) == parse(
        GrowthExperiment, changed(), "x"
    ).model_dump(exclude={"start_from"})


@pytest.mark.parametrize(
    ("stages", "message"),
    [
        (7, "stages: expected a list of mappings (given: 7)"),
        ([7], "stages: expected a list of mappings (given: [7])"),
        ([{"name": "one"}], "stages.0: expected a name and a title of its own"),
        ([{"name": "tiny", "title": "x"}], "stages: two are of one name"),
        (
            [{"name": "one", "title": "x", "training": {"batch": 0}}],
            "stages.0.training.batch: Input should be greater",
        ),
    ],
    ids=str,
)
def test_a_mistake_in_a_stage_is_one_line(tmp_path, stages, message):
    path = write(tmp_path, changed() | {"stages": stages})
    with pytest.raises(ConfigError) as caught:
        load_experiment(path)
    assert str(caught.value).startswith(f"{path}: {message}")
    assert "\n" not in str(caught.value)


def protocol(experiment):
    """How a model of this task has to have been measured."""
    if isinstance(experiment, FineTextureExperiment):
        return asdict(FineTextureProtocol())
    if isinstance(experiment, TextureExperiment):
        return {"version": texture.VERSION, **asdict(texture.TextureProtocol())}
    if isinstance(experiment, DigitsExperiment):
        return asdict(DigitsProtocol())
    if isinstance(experiment, PairsExperiment):
        return asdict(PairsProtocol())
    if isinstance(experiment, PairsOnePassExperiment):
        return {"version": 1}
    if isinstance(experiment, AutoencoderExperiment):
        return asdict(AutoencoderProtocol())
    if isinstance(experiment, LatentGrowthExperiment):
        return asdict(LatentProtocol())
    if isinstance(experiment, LatentPairsExperiment):
        return asdict(PairsProtocol(batch=10))
    if isinstance(experiment, InpaintingExperiment | InpaintingOnePassExperiment):
        return asdict(InpaintingProtocol())
    if isinstance(experiment, FineExperiment):
        return asdict(FineProtocol())
    if isinstance(experiment, VideoExperiment | VideoRecurrentExperiment):
        shown = experiment.training.shown
        physics = video_report.physics_protocol(shown, experiment.data.test_rules.frames)
        return {**asdict(VideoProtocol(shown=shown)), "physics": asdict(physics)}
    if isinstance(experiment, JudgeExperiment):
        return {"version": 1, "images": 10000}
    if not isinstance(experiment, ClassificationExperiment):
        return asdict(GrowthProtocol())
    images = {"mnist": 10000, "cifar10": 10000}[experiment.data.name]
    rules = asdict(classification.PROTOCOLS[experiment.data.name])
    return {"version": classification.VERSION, "images": images, **rules}


def training_data(model):
    """What a card's ``data_sha256`` speaks of; a classifier's where the data set is here."""
    experiment = model.card.experiment
    try:
        return task_of(experiment).data(experiment)
    except DataUnavailableError as error:
        pytest.skip(str(error))
