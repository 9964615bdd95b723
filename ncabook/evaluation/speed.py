"""What a machine takes: seconds, bytes at the peak, and the ceilings of the hardware.

Nothing here knows an automaton. :mod:`ncabook.evaluation.counts` says what the work is; this
module says how long, and in how much memory, it was done.
"""

import contextlib
import gc
import importlib
import json
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

_RESULT = "measured: "
# glibc: blocks from this size on go back to the system when they are freed.
RETURNING = {"MALLOC_MMAP_THRESHOLD_": "65536"}
_HIGH_WATER = Path("/proc/self/status")
_CLEAR = Path("/proc/self/clear_refs")


@dataclass(frozen=True)
class Timing:
    """Durations of one variant, in seconds, in the order in which they were taken."""

    seconds: tuple[float, ...]

    @property
    def median(self) -> float:
        """Half of the runs were faster."""
        return statistics.median(self.seconds)

    @property
    def quartiles(self) -> tuple[float, float]:
        """The middle half of the runs lies between these."""
        if len(self.seconds) == 1:
            return self.seconds[0], self.seconds[0]
        low, _, high = statistics.quantiles(self.seconds, n=4, method="inclusive")
        return low, high


def synchronize() -> None:
    """Waits for the GPU, if this process uses one: its calls return before their work is done."""
    if torch.cuda.is_initialized():
        torch.cuda.synchronize()


def interleaved(
    variants: dict[str, Callable[[], Any]], repeats: int = 7, warmup: int = 1
) -> dict[str, Timing]:
    """Times variants in turn, so that a disturbance of the machine hits all of them.

    Every round runs each variant once; the order is rotated by one from round to round, so that
    none always comes after the same other one. The garbage collector rests meanwhile.

    Args:
        variants: what to run, by name.
        repeats: timed rounds.
        warmup: rounds before them that are not timed (caches, compilation, allocations).

    """
    if repeats < 1 or warmup < 0 or not variants:
        raise ValueError(
            f"{len(variants)} variants, repeats {repeats}, warmup {warmup}; "
            "expected at least one variant, repeats ≥ 1 and warmup ≥ 0"
        )
    names = list(variants)
    seconds: dict[str, list[float]] = {name: [] for name in names}
    was_enabled = gc.isenabled()
    gc.collect()
    gc.disable()
    try:
        for i in range(warmup + repeats):
            first = i % len(names)
            for name in names[first:] + names[:first]:
                synchronize()
                start = time.perf_counter()
                variants[name]()
                synchronize()
                if i >= warmup:
                    seconds[name].append(time.perf_counter() - start)
    finally:
        if was_enabled:
            gc.enable()
    return {name: Timing(tuple(values)) for name, values in seconds.items()}


def peak_memory(
    target: str,
    arguments: dict[str, Any] | None = None,
    warmup: dict[str, Any] | None = None,
    device: str = "cpu",
) -> int:
    """Bytes by which memory grows, at the peak, while a function runs.

    On a GPU PyTorch's allocator keeps the count. A CPU has no such allocator, so the function
    runs in a child process, and the operating system's high-water mark of its resident memory
    is read: a fresh process, because in an old one memory that earlier work freed is used again
    and does not show. The child first runs ``target`` with the arguments of ``warmup``, which
    should be tiny: libraries that load late are then no part of the growth. Its allocator
    returns large blocks to the system as soon as they are free. Both ways count everything that
    ``target`` makes, parameters and optimiser included.

    Where the mark cannot be reset (no Linux), growth counts from the highest point before, and
    is a lower bound.

    Args:
        target: ``"module:function"``, importable by a new process; a notebook's functions are not.
        arguments: keyword arguments, as JSON can hold them.
        warmup: those that differ in the warm-up run.
        device: ``"cpu"`` or a CUDA device, on which ``target`` has to work.

    Raises:
        ValueError: ``target`` is not of that form.
        RuntimeError: the child failed; with what it said last.

    """
    arguments = arguments or {}
    if target.count(":") != 1 or target.startswith("__main__"):
        raise ValueError(
            f"target is {target!r}; expected 'module:function' from an importable file"
        )
    before = arguments | (warmup or {})
    if torch.device(device).type == "cuda":
        function = _resolve(target)
        function(**before)
        gc.collect()
        torch.cuda.reset_peak_memory_stats(device)
        base = torch.cuda.memory_allocated(device)
        function(**arguments)
        synchronize()
        return torch.cuda.max_memory_allocated(device) - base
    given = (target, json.dumps(before), json.dumps(arguments))
    return in_child(f"{__name__}:_child", given, RETURNING, target)


