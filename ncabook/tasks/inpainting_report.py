"""The numbers of filled holes, for people: by the size of the hole, of features, and elsewhere."""

from typing import Any

from ncabook.evaluation.inpainting_chance import PERCENTS
from ncabook.tasks.report import Measured

COLUMNS = {
    "inside": ("PSNR in the hole", 2, "dB"),
    "ssim_inside": ("SSIM in the hole", 3, ""),
    "lpips": ("LPIPS", 4, ""),
}
SEEN = "eyes and mouths seen"
SIZES = {
    "all": "",
    "small": ", < 20 % missing",
    "middle": ", 20–40 % missing",
    "large": ", > 40 % missing",
}

DIFFERING = {
    "coins": "other cells fire",
    "noise": "other noise",
    **{f"drawn {percent}": f"codes drawn at {percent} %" for percent in PERCENTS},
    **{f"agreed {percent}": f"codes drawn in rounds at {percent} %" for percent in PERCENTS},
}


def heading(metrics: dict[str, Any]) -> str:
    """What was measured."""
    return f"protocol {metrics['protocol']['version']}, {metrics['pictures']:,} pictures with holes"


def at(metrics: dict[str, Any], place: str) -> Any:
    """What lies in nested mappings below names with points between them; None if nothing does."""
    found: Any = metrics
    for name in place.split("."):
        found = found.get(name) if isinstance(found, dict) else None
    return found


def told(place: str, row: str, values: dict[str, Any]) -> list[Measured]:
    """Columns of one row, as far as they were measured."""
    found = []
    for name, (column, digits, unit) in COLUMNS.items():
        if name in values:
            low, high = values[f"{name}_interval"]
            key, value = f"{place}.{name}", values[name]
            found.append(Measured(key, row, column, value, digits, unit, (low, high)))
    return found


def by_size_rows(metrics: dict[str, Any], rows: dict[str, str]) -> list[Measured]:
    """Rows by the size of the hole, then those that need no learning; and features, if any."""
    simple = metrics["rows"].get("simple", {})
    rows = rows | {f"simple.{name}": name for name in simple}
    found = []
    for place, row in rows.items():
        for group, words in SIZES.items():
            values = at(metrics, f"rows.{place}.{group}")
            if values is not None:
                found += told(f"rows.{place}.{group}", row + words, values)
    truth = {"truth": "the truth"} if "features" in metrics else {}
    for place, row in (rows | truth).items():
        values = at(metrics, f"features.{place}") or {}
        if "percent" in values:
            low, high = values["percent_interval"]
            key, value = f"features.{place}.percent", values["percent"]
            found.append(Measured(key, row, SEEN, value, 1, "%", (low, high)))
    return found


def further_rows(further: dict[str, Any]) -> list[Measured]:
    """What the same weights do elsewhere."""
    if not further:
        return []
    rows = {"own": f"the first {further['pictures']} pictures"}
    rows |= {
        f"larger.{name}": f"half again as large, step {name}"
        for name in further["larger"]
        if name.isdigit()
    }
    rows |= {"larger.floor": "half again as large, the autoencoder alone"}
    fires = further["fires"]
    rows |= {f"fires.{p}": f"{p} % fire, step {values['steps']}" for p, values in fires.items()}
    rows |= {
        **{f"near.{far}": f"only cells up to {far} from the hole" for far in further["near"]},
        "moving.moved": "a hole that moved",
        "moving.still": "the same hole, standing",
    }
    found = []
    for place, row in rows.items():
        found += told(f"further.{place}", row, at(further, place))
    for far, values in further["near"].items():
        key, row = f"further.near.{far}.for each missing", rows[f"near.{far}"]
        found.append(Measured(key, row, "cells for each missing one", values["for each missing"]))
    healed = further["again"]
    low, high = healed["interval"]
    key, row = "further.again.percent", "recovery from a second hole"
    return [*found, Measured(key, row, "LPIPS", healed["percent"], 1, "%", (low, high))]


def diversity_rows(metrics: dict[str, Any]) -> list[Measured]:
    """How far fillings of the same hole lie apart, if they were compared."""
    fillings = metrics.get("diversity", {})
    found = []
    for name, words in DIFFERING.items():
        if name in fillings:
            values = fillings[name]
            low, high = values["deviation_interval"]
            key, row = f"diversity.{name}.deviation", f"{fillings['seeds']} fillings, {words}"
            column, value = "standard deviation of a pixel", values["deviation"]
            found.append(Measured(key, row, column, value, 4, "", (low, high)))
    return found


def judged(metrics: dict[str, Any]) -> list[str]:
    """What the judge of features is worth."""
    if "features" not in metrics:
        return []
    judge, truth = metrics["features"]["judge"], metrics["features"]["truth"]
    return [
        f"of {truth['holes']} holes over an eye or a mouth; the judge misses {judge['missed']:.1f} "
        f"% of those that are there, and sees {judge['imagined']:.1f} % where there are none"
    ]
