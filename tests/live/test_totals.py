"""Classic rules in the page: the same bits as the rule itself, step after step."""

import pytest
import torch

from ncabook.automaton.totals import board, neural, total_rule
from ncabook.data.rle import read_rle
from ncabook.live import describe

pytestmark = pytest.mark.node
BOSCO = "R5,C2,M1,S34..58,B34..45,NM"
STEPS = 120


def soup(height, width, density=0.4):
    generator = torch.Generator().manual_seed(0)
    return (torch.rand(height, width, generator=generator) < density).to(torch.uint8)


@pytest.mark.parametrize("border", ["torus", "dead"])
@pytest.mark.parametrize("name", ["B3/S23", "B36/S23", "B0/S8", "B02/S1", BOSCO])
def test_a_rule_is_played_exactly(run, name, border):
    rule, cells = total_rule(name), soup(20, 26)
    start = board(cells, border, rule.radius, visible=4)
    description, weights = describe(neural(rule, border, 4), *start.shape[2:], start=start)
    found = run(description, weights, [["steps", STEPS]])[0]
    for _ in range(STEPS):
        cells = rule.step(cells, border)
    wanted = board(cells, border, rule.radius, visible=4)[0]
    assert (found - wanted).abs().max() < 0.01
    assert torch.equal(found[-4:-1], torch.zeros_like(found[-4:-1]))


def test_a_glider_is_drawn_and_flies(run):
    """Paint with black ink is life; what is erased is dead."""
    pattern = read_rle("x = 3, y = 3, rule = B3/S23\nbob$2bo$3o!")
    rule, cells = total_rule(pattern.rule), pattern.on(16, 16)
    start = board(torch.zeros_like(cells), visible=4)
    nca = neural(rule, visible=4)
    description, weights = describe(nca, 16, 16, start=start, inks={"alive": "#000000"})
    strokes = [
        ["paint", {"shape": "square", "x": x, "y": y, "size": 0, "ink": 0}]
        for y, x in cells.nonzero().tolist()
    ]
    found = run(description, weights, [*strokes, ["steps", 40]])[0, -1]
    for _ in range(40):
        cells = rule.step(cells)
    assert torch.equal(found.round().byte(), cells)
