"""Live figures of tables: what is given stands in them, and what cannot be is refused."""

import pytest
import torch

from ncabook.automaton.classic import life_table
from ncabook.live import elementary_figure, twins_figure

START = torch.zeros(8, 9, dtype=torch.uint8)


def test_nothing_is_left_to_fill_in():
    start = START.clone()
    start[2, 3] = 1
    text = twins_figure(start, life_table(), life_table() == 1, ("one", "<other>"))
    assert "".join(map(str, start.flatten().tolist())) in text
    assert text.count("".join(map(str, life_table().tolist()))) == 2
    assert "&lt;other&gt;" in text
    assert 'width="9" height="8"' in text
    for figure in (text, elementary_figure(90)):
        for word in ("STYLE", "WIDTH", "HEIGHT", "RULE", "GRID", "_TABLE", "_NAME"):
            assert word not in figure


@pytest.mark.parametrize(
    ("start", "left", "right", "message"),
    [
        (START, life_table()[:8], life_table(), "table left has the shape"),
        (START, life_table(), life_table()[None], "table right has the shape"),
        (START[None], life_table(), life_table(), "start has the shape"),
        (START[:3], life_table(), life_table(), "start has the shape"),
    ],
)
def test_what_is_no_table_or_no_grid_is_refused(start, left, right, message):
    with pytest.raises(ValueError, match=message):
        twins_figure(start, left, right)


def test_rules_end_at_255():
    with pytest.raises(ValueError, match="256"):
        elementary_figure(256)
