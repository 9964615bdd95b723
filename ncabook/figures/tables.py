"""pandas' tables as HTML: every column aligned as its head, three digits, nothing cut."""

import math
import re
from html import escape
from typing import Any

DIGITS = 3  # significant ones of a float
# A figure, maybe with an interval, a unit or an estimate's mark; or nothing measured.
NUMBER = re.compile(r"[<≥≤≈~+−-]?\s?[\d.]|[–—-]?$|not \w+$")

# A hyphen that stands for a minus; none inside a word, a date, a range or an exponent.
MINUS = re.compile(r"(?<![\w.,)–−-])-(?=\.?\d)")


def table_html(frame: Any) -> str:
    """A DataFrame with one row of heads as ``<table>``; its index, unless it only counts, as heads.

    Columns of figures stand right, columns of words left, and so do their heads. A level of
    the index without a name has an empty corner.
    """
    levels = [] if _counts(frame.index) else _levels(frame.index)
    columns = [[_shown(value) for value in frame.iloc[:, i]] for i in range(frame.shape[1])]
    places = [_place(column) for column in columns]
    heads = [f'<th scope="col">{_text(name)}</th>' if name else "<td></td>" for name, _ in levels]
    heads += [
        f'<th scope="col"{place}>{_text(name)}</th>'
        for name, place in zip(frame.columns, places, strict=True)
    ]
    rows = [
        [f'<th scope="row">{_text(names[i])}</th>' for _, names in levels]
        for i in range(len(frame))
    ]
    for column, place in zip(columns, places, strict=True):
        for row, value in zip(rows, column, strict=True):
            row.append(f"<td{place}>{_text(value)}</td>")
    body = "\n".join(f"<tr>{''.join(row)}</tr>" for row in rows)
    return (
        f'<table class="nca-table">\n<thead>\n<tr>{"".join(heads)}</tr>\n</thead>\n'
        f"<tbody>\n{body}\n</tbody>\n</table>"
    )


def _levels(index: Any) -> list[tuple[Any, list[str]]]:
    """A name, or None, and the words of all rows, for each level of an index."""
    values = [index.get_level_values(level) for level in range(index.nlevels)]
    return [(level.name, [_shown(value) for value in level]) for level in values]


def _counts(index: Any) -> bool:
    """Whether an index says no more than the place of a row."""
    return index.name is None and list(index) == list(range(len(index)))


def _shown(value: Any) -> str:
    """A cell as text: floats in three digits, whole numbers with separators, a minus as one."""
    return MINUS.sub("−", _written(value))


def _written(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None or value != value:  # NaN
        return "–"
    if hasattr(value, "is_integer") and math.isfinite(value):
        number = float(value)
        if number.is_integer() and abs(number) < 1e15:
            return f"{int(number):,}"
        if 1e-4 <= abs(number) < 1e6:
            decimals = max(0, DIGITS - 1 - math.floor(math.log10(abs(number))))
            return f"{number:,.{decimals}f}"
        return f"{number:.{DIGITS}g}"
    return str(value)


def _place(column: list[str]) -> str:
    return ' class="nca-number"' if column and all(NUMBER.match(cell) for cell in column) else ""


def _text(value: Any) -> str:
    return escape(str(value)).replace("\n", "<br>")


def install(shell: Any) -> None:
    """Makes an IPython shell show tables so, and whole."""
    import pandas as pd  # slow to import; who shows tables has it already

    pd.set_option("display.max_colwidth", None, "display.max_columns", None)
    pd.set_option("display.max_rows", None, "display.width", 200)
    pd.set_option("display.precision", DIGITS)
    html = shell.display_formatter.formatters["text/html"]
    html.for_type(pd.DataFrame, lambda frame: table_html(frame) if _plain(frame) else None)


def _plain(frame: Any) -> bool:
    return frame.columns.nlevels == 1
