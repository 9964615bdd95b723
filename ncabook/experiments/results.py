"""Tables 1 and 5 from the trained models' cards, beside what the paper prints.

A row is an experiment; its seeds are separate models of the zoo. Every figure is the median over
the seeds, with the least and the greatest where there are several.
"""

import statistics
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from ncabook import zoo
from ncabook.evaluation import paper
from ncabook.evaluation.starts import percent_died
from ncabook.experiments import sweep
from ncabook.extras import need

if TYPE_CHECKING:
    import pandas

PAPER_ROWS = {
    "emoji-sobel": "Sobel",
    "emoji-conv3": "Conv 3x3",
    "emoji-conv5": "Conv 5x5",
    "emoji-deformable": "Deformable 3x3",
    "emoji-combined": "Comb 3x3+5x5D",
    "emoji-attention": "Attention 3x3",
    "unet-25k": "U-Net 25k",
    "unet-44k": "U-Net 44k",
    "unet-69k": "U-Net 69k",
    "pix2pix-25k": "GAN 25k",
    "pix2pix-44k": "GAN 44k",
    "pix2pix-69k": "GAN 69k",
    "emoji-conv3-no-pool": "Without SP",
}
MISSING = "–"
# Where a column's number is in a card's metrics; networks of one pass lack those of many steps.
# Means are over all rollouts, with those whose seed died, unless a label says *living*.
COLUMNS = {
    1: {
        "LPIPS, steps 64–96": ("lpips", "stage1"),
        "LPIPS, step 149": ("lpips", "stage2"),
        "starts died (%)": ("starts", "seed"),
        "LPIPS, step 149, living": ("lpips", "living", "stage2"),
        "LPIPS, step 149, ring": ("ring", "lpips", "stage2"),
        "LPIPS, damage, step 449": ("lpips", "damage_final"),
        "recovery, damage (%)": ("lpips", "damage_recovery"),
        "LPIPS, mutation, step 449": ("lpips", "mutation_final"),
        "recovery, mutation (%)": ("lpips", "mutation_recovery"),
        "MSE, step 149": ("mse", "stage2"),
        "MSE, step 1,000": ("mse", "long"),
        "MSE, step 5,000": ("further", "far"),
        "MSE, ten damages": ("further", "repeated"),
        "MSE, larger grid": ("further", "larger"),
        "MSE, firing half as often": ("further", "slower"),
        "MSE, firing always": ("further", "faster"),
        "recovery, noise (%)": ("further", "noise_recovery"),
        "recovery, random cells (%)": ("further", "erased_recovery"),
        "MSE, from nothing": ("further", "nothing"),
    },
    5: {
        "starts died (%)": ("starts", "seed"),
        "recovery, damage (%)": ("lpips", "damage_recovery"),
        "recovery, mutation (%)": ("lpips", "mutation_recovery"),
        "MSE, step 149": ("mse", "stage2"),
        "MSE, step 1,000": ("mse", "long"),
    },
}


def rows(number: int) -> list[str]:
    """The experiments of a table, in its order.

    Raises:
        ValueError: there is no such table.

    """
    if number not in COLUMNS:
        known = ", ".join(map(str, COLUMNS))
        raise ValueError(f"there is no table {number}; expected one of {known}")
    return sweep.find(f"table{number}")[0].experiments


def models(number: int) -> list[str]:
    """The zoo's models that belong to a table, row by row, seed by seed."""
    cards = {name: zoo.read_card(zoo.ZOO / name) for name in zoo.names()}
    return [
        name
        for row in rows(number)
        for name, card in sorted(cards.items(), key=lambda item: item[1].experiment.seed)
        if card.experiment.name == row
    ]


def table(number: int, metrics: dict[str, dict[str, Any]] | None = None) -> "pandas.DataFrame":
    """A table as numbers: one row per experiment, ours and the paper's columns.

    Args:
        number: 1 or 5.
        metrics: by model, fresh evaluations; the cards' own where there is none.

    Raises:
        ModuleNotFoundError: pandas is not installed.

    """
    pd = need("pandas", "tables", "A table")
    by_row: dict[str, list[tuple[zoo.Card, dict[str, Any]]]] = {row: [] for row in rows(number)}
    for name in models(number):
        card = zoo.read_card(zoo.ZOO / name)
        by_row[card.experiment.name].append((card, (metrics or {}).get(name, card.metrics)))
    lines = []
    for row, found in by_row.items():
        line: dict[str, Any] = {"experiment": row, "seeds": len(found)}
        line["parameters"] = found[0][0].parameters if found else None
        for label, path in COLUMNS[number].items():
            values = [value for _, m in found if (value := _number(m, path)) is not None]
            line[label] = statistics.median(values) if values else None
            line[f"{label}, least"] = min(values, default=None)
            line[f"{label}, greatest"] = max(values, default=None)
        lines.append(line | _printed(number, row))
    return pd.DataFrame(lines).set_index("experiment")


def _number(metrics: dict[str, Any], path: tuple[str, ...]) -> float | None:
    """What lies at ``path``; None where there is nothing, as of models in which nothing dies."""
    value: Any = metrics
    for key in path:
        value = value.get(key) if value is not None else None
    return percent_died(metrics["starts"], path[1]) if value and path[0] == "starts" else value


def _printed(number: int, row: str) -> dict[str, Any]:
    name = PAPER_ROWS.get(row)
    if number == 5:
        damage, mutation = paper.TABLE_5["Without SP" if name == "Without SP" else "With SP"]
        known = row in ("emoji-conv3", "emoji-conv3-no-pool")
        return {
            "paper, damage (%)": damage if known else None,
            "paper, mutation (%)": mutation if known else None,
        }
    printed = paper.TABLE_1.get(name)
    return {
        "paper, parameters": printed and printed.parameters,
        "paper, damage (%)": printed and printed.damage.recovery,
        "paper, mutation (%)": printed and printed.mutation.recovery,
    }


def markdown(frame: "pandas.DataFrame") -> str:
    """For people: medians, with the range over seeds behind them."""
    labels = [c for c in frame.columns if not c.endswith((", least", ", greatest"))]
    lines = [_line(["experiment", *labels]), _line(["---"] * (1 + len(labels)))]
    for row, values in frame.iterrows():
        cells = [str(row)]
        for label in labels:
            text = _cell(values[label], label)
            if f"{label}, least" in frame.columns and values["seeds"] > 1:
                low, high = (
                    _cell(values[f"{label}, {end}"], label) for end in ("least", "greatest")
                )
                text += f" [{low}, {high}]" if text != MISSING else ""
            cells.append(text)
        lines.append(_line(cells))
    return "\n".join(lines) + "\n"


def _line(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _cell(value: Any, label: str) -> str:
    if value is None or value != value:
        return MISSING
    if isinstance(value, str):
        return value
    if label in ("seeds", "parameters"):
        return f"{int(value):,}"
    return f"{value:.2f}" if "%" in label else f"{value:.4f}"
