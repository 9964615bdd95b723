"""Digits from coloured seeds: seeds, targets, the four losses, resume, guidance, the protocol."""

from types import SimpleNamespace

import pytest
import torch

from ncabook.automaton import NCA, ChannelLayout, ConvPerception, MLPUpdate
from ncabook.automaton.guidance import guided_rollout
from ncabook.data.colors import class_colors
from ncabook.data.labelled import rendered_digits
from ncabook.evaluation.digits import DigitsProtocol, Judge, by_votes, evaluate_digits
from ncabook.experiments import find, results, runner
from ncabook.networks import SmallCNN
from ncabook.reading import ConfigError
from ncabook.tasks import classification, experiment_from, task_of
from ncabook.training.digits import coloured_seed, ink_in_color, ink_of
from ncabook.training.judge import blurred, turned

LAYOUT = ChannelLayout(visible=4, hidden=4)
TINY = DigitsProtocol(seeds=3, late_seeds=2, grown=4, damage=6, late=9, pairs=8, copies=2, batch=10)


@pytest.fixture(autouse=True)
def few(monkeypatch):
    """Rendering twenty thousand digits takes longer than what is tested with them."""
    monkeypatch.setattr(classification, "RENDERED", {"train": (300, 0), "test": (200, 1)})


def small(threshold=0.1):
    torch.manual_seed(0)
    nca = NCA(LAYOUT, ConvPerception(8, 12), MLPUpdate(12, 8, [12]), living_threshold=threshold)
    with torch.no_grad():  # the last layer begins at zero: nothing would grow
        list(nca.update.parameters())[-2].normal_(0, 0.3)
    return nca


def content(**training):
    return {
        "name": "toy-digits",
        "title": "Toy",
        "task": "grow-digits",
        "data": {"name": "rendered-digits", "padding": 2},
        "model": {
            "hidden_channels": 4,
            "perception": {"kind": "conv", "features": 8},
            "update": {"kind": "mlp", "hidden": [8]},
        },
        "training": {
            "iterations": 8,
            "batch": 4,
            "steps": {"min": 3, "max": 5},
            "optimizer": {"kind": "soap", "learning_rate": 0.003},
            "warmup": 2,
            "checkpoint_every": 2,
            "pool": {"capacity": 8, "ratio": 0.5, "mutation": 0.0, "damage": 0.5, "lead": 3},
            **training,
        },
    }


def test_a_seed_has_its_class_colour_and_noise_where_nobody_looks():
    """Ten colours, all different; a white one for no class; one living cell, in the centre."""
    generator = torch.Generator().manual_seed(0)
    state = coloured_seed(LAYOUT, 9, 9, torch.arange(11), 0.5, generator)
    assert torch.equal(state[:10, :3, 4, 4], class_colors())
    assert torch.equal(state[10, :4, 4, 4], torch.ones(4))
    assert len({tuple(c) for c in state[:, :3, 4, 4].tolist()}) == 11
    assert (state != 0).any(1).sum() == 11
    assert 0.3 < state[:, 4:, 4, 4].std() < 0.7
    assert coloured_seed(LAYOUT, 9, 9, torch.arange(11))[:, 4:].abs().sum() == 0


def test_a_target_is_ink_in_its_colour_and_a_judge_sees_the_ink():
    """Premultiplied RGBA; what comes back without the rim is the digit."""
    digits = rendered_digits(5, 0)
    target = ink_in_color(digits.images, digits.labels, 2)
    assert target.shape == (5, 4, 32, 32)
    state = torch.cat([target, torch.rand(5, 4, 32, 32)], 1)
    assert torch.equal(ink_of(state, LAYOUT, 2), digits.images.float() / 255)
    colors = class_colors()[digits.labels][:, :, None, None]
    assert torch.allclose(target[:, :3], target[:, 3:] * colors)


LOSSES = {
    "mse": {},
    "l1": {"pixel": "l1"},
    "critic": {"pixel": "l1", "pixel_weight": 30.0, "critic": {"widths": [8, 8], "ahead": 3}},
    "guided": {
        "pixel": "l1",
        "critic": {"widths": [8, 8], "delay": 1, "ahead": 2, "updates": 2},
        "average": 0.9,
        "unconditional": 0.5,
        "noise": 0.5,
    },
}


