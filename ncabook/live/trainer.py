"""The figure that trains: a small automaton learns the reader's picture, in the reader's browser.

Its kernels are ``engine/train.c``, its script is built by ``make live``; tests compare gradients
with PyTorch's. What it learned can be saved, and :func:`load_trained` reads it.
"""

import base64
import json
from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Any

from torch import Tensor

from ncabook.automaton import NCA, ChannelLayout, ConvPerception, MLPUpdate
from ncabook.files import CorruptFileError
from ncabook.live.export import describe
from ncabook.live.html import PAGE
from ncabook.live.script import trainer_script
from ncabook.training.checkpoint import load_tensors, load_weights

FORMAT, VERSION = "ncabook-trained-in-the-page", 1
RGBA = 4
# What benchmarks/training_in_page.py trained, for readers who have trained nothing yet.
EXAMPLE = Path(__file__).parent / "trained_in_page.safetensors"
# Channels, features and hidden units, by what a reader chooses.
SIZES = {"small": (12, 24, 24), "middle": (16, 32, 32), "large": (16, 48, 64)}
CHOSEN = "middle"
WORDS = (
    "A picture, an automaton that learns to grow it, and the loss. Press Train, and the training "
    "runs on this device; draw another picture, and it learns that one."
)


def trainer_figure(pictures: Mapping[str, Tensor], *, margin: int = 4, seed: int = 1) -> str:
    """A ``<figure>`` with its own script, in which an automaton is trained.

    Args:
        pictures: to choose from, by name: premultiplied RGBA ``[4, side, side]`` in [0, 1], all of
            one size.
        margin: empty cells around the picture.
        seed: of the weights it begins with, and of all chance.

    Raises:
        ValueError: there is no picture, or they are not squares of one size.

    """
    shapes = {tuple(picture.shape) for picture in pictures.values()}
    if len(shapes) != 1 or not all(s[0] == RGBA and s[1] == s[2] for s in shapes):
        raise ValueError(
            f"pictures of shapes {sorted(shapes)}; expected some, all [4, side, side] alike"
        )
    ((_, side, _),) = shapes
    given = {
        "side": side,
        "margin": margin,
        "pictures": [{"name": n, "rgba": _straight(p)} for n, p in pictures.items()],
        "sizes": [_size(name, *numbers, side + 2 * margin) for name, numbers in SIZES.items()],
        "chosen": list(SIZES).index(CHOSEN),
        "seed": seed,
        "script": "nca-live.classic.js",
        "page": PAGE.format(title="@title@", figure="@figure@", script="@script@"),
    }
    data = escape(json.dumps(given, ensure_ascii=False, separators=(",", ":")))
    return (
        f'<figure class="nca-trainer" data-trainer="{data}">'
        "<noscript><p>This figure trains an automaton in the page, and needs JavaScript.</p>"
        f"</noscript><figcaption>{WORDS}</figcaption>"
        f"<script>{trainer_script()}</script></figure>"
    )


def load_trained(path: Path | str) -> NCA:
    """The automaton that a figure saved as ``weights.safetensors``.

    Raises:
        FileNotFoundError: there is no such file.
        CorruptFileError: it is damaged, or not from such a figure.

    """
    path = Path(path)
    _, meta = load_tensors(path)
    try:
        if (meta["format"], meta["version"]) != (FORMAT, VERSION):
            raise ValueError
        visible, hidden = meta["layout"]["visible"], meta["layout"]["hidden"]
        nca = _automaton(visible + hidden, meta["features"], *meta["hidden"])
    except (KeyError, TypeError, ValueError):
        raise CorruptFileError(
            f"{path} does not say that it was trained in the page; expected a file that the "
            "figure of chapter 17 saved"
        ) from None
    load_weights(nca, path)
    return nca


def _automaton(channels: int, features: int, units: int) -> NCA:
    layout = ChannelLayout(visible=RGBA, hidden=channels - RGBA)
    return NCA(layout, ConvPerception(channels, features), MLPUpdate(features, channels, [units]))


def _size(name: str, channels: int, features: int, units: int, grid: int) -> dict[str, Any]:
    """A network to choose, and how the live figure runs it; its weights come from the page."""
    nca = _automaton(channels, features, units)
    description, _ = describe(nca, grid, grid, title="An automaton trained in the page", ring=True)
    return {
        "name": f"{name}, {nca.parameter_count:,} weights",
        "channels": channels,
        "features": features,
        "units": units,
        "description": description,
        "parts": _parts(channels, features, units),
    }


def _parts(channels: int, features: int, units: int) -> list[dict[str, int]]:
    """Where the layers' weights and biases lie in the kernels' row of them."""
    parts, at = [], 0
    for rows, columns in ((9 * channels, features), (features, units), (units, channels)):
        for height in (rows, 1):
            parts.append({"rows": height, "columns": columns, "at": at})
            at += height * columns
    return parts


def _straight(picture: Tensor) -> str:
    """Premultiplied RGBA as bytes ``[row][column][RGBA]`` that are not, in base64."""
    alpha = picture[3:]
    straight = picture.clone()
    straight[:3] /= alpha.clamp_min(1 / 255)
    levels = (straight.clamp(0, 1) * 255).round().byte()
    return base64.b64encode(levels.permute(1, 2, 0).contiguous().numpy().tobytes()).decode("ascii")
