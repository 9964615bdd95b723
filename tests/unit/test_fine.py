"""Any resolution: points between cells, pictures that agree, and what is trained and measured."""

import math

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.utils.flop_counter import FlopCounterMode

from ncabook import zoo
from ncabook.automaton import NCA, ChannelLayout, ConvPerception, MLPUpdate, first_cell
from ncabook.evaluation.counts import flops_per_point
from ncabook.evaluation.enlarged import moved_onto
from ncabook.evaluation.fine import FineProtocol, costs, evaluate_fine
from ncabook.evaluation.fine_texture import FineTextureProtocol, evaluate_fine_texture, shuffled
from ncabook.experiments import runner
from ncabook.live import describe
from ncabook.networks import LocalDecoder, scattered
from ncabook.networks.local_decoder import PLACE, interpolated, lattice, place
from ncabook.reading import ConfigError
from ncabook.tasks import build_network, experiment_from, task_of
from ncabook.tasks import fine as task_module
from ncabook.tasks.base import Look
from ncabook.tasks.report import at
from ncabook.training.fine import FineGrowthConfig, FineGrowthLearner
from ncabook.training.fine_model import FineModel
from ncabook.training.fine_texture import FineTextureConfig, FineTextureLearner
from tests.unit.test_pairs import gone_on_with

TINY = FineProtocol(seeds=4, stage1=(2, 4), every=2, perturb=5, final=7, long=9)


def model(channels=4, image_channels=4, hidden=8):
    torch.manual_seed(0)
    parts = ConvPerception(channels, 8), MLPUpdate(8, channels, [8])
    nca = NCA(ChannelLayout(0, channels), *parts, 0.5, None)
    return FineModel(nca, LocalDecoder(channels, image_channels, hidden))


def content(**training):
    return {
        "name": "toy-fine",
        "title": "Toy",
        "task": "grow-fine",
        "data": {"glyph": "🦎", "side": 128, "cells": 8},
        "model": {
            "hidden_channels": 4,
            "perception": {"kind": "conv", "features": 8},
            "update": {"kind": "mlp", "hidden": [8]},
            "living_threshold": None,
            "decoder": 8,
        },
        "training": {
            "iterations": 8,
            "batch": 4,
            "steps": {"min": 2, "max": 4},
            "optimizer": {"kind": "soap", "learning_rate": 0.003},
            "warmup": 2,
            "checkpoint_every": 2,
            "pool": {"capacity": 8, "ratio": 0.5, "mutation": 0.0, "damage": 0.5},
            **training,
        },
    }


def texture_content(**training):
    raw = content(canvas=16, factors=[4], projections=4, **training)
    data = {"name": "dotted", "size": 64, "cells": 16}
    return raw | {"name": "toy-fine-texture", "task": "texture-fine", "data": data}


def by_hand(state, row, column):
    """One channel ``[H, W]`` of a torus at one point, from its four cells' middles."""
    height, width = state.shape
    top, left = math.floor(row - 0.5), math.floor(column - 0.5)
    down, right = row - 0.5 - top, column - 0.5 - left
    return sum(
        share * along * float(state[(top + i) % height, (left + j) % width])
        for i, share in ((0, 1 - down), (1, down))
        for j, along in ((0, 1 - right), (1, right))
    )


@settings(max_examples=30, deadline=None)
@given(
    st.floats(-9, 9, allow_subnormal=False),
    st.floats(-9, 9, allow_subnormal=False),
    st.integers(1, 5),
    st.integers(1, 6),
)
def test_the_state_between_cells_is_read_linearly_on_the_torus(row, column, height, width):
    """Whatever the point, also far outside; a slip of half a cell would shift every picture."""
    state = torch.rand(1, 2, height, width, generator=torch.Generator().manual_seed(0))
    read = interpolated(state, torch.tensor([[[row, column]]]))
    expected = [by_hand(channel, row, column) for channel in state[0]]
    assert read[0, 0].tolist() == pytest.approx(expected, abs=1e-4)


