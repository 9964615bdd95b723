"""The laboratory in a browser: chosen from the shelf, side by side, under the same strokes."""

import threading
from base64 import b64decode, b64encode
from contextlib import contextmanager

import numpy as np
import pytest

from ncabook.lab import shelf
from ncabook.lab.server import Laboratory, Server
from ncabook.live import load_state
from ncabook.live.script import page_script
from tests.browser.pages import look_around, mounted, until

pytestmark = pytest.mark.browser
MODELS = ["emoji-sobel", "emoji-conv3", "mnist-mse"]
FIGURES = "document.querySelectorAll('figure')"


@pytest.fixture(scope="module")
def served():
    """A laboratory with three models; its address."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shelf, "shown_names", lambda: MODELS)
        laboratory = Laboratory(MODELS[:1])
    with Server(laboratory, 0) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server.address
        server.shutdown()
        thread.join()


@contextmanager
def opened(chromium, address, **options):
    """The page, when its first figure lives; it may complain of nothing."""
    context = chromium.new_context(**{"reduced_motion": "reduce", **options})
    page, complaints = context.new_page(), []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(address)
    until(lambda: page.locator("figure").count() > 0 and mounted(page, 0), 60)
    yield page
    context.close()
    assert [c for c in complaints if "willReadFrequently" not in c] == []


def last(page, index, what):
    return page.evaluate(f"{FIGURES}[{index}].ncaPlayer.{what}")


def events(page, index):
    """What has been done to a figure's automaton."""
    answer = page.evaluate(f"{FIGURES}[{index}].ncaPlayer.send({{ kind: 'recorded' }})")
    return [(e["kind"], e.get("x"), e.get("y")) for e in answer["recorded"]["events"]]


def test_two_models_are_chosen_damaged_and_compared(chromium, served):
    """One by default; a second by search; strokes, choices and steps are those of both."""
    with opened(chromium, served, viewport={"width": 1440, "height": 1000}) as page:
        assert page.locator(".lab-name").all_inner_texts() == ["emoji-sobel"]
        page.get_by_label("Search").fill("5×5")
        assert page.locator(".lab-model:visible").count() == 0
        page.get_by_label("Search").fill("EMOJI conv 3")
        assert page.locator(".lab-model:visible").count() == 1
        page.get_by_role("button", name="Show emoji-conv3 beside the others").click()
        until(lambda: page.locator("figure").count() == 2 and mounted(page, 1), 60)
        assert page.url.endswith("?models=emoji-sobel,emoji-conv3")

        page.get_by_role("button", name="Play all").click()
        until(lambda: min(last(page, i, "last.step") for i in (0, 1)) > 20, 60)
        page.get_by_role("button", name="Same step").click()
        until(lambda: last(page, 0, "last.step") == last(page, 1, "last.step"), 60)
        until(lambda: not last(page, 0, "playing") and not last(page, 1, "playing"))

        page.locator("figure canvas[role=img]").first.click(position={"x": 150, "y": 150})
        until(lambda: len(events(page, 1)) == 1)
        assert events(page, 0) == events(page, 1)
        assert events(page, 0)[0][0] == "erase"
        page.locator("figure").nth(1).get_by_text("lizard").click()
        until(lambda: last(page, 0, "last.classIndex") == 1)
        page.get_by_label("What I do to one, do to all").uncheck()
        page.locator("figure canvas[role=img]").first.click(position={"x": 90, "y": 90})
        until(lambda: len(events(page, 0)) == 3)
        assert len(events(page, 1)) == 2

        with page.expect_download() as download:
            page.get_by_role("button", name="Save the state").first.click()
        state = np.load(download.value.path())
        grid = last(page, 0, "descriptions[0]")
        assert state.shape == (grid["height"], grid["width"], grid["channels"])
        alive = (state[..., grid["living"]] > grid["living_threshold"]).sum()
        row = page.locator(".lab-numbers tbody tr").first
        until(lambda: row.locator("td").nth(3).inner_text() == f"{alive:,}")
        step, error = row.locator("td").all_inner_texts()[:2]
        assert int(step) == last(page, 0, "last.step")
        assert float(error) == pytest.approx(last(page, 0, "last.errors[0]"), rel=0.06)
        look_around(page)


def cells_of(page, index):
    """The bytes of a figure's cells."""
    text = """({ state }) => btoa(Array.from(new Uint8Array(state.buffer),
      (byte) => String.fromCharCode(byte)).join(""))"""
    ask = f"{FIGURES}[{index}].ncaPlayer.send({{ kind: 'getState' }})"
    return b64decode(page.evaluate(f"{ask}.then({text})"))


def says(page, text):
    """Waits for the page's status, and for the line below the figure, to say something."""
    until(lambda: text in page.locator("#nca-lab > [role=status]").inner_text(), 60)
    until(lambda: text in page.locator(".lab-told:visible").inner_text())


def dropped(page, name, content, onto="figure canvas[role=img]"):
    """Lets a file fall on a figure; whether the page took it."""
    make = """({ name, content }) => {
      const transfer = new DataTransfer();
      transfer.items.add(new File([Uint8Array.from(atob(content), (c) => c.charCodeAt(0))], name));
      return transfer;
    }"""
    transfer = page.evaluate_handle(make, {"name": name, "content": b64encode(content).decode()})
    page.locator(onto).first.dispatch_event("dragover", {"dataTransfer": transfer})
    assert page.locator(".lab-over").count() == 1
    page.locator(onto).first.dispatch_event("drop", {"dataTransfer": transfer})
    assert page.locator(".lab-over").count() == 0


