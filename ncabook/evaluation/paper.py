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


class Scale(NamedTuple):
    """A row of Table 2: RTX 4090, batch 1. None where the paper prints "Out of Memory"."""

    grid: int  # side, in cells
    steps: int
    evaluation_ms: float | None
    evaluation_mb: float | None
    training_mb: float | None


# §3.1.5, Table 2. Keys: space, side of the image in pixels.
TABLE_2 = {
    ("latent", 256): Scale(32, 16, 0.33, 357, 474),
    ("latent", 512): Scale(64, 32, 0.36, 561, 1461),
    ("latent", 1024): Scale(128, 64, 0.50, 1514, 7359),
    ("pixel", 256): Scale(256, 128, 0.38, 398, 14254),
    ("pixel", 512): Scale(512, 256, None, None, None),
    ("pixel", 1024): Scale(1024, 512, None, None, None),
}


class Runtime(NamedTuple):
    """A row of Table 6: RTX 4090, 64×64 pixels, 32 steps of an automaton."""

    parameters: int  # at inference
    training_ms: float  # per optimisation step, batch 16
    latency_ms: float  # of one forward pass or one rollout
    training_mb: float  # peak, batch 16
    inference_mb: float  # peak, batch 64


# A.6, Table 6.
TABLE_6 = {
    "U-Net": Runtime(2_768_772, 3.56, 1.00, 195.7, 375.2),
    "GAN": Runtime(2_768_772, 11.55, 0.97, 313.5, 417.3),
    "NCA (3×3 conv)": Runtime(19_376, 29.18, 6.63, 2813.2, 352.3),
    "NCA (attention)": Runtime(18_132, 201.57, 13.77, 17444.6, 2994.4),
}
