"""Writes the book's page *Results* from the cards, and the files that it links to.

``python scripts/results_page.py`` writes ``book/results.md``; a test fails while it says other
things. ``scripts/book.py build`` writes cards, experiment files and live pages with it.
"""

import shutil
from html import escape
from pathlib import Path

from ncabook import experiments, zoo
from ncabook.experiments import results
from ncabook.lab import shelf
from ncabook.lab.shelf import FAMILIES
from ncabook.tasks import task_of

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "book/results.md"
HEAD = """\
# Results

Every trained model of the book but those that others only start from, from its card. The paper's
number stands beneath. A click on a column's head sorts a table; *Run* opens the automaton,
*settings* what it was trained by, and *card* all that was measured, with seed, duration, hardware
and commit. Intervals are 95 %, by bootstrap over rollouts or images. Chapters 3 and 5 to
14 say how each number is measured, and what it does not show.
"""


def models(family: str) -> dict[str, zoo.Card]:
    """The cards of a family, in the order of its experiments and seeds."""
    cards = {
        name: zoo.read_card(folder)
        for name, folder in zoo.folders().items()
        if folder.parent.name == family
    }
    return dict(sorted(cards.items(), key=lambda item: (item[1].parameters, item[0])))


def table(family: str) -> str:
    """A family's models as an HTML table."""
    cards = models(family)
    reports = {name: results.report(card) for name, card in cards.items()}
    kinds = {task_of(card.experiment).name: card.experiment for card in cards.values()}
    keys = [key for kind in kinds.values() for key in task_of(kind).headline]
    keys = [k for k in keys if any(r[k].value is not None for r in reports.values())]
    titles = [
        next(r[key].title for r in reports.values() if r[key].value is not None) for key in keys
    ]
    heads = ["model", "parameters", "minutes", *titles]
    lines = [
        f'<div class="results" role="region" tabindex="0" aria-label="{FAMILIES[family]}">',
        "<table>",
        "<thead><tr>",
        *(f'<th scope="col"><button>{escape(head)}</button></th>' for head in heads),
        "</tr></thead>",
        "<tbody>",
    ]
    for name, card in cards.items():
        links = {
            "settings": f"../files/{card.experiment.name}.yaml",
            "card": f"../files/{name}.json",
        }
        if task_of(card.experiment).shows(card.experiment):
            links = {"Run": f"../live/{name}.html"} | links
        linked = " ".join(f'<a href="{place}">{word}</a>' for word, place in links.items())
        minutes = card.training["seconds"] / 60
        lines += [
            "<tr>",
            f'<th scope="row"><code>{name}</code><br>{escape(card.experiment.title)}<br>',
            f"{linked}</th>",
            f'<td data-value="{card.parameters}">{card.parameters:,}</td>',
            f'<td data-value="{minutes:.1f}">{minutes:,.0f}</td>',
        ]
        theirs = results.printed(card.experiment.name)
        for key in keys:
            number = reports[name][key]
            value = "" if number.value is None else f"{number.value:.6g}"
            paper = (
                f"<br><small>paper {number.number(theirs[key])}</small>" if key in theirs else ""
            )
            shown = str(number).removesuffix(f" {number.unit}").replace(f" {number.unit} [", " [")
            lines.append(f'<td data-value="{value}">{shown.replace(" [", "<br>[")}{paper}</td>')
        lines.append("</tr>")
    return "\n".join([*lines, "</tbody>", "</table>", "</div>"])


def page() -> str:
    """The whole page."""
    parts = [HEAD]
    for family, title in FAMILIES.items():
        cards = models(family)
        measured = [results.report(card) for card in cards.values()]
        headings = dict.fromkeys(report.heading for report in measured)
        parts += [
            f"## {title}",
            ". ".join(h[0].upper() + h[1:] for h in headings) + ".",
            table(family),
        ]
    parts.append('<script src="../_static/results.js" defer></script>')
    return "\n\n".join(parts) + "\n"


def write_files(site: Path) -> None:
    """Cards, experiment files and live pages, where the page's links look for them."""
    (site / "files").mkdir(exist_ok=True)
    for path in experiments.files():
        shutil.copy(path, site / "files" / path.name)
    for name, folder in zoo.folders().items():
        shutil.copy(folder / zoo.CARD, site / "files" / f"{name}.json")
    shelf.write(site)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
