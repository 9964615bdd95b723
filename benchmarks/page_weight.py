"""What a page of the built book weighs, and how soon its first figure lives, in Chromium.

``python benchmarks/page_weight.py`` measures every page of ``_build/html/book`` (build it first)
and writes ``benchmarks/page_weight.json``; with names, such as ``index 03_growing_emoji``, it
prints those and writes nothing. Pages come from a server on this machine, each time to a browser
that has seen none of them, so that times are those of scripts and drawing, not of a network.

``requests``, ``bytes`` and ``gzip_bytes``: all that the page asks for until it is idle, as files
and as a server sends them that compresses text (level 6; pictures and fonts as they are).
``until_live``: the same of what had arrived when the first figure made its first step.
``first_paint_ms``: first contentful paint; ``live_ms``: that first step, both since the page was
asked for. A figure below the first screen runs when it is scrolled to, which is done as soon as
the document is parsed. Where there is no figure of a network, both are null. Times are medians of
rounds, with their range.
"""

import argparse
import contextlib
import functools
import gzip
import http.server
import json
import shutil
import statistics
import sys
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from playwright.sync_api import Browser, sync_playwright

from ncabook.experiments.provenance import provenance

HERE = Path(__file__).parent
SITE = HERE.parent / "_build" / "html"
OUTPUT = Path(__file__).with_suffix(".json")
ROUNDS = 5
PATIENCE = 60_000  # milliseconds for a first step
SCREEN = {"width": 1440, "height": 900}
PACKED = {".png", ".jpg", ".woff2", ".woff", ".zip"}  # a server does not compress these again
# Notes the time of the first step; polling is cheap, and knows nothing of the figure's inside.
WATCH = """
addEventListener("DOMContentLoaded", () => {
  document.querySelector("figure.nca-figure")?.scrollIntoView({ block: "center" });
});
const watch = setInterval(() => {
  const player = document.querySelector("figure.nca-figure")?.ncaPlayer;
  if (!(player?.last?.step > 0)) return;
  window.liveAfter = performance.now();
  clearInterval(watch);
}, 4);
"""
# Formulas come behind the figure, when the page was idle already.
SET = """() => !document.querySelector("meta[name='ncabook-mathjax']")
  || document.querySelector("mjx-container") !== null"""
ARRIVED = """() => ({
  paint: performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? null,
  live: window.liveAfter ?? null,
  files: ["navigation", "resource"].flatMap((type) => performance.getEntriesByType(type))
    .filter(({ name }) => name.startsWith(location.origin))
    .map(({ name, responseEnd }) => [name, responseEnd]),
})"""


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Says nothing of what it serves."""

    def log_message(self, *_: Any) -> None:
        """Nothing."""

    def copyfile(self, source: Any, outputfile: Any) -> None:
        """Sends a file; a browser that has seen enough hangs up, and that is all right."""
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            super().copyfile(source, outputfile)


@functools.cache
def sizes(path: str) -> tuple[int, int]:
    """Bytes of a file of the site, and of what a compressing server sends of it."""
    content = (SITE / path).read_bytes()
    packed = Path(path).suffix in PACKED
    return len(content), len(content) if packed else len(gzip.compress(content, 6))


def weigh(addresses: Iterable[str]) -> dict[str, int]:
    """Requests and bytes of what was asked for, each file once."""
    paths = {unquote(urlsplit(address).path).lstrip("/") for address in addresses}
    pairs = [sizes(path) for path in sorted(paths)]
    return {
        "requests": len(pairs),
        "bytes": sum(raw for raw, _ in pairs),
        "gzip_bytes": sum(packed for _, packed in pairs),
    }


def spread(values: list[float]) -> dict[str, Any]:
    """Median and range, in whole milliseconds."""
    return {
        "median": round(statistics.median(values)),
        "range": [round(min(values)), round(max(values))],
    }


def visit(browser: Browser, address: str, lives: bool) -> dict[str, Any]:
    """One visit by a browser that has seen nothing; ``lives``: whether a first step is awaited."""
    context = browser.new_context(viewport=SCREEN, reduced_motion="no-preference")
    page = context.new_page()
    page.add_init_script(WATCH)
    page.goto(address, wait_until="load")
    if lives:
        page.wait_for_function("window.liveAfter !== undefined", timeout=PATIENCE)
    page.wait_for_function(SET, timeout=PATIENCE)
    page.wait_for_load_state("networkidle")
    arrived = page.evaluate(ARRIVED)
    context.close()
    return arrived


def measure(browser: Browser, origin: str, name: str) -> dict[str, Any]:
    """A page's weight and times."""
    path = f"book/{name}.html"
    lives = 'class="nca-figure"' in (SITE / path).read_text(encoding="utf-8")
    rounds = [visit(browser, f"{origin}/{path}", lives) for _ in range(ROUNDS)]
    files = rounds[0]["files"]
    until = [name for name, end in files if end <= rounds[0]["live"]] if lives else None
    return {
        **weigh(name for name, _ in files),
        "first_paint_ms": spread([r["paint"] for r in rounds]),
        "live_ms": spread([r["live"] for r in rounds]) if lives else None,
        "until_live": weigh(until) if until is not None else None,
    }


def pages() -> list[str]:
    """The book's pages, the index first."""
    found = sorted(
        path.relative_to(SITE / "book").with_suffix("").as_posix()
        for path in (SITE / "book").rglob("*.html")
    )
    return sorted(found, key=lambda name: name != "index")


def main(names: list[str]) -> None:
    """Measures pages; all of them, into the file, if none are named."""
    known = pages()
    if not known:
        sys.exit(f"error: no book in {SITE}; build it with scripts/book.py build")
    if unknown := set(names) - set(known):
        sys.exit(f"error: no page {', '.join(sorted(unknown))} in {SITE / 'book'}")
    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(Quiet, directory=SITE)
    )
    threading.Thread(target=server.serve_forever, daemon=True).start()
    origin = f"http://127.0.0.1:{server.server_port}"
    results = {}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        version = browser.version
        visit(browser, f"{origin}/book/{known[0]}.html", lives=True)  # the browser's own start
        for name in names or known:
            results[name] = measure(browser, origin, name)
            print(name, json.dumps(results[name]), flush=True)
        browser.close()
    server.shutdown()
    if names:
        return
    record = {
        "what": "bytes and requests of the book's pages, and milliseconds until they live",
        "browser": f"Chromium {version}, headless, {SCREEN['width']} × {SCREEN['height']}",
        "rounds": ROUNDS,
        **provenance(),
        "results": results,
    }
    OUTPUT.write_text(json.dumps(record, indent=2) + "\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="pages, e.g. index 03_growing_emoji")
    main(parser.parse_args().names)
