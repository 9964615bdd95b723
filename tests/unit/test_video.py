"""Automata that watch films: views, running films, the wrong inputs, resume, ConvLSTM."""

import pytest
import torch
import torch.nn.functional as F

from ncabook.automaton import NCA, ConvPerception, MLPUpdate
from ncabook.data.moving import make_films, random_walls
from ncabook.experiments import find, runner
from ncabook.networks import ConvLSTM
from ncabook.reading import ConfigError
from ncabook.tasks import classification, experiment_from, task_of
from ncabook.tasks.needs import least_memory, parameter_count
from ncabook.training.video_config import FilmView
from ncabook.training.watching import FilmCells, RecurrentFilm, film_layout, positions

DATA = {
    "name": "rendered-digits",
    "side": 32,
    "digit": 14,
    "slowest": 1.8,
    "fastest": 1.8,
    "frames": 8,
}


@pytest.fixture(autouse=True)
def few(monkeypatch):
    """Rendering twenty thousand digits takes longer than what is tested with them."""
    monkeypatch.setattr(classification, "RENDERED", {"train": (60, 0), "test": (40, 1)})


def content(view=None, data=None, model=None, **training):
    return {
        "name": "toy-film",
        "title": "Toy",
        "task": "next-frame",
        "data": {**DATA, **(data or {})},
        "model": {
            "view": {"frames": 2, "patch": 4, "positions": "walls", **(view or {})},
            "hidden_channels": 6,
            "perception": {"kind": "conv", "features": 12},
            "update": {"kind": "mlp", "hidden": [12]},
            "fire_rate": 0.7,
            "living_threshold": None,
            **(model or {}),
        },
        "training": {
            "iterations": 8,
            "batch": 2,
            "window": 2,
            "shown": 3,
            "forced": 0.25,
            "steps": {"min": 2, "max": 3},
            "optimizer": {"kind": "soap", "learning_rate": 0.003},
            "warmup": 2,
            "checkpoint_every": 2,
            **training,
        },
    }


def recurrent(**training):
    whole = content(**training)
    del whole["training"]["steps"]
    return {
        **whole,
        "task": "next-frame-recurrent",
        "model": {"patch": 4, "widths": [6, 6]},
    }


KINDS = {
    "carried": content(running=5),
    "fresh": content(view={"state": "fresh"}),
    "window": content(view={"state": "window", "frames": 3, "shift": 2, "patch": 2}, running=4),
    "walls": content(view={"walls": True}, data={"walls": True}),
    "convlstm": recurrent(),
}


def watcher(**view):
    how = FilmView(**{"frames": 2, "patch": 4, "positions": "walls", **view})
    layout = film_layout(how, 6)
    torch.manual_seed(0)
    update = MLPUpdate(12, layout.channels - layout.fixed, [12])
    nca = NCA(layout, ConvPerception(layout.channels, 12), update, 1.0, None)
    return FilmCells(nca, how, 2)


def films(count=3):
    source = classification.LabelledData(name="rendered-digits").build("test")
    rules = experiment_from(content(), "here").data.rules
    return make_films(source, count, torch.Generator().manual_seed(0), rules).pictures


@pytest.mark.parametrize("kind", KINDS)
def test_a_training_goes_on_to_the_bit(kind, tmp_path):
    """Weights, optimiser, running films, their ages and states, random numbers."""
    experiment = experiment_from(KINDS[kind], "here")
    straight = runner.train(experiment, tmp_path / "straight", progress=False, tracker="none")
    begun, _ = runner.prepare(experiment, tmp_path / "stopped", "cpu", "none")
    for _ in range(5):
        begun.step()
    begun.save()
    resumed = runner.train(
        experiment, tmp_path / "stopped", resume=True, progress=False, tracker="none"
    )
    assert resumed.weights_sha256 == straight.weights_sha256
    assert least_memory(experiment)["films"] > 0


@pytest.mark.parametrize("kind", ["carried", "window", "convlstm"])
def test_it_learns(kind, tmp_path):
    """Forty iterations bring the error of the new frame down."""
    fast = {"kind": "soap", "learning_rate": 0.01}
    quick = {"iterations": 50, "forced": 1.0, "batch": 6, "running": 6, "optimizer": fast}
    whole = KINDS[kind] | {"training": KINDS[kind]["training"] | quick}
    loop, _ = runner.prepare(experiment_from(whole, "here"), tmp_path, "cpu", "none")
    found = []
    for _ in range(40):
        loop.step()
        found.append(loop._metrics["new_frame"])
    assert sum(found[-8:]) < 0.9 * sum(found[:8])


