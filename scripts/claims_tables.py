"""What the paper prints, table by table, beside ours, with a verdict on each number.

Part of ``claims_page.py``.
"""

import json
import statistics
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import claims_in_words

from ncabook import zoo
from ncabook.evaluation import paper
from ncabook.experiments import results, table2
from ncabook.tasks.report import MISSING

ROOT = Path(__file__).parents[1]
REACHED, SHORT, UNLIKE, UNMEASURED = "reached", "fell short", "not comparable", "not measured"
VERDICTS = (REACHED, SHORT, UNLIKE, UNMEASURED)
LOW, HIGH, SIZE = "lower is better", "higher is better", "within a tenth"
DREW = 0.1  # LPIPS above which a picture has no detail: its recovery compares two bad ones
MIB = 2**20


@dataclass(frozen=True)
class Number:
    """A printed number beside ours.

    Attributes:
        row: whose it is, such as ``Conv 3x3``.
        column: what it is, such as ``recovery (%)``.
        printed: the paper's, as printed.
        ours: ours, in words.
        verdict: one of ``VERDICTS``.

    """

    row: str
    column: str
    printed: str
    ours: str
    verdict: str


@dataclass(frozen=True)
class Section:
    """A table of the paper, or a figure with numbers."""

    title: str
    words: str
    numbers: Sequence[Number]


def judged(ours: float | None, printed: float, digits: int, better: str) -> str:
    """The verdict on a number.

    Args:
        ours: None where there is none.
        printed: the paper's.
        digits: behind the point, of the paper's.
        better: which direction is.

    """
    if ours is None or ours != ours:
        return UNMEASURED
    if better == SIZE:
        return REACHED if abs(ours / printed - 1) <= 0.1 else UNLIKE
    ours = round(ours, digits)
    return REACHED if (ours <= printed if better == LOW else ours >= printed) else SHORT


def measured(name: str, key: str) -> tuple[float | None, str]:
    """Ours, of all trainings of an experiment: the median, and how it is written."""
    found = [one for one in claims_in_words.seeds(name, key) if one.value is not None]
    if not found:
        return None, MISSING
    if len(found) == 1:
        return found[0].value, str(found[0]).replace(f" {found[0].unit}", "")
    values = [one.value for one in found if one.value is not None]
    middle, least, most = statistics.median(values), min(values), max(values)
    write = found[0].number
    return middle, f"{write(middle)} [{write(least)}, {write(most)}]"


def card_number(
    row: str, column: str, name: str, key: str, printed: float, digits: int, better: str = HIGH
) -> Number:
    """A printed number beside that of an experiment's cards."""
    value, text = measured(name, key)
    verdict = judged(value, printed, digits, better)
    return Number(row, column, minus(f"{printed:,.{digits}f}"), text, verdict)


def unlike(number: Number) -> Number:
    """The same, where the two say different things; what was not measured stays so."""
    if number.verdict == UNMEASURED:
        return number
    return Number(number.row, number.column, number.printed, number.ours, UNLIKE)


def size(row: str, printed: str, name: str) -> Number:
    """The count of parameters, printed as ``23k``."""
    count = zoo.read_card(zoo.find(name)).parameters
    verdict = judged(count, 1000 * float(printed.removesuffix("k")), 0, SIZE)
    return Number(row, "parameters", printed, f"{count:,}", verdict)


def minus(text: str) -> str:
    """A number's text with a true minus."""
    return text.replace("-", "\N{MINUS SIGN}")


def of_several(names: Mapping[str, str]) -> str:
    """Which rows were trained with several seeds, as a sentence; empty where none was.

    Args:
        names: of the rows' experiments, by row.

    """
    trained = Counter(experiment for experiment, _ in claims_in_words.reports().values())
    rows = [f"{row} ({trained[name]})" for row, name in names.items() if trained[name] > 1]
    return f"\nTrained with several seeds: {', '.join(rows)}." if rows else ""