def in_child(target: str, arguments: Sequence[str], environment: dict[str, str], what: str) -> Any:
    """What a function in a new process hands over by :func:`hand_over`.

    Args:
        target: ``"module:function"``; it finds its arguments in ``sys.argv``.
        arguments: for it.
        environment: of the process, beside this one's.
        what: it does, for the error.

    Raises:
        RuntimeError: the process ended without a result; with what it said last.

    """
    module, name = target.split(":")
    paths = os.pathsep.join(path or str(Path.cwd()) for path in sys.path)
    child = subprocess.run(
        [sys.executable, "-c", f"from {module} import {name}; {name}()", *arguments],
        env=os.environ | {"PYTHONPATH": paths} | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    for line in child.stdout.splitlines():
        if line.startswith(_RESULT):
            return json.loads(line[len(_RESULT) :])
    last = (child.stderr.strip().splitlines() or ["it said nothing (killed for its memory?)"])[-1]
    raise RuntimeError(f"{what} ended with status {child.returncode}: {last}")


def hand_over(result: Any) -> None:
    """The last word of a process that :func:`in_child` started: a result, as JSON can hold it."""
    print(f"\n{_RESULT}{json.dumps(result)}")


def gemm_peak(dtype: torch.dtype, device: str = "cpu") -> float:
    """FLOP per second of a large square matrix product, the best of five: a measured ceiling.

    Where a product is slow, as of bfloat16 on a CPU that emulates it, a smaller one will do.
    """
    largest = 8192 if torch.device(device).type == "cuda" else 2048

    def product(size: int, repeats: int) -> float:
        a = torch.randn(size, size, device=device).to(dtype)
        b = torch.randn(size, size, device=device).to(dtype)
        timing = interleaved({"product": lambda: a @ b}, repeats=repeats, warmup=2)["product"]
        return min(timing.seconds)

    size = _product_size(product(largest // 8, 1), largest)
    return 2 * size**3 / product(size, 5)


def _product_size(eighth: float, largest: int) -> int:
    """The side of a product that takes a second at most, if one of an eighth took so many."""
    return largest if eighth * 8**3 < 1 else largest // 4


def copy_bandwidth(device: str = "cpu", size: int = 2**29) -> float:
    """Bytes per second that a copy reads and writes, the best of five.

    Args:
        device: where.
        size: bytes to copy. 512 MiB measures main memory; a size that fits into a cache, copied
            again and again, measures that cache.

    """
    source = torch.ones(size, dtype=torch.uint8, device=device)
    target = torch.empty_like(source)
    times = max(1, 2**28 // size)

    def copy() -> None:
        for _ in range(times):
            target.copy_(source)

    timing = interleaved({"copy": copy}, repeats=5, warmup=1)["copy"]
    return 2 * size * times / min(timing.seconds)


def _resolve(target: str) -> Callable[..., Any]:
    module, name = target.split(":")
    return getattr(importlib.import_module(module), name)


def _child() -> None:
    """The measured process: warm-up, reset, run, report."""
    target, before, arguments = sys.argv[1:4]
    function = _resolve(target)
    function(**json.loads(before))
    gc.collect()
    base = reset_high_water()
    function(**json.loads(arguments))
    hand_over(high_water() - base)


def reset_high_water() -> int:
    """Lowers the mark to the present size, where the system can; returns the mark, in bytes."""
    with contextlib.suppress(OSError):
        _CLEAR.write_text("5")
    return high_water()


def high_water() -> int:
    """The process's highest resident size so far, in bytes."""
    if _HIGH_WATER.exists():
        for line in _HIGH_WATER.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
