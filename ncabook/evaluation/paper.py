"""The paper's printed figures, for tables that show them beside ours.

Spitznagel and Keuper 2026, arXiv:2604.24990v2.
"""

from typing import NamedTuple


class Stages(NamedTuple):
    """LPIPS at the three stages of Table 1, and the recovery in percent.

    Models of a single pass have no first stage.
    """

    stage1: float | None
    stage2: float
    stage3: float
    recovery: float


class Row(NamedTuple):
    """A row of Table 1."""

    damage: Stages
    mutation: Stages
    parameters: str


TABLE_1 = {
    "Sobel": Row(
        Stages(0.152, 0.124, 0.144, 84.92),
        Stages(0.151, 0.124, 0.138, 93.64),
        "8k",
    ),
    "Conv 3x3": Row(
        Stages(0.065, 0.060, 0.128, 58.74),
        Stages(0.068, 0.060, 0.070, 95.75),
        "23k",
    ),
    "U-Net 25k": Row(
        Stages(None, 0.070, 0.064, 100.00),
        Stages(None, 0.061, 0.055, 99.26),
        "25k",
    ),
    "GAN 25k": Row(
        Stages(None, 0.042, 0.037, 100.00),
        Stages(None, 0.042, 0.039, 100.00),
        "25k",
    ),
    "Deformable 3x3": Row(
        Stages(0.040, 0.035, 0.041, 96.17),
        Stages(0.040, 0.035, 0.039, 98.33),
        "27k",
    ),
    "U-Net 44k": Row(
        Stages(None, 0.028, 0.026, 100.00),
        Stages(None, 0.029, 0.026, 100.00),
        "44k",
    ),
    "GAN 44k": Row(
        Stages(None, 0.018, 0.017, 100.00),
        Stages(None, 0.018, 0.018, 100.00),
        "44k",
    ),
    "Conv 5x5": Row(
        Stages(0.032, 0.025, 0.042, 89.58),
        Stages(0.032, 0.025, 0.029, 98.34),
        "51k",
    ),
    "U-Net 69k": Row(
        Stages(None, 0.024, 0.024, 100.00),
        Stages(None, 0.022, 0.024, 100.00),
        "69k",
    ),
    "GAN 69k": Row(
        Stages(None, 0.015, 0.015, 100.00),
        Stages(None, 0.017, 0.017, 100.00),
        "69k",
    ),
    "Comb 3x3+5x5D": Row(
        Stages(0.003, 0.001, 0.005, 98.32),
        Stages(0.003, 0.001, 0.003, 99.64),
        "71k",
    ),
    "Attention 3x3": Row(
        Stages(0.009, 0.010, 0.026, 85.78),
        Stages(0.009, 0.010, 0.012, 95.05),
        "80k",
    ),
}


class Votes(NamedTuple):
    """A row of Table 3: right votes in percent at three moments, and the recovery."""

    short: float
    grown: float | None
    final: float | None
    recovery: float | None
    parameters: str


TABLE_3 = {
    "MSE NCA": Votes(94.6, 97.0, 96.4, 99.31, "23k"),
    "PCE NCA": Votes(95.3, 97.8, 96.4, 98.46, "23k"),
    "PCE GAN": Votes(94.78, None, None, None, "25k"),
}


class Photographs(NamedTuple):
    """A row of Table 4: images right, in per cent."""

    short: float  # mean of steps 32–64
    late: float  # step 300


TABLE_4 = {
    "Conv 3x3": Photographs(43.83, 8.14),
    "Conv 3x3 + SP": Photographs(41.11, 46.13),
    "Residual + Dilated 5x5": Photographs(72.98, 54.37),
}

# §3.2, Fig. 11: recovery of the style of lacelike, in percent.
FIGURE_11 = {"Conv 3x3": 96.38, "Combined": 99.88}

# §A.5, beside Fig. 18: digits that a classifier took for the seed's, in percent, for each loss.
FIGURE_18 = 100.0

# Recovery in percent after damage and after mutation.
TABLE_5 = {"Without SP": (-196.18, -125.05), "With SP": (58.74, 95.75)}


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
