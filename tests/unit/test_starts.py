"""Seeds that die: counted, explained, avoided by the ring, kept out of the pool, trained away."""

import itertools

import pytest
import torch

from ncabook import zoo
from ncabook.automaton import centre_seed, hashed_fire, ring_fire
from ncabook.evaluation.growth import evaluate
from ncabook.evaluation.starts import alive, died, starts
from ncabook.training.config import SurvivalConfig
from ncabook.training.evolving import worth_keeping
from ncabook.training.survival import survival_hinge
from tests.unit.test_evaluation import SHORT
from tests.unit.test_training import trainer

CLASSES = torch.eye(5)


@pytest.fixture(scope="module")
def second():
    """The model of Table 1 that loses the most starts."""
    return zoo.load("emoji-conv3-seed-2").nca


def mortal(nca, change):
    """An automaton whose firing cells add ``change`` to alpha, and to nothing else."""
    with torch.no_grad():
        nca.update.layers[-1].weight.zero_()
        nca.update.layers[-1].bias.zero_()
        nca.update.layers[-1].bias[3] = change
    return nca


@pytest.mark.parametrize("label", range(5))
def test_the_chance_to_die_in_the_first_step_is_a_half_to_the_neighbours(second, label):
    """All 512 outcomes of nine coins against ½ · ½ⁿ, which chapter 05 derives."""
    seed = centre_seed(second.layout, 5, 5)
    condition = CLASSES[label][None]
    everyone = torch.ones(1, 1, 5, 5, dtype=torch.bool)
    alpha = second.without_mask(seed, second.perception.encode(condition), everyone)[0, 3, 1:4, 1:4]
    assert alpha[1, 1] < 0.1  # the seed, if it fires
    rising = int((alpha > 0.1).sum())
    fires = torch.zeros(512, 1, 5, 5, dtype=torch.bool)
    coins = list(itertools.product((False, True), repeat=9))
    fires[:, 0, 1:4, 1:4] = torch.tensor(coins).view(512, 3, 3)
    ends = second.step(seed.expand(512, -1, -1, -1), condition.expand(512, -1), fire=fires)
    assert int((~alive(second, ends)).sum()) == 512 * 0.5 * 0.5**rising


def test_the_ring_fires_and_the_seed_rests():
    """Around the torus, too; other cells keep their coins."""
    seeds = torch.zeros(1, 1, 6, 7, dtype=torch.bool)
    seeds[0, 0, 0, 0] = True
    coins = hashed_fire(6, 7, 0, 3, 0.5)
    mask = ring_fire(coins, seeds)
    expected = coins.clone()
    for dy, dx in itertools.product((-1, 0, 1), repeat=2):
        expected[0, 0, dy % 6, dx % 7] = (dy, dx) != (0, 0)
    assert torch.equal(mask, expected)


def test_with_readmes_lines_a_seed_that_died_grows_from_the_ring():
    """Found by an outside reader: seed 22 of PyTorch's generator grew nothing at all."""
    nca, condition = zoo.load("emoji-conv3").nca, CLASSES[1][None]
    for number in range(400):
        torch.manual_seed(number)
        state = nca.rollout(centre_seed(nca.layout, 24, 24), 3, condition)
        if not alive(nca, state):
            break
    else:
        pytest.fail("no seed died in 400 starts")
    torch.manual_seed(number)
    assert alive(nca, nca.rollout(centre_seed(nca.layout, 24, 24), 24, condition, ring=True))


def test_a_ring_is_the_first_step_only(make_nca):
    """Whether all is kept for the gradient, or computed again."""
    nca = make_nca()
    seed = centre_seed(nca.layout, 16, 16).requires_grad_()
    masks = [hashed_fire(16, 16, t, 1, 0.5) for t in range(8)]
    first = ring_fire(masks[0], nca.living_cells(seed))
    expected = nca.rollout(seed, 8, fire=[first, *masks[1:]].__getitem__)
    for memory in (None, 400_000):
        assert torch.equal(
            nca.rollout(seed, 8, fire=masks.__getitem__, ring=True, memory=memory), expected
        )
    nca.living_threshold = None
    with pytest.raises(ValueError, match="ring is for automata that grow from seeds"):
        nca.rollout(seed, 1, ring=True)


