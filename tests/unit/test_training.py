"""Pool, perturbations, optimisers and the trainer: ratios, order, resumption, divergence."""

import math
import os
import signal

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import save_file

from ncabook.automaton import NCA, ChannelLayout, ConvPerception, MLPUpdate
from ncabook.automaton.denormals import are_flushed
from ncabook.automaton.precision import has_bfloat16
from ncabook.files import CorruptFileError
from ncabook.training.checkpoint import load_record, previous
from ncabook.training.config import GrowthConfig, OptimizerConfig, PoolConfig, StepsConfig
from ncabook.training.growth import GrowthLearner
from ncabook.training.learner import TrainingDivergedError
from ncabook.training.loop import Loop
from ncabook.training.losses import overflow, visible_mse
from ncabook.training.optimizer import MuonWithAdam, warmup_cosine
from ncabook.training.perturbation import circle_mask, half_mask, mutate, random_damage
from ncabook.training.pool import SamplePool
from ncabook.training.processes import accelerator, check_device

SIZE = 8
TARGETS = torch.rand(3, 4, SIZE, SIZE, generator=torch.Generator().manual_seed(5))
POOL = PoolConfig(capacity=16, ratio=0.75, mutation=0.34, damage=0.34)


def config(**changes):
    base = {
        "iterations": 6,
        "batch": 8,
        "steps": StepsConfig(min=3, max=5),
        "optimizer": OptimizerConfig(kind="muon", learning_rate=0.005),
        "warmup": 2,
        "overflow": 0.1,
        "pool": POOL,
    }
    return GrowthConfig(**(base | changes))


def trainer(path=None, seed=0, targets=TARGETS, **changes):
    torch.manual_seed(seed)
    layout = ChannelLayout(visible=4, hidden=4)
    condition = len(targets) if len(targets) > 1 else 0
    nca = NCA(layout, ConvPerception(8, 10, condition_channels=condition), MLPUpdate(10, 8, [10]))
    return Loop(GrowthLearner(nca, targets, config(**changes), seed), path)


def weights(run):
    return [*run.learner.nca.parameters()]


# Pool


@given(
    capacity=st.integers(1, 12),
    sizes=st.lists(st.integers(1, 12), min_size=1, max_size=12),
)
def test_pool_is_first_in_first_out(capacity, sizes):
    """After any sequence of stores the pool holds exactly the newest ``capacity`` samples."""
    pool = SamplePool(capacity)
    assert len(pool) == 0
    history = []
    for size in sizes:
        size = min(size, capacity)
        values = torch.arange(len(history), len(history) + size)
        pool.store({"state": values.float().view(-1, 1, 1, 1), "class": values})
        history += values.tolist()
    newest = history[-capacity:]
    held = len(pool)
    state, classes = (values[:held] for values in pool.samples.values())
    assert sorted(classes.tolist()) == newest
    assert torch.equal(state.flatten(), classes.float())


def test_pool_draws_without_repetition_and_keeps_label_and_state_together():
    pool = SamplePool(10)
    labels = torch.arange(10)
    states = labels.float().view(-1, 1, 1, 1).expand(-1, 2, 3, 3)
    pool.store({"state": states, "class": labels})
    states, classes = pool.draw(7, torch.Generator().manual_seed(0)).values()
    assert len(set(classes.tolist())) == 7
    assert torch.equal(states[:, 0, 0, 0], classes.float())


def test_pool_refuses_what_it_cannot_do():
    pool, three = SamplePool(4), torch.zeros(3, 1, 1, 1)
    with pytest.raises(ValueError, match="draw 1 samples from a pool that holds 0"):
        pool.draw(1, torch.Generator())
    with pytest.raises(ValueError, match="5 samples do not fit a pool of capacity 4"):
        pool.store({"state": torch.zeros(5, 1, 1, 1)})
    with pytest.raises(ValueError, match="the same n for all"):
        pool.store({"state": three, "class": torch.zeros(2)})
    pool.store({"state": three, "class": torch.zeros(3)})
    for wrong in ({"state": torch.zeros(2, 1, 3, 1), "class": torch.zeros(2)}, {"state": three}):
        with pytest.raises(ValueError, match=r"expected \[n, …\] with {'state': \[1, 1, 1\], 'cl"):
            pool.store(wrong)
    with pytest.raises(ValueError, match="cannot draw -1"):
        pool.draw(-1, torch.Generator())


