"""The cards' numbers as tables, beside what the paper prints.

A row is an experiment; its seeds are separate models of the zoo. Every figure is the median over
the seeds, with the least and the greatest where there are several. What a number is called, and
how many digits it has, its task says (:class:`ncabook.tasks.report.Measured`).
"""

import statistics
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from ncabook import zoo
from ncabook.evaluation import paper
from ncabook.experiments import sweep, table2
from ncabook.extras import need
from ncabook.tasks import task_of
from ncabook.tasks.report import MISSING, Report

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
PAPER_VOTES = {"mnist-mse": "MSE NCA", "mnist-pce": "PCE NCA"}
PAPER_PHOTOGRAPHS = {
    "cifar-conv3": "Conv 3x3",
    "cifar-conv3-pool": "Conv 3x3 + SP",
    "cifar-residual-dilated": "Residual + Dilated 5x5",
}
PAPER_DIGITS = ("digits-mse", "digits-l1", "digits-critic", "digits-guided")
PAPER_DRAWINGS = tuple(
    f"handbags-{perception}-{loss}"
    for loss in ("l1", "critic")
    for perception in ("conv3", "conv5", "combined")
)
ONE_PASS_DRAWINGS = ("handbags-unet", "handbags-pix2pix")
FILMS = tuple(
    f"moving-{name}"
    for name in ("cells", "lasting", "fresh", "walls", "pixels", "paper", "convlstm")
)
PAPER_TEXTURES = {"lacelike-conv3": "Conv 3x3", "lacelike-combined": "Combined"}
# Of tables that are no sweeps, since their models begin with another one.
ROWS = {
    7: (*PAPER_DRAWINGS, "handbags-combined-long", *ONE_PASS_DRAWINGS),
    16: FILMS,
    18: PAPER_DIGITS,
}
# Where a column's number is in a card's metrics; networks of one pass lack those of many steps.
# Means are over all rollouts, with those whose seed died, unless a label says *living*.
COLUMNS = {
    1: (
        "lpips.stage1",
        "lpips.stage2",
        "starts.seed",
        "lpips.living.stage2",
        "ring.lpips.stage2",
        "lpips.damage_final",
        "lpips.damage_recovery",
        "lpips.mutation_final",
        "lpips.mutation_recovery",
        "mse.stage2",
        "mse.long",
        "further.far",
        "further.repeated",
        "further.larger",
        "further.slower",
        "further.faster",
        "further.noise_recovery",
        "further.erased_recovery",
        "further.nothing",
    ),
    5: (
        "starts.seed",
        "lpips.damage_recovery",
        "lpips.mutation_recovery",
        "mse.stage2",
        "mse.long",
    ),
    7: (
        "steps.24.lpips",
        "steps.48.lpips",
        "steps.200.lpips",
        "steps.48.l1",
        "steps.200.l1",
        "steps.48.kid",
        "recovery.percent",
        "answer.lpips",
        "answer.l1",
        "answer.kid",
    ),
    16: (
        "next.mse",
        "free.mse",
        "free.mae",
        "free.ssim",
        "free.ssim_openstl",
        "free.lpips",
        "counting.told.window",
        "counting.told.new",
        "unlike.fast.next",
        "unlike.larger.next",
        "unlike.digits-3.next",
        "erased.picture.percent",
    ),
    18: (
        "judges.digits-judge.grown.all",
        "judges.digits-judge.late.all",
        "judges.mnist-mse.grown.all",
        "diversity.grown.features.mean",
        "diversity.real.features.mean",
        "diversity.grown.lpips.mean",
        "diversity.real.lpips.mean",
        "diversity.grown.variance.mean",
        "copies.grown",
        "copies.real",
        "recovery.percent",
        "recovery.mse_percent",
    ),
}


def printed(name: str) -> dict[str, float]:
    """What the paper prints of an experiment, by the place of the like in our metrics."""
    found: dict[str, float | None] = {}
    if name in PAPER_VOTES:
        votes = paper.TABLE_3[PAPER_VOTES[name]]
        found = {f"{moment}.per_cell": getattr(votes, moment) for moment in ("short", "grown")}
        found |= {"final.per_cell": votes.final, "recovery": votes.recovery}
    elif name in PAPER_PHOTOGRAPHS:
        photographs = paper.TABLE_4[PAPER_PHOTOGRAPHS[name]]
        found = {"short.per_image": photographs.short, "grown.per_image": photographs.late}
    elif name in PAPER_DIGITS:
        found = {"judges.digits-judge.grown.all": paper.FIGURE_18}
    elif name in PAPER_TEXTURES:
        percent = paper.FIGURE_11[PAPER_TEXTURES[name]]
        found = {"horizontal.recovery": percent, "vertical.recovery": percent}
    elif name in PAPER_ROWS and PAPER_ROWS[name] in paper.TABLE_1:
        row = paper.TABLE_1[PAPER_ROWS[name]]
        found = {
            "lpips.stage1": row.damage.stage1,
            "lpips.stage2": row.damage.stage2,
            "lpips.damage_final": row.damage.stage3,
            "lpips.damage_recovery": row.damage.recovery,
            "lpips.mutation_final": row.mutation.stage3,
            "lpips.mutation_recovery": row.mutation.recovery,
        }
    return {key: value for key, value in found.items() if value is not None}


