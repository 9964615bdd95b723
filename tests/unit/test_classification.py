"""Cells that vote: the label follows the image, losses as printed, and something is learned."""

import pytest
import torch
import torch.nn.functional as F

from ncabook.automaton import NCA, ChannelLayout, ConvPerception, MLPUpdate
from ncabook.evaluation.reference import reference_rollout
from ncabook.training import classification
from ncabook.training.classification import (
    SHIFT,
    ClassificationLearner,
    initial_state,
    shifted,
    visible_image,
    voters,
)
from ncabook.training.config import ClassificationConfig, OptimizerConfig, PoolConfig, StepsConfig
from ncabook.training.loop import Loop
from ncabook.training.losses import class_cross_entropy, class_mse, overflow


def automaton(fixed=1, classes=4, living=0.1, seed=0):
    torch.manual_seed(seed)
    layout = ChannelLayout(visible=0, hidden=3, fixed=fixed, classes=classes)
    parts = ConvPerception(layout.channels, 12), MLPUpdate(12, layout.channels - fixed, [10])
    return NCA(layout, *parts, living_threshold=living)


def config(**changes):
    return ClassificationConfig(
        **{
            "iterations": 12,
            "batch": 8,
            "steps": StepsConfig(min=4, max=6),
            "optimizer": OptimizerConfig(kind="adam", learning_rate=2e-3),
            "warmup": 2,
            "overflow": 0.1,
            "pool": PoolConfig(capacity=16, ratio=0.75, mutation=0.5, damage=0.3),
            "loss": "mse",
            **changes,
        }
    )


def coded(count=40, classes=4, side=7):
    """Images whose pixels all say which label is theirs: label 3 is gray 50 · (3 + 1)."""
    labels = torch.randint(classes, (count,), generator=torch.Generator().manual_seed(1))
    gray = (50 * (labels + 1)).to(torch.uint8)
    return gray[:, None, None, None].expand(-1, 1, side, side).contiguous(), labels


def labels_of(state, padding):
    """What the images in states say."""
    return (state[:, 0, padding, padding] * 255 / 50).round().long() - 1


@pytest.mark.parametrize("mutation", [0.0, 0.5, 1.0])
def test_the_label_follows_the_image(mutation):
    """The reference code gives a sample of its pool a new label and the old image; here never."""
    pool = PoolConfig(capacity=12, ratio=1.0, mutation=mutation, damage=(1 - mutation) / 2)
    run = ClassificationLearner(automaton(), *coded(), config(pool=pool), 0, padding=2)
    pooled = 0
    for _ in range(12):
        state, labels = run.batch().values()
        assert torch.equal(labels_of(state, 2), labels)
        pooled += int((state[:, 1:].abs().amax((1, 2, 3)) > 0).sum())
        run.step(1.0)
        kept, known = (values[: len(run.pool)] for values in run.pool.samples.values())
        assert torch.equal(labels_of(kept, 2), known)
    assert pooled > 30, "no state that had voted before came back"


def test_mutation_keeps_what_the_cells_thought():
    pool = PoolConfig(capacity=8, ratio=1.0, mutation=1.0, damage=0.0)
    run = ClassificationLearner(automaton(living=None), *coded(), config(pool=pool), 0)
    run.step(1.0)
    run.pool.samples["state"][:, 1:] = torch.arange(8.0)[
        :, None, None, None
    ]  # tells the samples apart
    before = run.pool.samples["class"].clone()
    state, labels = run.batch().values()
    came_from = state[:, 1, 0, 0].long()
    assert torch.equal(state[:, 1:, 0, 0], came_from.float()[:, None].expand(-1, 7))
    assert not torch.equal(labels, before[came_from])


