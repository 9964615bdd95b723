"""The built book in Chromium: it stays at home, fits a phone, and its figures live."""

import functools
import http.server
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe

ROOT = Path(__file__).parents[2]
PAGES = [
    "index",
    "01_from_ca_to_nca",
    "02_anatomy_of_a_step",
    "03_growing_emoji",
    "04_what_a_step_costs",
    "glossary",
]
LIVE = ["02_anatomy_of_a_step", "03_growing_emoji", "04_what_a_step_costs"]

pytestmark = [pytest.mark.browser, pytest.mark.book, pytest.mark.slow]


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def site():
    """Builds the book (warnings are errors) and serves it on this machine."""
    subprocess.run([sys.executable, str(ROOT / "scripts/book.py"), "build"], check=True)
    handler = functools.partial(Quiet, directory=ROOT / "_build" / "html")
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


def visit(chromium, site, name, width=1440, scheme="light"):
    """Opens a page and keeps what it asked for and complained about."""
    context = chromium.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page = context.new_page()
    page.requested, page.complaints = [], []
    page.on("request", lambda r: page.requested.append(r.url))
    page.on("pageerror", lambda e: page.complaints.append(str(e)))
    page.on(
        "console",
        lambda m: page.complaints.append(m.text) if m.type in ("error", "warning") else None,
    )
    page.goto(f"{site}/book/{name}.html", wait_until="load")
    page.wait_for_timeout(800)
    return page


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("width", [390, 1440])
def test_a_page_stays_at_home_fits_and_complains_of_nothing(chromium, site, name, width):
    page = visit(chromium, site, name, width)
    local = (site, "data:", "blob:")
    assert [u for u in page.requested if not u.startswith(local)] == []
    assert page.complaints == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.context.close()


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_violation(chromium, site, name, scheme):
    """WCAG 2.0 and 2.1, A and AA, on what the book itself writes."""
    page = visit(chromium, site, name, scheme=scheme)
    tags = ["wcag2a", "wcag2aa", "wcag21aa"]
    result = Axe().run(page, context="main", options={"runOnly": {"type": "tag", "values": tags}})
    found = [
        (v["id"], v["help"], [n["target"] for n in v["nodes"]][:3])
        for v in result.response["violations"]
    ]
    assert found == []
    page.context.close()


@pytest.mark.parametrize("name", LIVE)
def test_the_automaton_of_a_chapter_lives_in_the_page(chromium, site, name):
    page = visit(chromium, site, name)
    page.locator("figure.nca-figure").scroll_into_view_if_needed()
    player = "document.querySelector('figure.nca-figure').ncaPlayer"
    for _ in range(200):
        if page.evaluate(f"{player} ? {player}.last.step : 0") > 40:
            break
        page.wait_for_timeout(100)
    alive = page.evaluate(
        f"{player}.ask({{ kind: 'getState' }}).then(({{ state }}) => {{"
        f"const c = {player}.descriptions[0].channels; let n = 0;"
        "for (let i = 3; i < state.length; i += c) n += state[i] > 0.1; return n; })"
    )
    assert alive > 200, "after 40 steps a picture has grown"
    page.context.close()


def test_equations_are_typeset_without_another_origin(chromium, site):
    page = visit(chromium, site, "02_anatomy_of_a_step")
    assert page.locator("mjx-container").count() > 10
    page.context.close()


def test_the_book_also_opens_as_files(chromium, site, tmp_path):
    """A reader may keep a copy; the live figure needs no server."""
    copy = tmp_path / "html"
    shutil.copytree(ROOT / "_build" / "html", copy)
    page = chromium.new_page()
    page.goto((copy / "book" / f"{LIVE[0]}.html").as_uri())
    page.locator("figure.nca-figure").scroll_into_view_if_needed()
    page.wait_for_timeout(1500)
    assert page.evaluate("document.querySelector('figure.nca-figure').ncaPlayer.last.step") > 0
    page.close()
