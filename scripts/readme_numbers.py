"""Writes the numbers in README.md from the cards and benchmark files that hold them.

``python scripts/readme_numbers.py``; a test fails while README.md says anything else.
"""

import json
import re
from pathlib import Path

from ncabook import zoo
from ncabook.experiments import results

ROOT = Path(__file__).parents[1]
START, END = "<!-- numbers: written by scripts/readme_numbers.py -->", "<!-- end of numbers -->"
# One line per chapter that trains something, with the number that its figure is about.
ROWS = (
    ("emoji-conv3", "lpips.damage_recovery"),
    ("emoji-combined", "lpips.damage_recovery"),
    ("mnist-mse", "grown.per_cell"),
    ("cifar-conv3-pool", "grown.per_image"),
    ("cifar-two-scales-wide", "grown.per_image"),
    ("lacelike-conv3", "horizontal.recovery"),
    ("lacelike-combined", "horizontal.recovery"),
)


def numbers() -> str:
    """The section's text."""
    lines = ["| model | parameters | | ours | the paper |", "|---|---|---|---|---|"]
    for name, key in ROWS:
        card = zoo.read_card(zoo.find(name))
        ours = results.report(card)[key]
        place = zoo.find(name).relative_to(ROOT).as_posix()
        theirs = results.printed(name).get(key)
        lines.append(
            f"| [`{name}`]({place}/card.json) | {card.parameters:,} | {ours.column}, {ours.row} | "
            f"{ours} | {ours.number(theirs)}{f' {ours.unit}' if theirs is not None else ''} |"
        )
    bench = json.loads((ROOT / "benchmarks/live_engine.json").read_text(encoding="utf-8"))
    engine = bench["results"]["40x40"]["dense"]["median"]
    return "\n".join(
        [
            *lines,
            "",
            "Intervals are 95 %, by bootstrap over rollouts. All models and all numbers, how they "
            "were measured and on what, stand on the book's page *Results*; `ncabook evaluate "
            "NAME` measures again. The live engine makes "
            f"{engine:,.0f} steps a second of `emoji-conv3` on 40 × 40 cells, each computed, in "
            f"{bench['browser'].split(',')[0]} on one thread of {bench['hardware']} "
            "([benchmark](benchmarks/live_engine.json)).",
        ]
    )


def updated(readme: str) -> str:
    """README's text with the present numbers."""
    section = f"{START}\n{numbers()}\n{END}"
    pattern = rf"{re.escape(START)}.*{re.escape(END)}"
    return re.sub(pattern, lambda _: section, readme, flags=re.DOTALL)


if __name__ == "__main__":
    path = ROOT / "README.md"
    path.write_text(updated(path.read_text(encoding="utf-8")), encoding="utf-8")
