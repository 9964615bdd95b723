"""The learned numbers of an automaton, laid out as the Triton kernels read them.

Features come in blocks of at most 128, each with a matrix of ``[channels, block]`` for every
tap (an offset in the window). All sizes are padded with zeros to powers of two of at least 16,
which matrix units want. The layout is plain PyTorch, done once per rollout: autograd carries the
kernels' gradients back through it to the automaton's own parameters, and drops the padding's.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor

from ncabook.automaton.attention import LocalAttention
from ncabook.automaton.contract import Perception
from ncabook.automaton.perception import ConvPerception, window
from ncabook.automaton.rule import Rule
from ncabook.automaton.update import MLPUpdate

LARGEST = 128
"""The widest state, hidden layer, or block of features: one tile of a matrix product."""
MOST_HEADS = 16


@dataclass(frozen=True)
class Packed:
    """An automaton as the kernels see it.

    Args:
        learned: float32 tensors that gradients belong to. For convolutions: taps
            ``[taps, CP, PB]``, the bias ``[1 or B, blocks, PB]`` with the condition's share in
            it; for attention: queries, keys and values ``[3, CP, PB]``, their bias
            ``[1 or B, 3, PB]``, position ``[taps, 16]``, projection ``[1, PB, PB]`` and its bias
            ``[1, 1, PB]``. Then, for both, the update: ``[blocks, PB, HP]``, ``[HP]``,
            ``[HP, CP]``, ``[CP]``, where a fixed channel's column is zero.
        compute: the same, matrices cast to the type of the products; biases and position as
            they are.
        offsets: int32 ``[taps, 2]``, (dy, dx).
        blocks: int32 ``[blocks, 4]``, (first tap, last tap + 1, column, size).
        entries: int32 ``[products, 6]`` for each matrix that ``outer_products`` is to make, in
            the order perception, (projection,) first layer, second layer.
        channels, features, hidden: sizes without padding.
        heads: of the attention, 0 for convolutions.
        living: (alpha channel, threshold), None without a living mask.
        fixed: input channels, which outlive their cell.

    """

    learned: tuple[Tensor, ...]
    compute: tuple[Tensor, ...]
    offsets: Tensor
    blocks: Tensor
    entries: tuple[Tensor, ...]
    channels: int
    features: int
    hidden: int
    heads: int
    living: tuple[int, float] | None
    fixed: int


def padded(size: int) -> int:
    """The next power of two, at least 16."""
    return max(16, 1 << (size - 1).bit_length())


def pack(nca: Rule, encoded: Any, dtype: torch.dtype) -> Packed:
    """Lays an automaton out; ``encoded`` is what its perception made of the condition."""
    perception, update = nca.perception, cast(MLPUpdate, nca.update)
    channels, hidden = nca.layout.channels, update.layers[0].out_features
    living = None
    if nca.living_threshold is not None:
        living = (nca.layout.living, nca.living_threshold)
    if isinstance(perception, LocalAttention):
        heads = perception.attention.heads
        learned, offsets, blocks, entries = _attention(perception, encoded)
    else:
        heads = 0
        learned, offsets, blocks, entries = _convolutions(perception, encoded)
    learned += _update(update, blocks, channels, nca.layout.fixed)
    entries.append([(0, 0, column, size, 0, hidden) for _, _, column, size in blocks])
    entries.append([(0, 0, 0, hidden, 0, channels)])
    device = learned[0].device
    matrices = {0, 3, 5, 7} if heads else {0, 2, 4}
    return Packed(
        learned=tuple(learned),
        compute=tuple(
            t.detach().to(dtype if i in matrices else torch.float32).contiguous()
            for i, t in enumerate(learned)
        ),
        offsets=_table(offsets, device),
        blocks=_table(blocks, device),
        entries=tuple(_table(rows, device) for rows in entries),
        channels=channels,
        features=perception.out_channels,
        hidden=hidden,
        heads=heads,
        living=living,
        fixed=nca.layout.fixed,
    )


_TABLES: dict[tuple[Any, ...], Tensor] = {}


def _table(rows: list[tuple[int, ...]], device: torch.device) -> Tensor:
    """An int32 table on the device, copied there once: a graph may not be given host memory."""
    key = (tuple(rows), device)
    if key not in _TABLES:
        _TABLES[key] = torch.tensor(rows, dtype=torch.int32, device=device)
    return _TABLES[key]


def _pad(x: Tensor, *sizes: int) -> Tensor:
    """Zeros after the last axes, up to the given sizes."""
    missing = [n - s for n, s in zip(sizes, x.shape[-len(sizes) :], strict=True)]
    return F.pad(x, [n for m in reversed(missing) for n in (0, m)])


def _convolutions(perception: Perception, encoded: Any) -> tuple[list, list, list, list]:
    """Taps and biases; offsets; blocks; products."""
    branches = cast(Sequence[ConvPerception], perception.branches)
    channels = perception.state_channels
    width = padded(min(LARGEST, max(b.out_channels for b in branches)))
    taps, biases, offsets, blocks, entries = [], [], [], [], []
    column = 0
    for branch, share in zip(branches, perception.shares(encoded), strict=True):
        seen = window(branch.conv.kernel_size[0], branch.dilation)
        kernel = branch.conv.weight[:, :channels].flatten(2).permute(2, 1, 0)
        bias = branch.bias[None]
        if share is not None:
            bias = bias + share[:, :, 0, 0]
        for first in range(0, branch.out_channels, width):
            size = min(width, branch.out_channels - first)
            taps.append(_pad(kernel[..., first : first + size], padded(channels), width))
            biases.append(_pad(bias[:, first : first + size], width))
            blocks.append((len(offsets), len(offsets) + len(seen), column, size))
            offsets += seen
            entries += [(dy, dx, 0, channels, column, size) for dy, dx in seen]
            column += size
    return [torch.cat(taps), torch.stack(biases, 1)], offsets, blocks, [entries]


def _attention(perception: LocalAttention, encoded: Tensor | None) -> tuple[list, list, list, list]:
    """Matrices, biases and position; offsets; the one block; products."""
    module, size, channels = (
        perception.attention,
        perception.out_channels,
        perception.state_channels,
    )
    width = padded(size)
    qkv = module.qkv.weight[:, :channels].unflatten(0, (3, size)).transpose(1, 2)
    bias = qkv.new_zeros(1, 3, width)
    if encoded is not None:
        bias = _pad(encoded[:, :, 0, 0].unflatten(1, (3, size)), width)
    projection = perception.projection
    learned = [
        _pad(qkv, padded(channels), width),
        bias,
        _pad(module.position.T, module.position.shape[1], MOST_HEADS),
        _pad(projection.weight.T, width, width)[None],
        _pad(projection.bias, width)[None, None],
    ]
    offsets = window(2 * module.reach + 1)
    entries = [
        [(0, 0, 0, channels, part * size, size) for part in range(3)],
        [(0, 0, 0, size, 0, size)],
    ]
    return learned, offsets, [(0, len(offsets), 0, size)], entries


def _update(
    update: MLPUpdate, blocks: list[tuple[int, ...]], channels: int, fixed: int
) -> list[Tensor]:
    """The two layers of the update, the first one cut into the blocks of features."""
    first, last = update.layers
    hidden = padded(first.out_features)
    width = padded(max(size for *_, size in blocks))
    cut = [
        _pad(first.weight[:, column : column + size].T, width, hidden)
        for _, _, column, size in blocks
    ]
    weight, bias = F.pad(last.weight.T, (fixed, 0)), F.pad(last.bias, (fixed, 0))
    return [
        torch.stack(cut),
        _pad(first.bias, hidden),
        _pad(weight, hidden, padded(channels)),
        _pad(bias, padded(channels)),
    ]
