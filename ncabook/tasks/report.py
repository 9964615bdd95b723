"""The numbers of an evaluation as people read them: in a terminal, in tables, on pages.

A task names each number once, with the place that it has in a card's metrics, its words, its unit
and its digits. Whoever shows it asks for it by that place.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

MISSING = "–"
LABEL, WIDTH = 28, 18  # characters, at the least, of a row's label and of a column


@dataclass(frozen=True)
class Measured:
    """One number of an evaluation.

    Attributes:
        key: where it stands in a card's metrics, such as ``lpips.stage2``.
        row: what was looked at, such as ``step 149``.
        column: what was measured, such as ``LPIPS``.
        value: the number; None where there is none.
        digits: behind the point.
        unit: ``%``, or nothing.
        interval: 95 %, or None.

    """

    key: str
    row: str
    column: str
    value: float | None
    digits: int = 2
    unit: str = ""
    interval: tuple[float, float] | None = None

    @property
    def title(self) -> str:
        """The head of a column that holds it, with its unit."""
        words = ", ".join(filter(None, (self.column, self.row)))
        return f"{words} ({self.unit})" if self.unit else words

    def number(self, value: float | None) -> str:
        """A number as this one is written, without its unit."""
        if value is None or value != value:
            return MISSING
        return f"{value:,.{self.digits}f}".replace("-", "−")

    def __str__(self) -> str:
        text = self.number(self.value)
        if text == MISSING:
            return text
        text += f" {self.unit}" if self.unit else ""
        if self.interval is None:
            return text
        return f"{text} [{', '.join(map(self.number, self.interval))}]"


@dataclass(frozen=True)
class Report:
    """An evaluation in words and numbers.

    Attributes:
        heading: protocol and size.
        measured: the numbers, in the order in which they are read.
        notes: what else has to be known, a sentence each.

    """

    heading: str
    measured: Sequence[Measured]
    notes: Sequence[str] = field(default=())

    def __getitem__(self, key: str) -> Measured:
        """The number that stands at ``key``, or an empty one of that name."""
        for number in self.measured:
            if number.key == key:
                return number
        return Measured(key, "", key, None)

    def __iter__(self) -> Iterator[Measured]:
        """The numbers, in their order."""
        return iter(self.measured)

    def text(self) -> str:
        """For a terminal: rows by columns."""
        columns = list(dict.fromkeys(number.column for number in self.measured))
        rows: dict[str, dict[str, Measured]] = {}
        for number in self.measured:
            rows.setdefault(number.row, {})[number.column] = number
        table = [["", *columns]]
        table += [
            [label, *(str(cells[name]) if name in cells else "" for name in columns)]
            for label, cells in rows.items()
        ]
        wide = [max(WIDTH, 2 + max(map(len, column))) for column in zip(*table, strict=True)]
        wide[0] = max(LABEL, wide[0])
        lines = []
        for label, *cells in table:
            shown = (f"{cell:>{width}}" for cell, width in zip(cells, wide[1:], strict=True))
            lines.append((f"{label:{wide[0]}}" + "".join(shown)).rstrip())
        return "\n".join([self.heading, *lines, *self.notes])


def at(metrics: dict[str, Any] | None, key: str) -> Any:
    """What stands at ``key``, such as ``lpips.living.stage2``; None where there is nothing."""
    value: Any = metrics
    for name in key.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value