# Perturbations


def test_circle_and_half_by_hand():
    circle = circle_mask(5, 5, 2, 2, 1.0)[0, 0]
    assert int((circle == 0).sum()) == 5  # centre and its four neighbours
    right = half_mask(4, 6, 0.0)[0, 0]
    assert torch.equal(right[0], torch.tensor([1.0, 1, 1, 0, 0, 0]))
    for angle in (0.0, math.pi / 2, math.pi, 3 * math.pi / 2):
        assert float(half_mask(6, 6, angle).sum()) == 18  # exactly half, in all directions


def test_masks_know_rows_from_columns_and_sides_from_each_other():
    """On grids that are not square, with another mask for each sample."""
    quarters = torch.tensor([0, 0.5, 1, 1.5]) * math.pi
    right, lower, left, upper = half_mask(4, 6, quarters)[:, 0]
    assert torch.equal(right, torch.tensor([1.0, 1, 1, 0, 0, 0]).expand(4, -1))
    assert torch.equal(lower, torch.tensor([1.0, 1, 0, 0])[:, None].expand(-1, 6))
    assert torch.equal(left, 1 - right)
    assert torch.equal(upper, 1 - lower)
    moved = half_mask(4, 6, torch.zeros(2), torch.tensor([1.0, -2.0]))[:, 0]
    assert moved[:, 0].sum(1).tolist() == [4, 1]
    circles = circle_mask(5, 9, torch.tensor([1.0, 3]), torch.tensor([6.0, 2]), 1.0)[:, 0]
    for circle, (row, column) in zip(circles, ((1, 6), (3, 2)), strict=True):
        erased = {(r, c) for r, c in (circle == 0).nonzero().tolist()}
        steps = ((0, 0), (0, 1), (1, 0), (0, -1), (-1, 0))
        assert erased == {(row + down, column + right) for down, right in steps}


def test_random_damage_is_spread_as_described():
    """Discs of 10–40 % of the side in the middle half, and halves at any angle, off the centre."""
    height, width = 40, 80
    masks = random_damage(2000, height, width, torch.Generator().manual_seed(0))[:, 0]
    rows, columns = torch.arange(float(height)), torch.arange(float(width))
    gone = 1 - masks
    area = gone.sum((1, 2))
    centre = torch.stack(
        [(gone.sum(2) * rows).sum(1) / area, (gone.sum(1) * columns).sum(1) / area], 1
    )
    edge = masks[:, [0, 0, -1, -1], [0, -1, 0, -1]]
    half = edge.amin(1) == 0  # only a half plane can reach a corner
    assert 0.45 < float(half.float().mean()) < 0.55
    whole = ~half & (masks[:, [0, -1]].amin((1, 2)) == 1)  # no disc that the border cuts
    radius = (area[whole] / math.pi).sqrt()
    assert 3.5 < float(radius.min()) < 5
    assert 14 < float(area[~half].max() / math.pi) ** 0.5 < 16.5
    for axis, side in ((0, height), (1, width)):
        found = centre[whole, axis] / side
        assert 0.22 < float(found.min()) < 0.32
        assert 0.68 < float(found.max()) < 0.78
    for corner in edge[half].T:  # every corner is in as many halves as the others
        assert 0.4 < float((corner == 0).float().mean()) < 0.6
    share = area[half] / (height * width)
    assert 0.35 < float(share.min()) < 0.45  # of 80 columns, 4 off the centre is 5 %
    assert 0.55 < float(share.max()) < 0.65


