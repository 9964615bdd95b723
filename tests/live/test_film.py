"""The page's engine watches films, and goes on alone, as PyTorch does."""

from typing import Any, cast

import pytest
import torch

from ncabook.automaton import NCA, ConvPerception, MLPUpdate, hashed_fire
from ncabook.data.films import Films, drawn
from ncabook.data.labelled import rendered_digits
from ncabook.data.moving import Rules, make_films
from ncabook.experiments import find
from ncabook.live import describe
from ncabook.tasks import task_of
from ncabook.training.screening import Screening, flights, flown
from ncabook.training.video_config import FilmView
from ncabook.training.watching import FilmCells, film_layout
from tests.live.test_timeline import act, steps

SIDE, STEPS, SHOWN, LOOKS, SEED = 32, 3, 10, 20, 77
DIGIT = 14
RULES = Rules(side=SIDE, digits=2, slowest=3.0, fastest=3.0, frames=LOOKS + 2, digit=DIGIT)
CELLS = FilmView(frames=2, patch=4, positions="walls")
WALLED = CELLS.model_copy(update={"walls": True})
VIEWS = {
    "4 x 4 pixels": CELLS,
    "a pixel": FilmView(frames=3, patch=1, positions="coordinates"),
    "hidden ones begin anew": CELLS.model_copy(update={"state": "fresh"}),
    "a window": FilmView(frames=3, shift=2, patch=2, state="window", positions="walls"),
    "walls": WALLED,
}
SOURCE = rendered_digits(20, 3)


def watcher(view=CELLS, fire_rate=1.0, hidden=6):
    """An automaton that moves what it sees, in numbers that float16 holds."""
    torch.manual_seed(1)
    layout = film_layout(view, hidden)
    update = MLPUpdate(12, layout.channels - layout.fixed, [8])
    torch.nn.init.normal_(update.layers[-1].weight, std=0.05)
    perception = ConvPerception(layout.channels, 12, 3)
    nca = NCA(layout, perception, update, fire_rate, None).half().float()
    return FilmCells(nca.requires_grad_(False), view, STEPS)


def films(count=1, walls=None, seed=4):
    return make_films(SOURCE, count, torch.Generator().manual_seed(seed), RULES, walls)


def stored(given, frames):
    """A film whose digits nobody knows."""
    nothing = given.places[:, :frames, :0], given.digits[:, :0], given.labels[:, :0]
    return Films(given.pictures[:, :frames], *nothing)


def model(cells, given=None, side=SIDE, **options):
    film = Screening(cells.how, STEPS, given or films(), **{"shown": SHOWN, **options})
    grid = side // cells.patch
    return describe(cells.nca, grid, grid, seed=SEED, film=film, beside=True)


def watched(cells, pictures, looks=LOOKS, alone=lambda age: age >= SHOWN, change=lambda _: None):
    """The state after so many looks; `change` may do something to it after each."""
    state, told = cells.start(1, SIDE, SIDE), torch.zeros(1, 1, SIDE, SIDE)
    seen = told
    for look in range(looks):
        age = torch.tensor([cells.first + look * cells.shift])
        by_itself = torch.tensor([alone(int(age))])
        seen = cells.next_seen(seen, told) if by_itself else cells.view(pictures, age)
        state = cells.shown(state, seen, by_itself)
        for t in range(look * STEPS, (look + 1) * STEPS):
            coins = hashed_fire(*state.shape[2:], t, SEED, cells.nca.fire_rate)
            state = cells.nca.step(state, None, fire=coins)
        change(state)
        told = cells.told(state)
        seen = frames(cells, state)
    return state


def frames(cells, state):
    """What is seen at the moment, ``[1, k, H, W]``."""
    if cells.how.state == "window":
        return cells.told(state)
    seen = state[:, : cells.frames * cells.patch**2]
    return torch.nn.functional.pixel_shuffle(seen, cells.patch)


def looks(count):
    return steps(STEPS * count)


def watch(alone):
    return act(kind="watch", alone=alone)


def throw(digit=0, x=2.5, y=1.5, down=2.0, right=1.0):
    return act(kind="throw", digit=digit, x=x, y=y, down=down, right=right)


def thrown(digit, count):
    """The film of the digit that :func:`throw` throws, from the frame on in which it is seen."""
    begun = (2.0 * 4 - DIGIT / 2, 3.0 * 4 - DIGIT / 2, 2.0, 1.0)
    return flown([begun], digit[None], count, (SIDE, SIDE))


@pytest.fixture
def digits():
    """Two digits to throw."""
    return films(1).digits[0]


