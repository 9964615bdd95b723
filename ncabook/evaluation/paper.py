"""The paper's printed figures, for tables that show them beside ours.

Spitznagel and Keuper 2026, arXiv:2604.24990v2.
"""

from typing import NamedTuple


class Stages(NamedTuple):
    """LPIPS at the three stages of Table 1, and the recovery in percent."""

    stage1: float
    stage2: float
    stage3: float
    recovery: float


class Row(NamedTuple):
    """A row of Table 1."""

    damage: Stages
    mutation: Stages
    parameters: str


TABLE_1 = {
    "Conv 3x3": Row(Stages(0.065, 0.060, 0.128, 58.74), Stages(0.068, 0.060, 0.070, 95.75), "23k"),
}
