"""Classic rules by their names: counted by another library, and the same bits as an automaton."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import convolve

from ncabook.automaton.classic import life_step
from ncabook.automaton.totals import TotalRule, board, neural, total_rule

WIDE = "R5,C2,M1,S34..58,B34..45,NM"  # Bosco's rule (Evans 2001)
NAMES = ["B3/S23", "B36/S23", "B3678/S34678", "B1357/S02468", "B0/S8", "B02/S1", "B2/S", WIDE]
BORDERS = ("torus", "dead")
counts = st.frozensets(st.integers(0, 8))


def soup(*shape, density=0.4, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return (torch.rand(*shape, generator=generator) < density).to(torch.uint8)


def by_scipy(rule, cells, border):
    """A step without a line of the module under test."""
    side = np.abs(np.arange(-rule.radius, rule.radius + 1))
    seen = np.ones((len(side), len(side)), int)
    if rule.window == "neumann":
        seen = (side[:, None] + side[None] <= rule.radius).astype(int)
    seen[rule.radius, rule.radius] = int(rule.middle)
    mode = "wrap" if border == "torus" else "constant"
    total = convolve(cells.numpy().astype(int), seen, mode=mode, cval=0)
    born, survives = (np.isin(total, sorted(c)) for c in (rule.born, rule.survives))
    return torch.from_numpy(np.where(cells.numpy() == 1, survives, born).astype(np.uint8))


@settings(max_examples=60, deadline=None)
@given(counts, counts, st.sampled_from(BORDERS), st.integers(0, 10**6))
def test_a_step_is_that_of_scipy(born, survives, border, seed):
    rule, cells = TotalRule(born, survives), soup(7, 9, seed=seed)
    assert torch.equal(rule.step(cells, border), by_scipy(rule, cells, border))


@pytest.mark.parametrize("window", ["moore", "neumann"])
@pytest.mark.parametrize("middle", [False, True])
@pytest.mark.parametrize("border", BORDERS)
def test_wider_windows_are_those_of_scipy(window, middle, border):
    rule = TotalRule(frozenset({3, 5, 6}), frozenset({2, 7, 8, 9}), 3, middle, window)
    cells = soup(13, 11)
    assert torch.equal(rule.step(cells, border), by_scipy(rule, cells, border))


def test_life_is_life():
    cells = soup(2, 12, 15)
    assert torch.equal(total_rule("B3/S23").step(cells), life_step(cells))
    assert torch.equal(total_rule("b3/s23").step(cells.bool()), life_step(cells).bool())


@pytest.mark.parametrize("border", BORDERS)
@pytest.mark.parametrize("name", NAMES)
def test_as_an_automaton_it_makes_the_same_bits_for_long(name, border):
    """Errors of rounding do not add up: they stay far below a quarter, which would matter."""
    rule = total_rule(name)
    cells, nca = soup(16, 18), neural(rule, border)
    with torch.no_grad():
        state = nca.rollout(board(cells[None], border, rule.radius), 200)
    for _ in range(200):
        cells = rule.step(cells, border)
    found = state[0, -1]
    if border == "dead":
        rim = rule.radius
        found = found[rim:-rim, rim:-rim]
        outside = torch.ones_like(state[0, -1]).bool()
        outside[rim:-rim, rim:-rim] = False
        assert state[0, -1][outside].abs().max() < 0.01
    assert (found - cells).abs().max() < 0.01


@pytest.mark.parametrize("border", BORDERS)
def test_to_be_seen_it_has_colours(border):
    """Alpha is the cell, and nothing else ever changes."""
    rule, cells = total_rule("B36/S23"), soup(2, 9, 12)
    with torch.no_grad():
        plain = neural(rule, border).rollout(board(cells, border), 30)
        seen = neural(rule, border, 4).rollout(board(cells, border, visible=4), 30)
    assert torch.allclose(seen[:, -1], plain[:, -1], atol=1e-5)
    assert (seen[:, -4:-1] == 0).all()
    assert torch.equal(seen[:, :-4], plain[:, :-1])
    with pytest.raises(ValueError, match="visible is 3; expected 1, or 4"):
        neural(rule, border, 3)


@settings(max_examples=60, deadline=None)
@given(counts, counts, st.integers(1, 4), st.booleans(), st.sampled_from(["moore", "neumann"]))
def test_a_name_is_read_as_it_is_written(born, survives, radius, middle, window):
    most = 4 if window == "neumann" else 8
    born, survives = (frozenset(c for c in cs if c <= most) for cs in (born, survives))
    rule = TotalRule(born, survives, radius, middle, window)
    assert total_rule(rule.name) == rule


def test_older_names_put_survivors_first():
    assert total_rule("23/3") == total_rule("B3/S23")
    assert total_rule("R1,C0,M0,S2,3,B3,NM").name == "B3/S23"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("Conway", "no rule 'Conway'; expected a name like B3/S23"),
        ("B2-a/S12", "where neighbours are"),
        ("B9/S2", "rule 'B9/S2': born at a count of 9; expected 0 to 8"),
        ("R2,C4,M0,S3,B3,NM", "has 4 states; expected 2"),
        ("R99,C2,M0,S3,B3,NM", "radius of 99 cells; expected 1 to 50"),
        ("R2,C2,M0,S9..3,B3,NM", "counts '9..3'; expected the smaller one first"),
        ("R2,C2,M0,S3,B3,NC", "window NC; expected NM or NN"),
    ],
)
def test_unknown_names_are_refused_in_one_line(name, said):
    with pytest.raises(ValueError, match="rule") as caught:
        total_rule(name)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_bad_grids_are_refused():
    rule = total_rule(WIDE)
    with pytest.raises(ValueError, match="at least 11 cells"):
        rule.step(soup(10, 20))
    assert rule.step(soup(10, 20), "dead").shape == (10, 20)
    with pytest.raises(ValueError, match="expected torus or dead"):
        total_rule("B3/S23").step(soup(8, 8), "mirror")  # pyright: ignore[reportArgumentType]