def test_random_damage_erases_something_and_leaves_something():
    masks = random_damage(200, 24, 24, torch.Generator().manual_seed(0))
    share = 1 - masks.mean((1, 2, 3))
    assert masks.unique().tolist() == [0.0, 1.0]
    assert float(share.min()) > 0.02
    assert float(share.max()) < 0.75
    halves = (share > 0.505).float().mean() + ((share < 0.495) & (share > 0.42)).float().mean()
    assert float(halves) > 0.2  # half planes are among them


def test_random_discs_have_two_coordinates(monkeypatch):
    """One random number for both would put them all on a diagonal."""
    centres = []

    def noted(height, width, row, column, radius):
        centres.append(torch.stack([row, column]))
        return circle_mask(height, width, row, column, radius)

    monkeypatch.setattr("ncabook.training.perturbation.circle_mask", noted)
    random_damage(500, 24, 24, torch.Generator().manual_seed(0))
    assert abs(float(torch.corrcoef(centres[0])[0, 1])) < 0.2


def test_mutation_always_changes_the_class_and_reaches_all_others():
    classes = torch.full((500,), 2)
    new = mutate(classes, 5, torch.Generator().manual_seed(0))
    assert set(new.tolist()) == {0, 1, 3, 4}
    with pytest.raises(ValueError, match="at least 2 classes; there are 1"):
        mutate(classes, 1, torch.Generator())


# Losses and schedule


def test_losses_by_hand():
    layout = ChannelLayout(visible=4, hidden=1)
    state = torch.zeros(1, 5, 1, 2)
    state[0, 0, 0, 0] = 1.5  # 0.5 over, among 8 visible values
    state[0, 4, 0, 1] = -3.0  # 2 under, among 2 hidden values
    assert float(overflow(state, layout)) == pytest.approx(0.5 / 8 + 2 / 2)
    assert float(visible_mse(state, torch.zeros(1, 4, 1, 2), layout)) == pytest.approx(2.25 / 8)


def test_a_target_of_another_shape_is_not_broadcast():
    layout = ChannelLayout(visible=4, hidden=1)
    with pytest.raises(ValueError, match=r"expected \[3, 4, 2, 2\], as the state"):
        visible_mse(torch.zeros(3, 5, 2, 2), torch.zeros(1, 4, 2, 2), layout)


def test_warmup_then_cosine():
    assert warmup_cosine(0, 100, 10) == pytest.approx(0.1)
    assert warmup_cosine(9, 100, 10) == 1.0
    assert warmup_cosine(55, 100, 10) == pytest.approx(0.5)
    assert warmup_cosine(100, 100, 10) == pytest.approx(0.0, abs=1e-12)


def test_muon_updates_matrices_by_an_orthogonal_step():
    """A first Muon step has singular values near the learning rate: all directions alike."""
    torch.manual_seed(0)
    model = torch.nn.Linear(12, 12)
    before = model.weight.detach().clone()
    torch.nn.functional.mse_loss(model(torch.randn(64, 12)), torch.randn(64, 12)).backward()
    MuonWithAdam(model, 0.01, 0.001).step(1.0)
    singular = torch.linalg.svdvals((model.weight.detach() - before).double())
    assert float(singular.min()) > 0.005
    assert float(singular.max()) < 0.013


# Learner and loop


def test_rollout_length_includes_both_ends():
    """The authors' code left out the upper one for long."""
    run = trainer(steps=StepsConfig(min=3, max=5))
    lengths = []
    original = run.learner.nca.rollout
    run.learner.nca.rollout = lambda s, n, *a, **k: lengths.append(n) or original(s, n, *a, **k)
    for _ in range(40):
        run.step()
    assert set(lengths) == {3, 4, 5}


def test_denormals_are_flushed_while_it_trains_and_not_after():
    """Losses, gradients and the optimiser, not the rollout alone."""
    run, seen = trainer(), []
    loss, step = run.learner.loss, run.learner.optimizer.step
    run.learner.loss = lambda *a: seen.append(are_flushed()) or loss(*a)
    run.learner.optimizer.step = lambda *a: seen.append(are_flushed()) or step(*a)
    before = are_flushed()
    run.step()
    assert seen == [True, True]
    assert are_flushed() is before


