"""What is said of which pixels a cell can have heard of: by no automaton, and by any."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ncabook.automaton import NCA, ChannelLayout, ConvPerception, MLPUpdate
from ncabook.automaton.fire import hashed_fire
from ncabook.evaluation.light_cone import light_cone
from ncabook.training.classification import initial_state

SIDE, STEPS = 9, 6


def fires(steps: int, seed: int) -> list[torch.Tensor]:
    return [hashed_fire(SIDE, SIDE, step, seed, 0.5) for step in range(steps)]


def by_hand(living: torch.Tensor, fire: list[torch.Tensor]) -> list[list[set[int]]]:
    """The definition, cell by cell, with sets."""

    def window(cell: int) -> list[int]:
        row, column = divmod(cell, SIDE)
        return [
            (row + i) % SIDE * SIDE + (column + j) % SIDE for i in (-1, 0, 1) for j in (-1, 0, 1)
        ]

    cells, alive = range(SIDE * SIDE), living.flatten().tolist()
    known = [set() if alive[cell] else set(window(cell)) for cell in cells]
    film = []
    for mask in fire:
        awake = mask.flatten().tolist()
        known = [
            known[cell].union(window(cell), *(known[other] for other in window(cell)))
            if awake[cell] and alive[cell]
            else known[cell]
            for cell in cells
        ]
        film.append(known)
    return film


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**31), st.floats(0.1, 0.9))
def test_cones_are_those_of_the_definition(seed, share):
    generator = torch.Generator().manual_seed(seed)
    living = torch.rand(1, 1, SIDE, SIDE, generator=generator) < share
    coins = fires(STEPS, seed)
    for steps, sets in enumerate(by_hand(living, coins), start=1):
        found = [set(cone.nonzero()[:, 0].tolist()) for cone in of_all(living, coins[:steps])]
        assert found == sets


def of_all(living: torch.Tensor, coins: list[torch.Tensor], reach: int = 1) -> torch.Tensor:
    """The cones of all cells of one image, ``[cells, pixels]``."""
    cells = torch.arange(SIDE * SIDE)
    return light_cone(living.expand(len(cells), -1, -1, -1), coins, cells, reach).flatten(1)


def automaton(living_threshold: float | None) -> NCA:
    torch.manual_seed(0)
    layout = ChannelLayout(visible=0, hidden=4, fixed=1, classes=2)
    nca = NCA(
        layout,
        ConvPerception(layout.channels, 16),
        MLPUpdate(16, layout.channels - layout.fixed, [16]),
        living_threshold=living_threshold,
    )
    for weight in nca.parameters():  # large ones, or what comes from far is lost in rounding
        if weight.ndim > 1:
            torch.nn.init.normal_(weight, std=weight[0].numel() ** -0.5)
    return nca.double()


@pytest.mark.parametrize(("living_threshold", "share"), [(0.1, 0.85), (None, 1.0)])
def test_a_pixel_matters_to_the_cells_that_have_it_in_their_cones(living_threshold, share):
    """One pixel is changed, so little that the same cells live; who thinks otherwise then?

    No others, and all of these; but that a cell is dead is known of its window, and no small
    change shows it.
    """
    nca = automaton(living_threshold)
    generator = torch.Generator().manual_seed(1)
    ink = (torch.rand(1, 1, SIDE, SIDE, generator=generator) < 0.25).double()
    alive = nca.living(initial_state(nca, ink)) if living_threshold else torch.ones_like(ink) > 0
    coins = fires(STEPS, 5)
    cones = of_all(alive, coins).view(SIDE, SIDE, -1)
    heard = 0
    for pixel in range(SIDE * SIDE):
        other = ink.clone()
        other.view(-1)[pixel] += 0.01
        states = [initial_state(nca, image).double() for image in (ink, other)]
        for coin in coins:
            states = [nca.step(state, fire=coin) for state in states]
        changed = (states[0] != states[1])[0, 1:].any(0)
        told = cones[:, :, pixel] & alive[0, 0]
        assert not (changed & ~told).any()
        heard += int((changed & told).sum())
    assert heard >= share * int(cones[alive[0, 0]].sum())


def test_after_one_step_a_cell_knows_its_window_or_nothing():
    everywhere = torch.ones(1, 1, SIDE, SIDE, dtype=torch.bool)
    (coin,) = fires(1, 3)
    assert torch.equal(of_all(everywhere, [coin]).sum(1), 9 * coin.flatten().long())
    assert (of_all(everywhere, [coin | True], reach=2).sum(1) == 25).all()
    assert not of_all(everywhere, []).any()


@pytest.mark.parametrize(
    ("living", "cell", "reach", "said"),
    [
        (torch.ones(1, 3, 3) > 0, [0], 1, r"expected bool \[B, 1, H, W\], reach ≥ 1"),
        (torch.ones(1, 1, 3, 3), [0], 1, r"expected bool \[B, 1, H, W\], reach ≥ 1"),
        (torch.ones(1, 1, 3, 3) > 0, [0], 0, r"expected bool \[B, 1, H, W\], reach ≥ 1"),
        (torch.ones(1, 1, 3, 3) > 0, [9], 1, r"expected \[1\], numbers from 0 to 8"),
        (torch.ones(2, 1, 3, 3) > 0, [0], 1, r"expected \[2\], numbers from 0 to 8"),
    ],
)
def test_other_shapes_and_cells_are_refused(living, cell, reach, said):
    with pytest.raises(ValueError, match=said):
        light_cone(living, [], torch.tensor(cell), reach)