@pytest.mark.parametrize("name", LOSSES)
def test_a_training_goes_on_to_the_bit(name, tmp_path):
    """Weights, critic, its optimiser, running mean, pool, random numbers: nothing is forgotten."""
    experiment = experiment_from(content(**LOSSES[name]), "here")
    straight = runner.train(experiment, tmp_path / "straight", progress=False, tracker="none")
    begun, _ = runner.prepare(experiment, tmp_path / "stopped", "cpu", "none")
    for _ in range(5):
        begun.step()
    begun.save()
    resumed = runner.train(
        experiment, tmp_path / "stopped", resume=True, progress=False, tracker="none"
    )
    assert resumed.weights_sha256 == straight.weights_sha256
    if name == "guided":
        assert set(straight.training["pixel_error"]) == {"last", "mean"}


def test_the_critic_changes_nothing_before_it_is_heard_and_something_after(tmp_path):
    """The automaton's own randomness does not hang on the critic's weights."""
    weights = {}
    for ahead in (3, 100):
        critic = {"widths": [8, 8], "ahead": ahead, "learning_rate": 0.01}
        experiment = experiment_from(content(critic=critic), "here")
        loop, _ = runner.prepare(experiment, tmp_path, "cpu", "none")
        made = []
        for _ in range(6):
            loop.step()
            made.append([p.clone() for p in loop.learner.nca.parameters()])
        weights[ahead] = made

    def same(i):
        pairs = zip(weights[3][i], weights[100][i], strict=True)
        return all(torch.equal(a, b) for a, b in pairs)

    assert [same(i) for i in (0, 2)] == [True, True]
    assert not same(5)


def test_the_result_is_the_running_mean(tmp_path):
    """Of all the weights there were: by hand, from the decay that is told."""
    experiment = experiment_from(content(average=0.5), "here")
    loop, _ = runner.prepare(experiment, tmp_path, "cpu", "none")
    mean = [p.clone() for p in loop.learner.nca.parameters()]
    for i in range(6):
        loop.step()
        keep = min(0.5, (1 + i) / (10 + i))
        now = loop.learner.nca.parameters()
        mean = [keep * a + (1 - keep) * b.detach() for a, b in zip(mean, now, strict=True)]
    found = loop.learner.result().parameters()
    assert all(torch.allclose(a, b, atol=1e-6) for a, b in zip(mean, found, strict=True))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"pool": {"capacity": 8, "ratio": 0.5, "mutation": 0.5, "damage": 0.0}}, "pool.mutation"),
        ({"critic": {"widths": []}}, "widths"),
        ({"pixel": "l3"}, "pixel"),
        ({"average": 1.0}, "average"),
    ],
)
def test_a_wrong_training_is_a_line(change, message):
    with pytest.raises(ConfigError, match=message):
        experiment_from(content(**change), "here")


def test_digits_are_of_one_colour_and_grow_from_what_lives():
    for field, value, message in (
        ("data", {"name": "cifar10"}, "no set of digits; take mnist"),
        ("model", content()["model"] | {"living_threshold": None}, "set it, say to 0.1"),
    ):
        with pytest.raises(ConfigError, match=message):
            experiment_from(content() | {field: value}, "here")


def test_guidance_of_one_is_the_automaton_and_of_none_follows_the_other():
    """w = 1: its own rollout; w = 0: the other's changes; between and beyond: a straight line."""
    nca = small(None)
    state, free = torch.rand(2, 3, 8, 8, 8, generator=torch.Generator().manual_seed(3))

    def rolled(weight):
        generator = torch.Generator().manual_seed(1)
        return guided_rollout(nca, state, free, 1, weight, generator)

    generator = torch.Generator().manual_seed(1)
    mask = torch.rand(3, 1, 8, 8, generator=generator) < nca.fire_rate
    own, others = (nca.rollout(s, 1, fire=lambda _: mask) for s in (state, free))
    assert torch.allclose(rolled(1.0)[0], own, atol=1e-5)
    assert torch.allclose(rolled(0.0)[0], state + others - free, atol=1e-5)
    assert torch.allclose(rolled(3.0)[0], 3 * rolled(1.0)[0] - 2 * rolled(0.0)[0], atol=1e-4)
    assert torch.allclose(rolled(3.0)[1], others, atol=1e-5)
    with pytest.raises(ValueError, match="finite"):
        rolled(float("nan"))
    with pytest.raises(ValueError, match="expected one"):
        guided_rollout(nca, state, free[:1], 1, 1.0)


