"""Recovery, protocol and perceptual distance."""

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image
from torch import nn

from ncabook.automaton import ChannelLayout
from ncabook.evaluation.perceptual import lpips_distance
from ncabook.evaluation.protocol import (
    Protocol,
    circle_masks,
    damage_masks,
    evaluate,
    mutated_classes,
)
from ncabook.evaluation.recovery import bootstrap, bootstrap_interval, recovery
from tests.conftest import DATA, needs_data

SHORT = Protocol(
    seeds=2,
    starts=3,
    stage1=(3, 5),
    grown=5,
    perturb=7,
    final=20,
    long=22,
    further_seeds=1,
    far=25,
    damages=2,
    between=3,
)


def test_recovery_is_equation_3():
    t = torch.tensor
    assert recovery(t([0.1]), t([0.5]), t([0.1])) == pytest.approx(100)
    assert recovery(t([0.1]), t([0.5]), t([0.5])) == pytest.approx(0)
    assert recovery(t([0.1]), t([0.5]), t([0.9])) == pytest.approx(-100)
    # Of the means, not the mean of the ratios: 100 · (2 − 4) / (1 − 4).
    assert recovery(t([0.5, 1.5]), t([2.0, 6.0]), t([1.0, 3.0])) == pytest.approx(200 / 3)


def test_recovery_without_harm_is_not_a_number():
    """A dead automaton has nothing to lose; measuring it must not fail after all rollouts."""
    same = torch.tensor([0.3, 0.3])
    assert math.isnan(recovery(same, same, same))
    assert all(math.isnan(v) for v in bootstrap_interval(same, same, same))


def test_bootstrap_interval_covers_the_value_and_shrinks_with_rollouts():
    generator = torch.Generator().manual_seed(0)

    def sample(n):
        noise = 0.05 * torch.rand(3, n, generator=generator)
        return 0.01 + noise[0], 0.5 + noise[1], 0.1 + noise[2]

    widths = []
    for n in (10, 1000):
        values = sample(n)
        low, high = bootstrap_interval(*values)
        assert low <= recovery(*values) <= high
        widths.append(high - low)
    assert widths[1] < 0.3 * widths[0]


@pytest.mark.parametrize(("level", "deviations"), [(None, 1.960), (0.9, 1.645), (0.5, 0.674)])
def test_an_interval_is_as_wide_as_its_level_says(level, deviations):
    """Of a mean, where theory knows it; left alone it is that of 95 %, as every table says."""
    count = 1000
    sample = torch.randn(count, generator=torch.Generator().manual_seed(3))
    named = {} if level is None else {"level": level}
    ends = bootstrap(lambda x: float(x.mean()), sample, draws=4000, **named)
    half = deviations * float(sample.std()) / count**0.5
    middle = float(sample.mean())
    assert ends == pytest.approx((middle - half, middle + half), abs=0.08 * half)
    # Recovery from 0 to that mean, of a harm of 100 %, is the mean in percent: the same interval.
    zero, one = torch.zeros(count), torch.ones(count)
    percent = bootstrap_interval(one, zero, sample, draws=4000, **named)
    assert percent == pytest.approx(tuple(100 * end for end in ends), rel=1e-4)


def test_what_belongs_together_is_drawn_together():
    """Else the spread between rollouts would count although each is compared with itself."""
    before = torch.rand(50, generator=torch.Generator().manual_seed(1))
    ends = bootstrap(lambda a, b: float((b - a).mean()), before, before + 0.25)
    assert ends == pytest.approx((0.25, 0.25))


def test_draws_without_harm_are_left_out():
    """One rollout of two was harmed: a quarter of the draws miss it and say nothing."""
    before, damaged = torch.tensor([0.0, 0.0]), torch.tensor([1.0, 0.0])
    assert bootstrap_interval(before, damaged, torch.tensor([0.5, 0.0])) == (50, 50)


def test_protocol_masks_are_fixed_halves_and_mutations_reach_every_pair():
    masks = damage_masks(20, 48, 48)
    assert bool((masks.mean((1, 2, 3)) == 0.5).all())
    assert float(masks[0, 0, 0, -1]) == 0  # the right half first
    assert float(masks[0, 0, 0, 0]) == 1
    for mask, side in zip(masks[1:4, 0], ((-1, 0), (0, 0), (0, -1)), strict=True):
        assert float(mask[side]) == 0  # then the lower, the left and the upper one
        assert float(mask[47 - side[0] % 48, 47 - side[1] % 48]) == 1
    circles = circle_masks(20, 48, 48)
    area = 3 * math.pi * 4.8**2
    assert torch.allclose((1 - circles).sum((1, 2, 3)), torch.tensor(area), rtol=0.06)
    assert float(circles[:, :, 24, 24].min()) == 1  # the middle stays
    assert torch.equal(circles[0], circles[4])
    assert not torch.equal(circles[0], circles[1])
    rollouts, classes = torch.arange(20).repeat(5), torch.arange(5).repeat_interleave(20)
    others = mutated_classes(classes, rollouts, 5)
    pairs = {(a, b) for a, b in zip(classes.tolist(), others.tolist(), strict=True)}
    assert len(pairs) == 20
    assert all(a != b for a, b in pairs)