@pytest.mark.node
@pytest.mark.parametrize("fire_rate", [1.0, 0.5])
@pytest.mark.parametrize("view", VIEWS.values(), ids=VIEWS)
def test_ten_frames_shown_and_ten_alone_are_those_of_pytorch(simulate, view, fire_rate):
    cells, given = watcher(view, fire_rate), films()
    count = LOOKS // view.shift
    wanted = watched(cells, given.pictures, count)
    found = simulate(*model(cells), looks(count))["state"]
    assert 0.1 < cells.told(wanted).std() < 100
    assert (found - wanted).abs().max() <= 1e-4
    never = watched(cells, given.pictures, count, alone=lambda _: False)
    assert (found - never).abs().max() > 1e-2, "it was never alone"


@pytest.mark.node
def test_without_what_compiles(node):
    cells = watcher()
    found = node(*model(cells), messages=[looks(LOOKS)], wasm=False)["state"]
    assert (found - watched(cells, films().pictures)).abs().max() <= 1e-4


@pytest.mark.node
def test_frames_lie_in_the_page_only_where_no_digits_tell_them(simulate):
    cells, given = watcher(), films()
    flying, whole = model(cells), model(cells, stored(given, LOOKS + 2))
    assert flying[0]["film"]["reels"][0]["frames"] is None
    assert len(whole[1]) > len(flying[1]) + 10**4
    found = [simulate(*m, looks(LOOKS))["state"] for m in (flying, whole)]
    assert torch.equal(*found)
    endless = simulate(*flying, watch(False), looks(100))["state"]
    begun = flights(given)
    assert begun is not None
    truth = flown(begun, given.digits[0], 100, (SIDE, SIDE))
    assert torch.equal(255 * frames(cells, endless)[0, 0], truth[99].float())


@pytest.mark.node
def test_a_film_that_is_over_goes_on_alone(simulate):
    cells, given = watcher(), films()
    found = simulate(*model(cells, stored(given, 4)), looks(LOOKS))
    assert found["alone"]
    wanted = watched(cells, given.pictures, alone=lambda age: age >= 4)
    assert (found["state"] - wanted).abs().max() <= 1e-4


@pytest.mark.node
@pytest.mark.parametrize("view", [CELLS, VIEWS["a window"]], ids=["cells", "a window"])
def test_a_reader_lets_it_go_alone_and_watch_again(simulate, view):
    cells, given = watcher(view), films()
    count = LOOKS // view.shift
    wanted = watched(cells, given.pictures, count, lambda age: cells.first + 4 <= age < 14)
    frame, until = 4 // view.shift, (14 - cells.first) // view.shift
    plan = [looks(frame), watch(True), looks(until - frame), watch(False), looks(count - until)]
    found = simulate(*model(cells), *plan)
    assert (found["state"] - wanted).abs().max() <= 1e-4
    assert simulate(*model(cells), *plan[:3])["alone"]
    assert not found["alone"]
    there = simulate(*model(cells), {"kind": "replay", **found["recorded"]}, looks(count))
    assert torch.equal(there["state"], found["state"])


@pytest.mark.node
def test_erased_cells_have_seen_nothing(simulate):
    """Frames, told ones and hidden numbers; where a cell is, and its walls, stay."""
    cells, given = watcher(WALLED), films()
    at = {"count": 0}

    def erase(state):
        at["count"] += 1
        if at["count"] == 12:
            kept = state[:, 2 * 16 : cells.nca.layout.fixed].clone()
            state[:, :, 2:5, 3:6] = 0
            state[:, 2 * 16 : cells.nca.layout.fixed] = kept

    wanted = watched(cells, given.pictures, change=erase)
    square = act(kind="erase", shape="square", x=4, y=3, size=1)
    found = simulate(*model(cells), looks(12), square, looks(LOOKS - 12))["state"]
    assert (found - wanted).abs().max() <= 1e-4


@pytest.mark.node
def test_a_thrown_digit_flies_in_the_film(simulate, digits):
    """It is seen from the next frame on, in front of what else is bright."""
    cells, given = watcher(), films()
    plan = [looks(2), throw(), steps(1), looks(6)]  # in the middle of frame 8
    seen = frames(cells, simulate(*model(cells, throws=digits), *plan)["state"])[0, 0]
    wanted = torch.maximum(given.pictures[0, 8], thrown(digits[0], 7)[6]).float() / 255
    assert (seen - wanted).abs().max() <= 1e-6


