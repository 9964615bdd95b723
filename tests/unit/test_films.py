"""Films of moving digits: the published rules, seeds, the fixed test set, walls, bad input."""

import hashlib
import os
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from ncabook.data import moving
from ncabook.data.catalogue import data_sets
from ncabook.data.films import Films, drawn, film_of
from ncabook.data.labelled import mnist, rendered_digits
from ncabook.data.moving import Rules, fixed_films, make_films, random_walls
from ncabook.files import CorruptFileError


@pytest.fixture(scope="module")
def source():
    return rendered_digits(40, 0)


@pytest.fixture
def real_data():
    """The folder with MNIST; without one, these tests have nothing to look at."""
    folder = os.environ.get("NCABOOK_DATA")
    if not folder or not Path(folder, "mnist").is_dir():
        pytest.skip("NCABOOK_DATA names no folder with mnist in it")


def dice(seed=0):
    return torch.Generator().manual_seed(seed)


def published(place, velocity, frames, free):
    """One digit's corners by the authors' rules, axis by axis, in plain Python."""
    place, velocity, found = list(place), list(velocity), []
    for _ in range(frames):
        for axis in (0, 1):
            place[axis] += velocity[axis]
            if place[axis] <= 0 or place[axis] >= free:
                place[axis] = min(max(place[axis], 0.0), float(free))
                velocity[axis] = -velocity[axis]
        found.append(tuple(place))
    return found


def test_digits_fly_as_published(source):
    """Straight on at 3.6 pixels a frame, stopped at an edge and turned; any direction."""
    films = make_films(source, 30, dice())
    assert films.pictures.shape == (30, 20, 64, 64)
    for film in films.places:
        for track in film.unbind(1):
            places = [tuple(p) for p in track.tolist()]
            second = next(  # two frames away from the edges tell the velocity
                t for t in range(1, 19) if all(0 < x < 36 for p in places[t - 1 : t + 1] for x in p)
            )
            step = [b - a for a, b in zip(places[second - 1], places[second], strict=True)]
            assert sum(x * x for x in step) ** 0.5 == pytest.approx(3.6)
            rest = published(places[second], step, 19 - second, 36)
            assert torch.allclose(torch.tensor(rest), track[second + 1 :].float(), atol=1e-4)
    angles = torch.atan2(*(films.places[:, 1] - films.places[:, 0]).flatten(0, 1).T)
    assert angles.min() < -2
    assert angles.max() > 2


def test_the_brighter_pixel_is_seen(source):
    """A picture is the maximum of its digits where they are, pixel by pixel."""
    films = make_films(source, 3, dice(1))
    for film, places, digits in zip(films.pictures, films.places, films.digits, strict=True):
        for picture, corners in zip(film, places, strict=True):
            wanted = torch.zeros(64, 64, dtype=torch.uint8)
            for (y, x), digit in zip(corners.int().tolist(), digits, strict=True):
                part = wanted[y : y + 28, x : x + 28]
                torch.maximum(part, digit, out=part)
            assert torch.equal(picture, wanted)


def test_what_lies_outside_is_not_seen():
    """A digit half beyond an edge is cut there, one far beyond is gone."""
    digit = torch.full((1, 1, 28, 28), 255, dtype=torch.uint8)
    places = torch.tensor([[[[-14.0, 0.0]], [[0.0, 63.0]], [[99.0, 0.0]], [[-0.5, 5.0]]]])
    pictures = drawn(digit, places.double(), 64, 64)[0]
    assert (pictures > 0).sum((1, 2)).tolist() == [14 * 28, 28, 0, 27 * 28]


def test_the_same_seed_gives_the_same_films(source):
    first, second, other = (make_films(source, 4, dice(s)).pictures for s in (3, 3, 4))
    assert torch.equal(first, second)
    assert not torch.equal(first, other)


def test_numbers_speeds_and_sides_can_be_chosen(source):
    rules = Rules(side=96, digits=3, slowest=1.0, fastest=5.0, frames=7)
    films = make_films(source, 20, dice(), rules)
    assert films.pictures.shape == (20, 7, 96, 96)
    assert films.labels.shape == (20, 3)
    speeds = (films.places[:, 1] - films.places[:, 0]).norm(dim=-1)
    assert speeds.max() <= 5 + 1e-9
    assert speeds.max() - speeds.median() > 1
    small = make_films(source, 2, dice(), Rules(side=32, digit=14, slowest=1.8, fastest=1.8))
    assert small.digits.shape == (2, 2, 14, 14)