def test_a_lattice_is_the_middles_of_pixels_row_by_row():
    points = lattice(2, 3, 2)
    assert points.shape == (1, 24, 2)
    assert points[0, 0].tolist() == [0.25, 0.25]
    assert points[0, 5].tolist() == [0.25, 2.75]
    assert points[0, -1].tolist() == [1.75, 2.75]
    state = torch.rand(1, 4, 2, 3)
    assert torch.allclose(
        interpolated(state, lattice(2, 3, 1))[0], state.flatten(2)[0].T, atol=1e-6
    )


def test_there_are_no_seams_between_cells_nor_at_the_edge():
    """Colours on both sides of a border of cells, and of the torus, are the same."""
    decoder, state = model().decoder, torch.randn(1, 4, 5, 5)
    for border in (0.0, 2.0, 2.5, 5.0):
        across = torch.tensor([[[border - 1e-5, 1.3], [border + 1e-5, 1.3]]])
        for points in (across, across.flip(-1)):
            before, after = decoder.at(state, points)[0]
            assert torch.allclose(before, after, atol=2e-3)
    assert torch.allclose(
        place(torch.tensor([[[3.25, 0.5]]])), place(torch.tensor([[[0.25, 7.5]]])), atol=1e-5
    )
    assert place(torch.zeros(1, 1, 2)).shape == (1, 1, PLACE)


def test_pictures_of_all_sizes_agree_where_they_share_points():
    """Pixels of factor 3 have middles that are among those of factor 9, and of any points."""
    decoder, state = model().decoder, torch.randn(2, 4, 5, 6)
    coarse, fine = decoder(state, 3), decoder(state, 9)
    assert coarse.shape == (2, 4, 15, 18)
    assert torch.allclose(coarse, fine[:, :, 1::3, 1::3], atol=1e-4)
    # Middles of factors 4 and 8 never meet; both are what the decoder says at any such points.
    for factor in (4, 8):
        whole = decoder(state, factor)
        points = torch.tensor([[[2.5 / factor, 6.5 / factor]]]).expand(2, 1, 2)
        assert torch.allclose(decoder.at(state, points)[:, 0], whole[:, :, 2, 6], atol=1e-5)


def test_a_picture_moves_with_its_cells():
    """By whole cells: who draws nowhere in particular draws everywhere alike."""
    decoder, state = model().decoder, torch.randn(1, 4, 5, 6)
    moved = decoder(state.roll((1, 2), (2, 3)), 4)
    assert torch.allclose(moved, decoder(state, 4).roll((4, 8), (2, 3)), atol=1e-4)


def test_scattered_points_are_as_many_in_each_cell():
    points = scattered(3, 4, 5, torch.Generator().manual_seed(0))
    assert points.shape == (1, 60, 2)
    cells = points[0].floor().long()
    assert torch.bincount(cells[:, 0] * 4 + cells[:, 1]).tolist() == 12 * [5]
    with pytest.raises(ValueError, match="count is 0; expected a whole number of points ≥ 1"):
        scattered(3, 4, 0, torch.Generator())


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: model().decoder(torch.zeros(1, 5, 8, 8), 2), r"expected \[B, 4, H, W\]"),
        (lambda: model()(torch.zeros(1, 4, 8, 8), 0), "factor is 0; expected a whole number"),
        (lambda: FineModel(model().nca, LocalDecoder(5)), "a decoder of 5 channels .* of 4"),
        (lambda: learner(cells=1, reach=3), "a grid of 1×1 cells; expected at least .* reach of 3"),
        (lambda: learner(target=torch.zeros(4, 60, 60)), "expected .*the side a multiple of 8"),
        (lambda: learner(target=torch.zeros(3, 64, 64)), r"expected \[4, side, side\]"),
    ],
)
def test_what_does_not_fit_is_refused_in_a_line(make, message):
    with pytest.raises(ValueError, match=message) as caught:
        make()
    assert "\n" not in str(caught.value)


