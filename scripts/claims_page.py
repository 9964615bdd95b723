"""Writes the book's page *What the paper says and what we found*, from the cards.

``python scripts/claims_page.py`` writes ``book/claims.md``; a test fails while it says other
things. What the paper prints comes from ``ncabook.evaluation.paper``, ours from cards and from the
files that benchmarks leave (``claims_tables.py``, and ``claims_in_words.py`` for sentences);
nothing is typed but words.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path

import claims_in_words
from claims_tables import VERDICTS, Section, sections

PAGE = Path(__file__).parents[1] / "book/claims.md"
HEAD = """\
# What the paper says and what we found

Every result that *A New Kind of Network?* {cite:p}`spitznagel2026nca` prints as a number, ours
beside it, and a verdict. Then its claims in words. A script writes this page from the cards of the
trained models ({doc}`results`) and the records of two benchmarks (Tables 2 and 6), and a test
holds it to them.

A verdict is one of four:

- **reached**: ours, with as many digits as the paper prints, is as good or better. A count of
  parameters is reached if ours is within a tenth of it; *out of memory*, if ours fits 24 GB.
- **fell short**: ours is worse.
- **not comparable**: both numbers exist, and say different things. Why stands above the table.
- **not measured**: we have no such number.

Where a row was trained with several seeds, the words above its table say so. Then ours is the
median, with the least and the greatest in brackets. All other brackets are the 95 % interval of a
single training. A verdict compares two numbers, and no more than that: pictures, sizes, optimisers
and lengths of training differ, and the chapters say how. The paper does not say how long its
trainings were. Most of ours are far shorter than those of the authors' published configurations.
"""


def table(section: Section) -> str:
    """A section's numbers as an HTML table: a row for each of the paper's."""
    rows = dict.fromkeys(number.row for number in section.numbers)
    columns = dict.fromkeys(number.column for number in section.numbers)
    cells = {(number.row, number.column): number for number in section.numbers}
    lines = [
        f'<div class="results claims" role="region" tabindex="0" aria-label="{section.title}">',
        "<table>",
        "<thead><tr>",
        '<th scope="col">the paper\'s row</th>',
        *(f'<th scope="col">{escape(column)}</th>' for column in columns),
        "</tr></thead>",
        "<tbody>",
    ]
    for row in rows:
        lines += ["<tr>", f'<th scope="row">{escape(row)}</th>']
        for column in columns:
            number = cells.get((row, column))
            if number is None:
                lines.append("<td></td>")
                continue
            ours = escape(number.ours).replace(" [", "<br>[").replace("; ", ";<br>")
            name = number.verdict.replace(" ", "-")
            lines.append(
                f"<td>{ours}<br><small>paper {escape(number.printed)}:<br>"
                f'<span class="{name}">{number.verdict}</span></small></td>'
            )
        lines.append("</tr>")
    return "\n".join([*lines, "</tbody>", "</table>", "</div>"])


def counted(all_sections: Sequence[Section]) -> str:
    """How many numbers got which verdict, table by table."""
    lines = [
        "| | printed | " + " | ".join(VERDICTS) + " |",
        "|---|" + "--:|" * (1 + len(VERDICTS)),
    ]
    everything: Counter[str] = Counter()
    for section in all_sections:
        count = Counter(number.verdict for number in section.numbers)
        everything += count
        lines.append(_line(f"{{ref}}`{section.title} <{anchor(section)}>`", count))
    return "\n".join([*lines, _line("**all**", everything)])


def anchor(section: Section) -> str:
    """The target in front of a section."""
    return "claims-" + section.title.split(":")[0].lower().replace(" ", "-")


def _line(label: str, count: Counter[str]) -> str:
    numbers = [sum(count.values()), *(count[verdict] for verdict in VERDICTS)]
    return f"| {label} | " + " | ".join(map(str, numbers)) + " |"


def in_words() -> Iterator[str]:
    """The claims that are sentences, a table of them."""
    yield "| the paper | what we found | verdict |"
    yield "|---|---|---|"
    for claim in claims_in_words.claims():
        place = f" ({{doc}}`{claim.chapter}`)" if claim.chapter else ""
        yield f"| {claim.said} ({claim.place}) | {claim.found}{place} | **{claim.verdict}** |"


def page() -> str:
    """The whole page."""
    every = sections()
    parts = [HEAD, "## How it adds up", counted(every)]
    for section in every:
        parts += [f"({anchor(section)})=\n## {section.title}", section.words, table(section)]
    parts += [
        "## Claims in words",
        "The paper's findings as sentences, shortened, with their section. *Holds* and *does not\n"
        "hold* speak of our trainings only: short ones, often of smaller pictures, mostly of one\n"
        "seed. Several seeds are told by their median. *Holds in part*: of the comparisons in the\n"
        "row some speak for the claim, and some do not.",
        "\n".join(in_words()),
    ]
    return "\n\n".join(parts) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