def test_what_is_blurred_keeps_its_ink_and_spreads_it():
    image = torch.zeros(1, 1, 15, 15)
    image[..., 7, 7] = 1
    soft = blurred(image, 1.5)
    assert float(soft.sum()) == pytest.approx(1, abs=1e-4)
    rows = torch.arange(15.0)
    spread = (soft[0, 0].sum(1) * (rows - 7).square()).sum()
    assert float(spread) == pytest.approx(1.5**2, rel=0.1)


def test_what_is_turned_by_a_quarter_is_turned_by_a_quarter():
    image = torch.rand(1, 1, 6, 6)
    found = turned(image, torch.tensor([torch.pi / 2]))
    assert torch.allclose(found, image.rot90(1, (2, 3)), atol=1e-5) or torch.allclose(
        found, image.rot90(-1, (2, 3)), atol=1e-5
    )


class Known:
    """Grows, in place of an automaton, the first training digit of its class; some die."""

    def __init__(self, train, dead=()):
        self.train, self.dead = train, dead

    def __call__(self, nca, state, steps, generator):
        if (state[:, 3] > 0).sum() <= len(state):  # seeds; what has grown before, heals
            self.classes = torch.cdist(state[:, :3, 16, 16], class_colors()).argmin(1)
        classes = self.classes
        firsts = torch.stack([(self.train.labels == c).nonzero()[0, 0] for c in range(10)])
        grown = state.clone()
        grown[:, :4] = ink_in_color(self.train.images[firsts[classes]], classes, 2)
        for c in self.dead:
            grown[classes == c] = 0
        return grown


def test_the_protocol_tells_copies_deaths_and_recovery(monkeypatch):
    """Of somebody who draws one known digit per class: right, not diverse, a copy, and healed."""
    train, test = rendered_digits(300, 0), rendered_digits(200, 1)
    firsts = {
        tuple(
            (train.images[(train.labels == c).nonzero()[0, 0]].float() / 255).flatten().tolist()
        ): c
        for c in range(10)
    }

    def answers(ink):
        return torch.tensor([firsts.get(tuple(one.flatten().tolist()), -1) for one in ink])

    judge = Judge("exact", answers, 100.0)
    torch.manual_seed(0)
    network = SmallCNN(10).eval()
    arguments = (small(), 0.0, test, train, [judge], network, 2, TINY)
    found = evaluate_digits(*arguments, roll=Known(train), lpips=False)
    assert found["judges"]["exact"]["grown"]["all"] == 100
    assert found["judges"]["exact"]["late"]["by_class"] == [100.0] * 10
    assert found["died"] == [0] * 10
    assert found["diversity"]["grown"]["features"]["mean"] == pytest.approx(0, abs=1e-5)
    assert found["diversity"]["grown"]["variance"]["mean"] == pytest.approx(0, abs=1e-9)
    assert found["diversity"]["real"]["features"]["mean"] > 0.01
    assert found["copies"]["grown"] == pytest.approx(0, abs=1e-4)
    assert found["copies"]["real"] > 0.01
    assert found["recovery"]["percent"] == 100
    assert found["recovery"]["mse_percent"] == pytest.approx(100)
    died = evaluate_digits(*arguments, roll=Known(train, dead=(4, 7)), lpips=False)
    assert died["died"] == [0, 0, 0, 0, 3, 0, 0, 3, 0, 0]
    assert died["judges"]["exact"]["grown"]["all"] == pytest.approx(80)
    assert died["died_late"] == 4