def table_1() -> Section:
    """Emojis."""
    names = {row: name for name, row in results.PAPER_ROWS.items()}
    found: list[Number] = []
    for row, printed in paper.TABLE_1.items():
        name = names[row]
        once = printed.damage.stage1 is None
        drew = (measured(name, "lpips.stage2")[0] or 0) <= DREW
        for kind, stages in (("damage", printed.damage), ("mutation", printed.mutation)):
            parts = (
                ("steps 64–96", "lpips.stage1", stages.stage1, 3, LOW),
                ("step 149", "lpips.stage2", stages.stage2, 3, LOW),
                ("step 449", f"lpips.{kind}_final", stages.stage3, 3, LOW),
                ("recovery (%)", f"lpips.{kind}_recovery", stages.recovery, 2, HIGH),
            )
            for label, key, value, digits, better in parts:
                if value is None:
                    continue
                one = card_number(row, f"{kind}, {label}", name, key, value, digits, better)
                again = "final" in key or "recovery" in key
                blurred = "recovery" in key and not drew
                found.append(unlike(one) if (once and again) or blurred else one)
        found.append(size(row, printed.parameters, name))
    words = """\
LPIPS and recovery of emojis ({doc}`05_perception_decides`). Not comparable: what U-Net and GAN do
after damage or mutation, since nothing in a network of one pass regenerates and the paper does not
say what it is shown; and the recoveries of attention, which drew no picture here that could come
back. The paper repeats the first two stages for damage and for mutation; ours are measured once.
Ours is LPIPS of values in [−1, 1], as its package expects; the authors' code gives it others
({doc}`errata`)."""
    return Section("Table 1: emojis", words + of_several(names), found)


def table_2() -> Section:
    """Large pictures: memory and time."""
    lines = {line["experiment"]: line for line in table2.lines()}
    found = []
    for (space, picture), printed in paper.TABLE_2.items():
        row, ours = f"{space}, {picture} × {picture}", lines[f"{space}-{picture}"]
        every, few = (ours.get(f"{way} (MiB)") for way in table2.TRAINING.values())
        both = f"{shown(every)}; {shown(few)} with few states kept"
        if printed.training_mb is None:
            fits = [one for one in (every, few) if isinstance(one, float)]
            verdict = REACHED if fits and min(fits) < 24 * 1024 else UNMEASURED
            text = both if fits else f"{every or MISSING}"
            found.append(Number(row, "training (MiB)", "out of memory", text, verdict))
            continue
        for column, theirs, text, value in (
            ("training (MiB)", printed.training_mb, both, every),
            ("evaluation (MiB)", printed.evaluation_mb, shown(ours["evaluation (MiB)"]), every),
            ("evaluation (ms)", printed.evaluation_ms, shown(ours["evaluation (ms)"]), every),
        ):
            verdict = UNLIKE if isinstance(value, float) else UNMEASURED
            found.append(Number(row, column, f"{theirs:,}", text, verdict))
    quotients = [
        lines["pixel-256"][f"{way} (MiB)"] / lines["latent-256"][f"{way} (MiB)"]
        for way in table2.TRAINING.values()
        if isinstance(lines["pixel-256"].get(f"{way} (MiB)"), float)
    ]
    text = "; ".join(f"{q:.0f}" for q in quotients) + " with few states kept" if quotients else "–"
    own = [paper.TABLE_2[space, 256].training_mb or 0.0 for space in ("pixel", "latent")]
    verdict = UNLIKE if quotients else UNMEASURED
    row = "latent in place of pixel, 256 × 256"
    found.append(Number(row, "times less memory to train", "38", text, verdict))
    machine = next((line["machine"] for line in lines.values() if line["machine"]), "no machine")
    words = f"""\
Training one picture, batch 1 ({{doc}}`11_latent_space`). Ours ran on {machine}, with 64 channels,
which is a guess: the paper names neither channels nor precision, and counts a GPU's memory. So its
numbers and ours are not comparable, but for what it could not train at all in 24 GB.

Our *evaluation (ms)* is the time of one step, taken while other programs ran. So whether one small
grid is faster than another cannot be read from it. *By the law*: by the equation of
{{doc}}`04_what_a_step_costs`, not measured. The paper's "38" is not the quotient of its own two
numbers, which is {own[0] / own[1]:.1f}. (The paper's MB are read as MiB, here and in Table 6;
ours in GB are 10⁹ bytes.)"""
    return Section("Table 2: latents and pixels", words, found)