def test_a_view_is_the_newest_frame_first_and_what_is_wanted_follows():
    """Of age 3: frames 3 and 2 are seen, 4 is wanted; of a window, as the paper has it, 4 and 3."""
    made = films().float() / 255
    age = torch.full((3,), 3)
    cells, window = watcher(), watcher(state="window")
    assert torch.equal(cells.view(films(), age), made[:, [3, 2]])
    assert torch.equal(cells.wanted(films(), age), made[:, [4]])
    assert torch.equal(window.wanted(films(), age), made[:, [4, 3]])
    assert torch.equal(window.new(window.wanted(films(), age)), made[:, [4]])
    assert torch.equal(cells.view(films(), torch.zeros(3).long()), made[:, [0, 0]])
    both = watcher(state="window", frames=3, shift=2)
    assert torch.equal(both.wanted(films(), age), made[:, [5, 4, 3]])
    assert torch.equal(both.new(both.wanted(films(), age)), made[:, [4, 5]])


def test_frames_lie_in_their_channels_pixel_by_pixel():
    """A patch's pixels are channels; both ways round give the picture back."""
    cells = watcher()
    seen = films().float()[:, [3, 2]] / 255
    alone = torch.tensor([True, False, True])
    state = cells.start(3, 32, 32)
    state[:, -6:] = 0.5
    shown = cells.shown(state, seen, alone)
    layout = cells.nca.layout
    assert (layout.fixed, layout.visible) == (34, 16)
    assert torch.equal(F.pixel_shuffle(shown[:, :16], 4)[:, 0], seen[:, 0])
    assert torch.equal(F.pixel_shuffle(shown[:, 16:32], 4)[:, 0], seen[:, 1])
    assert torch.equal(cells.told(shown), seen[:, :1])
    assert torch.equal(shown[:, 32:34], state[:, 32:34])
    assert (shown[:, -6:] == 0.5).all()


def test_what_is_carried_and_what_begins_anew():
    """Hidden numbers live on, or not; in a window, where a film's own frames are seen again."""
    seen, alone = films().float()[:, [3, 2]] / 255, torch.tensor([True, False, True])
    kept = {}
    for state in ("carried", "fresh", "window"):
        cells = watcher(state=state)
        before = cells.start(3, 32, 32)
        before[:, -6:] = 0.5
        kept[state] = cells.shown(before, seen, alone)[:, -6:].amax((1, 2, 3)).tolist()
    assert kept == {"carried": [0.5] * 3, "fresh": [0.0] * 3, "window": [0.5, 0.0, 0.5]}


def test_positions_know_the_edges_of_any_canvas():
    """Near an edge alike on a small and a large canvas, and in pixels, whatever a cell holds."""
    view = FilmView(frames=1, patch=4, positions="walls")
    small, large = positions(view, 16, 16), positions(view, 32, 32)
    assert torch.allclose(small[:, :4, :4], large[:, :4, :4], atol=0.02)
    assert small[0, 0, 5] < -0.99
    assert small[1, 5, 15] > 0.99
    assert large[:, 16, 16].abs().max() < 0.01
    pixels = positions(FilmView(frames=1, patch=1, positions="walls"), 64, 64)
    assert torch.allclose(pixels[:, ::4, ::4][:, :4, :4], small[:, :4, :4], atol=0.02)
    coordinates = positions(FilmView(frames=1, positions="coordinates"), 5, 3)
    assert coordinates[0, :, 0].tolist() == [-1, -0.5, 0, 0.5, 1]


def test_walls_are_seen_where_they_stand():
    walls = random_walls(3, 32, torch.Generator().manual_seed(0))
    cells = watcher(walls=True)
    state = cells.start(3, 32, 32, walls)
    fixed = cells.nca.layout.fixed
    assert torch.equal(F.pixel_shuffle(state[:, fixed - 16 : fixed], 4)[:, 0] > 0, walls)
    with pytest.raises(ValueError, match="no channels for them"):
        watcher().start(3, 32, 32, walls)


def test_a_convolutional_lstm_remembers():
    """One layer by hand; a state changes what is told."""
    torch.manual_seed(0)
    network = ConvLSTM(4, [3], 3)
    seen, state = torch.rand(2, 4, 5, 5), torch.rand(2, 6, 5, 5)
    told, after = network(seen, state)
    gates = F.conv2d(
        torch.cat([seen, state[:, :3]], 1),
        network.gates[0].weight,
        network.gates[0].bias,
        padding=1,
    )
    write, keep, tell, new = gates.split(3, 1)
    memory = keep.sigmoid() * state[:, 3:] + write.sigmoid() * new.tanh()
    hidden = tell.sigmoid() * memory.tanh()
    assert torch.allclose(after, torch.cat([hidden, memory], 1))
    assert torch.allclose(told, F.conv2d(hidden, network.last.weight, network.last.bias))
    assert not torch.allclose(told, network(seen, 0 * state)[0])
    with pytest.raises(ValueError, match="expected one layer or more, and an odd kernel"):
        ConvLSTM(4, [3], 4)
    with pytest.raises(ValueError, match="no channels for them"):
        RecurrentFilm(network, 2).start(1, 4, 4, torch.zeros(1, 4, 4, dtype=torch.bool))