def test_a_saved_state_is_loaded_into_its_model(chromium, served, tmp_path):
    """Saved, damaged, loaded: the same bytes; another model's figure gives way to its own."""
    with opened(chromium, served, viewport={"width": 390, "height": 844}) as page:
        page.evaluate(f"{FIGURES}[0].ncaPlayer.ask({{ kind: 'advance', steps: 20, budget: 1e9 }})")
        with page.expect_download() as download:
            page.get_by_role("button", name="Save the state").click()
        path = tmp_path / "mine.npy"
        download.value.save_as(path)
        assert download.value.suggested_filename == "emoji-sobel-step-20.npy"
        saved, load = cells_of(page, 0), page.get_by_role("button", name="Load a state…")
        choosers = []
        # Early, since a key is faster than a new listener.
        page.on("filechooser", lambda chooser: choosers.append(chooser))
        assert load_state(path).cells[0].permute(1, 2, 0).numpy().tobytes() == saved
        assert (load_state(path).model, load_state(path).step) == ("emoji-sobel", 20)

        page.locator("figure canvas[role=img]").first.click(position={"x": 150, "y": 150})
        until(lambda: cells_of(page, 0) != saved)
        damaged = cells_of(page, 0)
        page.get_by_role("button", name="Play").click()
        load.focus()
        page.keyboard.press("Enter")
        until(lambda: page.title() and len(choosers) > 0)  # asking lets the browser's events in
        choosers[0].set_files(path)
        says(page, "mine.npy is loaded: emoji-sobel at step 20")
        assert not last(page, 0, "playing")
        assert (last(page, 0, "last.step"), cells_of(page, 0)) == (20, saved)
        page.get_by_role("button", name="Undo the load").click()
        until(lambda: cells_of(page, 0) != saved)
        assert last(page, 0, "last.step") >= 20
        assert damaged != saved
        look_around(page)

        before, content = cells_of(page, 0), path.read_bytes()
        for name, bad, reason in (
            ("notes.txt", b"hello", "notes.txt is no state"),
            ("cut.npy", content[:5000], "cut.npy is cut short"),
            ("far.npy", content.replace(b'"step":20', b'"step":-1'), "step is -1; expected"),
            ("new.npy", content.replace(b'"version":1', b'"version":2'), "is of version 2"),
            (
                "who.npy",
                content.replace(b"emoji-sobel", b"emoji-other"),
                "of the model emoji-other",
            ),
        ):
            dropped(page, name, bad)
            says(page, reason)
            says(page, "Nothing has changed")
            assert cells_of(page, 0) == before
            assert page.locator(".lab-name").all_inner_texts() == ["emoji-sobel"]

        page.get_by_role("button", name="Show emoji-conv3: ").click()
        until(lambda: page.locator(".lab-name").all_inner_texts() == ["emoji-conv3"], 60)
        until(lambda: mounted(page, 0), 60)
        dropped(page, "who.npy", content.replace(b"emoji-sobel", b"mnist-mse--"))
        says(page, "of the model mnist-mse--")
        dropped(page, "mine.npy", content)
        says(page, "mine.npy is loaded: emoji-sobel at step 20")
        assert page.locator(".lab-name").all_inner_texts() == ["emoji-sobel"]
        assert page.locator(".lab-numbers tbody th").all_inner_texts() == ["emoji-sobel"]
        assert page.url.endswith("?models=emoji-sobel")
        assert cells_of(page, 0) == saved


def test_a_link_brings_back_the_bench(chromium, served):
    """Also to a moment of its second figure; a model that nobody knows is left out."""
    with opened(chromium, f"{served}?models=mnist-mse,no-such,emoji-conv3") as page:
        until(lambda: page.locator("figure").count() == 2 and mounted(page, 1), 60)
        page.get_by_role("button", name="Take mnist-mse away").click()
        assert page.locator(".lab-name").all_inner_texts() == ["emoji-conv3"]
        assert page.url.endswith("?models=emoji-conv3")
        page.get_by_role("button", name="Show mnist-mse: ").click()  # in its place
        until(lambda: page.locator(".lab-name").all_inner_texts() == ["mnist-mse"], 60)


def test_it_works_from_a_file(chromium, tmp_path, monkeypatch):
    """Models are scripts, since a page from file:// may load nothing else."""
    monkeypatch.setattr(shelf, "shown_names", lambda: MODELS[:2])
    shelf.write(tmp_path)
    page = (shelf.HERE / "lab.html").read_text().replace('"/', '"./').replace("FIRST", MODELS[0])
    page = page.replace(' data-runs="lab/runs.json"', "")
    (tmp_path / "lab/engine.js").write_text(page_script())
    (tmp_path / "index.html").write_text(page)
    with opened(chromium, (tmp_path / "index.html").as_uri()) as page:
        page.get_by_role("button", name="Show emoji-conv3: ").click()
        until(lambda: page.locator(".lab-name").all_inner_texts() == ["emoji-conv3"], 60)
        until(lambda: mounted(page, 0), 60)
        assert page.locator(".lab-model img").first.evaluate("i => i.decode().then(() => i.width)")
