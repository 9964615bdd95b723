"""Rows of Table 2, each in processes of its own: bytes at the peak, and seconds."""

import gc
import json
import sys
import time
from dataclasses import asdict
from typing import Any

import torch

from ncabook.evaluation.scalability import Case, workload
from ncabook.evaluation.speed import RETURNING, hand_over, high_water, in_child, reset_high_water

LONG = 20.0  # seconds; what takes longer is timed once
REPEATS = 3


def measured(case: Case, way: str, threads: int, repeats: int = REPEATS) -> dict[str, Any]:
    """Bytes at the peak and seconds, each in processes of their own.

    Bytes are the growth of the process over what it had once libraries were loaded, with the
    network in it; on a GPU, those that PyTorch's allocator gave out. The first process returns
    large blocks to the system as soon as they are free. What it did within ``LONG`` seconds is
    timed in a second one, ``repeats`` times after a first that does not count.

    Args:
        case: the row.
        way: as in :func:`~ncabook.evaluation.scalability.workload`.
        threads: of the processor.
        repeats: timed runs of what is short; 0 times the run whose memory was measured.

    Returns:
        ``bytes``; ``seconds``, by part, each a list; ``processor_seconds`` of the same, all threads
        together, which say more on a machine that does other things; ``once``, whether timed once.

    Raises:
        RuntimeError: the process ended early, for lack of memory mostly; with what it said last.

    """
    found = _in_child(case, way, threads, 0, RETURNING)
    once = repeats == 0 or sum(part[0] for part in found["seconds"].values()) > LONG
    if not once:
        again = _in_child(case, way, threads, repeats, {})
        found |= {key: again[key] for key in ("seconds", "processor_seconds")}
    return found | {"once": once}


def _in_child(
    case: Case, way: str, threads: int, repeats: int, environment: dict[str, str]
) -> dict[str, Any]:
    task = json.dumps({"case": asdict(case), "way": way, "threads": threads, "repeats": repeats})
    environment = {"OMP_NUM_THREADS": str(threads)} | environment
    return in_child(f"{__name__}:child", [task], environment, f"{way} of {case}")


def child() -> None:
    """The measured process: a small row to load all there is, then the row, then more of it."""
    task = json.loads(sys.argv[1])
    case, way, repeats = Case(**task["case"]), task["way"], task["repeats"]
    torch.set_num_threads(task["threads"])
    on_gpu = torch.device(case.device).type == "cuda"
    small = Case(**(task["case"] | {"picture": 128 if case.space == "latent" else 16, "scale": 1}))
    # The same step as the row's: who makes it depends on cells times steps.
    workload(small, way, ahead=case.grid**2 * case.steps // small.grid**2)()
    gc.collect()
    if on_gpu:
        torch.cuda.reset_peak_memory_stats(case.device)
        base = torch.cuda.memory_allocated(case.device)
    else:
        base = reset_high_water()
    work = workload(case, way)
    runs, processor, peak = [], [], 0
    for _ in range(1 + repeats):
        started = time.process_time()
        runs.append(work())
        processor.append(time.process_time() - started)
        if len(runs) == 1:
            peak = torch.cuda.max_memory_allocated(case.device) if on_gpu else high_water()
    counted = slice(1, None) if repeats else slice(None)
    hand_over(
        {
            "bytes": peak - base,
            "seconds": {part: [run[part] for run in runs[counted]] for part in runs[0]},
            "processor_seconds": processor[counted],
        }
    )
