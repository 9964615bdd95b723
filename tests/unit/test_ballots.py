"""How classifiers are measured: votes counted by hand, and automata whose figures are known."""

import math
from dataclasses import replace

import pytest
import torch
from torch import nn

from ncabook.automaton import (
    NCA,
    ChannelLayout,
    ConvPerception,
    MLPUpdate,
    Perception,
    Update,
)
from ncabook.evaluation.classification import (
    Ballot,
    ClassificationProtocol,
    Record,
    ballot,
    evaluate_classification,
    other_class,
)
from ncabook.evaluation.recovery import recovery

SHORT = ClassificationProtocol(short=(2, 4), grown=6, final=14, long=20, long_images=5, batch=4)


class Reader(Perception):
    """Votes for the class that the pixel below says, at once or a step later; nothing learned."""

    def __init__(self):
        super().__init__(5, 5, reach=0)

    def forward(self, state, encoded=None):
        return state


class Vote(Update):
    """Pixels 0, 0.5, 1 are classes 0, 1, 2; votes move by a share of the way at each step."""

    def __init__(self, speed):
        super().__init__(5, 4)
        self.speed = speed

    def forward(self, x):
        wanted = nn.functional.one_hot((2 * x[:, 0]).round().long(), 3).permute(0, 3, 1, 2)
        return torch.cat([x[:, 1:2] * 0, self.speed * (wanted - x[:, 2:])], dim=1)


def reader(speed=1.0):
    return NCA(
        ChannelLayout(visible=0, hidden=1, fixed=1, classes=3),
        Reader(),
        Vote(speed),
        fire_rate=1.0,
        living_threshold=None,
    )


def test_votes_by_hand():
    """Two images of 1×3 cells; the second has one cell that does not live."""
    layout = ChannelLayout(visible=0, hidden=0, fixed=1, classes=2)
    nca = NCA(layout, ConvPerception(3, 4), MLPUpdate(4, 2), living_threshold=None)
    votes = torch.tensor([[[0.9, 0.2, 0.2], [0.1, 0.3, 0.3]], [[0, 0, 5.0], [1, 1, 0]]])
    state = torch.cat([torch.ones(2, 1, 3), votes], dim=1)[:, :, None]
    result = ballot(nca, state)
    assert result.counts.tolist() == [[1, 2], [1, 2]]
    assert result.winner.tolist() == [0, 0]  # by the mean: 1.3 against 0.7, and 5 against 2
    assert result.share_of(torch.tensor([1, 0])).tolist() == pytest.approx([2 / 3, 1 / 3])
    entropy = -(2 / 3 * math.log2(2 / 3) + 1 / 3 * math.log2(1 / 3))
    assert result.entropy.tolist() == pytest.approx([entropy] * 2)
    assert result.agreement.tolist() == pytest.approx([2 / 3] * 2)
    living = NCA(layout, ConvPerception(3, 4), MLPUpdate(4, 2), living_threshold=0.1)
    wide = torch.zeros(1, 3, 1, 9)
    wide[0, :, 0, 4] = torch.tensor([1.0, 0, 1])  # ink in one cell: three can see it
    assert ballot(living, wide).counts.sum() == 3
    assert ballot(living, torch.zeros(1, 3, 1, 9)).share_of(torch.tensor([0])) == 0


def gray(labels):
    """Images that are all of one gray, the class's; black is class 0."""
    shades = torch.tensor([0, 128, 255], dtype=torch.uint8)
    return shades[labels][:, None, None, None].expand(-1, 1, 4, 4).contiguous()


