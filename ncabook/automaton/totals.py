"""Classic rules that count: Life's relatives by their names, and each as a neural automaton.

A cell is alive or dead. What becomes of it depends on whether it lives, and on how many cells
around it do. Such a rule's name lists the counts at which dead cells are born and living ones
survive: Life is ``B3/S23``. Wider neighbourhoods have names as in "Larger than Life" (Evans 2001),
as Golly writes them: ``R5,C2,M1,S34..58,B34..45,NM``.

A count is a convolution, and a list of counts a function of one number, so each of these rules is
an NCA of a few weights (:func:`neural`), which plays wherever an NCA does.
"""

import re
from dataclasses import dataclass
from typing import Literal, get_args

import torch
import torch.nn.functional as F
from torch import Tensor

from ncabook.automaton.classic import check_cells
from ncabook.automaton.nca import NCA
from ncabook.automaton.perception import LEAKY_SLOPE, ConvPerception
from ncabook.automaton.state import ChannelLayout
from ncabook.automaton.update import MLPUpdate

Border = Literal["torus", "dead"]
Window = Literal["moore", "neumann"]
WIDEST = 50  # cells; a wider window than this is no picture any more, but a slow one
EXPECTED = "expected a name like B3/S23, 23/3, or R5,C2,M1,S34..58,B34..45,NM"
SHORT = re.compile(r"B(\d*)/?S(\d*)", re.IGNORECASE)
OLD = re.compile(r"(\d*)/(\d*)")
WIDE = re.compile(
    r"R(\d+),C(\d+)(?:,M([01]))?,S([\d.,-]*),B([\d.,-]*?)(?:,N([A-Z@]\w*))?", re.IGNORECASE
)
WINDOWS: dict[str, Window] = {"M": "moore", "N": "neumann"}


@dataclass(frozen=True)
class TotalRule:
    """A rule that counts living cells.

    Attributes:
        born: counts at which a dead cell comes to life; 0 among them lets empty space flash.
        survives: counts at which a living cell stays alive.
        radius: of the window, in cells.
        middle: whether a cell counts itself.
        window: ``moore`` is a square; ``neumann`` the cells at most ``radius`` steps away.

    Raises:
        ValueError: a count that there cannot be, or a window of no or of too many cells.

    """

    born: frozenset[int]
    survives: frozenset[int]
    radius: int = 1
    middle: bool = False
    window: Window = "moore"

    def __post_init__(self) -> None:
        if not 1 <= self.radius <= WIDEST:
            raise ValueError(f"a radius of {self.radius} cells; expected 1 to {WIDEST}")
        if self.window not in get_args(Window):
            raise ValueError(f"window {self.window!r}; expected moore or neumann")
        for name, counts in (("born", self.born), ("survives", self.survives)):
            wrong = sorted(count for count in counts if not 0 <= count <= self.most)
            if wrong:
                raise ValueError(f"{name} at a count of {wrong[0]}; expected 0 to {self.most}")

    @property
    def kernel(self) -> Tensor:
        """Ones where a cell counts, ``[2 radius + 1, 2 radius + 1]``."""
        side = torch.arange(-self.radius, self.radius + 1).abs()
        if self.window == "moore":
            seen = torch.ones(len(side), len(side))
        else:
            seen = (side[:, None] + side <= self.radius).float()
        seen[self.radius, self.radius] = float(self.middle)
        return seen

    @property
    def most(self) -> int:
        """The largest count."""
        r = self.radius
        around = (2 * r + 1) ** 2 - 1 if self.window == "moore" else 2 * r * (r + 1)
        return around + self.middle

    @property
    def name(self) -> str:
        """The rule's name, as :func:`total_rule` reads it."""
        if self.radius == 1 and not self.middle and self.window == "moore":
            born, survives = ("".join(map(str, sorted(c))) for c in (self.born, self.survives))
            return f"B{born}/S{survives}"
        born, survives = _ranges(self.born), _ranges(self.survives)
        shape = "M" if self.window == "moore" else "N"
        return f"R{self.radius},C2,M{int(self.middle)},S{survives},B{born},N{shape}"

    def step(self, cells: Tensor, border: Border = "torus") -> Tensor:
        """One step: ``[..., height, width]`` of 0 and 1 → the same shape and dtype.

        Args:
            cells: uint8 or bool.
            border: ``torus``: left of the first cell is the last; ``dead``: outside nothing lives,
                nor is anything born.

        Raises:
            TypeError, ValueError: no cells, a torus smaller than the window, an unknown border.

        """
        check_cells(cells, spatial=2, window=2 * self.radius + 1 if border == "torus" else 1)
        if border not in get_args(Border):
            raise ValueError(f"border {border!r}; expected torus or dead")
        x = cells.reshape(-1, 1, *cells.shape[-2:]).float()
        padded = F.pad(x, (self.radius,) * 4, mode="circular" if border == "torus" else "constant")
        counts = F.conv2d(padded, self.kernel.to(x.device)[None, None]).round().long()
        table = self.table.to(x.device)
        return table[x.long(), counts].reshape(cells.shape).to(cells.dtype)

    @property
    def table(self) -> Tensor:
        """What becomes of a dead and of a living cell at each count: uint8 ``[2, most + 1]``."""
        found = torch.zeros(2, self.most + 1, dtype=torch.uint8)
        for row, counts in enumerate((self.born, self.survives)):
            found[row, sorted(counts)] = 1
        return found