def test_evaluation_is_deterministic_and_complete(make_nca):
    nca = make_nca(condition=2)
    targets = torch.rand(2, 4, 8, 8, generator=torch.Generator().manual_seed(1))
    first, second = (evaluate(nca, targets, SHORT, perceptual=False) for _ in range(2))
    assert first.summary() == second.summary()
    measured = first.metrics["mse"]
    assert all(len(v) == 4 for v in vars(measured).values())
    assert all(len(v) == 2 for v in vars(first.further).values())
    assert set(first.curves) == {"half", "circles", "mutation"}
    assert all(c.shape == (3, 3) for c in first.curves.values())  # quartiles at 0, 10 and 13
    assert float(first.curves["half"][1, 0]) == pytest.approx(float(measured.half.median()), rel=1)
    core = evaluate(nca, targets, SHORT, perceptual=False, further=False)
    assert core.metrics["mse"].summary() == measured.summary()
    assert core.further is None
    with pytest.raises(ValueError, match="at least 2; there is 1"):
        evaluate(nca, targets[:1], SHORT)


class Painted(nn.Module):
    """Whatever it is given, every cell at once becomes what stands in the picture."""

    def __init__(self, picture):
        super().__init__()
        self.picture = picture
        self.fire_rate, self.living_threshold = 0.5, None
        self.layout = ChannelLayout(visible=4, hidden=0)

    def rollout(self, state, steps, condition, fire):
        for t in range(steps):
            assert len(fire(t)) == len(state)
        height, width = state.shape[2:]
        up, left = (height - self.picture.shape[1]) // 2, (width - self.picture.shape[2]) // 2
        padded = F.pad(self.picture, (left, left, up, up))
        return padded.expand(len(state), -1, -1, -1).clone() if steps else state


def test_an_automaton_that_always_paints_its_picture_recovers_wholly():
    """Hand-worked: what is right at every stage, whatever happened, has errors of zero."""
    picture = torch.rand(4, 12, 12, generator=torch.Generator().manual_seed(2))
    targets = torch.stack([picture, torch.zeros_like(picture)])
    result = evaluate(Painted(picture), targets, SHORT, perceptual=False)
    right = [vars(result.metrics["mse"])[name][:2] for name in ("stage1", "stage2", "half_final")]
    assert all(float(v.abs().max()) == 0 for v in right)
    half = picture * damage_masks(2, 12, 12)
    assert torch.allclose(
        result.metrics["mse"].half[:2], (half - picture).square().mean((1, 2, 3)), atol=1e-7
    )
    summary = result.further.summary()
    wrong = float(picture.square().mean()) / 2  # the second class should have been empty
    for name in ("far", "repeated", "larger", "slower", "faster", "noise_final", "erased_final"):
        assert summary[name] == pytest.approx(wrong)
    assert float(result.further.noise[0]) == pytest.approx(0.09, rel=0.2)


@needs_data
@pytest.mark.parametrize(("name", "published"), [("ex_p0.png", 0.722), ("ex_p1.png", 0.138)])
def test_lpips_equals_the_published_example(name, published):
    """Zhang et al.'s own two example pairs: weights, scaling and heads are the right ones."""

    def read(file):
        path = f"{DATA}/weights/lpips_example_images/{file}"
        pixels = np.asarray(Image.open(path).convert("RGB"))
        return torch.tensor(pixels).permute(2, 0, 1)[None] / 255

    assert float(lpips_distance(read("ex_ref.png"), read(name))) == pytest.approx(
        published, abs=6e-4
    )


def test_lpips_refuses_wrong_ranges_and_shapes():
    image = torch.rand(1, 3, 48, 48)
    with pytest.raises(ValueError, match=r"values in \[-1.*expected RGB in \[0, 1\]"):
        lpips_distance(image * 2 - 1 - image.min() * 2, image)
    with pytest.raises(ValueError, match=r"expected two \[N, 3, H, W\]"):
        lpips_distance(image[:, :1], image)