def learner(target=None, cells=8, reach=1, **training):
    one = model()
    if reach > 1:
        parts = ConvPerception(4, 8, 3, reach), MLPUpdate(8, 4, [8])
        one = FineModel(NCA(ChannelLayout(0, 4), *parts, 0.5, None), LocalDecoder(4, 4, 8))
    target = task_module.framed("🦎", 64) if target is None else target
    config = FineGrowthConfig(**content(**training)["training"])
    return FineGrowthLearner(one, target, cells, config, 0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"data": {"glyph": "🦎", "side": 132, "cells": 8}}, "a multiple of data.cells"),
        ({"data": {"glyph": "🦎", "side": 128, "cells": 0}}, "greater than or equal to 1"),
        ({"model": content()["model"] | {"living_threshold": 0.1}}, "living_threshold"),
    ],
)
def test_experiments_that_do_not_fit_are_one_line(change, message):
    with pytest.raises(ConfigError, match=message):
        experiment_from(content() | change, "here")
    raw = content()
    raw["model"]["perception"]["dilation"] = 9
    with pytest.raises(ConfigError, match="reach of 9 is larger than the grid of 8"):
        experiment_from(raw, "here")
    with pytest.raises(ConfigError, match="there is one picture; set it to 0"):
        experiment_from(content(pool=content()["training"]["pool"] | {"mutation": 0.1}), "here")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"factors": [3]}, "a picture of 48×48; expected at least 60 pixels, a multiple of 8"),
        ({"factors": [8]}, r"has 8, of 16 cells a texture of 128×128; expected 60 to 64"),
        ({"factors": []}, "at least 1 item"),
        ({"factors": [0]}, "greater than or equal to 1"),
    ],
)
def test_textures_that_do_not_fit_are_one_line(change, message):
    raw = texture_content()
    raw["training"] |= change
    with pytest.raises(ConfigError, match=message):
        experiment_from(raw, "here")


def test_the_loss_of_what_draws_its_target_is_nothing():
    """A target of one colour everywhere, and a decoder that always says it."""
    colour = torch.tensor([0.2, 0.4, 0.1, 0.5])
    one = learner(target=colour[:, None, None].expand(4, 64, 64))
    with torch.no_grad():
        one.fine.decoder.last.weight.zero_()
        one.fine.decoder.last.bias.copy_(colour)
    film = torch.rand(1, 2, 4, 8, 8)
    assert float(one.loss(film, {}).detach()) == pytest.approx(0, abs=1e-10)
    one.fine.decoder.last.bias.data += 0.1
    assert float(one.loss(film, {}).detach()) == pytest.approx(0.01, rel=1e-3)


def test_colours_are_compared_where_the_picture_has_them():
    """A target that is its state, each channel a colour: read at the same places, no difference."""
    target = torch.rand(4, 8, 8)
    one = learner(target=target)  # one pixel is one cell
    one.fine.decoder.at = interpolated
    assert float(one.loss(target[None, None], {})) == pytest.approx(0, abs=1e-10)
    shifted = target.roll(1, 2)[None, None]
    assert float(one.loss(shifted, {})) > 0.01


@pytest.mark.parametrize("rate", [None, 0.01])
def test_automaton_and_decoder_both_learn(rate):
    """By one optimiser, or by one each; a part without gradients would stay as it was."""
    one = learner(decoder_learning_rate=rate, iterations=40)
    before = {name: p.clone() for name, p in one.fine.named_parameters()}
    losses = [one.step(1.0)["loss"] for _ in range(40)]
    for name, parameter in one.fine.named_parameters():
        assert not torch.equal(parameter, before[name]), name
    assert sum(losses[-5:]) < 0.8 * sum(losses[:5])
    begun = first_cell(one.nca.layout, 8, 8)
    assert begun.abs().sum() == 4  # one cell, all its channels
    assert (begun[0, :, 4, 4] == 1).all()


@pytest.mark.parametrize("rate", [None, 0.01])
def test_a_training_goes_on_to_the_bit(rate, tmp_path):
    experiment = experiment_from(content(decoder_learning_rate=rate), "here")
    straight, resumed = gone_on_with(experiment, tmp_path)
    assert resumed.weights_sha256 == straight.weights_sha256
    loaded = zoo.load(str(tmp_path / "straight"))
    assert isinstance(loaded.network, FineModel)
    parts = (loaded.network.nca.parameter_count, loaded.network.decoder.parameter_count)
    assert straight.parameters == loaded.network.parameter_count == sum(parts)
    with pytest.raises(TypeError, match="take network.nca and network.decoder"):
        _ = loaded.nca