@pytest.mark.node
@pytest.mark.parametrize("view", [CELLS, VIEWS["a window"]], ids=["cells", "a window"])
def test_who_is_alone_is_shown_a_thrown_digit_for_ten_frames(simulate, digits, view):
    cells = watcher(view)
    described = model(cells, throws=digits)
    begin = [looks(3), watch(True), throw(x=(12 / view.patch) - 0.5, y=(8 / view.patch) - 0.5)]
    flight = thrown(digits[0], 30).float() / 255
    for count in (1, 10 // view.shift, 12 // view.shift):
        # The frame is written at the beginning of the first step: what a window tells moves on.
        plan = [*begin, looks(count - 1), {"kind": "advance", "steps": 1, "budget": 10**9}]
        seen = frames(cells, simulate(*described, *plan)["state"])[0, 0]
        ink = flight[count * view.shift - 1] > 0.5
        if view is CELLS:
            assert bool((seen[ink] >= 0.5).all()) == (count <= 10)
    without = simulate(*described, *begin[:2], looks(5))["state"]
    shown = simulate(*described, *begin, looks(5))["state"]
    assert (without - shown).abs().max() > 1e-2


@pytest.mark.node
@pytest.mark.parametrize("seed", [31, 35, 36])
def test_digits_bounce_off_drawn_walls_as_they_were_trained_to(simulate, seed):
    """By the brush; a reset leaves walls, and takes thrown digits away.

    In other films a digit goes back all its way, and the last bit decides when it meets an edge.
    """
    cells, walls = watcher(WALLED), torch.zeros(1, SIDE, SIDE, dtype=torch.bool)
    walls[:, 16:20, 12:28] = True
    given, free = films(walls=walls, seed=seed), films(seed=seed)
    assert (given.places - free.places)[:, 0].abs().max() < 1e-9, "the wall was in the way"
    assert not torch.equal(given.pictures, free.pictures)
    digits = given.digits[0]
    draw = [act(kind="draw", shape="circle", x=x, y=4, size=0.6, value=1) for x in range(3, 7)]
    described = model(cells, free, throws=digits)
    found = simulate(*described, *draw, watch(False), looks(LOOKS))["state"]
    wanted = given.pictures[0, LOOKS - 1].float() / 255
    assert torch.equal(frames(cells, found)[0, 0], wanted)
    for detour in ([], [throw(), looks(2)], [looks(40)]):
        plan = [*draw, *detour, {"kind": "reset"}, watch(False), looks(LOOKS)]
        assert torch.equal(simulate(*described, *plan)["state"], found)


@pytest.mark.node
def test_a_digit_leaves_a_wall_that_is_drawn_upon_it(simulate):
    """It goes on as if there was none."""
    cells, nowhere = watcher(WALLED), torch.zeros(1, SIDE, SIDE, dtype=torch.bool)
    given = films(walls=nowhere, seed=31)
    everywhere = act(kind="draw", shape="square", x=4, y=4, size=9, value=1)
    described = model(cells, films(seed=31))
    found = simulate(*described, everywhere, watch(False), looks(7))["state"]
    assert torch.equal(frames(cells, found)[0, 0], given.pictures[0, 6].float() / 255)


@pytest.mark.node
def test_what_was_done_can_be_taken_back_and_told(simulate, digits):
    described = model(watcher(), throws=digits)
    plan = [looks(3), throw(), steps(20), watch(True), throw(1, x=5.0), steps(21)]
    there = simulate(*described, *plan)
    back = simulate(*described, *plan, {"kind": "seek", "step": 7}, steps(43))
    assert torch.equal(back["state"], there["state"])
    recalled = simulate(*described, *plan, {"kind": "reset"}, {"kind": "recall"})
    assert torch.equal(recalled["state"], there["state"])
    told = simulate(*described, {"kind": "replay", **there["recorded"]}, steps(50))
    assert torch.equal(told["state"], there["state"])
    assert torch.equal(
        simulate(*described, *plan, steps(9))["state"],
        simulate(*described, *plan, {"kind": "seek", "step": 30}, steps(29))["state"],
    )


@pytest.mark.node
def test_another_film_begins_anew(simulate):
    cells, given = watcher(), films(2)
    described = model(cells, given, names=["one", "two"])
    assert [label["name"] for label in described[0]["classes"]] == ["one", "two"]
    found = simulate(*described, steps(8), act(kind="mutate", index=1), looks(LOOKS))
    assert (found["state"] - watched(cells, given.pictures[1:])).abs().max() <= 1e-4
    anew = simulate(*described, act(kind="mutate", index=1), {"kind": "reset"}, looks(LOOKS))
    assert torch.equal(anew["state"], found["state"])


@pytest.mark.node
def test_what_is_told_is_seen_in_gray(simulate):
    """A cell's visible channels are its pixels."""
    cells = watcher()
    report = simulate(*model(cells), looks(6))
    row = torch.tensor(report["pixels"]).view(-1, 4)[:SIDE]
    assert report["size"] == [SIDE, SIDE]
    assert (row[:, 3] == 255).all()
    wanted = 255 * cells.told(report["state"])[0, 0, 0].clamp(0, 1)
    assert wanted.std() > 0
    assert (row[:, :3] - wanted[:, None]).abs().max() <= 0.51


@pytest.mark.node
@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"steps": 0}, "film.steps is 0; expected a whole number"),
        ({"state": "kept"}, 'film.state is "kept"; expected one of carried'),
        ({"seen": 9}, "fixed is .*; expected .* or more: frames that are seen"),
        ({"patch": 2}, "visible is 16; expected 4, the pixels"),
        ({"stays": 10**8}, "film.stays is .*; expected an offset"),
        ({"reels": []}, r"film.reels is \[\]; expected a film for each class"),
        ({"digits": {"offset": 0, "count": 2, "side": 40}}, "film.digits is .*; expected null"),
        ({"throws": [0, 99]}, "film.throws is .*; expected a first digit"),
    ],
)
def test_what_a_description_cannot_say(simulate, digits, change, message):
    description, weights = model(watcher(), throws=digits)
    broken = {**description, "film": {**description["film"], **change}}
    with pytest.raises(RuntimeError, match=message):
        simulate(broken, weights, steps(1))