def test_starts_are_counted_by_class_and_the_ring_loses_none(second):
    counted = starts(second, 5, 40, 2026)
    assert counted["seed"] == died(second, 5, 40, 2026)
    assert sum(counted["seed"]) > 5
    assert counted["ring"] == [0] * 5
    second.living_threshold, threshold = None, second.living_threshold
    try:
        assert starts(second, 5, 1, 0) is None
    finally:
        second.living_threshold = threshold


def test_the_protocol_gives_the_living_beside_all(make_nca):
    """Means of all, their median, and means of those alive at Stage 2, by hand."""
    nca = make_nca(condition=2)
    targets = torch.rand(2, 4, 8, 8, generator=torch.Generator().manual_seed(1))
    result = evaluate(nca, targets, SHORT, perceptual=False)
    result.alive = torch.tensor([True, False, True, True])
    summary, measured = result.summary(), result.metrics["mse"]
    assert summary["rollouts"] == {"all": 4, "died": 1}
    assert summary["mse"]["stage2"] == pytest.approx(float(measured.stage2.mean()))
    middle = measured.half.sort().values[1:3].mean()
    assert summary["mse"]["median"]["half"] == pytest.approx(float(middle))
    for stage in ("stage2", "long", "half_final"):
        living = getattr(measured, stage)[[0, 2, 3]].mean()
        assert summary["mse"]["living"][stage] == pytest.approx(float(living))
    assert summary["starts"]["each"] == SHORT.starts
    assert set(summary["ring"]["mse"]) >= {"stage2", "half_recovery"}
    result.alive = torch.zeros(4, dtype=torch.bool)
    assert result.summary()["mse"]["living"] is None


def test_an_automaton_that_always_dies_is_said_to(make_nca):
    nca = mortal(make_nca(condition=2, fire_rate=1.0), -3.0)
    summary = evaluate(nca, torch.rand(2, 4, 8, 8), SHORT, perceptual=False).summary()
    assert summary["rollouts"] == {"all": 4, "died": 4}
    assert summary["starts"]["seed"] == [SHORT.starts] * 2
    assert summary["mse"]["living"] is None


def test_a_dead_end_is_not_kept(make_nca):
    """Its start stays in the pool; a whole state that lives is kept."""
    nca = make_nca()
    starts, ends = torch.ones(3, 8, 6, 6), torch.full((3, 8, 6, 6), 0.5)
    ends[1] = 0
    ends[2] = 99
    kept = worth_keeping(nca, ends, starts)
    assert kept[:, 0, 0, 0].tolist() == [0.5, 1.0, 1.0]
    nca.living_threshold = None
    assert worth_keeping(nca, ends, starts)[:, 0, 0, 0].tolist() == [0.5, 0.0, 1.0]


def test_no_start_of_a_batch_is_dead_by_damage():
    """What would erase a small pattern altogether is not done to it."""
    run = trainer().learner
    states = centre_seed(run.nca.layout, *run.grid, 8)
    run.pool.store({"state": states, "class": torch.arange(8) % 3})
    for _ in range(20):
        assert alive(run.nca, run.batch()["state"]).all()


def test_the_hinge_has_a_gradient_where_a_dead_rollout_has_none(make_nca):
    nca = mortal(make_nca(fire_rate=1.0), -3.0)
    end = nca.rollout(centre_seed(nca.layout, 9, 9), 4)
    end.square().sum().backward()
    assert nca.update.layers[-1].bias.grad.abs().max() == 0
    wanted = SurvivalConfig(margin=0.3, steps=1, seeds=3)
    loss = survival_hinge(nca, None, wanted, torch.Generator().manual_seed(0))
    assert float(loss.detach()) == pytest.approx(2.3)  # 0.3 − (1 − 3)
    loss.backward()
    assert float(nca.update.layers[-1].bias.grad[3]) == pytest.approx(-1)
    safe = mortal(nca, 0.5)
    assert survival_hinge(safe, None, wanted, torch.Generator()).item() == 0


def test_a_training_with_the_hinge_saves_its_seeds():
    """In a few iterations, from an automaton that kills all of them; the picture has no say."""
    run = trainer(
        iterations=40,
        pool=None,
        optimizer={"kind": "adam", "learning_rate": 0.05},
        survival=SurvivalConfig(weight=10.0),
    )
    nca = run.learner.nca
    with torch.no_grad():
        nca.update.layers[-1].bias[3] = -1.5
    assert died(nca, 3, 20, 0)[0] > 5
    run.run(progress=False)
    assert sum(died(nca, 3, 20, 0)) == 0
