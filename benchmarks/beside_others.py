"""What a training loses while another program keeps one core busy, by how its threads wait.

    python benchmarks/beside_others.py

writes ``beside_others.json``. OpenMP's threads meet after every piece of work, several times in a
step of an automaton. One that has to wait for another can keep asking ("spin"), or sleep; the
environment decides, before PyTorch is loaded. Each variant trains chapter 03's automaton
(``emoji-conv3``, from its seed) in a process of its own, alone and beside one that counts; all
variants in turn, in rounds. Nothing else should run meanwhile.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from ncabook.experiments import find
from ncabook.experiments.provenance import provenance
from ncabook.experiments.runner import prepare
from ncabook.files import write_atomically
from ncabook.training.loop import Loop

OUTPUT = Path(__file__).with_suffix(".json")
EXPERIMENT = "emoji-conv3"
CORES = os.cpu_count() or 1
VARIANTS = {
    "libgomp's default": {"OMP_NUM_THREADS": str(CORES), "GOMP_SPINCOUNT": "300000"},
    "as ncabook has it": {"OMP_NUM_THREADS": str(CORES)},
    "sleeping": {"OMP_NUM_THREADS": str(CORES), "OMP_WAIT_POLICY": "passive"},
    "one thread": {"OMP_NUM_THREADS": "1"},
}


def iterations(loop: Loop, seconds: float) -> list[float]:
    """Seconds of each iteration, for some time."""
    taken: list[float] = []
    while sum(taken) < seconds:
        started = time.perf_counter()
        loop.step()
        taken.append(time.perf_counter() - started)
    return taken


def child(seconds: float) -> None:
    """The measured process: a few iterations that do not count, then alone, then beside."""
    with tempfile.TemporaryDirectory() as folder:
        loop, _ = prepare(find(EXPERIMENT), Path(folder), "cpu", "none")
        iterations(loop, 1)
        found = {"alone": statistics.median(iterations(loop, seconds))}
        with subprocess.Popen([sys.executable, "-c", "while True: pass"]) as busy:
            found["beside"] = statistics.median(iterations(loop, seconds))
            busy.kill()
    print(json.dumps(found))


def train(environment: dict[str, str], seconds: float) -> dict[str, float]:
    """Median seconds of an iteration, alone and beside a process that keeps a core busy."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("OMP_", "GOMP_"))}
    command = [sys.executable, __file__, "--child", str(seconds)]
    done = subprocess.run(
        command, env=clean | environment, check=True, capture_output=True, text=True
    )
    return json.loads(done.stdout.splitlines()[-1])


def main(output: Path, rounds: int, seconds: float) -> None:
    """All variants in turn, alone and beside a busy process; writes one record."""
    found: dict[str, dict[str, list[float]]] = {
        name: {"alone": [], "beside": []} for name in VARIANTS
    }
    for number in range(rounds):
        for name in list(VARIANTS)[:: -1 if number % 2 else 1]:
            for key, value in train(VARIANTS[name], seconds).items():
                found[name][key].append(round(value, 4))
            newest = {key: values[-1] for key, values in found[name].items()}
            print(number, name, newest, flush=True)
    record: dict[str, Any] = {
        **provenance(),
        "experiment": EXPERIMENT,
        "seconds_of_a_run": seconds,
        "busy_processes": 1,
        "variants": {
            name: {
                "environment": VARIANTS[name],
                "seconds_of_an_iteration": seen,
                "slower_beside": [
                    round(b / a, 2) for a, b in zip(seen["alone"], seen["beside"], strict=True)
                ],
            }
            for name, seen in found.items()
        },
    }
    write_atomically(output, json.dumps(record, ensure_ascii=False, indent=1).encode())


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--output", type=Path, default=OUTPUT)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--child", type=float, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        child(given.child)
    else:
        main(given.output, given.rounds, given.seconds)