@pytest.mark.node
def test_what_cannot_be_done(simulate, digits):
    plain, throwing = model(watcher()), model(watcher(), throws=digits)
    with pytest.raises(RuntimeError, match="event.kind is .throw.; expected"):
        simulate(*plain, throw())
    with pytest.raises(RuntimeError, match="event.kind is .draw.; expected"):
        simulate(*plain, act(kind="draw", shape="circle", x=1, y=1, size=1, value=1))
    with pytest.raises(RuntimeError, match="event.down is 100; expected a number from -64 to 64"):
        simulate(*throwing, throw(down=100))
    with pytest.raises(RuntimeError, match="event.alone is 1; expected true or false"):
        simulate(*plain, watch(1))


def test_what_does_not_fit_together():
    cells, given = watcher(), films()
    grid = SIDE // 4
    film = Screening(CELLS, STEPS, given)
    with pytest.raises(ValueError, match="frames of 32×32 pixels on a grid of 9×8 cells of 4×4"):
        describe(cells.nca, 9, 8, film=film)
    with pytest.raises(ValueError, match="start is given beside a film"):
        describe(cells.nca, grid, grid, film=film, start=cells.start(1, SIDE, SIDE))
    with pytest.raises(TypeError, match="a film of type Films for a NCA; expected a Screening"):
        describe(cells.nca, grid, grid, film=cast(Any, given))
    with pytest.raises(ValueError, match="expected ChannelLayout"):
        describe(watcher(WALLED).nca, grid, grid, film=film)
    with pytest.raises(ValueError, match=r"names \['a'\] of 2 films; expected one for each"):
        Screening(CELLS, STEPS, films(2), names=["a"])
    with pytest.raises(ValueError, match="0 true frames, and the first view shows 1"):
        Screening(CELLS, STEPS, given, shown=0)
    with pytest.raises(ValueError, match="0 steps for each frame; expected 1 or more"):
        Screening(CELLS, 0, given)
    with pytest.raises(ValueError, match=r"digits to throw of .*; expected torch.uint8, \[D, 14"):
        Screening(CELLS, STEPS, given, throws=torch.zeros(1, 28, 28, dtype=torch.uint8))


def test_films_that_no_flights_tell():
    """Walls, or digits that turn by themselves: their frames are what there is."""
    given = films()
    assert flights(given) is not None
    walls = torch.zeros(1, SIDE, SIDE, dtype=torch.bool)
    walls[:, 16:20, 12:28] = True
    assert flights(films(walls=walls)) is None
    places = given.places.clone()
    places[:, 11:] = places[:, :11].flip(1)
    turned = drawn(given.digits, places, SIDE, SIDE)
    assert flights(Films(turned, places, given.digits, given.labels)) is None


def test_the_task_has_a_figure():
    """A film of its rules, and every digit to throw; no data set is needed for it."""
    experiment = find("moving-cells")
    task = task_of(experiment)
    nca = cast(NCA, task.network(experiment))
    shown, _ = describe(nca, **task.live(experiment, nca))
    assert (shown["height"], shown["film"]["patch"], shown["beside"]) == (16, 4, True)
    assert shown["film"]["throws"] == [2, 10]
    assert shown["film"]["digits"]["side"] == 28
