"""RLE files of the usual collections, as they are and as they should not be."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from ncabook.automaton.classic import evolve
from ncabook.automaton.totals import total_rule
from ncabook.data.rle import Pattern, read_rle, write_rle
from ncabook.files import CorruptFileError

# LifeWiki's text of the gun that Gosper found in 1970.
GUN = """#N Gosper glider gun
#C This was the first gun discovered.
x = 36, y = 9, rule = B3/S23
24bo11b$22bobo11b$12b2o6b2o12b2o$11bo3bo4b2o12b2o$2o8bo5bo3b2o14b$2o8b
o3bob2o4bobo11b$10bo5bo7bo11b$11bo3bo20b$12b2o!
"""
GLIDER = "x = 3, y = 3\nbob$2bo$3o!"


def test_a_gun_shoots():
    """Five cells more every thirty steps: what was read is the gun, to the last cell."""
    gun = read_rle(GUN)
    assert (gun.name, gun.rule) == ("Gosper glider gun", "B3/S23")
    film = evolve(gun.on(80, 80), 90, total_rule(gun.rule).step)
    assert [int(film[t].sum()) for t in (0, 30, 60, 90)] == [36, 41, 46, 51]


def test_a_pattern_may_lack_name_and_rule_and_have_a_topology():
    glider = read_rle(GLIDER)
    assert (glider.rule, glider.name, glider.comments) == ("B3/S23", "", ())
    assert glider.cells.tolist() == [[0, 1, 0], [0, 0, 1], [1, 1, 1]]
    assert read_rle("x=2,y=1,rule=B36/S23:T20,20\n2o!").rule == "B36/S23"
    assert read_rle("x = 4, y = 3\n.A$\n$2\n o!").cells.sum() == 3, "runs may be cut anywhere"


def test_a_file_may_be_named_in_words(tmp_path):
    """As anybody would; a pattern ends with an exclamation mark, and no file does."""
    (tmp_path / "glider.RLE").write_text(GLIDER, "utf-8")
    for name in (tmp_path / "glider.RLE", str(tmp_path / "glider.RLE")):
        assert torch.equal(read_rle(name).cells, read_rle(GLIDER).cells)


@settings(max_examples=60, deadline=None)
@given(
    hnp.arrays(
        "uint8", hnp.array_shapes(min_dims=2, max_dims=2, max_side=90), elements=st.integers(0, 1)
    )
)
def test_what_is_written_is_read_again(cells):
    pattern = Pattern(torch.from_numpy(cells), "B36/S23", "a name", ("one", "two"))
    text = write_rle(pattern)
    found = read_rle(text)
    assert torch.equal(found.cells, pattern.cells)
    assert (found.rule, found.name, found.comments) == ("B36/S23", "a name", ("one", "two"))
    assert all(len(line) <= 70 for line in text.splitlines())


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "it is empty; expected an RLE header"),
        ("hello", "begins with 'hello'"),
        ("x = 3, y = 3\nbob$2bq$3o!", "'q$3o!' in row 2; expected a number, b, o"),
        ("x = 3, y = 3\nbob$4o!", "row 2 reaches column 4; the header says 3 rows of 3"),
        ("x = 3, y = 1\nbob$o!", "row 2 reaches column 1"),
        ("x = 3, y = 3\nbob$", "ends in row 2 without an exclamation mark"),
        ("x = 99999, y = 99999\no!", "expected 10,000,000 or fewer"),
    ],
)
def test_what_is_no_rle_is_refused_in_one_line(text, said, tmp_path):
    path = tmp_path / "pattern.rle"
    path.write_text(text, "utf-8")
    with pytest.raises(CorruptFileError) as caught:
        read_rle(path)
    assert said in str(caught.value)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_pattern_larger_than_the_grid_is_refused():
    with pytest.raises(ValueError, match="3×3 cells on a grid of 2×9; expected"):
        read_rle(GLIDER).on(2, 9)