def test_batch_honours_the_ratios():
    """Of 8: 2 seeds, 2 mutated, 2 damaged, 2 as they are; labels follow their states."""
    run = trainer()
    states = torch.ones(8, 8, SIZE, SIZE)
    states[:, 4] = torch.arange(8).view(-1, 1, 1) + 10  # marks each sample
    labels = torch.tensor([0, 1, 2, 0, 1, 2, 0, 1])
    run.learner.pool.store({"state": states, "class": labels})
    state, classes = run.learner.batch().values()
    assert bool((state[:2].sum((1, 2, 3)) == 4).all())  # one cell of four ones
    marks = state[2:, 4].amax((1, 2)) - 10
    original = labels[marks.long()]
    damaged = state[2:, 0].mean((1, 2)) < 1
    assert (classes[2:] != original).tolist() == [True, True, False, False, False, False]
    assert damaged.tolist() == [False, False, True, True, False, False]


def test_pool_starts_empty_and_fills_after_its_delay():
    pool = PoolConfig(capacity=32, delay=2, ratio=0.5, mutation=0.0, damage=0.0)
    run = trainer(pool=pool)
    sizes = []
    for _ in range(4):
        run.step()
        sizes.append(len(run.learner.pool))
    assert sizes == [0, 0, 8, 16]


def test_drawn_samples_live_on_before_training_sees_them():
    """As many steps as the host's coin says; one that explodes on the way stays as it was."""
    run = trainer(pool=PoolConfig(capacity=8, ratio=1.0, mutation=0.0, damage=0.0, lead=5))
    states = torch.rand(8, 8, SIZE, SIZE, generator=torch.Generator().manual_seed(1))
    run.learner.pool.store({"state": states, "class": torch.arange(8) % 3})
    seen = []

    def rollout(old, steps, condition, generator):
        seen.append((steps, condition.argmax(1)))
        later = old + 1
        later[0] = 1e6
        return later

    run.learner.nca.rollout = rollout
    start, classes = run.learner.batch().values()
    ((steps, told),) = seen
    assert 0 <= steps <= 5
    assert torch.equal(told, classes)
    exploded, *others = start
    assert (states == exploded).flatten(1).all(1).sum() == 1
    for later in others:
        assert torch.isclose(states + 1, later).flatten(1).all(1).sum() == 1


def test_an_exploded_state_is_not_kept():
    """In the pool it would be started from again, and explode further; its start stays there."""
    run = trainer()
    run.learner.nca.update.layers[-1].bias.data[5] = 1e3  # a hidden channel: nothing dies of it
    run.step()
    assert len(run.learner.pool) == 8
    assert run.learner.pool.samples["state"].abs().max() == 1  # seeds
    assert run.learner.pool.samples["state"][:8].flatten(1).sum(1).tolist() == [4.0] * 8


def test_training_lowers_the_loss():
    run = trainer(
        targets=TARGETS[:1],
        iterations=80,
        pool=None,
        batch=2,
        steps=StepsConfig(min=8, max=10),
        optimizer=OptimizerConfig(kind="muon", learning_rate=0.02),
    )
    run.run(progress=False)
    assert np.mean(run.losses[-10:]) < 0.5 * np.mean(run.losses[:10])


@pytest.mark.parametrize("kind", ["soap", "muon", "adam"])
def test_resuming_gives_the_same_weights_as_never_stopping(tmp_path, kind):
    optimizer = OptimizerConfig(kind=kind, learning_rate=0.005)
    straight = trainer(optimizer=optimizer)
    straight.run(progress=False)
    first = trainer(tmp_path / "c.safetensors", optimizer=optimizer)
    for _ in range(3):
        first.step()
    first.save()
    second = trainer(tmp_path / "c.safetensors", optimizer=optimizer)
    second.resume()
    second.run(progress=False)
    assert second.losses == straight.losses
    for a, b in zip(
        second.learner.nca.parameters(), straight.learner.nca.parameters(), strict=True
    ):
        assert torch.equal(a, b)
    kept, wanted = (run.learner.pool.samples["state"] for run in (second, straight))
    assert torch.equal(kept, wanted)


