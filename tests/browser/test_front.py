"""The front door of the built book, and the ways out: what a reader meets first, and takes home."""

import json
import re
import sys
import zipfile
from pathlib import Path

import pytest
import yaml

from tests.browser.pages import satisfies_axe, typeset, until

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / "scripts"), str(ROOT / "book" / "_ext")]

import chapters as cards  # noqa: E402
import icons  # noqa: E402
import offline_copy  # noqa: E402
import ways_out  # noqa: E402

import book  # noqa: E402

CHAPTERS = [path.stem for path in book.chapters()]
INDEX = "book/index.html"
HTML = ROOT / "_build" / "html"
LOUD = ("error", "warning")
SCREENS = [(1440, 900), (390, 844)]
PLAYER = "document.querySelector('figure.nca-figure').ncaPlayer"
STEP = f"({PLAYER} && {PLAYER}.last) ? {PLAYER}.last.step : 0"

pytestmark = [pytest.mark.browser, pytest.mark.book, pytest.mark.slow]


@pytest.fixture
def reader(chromium):
    """Opens a page for a reader who keeps what pages store; in the end nothing has complained.

    A `loud` one may: axe asks for style sheets on its own.
    """
    contexts, complaints = [], []

    def opened(loud=False, **options):
        context = chromium.new_context(
            **{"viewport": {"width": 1440, "height": 900}, "color_scheme": "light", **options}
        )
        context.set_default_timeout(120_000)
        context.on(
            "console",
            lambda m: complaints.append(m.text) if m.type in LOUD and not loud else None,
        )
        context.on("weberror", lambda e: complaints.append(str(e.error)))
        contexts.append(context)
        return context.new_page()

    yield opened
    for context in contexts:
        context.close()
    assert complaints == []


def test_formulas_wait_for_the_first_step_and_for_nothing_where_none_comes(reader, site):
    """Setting them takes a second of the thread that the figure starts on."""
    asked = "document.querySelector('script[src*=tex-mml-chtml]') !== null"
    page = reader(reduced_motion="no-preference")
    page.add_init_script(
        f"addEventListener('nca-lives', () => {{ window.early = {asked}; }}, true)"
    )
    page.goto(f"{site}/book/{CHAPTERS[2]}.html", wait_until="commit")
    until(lambda: page.evaluate("window.early !== undefined"), 120)
    assert page.evaluate("window.early") is False
    assert typeset(page) == []
    assert page.locator("mjx-container").count() > 3
    still = reader(reduced_motion="reduce")  # its figure waits for the reader
    still.goto(f"{site}/book/{CHAPTERS[2]}.html")
    assert typeset(still) == []
    assert still.evaluate(STEP) == 0


@pytest.mark.parametrize(("width", "height"), SCREENS)
def test_the_first_screen_holds_a_living_lizard_and_the_way_in(reader, site, width, height):
    """A sentence, a figure that grows by itself and is large, and Start, without scrolling."""
    page = reader(viewport={"width": width, "height": height})
    page.goto(f"{site}/{INDEX}")
    until(lambda: page.evaluate(STEP) > 60, 120)
    canvas = page.locator(".front-figure canvas").first.bounding_box()
    for name in (
        ".bd-article h1",
        ".front-sentence",
        ".front-figure .nca-player",
        ".front-start a",
    ):
        box = page.locator(name).first.bounding_box()
        assert box["y"] >= 0, name
        assert box["y"] + box["height"] <= height, name
    assert canvas["width"] >= min(0.8 * width, 480)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_the_lizard_is_cut_and_grows_back(reader, site):
    """The sentence above it is true: cells are erased by a drag, and come back."""
    page = reader()
    page.goto(f"{site}/{INDEX}")
    until(lambda: page.evaluate(STEP) > 110, 120)
    living = (
        f"{PLAYER}.ask({{ kind: 'getState' }}).then(({{ state }}) => {{ let n = 0;"
        f"const c = {PLAYER}.descriptions[0].channels;"
        "for (let i = 3; i < state.length; i += c) n += state[i] > 0.1; return n; })"
    )
    before = page.evaluate(living)
    page.get_by_role("button", name="Pause").click()
    box = page.locator(".front-figure canvas").first.bounding_box()
    middle, left = box["y"] + box["height"] / 2, box["x"]
    page.mouse.move(left + 0.25 * box["width"], middle)
    page.mouse.down()
    page.mouse.move(left + 0.75 * box["width"], middle, steps=12)
    page.mouse.up()
    until(lambda: page.evaluate(living) < 0.8 * before, 60)
    cut = page.evaluate(STEP)
    page.get_by_role("button", name="Play").click()
    until(lambda: page.evaluate(STEP) > cut + 150, 120)
    assert page.evaluate(living) > 0.95 * before


