"""How films are measured: errors by hand, baselines, counting, erasing, the judge, the report."""

import json

import numpy as np
import pytest
import torch

from ncabook import zoo
from ncabook.data.labelled import rendered_digits
from ncabook.data.moving import Rules, fixed_films, make_films
from ncabook.evaluation.film_judge import digits_in, named
from ncabook.evaluation.films import baselines, foretold, frame_errors, squared, summary
from ncabook.evaluation.physics import PhysicsProtocol, evaluate_physics, unlike
from ncabook.evaluation.similarity import ssim
from ncabook.evaluation.video import VideoProtocol, evaluate_video
from ncabook.experiments import runner
from ncabook.tasks import Look, classification, experiment_from, film_data, task_of
from ncabook.training.watching import Watcher
from tests.unit.test_video import content, few, recurrent, watcher  # noqa: F401

SMALL = Rules(side=32, digit=14, slowest=1.8, fastest=1.8, frames=8)
SHORT = PhysicsProtocol(films=4, judged=3, long=12, shown=3, erased=5, healed=2, batch=3)


class Copies(Watcher):
    """Tells the newest frame again."""

    def __init__(self, frames=2):
        super().__init__(frames)

    def start(self, count, height, width, walls=None, device="cpu"):
        return torch.zeros(count, 1, height, width)

    def look(self, state, seen, alone, generator=None):
        return state, seen[:, :1]


class Remembers(Copies):
    """Tells what it saw at first for ever, whatever it sees later."""

    def look(self, state, seen, alone, generator=None):
        state = torch.where(state.any(), state, seen[:, :1])
        return state, state


def films(count=4, rules=SMALL):
    return make_films(rendered_digits(40, 0), count, torch.Generator().manual_seed(0), rules)


def test_ssim_is_that_of_scikit_image():
    """By its definition, window by window, with sample covariances."""
    rng = np.random.default_rng(0)
    a, b = rng.random((2, 12, 11))
    found = []
    for y in range(6):
        for x in range(5):
            p, q = (z[y : y + 7, x : x + 7].ravel() for z in (a, b))
            (va, ab), (_, vb) = np.cov(p, q)
            c1, c2 = 0.01**2, 0.03**2
            top = (2 * p.mean() * q.mean() + c1) * (2 * ab + c2)
            found.append(top / ((p.mean() ** 2 + q.mean() ** 2 + c1) * (va + vb + c2)))
    pair = (torch.tensor(z)[None, None] for z in (a, b))
    a, b = pair
    assert ssim(a, b).item() == pytest.approx(np.mean(found), abs=1e-6)
    assert ssim(a, a).item() == pytest.approx(1)
    assert ssim(a, b, 2.0) > ssim(a, b)
    with pytest.raises(ValueError, match="expected two"):
        ssim(a, b[..., :6])


def test_who_copies_tells_the_frame_before_and_then_the_last_one_shown():
    made = films()
    true = made.pictures.float() / 255
    told = foretold(Copies(), made, 3, 8, batch=3)
    assert torch.equal(told[:, 0], true[:, 0])
    assert torch.equal(told[:, 1:4], true[:, :3])
    assert torch.equal(told[:, 4:], true[:, 2:3].expand(-1, 4, -1, -1))
    longer = foretold(Copies(), made, 8, 12)
    assert torch.equal(longer[:, 9:], true[:, 7:].expand(-1, 3, -1, -1))
    with pytest.raises(ValueError, match="9 frames to be shown of films of 8"):
        foretold(Copies(), made, 9, 12)


def test_a_window_tells_all_its_new_frames():
    """Two at a time, from the first whole window on; the last one is cut off where it ends."""
    cells = watcher(state="window", frames=3, shift=2, patch=2)
    told = foretold(cells, films(), 4, 8)
    true = films().pictures.float() / 255
    assert torch.equal(told[:, :3], true[:, :3])
    assert told.shape == true.shape
    assert (told[:, 3:] - true[:, 3:]).flatten(2).abs().amax(2).min() > 0


def test_errors_are_sums_over_pixels_and_means_over_films():
    made = films()
    true = made.pictures.float() / 255
    guesses = baselines(made, 3)
    assert set(guesses) == {"black", "mean", "copy-last", "straight-on"}
    errors = frame_errors(guesses["black"], true[:, 3:])
    assert errors["mse"].shape == (4, 5)
    assert errors["mse"][1, 2].item() == pytest.approx((true[1, 5] ** 2).sum().item(), rel=1e-5)
    assert errors["mae"][1, 2].item() == pytest.approx(true[1, 5].sum().item(), rel=1e-5)
    assert torch.equal(guesses["mean"][:, 4], true[:, :3].mean(1))
    said = summary(errors, each=True)
    assert said["mse"] == pytest.approx(squared(0 * true[:, 3:], true[:, 3:]).mean().item())
    low, high = said["mse_interval"]
    assert low < said["mse"] < high
    assert len(said["mse_each"]) == len(said["mse_each_interval"]) == 5


def test_counting_what_was_seen_hides_the_error():
    """Of a window of three, two frames were seen: the new one's error is three times as large."""
    found = evaluate_video(Copies(), films(), VideoProtocol(shown=3), lpips=False)
    counted = found["counting"]
    for name in ("told", "last again"):
        assert counted[name]["new"] == pytest.approx(3 * counted[name]["window"], rel=1e-5)
    assert counted["told"] == counted["last again"]
    assert counted["unchanged"]["window"] > 2 * counted["last again"]["window"]
    copied = found["next_baselines"]["copy-last"]["mse"]
    assert found["next"]["mse"] == pytest.approx(copied)
    assert found["free"]["mse"] == pytest.approx(found["free_baselines"]["copy-last"]["mse"])
    assert "lpips" not in found["free"]
    json.dumps(found)