def test_losses_by_hand():
    """Two samples of 1×2 cells, two classes; of the second sample only one cell votes."""
    layout = ChannelLayout(visible=0, hidden=0, fixed=1, classes=2)
    state = torch.tensor([[[[9.0, 9]], [[1, 0.5]], [[0, 0]]], [[[9, 9]], [[0, 7]], [[2, 7]]]])
    counts = torch.tensor([[[[True, True]]], [[[True, False]]]])
    classes = torch.tensor([0, 1])
    # Votes (1, 0), (0.5, 0) for class 0 and (0, 2) for class 1.
    assert class_mse(state, classes, layout, counts).item() == pytest.approx((0.25 + 1) / 6)
    entropies = [-torch.log_softmax(torch.tensor(v), 0)[c] for v, c in
                 (([1.0, 0], 0), ([0.5, 0], 0), ([0.0, 2], 1))]  # fmt: skip
    wanted = sum(entropies) / 3
    assert torch.allclose(class_cross_entropy(state, classes, layout, counts), wanted)
    # Of eight class values three leave [−1, 1], a 2 and two 7s, whoever votes; fixed ones may.
    assert overflow(state, layout).item() == pytest.approx((1 + 6 + 6) / 8)
    with pytest.raises(ValueError, match="no cell counts"):
        class_mse(state, classes, layout, torch.zeros_like(counts))


def test_cells_without_ink_do_not_vote():
    nca = automaton()
    image = torch.zeros(1, 1, 9, 9)
    image[0, 0, 4, 2:6] = 0.5
    image[0, 0, 0, 0] = 0.05  # below the threshold
    state = initial_state(nca, image)
    after = nca.rollout(state, 8, generator=torch.Generator().manual_seed(0))
    counts = voters(nca, after)
    expected = F.max_pool2d(image, 3, 1, 1) > 0.1
    assert torch.equal(counts, expected)
    assert not after[:, 1:][~expected.expand(-1, 7, -1, -1)].any()
    assert after[:, 1:].any()
    assert torch.equal(after[:, :1], image)
    assert voters(automaton(living=None), after).all()


def test_the_fused_step_knows_that_the_input_tells_who_lives():
    nca = automaton().double()
    image = (torch.rand(2, 1, 40, 40) < 0.1).double()
    state = initial_state(nca, image).double()
    fires = [torch.rand(2, 1, 40, 40) < 0.5 for _ in range(60)]
    with torch.no_grad():
        assert torch.allclose(
            nca.rollout(state, 60, fire=lambda t: fires[t]),
            reference_rollout(nca, state, fires),
            atol=1e-9,
        )


def test_augmentation_moves_and_mirrors_whole_images():
    image = torch.arange(1.0, 37).reshape(1, 1, 6, 6).repeat(3, 1, 1, 1)
    moved = shifted(image, torch.tensor([[SHIFT, SHIFT + 1, 0], [SHIFT, SHIFT - 2, SHIFT]]))
    assert torch.equal(moved[0], image[0])
    assert torch.equal(moved[1, 0, :5, 2:], image[1, 0, 1:, :4])
    assert not moved[1, 0, 5].any()
    assert torch.equal(moved[2, 0, 4:], image[2, 0, :2])
    run = ClassificationLearner(automaton(), *coded(), config(augment=True), 0, padding=2)
    state, labels = run.batch().values()
    brightest = (state[:, 0].amax((1, 2)) * 255 / 50).round().long() - 1
    assert torch.equal(brightest, labels)


@pytest.mark.parametrize("augment", [True, False])
def test_augmentation_mirrors_left_to_right_half_of_the_images(augment, monkeypatch):
    """Each alone; upside down no image is shown, and without augmentation none is touched."""
    monkeypatch.setattr(classification, "SHIFT", 0)
    image = torch.arange(35, dtype=torch.uint8).reshape(1, 1, 5, 7)
    images, labels = image.repeat(8, 1, 1, 1), torch.zeros(8, dtype=torch.int64)
    run = ClassificationLearner(automaton(), images, labels, config(augment=augment), 0)
    shown = run.fresh(400)["state"][:, :1] * 255
    same, mirrored = ((shown == x).flatten(1).all(1) for x in (image, image.flip(3)))
    assert (same | mirrored).all()
    assert int(mirrored.sum()) in (range(150, 250) if augment else (0,))


