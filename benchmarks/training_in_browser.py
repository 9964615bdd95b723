"""How fast the page's trainer learns in a real browser: iterations a second, in Chromium.

``python benchmarks/training_in_browser.py`` opens the figure of chapter 17 by itself, with its own
settings (32 × 32 cells, as that chapter says), presses *Train*, and counts for some rounds of half
a minute, each in a new page. It writes ``benchmarks/training_in_browser.json``. Seconds are by the
clock, so the machine has to be quiet; its load before the first round stands in the file.
"""

import argparse
import json
import os
import re
import shutil
import statistics
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from ncabook.data import emoji
from ncabook.experiments.provenance import provenance
from ncabook.live import trainer_figure
from ncabook.live.html import PAGE
from ncabook.live.script import page_script

OUTPUT = Path(__file__).with_suffix(".json")
GLYPH, SIZE, MARGIN = "🐠", 24, 4
WARM = 20  # iterations before the clock starts
NAMES = ("chromium", "chromium-browser", "google-chrome")


def iterations(page: Page) -> int:
    """What the figure says."""
    found = re.match(r"[\d,]+", page.locator(".nt-numbers").inner_text())
    return int(found.group().replace(",", "")) if found else 0


def rate(page: Page, seconds: float) -> float:
    """Iterations a second over ``seconds``, once it is warm."""
    page.get_by_role("button", name="Train").click()
    while iterations(page) < WARM:
        time.sleep(0.1)
    first, start = iterations(page), time.perf_counter()
    time.sleep(seconds)
    return (iterations(page) - first) / (time.perf_counter() - start)


def main() -> None:
    """Trains in some pages and writes the file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=30)
    arguments = parser.parse_args()
    load = os.getloadavg()[0]
    figure = trainer_figure({"fish": emoji(GLYPH, SIZE, 0)}, margin=MARGIN)
    executable = next((path for name in NAMES if (path := shutil.which(name))), None)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        file = Path(folder) / "page.html"
        file.write_text(PAGE.format(title="Train", figure=figure, script=page_script()), "utf-8")
        browser = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox"])
        rates = []
        for _ in range(arguments.rounds):
            page = browser.new_page()
            page.goto(file.as_uri())
            page.wait_for_selector(".nt-numbers:not(:empty)")
            rates.append(rate(page, arguments.seconds))
            page.close()
        version = browser.version
        browser.close()
    record = {
        "what": f"the page's trainer learns {GLYPH} at {SIZE} cells in a margin of {MARGIN}",
        **provenance("cpu"),
        "browser": f"Chromium {version}, headless",
        "load_before": load,
        "seconds": arguments.seconds,
        "iterations_per_second": rates,
        "median": statistics.median(rates),
    }
    OUTPUT.write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"{record['median']:.1f} iterations a second ({min(rates):.1f} to {max(rates):.1f})")


if __name__ == "__main__":
    main()
