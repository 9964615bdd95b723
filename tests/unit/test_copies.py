"""Lossy copies beside exact images: paired by class, met by the same coins, and in every card."""

from dataclasses import replace

import pytest
import torch

from ncabook import zoo
from ncabook.data import Labelled, cifar10
from ncabook.evaluation.classification import PROTOCOLS
from ncabook.evaluation.copies import compare_copies, copies_of
from tests.conftest import needs_data
from tests.unit.test_ballots import SHORT, gray, reader

NAMES = ("black", "gray", "white")
LABELS = torch.tensor([0, 2, 1, 1, 0, 2])
EXACT = Labelled(gray(LABELS), LABELS, NAMES)


def lossy(labels, shown):
    return Labelled(gray(torch.tensor(shown)), torch.tensor(labels), NAMES, "copies")


def test_each_exact_image_gets_its_own_copy():
    """In another order, and with more of them: the k-th of a class is the k-th of that class."""
    labels = torch.tensor([0, 1, 2, 0, 1, 2, 0, 1, 2])
    images = torch.arange(9, dtype=torch.uint8).view(9, 1, 1, 1)
    found = copies_of(EXACT, Labelled(images, labels, NAMES, "copies"))
    assert found.images.flatten().tolist() == [0, 2, 1, 4, 3, 5]
    assert torch.equal(found.labels, LABELS)
    with pytest.raises(ValueError, match="1 copies of class black; expected at least 2"):
        copies_of(EXACT, lossy([0, 1, 1, 2, 2], [0, 1, 1, 2, 2]))


def test_the_bias_is_that_of_the_copy():
    """Two of six copies show another class: 33 points low, and the interval is around it."""
    result = compare_copies(
        reader(), EXACT, lossy([0, 0, 1, 1, 2, 2], [0, 1, 1, 1, 2, 0]), 0, SHORT
    )
    assert result["images"] == 6
    for moment in ("short", "grown"):
        for measure in ("per_cell", "per_image"):
            found = result[moment][measure]
            assert (found["exact"], found["copy"]) == pytest.approx((100, 200 / 3))
            assert found["bias"] == pytest.approx(-100 / 3)
            low, high = found["interval"]
            assert -100 <= low < -100 / 3 < high <= 0


def test_both_copies_meet_the_same_coins_at_the_protocols_moments(monkeypatch):
    """Cells that fire now and then, on images that are alike: no bias at all, in any batch."""
    nca, steps = reader(0.3), []
    nca.fire_rate = 0.3
    original = nca.rollout
    monkeypatch.setattr(nca, "rollout", lambda s, n, **k: steps.append(n) or original(s, n, **k))
    result = compare_copies(nca, EXACT, lossy([0, 0, 1, 1, 2, 2], [0, 0, 1, 1, 2, 2]), 0, SHORT)
    assert steps == [2, 1, 1, 2] * 4  # two copies, two batches; steps 2, 3, 4 and 6
    assert 0 < result["short"]["per_cell"]["exact"] < 100
    for moment in ("short", "grown"):
        assert result[moment]["per_cell"]["bias"] == 0
        assert result[moment]["per_cell"]["interval"] == [0, 0]
    other = compare_copies(nca, EXACT, EXACT, 0, replace(SHORT, short=(1, 1)), seed=1)
    assert other["short"]["per_cell"]["exact"] < result["short"]["per_cell"]["exact"]


@needs_data
def test_the_paired_files_of_cifar10_are_of_one_image():
    """Much closer to each other than to the next of its class."""
    exact, files = cifar10("test", lossless=True), cifar10("test")
    if not files.note:
        pytest.skip("the original archive is here: nothing is lossy")
    assert files.labels[:1000].bincount().tolist() == [100] * 10  # parts of it stand for the whole
    own = copies_of(exact, files).images.float()
    next_one = own.roll(-1, 0)
    images = exact.images.float()
    error = (images - own).square().mean((1, 2, 3))
    assert error.max() < 400
    assert (error < (images - next_one).square().mean((1, 2, 3))).all()


@pytest.mark.parametrize("name", [name for name in zoo.names() if name.startswith("cifar")])
def test_cards_say_what_the_copies_cost(name):
    """Each automaton measured on JPEG files has the same images without loss beside them."""
    card = zoo.read_card(zoo.find(name))
    if not card.metrics["data"]["note"]:
        return
    found = card.metrics["lossless"]
    assert found["images"] == PROTOCOLS["cifar10"].late_images
    for moment in ("short", "grown"):
        for values in found[moment].values():
            low, high = values["interval"]
            assert low <= values["bias"] <= high
            assert values["copy"] - values["exact"] == pytest.approx(values["bias"], abs=1e-3)
    measured = found.get("evaluation") or card.evaluation
    assert measured["commit"]
    assert "dirty" not in measured["commit"]
