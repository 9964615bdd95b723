"""From a trained automaton to what the live engine reads: a description and its weights.

The description is a dictionary that JSON can hold. Operations are a list, run in order from the
state to the change (:mod:`ncabook.live.program`); each names where its numbers lie in the weights.
Kernels are float16,
which changes a trained automaton's colours by some 2·10⁻⁴ after 96 steps and halves the
page's weight; biases are float32, because they are few.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from ncabook.automaton import NCA, ChannelLayout, Patchwork
from ncabook.automaton.known import check_unchanged
from ncabook.automaton.rotation import check_turn
from ncabook.automaton.state import RGB, RGBA, check_tensor
from ncabook.live.decoding import compile_decoder
from ncabook.live.program import ENGINE, Program, compile_parts, needs_planes
from ncabook.live.start import HALF_MAX, Start, check_sizes, check_start, describe_start
from ncabook.networks import Decoder

VERSION = 3
MOST_RULES = 256  # a map has a byte for each cell


def describe(
    nca: NCA | Patchwork,
    height: int,
    width: int,
    *,
    classes: Sequence[str] = (),
    class_names: Sequence[str] | None = None,
    class_index: int = 0,
    title: str = "A neural cellular automaton",
    alt: str | None = None,
    seed: int = 0,
    targets: Tensor | None = None,
    decoder: Decoder | None = None,
    start: Start = None,
    votes: Sequence[str] = (),
    inputs: Mapping[str, Tensor] | None = None,
    condition: Tensor | None = None,
    rules: Sequence[str] = (),
    sizes: Sequence[tuple[int, int]] = (),
    turning: bool = False,
    ring: bool = False,
    inks: Mapping[str, str] | None = None,
) -> tuple[dict[str, Any], bytes]:
    """Describes ``nca`` on a grid of ``height`` × ``width`` cells for the live engine.

    Args:
        nca: an automaton of any perception and update of the package; its visible channels are
            RGB or RGBA, or, with a decoder, latents; or it has class channels, in which its cells
            vote. Or several, as a patchwork.
        height: cells from top to bottom.
        width: cells from left to right.
        classes: one short label, such as an emoji, per channel of the condition.
        class_names: the same in words; by default the Unicode names of one-character labels.
        class_index: the class to begin with.
        title: names the figure to a screen reader, and is its caption.
        alt: says what there is to see.
        seed: of the fire masks, as in :func:`ncabook.automaton.hashed_fire`.
        targets: premultiplied RGBA in [0, 1], ``[classes, 4, height, width]``, what the automaton
            was trained to grow; with them the figure draws the error, and tells the recovery.
        decoder: makes the picture from the visible channels, larger than the grid.
        start: the state to begin with, ``[1, C, height, width]``, or a list of them, one for each
            class or input; a seed cell in the centre if not given. Inputs lie over its fixed
            channels.
        votes: names of the classes that cells vote for, one for each class channel; numbers if
            not given.
        inputs: what may lie in the fixed channels, by name, ``[fixed, height, width]`` in [0, 1];
            readers choose among them, and draw on them.
        condition: a map ``[D, height, width]`` in place of classes: a condition that differs from
            cell to cell.
        rules: a name for each automaton of a patchwork; readers graft them into each other. The
            first one rules all cells to begin with.
        sizes: other canvases that readers may choose, (height, width); the grid's own is the
            first. Only where all cells begin alike.
        turning: whether readers may turn the field of perception (see
            :func:`ncabook.automaton.turned`).
        ring: whether a seed's first step is decided by no coin: its eight neighbours fire, and it
            does not. So begin the seed in the centre, and those that readers plant.
        inks: colours that readers may paint on the picture with, ``"#rrggbb"`` by name.

    Returns:
        The description, and the weights' bytes.

    Raises:
        TypeError: the engine does not know the perception or the update, or something in the
            automaton is derived or changed; or targets, start,
            inputs or condition are no tensors; or a perception cannot be turned.
        ValueError: labels, grid or channels do not fit the automaton.

    """
    automata = _automata(nca, rules)
    for automaton in automata:
        check_unchanged(automaton, ENGINE)
    nca = automata[0]
    perception, layout = nca.perception, nca.layout
    least = max(1, *(a.perception.reach for a in automata))
    for name, value in (("height", height), ("width", width), ("seed", seed)):
        if not isinstance(value, int):
            raise ValueError(f"{name} is {value!r}; expected a whole number")
    if min(height, width) < least:
        raise ValueError(
            f"a grid of {height}×{width} cells; expected at least {least}×{least}, the "
            "perception's reach"
        )
    given = {"targets": targets, "condition": condition}
    given |= {f"the input {name!r}": image for name, image in (inputs or {}).items()}
    for name, value in given.items():
        if value is not None:
            check_tensor(name, value)
    count = perception.condition_channels
    wanted = (count, height, width)
    if condition is not None and (not count or tuple(condition.shape) != wanted or classes):
        raise ValueError(
            f"condition of shape {list(condition.shape)}, {len(classes)} classes; expected "
            f"{list(wanted)} and no classes"
        )
    labels = class_labels(0 if condition is not None else count, classes, class_names)
    if inputs:
        if labels:
            raise ValueError("inputs are for automata without classes to grow into")
        _check_inputs(inputs, (layout.fixed, height, width))
        labels = class_labels(len(inputs), list(inputs), None)
    elected = class_labels(layout.classes, votes, None, "votes", "state")
    if not 0 <= class_index < max(1, len(labels)):
        raise ValueError(f"class_index is {class_index}; there are {len(labels)} classes")
    _check_visible(layout, decoder, targets)
    for network in (*automata, decoder):
        _check_range(network)
    for automaton in automata if turning else ():
        check_turn(automaton.perception)
    planes = count if condition is not None or needs_planes(perception) else 0
    program = Program(layout.channels, planes)
    for program.rule, automaton in enumerate(automata):
        compile_parts(automaton.perception, automaton.update, program, layout.fixed)
    pictures = None
    if targets is not None:
        wanted = (max(1, len(labels)), 4, height, width)
        if tuple(targets.shape) != wanted:
            raise ValueError(
                f"targets of shape {list(targets.shape)}; expected {list(wanted)}: one picture of "
                "the grid's size for each class"
            )
        pictures = _pictures(targets, program)
    sizes = list(sizes)
    if sizes:
        check_sizes(
            sizes,
            least,
            start,
            {"targets": targets, "condition": condition} | {"inputs": inputs or None},
        )
    check_start(start, (1, layout.channels, height, width), len(labels))
    if ring and (start is not None or not layout.visible):
        raise ValueError("ring is for seeds, and this automaton begins with none; leave it out")
    alt = alt or (
        f"A living picture on a grid of {width} by {height} cells, grown by a neural cellular "
        f"automaton from {'a single cell' if start is None else 'its start'}. "
        "It can be damaged, and repairs itself."
    )
    description = {
        "format": "nca-live",
        "version": VERSION,
        "title": title,
        "alt": alt,
        "height": height,
        "width": width,
        "channels": layout.channels,
        "fixed": layout.fixed,
        "visible": layout.visible,
        "living": None if nca.living_threshold is None else layout.living,
        "planes": planes,
        "fire_rate": nca.fire_rate,
        "living_threshold": nca.living_threshold,
        "seed": seed,
        "classes": labels,
        "class_index": class_index,
        "targets": pictures,
        **describe_start(start, program),
        **({"rules": list(rules)} if len(automata) > 1 else {}),
        **({"sizes": [[height, width], *map(list, sizes)]} if sizes else {}),
        **({"turns": 0} if turning else {}),
        **({"ring": True} if ring else {}),
        **({"inks": _inks(inks, layout, decoder)} if inks else {}),
        "condition": None
        if condition is None
        else program.numbers(condition.permute(1, 2, 0), "<f2"),
        "votes": elected,
        "inputs": _inputs(inputs, program) if inputs else None,
        "decoder": None if decoder is None else compile_decoder(decoder, program, layout.fixed),
        "buffers": program.buffers[1:],
        "ops": program.ops,
        "weights_bytes": len(program.bytes),
    }
    return description, bytes(program.bytes)


def _automata(nca: NCA | Patchwork, rules: Sequence[str]) -> list[NCA]:
    """The automata of a patchwork, or the only one."""
    if isinstance(nca, NCA):
        if rules:
            raise ValueError(f"{len(rules)} names of rules for one automaton; give a Patchwork")
        return [nca]
    automata = list(nca.automata)
    named = isinstance(rules, list | tuple) and all(isinstance(name, str) for name in rules)
    differ = named and len(set(rules)) == len(rules) == len(automata)
    if not differ or not 2 <= len(automata) <= MOST_RULES:
        raise ValueError(
            f"names {rules!r} of rules for a patchwork of {len(automata)}; expected a list with a "
            f"different name for each, of 2 to {MOST_RULES}"
        )
    if len({a.fire_rate for a in automata}) > 1:
        raise ValueError("a figure has one fire rate; expected automata that fire equally often")
    return automata


def _check_visible(layout: ChannelLayout, decoder: Decoder | None, targets: Tensor | None) -> None:
    if decoder is None and layout.visible not in (RGB, RGBA) and not layout.classes:
        raise ValueError(
            f"this automaton has {layout.visible} visible channels; the figure shows RGB (3) or "
            "RGBA (4), what a decoder makes of latents, or votes"
        )
    if decoder is not None and layout.visible != decoder.latent_channels:
        raise ValueError(
            f"this automaton has {layout.visible} visible channels, and the decoder reads "
            f"{decoder.latent_channels}"
        )
    if decoder is not None and targets is not None:
        raise ValueError("targets are compared with cells; with a decoder, give none")
    if layout.visible == RGB and targets is not None:
        raise ValueError("targets are RGBA, and this automaton is RGB; give none")


def _inks(
    inks: Mapping[str, str], layout: ChannelLayout, decoder: Decoder | None
) -> list[dict[str, Any]]:
    if decoder is not None or layout.classes:
        raise ValueError("inks are for cells that show red, green and blue; leave them out")
    for name, color in inks.items():
        if not isinstance(color, str) or not re.fullmatch("#[0-9a-fA-F]{6}", color):
            raise ValueError(f'the ink {name!r} is {color!r}; expected "#rrggbb"')
    channels = {name: bytes.fromhex(color[1:]) for name, color in inks.items()}
    return [{"name": name, "color": [c / 255 for c in rgb]} for name, rgb in channels.items()]


def _check_inputs(inputs: Mapping[str, Tensor], shape: tuple[int, int, int]) -> None:
    for name, image in inputs.items():
        if tuple(image.shape) != shape or not bool(((image >= 0) & (image <= 1)).all()):
            low, high = (float(value) for value in image.aminmax())
            raise ValueError(
                f"the input {name!r} has shape {list(image.shape)} and values from {low:g} to "
                f"{high:g}; expected {list(shape)} in [0, 1]"
            )


def _inputs(inputs: Mapping[str, Tensor], program: Program) -> int:
    images = torch.stack([image.float() for image in inputs.values()])
    return program.numbers((255 * images.permute(0, 2, 3, 1)).round(), "<u1")


def _check_range(network: nn.Module | None) -> None:
    for name, values in network.named_parameters() if network is not None else ():
        if not bool(values.isfinite().all()) or float(values.detach().abs().max()) > HALF_MAX:
            raise ValueError(
                f"{name} has weights that float16 cannot hold: not finite, or too large"
            )


def _pictures(targets: Tensor, program: Program) -> dict[str, int]:
    """The part of the targets that is not empty in all of them, as bytes, and where it lies."""
    used = targets.abs().amax((0, 1)) > 0
    rows, columns = used.any(1).nonzero().flatten(), used.any(0).nonzero().flatten()
    top, left = (int(v.min()) if len(v) else 0 for v in (rows, columns))
    bottom, right = (int(v.max()) + 1 if len(v) else 1 for v in (rows, columns))
    part = targets[:, :, top:bottom, left:right].clamp(0, 1).permute(0, 2, 3, 1)
    return {
        "offset": program.numbers((255 * part).round(), "<u1"),
        "top": top,
        "left": left,
        "height": bottom - top,
        "width": right - left,
    }


def class_labels(
    count: int,
    classes: Sequence[str],
    names: Sequence[str] | None,
    argument: str = "classes",
    place: str = "condition",
) -> list[dict[str, str]]:
    """A label and a name in words for each of ``count`` classes, as :func:`describe` takes them.

    Raises:
        ValueError: as many labels or names as classes were expected.

    """
    if count and not classes:
        classes = [str(i + 1) for i in range(count)]
        names = names or [f"class {label}" for label in classes]
    if len(classes) != count:
        raise ValueError(
            f"{argument} has {len(classes)} labels; the automaton's {place} has {count} channels "
            "for them"
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
