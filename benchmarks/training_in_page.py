"""How soon the page's trainer learns a picture, on one core: run by Node, as by a browser.

``python benchmarks/training_in_page.py`` writes ``benchmarks/training_in_page.json``, and with
``--save`` the weights to ``ncabook/live/trained_in_page.safetensors``, the example of chapter 17.
Seconds are the processor's own, so that other work on the machine counts little.
"""

import argparse
import base64
import json
import subprocess
import tempfile
from pathlib import Path

from ncabook.data import emoji
from ncabook.experiments.provenance import provenance
from ncabook.live.script import trainer_module
from ncabook.live.trainer import EXAMPLE

OUTPUT = Path(__file__).with_suffix(".json")
GLYPH, SIZE, PADDING = "🐠", 24, 4
LOOKS = (32, 64, 96)  # steps from a seed after which the pattern is compared with the picture
FLAG = "--experimental-wasm-relaxed-simd"  # on by default in browsers, not in Node 20


def main() -> None:
    """Trains, measures and writes the file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--iterations", type=int, default=2000)
    parser.add_argument("--save", action="store_true", help="keep the weights as the example")
    arguments = parser.parse_args()
    picture = emoji(GLYPH, SIZE, PADDING).permute(1, 2, 0).contiguous()
    job = {
        "height": picture.shape[0],
        "width": picture.shape[1],
        "rgba": base64.b64encode(picture.numpy().tobytes()).decode("ascii"),
        "settings": {},
        "iterations": arguments.iterations,
        "every": 20,
        "lookEvery": 100,
        "looks": LOOKS,
        "coins": 12345,
    }
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        (place / "job.json").write_text(json.dumps(job))
        (place / "trainer.mjs").write_text(trainer_module(), encoding="utf-8")
        script = Path(__file__).with_suffix(".mjs")
        command = ["node", FLAG, script, place / "job.json", place / "trainer.mjs", place / "out"]
        subprocess.run(command, check=True)
        measured = json.loads((place / "out.json").read_text())
        weights = (place / "out.safetensors").read_bytes()
    node = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True)
    record = {
        "what": f"the page's trainer learns {GLYPH} at {SIZE} cells in a margin of {PADDING}",
        **provenance("cpu"),
        "node": node.stdout.strip(),
        "iterations_per_cpu_second": measured["iterations"] / measured["cpu_seconds"],
        **measured,
    }
    OUTPUT.write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    if arguments.save:
        EXAMPLE.write_bytes(weights)
    print(f"{record['iterations_per_cpu_second']:.1f} iterations a second of one core")
    for pattern in measured["patterns"]:
        print(f"{pattern['cpu_seconds']:6.1f} s", pattern["iteration"], pattern["distances"])


if __name__ == "__main__":
    main()