def test_a_texture_goes_on_to_the_bit(tmp_path):
    """Also which factor an iteration takes, and the directions of its styles."""
    experiment = experiment_from(texture_content(iterations=6), "here")
    straight, resumed = gone_on_with(experiment, tmp_path)
    assert resumed.weights_sha256 == straight.weights_sha256


def test_every_factor_has_its_turn_and_its_target():
    raw = texture_content()
    raw["data"]["size"] = 128
    raw["training"]["factors"] = [8, 4]
    experiment = experiment_from(raw, "here")
    targets = experiment.targets()
    assert {factor: tuple(t.shape) for factor, t in targets.items()} == {
        4: (3, 64, 64),
        8: (3, 128, 128),
    }
    one = task_of(experiment).learner(
        experiment, build_network(experiment), tuple(targets.values()), "cpu"
    )
    seen = set()
    one.styles = {
        factor: lambda pictures, dice: seen.add(pictures.shape[2:]) or pictures.mean((1, 2, 3))
        for factor in one.styles
    }
    for one.iteration in range(12):
        one.loss(torch.rand(1, 1, 4, 16, 16), {})
    assert seen == {(64, 64), (128, 128)}
    config = FineTextureConfig(**raw["training"])
    with pytest.raises(ValueError, match=r"no target for factors \[8\]; given: \[4\]"):
        FineTextureLearner(model(image_channels=3), {4: targets[4]}, config, 0)
    with pytest.raises(ValueError, match="a decoder to 4 channels; expected 3, RGB"):
        FineTextureLearner(model(), targets, config, 0)


