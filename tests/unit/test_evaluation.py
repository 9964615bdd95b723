"""Recovery, protocol and perceptual distance."""

import math
from dataclasses import fields

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image
from torch import nn

from ncabook.automaton import ChannelLayout
from ncabook.evaluation import growth
from ncabook.evaluation.growth import GrowthProtocol, evaluate
from ncabook.evaluation.harm import circle_masks, damage_masks, mutated_classes
from ncabook.evaluation.outcome import Measurement
from ncabook.evaluation.perceptual import lpips_distance
from ncabook.evaluation.recovery import bootstrap, bootstrap_interval, recovery
from ncabook.tasks.growth import picture_report
from tests.conftest import DATA, needs_data

SHORT = GrowthProtocol(
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


def test_an_automaton_of_one_class_is_measured_without_mutation(make_nca):
    targets = torch.rand(1, 4, 8, 8, generator=torch.Generator().manual_seed(1))
    found = evaluate(make_nca(), targets, SHORT).summary()
    assert "lpips" not in found  # eight pixels are too small for AlexNet
    assert set(found["curves"]) == {"every", "half", "circles"}
    for part in (found["mse"], found["mse"]["median"], found["ring"]["mse"]):
        assert not [name for name in part if name.startswith("mutat")]
    assert found["rollouts"]["all"] == SHORT.seeds
    told = picture_report(found)
    assert told["mse.damage_recovery"].value == found["mse"]["damage_recovery"]
    assert told["mse.mutation_recovery"].value is None
    assert "mutation" not in " ".join(measured.row for measured in told)


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


class Diary(nn.Module):
    """Cells know how old they are and what they were told, and show ``age / 1000 + class``.

    So the error against a picture that is ``class`` everywhere tells the step of each look. What
    was asked of it stands in ``entries``: age, steps, share of cells that fired, side, and which
    corners had been erased.
    """

    fire_rate, living_threshold = 0.5, 0.1
    layout = ChannelLayout(visible=4, hidden=1)

    def __init__(self):
        super().__init__()
        self.entries, self.coins = [], []

    def living(self, state):  # the left half, whatever is there
        columns = torch.arange(state.shape[3]) < state.shape[3] // 2
        return columns.expand(len(state), 1, state.shape[2], -1)

    def living_cells(self, state):
        return state[:, 3:4] == 1

    def rollout(self, state, steps, condition, fire=None, generator=None, ring=False):
        own = state[:, 4].flatten(1)  # zero where erased; noise is in half of the cells only
        age = torch.where(own == 0, math.nan, own).nanmedian(1).values.nan_to_num().round()
        share = math.nan
        if fire is not None:
            coins = [fire(t) for t in range(steps)]
            share = float(torch.stack(coins).float().mean())
            corners = tuple((state[0, 4, [0, 0, -1, -1], [0, -1, 0, -1]] == 0).tolist())
            self.entries.append((int(age[0]), steps, share, state.shape[2], corners))
            self.coins += coins if int(age[0]) == 0 else []
        later = (age + steps)[:, None, None, None].expand(-1, 1, *state.shape[2:])
        shown = later / 1000 + condition.argmax(1)[:, None, None, None]
        return torch.cat([shown.expand(-1, 4, -1, -1), later], dim=1)


def test_every_look_of_the_protocol_is_at_its_step():
    """All figures of an automaton whose errors are known at each step, worked out here."""
    side, rules = 12, SHORT
    diary = Diary()
    pictures = torch.arange(3.0)[:, None, None, None].expand(-1, 4, side, side)
    result = evaluate(diary, pictures, rules, perceptual=False)
    classes = torch.arange(3).repeat_interleave(2).float()
    others = torch.tensor([1.0, 2, 2, 0, 0, 1])

    def at(step):
        return torch.full((6,), (step / 1000) ** 2)

    shown = rules.perturb / 1000 + classes
    kept = {"half": 0.5, "circles": float(circle_masks(1, side, side).mean())}
    expected = {
        "stage1": torch.stack([at(t) for t in range(3, 6)]).mean(0),
        "grown": at(rules.grown),
        "stage2": at(rules.perturb),
        "long": at(rules.long),
        "mutated": (shown - others) ** 2,
        "mutation_final": at(rules.final),
    }
    for name, share in kept.items():
        expected[name] = share * (rules.perturb / 1000) ** 2 + (1 - share) * classes**2
        expected[f"{name}_final"] = at(rules.final)
    for measured in (result.metrics["mse"], result.ring["mse"]):
        for name, value in expected.items():
            torch.testing.assert_close(vars(measured)[name], value, atol=1e-6, rtol=1e-5)
    measured = result.metrics["mse"]
    assert torch.equal(measured.damaged, torch.cat([measured.half, measured.circles]))
    assert torch.equal(
        measured.damage_final, torch.cat([measured.half_final, measured.circles_final])
    )
    levels = torch.tensor([0.25, 0.5, 0.75])
    ages = (rules.perturb + 10, rules.final)
    for name, first in (("half", expected["half"]), ("mutation", expected["mutated"])):
        wanted = torch.stack([first, *map(at, ages)], 1).quantile(levels, dim=0)
        torch.testing.assert_close(result.curves[name], wanted, atol=1e-6, rtol=1e-5)
    assert result.starts["each"] == rules.starts

    some, further = classes[::2], result.further
    rows = {
        "stage2": rules.perturb,
        "far": rules.far,
        "repeated": rules.perturb + rules.damages * rules.between,
        "slower": 2 * rules.perturb,
        "faster": round(rules.perturb / 2),
        "noise_final": rules.final,
        "erased_final": rules.final,
    }
    for name, step in rows.items():
        torch.testing.assert_close(vars(further)[name], at(step)[:3], atol=1e-6, rtol=1e-5)
    border = ((side + 4) ** 2 - side**2) / side**2  # cells where nothing was to be, of a picture's
    wanted = at(rules.perturb)[:3] + border * (rules.perturb / 1000 + some) ** 2
    torch.testing.assert_close(further.larger, wanted)
    noise = rules.noise**2 * 0.5 * torch.ones(3)  # in the half that lives
    torch.testing.assert_close(further.noise, noise, atol=0, rtol=0.3)
    gone = (further.erased - at(rules.perturb)[:3])[1:] / some[1:] ** 2
    torch.testing.assert_close(gone, torch.full((2,), rules.erased), atol=0.12, rtol=0)
    summary = further.summary()
    assert summary["noise_recovery"] == pytest.approx(
        recovery(further.stage2, further.noise, further.noise_final)
    )
    assert summary["median"]["larger"] == pytest.approx(float(further.larger.median()))
    assert summary["larger"] == pytest.approx(float(further.larger.mean()))


def test_lpips_is_taken_of_pictures_on_white(monkeypatch):
    """A diary's colours equal its alpha: on white, all its pictures are white, as the targets."""
    seen = []

    def distance(image, target):
        seen.append(image.shape[1])
        return (image - target).abs().mean((1, 2, 3))

    monkeypatch.setattr(growth, "lpips_distance", distance)
    monkeypatch.setattr(growth, "LEAST", 12)
    pictures = torch.arange(2.0)[:, None, None, None].expand(-1, 4, 12, 12)
    measured = evaluate(Diary(), pictures, SHORT, further=False).metrics["lpips"]
    assert set(seen) == {3}
    for values in vars(measured).values():
        torch.testing.assert_close(values, torch.zeros(4), atol=1e-6, rtol=0)


def test_every_rollout_of_the_protocol_fires_and_is_harmed_as_it_says():
    side, rules = 12, SHORT
    diary = Diary()
    pictures = torch.arange(3.0)[:, None, None, None].expand(-1, 4, side, side)
    evaluate(diary, pictures, rules, perceptual=False)
    other = [entry for entry in diary.entries if entry[0] == 0 and entry[1] > rules.stage1[0]]
    assert [(steps, size) for _, steps, _, size, _ in other] == [
        (rules.perturb, side + 4),
        (2 * rules.perturb, side),
        (round(rules.perturb / 2), side),
    ]
    shares = [share for _, _, share, _, _ in other]
    assert shares == pytest.approx([0.5, 0.25, 1.0], abs=0.05)
    right, lower = (False, True, False, True), (False, False, True, True)
    hurt = [e[4] for e in diary.entries if e[0] > 0 and e[1] == rules.between and any(e[4])]
    assert hurt == [right, lower]  # another side each time
    first = rules.stage1[0]
    plain, ring = diary.coins[:first], diary.coins[-first:]
    middle = (..., slice(side // 2 - 1, side // 2 + 2), slice(side // 2 - 1, side // 2 + 2))
    assert torch.equal(torch.stack(plain[1:]), torch.stack(ring[1:]))  # the same coins later
    assert ring[0][middle].float().sum((1, 2, 3)).tolist() == [8.0] * 6
    assert not ring[0][:, 0, side // 2, side // 2].any()


def test_three_circles_a_third_of_a_turn_apart_and_turned_by_thirty_degrees():
    """Against discs drawn here, on a grid that is not square."""
    height, width = 45, 60
    rows, columns = torch.meshgrid(torch.arange(45.0), torch.arange(60.0), indexing="ij")
    for number, mask in enumerate(circle_masks(4, height, width)[:, 0]):
        expected = torch.ones(height, width)
        for disc in range(3):
            turn = math.radians(30 * number + 120 * disc)
            row, column = 22 + 7.5 * math.sin(turn), 29.5 + 7.5 * math.cos(turn)
            expected[(rows - row) ** 2 + (columns - column) ** 2 <= 4.5**2] = 0
        assert float((mask - expected).abs().sum()) <= 3  # cells on the very edge


def test_damage_is_both_damages_and_recovers_towards_step_149():
    """Each of ten values is another one, so that none can stand in another's place."""
    values = torch.rand(len(fields(Measurement)), 3, generator=torch.Generator().manual_seed(0))
    m = Measurement(*values)
    summary = m.summary()
    two = m.stage2.repeat(2)
    both = torch.cat([m.half, m.circles]), torch.cat([m.half_final, m.circles_final])
    assert summary["damage_recovery"] == pytest.approx(recovery(two, *both))
    assert summary["half_recovery"] == pytest.approx(recovery(m.stage2, m.half, m.half_final))
    mutation = recovery(m.stage2, m.mutated, m.mutation_final)
    assert summary["mutation_recovery"] == pytest.approx(mutation)
