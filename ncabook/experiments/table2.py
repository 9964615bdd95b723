"""Table 2 from its benchmark: memory and time of automata on large pictures, and the paper's.

``benchmarks/scalability.py`` leaves its record beside the tables; it is the one that is read, in a
checkout and where the package is installed. A row of the paper stands there once for each
automaton, precision and machine that it was measured with.
"""

import json
from typing import Any

from ncabook.evaluation import paper
from ncabook.experiments import FOLDER, TABLES

NUMBER = 2
RECORD = FOLDER / TABLES / "scalability.json"
MIB = 2**20
TRAINING = {"everything": "all kept", "roots": "√T states"}


def lines() -> list[dict[str, Any]]:
    """The table's rows, the paper's order. What was not measured is None."""
    measured: list[dict[str, Any]] = []
    if RECORD.exists():
        measured = list(json.loads(RECORD.read_text(encoding="utf-8"))["rows"].values())
    found = []
    for (space, picture), printed in paper.TABLE_2.items():
        name = f"{space}-{picture}"
        fits = printed.training_mb is not None
        theirs = {
            "paper, training (MiB)": printed.training_mb if fits else "out of memory",
            "paper, evaluation (MiB)": printed.evaluation_mb,
            "paper, evaluation (ms)": printed.evaluation_ms,
        }
        rows = [row for row in measured if row["row"] == name and row["scale"] == 1]
        size = {"grid": printed.grid, "steps": printed.steps}
        found += [{"experiment": name, **size, **_ours(row), **theirs} for row in rows or [{}]]
    return found


def _ours(row: dict[str, Any]) -> dict[str, Any]:
    """The columns of a row of the record; of an empty one, too."""
    place = None
    if row:
        place = row["hardware"]
        if row["device"] == "cpu":
            place += ", 1 thread" if row["threads"] == 1 else f", {row['threads']} threads"
    line = {"channels": row.get("channels"), "precision": row.get("precision"), "machine": place}
    for way, title in TRAINING.items():
        of = row.get(way, {})
        line[f"{title} (MiB)"] = of["bytes"] / MIB if "bytes" in of else _left_out(of)
        line[f"{title} (s)"] = of["seconds"]["iteration"] if "bytes" in of else None
    of = row.get("evaluation", {})
    line["evaluation (MiB)"] = of["bytes"] / MIB if "bytes" in of else None
    line["evaluation (ms)"] = of.get("ms_per_step")
    return line


def _left_out(of: dict[str, Any]) -> str | None:
    if "not_run" not in of:
        return None
    if "by the law" not in of["not_run"]:
        return "failed"
    return f"not run: {of['predicted_bytes'] / 1e9:,.0f} GB by the law"
