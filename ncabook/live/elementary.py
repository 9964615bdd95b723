"""Live figures of tables, not of networks: the 256 elementary rules, and two rules side by side."""

from html import escape
from pathlib import Path

import torch
from torch import Tensor

HERE = Path(__file__).parent
WIDTH, HEIGHT = 301, 130  # cells, and rows in sight
NEIGHBOURHOODS = 512  # of 3 × 3 cells of two states


def elementary_figure(rule: int = 110) -> str:
    """A ``<figure>`` with its own script: elementary automata, to be run, changed and disturbed.

    Args:
        rule: Wolfram's number of the rule to begin with.

    Raises:
        ValueError: there is no such rule.

    """
    if not 0 <= rule <= 255:
        raise ValueError(f"rule is {rule}; expected a whole number from 0 to 255")
    return _filled("elementary.html", RULE=str(rule), WIDTH=str(WIDTH), HEIGHT=str(HEIGHT))


def twins_figure(
    start: Tensor, left: Tensor, right: Tensor, names: tuple[str, str] = ("left", "right")
) -> str:
    """A ``<figure>`` with its own script: two rules from one start, and how many cells differ.

    A rule over bits is its table, whoever wrote it, so a network is given by its answers to
    :func:`ncabook.automaton.classic.all_neighbourhoods`. Neighbourhoods to which the two answer
    differently are shown, and can be mended.

    Args:
        start: the grid to begin with, 0 or 1.
        left: the table of the rule that runs on the left.
        right: the table of the other one.
        names: what stands above the two grids.

    Shapes:
        start ``[height, width]``, left and right ``[512]``.

    Raises:
        ValueError: a shape is another, or the grid is no grid.

    """
    for name, table in (("left", left), ("right", right)):
        if tuple(table.shape) != (NEIGHBOURHOODS,):
            raise ValueError(
                f"the table {name} has the shape {list(table.shape)}; expected "
                f"[{NEIGHBOURHOODS}], an answer for each of all_neighbourhoods()"
            )
    if start.ndim != 2 or min(start.shape) < 8:
        raise ValueError(
            f"start has the shape {list(start.shape)}; expected [height, width], 8 cells or more"
        )
    height, width = start.shape
    return _filled(
        "twins.html",
        GRID=_bits(start),
        LEFT_TABLE=_bits(left),
        RIGHT_TABLE=_bits(right),
        LEFT_NAME=escape(names[0]),
        RIGHT_NAME=escape(names[1]),
        WIDTH=str(width),
        HEIGHT=str(height),
    )


def _filled(name: str, **words: str) -> str:
    text = (HERE / name).read_text(encoding="utf-8")
    words["STYLE"] = (HERE / "tables.css").read_text(encoding="utf-8")
    for word, value in words.items():
        text = text.replace(word, value)
    return text


def _bits(cells: Tensor) -> str:
    """Row by row, as digits 0 and 1: a few thousand letters that anybody can read."""
    return "".join(map(str, cells.detach().cpu().flatten().to(torch.uint8).tolist()))