def test_who_died_is_recognised_by_nobody():
    """Not by a judge either who takes whatever is empty for a four."""
    train, test = rendered_digits(300, 0), rendered_digits(200, 1)
    judge = Judge("fours", lambda ink: torch.full((len(ink),), 4), 10.0)
    torch.manual_seed(0)
    network = SmallCNN(10).eval()
    arguments = (small(), 0.0, test, train, [judge], network, 2, TINY)
    for dead, expected in (((), 100.0), ((4,), 0.0)):
        found = evaluate_digits(*arguments, roll=Known(train, dead), lpips=False)
        assert found["judges"]["fours"]["grown"]["by_class"][4] == expected
        assert found["judges"]["fours"]["late"]["by_class"][4] == expected


def test_a_model_is_measured_and_reported_by_its_judges(monkeypatch):
    """By the runner's way: judges come by name, and the report names all that was asked."""
    experiment = experiment_from(content(), "here")
    task = task_of(experiment)
    monkeypatch.setattr("ncabook.tasks.digits._protocol", lambda look: TINY)
    torch.manual_seed(0)

    measured = {"accuracy": 99.0, "short": {"per_image": 98.0}}

    class Model:
        card = SimpleNamespace(metrics=measured, weights_sha256="0" * 64)
        network = SmallCNN(10).eval()
        nca = NCA(
            ChannelLayout(visible=0, hidden=2, fixed=1, classes=10),
            ConvPerception(13, 8),
            MLPUpdate(8, 12, [8]),
        )

    judges = dict.fromkeys(task.judges, Model())
    metrics = task.measure(experiment, small(), runner.Look(lpips=False), "cpu", judges)
    text = task.report(metrics).text()
    for words in (
        "recognised by digits-judge",
        "recognised by mnist-mse",
        "real digits",
        "died by",
    ):
        assert words in text
    with pytest.raises(TypeError, match="judges: none given"):
        task.measure(experiment, small(), runner.Look(), "cpu")


def test_cells_that_see_no_ink_have_no_answer():
    nca = NCA(
        ChannelLayout(visible=0, hidden=2, fixed=1, classes=10),
        ConvPerception(13, 8),
        MLPUpdate(8, 12, [8]),
    )
    ink = torch.zeros(2, 1, 28, 28)
    ink[1, :, 10:14, 10:14] = 1
    found = by_votes(nca, 2)(ink)
    assert found[0] == -1
    assert found[1] >= 0


def test_a_protocol_that_cannot_be_is_refused():
    with pytest.raises(ValueError, match="grown < damage < late"):
        DigitsProtocol(grown=100, damage=90)


@pytest.mark.parametrize("name", ["digits-mse", "digits-l1", "digits-critic", "digits-guided"])
def test_the_four_losses_differ_in_their_loss_only(name):
    """Equal size, iterations, seeds' noise and data: what differs is what is compared."""
    base, other = (find(n) for n in ("digits-mse", name))
    assert other.model == base.model
    assert other.data == base.data
    assert other.start_from == "digits-young"
    for field in ("iterations", "batch", "steps", "noise", "pool"):
        assert getattr(other.training, field) == getattr(base.training, field), field


def test_a_judge_learns(tmp_path):
    """Rendered digits, a few iterations: better than chance, and its card says how good."""
    raw = {
        "name": "toy-judge",
        "title": "Toy",
        "task": "judge",
        "data": {"name": "rendered-digits"},
        "model": {"widths": [8, 16]},
        "training": {
            "iterations": 250,
            "batch": 32,
            "learning_rate": 0.01,
            "warmup": 5,
            "turn": 10,
            "blur": 1.0,
            "fade": 0.5,
            "checkpoint_every": 50,
        },
    }
    experiment = experiment_from(raw, "here")
    runner.train(experiment, tmp_path / "run", progress=False, tracker="none")
    metrics = runner.evaluate_model(str(tmp_path / "run"))
    assert metrics["accuracy"] > 40
    assert "images right" in task_of(experiment).report(metrics).text()


def test_the_table_of_figure_18_asks_for_what_a_card_has():
    """Each of its columns is a number of the report; the paper's stands beside."""
    frame = results.table(18)
    assert list(frame.index) == ["digits-mse", "digits-l1", "digits-critic", "digits-guided"]
    assert (frame["paper, recognised (%)"] == 100).all()
    assert frame["recognised by digits-judge, step 40 (%)"].between(0, 100).all()
    assert not frame.filter(like="LPIPS").isna().any(axis=None)
