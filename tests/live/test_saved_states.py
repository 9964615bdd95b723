"""A state goes into a file and comes back: the same bytes, the same steps; in PyTorch, too."""

import base64
import io
import json

import numpy as np
import pytest
import torch

from ncabook.automaton import hashed_fire
from ncabook.files import CorruptFileError
from ncabook.live import describe, load_state
from tests.live import test_canvas, test_film, test_seeds
from tests.live.test_engine import automaton, described
from tests.live.test_timeline import DISC, act, steps

pytestmark = pytest.mark.node
SAVE, LOAD, BACK = {"kind": "save"}, {"kind": "load"}, {"kind": "back"}
RESET, RECALL = {"kind": "reset"}, {"kind": "recall"}
HARM = [act(**DISC | {"x": 4, "y": 4, "size": 5}), steps(9)]


@pytest.fixture(scope="module")
def model():
    return described(automaton())


def guided():
    options = {"seeds": test_seeds.cells(), "free": torch.linspace(-1, 1, 7)}
    size = test_seeds.HEIGHT, test_seeds.WIDTH
    return describe(test_seeds.grower(), *size, seed=test_seeds.SEED, **options)


def filmed():
    return test_film.model(test_film.watcher(), throws=test_film.films(1).digits[0])


# A model, and what is done before its state is saved: all of it has to be in the file.
PLANT = act(kind="plant", x=3, y=2)
CASES = {
    "a class": (lambda: described(automaton()), [steps(7), act(kind="mutate", index=3), steps(4)]),
    "a fresh seed's ring": (lambda: described(automaton(), ring=True), [steps(5), PLANT]),
    "grafts": (
        lambda: test_canvas.described(test_canvas.patchwork())[1],
        [steps(4), *(act(kind=kind, **event) for kind, event in test_canvas.GRAFTS), steps(3)],
    ),
    "guidance": (guided, [act(kind="mutate", index=1), act(kind="guide", weight=0.6), steps(6)]),
    "a film": (filmed, [test_film.looks(3), test_film.throw(), steps(13), test_film.watch(True)]),
}


def same(a, b):
    """Bit for bit."""
    return a["state"].numpy().tobytes() == b["state"].numpy().tobytes()


@pytest.mark.parametrize("case", CASES)
def test_what_was_saved_comes_back_and_goes_on_as_it_would_have(simulate, case):
    """After damage to the same figure, and in a fresh one that knows nothing but the file."""
    make, plan = CASES[case]
    model = make()
    there = simulate(*model, *plan, SAVE)
    later = simulate(*model, *plan, steps(20))
    back = simulate(*model, *plan, SAVE, *HARM, LOAD)
    assert not same(simulate(*model, *plan, *HARM), there)
    assert same(back, there)
    assert back["refusals"] == []
    (file,) = there["files"]
    for before in ([], [steps(2)]):
        fresh = simulate(*model, *before, {**LOAD, "file": file})
        for name in ("step", "classIndex", "degrees", "weight", "alone", "errors"):
            assert fresh[name] == there[name], name
        assert same(fresh, there)
        assert same(simulate(*model, *before, {**LOAD, "file": file}, steps(20)), later)


def test_a_load_is_taken_back_as_a_reset_is(model, simulate):
    """With all that had happened; and a reset after a load can bring the loaded state back."""
    plan = [steps(21), SAVE, steps(3), *HARM]
    before, saved = simulate(*model, *plan), simulate(*model, steps(21))
    for way in (RECALL, BACK):
        undone = simulate(*model, *plan, LOAD, way)
        assert same(undone, before)
        assert undone["recorded"] == before["recorded"]
    assert simulate(*model, *plan, LOAD)["recorded"] is None, "no link can tell of a file"
    assert same(simulate(*model, *plan, LOAD, RESET, RECALL), saved)
    assert simulate(*model, *plan, LOAD, RESET)["step"] == 0
    assert same(simulate(*model, *plan, LOAD, steps(9), *[BACK] * 9), saved)


def arrays(file):
    """Cells, what is told of them, and the arrays behind."""
    with io.BytesIO(base64.b64decode(file)) as content:
        cells, told = np.load(content), json.loads(np.load(content).tobytes())
        return cells, told, [np.load(content) for _ in told["arrays"]]


