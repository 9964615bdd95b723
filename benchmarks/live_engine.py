"""How many steps per second the live engine does in headless Chromium, on one thread.

``python benchmarks/live_engine.py`` writes ``benchmarks/live_engine.json``. For each grid the
trained emoji model first grows a picture for 96 steps; then rounds of equal numbers of steps
are timed, in turn with every cell computed ("dense") and with idle cells skipped ("sparse"),
so that a disturbance of the machine hits both. Reported: median and range over the rounds.
"""

import json
import shutil
import statistics
import tempfile
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright

from ncabook import zoo
from ncabook.experiments.provenance import provenance
from ncabook.live import to_html

MODEL, GRIDS, ROUNDS, MILLISECONDS = "emoji-conv3", (40, 72), 9, 400
OUTPUT = Path(__file__).with_suffix(".json")
ROUND = """([skip, milliseconds]) => {
  const engine = document.querySelector("figure.nca-figure").ncaEngine;
  engine.skip = skip;
  const start = performance.now();
  let steps = 0;
  while (performance.now() - start < milliseconds) { engine.step(); steps++; }
  return 1000 * steps / (performance.now() - start);
}"""
GROW = """() => {
  const engine = document.querySelector("figure.nca-figure").ncaEngine;
  engine.reset();
  for (let i = 0; i < 96; i++) engine.step();
}"""
READY = "() => Boolean(document.querySelector('figure.nca-figure').ncaEngine)"


def measure(page: Page) -> dict[str, Any]:
    """Steps per second, dense and sparse, and their ratio round by round."""
    page.evaluate(GROW)
    rounds = [
        (page.evaluate(ROUND, [False, MILLISECONDS]), page.evaluate(ROUND, [True, MILLISECONDS]))
        for _ in range(ROUNDS + 1)
    ][1:]  # the first warms up
    columns = {
        "dense": [dense for dense, _ in rounds],
        "sparse": [sparse for _, sparse in rounds],
        "sparse_over_dense": [sparse / dense for dense, sparse in rounds],
    }
    return {
        name: {
            "median": round(statistics.median(values), 2),
            "range": [round(min(values), 2), round(max(values), 2)],
        }
        for name, values in columns.items()
    }


def main() -> None:
    """Measures every grid and writes the file."""
    model = zoo.load(MODEL)
    glyphs = model.card.experiment.data.glyphs
    results: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        version = browser.version
        for grid in GRIDS:
            path = Path(folder) / f"{grid}.html"
            path.write_text(to_html(model.nca, grid, grid, classes=glyphs), encoding="utf-8")
            # Reduced motion: the figure does not play by itself while we measure.
            page = browser.new_context(reduced_motion="reduce").new_page()
            page.goto(path.as_uri())
            while not page.evaluate(READY):
                page.wait_for_timeout(50)
            results[f"{grid}x{grid}"] = measure(page)
        browser.close()
    record = {
        "what": "steps per second of the live engine, one thread",
        "model": {"name": MODEL, "weights_sha256": model.card.weights_sha256},
        "browser": f"Chromium {version}, headless",
        "rounds": ROUNDS,
        **provenance(),
        "results": results,
    }
    OUTPUT.write_text(json.dumps(record, indent=2) + "\n")
    print(json.dumps(results, indent=2))


if __name__ == "__main__":
    main()
