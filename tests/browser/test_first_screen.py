"""A chapter's page as a reader meets it: alive at first sight, little code, nothing cut off."""

import re
import sys
from pathlib import Path

import pytest

from tests.browser.pages import typeset

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "scripts"))

import book  # noqa: E402

CHAPTERS = [path.stem for path in book.chapters()]
SCREENS = {"desk": (1440, 900), "phone": (390, 844)}
LONGEST = 25  # lines of code in sight
FIGURE = "figure.nca-figure, figure.nca-elementary, figure.nca-trainer"

pytestmark = [pytest.mark.browser, pytest.mark.book, pytest.mark.slow]

# What is visible, and how it fits; `cut` is text or pictures wider than what holds them, where
# nothing scrolls.
LOOK = """() => {
  const main = document.querySelector("main"), seen = (e) => e.checkVisibility();
  const scrolls = (e) => {
    for (let box = e; box && box !== main; box = box.parentElement)
      if (["auto", "scroll"].includes(getComputedStyle(box).overflowX)) return true;
    return false;
  };
  const right = main.getBoundingClientRect().right;
  const wide = [...main.querySelectorAll("pre, table, img, svg, mjx-container, canvas")]
    .filter((e) => seen(e) && e.getBoundingClientRect().right > right + 1 && !scrolls(e));
  const pres = [...main.querySelectorAll("div.cell_input pre")].filter(seen);
  const captioned = (e) => e.closest("figure")?.querySelector("figcaption .caption-number");
  return {
    text: main.innerText,
    codes: pres.map((pre) => pre.textContent),
    cutCode: pres.filter((pre) => pre.scrollWidth > pre.clientWidth + 1).length,
    cut: wide.map((e) => e.outerHTML.slice(0, 80)),
    bare: [...main.querySelectorAll("div.cell_output img, div.cell_output table")]
      .filter((e) => seen(e) && !e.closest("figure.nca-figure") && !captioned(e))
      .map((e) => e.outerHTML.slice(0, 80)),
    emptyHeads: [...main.querySelectorAll("th")].filter((th) => !th.textContent.trim()).length,
  };
}"""


@pytest.fixture(params=CHAPTERS)
def chapter(chromium, site, request):
    """A chapter's address; its name."""
    return f"{site}/book/{request.param}.html"


def test_a_chapter_is_alive_at_first_sight_and_shows_what_teaches(chromium, chapter):
    """On a desk and a phone: title, sentences and the whole running figure in the first screen."""
    context = chromium.new_context(reduced_motion="no-preference")
    context.set_default_timeout(120_000)
    page = context.new_page()
    for kind, (width, height) in SCREENS.items():
        page.set_viewport_size({"width": width, "height": height})
        page.goto(chapter, wait_until="load")
        figure = page.locator(FIGURE).first
        figure.locator("button", has_text=re.compile("Play|Pause|Train")).first.wait_for()
        page.wait_for_timeout(300)
        assert typeset(page) == []  # formulas come later than the figure, and may be too wide
        box = figure.locator("> div").first.bounding_box()
        assert page.evaluate("scrollY") == 0
        assert box["y"] > page.locator("main h1:visible").first.bounding_box()["y"]
        assert box["y"] + box["height"] <= height, f"{kind}: the figure ends below the screen"
        look = page.evaluate(LOOK)
        for hidden in ("NBVAL", "glue(", ".invalid", "%pip"):
            assert hidden not in look["text"], hidden
        for code in look["codes"]:
            assert len(code.strip().split("\n")) <= LONGEST, code
        assert look["cutCode"] == 0
        assert look["cut"] == [], kind
        assert look["bare"] == [], kind
        assert look["emptyHeads"] == 0
    context.close()
