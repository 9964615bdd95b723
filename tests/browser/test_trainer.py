"""The figure that trains, in Chromium: it learns, rests, is drawn on, and its weights are saved."""

import re
import time

import pytest

from ncabook.data import emoji
from ncabook.live import load_trained, trainer_figure
from ncabook.live.html import PAGE
from ncabook.live.script import page_script
from tests.browser.pages import look_around, until

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """A page with one figure, of a small picture, in the frame of an exported one."""
    figure = trainer_figure({"fish": emoji("🐠", 12, 0), "face": emoji("😀", 12, 0)}, margin=2)
    file = tmp_path_factory.mktemp("trainer") / "page.html"
    file.write_text(PAGE.format(title="Train", figure=figure, script=page_script()), "utf-8")
    return file.as_uri()


def iterations(page):
    return int(re.match(r"\d+", page.locator(".nt-numbers").inner_text()).group())


def ink(page, name):
    """How many cells of a canvas are no paper."""
    script = """(name) => {
      const canvas = document.querySelector(`canvas[aria-label^="${name}"]`);
      const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
      return data.filter((value, i) => i % 4 === 0 && value !== 238).length;
    }"""
    return page.evaluate(script, name)


def test_a_reader_trains_and_takes_the_weights(visit_page, address, tmp_path):
    """By keyboard alone, but for a stroke; hidden pages learn nothing."""
    page = visit_page(address, wait=False)
    until(lambda: page.locator(".nt-numbers").inner_text() != "")
    assert ink(page, "The automaton now") == 1, "a seed"
    look_around(page)

    page.get_by_role("combobox", name="Picture").select_option("empty sheet")
    assert ink(page, "Your picture") == 0
    pad = page.get_by_label("Your picture")
    pad.focus()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Space")
    box = pad.bounding_box()
    page.mouse.move(box["x"] + 0.4 * box["width"], box["y"] + 0.6 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + 0.6 * box["width"], box["y"] + 0.7 * box["height"])
    page.mouse.up()
    assert ink(page, "Your picture") > 8

    train = page.get_by_role("button", name="Train")
    train.focus()
    page.keyboard.press("Enter")
    until(lambda: iterations(page) > 20, 30)
    page.get_by_label("The automaton now").focus()
    page.keyboard.press("Space")
    page.evaluate("""() => {
      Object.defineProperty(document, "hidden", { value: true, configurable: true });
      document.dispatchEvent(new Event("visibilitychange"));
    }""")
    time.sleep(1)
    seen = iterations(page)
    time.sleep(0.5)
    assert iterations(page) == seen, "hidden, and it goes on"
    page.evaluate("""() => {
      Object.defineProperty(document, "hidden", { value: false, configurable: true });
      document.dispatchEvent(new Event("visibilitychange"));
    }""")
    until(lambda: iterations(page) > seen)
    page.get_by_role("button", name="Pause").click()

    page.get_by_text("How it learns").click()
    look_around(page)
    with page.expect_download() as download:
        page.get_by_role("button", name="Save weights").click()
    path = tmp_path / "weights.safetensors"
    download.value.save_as(path)
    assert load_trained(path).parameter_count > 1000
    page.get_by_role("button", name="Open in the player").click()
    until(lambda: page.evaluate("document.querySelector('.nca-figure')?.ncaPlayer !== undefined"))
    page.get_by_role("button", name="Start over").click()
    until(lambda: iterations(page) == 0)