def test_a_film_that_explodes_begins_anew(tmp_path):
    """And so does one that ends; the others go on."""
    loop, _ = runner.prepare(experiment_from(content(running=4), "here"), tmp_path, "cpu", "none")
    running = loop.learner.running
    assert running.parts["age"].tolist() == [0, 2, 4, 0]
    which, drawn = running.draw(4)
    drawn["age"] = torch.tensor([3, 6, 5, 2])
    drawn["state"][2] = float("nan")
    drawn["state"][3] += 50
    before = running.parts["films"].clone()
    running.store(which, drawn)
    assert running.parts["age"].tolist() == [3, 0, 0, 0]
    same = [torch.equal(a, b) for a, b in zip(before, running.parts["films"], strict=True)]
    assert same == [True, False, False, False]
    assert running.parts["state"].isfinite().all()


def test_own_frames_come_back_when_the_true_ones_are_over(tmp_path):
    """Before `forced` all frames are true; after it, those from `shown` on are its own."""
    seen = []
    for forced in (0.0, 1.0):
        experiment = experiment_from(content(forced=forced), "here")
        loop, _ = runner.prepare(experiment, tmp_path, "cpu", "none")
        learner, looked = loop.learner, []
        look = learner.watcher.look

        def noting(state, frames, alone, generator, look=look, looked=looked):
            looked.append(alone.tolist())
            return look(state, frames, alone, generator)

        learner.watcher.look = noting
        loop.step()
        loop.step()
        seen.append(looked)
    no, yes = False, True  # of two films, at first of ages 0 and 2
    assert seen[0] == [[no, no], [no, yes], [no, yes], [yes, yes]]
    assert not any(any(flags) for flags in seen[1])


BAD = {
    "films of 1 frame; expected 2 or more": content(data={"frames": 1}),
    "3 frames to begin with, and 2 times 3 to tell, are 9, and a film has 8": content(
        view={"state": "window", "frames": 3, "shift": 3}
    ),
    "shown 8 of films of 8 frames leaves none": content(shown=8, window=1),
    "shown 2 is less than the 3 frames of the first view": content(
        view={"state": "window", "frames": 3}, shown=2
    ),
    "shift 3 leaves nothing of a window of 2 frames": content(view={"state": "window", "shift": 3}),
    "shift 2 with state carried, which tells one frame": content(view={"shift": 2}),
    "moves 9.5 pixels from what is seen to what is told, and news travels 8: 2 steps of 1 cells "
    "of 4; no such automaton can follow: expected 8 or less": content(data={"fastest": 9.5}),
    "moves 3.6 pixels from what is seen to what is told, and news travels 2: ": content(
        view={"state": "window", "patch": 1, "shift": 2}
    ),
    "a speed of 30 pixels a frame, and a digit's free way is 18": content(data={"fastest": 30.0}),
    "data.side 32 does not divide into cells of model.view.patch 5 pixels": content(
        view={"patch": 5}
    ),
    "data.walls True, model.view.walls False": content(data={"walls": True}),
    "in a film no cell is dead": content(model={"living_threshold": 0.1}),
    "running 1 is smaller than the batch of 2": content(running=1),
    "data.walls is true, and this network has no channels": recurrent(data={"walls": True}),
}


@pytest.mark.parametrize("message", BAD)
def test_what_cannot_be_is_refused_in_a_line(message):
    with pytest.raises(ConfigError) as caught:
        experiment_from(BAD[message], "here")
    assert message in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_frames_that_do_not_divide_are_refused():
    with pytest.raises(ValueError, match=r"frames of 30×32 pixels do not divide into cells of 4×4"):
        watcher().start(1, 30, 32)
    cells = watcher()
    with pytest.raises(ValueError, match="for this view"):
        FilmCells(cells.nca, FilmView(frames=3, patch=4), 2)


def test_the_experiments_are_of_the_sizes_they_say():
    cells, lstm = find("moving-cells"), find("moving-convlstm")
    counts = parameter_count(cells), parameter_count(lstm)
    assert max(counts) < 200_000
    assert abs(counts[0] - counts[1]) < 0.01 * counts[0]
    for name in ("moving-cells", "moving-pixels", "moving-paper"):
        assert task_of(find(name)).name == "next-frame"