def total_rule(name: str) -> TotalRule:
    """The rule of this name.

    Args:
        name: ``B3/S23``; ``23/3``, survivors first, as older texts have it; or ``R…`` as above,
            where M1 counts the cell itself and N is M (Moore) or N (von Neumann).

    Raises:
        ValueError: no such name.

    """
    plain = name.strip().replace(" ", "")
    if found := SHORT.fullmatch(plain):
        born, survives = (frozenset(map(int, digits)) for digits in found.groups())
        return _named(name, born, survives)
    if found := OLD.fullmatch(plain):
        survives, born = (frozenset(map(int, digits)) for digits in found.groups())
        return _named(name, born, survives)
    if not (found := WIDE.fullmatch(plain)):
        told = " (rules that look at where neighbours are, not at how many: not known here)"
        raise ValueError(
            f"no rule {name!r}{told if re.search(r'[0-8]-?[a-z]', plain) else ''}; {EXPECTED}"
        )
    radius, states, middle, survives, born, shape = found.groups()
    if int(states) not in (0, 2):
        raise ValueError(f"rule {name!r} has {states} states; expected 2, alive and dead: C2")
    window = WINDOWS.get((shape or "M").upper())
    if window is None:
        raise ValueError(f"rule {name!r} counts in a window N{shape}; expected NM or NN")
    counts = (_counts(part, name) for part in (born, survives))
    return _named(name, *counts, int(radius), middle == "1", window)


def _named(name: str, *parts: object) -> TotalRule:
    try:
        return TotalRule(*parts)  # pyright: ignore[reportArgumentType]
    except ValueError as error:
        raise ValueError(f"rule {name!r}: {error}") from None


def _counts(listed: str, name: str) -> frozenset[int]:
    """``2,5..7`` → 2, 5, 6, 7."""
    found = set[int]()
    for part in filter(None, listed.split(",")):
        if not (ends := re.fullmatch(r"(\d+)(?:(?:\.\.|-)(\d+))?", part)):
            raise ValueError(f"rule {name!r} has counts {part!r}; expected such as 4 or 34..58")
        first, last = int(ends[1]), int(ends[2] or ends[1])
        if not first <= last <= (2 * WIDEST + 1) ** 2:
            raise ValueError(f"rule {name!r} has counts {part!r}; expected the smaller one first")
        found |= set(range(first, last + 1))
    return frozenset(found)