def packed(cells, told=None, further=()):
    """A file of such parts."""
    content = io.BytesIO()
    for array in (cells, *([] if told is None else [as_bytes(told)]), *further):
        np.save(content, array)
    return base64.b64encode(content.getvalue()).decode()


def as_bytes(told):
    return np.frombuffer(json.dumps(told).encode(), np.uint8)


def with_one(cells, value):
    cells = cells.copy()
    cells[2, 3, 4] = value
    return cells


REFUSED = {
    "a text": (lambda c, t: base64.b64encode(b"hello").decode(), "a.npy is no state: it does not"),
    "nothing": (lambda c, t: "", "a.npy is empty"),
    "other numbers": (lambda c, t: packed(c.astype(float), t), "numbers of type <f8; a state has"),
    "another shape": (
        lambda c, t: packed(c[0], t),
        r"is no state: it holds \[26, 16\] of type <f4",
    ),
    "channels": (lambda c, t: packed(c[..., :12], t), "12 channels in each cell; this one has 16"),
    "a grid": (lambda c, t: packed(c[:8], t), "a grid of 26 × 8 cells; this one lives on 26 × 19"),
    "NaN": (
        lambda c, t: packed(with_one(c, np.nan), t),
        "not finite: NaN in row 3, column 4, channel 4",
    ),
    "infinity": (lambda c, t: packed(with_one(c, np.inf), t), "a number that is not finite: Inf"),
    "columns first": (
        lambda c, t: packed(np.asfortranarray(c), t),
        "column by column; save np.asc",
    ),
    "a later version": (lambda c, t: packed(c, t | {"version": 2}), "is of version 2 of these fil"),
    "another format": (lambda c, t: packed(c, t | {"format": "x"}), "does not tell of a state"),
    "a second state": (lambda c, t: packed(c, None, [c]), "does not tell of a state"),
    "no model": (lambda c, t: packed(c, t | {"model": None}), "does not tell its model, seeds"),
    "a foreign array": (lambda c, t: packed(c, t | {"arrays": ["x"]}), "names an array that no st"),
    "a lost array": (lambda c, t: packed(c, t | {"arrays": ["rules"]}), "cut short: rules is not"),
    "more": (lambda c, t: packed(c, t, [c]), "goes on behind what it tells of"),
    "a step": (lambda c, t: packed(c, t | {"step": -1}), "step is -1; expected a whole number"),
    "a class": (
        lambda c, t: packed(c, t | {"class_index": 5}),
        "classIndex is 5; expected a whole",
    ),
    "a turn": (lambda c, t: packed(c, t | {"degrees": 10}), "degrees is 10; expected"),
    "a guided one": (
        lambda c, t: packed(c, t | {"arrays": ["unguided"]}, [c]),
        "what lies beside the cells",
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_no_state_of_this_automaton_is_refused_in_a_line(model, simulate, what):
    """And nothing has changed: state, past, what can be told."""
    change, reason = REFUSED[what]
    cells, told, _ = arrays(simulate(*model, steps(5), SAVE)["files"][0])
    bad = {**LOAD, "file": change(cells, told)}
    before = simulate(*model, steps(8), act(**DISC))
    after = simulate(*model, steps(8), act(**DISC), bad)
    (refusal,) = after["refusals"]
    with pytest.raises(ValueError, match=reason):
        raise ValueError(refusal)
    assert "\n" not in refusal
    assert len(refusal) < 250
    assert same(after, before)
    assert after["recorded"] == before["recorded"]
    assert not after["canRecall"]


def test_a_file_cut_anywhere_is_refused(model, simulate):
    """Never half a state, and no other error; only a cut right behind the cells leaves a state."""
    (file,) = simulate(*model, steps(5), SAVE)["files"]
    content = base64.b64decode(file)
    cells = 128 + 4 * 19 * 26 * 16
    ends = [*range(0, 140, 7), cells - 1, cells + 1, cells + 100, cells + 130, len(content) - 1]
    loads = [{**LOAD, "file": base64.b64encode(content[:end]).decode()} for end in ends]
    after = simulate(*model, steps(8), *loads)
    assert len(after["refusals"]) == len(ends)
    assert all(r.startswith("a.npy ") and "undefined" not in r for r in after["refusals"])
    assert same(after, simulate(*model, steps(8)))


def test_what_a_film_has_beside_its_cells_is_checked(simulate):
    """It says where digits are and how fast they fly: bad numbers must not hang a page."""
    model = filmed()
    cells, told, (film,) = arrays(simulate(*model, *CASES["a film"][1], SAVE)["files"][0])
    for at, value in ((0, -1), (1, 0.5), (2, np.nan), (3, 1e9), (4, 99), (5, 1e9), (7, 1e300)):
        wrong = film.copy()
        wrong[2 * at : 2 * at + 2] = np.array([value], np.float64).view(np.float32)
        after = simulate(*model, {**LOAD, "file": packed(cells, told, [wrong])})
        assert "what lies beside the cells" in after["refusals"][0], at
    after = simulate(*model, {**LOAD, "file": packed(cells, told, [film[:-1]])})
    assert "what lies beside the cells" in after["refusals"][0]


def test_cells_that_numpy_saved_are_a_state(model, simulate):
    """It begins at step 0; the class stays what it is."""
    cells = np.random.default_rng(0).random((19, 26, 16), np.float32)
    after = simulate(*model, act(kind="mutate", index=2), {**LOAD, "file": packed(cells)})
    assert after["refusals"] == []
    assert (after["step"], after["classIndex"]) == (0, 2)
    assert after["state"][0].permute(1, 2, 0).numpy().tobytes() == cells.tobytes()


def test_python_reads_it_and_goes_on_in_pytorch(simulate, tmp_path):
    """``load_state`` has cells, step, seed and class; ten steps more are those of the page."""
    nca = automaton()
    model = described(nca)
    begin = [steps(7), act(kind="mutate", index=3), steps(4)]
    there = simulate(*model, *begin, SAVE)
    path = tmp_path / "state.npy"
    path.write_bytes(base64.b64decode(there["files"][0]))
    saved = load_state(path)
    assert torch.equal(saved.cells, there["state"])
    assert (saved.model, saved.step, saved.class_index) == ("a-model", 11, 3)
    assert saved.class_name == model[0]["classes"][3]["name"]
    assert np.load(path).shape == (19, 26, 16)

    def fire(t):
        return hashed_fire(19, 26, saved.step + t, saved.seed, nca.fire_rate)

    wanted = nca.rollout(saved.cells, 10, torch.eye(5)[[3]], fire=fire)
    assert (simulate(*model, *begin, steps(10))["state"] - wanted).abs().max() <= 1e-4

    for name in ("grafts", "guidance"):
        make, plan = CASES[name]
        path.write_bytes(base64.b64decode(simulate(*make(), *plan, SAVE)["files"][0]))
        saved = load_state(path)
        if name == "grafts":
            assert saved.rules.unique().tolist() == [0, 1, 2]
        else:
            assert saved.weight == 0.6
            assert saved.unguided.shape == saved.cells.shape


def test_python_refuses_what_is_no_state(model, simulate, tmp_path):
    cells, told, _ = arrays(simulate(*model, steps(5), SAVE)["files"][0])
    path = tmp_path / "state.npy"
    with pytest.raises(FileNotFoundError):
        load_state(path)
    path.write_bytes(base64.b64decode(packed(cells)))
    assert load_state(path).model is None
    assert load_state(path).step == 0
    whole = base64.b64decode(packed(cells, told))
    for content in (
        *(b"", b"hello", whole[:50], whole[:5000], whole[:-1], whole[: 128 + cells.nbytes + 9]),
        *(
            base64.b64decode(text)
            for text in (
                *(packed(cells.astype(float), told), packed(cells[0], told)),
                *(packed(with_one(cells, np.nan), told), packed(cells, told | {"version": 2})),
                *(packed(cells, told | {"format": 1}), packed(cells, told | {"arrays": ["x"]})),
                *(
                    packed(cells, {"format": told["format"], "version": 1, "arrays": []}),
                    packed(cells, 3),
                ),
                packed(cells, told | {"arrays": ["rules"]}),
            )
        ),
    ):
        path.write_bytes(content)
        with pytest.raises(CorruptFileError) as caught:
            load_state(path)
        assert str(path) in str(caught.value)
        assert "\n" not in str(caught.value)
