"""Classic automata: table, convolution and an independent reference give the same bits."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from ncabook.automaton.classic import (
    all_neighbourhoods,
    elementary_step,
    elementary_step_by_convolution,
    evolve,
    life_step,
    life_step_by_convolution,
    life_table,
    rule_table,
)

LIFE = pytest.mark.parametrize("step", [life_step, life_step_by_convolution])
ELEMENTARY = pytest.mark.parametrize("step", [elementary_step, elementary_step_by_convolution])

rules = st.integers(0, 255)
bits = st.integers(0, 1)


def grids(spatial: int):
    """Batches of zero to two leading dimensions, each side of the grid from 3 to 9."""
    shape = st.tuples(
        hnp.array_shapes(min_dims=0, max_dims=2, max_side=3),
        hnp.array_shapes(min_dims=spatial, max_dims=spatial, min_side=3, max_side=9),
    ).map(lambda parts: parts[0] + parts[1])
    dtype = st.sampled_from([np.uint8, np.bool_])
    return dtype.flatmap(
        lambda d: hnp.arrays(d, shape, elements=bits if d == np.uint8 else st.booleans())
    )


def single_cell(width: int) -> torch.Tensor:
    cells = torch.zeros(width, dtype=torch.uint8)
    cells[width // 2] = 1
    return cells


def grid(*rows: str) -> torch.Tensor:
    return torch.tensor([[int(c == "#") for c in row] for row in rows], dtype=torch.uint8)


def life_by_counting(cells: np.ndarray) -> np.ndarray:
    """Life as its story is told, with np.roll; shares no code with the module under test."""
    neighbours = sum(
        np.roll(cells.astype(int), (dy, dx), (-2, -1))
        for dy in (-1, 0, 1)
        for dx in (-1, 0, 1)
        if (dy, dx) != (0, 0)
    )
    return np.where(cells, (neighbours == 2) | (neighbours == 3), neighbours == 3)


@settings(max_examples=60, deadline=None)
@given(grids(1), rules)
def test_elementary_lookup_convolution_and_reference_agree(cells, number):
    # Protects the chapter's claim that a rule's table is the weights of a 1×1 convolution,
    # for every rule, width, batch shape and both dtypes.
    expected = np.zeros(cells.shape, dtype=bool)
    for index in np.ndindex(cells.shape):
        *batch, x = index
        row = cells[tuple(batch)]
        digits = "".join(str(int(row[i % len(row)])) for i in (x - 1, x, x + 1))
        expected[index] = f"{number:08b}"[7 - int(digits, 2)] == "1"
    tensor = torch.from_numpy(cells)
    for step in (elementary_step, elementary_step_by_convolution):
        after = step(tensor, number)
        assert after.dtype == tensor.dtype
        assert after.shape == tensor.shape
        np.testing.assert_array_equal(after.numpy().astype(bool), expected)


@settings(max_examples=60, deadline=None)
@given(grids(2))
def test_life_lookup_convolution_and_reference_agree(cells):
    # Protects both forms of Life on oblong and on 3-cell-wide tori, batched, in both dtypes.
    tensor = torch.from_numpy(cells)
    for step in (life_step, life_step_by_convolution):
        after = step(tensor)
        assert after.dtype == tensor.dtype
        np.testing.assert_array_equal(after.numpy().astype(bool), life_by_counting(cells))


def test_rule_table_is_the_number_in_binary():
    # Protects Wolfram's numbering: 110 is 01101110, entry 0 the lowest bit.
    assert rule_table(110).tolist() == [0, 1, 1, 1, 0, 1, 1, 0]


@ELEMENTARY
def test_rule_110_first_rows_worked_by_hand(step):
    # Protects left and right: Rule 110 grows to the left only.
    history = evolve(single_cell(13), 5, lambda cells: step(cells, 110))
    rows = ["".join(".#"[c] for c in row) for row in history.tolist()]
    assert rows == [
        "......#......",
        ".....##......",
        "....###......",
        "...##.#......",
        "..#####......",
        ".##...#......",
    ]


@ELEMENTARY
def test_rule_90_is_pascals_triangle_modulo_2(step):
    # Protects many steps in a row against arithmetic: row t holds C(t, k) mod 2.
    steps = 15
    history = evolve(single_cell(2 * steps + 3), steps, lambda cells: step(cells, 90))
    for t, row in enumerate(history):
        expected = torch.zeros_like(row)
        for k in range(t + 1):
            expected[steps + 1 - t + 2 * k] = math.comb(t, k) % 2
        assert torch.equal(row, expected)


@ELEMENTARY
def test_rule_30_centre_column(step):
    # Protects a chaotic rule against its published sequence (OEIS A051023).
    history = evolve(single_cell(25), 9, lambda cells: step(cells, 30))
    assert history[:, 12].tolist() == [1, 1, 0, 1, 1, 1, 0, 0, 1, 1]


def test_elementary_grid_is_a_torus():
    # Protects the wrap: rule 170 copies the right neighbour, so a row moves left and returns.
    cells = torch.tensor([1, 0, 0, 1, 0], dtype=torch.uint8)
    history = evolve(cells, 5, lambda c: elementary_step(c, 170))
    assert history[1].tolist() == [0, 0, 1, 0, 1]
    assert torch.equal(history[5], cells)


def test_all_neighbourhoods_are_the_numbers_0_to_511():
    # Protects the order that the table, and the check of a learned rule, rely on.
    patches = all_neighbourhoods()
    weights = 2 ** torch.arange(8, -1, -1)
    assert patches.shape == (512, 3, 3)
    assert torch.equal((patches.flatten(1).long() * weights).sum(1), torch.arange(512))


@LIFE
def test_centre_of_all_neighbourhoods_gives_the_whole_table(step):
    # Protects the shortcut of the chapter: 512 tori of 3×3 cells are the complete check.
    assert torch.equal(step(all_neighbourhoods())[:, 1, 1], life_table())
    # C(8,3) births, C(8,2) + C(8,3) survivals
    assert int(life_table().sum()) == 56 + 28 + 56


@LIFE
def test_block_is_still(step):
    # Protects survival with three neighbours.
    block = grid("....", ".##.", ".##.", "....")
    assert torch.equal(step(block), block)


@LIFE
def test_blinker_has_period_two(step):
    # Protects birth, survival with two neighbours, and death by solitude.
    lying = grid(".....", ".....", ".###.", ".....", ".....")
    assert torch.equal(step(lying), lying.T)
    assert torch.equal(step(step(lying)), lying)


@LIFE
def test_glider_moves_one_cell_down_and_right_in_four_steps(step):
    # Protects rows against columns, and the wrap: after 4·8 steps on 8×8 it is home.
    glider = torch.zeros(8, 8, dtype=torch.uint8)
    glider[:3, :3] = grid(".#.", "..#", "###")
    history = evolve(glider, 32, step)
    assert torch.equal(history[4], glider.roll((1, 1), (0, 1)))
    assert not torch.equal(history[16], glider)
    assert torch.equal(history[32], glider)


def test_evolve_keeps_the_start_and_leaves_it_alone():
    # Protects callers that reuse their start state.
    cells = torch.ones(2, 5, dtype=torch.bool)
    history = evolve(cells, 3, lambda c: elementary_step(c, 0))
    assert history.shape == (4, 2, 5)
    assert cells.all()
    assert history[0].all()
    assert not history[1:].any()


@pytest.mark.parametrize("number", [-1, 256, 1.0, True, "110"])
def test_bad_rule_number_is_named(number):
    # Protects the message that a reader of the live cell sees for a typing error.
    with pytest.raises(ValueError, match=r"rule number is .*0 to 255"):
        rule_table(number)


@pytest.mark.parametrize("step", [life_step, life_step_by_convolution])
def test_bad_grids_are_refused_with_what_was_expected(step):
    # Protects against silent wrong answers from floats, greys, rows and tiny tori.
    with pytest.raises(TypeError, match="^the grid of cells is of type ndarray; expected a tensor"):
        step(torch.zeros(5, 5, dtype=torch.bool).numpy())
    with pytest.raises(TypeError, match=r"torch.float32; expected torch.uint8 or torch.bool"):
        step(torch.zeros(5, 5))
    with pytest.raises(ValueError, match=r"value 2; expected only 0 and 1"):
        step(torch.full((5, 5), 2, dtype=torch.uint8))
    with pytest.raises(ValueError, match=r"\[5\]; expected \[\.\.\., height, width\]"):
        step(torch.zeros(5, dtype=torch.bool))
    with pytest.raises(ValueError, match=r"\[5, 2\]; a grid needs at least 3 cells"):
        step(torch.zeros(5, 2, dtype=torch.bool))


@ELEMENTARY
def test_bad_rows_are_refused_with_what_was_expected(step):
    # The same for one dimension.
    with pytest.raises(TypeError, match=r"torch.int64"):
        step(torch.zeros(5, dtype=torch.long), 110)
    with pytest.raises(ValueError, match=r"\[\]; expected \[\.\.\., width\]"):
        step(torch.tensor(True), 110)
    with pytest.raises(ValueError, match=r"\[2\]; a grid needs at least 3 cells"):
        step(torch.zeros(2, dtype=torch.bool), 110)
    with pytest.raises(ValueError, match=r"value 255; expected only 0 and 1"):
        step(torch.full((3,), 255, dtype=torch.uint8), 110)


def test_negative_steps_are_refused():
    # Protects against a rollout that silently returns its start.
    with pytest.raises(ValueError, match=r"steps is -1"):
        evolve(single_cell(5), -1, lambda c: elementary_step(c, 110))