def test_resuming_another_configuration_is_refused(tmp_path):
    first = trainer(tmp_path / "c.safetensors")
    first.save()
    with pytest.raises(ValueError, match=r"another run \(training.batch: 8 there, 4 here\)"):
        trainer(tmp_path / "c.safetensors", batch=4).resume()


def two_checkpoints(tmp_path):
    """A run with a checkpoint of iteration 3 and, before it, one of iteration 2."""
    path = tmp_path / "c.safetensors"
    run = trainer(path)
    for _ in range(3):
        run.step()
        run.save()
    assert load_record(path)["iteration"] == 3
    assert load_record(previous(path))["iteration"] == 2
    assert {p.name for p in tmp_path.iterdir()} == {"c.safetensors", "c.previous.safetensors"}
    return path


def truncate(path):
    path.write_bytes(path.read_bytes()[:-7])


def replace_by_foreign(path):
    save_file({"somebody's": torch.zeros(2)}, path)


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (truncate, "not a whole safetensors file"),
        (replace_by_foreign, "is no training checkpoint"),
    ],
)
def test_a_bad_newest_checkpoint_is_kept_and_the_one_before_is_used(
    tmp_path, capsys, damage, reason
):
    path = two_checkpoints(tmp_path)
    damage(path)
    bad = path.read_bytes()
    run = trainer(path)
    run.resume()
    assert run.iteration == 2
    warning = capsys.readouterr().err
    assert len(warning.splitlines()) == 1
    assert warning.startswith(f"warning: {path} ")
    assert reason in warning
    assert "going on from" in warning
    run.run(progress=False)
    assert (tmp_path / "c.refused-1.safetensors").read_bytes() == bad
    straight = trainer()
    straight.run(progress=False)
    assert run.losses == straight.losses


def test_killed_between_two_renames_the_one_before_is_used(tmp_path, capsys):
    path = two_checkpoints(tmp_path)
    path.replace(previous(path))
    run = trainer(path)
    run.resume()
    assert run.iteration == 3
    assert "no such file" in capsys.readouterr().err
    assert not list(tmp_path.glob("*refused*"))


def test_with_no_good_checkpoint_nothing_is_touched(tmp_path):
    path = two_checkpoints(tmp_path)
    for checkpoint in (path, previous(path)):
        truncate(checkpoint)
    before = {p: p.read_bytes() for p in tmp_path.iterdir()}
    with pytest.raises(CorruptFileError, match=r"c\.safetensors.*; .*c\.previous\.safetensors"):
        trainer(path).resume()
    assert {p: p.read_bytes() for p in tmp_path.iterdir()} == before