def test_a_record_holds_all_measures_of_all_batches():
    """Two batches, of which only the first goes on to the later step."""
    record = Record((1, 5), 3, torch.device("cpu"))
    split = Ballot(torch.tensor([[3.0, 1.0], [2.0, 2.0]]), torch.tensor([0, 1]))
    agreed = Ballot(torch.tensor([[0.0, 4.0]]), torch.tensor([1]))
    record.add(1, split, torch.tensor([0, 0]))
    record.add(1, agreed, torch.tensor([1]))
    record.add(5, agreed, torch.tensor([0]))
    assert record.values("per_cell", 1).tolist() == [75, 50, 100]
    assert record.values("per_image", 1).tolist() == [100, 0, 100]
    quarter = -(0.75 * math.log2(0.75) + 0.25 * math.log2(0.25))
    assert record.values("entropy_bits", 1).tolist() == pytest.approx([quarter, 1, 0])
    assert record.means(5) == {"per_cell": 0, "per_image": 0, "entropy_bits": 0}
    assert record.means(1, first=2)["per_cell"] == 62.5


def test_an_automaton_that_reads_is_right_and_recovers():
    labels = torch.arange(11) % 3
    metrics = evaluate_classification(reader(), gray(labels), labels, protocol=SHORT)
    for moment in ("short", "grown", "final", "long"):
        assert metrics[moment] == {"per_cell": 100, "per_image": 100, "entropy_bits": 0}
    assert metrics["swapped"]["per_cell"] == 0  # they still think of the other image
    assert metrics["recovery"] == 100
    assert metrics["recovery_interval"] == [100, 100]
    assert (metrics["consensus_step"], metrics["consensus_percent"]) == (1, 100)
    assert len(metrics["curve"]["per_cell"]) == 6


def test_only_the_first_images_go_past_the_early_window():
    """Ten images, of which the last four show what they are not: the late ones are the others."""
    shown, labels = torch.arange(10) % 3, torch.arange(10) % 3
    shown[6:] = (shown[6:] + 1) % 3
    rules = replace(SHORT, late_images=6)
    metrics = evaluate_classification(reader(), gray(shown), labels, protocol=rules)
    assert metrics["short"]["per_image"] == pytest.approx(60)
    assert metrics["grown"]["per_image"] == metrics["long"]["per_image"] == 100
    assert metrics["curve"]["per_image"] == [100] * 6
    assert metrics["consensus_percent"] == 100


def test_one_that_changes_its_mind_slowly():
    """A tenth of the way per step: seven steps until the new class is ahead of the old one."""
    labels = torch.tensor([0, 1, 2, 2])
    late = ClassificationProtocol(short=(1, 1), grown=20, final=25, long=21, long_images=4, batch=3)
    soon = evaluate_classification(reader(0.1), gray(labels), labels, protocol=late)
    assert soon["grown"]["per_cell"] == 100
    assert soon["final"]["per_cell"] == 0
    assert soon["recovery"] == 0
    late = ClassificationProtocol(short=(1, 1), grown=20, final=28, long=21, long_images=4, batch=3)
    assert (
        evaluate_classification(reader(0.1), gray(labels), labels, protocol=late)["recovery"] == 100
    )


class Clock(NCA):
    """Of 20 cells, age · (1 + class) vote rightly, at most all; the others thrice as firmly.

    These are split between the two other classes, so that few right ones lose the election.
    """

    def __init__(self):
        same = reader()
        super().__init__(same.layout, same.perception, same.update, 1.0, None)

    def rollout(self, state, steps, generator=None):
        state = state.clone()
        state[:, 1] += steps
        label = (2 * state[:, :1, :1, 1]).round().long()
        place = torch.arange(20).view(4, 5)
        right = place < state[:, 1] * (1 + label)
        vote = torch.where(right, label, (label + 1 + place % 2) % 3)
        firmly = torch.where(right, 1.0, 3.0)[..., None]
        state[:, 2:] = (nn.functional.one_hot(vote, 3) * firmly).permute(0, 3, 1, 2)
        return state


