"""The paper's Table 2, all six rows: memory and time of an automaton on large pictures.

    OMP_NUM_THREADS=2 python benchmarks/scalability.py                    # this machine's processor
    python benchmarks/scalability.py --device cuda                        # its GPU
    python benchmarks/scalability.py --rows pixel-256,latent-512 --threads 1

writes ``benchmarks/scalability.json``, and the same to ``ncabook/experiments/tables``, where
``ncabook table 2`` reads it. Each row is measured three ways (``ncabook/evaluation/scalability.py``
says what is done): training that keeps everything, training that keeps √T states and computes the
rest again, and a rollout without gradient. The first is left out where the law of chapter 4 says
that it would not leave 2 GB of memory free. Every measurement runs in processes of its own, and
is saved as soon as it is made: the same command again goes on where it was stopped, and measures
nothing twice unless asked to (``--again``). Bytes hardly depend on what else the machine does,
seconds do: ``others`` says how many processors were taken by others meanwhile.
"""

import argparse
import json
import os
import resource
import statistics
import sys
import time
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any, NoReturn

import torch

from ncabook.automaton.precision import has_bfloat16
from ncabook.evaluation import apart, paper, runtime
from ncabook.evaluation import scalability as table
from ncabook.experiments.provenance import hardware, provenance
from ncabook.files import write_atomically

OUTPUT = Path(__file__).with_suffix(".json")
COPY = Path(__file__).parents[1] / "ncabook/experiments/tables/scalability.json"
SPARED = 2 * 10**9  # bytes of memory that no row may take
QUIET = 0.1  # processors, at most, that others use on a machine that counts as quiet
# What one iteration of the pixel rows, of 64 channels and √T states, is hoped to take, in bytes.
GOALS = {256: 1.1e9, 512: 3e9, 1024: 16e9}
ROWS = {f"{s}-{p}": (s, p) for s in table.SPACES for p in table.PICTURES}
HEAD = ["row", "grid", "steps", "chan.", "all, MB", "law", "s"]
HEAD += ["√T, MB", "law", "s", "eval, MB", "ms/step", "goal of √T"]
Record = dict[str, Any]


class Parser(argparse.ArgumentParser):
    """Says in one line what is wrong."""

    def error(self, message: str) -> NoReturn:
        """Ends with status 2."""
        self.exit(2, f"error: {message}\n")


def _listed(known: Iterable[str]) -> Any:
    def read(text: str) -> list[str]:
        names = text.split(",")
        for name in names:
            if name not in known:
                expected = ", ".join(known)
                raise argparse.ArgumentTypeError(f"{name!r} is none of {expected}")
        return names

    return read


def _whole(least: int) -> Any:
    def read(text: str) -> int:
        if not text.isdecimal() or int(text) < least:
            raise argparse.ArgumentTypeError(f"{text!r}; expected a whole number ≥ {least}")
        return int(text)

    return read


def options(arguments: list[str] | None = None) -> argparse.Namespace:
    """What was asked for, checked."""
    parser = Parser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=_listed(ROWS), default=list(ROWS), help=", ".join(ROWS))
    known = [str(c) for c in table.CHANNELS]
    parser.add_argument("--channels", type=_listed(known), default=known, help="64, 16 or both")
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--threads", type=_whole(1), default=torch.get_num_threads())
    parser.add_argument("--precision", choices=["float32", "bfloat16"], default="float32")
    parser.add_argument("--scale", type=_whole(1), default=1, help="divides all sides: a trial")
    parser.add_argument("--repeats", type=_whole(0), default=apart.REPEATS, help="timed runs")
    parser.add_argument("--again", action="store_true", help="also what was measured already")
    parser.add_argument("--output", type=Path, help=f"file to write in place of {OUTPUT.name}")
    asked = parser.parse_args(arguments)
    if asked.device == "cuda" and not torch.cuda.is_available():
        parser.error("--device cuda: there is no GPU that PyTorch can use; take --device cpu")
    if asked.precision == "bfloat16" and not has_bfloat16(asked.device):
        parser.error(
            f"--precision bfloat16: {hardware(asked.device)} only emulates it; take float32"
        )
    if asked.threads > (os.cpu_count() or 1):
        parser.error(f"--threads {asked.threads}: this machine has {os.cpu_count()} processors")
    if asked.scale > 1 and asked.output is None:
        parser.error("--scale is a trial, no result: name a file of its own by --output")
    if asked.scale not in (1, 2, 4, 8):
        parser.error(f"--scale {asked.scale}; expected 1, 2, 4 or 8, which divide all sides")
    return asked


