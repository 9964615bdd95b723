"""From a trained automaton to what the live engine reads: a description and its weights.

The description is a dictionary that JSON can hold. Layers are a list, run in order from the
state to the change; each names where its numbers lie in the weights. Kernels are float16,
which changes a trained automaton's colours by some 2·10⁻⁴ after 96 steps and halves the
page's weight; biases are float32, because they are few.
"""

import unicodedata
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from ncabook.automaton import NCA, ConvPerception, MLPUpdate
from ncabook.automaton.perception import LEAKY_SLOPE

VERSION = 1
HALF_MAX = 65504.0


def describe(
    nca: NCA,
    height: int,
    width: int,
    *,
    classes: Sequence[str] = (),
    class_names: Sequence[str] | None = None,
    class_index: int = 0,
    title: str = "A neural cellular automaton",
    alt: str | None = None,
    seed: int = 0,
) -> tuple[dict[str, Any], bytes]:
    """Describes ``nca`` on a grid of ``height`` × ``width`` cells for the live engine.

    Args:
        nca: an automaton with RGBA and hidden channels, a ConvPerception and an MLPUpdate.
        height: cells from top to bottom.
        width: cells from left to right.
        classes: one short label, such as an emoji, per channel of the condition.
        class_names: the same in words; by default the Unicode names of one-character labels.
        class_index: the class to begin with.
        title: names the figure to a screen reader, and is its caption.
        alt: says what there is to see.
        seed: of the fire masks, as in :func:`ncabook.automaton.hashed_fire`.

    Returns:
        The description, and the weights' bytes.

    Raises:
        TypeError: the engine does not know this perception.
        ValueError: labels, grid or channels do not fit the automaton.

    """
    perception = nca.perception
    for part, known in ((perception, ConvPerception), (nca.update, MLPUpdate)):
        if not isinstance(part, known):
            raise TypeError(f"the live engine knows {known.__name__}; given {type(part).__name__}")
    if nca.layout.fixed or nca.layout.classes:
        raise ValueError(
            f"the live engine knows layouts of visible and hidden channels; given {nca.layout}"
        )
    if min(height, width) < max(1, perception.reach):
        raise ValueError(
            f"a grid of {height}×{width} cells; expected at least "
            f"{max(1, perception.reach)}×{max(1, perception.reach)}, the perception's reach"
        )
    labels = _labels(perception.condition_channels, classes, class_names)
    if not 0 <= class_index < max(1, len(labels)):
        raise ValueError(f"class_index is {class_index}; there are {len(labels)} classes")
    weights = _Weights()
    layers = _layers(nca, weights)
    alt = alt or (
        f"A living picture on a grid of {width} by {height} cells, grown by a neural cellular "
        "automaton from a single cell. It can be damaged, and repairs itself."
    )
    description = {
        "format": "nca-live",
        "version": VERSION,
        "title": title,
        "alt": alt,
        "height": height,
        "width": width,
        "channels": nca.layout.channels,
        "alpha": nca.layout.alpha,
        "fire_rate": nca.fire_rate,
        "living_threshold": nca.living_threshold,
        "seed": seed,
        "classes": labels,
        "class_index": class_index,
        "layers": layers,
        "weights_bytes": len(weights.bytes),
    }
    return description, bytes(weights.bytes)


class _Weights:
    """Collects numbers in one run of bytes and says where each array begins."""

    def __init__(self) -> None:
        self.bytes = bytearray()

    def add(self, values: Tensor, dtype: str) -> int:
        """Appends ``values`` in row-major order, and returns their offset."""
        self.bytes.extend(bytes(-len(self.bytes) % 4))  # every array begins at a multiple of 4
        offset = len(self.bytes)
        self.bytes.extend(values.numpy().astype(dtype).tobytes())
        return offset


def _layers(nca: NCA, weights: _Weights) -> list[dict[str, Any]]:
    perception = nca.perception
    kernel = _values(perception.conv.weight, "perception")
    state, condition = kernel.split([perception.state_channels, perception.condition_channels], 1)
    bias = _values(perception.conv.bias, "perception")
    if perception.condition_channels:
        # The class is the same in every cell of the torus: all it adds is a bias per class.
        bias = bias + condition.sum((2, 3)).T
    layers = [_layer(weights, state, bias, perception.dilation, LEAKY_SLOPE)]
    for i, linear in enumerate(nca.update.layers):
        last = i == len(nca.update.layers) - 1
        kernel = _values(linear.weight, f"update layer {i}")[:, :, None, None]
        bias = _linear_bias(linear, i)
        layers.append(_layer(weights, kernel, bias, 1, None if last else LEAKY_SLOPE))
    return layers


def _linear_bias(linear: nn.Linear, index: int) -> Tensor:
    if linear.bias is None:
        return torch.zeros(linear.out_features)
    return _values(linear.bias, f"update layer {index}")


def _layer(
    weights: _Weights, kernel: Tensor, bias: Tensor, dilation: int, leaky: float | None
) -> dict[str, Any]:
    """One entry of the description. ``kernel`` ``[out, in, k, k]``, ``bias`` ``[(classes,) out]``.

    The engine wants kernels as ``[ky, kx, in, out]``.
    """
    outputs, inputs, size, _ = kernel.shape
    return {
        "kind": "conv",
        "in": inputs,
        "out": outputs,
        "kernel": size,
        "dilation": dilation,
        "leaky": leaky,
        "weight": weights.add(kernel.permute(2, 3, 1, 0).contiguous(), "<f2"),
        "bias": weights.add(bias.contiguous(), "<f4"),
        "bias_rows": bias.shape[0] if bias.ndim == 2 else 1,
    }


def _values(parameter: Tensor, name: str) -> Tensor:
    values = parameter.detach().float().cpu()
    if not bool(torch.isfinite(values).all()) or float(values.abs().max()) > HALF_MAX:
        raise ValueError(f"{name} has weights that float16 cannot hold: not finite, or too large")
    return values


def _labels(
    count: int, classes: Sequence[str], names: Sequence[str] | None
) -> list[dict[str, str]]:
    if count and not classes:
        classes = [str(i + 1) for i in range(count)]
        names = names or [f"class {label}" for label in classes]
    if len(classes) != count:
        raise ValueError(
            f"classes has {len(classes)} labels; the automaton's condition has {count} channels"
        )
    if names is None:
        names = [_unicode_name(label) for label in classes]
    if len(names) != count:
        raise ValueError(f"class_names has {len(names)} names for {count} classes")
    return [{"label": label, "name": name} for label, name in zip(classes, names, strict=True)]


def _unicode_name(label: str) -> str:
    """``"🦎"`` → ``"lizard"``; a label of several characters, or a plain letter, names itself."""
    bare = label.replace("\ufe0f", "")
    if len(bare) == 1 and not bare.isascii():
        return unicodedata.name(bare, label).lower()
    return label