def test_inside_a_frame_every_step_is_looked_at():
    """At the trained number of steps stands the error of the next frame."""
    cells = watcher(state="fresh")
    found = evaluate_video(cells, films(), VideoProtocol(shown=3), lpips=False)
    inside = found["inside"]
    assert inside["steps"] == [0, 1, 2, 3, 4]
    assert inside["trained"] == 2
    true = films().pictures.float() / 255
    told = foretold(cells, films(), 3, 8)
    by_hand = squared(told[:, [3]], true[:, [3]]), squared(true[:, [2]], true[:, [3]])
    assert inside["mse"][2] == pytest.approx(by_hand[0].mean().item(), rel=1e-3)
    assert inside["mse"][0] == pytest.approx(by_hand[1].mean().item(), rel=1e-4)


def test_what_is_erased_comes_back_or_not():
    """Who copies what it sees recovers nothing; who does not look loses nothing."""
    source = rendered_digits(40, 0)
    lost = evaluate_physics(Copies(), source, SMALL, protocol=SHORT)["erased"]
    assert lost["picture"]["percent"] == pytest.approx(0, abs=1e-4)
    assert "cells" not in lost
    kept = evaluate_physics(Remembers(), source, SMALL, protocol=SHORT)["erased"]
    assert kept["picture"]["percent"] == pytest.approx(100)
    with pytest.raises(ValueError, match="expected each after the one before"):
        PhysicsProtocol(erased=10)


def test_unlike_films_differ_in_one_thing():
    others = unlike(Rules(), 4)
    assert others["trained"] == Rules()
    assert others["larger"].side == 96
    assert others["faster"].fastest == 7.2
    assert unlike(Rules(directions="diagonal"), 4)["straight"] == Rules(directions="straight")
    assert {rules.digits for rules in others.values()} == {1, 2, 3}
    cells = watcher()
    found = evaluate_physics(cells, rendered_digits(40, 0), SMALL, protocol=SHORT)
    assert found["unlike"].keys() == others.keys()
    assert found["unlike"]["larger"]["side"] == 48
    assert found["long"]["frames"] == [3, 6, 8, 9, 11]
    assert {"overlapping", "apart", "share"} == found["meeting"].keys()
    assert len(found["erased"]["cells"]["difference"]) == 3
    json.dumps(found)


def test_a_judge_finds_two_digits_that_lie_apart():
    """And names them, wherever they are; a digit that is there twice is to be found twice."""
    source = rendered_digits(30, 0)
    known = source.images.float() / 255
    ink = known.sum((1, 2, 3))

    def answers(seen):  # how much ink there is tells these digits apart
        return source.labels[(seen.sum((1, 2, 3))[:, None] - ink).abs().argmin(1)]

    pictures = torch.zeros(20, 64, 64)
    labels = torch.stack([source.labels[:20], source.labels[5:25]], 1)
    for i in range(20):
        y = (7 * i) % 36
        pictures[i, y : y + 28, 0:28] = known[i, 0]
        pictures[i, 35 - y : 63 - y, 36:64] = known[i + 5, 0]
    found = digits_in(pictures, 2, answers)
    assert named(found, labels).mean() > 90
    assert named(torch.tensor([[3, 3], [3, 4], [1, 2]]), torch.tensor([[3, 3]] * 3)).tolist() == [
        100,
        50,
        0,
    ]


@pytest.mark.parametrize("kind", [content(), recurrent()])
def test_a_card_is_measured_and_told(kind, tmp_path, monkeypatch):
    """From training to the report, with a judge, physics, and LPIPS left out."""
    monkeypatch.setattr(film_data, "OTHERS", 6)
    experiment = experiment_from(kind, "here")
    folder = tmp_path / "run"
    runner.train(experiment, folder, progress=False, tracker="none")
    look = Look(seeds=4, lpips=False)
    metrics = runner.evaluate_model(str(folder), look, save=True)
    assert metrics["films"] == 4
    report = task_of(experiment).report(metrics)
    text = report.text()
    assert "the next frame, copy-last" in text
    assert "typefaces" in text
    assert report["free.mse"].value == metrics["free"]["mse"]
    for key in task_of(experiment).headline:
        if "lpips" not in key and not (key.startswith("erased.cells") and "inside" not in metrics):
            assert report[key].value is not None
    assert zoo.read_card(folder).metrics == json.loads(json.dumps(metrics))
    with pytest.raises(TypeError, match="judges: none given; expected digits-judge"):
        task_of(experiment).measure(experiment, zoo.load(str(folder)).network, look, "cpu")


def test_the_fixed_films_are_for_the_published_rules_only(monkeypatch):
    """Whoever learns from other films is measured by films of that kind."""
    asked = []
    monkeypatch.setattr(film_data, "fixed_films", lambda: asked.append(1) or films())
    data = film_data.FilmData(name="moving-mnist")
    assert len(data.test_films(2)) == 2
    assert len(film_data.FilmData(name="moving-mnist", frames=60).test_films(2)) == 2
    assert len(asked) == 2
    other = film_data.FilmData(name="rendered-digits", walls=True).test_films(3)
    assert other.walls is not None
    assert other.pictures.shape == (3, 20, 64, 64)
    assert classification.RENDERED["test"] == (40, 1)
    assert fixed_films is not film_data.fixed_films