@pytest.mark.parametrize("directions", ["straight", "diagonal"])
def test_directions_can_be_kept_to(source, directions):
    """Within 22.5° of an axis, or of a diagonal, all around; after a bounce, too."""
    films = make_films(source, 60, dice(), Rules(directions=directions))
    inside = ((films.places > 0) & (films.places < 36)).all(-1)
    step = films.places.diff(dim=1)[inside[:, 1:] & inside[:, :-1]]
    turn = torch.atan2(step[:, 0], step[:, 1]).rad2deg() - (45 if directions == "diagonal" else 0)
    away = (turn + 45) % 90 - 45
    assert away.abs().max() <= 22.5 + 1e-6
    assert away.abs().max() > 15
    assert len(((turn + 45) // 90).unique()) >= 4


def test_a_digit_can_be_shown_alone(source):
    """Where it was; the two together are the film."""
    films = make_films(source, 3, dice())
    alone = films.only(1), films.only(0)
    assert torch.equal(torch.maximum(alone[0].pictures, alone[1].pictures), films.pictures)
    assert torch.equal(alone[0].labels, films.labels[:, 1:])


def test_straight_on_is_the_truth_until_an_edge(source):
    """The baseline knows places and velocities, and no edges."""
    slow = make_films(source, 30, dice(), Rules(slowest=0.5, fastest=0.5))
    straight = slow.straight_on(10)
    inside = ((slow.places > 0) & (slow.places < 36)).flatten(1).all(1)
    assert 0 < inside.sum() < len(inside)
    assert torch.equal(straight[inside], slow.pictures[inside, 10:])
    assert not torch.equal(straight[~inside], slow.pictures[~inside, 10:])


def test_ink_bounces_off_walls(source):
    """No ink on a wall, ever; and digits turn around that would not have, otherwise."""
    walls = random_walls(12, 64, dice())
    assert walls.shape == (12, 64, 64)
    assert walls.flatten(1).sum(1).min() >= 4 * 16
    upright = (walls.any(1).sum(1) == 4).sum()
    assert 0 < upright < 12
    films = make_films(source, 12, dice(5), walls=walls)
    assert not ((films.pictures > 127) & walls[:, None]).any()
    steps = films.places.diff(dim=1)
    far = ((films.places > 4) & (films.places < 32))[:, 1:-1]
    turned = (steps[:, 1:] * steps[:, :-1] < 0) & far
    assert turned.any()
    again = make_films(source, 12, dice(5), walls=torch.zeros_like(walls))
    steps = again.places.diff(dim=1)
    far = ((again.places > 4) & (again.places < 32))[:, 1:-1]
    assert not ((steps[:, 1:] * steps[:, :-1] < 0) & far).any()


def test_walls_may_leave_no_room(source):
    everywhere = torch.ones(2, 64, 64, dtype=torch.bool)
    with pytest.raises(ValueError, match=r"film 0 leave no room for a digit \(64 places tried\)"):
        make_films(source, 2, dice(), walls=everywhere)
    with pytest.raises(ValueError, match=r"walls of shape \[2, 64, 64\]; expected \[3, 64, 64\]"):
        make_films(source, 3, dice(), walls=everywhere)


BAD_RULES = {
    "films of 1 frame; expected 2 or more": {"frames": 1},
    "films of 0 digits; expected at least 1": {"digits": 0},
    "28×28 pixels leaves no room for digits of 28×28": {"side": 28},
    "digits of 20 pixels; expected 28 or 14": {"digit": 20},
    "speeds from 5 to 3 pixels a frame": {"slowest": 5.0, "fastest": 3.0},
    "a speed of 40 pixels a frame, and a digit's free way is 36": {"fastest": 40.0},
}


@pytest.mark.parametrize("message", BAD_RULES)
def test_rules_that_make_no_film_are_refused(message):
    with pytest.raises(ValueError, match=message) as caught:
        Rules(**BAD_RULES[message])
    assert "\n" not in str(caught.value)


def test_a_film_of_ones_own():
    """Frames of one size, two at least; one line says which one is not."""
    frame = torch.zeros(8, 9, dtype=torch.uint8)
    assert film_of([frame, frame, frame]).pictures.shape == (1, 3, 8, 9)
    with pytest.raises(ValueError, match=r"frame 2 is of 9×8 pixels, frame 0 of 8×9; expected"):
        film_of([frame, frame, frame.T])
    with pytest.raises(ValueError, match=r"films of 1 frame; expected 2 or more"):
        film_of([frame])
    films = film_of([frame, frame])
    with pytest.raises(ValueError, match=r"films of torch.float32"):
        replace(films, pictures=films.pictures.float())
    assert isinstance(films[:1], Films)


def test_the_fixed_films_are_the_known_ones(real_data, monkeypatch):
    """1,000 films by sha256, of test digits only; others are refused."""
    films = fixed_films()
    assert films.pictures.shape == (1000, 20, 64, 64)
    found = hashlib.sha256(films.pictures.numpy().tobytes()).hexdigest()
    assert found == moving.TEST_SHA256
    test = {d.numpy().tobytes() for d in mnist("test").images}
    train = {d.numpy().tobytes() for d in mnist("train").images}
    used = {d.numpy().tobytes() for d in films.digits.flatten(0, 1)}
    assert used <= test
    assert not used & train
    monkeypatch.setattr(moving, "TEST_SEED", 1)
    with pytest.raises(CorruptFileError, match="makes other films"):
        fixed_films()


def test_the_public_films_are_in_the_catalogue():
    (file,) = data_sets()["moving-mnist"].files
    assert file.size == 20 * 10000 * 64 * 64 + 96  # NumPy's header
