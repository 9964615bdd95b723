"""Growing models as Mordvintsev et al. 2020 published them, for the article's live figure.

Their notebook packs the two layers of a model into JSON, and the article's ``ca.js`` unpacks them::

    [{"data_b64": "…", "in_ch": 48, "out_ch": 128, "weight_scale": …, "bias_scale": …,
      "type": "uint8"}, {… "in_ch": 128, "out_ch": 16 …}]

The bytes are a matrix ``[in_ch + 1, out_ch]``: a row for each input, and the bias as the last. A
byte *b* means ``(b / 255 − ½) · scale``. Inputs of the first layer are ordered by filter: all
channels, then their Sobel x, then their Sobel y.
"""

import base64
import binascii
import json
import math
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ncabook.experiments.foreign.brought import Brought, ForeignModelError
from ncabook.tasks.parts import MLPConfig, ModelConfig, SobelConfig

FILTERS, RGBA, ALPHA = 3, 4, 3
SIZE, PADDING = 40, 16  # of the notebook's pictures
MOST = 2**14  # channels
DTYPES = {"uint8": np.uint8, "float32": np.dtype("<f4")}
DIFFERS = [
    "The article's figure keeps states and activations as 8-bit numbers within ±10 (through an "
    "arctangent); here they are float32.",
    "The border wraps around, as in the article's figure; its notebook pads with zeros, which is "
    "the same as long as nothing reaches the border.",
    "A cell lives above an alpha of 0.1 in its neighbourhood; the figure's also from 0.1 exactly.",
    "Coins are thrown by another generator.",
]


def read_distill(path: Path) -> Brought:
    """Reads a growing model from the article's JSON.

    Raises:
        ForeignModelError: the file is something else, or not whole.
        OSError: there is no such file.

    """
    layers = _layers(path)
    kernels, biases, stored = zip(
        *(_unpacked(layer, f"{path}: layer {i}") for i, layer in enumerate(layers, 1)), strict=True
    )
    sizes = [(kernel.shape[1], kernel.shape[0]) for kernel in kernels]
    channels = sizes[-1][1]
    fits = all(before[1] == after[0] for before, after in pairwise(sizes))
    if not fits or sizes[0][0] != FILTERS * channels or channels < RGBA:
        raise ForeignModelError(
            f"{path}: layers of {', '.join(f'{i} → {o}' for i, o in sizes)}; expected, of C ≥ 4 "
            "channels, 3 C → hidden and hidden → C, as Distill's growing models have them"
        )
    tensors = {}
    for i, (kernel, bias) in enumerate(zip(kernels, biases, strict=True)):
        tensors[f"update.layers.{i}.weight"] = kernel
        tensors[f"update.layers.{i}.bias"] = bias
    hidden = [outputs for _, outputs in sizes[:-1]]
    model = ModelConfig(
        hidden_channels=channels - RGBA,
        perception=SobelConfig(kind="sobel"),
        update=MLPConfig(kind="mlp", hidden=hidden, activation="relu"),
    )
    kept = "its weights are 8-bit numbers" if "uint8" in stored else "its weights are float32"
    return Brought(
        model,
        tensors,
        classes=1,
        what=f"a growing model in the format of Distill's article (2020); {kept}",
        differs=DIFFERS,
        seed=[0.0] * ALPHA + [1.0] * (channels - ALPHA),
        size=SIZE,
        padding=PADDING,
    )


def _layers(path: Path) -> list[Any]:
    """The two layers, not looked into yet."""
    try:
        content = json.loads(path.read_bytes())
    except (ValueError, RecursionError):
        raise ForeignModelError(
            f"{path} is no JSON; expected the file of a growing model from Distill's article"
        ) from None
    if isinstance(content, dict) and "modelTopology" in content:
        raise ForeignModelError(
            f"{path} is a graph of TensorFlow.js; expected the list of two layers that the "
            "article's figure reads (webgl_models8)"
        )
    if not isinstance(content, list) or len(content) != 2:
        raise ForeignModelError(
            f"{path} is no growing model of Distill's; expected a list of two layers"
        )
    return content


def _unpacked(layer: Any, place: str) -> tuple[Tensor, Tensor, str]:
    """A layer's weight ``[out, in]``, its bias ``[out]``, and how they were stored."""
    if not isinstance(layer, dict):
        raise ForeignModelError(f"{place}: expected a mapping of fields")
    wanted = ("data_b64", "in_ch", "out_ch", "weight_scale", "bias_scale")
    missing = [name for name in wanted if name not in layer]
    if missing:
        raise ForeignModelError(f"{place}: {', '.join(missing)} is missing; expected {wanted}")
    inputs, outputs = layer["in_ch"], layer["out_ch"]
    if not all(type(count) is int and 1 <= count <= MOST for count in (inputs, outputs)):
        raise ForeignModelError(
            f"{place}: in_ch {inputs!r}, out_ch {outputs!r}; expected whole numbers"
        )
    scales = layer["weight_scale"], layer["bias_scale"]
    if not all(type(scale) in (int, float) and math.isfinite(scale) for scale in scales):
        raise ForeignModelError(f"{place}: scales {scales}; expected two finite numbers")
    kind = layer.get("type", "uint8")
    if kind not in DTYPES:
        raise ForeignModelError(f"{place}: type {kind!r}; expected one of {', '.join(DTYPES)}")
    try:
        numbers = np.frombuffer(base64.b64decode(layer["data_b64"], validate=True), DTYPES[kind])
    except (TypeError, ValueError, binascii.Error):
        raise ForeignModelError(f"{place}: data_b64 is not whole numbers in base64") from None
    if numbers.size != (inputs + 1) * outputs:
        raise ForeignModelError(
            f"{place}: {numbers.size:,} numbers; expected {(inputs + 1) * outputs:,} for "
            f"{inputs} inputs, a bias and {outputs} outputs"
        )
    values = torch.from_numpy(numbers.astype(np.float64)).view(inputs + 1, outputs)
    if kind == "uint8":
        values = values / 255 - 0.5
    kernel = (values[:-1] * scales[0]).T.float().contiguous()
    bias = (values[-1] * scales[1]).float()
    if not (kernel.isfinite().all() and bias.isfinite().all()):
        raise ForeignModelError(f"{place}: NaN or infinite numbers among the weights")
    return kernel, bias, kind