def load(path: Path) -> Record:
    """What was measured before: rows by their settings."""
    if not path.exists():
        return {}
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))["rows"]
        return {key: dict(row) for key, row in rows.items()}
    except (ValueError, KeyError, TypeError, AttributeError, OSError) as error:
        raise SystemExit(
            f"error: {path} is no result of this script ({type(error).__name__}); "
            "move it away, or name another file by --output"
        ) from None


def save(path: Path | None, rows: Record) -> Record:
    """Writes the record, whole; without a path, where the repository and the package keep it."""
    record = {
        "what": "bytes and seconds of training iterations and rollouts (Table 2), batch 1",
        "quotients": quotients(rows),
        "rows": rows,
    }
    text = json.dumps(record, indent=1, ensure_ascii=False) + "\n"
    for place in (OUTPUT, COPY) if path is None else (path,):
        write_atomically(place, text.encode())
    return record


def quotients(rows: Record) -> Record:
    """Training memory on pixels over that on latents, at 256 × 256."""
    printed = {space: paper.TABLE_2[space, 256].training_mb or 0 for space in table.SPACES}
    ours = {}
    for key, row in rows.items():
        other = rows.get(key.replace("pixel-256", "latent-256"), {})
        if row["row"] != "pixel-256":
            continue
        for way in table.WAYS[:2]:
            large, small = (r.get(way, {}).get("bytes") for r in (row, other))
            if large and small:
                ours.setdefault(key.replace("pixel-256, ", ""), {})[way] = large / small
    return {
        "paper, from its rows": printed["pixel"] / printed["latent"],
        "paper, in words": 38,
        "ours": ours,
    }


def others(since: tuple[float, float, float] | None) -> tuple[float, float, float] | float | None:
    """A mark; or, from a mark, how many processors others than our children used since then."""
    stat = Path("/proc/stat")
    if not stat.exists():
        return None
    user, nice, system, _, _, irq, soft, *_ = map(int, stat.read_text().split()[1:9])
    busy = (user + nice + system + irq + soft) / os.sysconf("SC_CLK_TCK")
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    now = (time.monotonic(), busy, used.ru_utime + used.ru_stime)
    if since is None:
        return now
    passed, all_, ours = (b - a for a, b in zip(since, now, strict=True))
    return max(0.0, round((all_ - ours) / passed, 2))


def measure(case: table.Case, way: str, law: table.Law, asked: argparse.Namespace) -> Record:
    """One way of one row, or why it was not measured."""
    predicted = {} if way == "evaluation" else {"predicted_bytes": getattr(law, way)}
    if case.device == "cuda":
        torch.cuda.empty_cache()  # what the law took to count, the row may need
    free = runtime.free_memory(case.device)
    needed = predicted.get("predicted_bytes", 0)
    if free is not None and needed > free - SPARED:
        said = f"{needed / 1e9:,.1f} GB by the law, {free / 1e9:,.1f} GB are free"
        return predicted | {"not_run": said}
    mark = others(None)
    try:
        found = apart.measured(case, way, asked.threads, asked.repeats)
    except RuntimeError as error:
        return predicted | {"not_run": str(error)}
    seconds = {part: statistics.median(all_) for part, all_ in found["seconds"].items()}
    busy = others(mark) if isinstance(mark, tuple) else None
    record = predicted | {
        "bytes": found["bytes"],
        "seconds": seconds,
        "all_seconds": found["seconds"],
        "processor_seconds": statistics.median(found["processor_seconds"]),
        "timed": "once, cold" if found["once"] else f"{asked.repeats} times, warm",
        "others": busy,
        "quiet": None if busy is None else busy <= QUIET,
        **provenance(case.device),
    }
    if predicted:
        record["predicted_over_measured"] = needed / found["bytes"]
    else:
        record["ms_per_step"] = 1e3 * seconds["rollout"] / case.steps
    return record


