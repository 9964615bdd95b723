"""Patterns of classic automata from RLE files, as collections (LifeWiki, Golly) have them.

``x = 3, y = 3, rule = B3/S23`` and then runs: ``bob$2bo$3o!`` is the glider. ``b`` or ``.`` is
dead, ``o`` or ``A`` alive, ``$`` ends a row, ``!`` the pattern; a number repeats what follows it.
"""

import re
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from ncabook.files import CorruptFileError

MOST_CELLS = 10**7  # of a pattern; larger ones are no picture
HEADER = re.compile(r"x\s*=\s*(\d+)\s*,\s*y\s*=\s*(\d+)\s*(?:,\s*rule\s*=\s*(\S+)\s*)?", re.I)
RUN = re.compile(r"\s*(\d*)\s*([bo.A$!])")
LINE = 70  # characters


@dataclass(frozen=True)
class Pattern:
    """Cells, and what their file says of them.

    Attributes:
        cells: uint8 ``[height, width]``.
        rule: the rule's name, as written, without a topology; Life if the file names none.
        name: from a line ``#N``; empty if there is none.
        comments: other lines that begin with ``#``.

    """

    cells: Tensor
    rule: str = "B3/S23"
    name: str = ""
    comments: tuple[str, ...] = ()

    def on(self, height: int, width: int) -> Tensor:
        """In the middle of an empty grid, uint8 ``[height, width]``.

        Raises:
            ValueError: it does not fit.

        """
        rows, columns = self.cells.shape
        if rows > height or columns > width:
            raise ValueError(
                f"a pattern of {rows}×{columns} cells on a grid of {height}×{width}; expected a "
                "grid that is as large or larger"
            )
        grid = torch.zeros(height, width, dtype=torch.uint8)
        top, left = (height - rows) // 2, (width - columns) // 2
        grid[top : top + rows, left : left + columns] = self.cells
        return grid


def read_rle(source: str | Path) -> Pattern:
    """A pattern.

    Args:
        source: the text of an RLE file, or its path: a ``Path``, or words that end in ``.rle``.

    Raises:
        CorruptFileError: it is no RLE, or other than its header says.
        OSError: there is no such file.

    """
    if isinstance(source, str) and source.lower().endswith(".rle"):  # a pattern ends in !
        source = Path(source)
    where = f"{source}: " if isinstance(source, Path) else ""
    text = source.read_text("utf-8", errors="replace") if isinstance(source, Path) else source
    lines = [line.strip() for line in text.splitlines()]
    comments = [line for line in lines if line.startswith("#")]
    rest = [line for line in lines if line and not line.startswith("#")]
    header = HEADER.fullmatch(rest[0]) if rest else None
    if header is None:
        begun = f"begins with {rest[0][:40]!r}" if rest else "is empty"
        raise CorruptFileError(
            f"{where}it {begun}; expected an RLE header such as x = 3, y = 3, rule = B3/S23"
        )
    width, height = int(header[1]), int(header[2])
    if width * height > MOST_CELLS:
        raise CorruptFileError(
            f"{where}a pattern of {height}×{width} cells; expected {MOST_CELLS:,} or fewer"
        )
    cells = _cells("".join(rest[1:]), height, width, where)
    names = [line[2:].strip() for line in comments if line.startswith("#N")]
    others = tuple(line[2:].strip() for line in comments if not line.startswith("#N"))
    rule = re.sub(r":.*", "", header[3] or "B3/S23")  # after a colon stands a topology
    return Pattern(cells, rule, names[0] if names else "", others)


def _cells(runs: str, height: int, width: int, where: str) -> Tensor:
    cells = torch.zeros(height, width, dtype=torch.uint8)
    row = column = place = 0
    while place < len(runs):
        found = RUN.match(runs, place)
        if found is None:
            raise CorruptFileError(
                f"{where}{runs[place : place + 12]!r} in row {row + 1}; expected a number, b, o, "
                "$ or ! (patterns of more than two states are not known here)"
            )
        place, count, kind = found.end(), int(found[1] or 1), found[2]
        if kind == "!":
            return cells
        if kind == "$":
            row, column = row + count, 0
            continue
        if count and (row >= height or column + count > width):
            raise CorruptFileError(
                f"{where}row {row + 1} reaches column {column + count}; the header says "
                f"{height} rows of {width}"
            )
        if kind in "oA":
            cells[row, column : column + count] = 1
        column += count
    raise CorruptFileError(f"{where}it ends in row {row + 1} without an exclamation mark")


def write_rle(pattern: Pattern) -> str:
    """The text of an RLE file, which :func:`read_rle` reads."""
    height, width = pattern.cells.shape
    runs, ends = [], 0  # rows that ended and were not written yet
    for row in pattern.cells.tolist():
        last = max((i for i, cell in enumerate(row) if cell), default=-1)
        if last >= 0 and ends:
            runs.append((ends, "$"))
            ends = 0
        place = 0
        while place <= last:
            after = next((i for i in range(place, last + 1) if row[i] != row[place]), last + 1)
            runs.append((after - place, "bo"[row[place]]))
            place = after
        ends += 1
    parts = [f"{count if count > 1 else ''}{kind}" for count, kind in runs] + ["!"]
    lines = [""]
    for part in parts:
        if len(lines[-1]) + len(part) > LINE:
            lines.append("")
        lines[-1] += part
    head = [f"#N {pattern.name}"] if pattern.name else []
    head += [f"#C {comment}" for comment in pattern.comments]
    return "\n".join([*head, f"x = {width}, y = {height}, rule = {pattern.rule}", *lines, ""])