def report(card: zoo.Card, metrics: dict[str, Any] | None = None) -> Report:
    """A card's numbers in words; or fresh ones of its model."""
    return task_of(card.experiment).report(metrics or card.metrics or {})


def rows(number: int) -> list[str]:
    """The experiments of a table, in its order.

    Raises:
        ValueError: there is no such table, or its rows are no experiments.

    """
    if number == table2.NUMBER:
        raise ValueError(
            f"table {number} has no models to evaluate; benchmarks/scalability.py measures it anew"
        )
    if number not in COLUMNS:
        known = ", ".join(map(str, sorted([*COLUMNS, table2.NUMBER])))
        raise ValueError(f"there is no table {number}; expected one of {known}")
    if number in ROWS:
        return list(ROWS[number])
    return sweep.find(f"table{number}")[0].experiments


def models(number: int) -> list[str]:
    """The zoo's models that belong to a table, row by row, seed by seed."""
    cards = {name: zoo.read_card(folder) for name, folder in zoo.folders().items()}
    return [
        name
        for row in rows(number)
        for name, card in sorted(cards.items(), key=lambda item: item[1].experiment.seed)
        if card.experiment.name == row
    ]


def table(number: int, metrics: dict[str, dict[str, Any]] | None = None) -> "pandas.DataFrame":
    """A table as numbers: one row per experiment, ours and the paper's columns.

    Args:
        number: 1, 2 or 5; or that of a figure: 7, 16, or 18, which has numbers in the text only.
        metrics: by model, fresh evaluations; the cards' own where there is none.

    Raises:
        ModuleNotFoundError: pandas is not installed.

    """
    pd = need("pandas", "tables", "A table")  # slow to import, and few need it

    if number == table2.NUMBER:
        return pd.DataFrame(table2.lines()).set_index("experiment")
    by_row: dict[str, list[tuple[zoo.Card, Report]]] = {row: [] for row in rows(number)}
    for name in models(number):
        card = zoo.read_card(zoo.find(name))
        by_row[card.experiment.name].append((card, report(card, (metrics or {}).get(name))))
    every = [found for pairs in by_row.values() for _, found in pairs]
    titles = {
        key: next((r[key].title for r in every if r[key].value is not None), key)
        for key in COLUMNS[number]
    }
    lines = []
    for row, found in by_row.items():
        line: dict[str, Any] = {"experiment": row, "seeds": len(found)}
        line["parameters"] = found[0][0].parameters if found else None
        for key, title in titles.items():
            values = [value for _, r in found if (value := r[key].value) is not None]
            line[title] = statistics.median(values) if values else None
            line[f"{title}, least"] = min(values, default=None)
            line[f"{title}, greatest"] = max(values, default=None)
        lines.append(line | _printed(number, row))
    return pd.DataFrame(lines).set_index("experiment")


def _printed(number: int, row: str) -> dict[str, Any]:
    name = PAPER_ROWS.get(row)
    if number in (7, 16):
        return {}  # drawings of curves, without numbers
    if number == 18:
        return {"paper, recognised (%)": paper.FIGURE_18}
    if number == 5:
        damage, mutation = paper.TABLE_5["Without SP" if name == "Without SP" else "With SP"]
        known = row in ("emoji-conv3", "emoji-conv3-no-pool")
        return {
            "paper, damage (%)": damage if known else None,
            "paper, mutation (%)": mutation if known else None,
        }
    printed = paper.TABLE_1.get(name or "")
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
    if label in ("seeds", "parameters", "grid", "steps", "channels") or "(MiB)" in label:
        return f"{round(value):,}"
    if label.endswith(("(s)", "(ms)")):
        return f"{value:,.3g}" if value < 1000 else f"{value:,.0f}"
    return f"{value:.2f}" if "%" in label else f"{value:.4f}"