def test_the_way_in_leads_to_the_first_chapter(reader, site):
    page = reader()
    page.goto(f"{site}/{INDEX}")
    page.get_by_role("link", name="Start", exact=True).click()
    page.wait_for_url(f"**/{CHAPTERS[0]}.html")


def test_every_chapter_has_a_card_with_picture_words_and_facts(reader, site):
    page = reader()
    page.goto(f"{site}/{INDEX}")
    shown = page.locator(".front-card")
    assert shown.evaluate_all("all => all.map(card => card.dataset.chapter)") == CHAPTERS
    for number, name in enumerate(CHAPTERS, 1):
        card = shown.nth(number - 1)
        link = card.locator(".front-title a")
        assert link.inner_text().startswith(f"{number}. ")
        assert (HTML / "book" / link.get_attribute("href")).is_file()
        assert card.locator("img").evaluate("image => image.complete && image.naturalWidth > 20")
        words = card.inner_text()
        assert re.search(r"Needs (chapter \d|Python)", words), name
        assert re.search(r"Runs in \d+\smin", words), name
        assert not re.search(r"[`{}]|\*\w", words), name
    pictures = shown.locator("img").evaluate_all("all => all.map(image => image.src)")
    assert len(set(pictures)) == len(CHAPTERS), "two cards show the same picture"


def test_a_new_chapter_has_a_card_without_a_line_on_the_index(tmp_path):
    """It is told of by its first goal; its picture is one that no other card shows."""
    first = cards.read(book.BOOK / f"{CHAPTERS[1]}.ipynb")
    shown = []
    before = cards.card(first, first.goal, shown)
    again = cards.card(first, first.goal, shown)
    assert cards.in_html(first.goal) in again
    source = [re.search(r'src="([^"]+)"', html)[1] for html in (before, again)]
    assert source[0] != source[1]
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text())
    listed = {e["file"] for part in toc["parts"] for e in part["chapters"]}
    assert {f"book/{name}" for name in CHAPTERS} <= listed
    empty = tmp_path / "99_empty.ipynb"
    empty.write_text(json.dumps({"cells": [{"cell_type": "markdown", "source": ["# Empty"]}]}))
    with pytest.raises(ValueError, match="expected a heading, and an admonition with goals"):
        cards.read(empty)


def test_opened_chapters_are_marked_until_the_reader_forgets(reader, site):
    page = reader()
    page.goto(f"{site}/{INDEX}")
    marked = page.locator(".front-opened:visible")
    memory = page.locator(".front-memory")
    assert marked.count() == 0
    assert not memory.is_visible()
    page.goto(f"{site}/book/{CHAPTERS[2]}.html")
    page.goto(f"{site}/{INDEX}")
    assert marked.count() == 1
    assert page.locator(f"[data-chapter='{CHAPTERS[2]}'] .front-opened").is_visible()
    assert page.context.cookies() == []
    memory.get_by_role("button").click()
    assert marked.count() == 0
    page.reload()
    assert marked.count() == 0


def test_a_browser_that_keeps_nothing_shows_the_cards_all_the_same(reader, site):
    """Storage may be switched off, or hold something else under the same name."""
    page = reader()
    page.add_init_script("localStorage.setItem('ncabook-opened', '{not json')")
    page.goto(f"{site}/book/{CHAPTERS[0]}.html")
    page.goto(f"{site}/{INDEX}")
    assert page.locator(".front-card").count() == len(CHAPTERS)
    page = reader()
    page.add_init_script(
        "for (const name of ['getItem', 'setItem', 'removeItem']) {"
        " const own = Storage.prototype[name];"
        " Storage.prototype[name] = function (key, ...rest) {"
        "  if (key === 'ncabook-opened') throw new DOMException('no', 'SecurityError');"
        "  return own.call(this, key, ...rest); }; }"
    )
    page.goto(f"{site}/book/{CHAPTERS[0]}.html")
    page.goto(f"{site}/{INDEX}")
    assert page.locator(".front-card").count() == len(CHAPTERS)
    assert page.locator(".front-opened:visible").count() == 0