def _ranges(counts: frozenset[int]) -> str:
    """2, 5, 6, 7 → ``2,5..7``."""
    ends: list[list[int]] = []
    for count in sorted(counts):
        if ends and count == ends[-1][1] + 1:
            ends[-1][1] = count
        else:
            ends.append([count, count])
    return ",".join(f"{a}..{b}" if b > a else str(a) for a, b in ends)


def neural(rule: TotalRule, border: Border = "torus") -> NCA:
    """The rule as a neural automaton: one visible channel, 0 or 1, the same bits in every step.

    Its perception sees two numbers: x, twice the count plus the cell itself, and the cell. Its
    update is a staircase over x with landings half a unit wide, so that rounding errors do not
    add up, less the cell.

    With a dead border a fixed channel comes first: 1 in cells that are outside, where nothing
    lives. :func:`board` writes it.

    Args:
        rule: what it does.
        border: of the grid.

    """
    outside = int(border == "dead")
    layout = ChannelLayout(visible=1, hidden=0, fixed=outside)
    stairs, ground = _stairs(rule), float(rule.table[0, 0])
    if outside:  # there x is below 0, and the ground is a stair that leads to it
        stairs, ground = [(-0.5, int(ground)), *stairs], 0.0
    perception = ConvPerception(layout.channels, 2, 2 * rule.radius + 1)
    nca = NCA(layout, perception, MLPUpdate(2, 1, [2 * len(stairs) + 1]), 1.0, None)
    width = 0.5 * (1 - LEAKY_SLOPE)  # what half a unit of x makes of a pair of units
    middle = rule.radius, rule.radius
    with torch.no_grad():
        for numbers in nca.parameters():
            numbers.zero_()
        seen, (first, last) = perception.conv, _linear(nca)
        seen.weight[0, outside] = 2 * rule.kernel
        seen.weight[0, outside][middle] += 1
        seen.weight[1, outside][middle] = 1
        if outside:
            seen.weight[0, 0][middle] = -2.0 * (rule.most + 4)
        for number, (height, way) in enumerate(stairs):
            for row, sign in ((2 * number, 1.0), (2 * number + 1, -1.0)):
                first.weight[row, 0], first.bias[row] = 1.0, 0.25 * sign - height
                last.weight[0, row] = sign * way / width
            ground -= way * 0.5 * LEAKY_SLOPE / width
        last.bias.fill_(ground)
        first.weight[-1, 1], last.weight[0, -1] = 1.0, -1.0
    return nca


def board(cells: Tensor, border: Border = "torus", radius: int = 1) -> Tensor:
    """Cells as a state for :func:`neural`.

    Args:
        cells: uint8 or bool ``[..., height, width]``.
        border: ``dead`` puts a rim of ``radius`` cells around them, marked as outside.
        radius: of the rule.

    Returns:
        float32 ``[B, 1, height, width]``, or ``[B, 2, height + 2 radius, width + 2 radius]``.

    """
    check_cells(cells, spatial=2, window=1)
    state = cells.reshape(-1, 1, *cells.shape[-2:]).float()
    if border == "torus":
        return state
    rim = (radius,) * 4
    outside = F.pad(torch.zeros_like(state), rim, value=1.0)
    return torch.cat([outside, F.pad(state, rim)], 1)


def _linear(nca: NCA) -> tuple[torch.nn.Linear, torch.nn.Linear]:
    assert isinstance(nca.update, MLPUpdate)
    first, last = nca.update.layers
    return first, last


def _stairs(rule: TotalRule) -> list[tuple[float, int]]:
    """Where the next state changes as x = 2 count + cell grows, and by how much."""
    along = rule.table.T.flatten().int()  # dead and alive at count 0, then at count 1, …
    steps = along.diff()
    return [(float(x) + 0.5, int(steps[x])) for x in steps.nonzero()[:, 0].tolist()]
