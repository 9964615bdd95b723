"""The laboratory in a browser: chosen from the shelf, side by side, under the same strokes."""

import threading
from contextlib import contextmanager

import numpy as np
import pytest

from ncabook.lab import shelf
from ncabook.lab.server import Laboratory, Server
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