def shown(value: float | str | None) -> str:
    """MiB or ms, three digits at the least."""
    if isinstance(value, float):
        return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
    return value or MISSING


def figure_11() -> Section:
    """Lacelike."""
    names = {row: name for name, row in results.PAPER_TEXTURES.items()}
    found = []
    for row, printed in paper.FIGURE_11.items():
        halves = ("horizontal", "vertical")
        ours = [measured(names[row], f"{half}.recovery") for half in halves]
        text = f"right half {ours[0][1]}; lower half {ours[1][1]}"
        least = min((value for value, _ in ours if value is not None), default=None)
        verdict = judged(least, printed, 2, HIGH)
        found.append(Number(row, "recovery (%)", f"{printed:.2f}", text, verdict))
    words = """\
How much of the style comes back when half of a texture is erased ({doc}`08_textures_that_heal`).
One number a row is printed. The text speaks of horizontal and of vertical removal, the caption of
horizontal removal alone. We measured both, and the lesser of ours is judged. Above 100 %: closer to
the target than before the damage."""
    return Section("Figure 11: textures", words + of_several(names), found)


def table_3() -> Section:
    """Digits that are voted on."""
    names = {row: name for name, row in results.PAPER_VOTES.items()}
    found: list[Number] = []
    for row, printed in paper.TABLE_3.items():
        if row not in names:
            found.append(Number(row, "steps 20–30 (%)", f"{printed.short}", MISSING, UNMEASURED))
            found.append(Number(row, "parameters", printed.parameters, MISSING, UNMEASURED))
            continue
        for column, key, value in (
            ("steps 20–30 (%)", "short.per_cell", printed.short),
            ("step 149 (%)", "grown.per_cell", printed.grown),
            ("step 449 (%)", "final.per_cell", printed.final),
            ("recovery (%)", "recovery", printed.recovery),
        ):
            digits = 2 if key == "recovery" else 1
            found.append(card_number(row, column, names[row], key, value or 0.0, digits))
        found.append(size(row, printed.parameters, names[row]))
    words = """\
How many cells are right about a digit, and how many of these come back after it was swapped for
another ({doc}`06_cells_that_vote`). The GAN that votes was not built; the chapter compares with a
convolutional network of the same size instead."""
    return Section("Table 3: votes on digits", words + of_several(names), found)


def table_4() -> Section:
    """Photographs."""
    names = {row: name for name, row in results.PAPER_PHOTOGRAPHS.items()}
    found = []
    for row, printed in paper.TABLE_4.items():
        parts = (
            ("steps 32–64 (%)", "short", printed.short),
            ("step 300 (%)", "grown", printed.late),
        )
        for column, key, value in parts:
            one = card_number(row, column, names[row], f"{key}.per_image", value, 2)
            found.append(unlike(one) if value < 10 else one)  # chance: no goal for anybody
    wide = "cifar-two-scales-wide"
    heading = results.report(zoo.read_card(zoo.find(wide))).heading
    told = heading.replace("protocol ", "{term}`protocol` of version ", 1)
    words = f"""\
Photographs that the cells are right about ({{doc}}`07_votes_on_photographs`). Ours: {told}.
All are lossy copies (JPEG) of the test photographs, and the chapter measures what that changes. Not
comparable: a printed accuracy below chance (10 %) is no goal. The book's best row, `{wide}`, is a
design of its own, and stands among the claims in words."""
    return Section("Table 4: votes on photographs", words + of_several(names), found)


