"""Decoders in the live engine: of latents on growing grids, or of the state at any point."""

from collections.abc import Iterable
from typing import Any, cast

from torch import nn

from ncabook.automaton.known import check_unchanged
from ncabook.live.program import ENGINE, LINEAR, STATE, Program
from ncabook.networks.blocks import SLOPE, Doubling
from ncabook.networks.local_decoder import HARMONICS, LocalDecoder
from ncabook.networks.vqvae import Decoder

WRAPPED = {
    "kernel_size": (3, 3),
    "stride": (1, 1),
    "padding": (1, 1),
    "dilation": (1, 1),
    "groups": 1,
    "padding_mode": "circular",
}


def compile_decoder(decoder: Decoder, program: Program, first: int) -> dict[str, Any]:
    """Appends the decoder's numbers to those of ``program``; returns its part of a description.

    Args:
        decoder: reads the channels of the state from ``first`` on.
        program: of the automaton's step.
        first: its first visible channel.

    Raises:
        TypeError: the engine does not know it: it is derived or changed, or does not wrap.

    """
    check_unchanged(decoder, ENGINE)
    for name, part in decoder.named_modules():
        if isinstance(part, nn.Conv2d) and any(getattr(part, k) != v for k, v in WRAPPED.items()):
            raise TypeError(f"{ENGINE} does not know {name}, {part}; expected 3×3, {WRAPPED}")
        if isinstance(part, nn.GroupNorm) and not part.affine:
            raise TypeError(f"{ENGINE} does not know {name}, {part}; expected one with weights")
    part = Program(program.channels, program.planes)
    part.bytes = program.bytes
    scales: list[int] = []

    def buffer(size: int, scale: int) -> int:
        scales.append(scale)
        return part.buffer(size)

    latent = list(range(first, first + decoder.latent_channels))
    at, scale = buffer(decoder.first.out_channels, 1), 1
    part.conv(decoder.first.weight, decoder.first.bias, at, source=STATE, columns=latent)
    for stage in cast(Iterable[Doubling], decoder.stages):
        scale *= 2
        small, at = at, buffer(stage.conv.out_channels, scale)
        part.doubling(stage.conv.weight, stage.conv.bias, small, at)
        part.add(
            "groups",
            0,
            to=at,
            channels=stage.norm.num_channels,
            groups=stage.norm.num_groups,
            eps=stage.norm.eps,
            slope=SLOPE,
            weight=part.numbers(stage.norm.weight, "<f4"),
            bias=part.numbers(stage.norm.bias, "<f4"),
        )
    picture = buffer(decoder.image_channels, scale)
    part.conv(decoder.last.weight, decoder.last.bias, picture, source=at, slope=LINEAR)
    return {
        "scale": scale,
        "image": decoder.image_channels,
        "buffers": part.buffers[1:],
        "scales": scales,
        "ops": part.ops,
    }


def compile_local(decoder: LocalDecoder, program: Program) -> dict[str, Any]:
    """Appends a local decoder's numbers to those of ``program``; its part of a description.

    Kernels are ``[in, out]`` in float16, biases float32.

    Raises:
        TypeError: the engine does not know it: it is derived or changed.

    """
    check_unchanged(decoder, ENGINE)
    layers = {"first": decoder.first, "second": decoder.second, "last": decoder.last}
    return {
        "kind": "local",
        "image": decoder.image_channels,
        "hidden": decoder.first.out_features,
        "harmonics": HARMONICS,
        **{
            name: {
                "weight": program.numbers(layer.weight.T, "<f2"),
                "bias": program.numbers(layer.bias, "<f4"),
            }
            for name, layer in layers.items()
        },
    }
