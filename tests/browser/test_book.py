"""The built book in Chromium: it stays at home, fits a phone, and its figures live."""

import sys
import time
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.browser.pages import typeset

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "scripts"))

import book  # noqa: E402

CHAPTERS = [path.stem for path in book.chapters()]
TEXTS = [path.relative_to(book.BOOK).with_suffix("") for path in book.BOOK.rglob("*.md")]
PAGES = [*CHAPTERS, *sorted(path.as_posix() for path in TEXTS)]
# WCAG 2.0 and 2.1, A and AA. Colours are all that a dark theme changes; and they take minutes on a
# reference page, whose definitions are all of one make: there, of the first ones.
TAGS = {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21aa"]}
RULES = {"runOnly": TAGS, "rules": {"color-contrast": {"enabled": False}}}
COLOURS = {"runOnly": {"type": "rule", "values": ["color-contrast"]}}
FURTHER_DEFINITIONS = [
    "main dl.py ~ dl.py ~ dl.py, main dd > dl.py ~ dl.py, main section ~ section ~ section dl.py"
]
FIGURE = "figure.nca-figure"
TRAINER = "figure.nca-trainer"
PLAYER = f"document.querySelector('{FIGURE}').ncaPlayer"

pytestmark = [pytest.mark.browser, pytest.mark.book, pytest.mark.slow]


@pytest.fixture(params=PAGES)
def page(chromium, site, request):
    """A page of the book, which keeps what it asked for and complained about."""
    context = chromium.new_context(
        viewport={"width": 1440, "height": 900},
        color_scheme="light",
        reduced_motion="no-preference",
    )
    context.set_default_timeout(120_000)  # a machine that does other work is slow, not wrong
    page = context.new_page()
    page.requested, page.complaints = [], []
    page.on("request", lambda r: page.requested.append(r.url))
    page.on("pageerror", lambda e: page.complaints.append(str(e)))
    page.on(
        "console",
        lambda m: (
            page.complaints.append(f"{m.text} ({m.location['url']})")
            if m.type in ("error", "warning")
            else None
        ),
    )
    page.goto(f"{site}/book/{request.param}.html", wait_until="load")
    page.name = request.param
    yield page
    context.close()


def violations(page, options, leave_out=()):
    """What axe finds wrong on what the book itself writes; some of it can be left out."""
    context = {"include": ["main"], "exclude": [leave_out]} if leave_out else "main"
    result = Axe().run(page, context=context, options=options)
    assert result.response["passes"], "it saw nothing"
    return [
        (v["id"], v["help"], [n["target"] for n in v["nodes"]][:3])
        for v in result.response["violations"]
    ]


def living_cells(page):
    """Of the page's first figure, after 40 steps: cells with a channel that is not near zero.

    The page's own clock makes them, so that what is seen is what a reader sees.
    """
    page.locator(FIGURE).first.scroll_into_view_if_needed()
    page.wait_for_function(f"{PLAYER} && {PLAYER}.last && {PLAYER}.last.step > 40")
    return page.evaluate(
        f"{PLAYER}.ask({{ kind: 'getState' }}).then(({{ state }}) => {{"
        f"const c = {PLAYER}.descriptions[0].channels; let n = 0;"
        "for (let i = 0; i < state.length; i += c)"
        " n += state.slice(i, i + c).some(v => Math.abs(v) > 0.1);"
        "return state.every(Number.isFinite) ? n : NaN; })"
    )


def test_a_page_is_whole(page, site):
    """It stays at home, fits, complains of nothing, and is readable by everybody; it is alive.

    One visit tells it all; axe comes last, since it asks for style sheets on its own.
    """
    assert typeset(page) == []
    if page.name in CHAPTERS:
        assert page.locator("mjx-container").count() > 3
        assert page.locator(f"{FIGURE}, main canvas").count() > 0
    # The first one's figures are of tables, not of networks; another's are trained by the reader.
    if page.name in CHAPTERS[1:] and page.locator(TRAINER).count() == 0:
        assert living_cells(page) > 100
    for width in (1440, 390):
        page.set_viewport_size({"width": width, "height": 900})
        page.wait_for_timeout(300)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    local = (site, "data:", "blob:")
    assert [u for u in page.requested if not u.startswith(local)] == []
    assert page.complaints == []
    page.set_viewport_size({"width": 1440, "height": 900})
    assert violations(page, RULES) == []
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        page.wait_for_function(f"document.documentElement.dataset.theme === '{scheme}'")
        assert violations(page, COLOURS, FURTHER_DEFINITIONS) == [], scheme


def test_a_table_of_results_is_sorted_by_its_heads(chromium, site):
    """Up, down, what is missing last; and every model has its three files."""
    page = chromium.new_page()
    page.goto(f"{site}/book/results.html", wait_until="load")
    table = page.locator(".results table").first
    head = table.locator("thead th").filter(has_text="LPIPS, step 149").first
    column = head.evaluate("head => head.cellIndex")

    def shown():
        cells = table.locator(f"tbody tr > :nth-child({column + 1})")
        return cells.evaluate_all("all => all.map(cell => cell.dataset.value)")

    before = shown()
    for way, backwards in (("ascending", False), ("descending", True)):
        head.locator("button").click()
        assert head.get_attribute("aria-sort") == way
        known = [float(text) for text in shown() if text]
        assert known == sorted(known, reverse=backwards)
        assert sorted(shown()) == sorted(before)
        assert "" not in shown()[: len(known)]
    names = table.locator("tbody th code").all_text_contents()
    assert "emoji-conv3" in names
    for link in page.locator(".results a").evaluate_all("all => all.map(a => a.href)"):
        place = ROOT / "_build/html" / link.removeprefix(site).lstrip("/")
        assert place.is_file(), link
    page.goto(f"{site}/live/emoji-conv3.html")
    steps, deadline = 0, time.monotonic() + 60
    while steps < 40 and time.monotonic() < deadline:  # its policy forbids what waits in the page
        page.wait_for_timeout(200)
        steps = page.evaluate(f"({PLAYER} && {PLAYER}.last) ? {PLAYER}.last.step : 0")
    assert steps >= 40
    page.close()


def test_a_formula_that_cannot_be_set_is_noticed(chromium, site):
    """The gate above sees what a reader would: a box, "Misplaced &", in place of the formula."""
    page = chromium.new_page()
    page.goto(f"{site}/book/{CHAPTERS[-1]}.html", wait_until="load")
    assert typeset(page) == []
    page.evaluate(
        """() => {
            const box = Object.assign(document.createElement("div"), { className: "math" });
            box.textContent = String.raw`\\[\\overline{a & b}\\]`;
            document.querySelector("main").append(box);
            return MathJax.typesetPromise([box]);
        }"""
    )
    assert typeset(page) == ["Misplaced &"]
    page.close()