def table_5() -> Section:
    """With and without the pool."""
    found: list[Number] = []
    names = {"Without SP": "emoji-conv3-no-pool", "With SP": "emoji-conv3"}
    for row, name in names.items():
        for kind, value in zip(("damage", "mutation"), paper.TABLE_5[row], strict=True):
            key = f"lpips.{kind}_recovery"
            one = card_number(row, f"recovery, {kind} (%)", name, key, value, 2)
            found.append(unlike(one) if value < 0 else one)
    words = """\
What the sample pool is for ({doc}`05_perception_decides`). Not comparable: how bad it gets without
one is no goal. That it gets bad stands among the claims in words."""
    return Section("Table 5: the pool", words + of_several(names), found)


def figure_18() -> Section:
    """Growing digits."""
    labels = ("MSE", "L1", "L1 + critic", "L1 + critic + guidance")
    names = dict(zip(labels, results.PAPER_DIGITS, strict=True))
    key = "judges.digits-judge.grown.all"
    found = [
        card_number(row, "recognised (%)", name, key, paper.FIGURE_18, 0)
        for row, name in names.items()
    ]
    real = measured("digits-mse", "judges.digits-judge.right_of_real")[1]
    words = f"""\
Grown digits that a classifier takes for what they stand for ({{doc}}`09_growing_digits`). The
paper's classifier has no name and no error; ours names {real} % of real digits rightly. The paper
does not say how many classes were grown, and the authors' code has three; here there are ten."""
    return Section("Figure 18: growing digits", words + of_several(names), found)


def table_6() -> Section:
    """What a step costs."""
    path = ROOT / "benchmarks/training_step.json"
    record = json.loads(path.read_text(encoding="utf-8"))
    found: list[Number] = []
    for row, printed in paper.TABLE_6.items():
        ours = record["table6"][row]
        best = ours["ncabook"]
        verdict = judged(ours["parameters"], printed.parameters, 0, SIZE)
        found.append(
            Number(row, "parameters", f"{printed.parameters:,}", f"{ours['parameters']:,}", verdict)
        )
        time = best.get("training_seconds")
        once = best["inference_seconds"]["1"]
        trained = best.get("training_bytes")
        for column, theirs, value in (
            ("training step (ms)", printed.training_ms, time and 1e3 * time["median"]),
            ("latency (ms)", printed.latency_ms, once and 1e3 * once["median"]),
            ("training (MiB)", printed.training_mb, trained and trained / MIB),
            ("inference (MiB)", printed.inference_mb, best["inference_bytes"] / MIB),
        ):
            verdict = UNMEASURED if value is None else UNLIKE
            if column == "training (MiB)" and value is not None:
                verdict = judged(value, theirs, 1, LOW)
            text = shown(None if value is None else float(value))
            found.append(Number(row, column, f"{theirs:,}", text, verdict))
    words = f"""\
Time and memory at 64 × 64 ({{doc}}`15_costs_in_full`): of an iteration of training, and of drawing
one picture (*latency*); an automaton takes 32 steps for either. Ours ran on
{record["hardware"]}, the paper's on an RTX 4090, so times are not comparable; nor is the memory of
inference, since the paper's is of 64 pictures at once and ours of {record["sizes"]["inference"]}.
The memory of training is: the automata have as many parameters as the paper's and the same batch,
and a textbook step of them keeps here nearly what is printed. Our own steps keep less, partly in
16 bits. U-Net and GAN are our own layouts, of nearly the printed size."""
    return Section("Table 6: what a step costs", words, found)


def sections() -> list[Section]:
    """All tables, in the paper's order."""
    return [
        table_1(),
        table_2(),
        figure_11(),
        table_3(),
        table_4(),
        table_5(),
        figure_18(),
        table_6(),
    ]