def test_a_checkpoint_that_cannot_be_written_leaves_both_old_ones(tmp_path, monkeypatch):
    path = two_checkpoints(tmp_path)
    before = {p: p.read_bytes() for p in tmp_path.iterdir()}
    run = trainer(path)
    monkeypatch.setattr(os, "fsync", lambda _: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        run.save()
    assert {p: p.read_bytes() for p in tmp_path.iterdir()} == before


# Parts of a batch, precision


@pytest.mark.parametrize("accumulation", [2, 4])
def test_a_batch_in_parts_trains_like_a_whole_one(accumulation):
    whole, parts = trainer(), trainer(accumulation=accumulation)
    assert [part.stop - part.start for part in parts.learner.shares] == [
        8 // accumulation
    ] * accumulation
    for run in (whole, parts):
        run.run(progress=False)
    assert parts.losses == pytest.approx(whole.losses, abs=1e-6)
    for a, b in zip(parts.learner.nca.parameters(), whole.learner.nca.parameters(), strict=True):
        assert torch.allclose(a, b, rtol=0, atol=1e-6)
    assert torch.equal(parts.learner.generator.get_state(), whole.learner.generator.get_state())


def test_training_in_less_memory_is_the_same_training():
    """``memory`` decides what is computed twice, and nothing else: bit for bit."""
    whole, cut = trainer(), trainer(memory="0.27MB")
    for _ in range(3):
        assert whole.step() == cut.step()
    for a, b in zip(whole.learner.nca.parameters(), cut.learner.nca.parameters(), strict=True):
        assert torch.equal(a, b)
    with pytest.raises(ValueError, match="this rollout of .* steps takes at least"):
        trainer(memory="0.001MB").run(progress=False)


def test_a_checkpoint_may_be_continued_in_other_parts(tmp_path):
    run = trainer(tmp_path / "c.safetensors")
    run.save()
    trainer(tmp_path / "c.safetensors", accumulation=4).resume()


def test_a_batch_that_gives_no_equal_parts_is_refused():
    with pytest.raises(ValueError, match="a batch of 8 cannot be shared by 1 processes with accum"):
        trainer(accumulation=3)


def test_precisions_do_not_meet(monkeypatch):
    """accelerate has one state per process; a notebook trains with both precisions."""
    monkeypatch.setattr("ncabook.automaton.precision.has_bfloat16", lambda device: True)
    monkeypatch.setattr("ncabook.automaton.precision.has_amx", lambda: True)
    first = trainer()
    half = trainer(precision="bfloat16")
    second = trainer()
    losses = [run.step() for run in (first, half, second)]
    assert losses[0] == losses[2]
    assert losses[1] != losses[0]
    assert losses[1] == pytest.approx(losses[0], rel=0.05)


@pytest.mark.parametrize(
    ("flags", "there"), [("avx512_bf16 amx_bf16", True), ("avx512_bf16", True), ("avx2", False)]
)
def test_bfloat16_is_for_processors_that_gain_by_it(monkeypatch, tmp_path, flags, there):
    """Elsewhere it is emulated, and a training takes thirty times as long."""
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text(f"flags : sse4_2 {flags} avx512f")
    monkeypatch.setattr("ncabook.automaton.precision.Path", lambda _: cpuinfo)
    assert has_bfloat16("cpu") is there


def test_where_bfloat16_is_emulated_float32_multiplies(monkeypatch):
    """The loss is float32's, to the bit."""
    monkeypatch.setattr("ncabook.automaton.precision.has_bfloat16", lambda device: False)
    first, half = trainer(), trainer(precision="bfloat16")
    assert first.step() == half.step()


@pytest.mark.parametrize(("there", "used"), [(True, "bfloat16"), (False, "float32")])
def test_the_precision_used_is_on_record(monkeypatch, there, used):
    monkeypatch.setattr("ncabook.automaton.precision.has_bfloat16", lambda device: there)
    half, about = config(precision="bfloat16"), {"commit": "abc"}
    run = Loop(GrowthLearner(trainer().learner.nca, TARGETS, half, seed=0), provenance=about)
    assert run.provenance == [{"commit": "abc", "precision": used}]


def test_no_index_of_a_gpu_in_a_group(monkeypatch):
    monkeypatch.setenv("LOCAL_RANK", "0")
    with pytest.raises(ValueError, match="device cuda:1 with several processes"):
        accelerator("cuda:1", "float32")


@pytest.mark.parametrize("device", ["foo", "cuda", "cuda:1", "cuda:-1", "meta", "cuda: 0", ""])
def test_a_device_that_is_not_here(monkeypatch, device):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    with pytest.raises(ValueError, match=f"^device '{device}'; expected cpu: PyTorch finds no GPU"):
        accelerator(device, "float32")


@pytest.mark.parametrize(("device", "count"), [("cuda:1", 1), ("cuda:2", 2), ("hip", 2)])
def test_a_gpu_too_many(monkeypatch, device, count):
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr("torch.cuda.device_count", lambda: count)
    assert check_device("cuda") == torch.device("cuda")
    assert check_device(f"cuda:{count - 1}").index == count - 1
    with pytest.raises(ValueError, match=f"or cuda:0 to cuda:{count - 1}: PyTorch finds {count}"):
        check_device(device)


def test_an_empty_pool_survives_a_checkpoint(tmp_path):
    first = trainer(tmp_path / "c.safetensors")
    first.save()
    second = trainer(tmp_path / "c.safetensors")
    second.resume()
    assert len(second.learner.pool) == 0


def test_ctrl_c_finishes_the_iteration_and_saves(ctrl_c, tmp_path):
    """Interrupted at any moment, a run goes on as if it had never been."""
    run = trainer(tmp_path / "c.safetensors")
    step, calls = run.step, []

    def interrupted():
        calls.append(1)
        if len(calls) == 3:
            os.kill(os.getpid(), signal.SIGINT)
        return step()

    run.step = interrupted
    with pytest.raises(KeyboardInterrupt):
        run.run(progress=False)
    again = trainer(tmp_path / "c.safetensors")
    again.resume()
    assert again.iteration == 3
    straight = trainer()
    again.run(progress=False)
    straight.run(progress=False)
    assert again.losses == straight.losses


def test_weights_that_are_not_finite_are_never_saved(tmp_path):
    run = trainer(tmp_path / "c.safetensors")
    run.save()
    saved = (tmp_path / "c.safetensors").read_bytes()
    with torch.no_grad():
        run.learner.nca.perception.conv.bias[0] = math.inf
    with pytest.raises(TrainingDivergedError, match="weights that are not finite"):
        run.save()
    assert (tmp_path / "c.safetensors").read_bytes() == saved


def test_divergence_stops_with_step_loss_and_checkpoint(tmp_path):
    run = trainer(tmp_path / "c.safetensors")
    run.step()
    run.save()
    saved = (tmp_path / "c.safetensors").read_bytes()
    with torch.no_grad():
        run.learner.nca.update.layers[-1].weight.fill_(math.nan)
    with pytest.raises(TrainingDivergedError, match="iteration 1: loss nan; the last good"):
        run.run(progress=False)
    assert (tmp_path / "c.safetensors").read_bytes() == saved


def overflowing(run: Loop, iterations: set[int]) -> None:
    """Makes the gradient infinite at some iterations; the loss stays what it is."""

    def spoil(grad):
        return grad * math.inf if run.iteration in iterations else grad

    run.learner.nca.update.layers[-1].bias.register_hook(spoil)


def test_an_overflowing_gradient_changes_neither_weights_nor_pool(tmp_path):
    run = trainer(tmp_path / "c.safetensors")
    overflowing(run, {1})
    run.step()
    before = [
        t.clone()
        for t in (
            *run.learner.nca.parameters(),
            run.learner.pool.samples["state"],
            run.learner.pool.samples["class"],
        )
    ]
    assert math.isfinite(run.step())
    after = [
        *run.learner.nca.parameters(),
        run.learner.pool.samples["state"],
        run.learner.pool.samples["class"],
    ]
    assert all(torch.equal(a, b) for a, b in zip(before, after, strict=True))
    assert (run.iteration, run.learner.skipped.all) == (2, 1)
    run.save()
    again = trainer(tmp_path / "c.safetensors")
    again.resume()
    assert again.learner.skipped.all == 1
    run.step()
    assert run.learner.skipped.all == 1
    assert not torch.equal(before[0], next(run.learner.nca.parameters()))


def test_many_overflowing_gradients_in_a_row_are_divergence(tmp_path):
    run = trainer(tmp_path / "c.safetensors")
    run.save()
    overflowing(run, set(range(100)))
    for _ in range(10):
        run.step()
    with pytest.raises(TrainingDivergedError, match="gradient norm inf, 11 times in a row"):
        run.step()
