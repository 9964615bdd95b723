"""The paper's Table 6 and the pixel row of its Table 2, on this machine.

``python benchmarks/training_step.py`` writes ``benchmarks/training_step.json``. Threads: as
``OMP_NUM_THREADS`` says. ``--smoke`` takes tiny sizes, to see that everything runs; the file says
so, and so does the chapter that reads it. Nothing else should run meanwhile.
"""

import argparse
import json
import time
from pathlib import Path
from typing import Any

import torch

from ncabook.automaton.precision import has_bfloat16
from ncabook.evaluation import runtime
from ncabook.evaluation.paper import TABLE_6
from ncabook.evaluation.speed import peak_memory, synchronize
from ncabook.experiments.provenance import provenance

OUTPUT = Path(__file__).with_suffix(".json")


def large(device: str) -> dict[str, Any]:
    """The row of Table 2 that the paper could not train: 512 × 512 cells, 256 steps."""
    case = {"model": runtime.PIXEL, "variant": "ncabook", "batch": 1, "size": 512, "steps": 256}
    case |= {"device": device, "memory": 3 * 10**9}
    tiny = {"size": 32, "steps": 1}
    peak = peak_memory("ncabook.evaluation.runtime:train_once", case, tiny, device)
    step = runtime.training_step(**case)
    started = time.perf_counter()
    step()
    synchronize()
    return case | {"training_bytes": peak, "training_seconds": time.perf_counter() - started}


def main() -> None:
    """Measures and writes the file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--smoke", action="store_true", help="tiny sizes")
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    parser.add_argument("--output", type=Path, default=OUTPUT, help="file to write")
    arguments = parser.parse_args()
    sizes = runtime.SMOKE if arguments.smoke else runtime.FULL
    record = {
        "what": "seconds and bytes of training steps and of inference (Tables 2 and 6)",
        "smoke": arguments.smoke,
        "sizes": sizes,
        **provenance(arguments.device),
        "threads": torch.get_num_threads(),
        "bfloat16": has_bfloat16(arguments.device),
        "ceilings": runtime.ceilings(arguments.device),
        "table6": runtime.measure(tuple(TABLE_6), sizes, arguments.device),
        "table2": runtime.measure((runtime.PIXEL,), sizes, arguments.device, table2=True),
    }
    if not arguments.smoke:
        record["large"] = large(arguments.device)
    text = json.dumps(record, indent=2, ensure_ascii=False) + "\n"
    arguments.output.write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
