"""What is said of which pixels a cell can have heard of: by no automaton, and by any."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ncabook.automaton import NCA, ChannelLayout, ConvPerception, MLPUpdate
from ncabook.automaton.fire import hashed_fire
from ncabook.evaluation.light_cone import light_cones
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
    for cones, sets in zip(light_cones(living, coins), by_hand(living, coins), strict=True):
        found = [set(row.nonzero()[:, 0].tolist()) for row in cones.flatten(1, 2)[0]]
        assert found == sets


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
    cones = list(light_cones(alive, coins))[-1]
    heard = 0
    for pixel in range(SIDE * SIDE):
        other = ink.clone()
        other.view(-1)[pixel] += 0.01
        states = [initial_state(nca, image).double() for image in (ink, other)]
        for coin in coins:
            states = [nca.step(state, fire=coin) for state in states]
        changed = (states[0] != states[1])[0, 1:].any(0)
        told = cones[0, :, :, pixel] & alive[0, 0]
        assert not (changed & ~told).any()
        heard += int((changed & told).sum())
    assert heard >= share * int(cones[0][alive[0, 0]].sum())


def test_after_one_step_a_cell_knows_its_window_or_nothing():
    everywhere = torch.ones(1, 1, SIDE, SIDE, dtype=torch.bool)
    (coin,) = fires(1, 3)
    (cones,) = light_cones(everywhere, [coin])
    assert torch.equal(cones.sum(3)[0], 9 * coin[0, 0].long())
    (cones,) = light_cones(everywhere, [coin | True], reach=2)
    assert (cones.sum(3) == 25).all()


def test_a_mask_of_other_shape_or_kind_is_refused():
    mask = torch.ones(1, 1, 3, 3, dtype=torch.bool)
    for living, reach in ((mask[0], 1), (mask.float(), 1), (mask, 0)):
        with pytest.raises(ValueError, match=r"expected bool \[B, 1, H, W\], reach ≥ 1"):
            next(light_cones(living, [mask], reach))