def test_augmentation_shifts_each_image_by_its_own_rows_and_columns():
    """As far as SHIFT in all four directions, and columns know nothing of rows."""
    image = torch.zeros(1, 1, 5, 7, dtype=torch.uint8)
    image[..., 2, 3] = 255  # in the middle, so that a mirror does not move it
    padding = SHIFT + 1
    labels = torch.zeros(4, dtype=torch.int64)
    run = ClassificationLearner(
        automaton(), image.repeat(4, 1, 1, 1), labels, config(augment=True), 0, padding=padding
    )
    places = run.fresh(800)["state"][:, 0].nonzero()[:, 1:] - torch.tensor([2, 3]) - padding
    assert len(places) == 800
    reached = {tuple(place) for place in places.tolist()}
    span = range(-SHIFT, SHIFT + 1)
    assert reached == {(row, column) for row in span for column in span}


@pytest.mark.parametrize("loss", ["mse", "cross-entropy"])
def test_bars_are_told_apart(loss):
    """Lying and standing bars, anywhere: no cell sees a whole one."""
    torch.manual_seed(0)
    images = torch.zeros(200, 1, 10, 10, dtype=torch.uint8)
    labels = torch.arange(200) % 2
    for i, (a, b) in enumerate(torch.randint(0, 5, (200, 2)).tolist()):
        if labels[i]:
            images[i, 0, a : a + 6, b + 2] = 255
        else:
            images[i, 0, b + 2, a : a + 6] = 255
    layout = ChannelLayout(visible=0, hidden=4, fixed=1, classes=2)
    nca = NCA(layout, ConvPerception(7, 16), MLPUpdate(16, 6, [16]))
    changes = {"iterations": 120, "steps": StepsConfig(min=8, max=12), "loss": loss}
    optimizer = OptimizerConfig(kind="soap", learning_rate=0.01)
    run = ClassificationLearner(nca, images, labels, config(optimizer=optimizer, **changes), 0)
    Loop(run).run(progress=False)
    with torch.no_grad():
        state = initial_state(nca, visible_image(images, 0))
        end = nca.rollout(state, 20, generator=torch.Generator().manual_seed(1))
    votes = end[:, layout.class_slice].argmax(1)[voters(nca, end)[:, 0]]
    owners = labels[:, None, None].expand(-1, 10, 10)[voters(nca, end)[:, 0]]
    assert (votes == owners).float().mean() > 0.95


def test_resuming_is_as_never_stopping(tmp_path):
    def trainer(path=None):
        return Loop(ClassificationLearner(automaton(), *coded(), config(), 0, padding=1), path)

    straight = trainer()
    straight.run(progress=False)
    first = trainer(tmp_path / "c.safetensors")
    for _ in range(5):
        first.step()
    first.save()
    second = trainer(tmp_path / "c.safetensors")
    second.resume()
    second.run(progress=False)
    assert second.losses == straight.losses


def test_images_that_do_not_fit():
    images, labels = coded()
    with pytest.raises(ValueError, match=r"expected torch.uint8, \[N, 1, height, width\]"):
        ClassificationLearner(automaton(), images.float(), labels, config(), 0)
    with pytest.raises(ValueError, match=r"\[N, 3, height, width\], the layout's fixed channels"):
        ClassificationLearner(automaton(fixed=3), images, labels, config(), 0)
    with pytest.raises(ValueError, match=r"labels of torch.int64, shape \[39\]"):
        ClassificationLearner(automaton(), images, labels[1:], config(), 0)
    with pytest.raises(ValueError, match="label 3 of image .*; expected 0 to 2"):
        ClassificationLearner(automaton(classes=3), images, labels, config(), 0)
    with pytest.raises(ValueError, match="0 visible channels; only RGBA"):
        NCA(ChannelLayout(visible=0, hidden=3, classes=2), ConvPerception(5, 4), MLPUpdate(4, 5))