def test_the_front_page_is_readable_by_everybody(reader, site):
    """All of it, with the theme's own parts: in light and dark, on a desk and on a phone."""
    page = reader(loud=True, reduced_motion="reduce")
    page.goto(f"{site}/book/{CHAPTERS[0]}.html")
    page.goto(f"{site}/{INDEX}")  # so that a card is marked
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        page.wait_for_function(f"document.documentElement.dataset.theme === '{scheme}'")
        for width, height in SCREENS:
            page.set_viewport_size({"width": width, "height": height})
            page.wait_for_timeout(600)  # the theme looks what scrolls now, after a while
            satisfies_axe(page, "main")


def test_no_page_loads_the_icon_font_and_every_icon_is_drawn():
    """1.5 MB of script for twenty icons; one that the theme adds has to be drawn here."""
    used = set()
    for path in HTML.rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        assert "fontawesome" not in text, path
        used |= set(re.findall(r'class="[^"]*\bfa[bsr]? ?(?:fa-solid )?fa-([a-z-]+)', text))
        used |= set(re.findall(r"fa-(?:solid|brands|regular) fa-([a-z-]+)", text))
    assert used
    assert used <= icons.ICONS.keys()
    assert not (HTML / "_static/vendor/fontawesome").exists()


def test_buttons_of_the_header_have_icons_and_names(reader, site):
    """An icon is a mask on the text's colour; a screen reader hears the button's name."""
    page = reader(viewport={"width": 390, "height": 844})
    page.goto(f"{site}/book/{CHAPTERS[1]}.html")
    icon = page.locator(".bd-header-article :is(.fa-solid, .fas):visible")
    assert icon.count() >= 5
    for i in range(icon.count()):
        style = icon.nth(i).evaluate(
            "e => { const s = getComputedStyle(e, '::before'); return [s.maskImage, s.width]; }"
        )
        assert style[0].startswith('url("data:image/svg+xml'), i
        assert float(style[1].removesuffix("px")) > 10, i
    button = page.locator(".bd-header-article button:visible")
    for i in range(button.count()):
        name = button.nth(i).evaluate(
            "b => b.ariaLabel || b.title || b.dataset.bsOriginalTitle || b.innerText"
        )
        assert name.strip(), i


@pytest.mark.parametrize("where", ["served", "file"])
def test_a_chapter_ends_with_ways_out_and_its_notebook_can_be_kept(reader, site, where):
    """The notebook arrives as it is in the repository, from a server and from file://."""
    name = CHAPTERS[2]
    page = reader(accept_downloads=True)
    place = site if where == "served" else HTML.as_uri()
    page.goto(f"{place}/book/{name}.html")
    for link in (page.locator(".ways-out a[download]"), None):
        if link is None:  # the same from the theme's menu
            page.get_by_role("button", name="Download this page").click()
            link = page.locator("a.btn-download-source-button")
        with page.expect_download() as download:
            link.click()
        assert download.value.suggested_filename == f"{name}.ipynb"
        kept = download.value.path().read_text(encoding="utf-8")
        assert json.loads(kept) == json.loads((book.BOOK / f"{name}.ipynb").read_text())


def test_ways_out_follow_the_address():
    """Until there is one, no link that cannot resolve; then Colab, and pip from there."""
    none = ways_out.ways("03_x", "../x.ipynb", None)
    assert "colab.research" not in none
    assert "invalid" not in none
    assert "pip install -e ." in none
    there = ways_out.ways("03_x", "../x.ipynb", "https://github.com/a/b")
    assert 'href="https://colab.research.google.com/github/a/b/blob/main/book/03_x.ipynb"' in there
    assert "pip install &quot;ncabook @ git+https://github.com/a/b&quot;" in there
    for html in (none, there):
        assert 'href="../x.ipynb" download="03_x.ipynb"' in html


def test_the_zipped_book_opens_from_files(reader, site, tmp_path):
    """Index, a chapter, the search: no server, no complaint, and the figures live."""
    with zipfile.ZipFile(offline_copy.ARCHIVE) as archive:
        archive.extractall(tmp_path)
    copy = tmp_path / offline_copy.FOLDER
    page = reader()
    page.goto((copy / "index.html").as_uri())
    page.wait_for_url("**/book/index.html")
    until(lambda: page.evaluate(STEP) > 5, 120)
    page.goto((copy / "book" / f"{CHAPTERS[1]}.html").as_uri())
    page.locator("figure.nca-figure").first.scroll_into_view_if_needed()
    until(lambda: page.evaluate(STEP) > 5, 120)
    assert typeset(page) == []
    page.goto((copy / "search.html").as_uri() + "?q=perception")
    page.locator("#search-results li a").first.wait_for()
    page.wait_for_timeout(500)
    page.goto((copy / INDEX).as_uri())
    assert page.locator(f"[data-chapter='{CHAPTERS[1]}'] .front-opened").is_visible()