def test_ballots_at_every_moment_of_the_protocol():
    """All figures of an automaton whose votes are known at each step, worked out here."""
    labels = torch.tensor([0, 1, 2, 2, 0, 1, 2, 2])
    images = torch.tensor([0, 128, 255], dtype=torch.uint8)[labels]
    images = images[:, None, None, None].expand(-1, 1, 4, 5).contiguous()
    rules = ClassificationProtocol(
        short=(2, 4), grown=16, final=18, long=17, long_images=5, batch=3
    )
    metrics = evaluate_classification(Clock(), images, labels, protocol=rules)

    def right(step, label):
        return (step * (1 + label)).clamp(max=20) * 5.0  # percent of 20 cells

    def mean(step, label=labels):
        return float(right(step, label).mean())

    assert metrics["short"]["per_cell"] == pytest.approx(sum(map(mean, (2, 3, 4))) / 3)
    assert metrics["short"]["per_image"] == 0  # at most 12 of 20 against 4 + 4, thrice as firm
    assert metrics["grown"]["per_cell"] == mean(16) == 95
    assert metrics["grown"]["per_image"] == 100
    partner = labels[other_class(labels, torch.Generator().manual_seed(0))]
    assert {0, 1, 2} == {*partner.tolist()}
    swapped = 10.0 * (labels == 0)  # of these 4 cells are wrong, and 2 of them right now
    final = right(18, partner)
    assert metrics["swapped"]["per_cell"] == pytest.approx(float(swapped.mean()))
    assert metrics["final"]["per_cell"] == pytest.approx(float(final.mean()))
    assert metrics["final"]["per_image"] == 100
    assert metrics["recovery"] == pytest.approx(recovery(right(16, labels), swapped, final))
    assert metrics["long"]["per_cell"] == pytest.approx(mean(17, labels[:5]))
    assert metrics["curve"]["per_cell"] == pytest.approx([mean(t) for t in range(1, 17)])
    # 18 of 20 are nine tenths: at step 9 of class 1, 6 of class 2, and never of class 0.
    assert metrics["consensus_step"] == 6
    assert metrics["consensus_percent"] == 75


def test_ballots_at_dead_cells_are_not_counted():
    """Neither as votes nor in the mean that elects."""
    layout = ChannelLayout(visible=0, hidden=0, fixed=1, classes=2)
    nca = NCA(layout, ConvPerception(3, 4), MLPUpdate(4, 2), living_threshold=0.1)
    state = torch.zeros(1, 3, 1, 9)
    state[0, 1] = 1.0  # all are for the first class, but those that see ink for the second
    state[0, :, 0, 3:6] = torch.tensor([[0.0, 1, 0], [0, 0, 0], [1, 1, 1]])
    result = ballot(nca, state)
    assert result.counts.tolist() == [[0, 3]]
    assert result.winner.tolist() == [1]


def test_the_other_image_is_of_another_class():
    labels = torch.tensor([0] * 90 + [1] * 5 + [2] * 5)
    partner = other_class(labels, torch.Generator().manual_seed(0))
    assert (labels[partner] != labels).all()
    assert len(partner[:90].unique()) > 5


def test_what_cannot_be_measured():
    with pytest.raises(ValueError, match="late_images is 0; expected a whole number ≥ 1"):
        replace(SHORT, late_images=0)
    with pytest.raises(ValueError, match="all images are of one class"):
        evaluate_classification(
            reader(), gray(torch.zeros(4, dtype=torch.int64)), torch.zeros(4).long()
        )
    with pytest.raises(ValueError, match="label 3 of image 0; expected 0 to 2"):
        evaluate_classification(reader(), gray(torch.tensor([1, 2])), torch.tensor([3, 0]))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"short": (4, 2)}, "expected 1 ≤ first ≤ last < grown"),
        ({"short": (0, 2)}, "expected 1 ≤ first ≤ last < grown"),
        ({"final": 100}, "grown before final and long"),
        ({"precision": "half"}, "precision is 'half'; expected float32 or bfloat16"),
    ],
)
def test_a_protocol_that_cannot_be_followed(change, message):
    with pytest.raises(ValueError, match=message):
        ClassificationProtocol(**change)


def test_a_frame_is_not_cut_off():
    with pytest.raises(ValueError, match="padding is -1"):
        evaluate_classification(
            reader(), gray(torch.tensor([1, 2])), torch.tensor([1, 2]), -1, SHORT
        )