def key_of(name: str, case: table.Case, threads: int) -> str:
    """A row's settings: what is the same is not measured again, whatever the commit."""
    place = hardware(case.device)
    many = "1 thread" if threads == 1 else f"{threads} threads"
    place = place if case.device == "cuda" else f"{place}, {many}"
    trial = f", sides / {case.scale}" if case.scale > 1 else ""
    return f"{name}, {case.channels} channels, {case.precision}, {place}{trial}"


def row_of(name: str, case: table.Case, law: table.Law, threads: int) -> Record:
    """What a row is, beside its measurements."""
    nca, decoder = case.automaton(), case.decoder()
    goal = GOALS[case.picture] if case.space == "pixel" and case.channels == 64 else None
    return {
        "row": name,
        **asdict(case),
        "grid": case.grid,
        "steps": case.steps,
        "segment": case.segment,
        "kept_states": -(-case.steps // case.segment),
        "parameters": nca.parameter_count,
        "decoder_parameters": sum(p.numel() for p in decoder.parameters()) if decoder else 0,
        "hardware": hardware(case.device),
        "threads": threads,
        "goal_bytes": goal if case.scale == 1 else None,
        "law": {
            "kept_bytes_per_cell_and_step": law.kept,
            "state_bytes_per_cell": law.state,
            "decoder_bytes_per_pixel": law.decoder,
        },
    }


def printed(row: Record) -> str:
    """A row of the table at the end."""
    cells = [row["row"], f"{row['grid']}²", str(row["steps"]), str(row["channels"])]
    for way in table.WAYS[:2]:
        found = row.get(way, {})
        if "bytes" in found:
            cells += [f"{found['bytes'] / 1e6:,.0f}", f"{found['predicted_over_measured']:.2f}"]
            cells += [f"{found['seconds']['iteration']:,.2f}"]
        else:
            cells += ["–"] * 3
    found = row.get("evaluation", {})
    measured = "bytes" in found
    cells += [f"{found['bytes'] / 1e6:,.0f}" if measured else "–"]
    cells += [f"{found['ms_per_step']:,.2f}" if measured else "–"]
    goal, bytes_ = row["goal_bytes"], row.get("roots", {}).get("bytes")
    verdict = (
        f"{goal / 1e6:,.0f}, {'kept' if bytes_ <= goal else 'missed'}" if goal and bytes_ else "–"
    )
    cells += [verdict]
    return _line(cells)


def _line(cells: list[str]) -> str:
    widths = (11, 6, 5, 5, 8, 5, 9, 8, 5, 9, 8, 8, 14)
    return " ".join(cell.rjust(width) for cell, width in zip(cells, widths, strict=True))


def main(arguments: list[str] | None = None) -> int:
    """Measures what is missing, saves it as it comes, and prints a table."""
    asked = options(arguments)
    path = asked.output or OUTPUT
    rows = load(path)
    mine, failed = [], 0
    for name in asked.rows:
        for channels in map(int, asked.channels):
            space, picture = ROWS[name]
            case = table.Case(space, picture, channels, asked.device, asked.precision, asked.scale)
            key = key_of(name, case, asked.threads)
            mine.append(key)
            before = rows.get(key, {})
            missing = [w for w in table.WAYS if asked.again or "bytes" not in before.get(w, {})]
            if not missing:
                continue
            law = table.law(case)
            done = {way: before[way] for way in table.WAYS if way in before}
            rows[key] = row_of(name, case, law, asked.threads) | done
            for way in missing:
                print(f"{key}: {way}", file=sys.stderr, flush=True)
                found = measure(case, way, law, asked)
                if "not_run" in found:
                    print(f"not run: {found['not_run']}", file=sys.stderr, flush=True)
                    failed += "status" in found["not_run"]
                    if "bytes" in done.get(way, {}):
                        continue  # what was measured is worth more than a failure to repeat it
                rows[key][way] = found
                save(asked.output, rows)
    save(asked.output, rows)
    print(_line(HEAD))
    for key in mine:
        print(printed(rows[key]))
    print("MB: 10⁶ bytes. law: predicted over measured. s: one iteration, forward and backward.")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