def test_operations_of_a_point_are_those_that_pytorch_counts():
    """And four multiply-adds for each channel between four cells, which it does not."""
    one, state = model(channels=5, hidden=7), torch.zeros(1, 5, 4, 4)
    with FlopCounterMode(display=False) as counter:
        one(state, 3)
    points = (3 * 4) ** 2
    expected = counter.get_total_flops() + 2 * 4 * 5 * points
    assert flops_per_point(one.decoder) * points == expected
    found = costs(one, 4, [3])
    assert found["multiply_adds"]["picture"] == {"3": expected // 2}
    assert found["multiply_adds"]["step"] == 16 * (5 * 9 * 8 + 8 * 8 + 8 * 5)


def test_what_draws_nothing_is_measured_and_reported():
    """An empty picture, at every size and step, and nothing that could recover."""
    one = model()
    with torch.no_grad():
        for parameter in [*one.nca.update.parameters(), *one.decoder.last.parameters()]:
            parameter.zero_()
    truths = {factor: task_module.framed("🦎", factor * 8) for factor in (8, 16)}
    beside = {"drawing": truths[16][None]}
    found = evaluate_fine(one, 8, truths, beside, TINY)
    for values, truth in ((found, truths[16]), (found["smaller"]["8"], truths[8])):
        empty = float(truth.square().mean())
        assert values["grown"]["mse"] == pytest.approx(empty)
        assert values["stage1"]["mse"] == pytest.approx(empty)
    assert math.isnan(found["recovery"]["mse"]["percent"])
    assert found["alive"]["alive"] == 4
    assert found["beside"]["drawing"]["lpips"] == pytest.approx(0, abs=1e-6)
    experiment = experiment_from(content(), "here")
    report = task_of(experiment).report(found)
    for measured in report.measured:
        assert at(found, measured.key) is measured.value  # keys are places in a card
    text = report.text()
    for words in ("128 px", "64 px", "multiply-adds", "4 of 4 were alive", "decoder 212"):
        assert words in text
    with pytest.raises(ValueError, match=r"for factor 4; expected \[4, 32, 32\]"):
        evaluate_fine(one, 8, {4: truths[8]})
    with pytest.raises(ValueError, match="expected them to rise"):
        FineProtocol(perturb=10)


def test_an_automaton_of_pixels_stands_beside_if_it_grows_the_same(monkeypatch):
    """Its drawing as large as ours and at the same place: another file has another margin."""
    pixels = zoo.load("emoji-conv3")
    monkeypatch.setattr(task_module, "FineProtocol", lambda: TINY)
    truth = task_module.framed("🦎", 512)
    beside = task_module.enlarged_pixels(pixels, "🦎", truth)
    assert beside["pixels"].shape == (4, 4, 512, 512)
    (drawing,) = beside["drawing"]
    error = (drawing - truth).square().mean()
    assert error < 0.007
    for rows, columns in ((8, 0), (-8, 0), (0, 8), (0, -8)):
        assert error < (drawing.roll((rows, columns), (1, 2)) - truth).square().mean()
    assert task_module.enlarged_pixels(pixels, "🕸", truth) == {}
    assert moved_onto(truth.roll((3, -5), (1, 2)), truth) == (509, 5)


def test_a_texture_is_measured_at_every_factor_and_reported():
    """Gray is far from the style, its pixels in order or not, and every size sees it."""
    experiment = experiment_from(texture_content(), "here")
    rules = FineTextureProtocol(
        canvases=2, short=(1, 3), grown=3, final=5, long=(6,), elsewhere=((16, 32), (4, 4))
    )
    found = evaluate_fine_texture(build_network(experiment), 16, experiment.targets(), rules)
    assert found["grown"] > found["shuffled"] * 0.1 > 0
    assert [*found["elsewhere"]] == ["16×32"]  # VGG16 cannot see 16 × 16 pixels
    report = task_of(experiment).report(found)
    for measured in report.measured:
        assert at(found, measured.key) == measured.value
    text = report.text()
    for words in ("step 3, 64 px", "recovery, lower half", "16×32 cells", "step 6"):
        assert words in text
    picture = torch.rand(3, 4, 5)
    assert torch.equal(
        shuffled(picture)[0].flatten(1).sort().values, picture.flatten(1).sort().values
    )
    with pytest.raises(ValueError, match="expected rising steps after 150"):
        FineTextureProtocol(long=(100,))


def test_smaller_pictures_are_compared_with_the_same_drawing(monkeypatch):
    """Files of smaller drawings lie differently in their squares, and would tell of a shift."""
    seen = {}
    monkeypatch.setattr(
        task_module, "evaluate_fine", lambda model, cells, truths, beside: seen.update(truths)
    )
    experiment = experiment_from(content(), "here")
    task_of(experiment).measure(experiment, build_network(experiment), Look(), "cpu")
    (first, *_, last) = sorted(seen)
    whole = seen[last]
    assert torch.equal(whole, experiment.data.build())
    mine = seen[first].flatten(1).mean(1)
    assert torch.allclose(mine, whole.flatten(1).mean(1), atol=1e-6)
    large = F.interpolate(seen[first][None], whole.shape[1:], mode="bicubic")[0]
    assert (large - whole).square().mean() < (large.roll(4, 1) - whole).square().mean()


def test_a_trained_one_is_measured_whole(monkeypatch, tmp_path):
    """From an experiment file to a report, by the commands' way, without the pixels beside."""
    monkeypatch.setattr(task_module.FineTask, "judges", ())
    whole = evaluate_fine
    monkeypatch.setattr(task_module, "evaluate_fine", lambda *given: whole(*given, TINY))
    experiment = experiment_from(content(iterations=3), "here")
    runner.train(experiment, tmp_path / "run", progress=False, tracker="none")
    metrics = runner.evaluate_model(str(tmp_path / "run"), save=True)
    assert [*metrics["smaller"]] == ["4", "8"]
    assert metrics["beside"] == {}
    assert zoo.read_card(tmp_path / "run").metrics == metrics


@pytest.mark.parametrize("raw", [content(), texture_content()], ids=["one picture", "a texture"])
def test_its_figure_is_drawn_by_its_decoder(raw):
    """From one cell, or from an empty canvas."""
    experiment = experiment_from(raw, "toy")
    network = build_network(experiment)
    shown = task_of(experiment).live(experiment, network)
    assert task_of(experiment).has_figure
    description, _ = describe(network.nca, **shown)
    assert description["decoder"]["kind"] == "local"
    assert description["decoder"]["image"] == network.decoder.image_channels
    cells = experiment.data.cells
    assert (description["height"], description["width"]) == (cells, cells)
    assert ("fill" in description) == (raw["task"] == "texture-fine")
