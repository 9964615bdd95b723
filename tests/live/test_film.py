"""The page's engine watches films, and goes on alone, as PyTorch does."""

import pytest
import torch

from ncabook.automaton import NCA, ConvPerception, MLPUpdate, hashed_fire
from ncabook.data.films import Films
from ncabook.data.labelled import rendered_digits
from ncabook.data.moving import Rules, make_films
from ncabook.live import describe
from ncabook.training.screening import Screening, flights
from ncabook.training.video_config import FilmView
from ncabook.training.watching import FilmCells, film_layout
from tests.live.test_timeline import steps

pytestmark = pytest.mark.node
SIDE, STEPS, SHOWN, LOOKS, SEED = 32, 3, 10, 20, 77
RULES = Rules(side=SIDE, digits=2, slowest=1.0, fastest=3.0, frames=LOOKS + 2, digit=14)
CELLS = FilmView(frames=2, patch=4, positions="walls")
PIXELS = FilmView(frames=3, patch=1, positions="coordinates")
VIEWS = {
    "4 x 4 pixels": CELLS,
    "a pixel": PIXELS,
    "hidden ones begin anew": CELLS.model_copy(update={"state": "fresh"}),
    "a window": FilmView(frames=3, shift=2, patch=2, state="window", positions="walls"),
    "walls": CELLS.model_copy(update={"walls": True}),
}


def watcher(view, fire_rate=1.0, hidden=6):
    """An automaton that moves what it sees, in numbers that float16 holds."""
    torch.manual_seed(1)
    layout = film_layout(view, hidden)
    update = MLPUpdate(12, layout.channels - layout.fixed, [8])
    torch.nn.init.normal_(update.layers[-1].weight, std=0.05)
    perception = ConvPerception(layout.channels, 12, 3)
    nca = NCA(layout, perception, update, fire_rate, None).half().float()
    return FilmCells(nca.requires_grad_(False), view, STEPS)


def films(count=1, walls=None, rules=RULES):
    generator = torch.Generator().manual_seed(4)
    return make_films(rendered_digits(20, 3), count, generator, rules, walls)


def model(cells, given=None, **options):
    shown = {"shown": SHOWN} | options
    film = Screening(cells.how, STEPS, films() if given is None else given, **shown)
    side = SIDE // cells.patch
    return describe(cells.nca, side, side, seed=SEED, film=film, beside=True)


def watched(cells, pictures, looks=LOOKS, shown=SHOWN, walls=None, change=lambda state, _: state):
    """The state after so many looks; before each, `change` may do something to it."""
    state, told = cells.start(1, SIDE, SIDE, walls), torch.zeros(1, 1, SIDE, SIDE)
    seen = told
    for look in range(looks):
        age = torch.tensor([cells.first + look * cells.shift])
        alone = age >= shown
        seen = cells.next_seen(seen, told) if alone else cells.view(pictures, age)
        state = cells.shown(state, seen, alone)
        for t in range(look * STEPS, (look + 1) * STEPS):
            coins = hashed_fire(*state.shape[2:], t, SEED, cells.nca.fire_rate)
            state = cells.nca.step(state, None, fire=coins)
        told = cells.told(state)
    return state


@pytest.mark.parametrize("fire_rate", [1.0, 0.5])
@pytest.mark.parametrize("view", VIEWS.values(), ids=VIEWS)
def test_ten_frames_shown_and_ten_alone_are_those_of_pytorch(simulate, view, fire_rate):
    cells, given = watcher(view, fire_rate), films()
    looks = LOOKS // view.shift
    wanted = watched(cells, given.pictures, looks)
    found = simulate(*model(cells), steps(STEPS * looks))["state"]
    assert 0.1 < cells.told(wanted).std() < 100
    assert (found - wanted).abs().max() <= 1e-4
    never = watched(cells, given.pictures, looks, shown=99)
    assert (found - never).abs().max() > 1e-2, "it was never alone"


def test_without_what_compiles(node):
    cells = watcher(CELLS)
    found = node(*model(cells), messages=[steps(STEPS * LOOKS)], wasm=False)
    assert (found["state"] - watched(cells, films().pictures)).abs().max() <= 1e-4


def test_stored_frames_and_flying_digits_are_the_same_film(simulate):
    """Frames lie in the page only where no digits tell them."""
    cells, given = watcher(CELLS), films()
    unknown = Films(
        given.pictures, given.places[:, :, :0], given.digits[:, :0], given.labels[:, :0]
    )
    flying, stored = model(cells), model(cells, unknown)
    assert flying[0]["film"]["reels"][0]["frames"] is None
    assert flights(unknown) is None
    assert len(stored[1]) > len(flying[1]) + 10**4
    found = [simulate(*m, steps(STEPS * LOOKS))["state"] for m in (flying, stored)]
    assert torch.equal(*found)


def test_a_film_that_is_over_goes_on_alone(simulate):
    cells, given = watcher(CELLS), films()
    short = Films(given.pictures[:, :4], given.places[:, :4, :0], given.digits[:, :0], given.labels)
    found = simulate(*model(cells, short), steps(STEPS * LOOKS))["state"]
    assert (found - watched(cells, given.pictures, shown=4)).abs().max() <= 1e-4
