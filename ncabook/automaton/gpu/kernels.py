"""Triton kernels of a step whose perception is one or several convolutions.

A program handles a tile of ``M`` cells, numbered over samples, rows and columns, and computes
all their channels. Matrices are the learned ones of :mod:`~ncabook.automaton.gpu.packing`,
padded with zeros to powers of two, so that only cells and channels need masks. Operands of a
product have the type of its matrix (bfloat16 or float32), sums are float32.

A table ``blocks`` has a row (first tap, last tap + 1, column, size) for every block of
features, ``offsets`` a row (dy, dx) for every tap. No kernel uses atomics: same input, same bits.
"""

# Triton's signatures: pointers and numbers without types, constants in capitals.
# Nested ifs, because older compilers know no chains of "and".
# ruff: noqa: ANN001, ANN201, N803, SIM102

import os
from collections.abc import Callable
from typing import Any, Protocol

import triton  # pyright: ignore[reportMissingImports] on Linux only
import triton.language as tl  # pyright: ignore[reportMissingImports]

from ncabook.automaton.perception import LEAKY_SLOPE

SLOPE = tl.constexpr(LEAKY_SLOPE)
INTERPRETED = tl.constexpr(os.environ.get("TRITON_INTERPRET") == "1")


class Kernel(Protocol):
    """A function for the GPU: launched as ``kernel[grid](…)``, and called by other kernels."""

    def __getitem__(self, grid: tuple[int, ...]) -> Callable[..., None]:
        """A launch of as many programs."""
        ...

    def __call__(self, *arguments: Any, **constants: Any) -> Any:
        """Within a kernel."""
        ...


def jit(function: Callable[..., Any]) -> Kernel:
    """``triton.jit``, whose own type asks a launch for its kernel's types within."""
    return triton.jit(function)


@jit
def neighbour(cell, dy, dx, height, width):
    """The number of the cell at an offset, on the torus of the same sample."""
    inside = cell % (height * width)
    y = (inside // width + dy + height) % height
    x = (inside % width + dx + width) % width
    return cell - inside + y * width + x


@jit
def cast(x, dtype: tl.constexpr):
    """Rounds to the nearest; the interpreter by itself would cut bfloat16's last bits off."""
    if INTERPRETED:
        if dtype == tl.bfloat16:
            if x.dtype == tl.float32:
                x = (x.to(tl.int32, bitcast=True) + 0x8000).to(tl.float32, bitcast=True)
    return x.to(dtype)


@jit
def load_rows(pointer, row, stride, first, size, valid, K: tl.constexpr):
    """``[M, K]``: ``size`` numbers of every row from column ``first`` on, then zeros."""
    k = tl.arange(0, K)
    mask = valid[:, None] & (k < size)[None, :]
    return tl.load(pointer + row[:, None] * stride + first + k[None, :], mask=mask, other=0.0)


@jit
def store_rows(pointer, row, stride, first, size, valid, value, K: tl.constexpr):
    """The opposite of :func:`load_rows`."""
    k = tl.arange(0, K)
    mask = valid[:, None] & (k < size)[None, :]
    place = pointer + row[:, None] * stride + first + k[None, :]
    tl.store(place, cast(value, pointer.dtype.element_ty), mask=mask)


@jit
def load_matrix(pointer, ROWS: tl.constexpr, COLUMNS: tl.constexpr):
    """A packed matrix, whole."""
    return tl.load(pointer + tl.arange(0, ROWS)[:, None] * COLUMNS + tl.arange(0, COLUMNS)[None, :])


@jit
def dot(a, matrix, total):
    """``total + a @ matrix``; "tf32x3" keeps float32 operands nearly whole."""
    a = cast(a, matrix.dtype)
    if INTERPRETED:  # the interpreter multiplies the bit patterns of bfloat16
        a = a.to(tl.float32)
        matrix = matrix.to(tl.float32)
    return tl.dot(a, matrix, total, input_precision="tf32x3")


@jit
def leaky(x):
    """LeakyReLU."""
    return tl.where(x > 0, x, SLOPE * x)


@jit
def leaky_backward(gradient, activated):
    """LeakyReLU keeps the sign, so its output tells its slope."""
    return tl.where(activated.to(tl.float32) > 0, gradient, SLOPE * gradient)


@jit
def fires(fire, cell, area, stride, valid):
    """``[M]``, 1.0 where a cell fires; ``stride`` is 0 for a mask that all samples share."""
    place = fire + (cell // area) * stride + cell % area
    return tl.load(place, mask=valid, other=0).to(tl.float32)


@jit
def change_cells(
    state, fire, after, hidden, h, b1, w2, b2, cell, valid, area, channels, hidden_size,
    fire_stride, M: tl.constexpr, CP: tl.constexpr, HP: tl.constexpr, KEEP: tl.constexpr,
):  # fmt: skip
    """The second half of the update, from the hidden sums ``h``; both forward kernels end so."""
    h = leaky(h + tl.load(b1 + tl.arange(0, HP))[None, :])
    if KEEP:
        store_rows(hidden, cell, hidden_size, 0, hidden_size, valid, h, HP)
    else:
        change = dot(h, load_matrix(w2, HP, CP), tl.zeros([M, CP], tl.float32))
        change += tl.load(b2 + tl.arange(0, CP))[None, :]
        change *= fires(fire, cell, area, fire_stride, valid)[:, None]
        change += load_rows(state, cell, channels, 0, channels, valid, CP)
        store_rows(after, cell, channels, 0, channels, valid, change, CP)


@jit
def conv_forward(
    state, fire, after, features, hidden, taps, bias, w1, b1, w2, b2, offsets, blocks,
    cells, height, width, channels, feature_size, hidden_size, bias_stride, fire_stride, n_blocks,
    M: tl.constexpr, CP: tl.constexpr, PB: tl.constexpr, HP: tl.constexpr, KEEP: tl.constexpr,
):  # fmt: skip
    """Writes ``after`` without the living mask, or, if ``KEEP``, only the two activations."""
    cell = tl.program_id(0) * M + tl.arange(0, M)
    valid = cell < cells
    area = height * width
    h = tl.zeros([M, HP], tl.float32)
    for block in range(n_blocks):
        row = bias + (cell // area)[:, None] * bias_stride + block * PB
        f = tl.load(row + tl.arange(0, PB)[None, :], mask=valid[:, None], other=0.0)
        for tap in range(tl.load(blocks + 4 * block), tl.load(blocks + 4 * block + 1)):
            dy = tl.load(offsets + 2 * tap)
            dx = tl.load(offsets + 2 * tap + 1)
            seen = neighbour(cell, dy, dx, height, width)
            x = load_rows(state, seen, channels, 0, channels, valid, CP)
            f = dot(x, load_matrix(taps + tap * CP * PB, CP, PB), f)
        f = leaky(f)
        if KEEP:
            column = tl.load(blocks + 4 * block + 2)
            size = tl.load(blocks + 4 * block + 3)
            store_rows(features, cell, feature_size, column, size, valid, f, PB)
        h = dot(f, load_matrix(w1 + block * PB * HP, PB, HP), h)
    change_cells(
        state, fire, after, hidden, h, b1, w2, b2, cell, valid, area, channels, hidden_size,
        fire_stride, M, CP, HP, KEEP,
    )  # fmt: skip


@jit
def living_mask(
    state, after, result, alive, cells, height, width, channels, alpha, threshold,
    M: tl.constexpr, CP: tl.constexpr,
):  # fmt: skip
    """``result`` is ``after`` where the 3×3 windows of both ``state`` and ``after`` are alive."""
    cell = tl.program_id(0) * M + tl.arange(0, M)
    valid = cell < cells
    before = tl.full([M], float("-inf"), tl.float32)
    later = tl.full([M], float("-inf"), tl.float32)
    for window in tl.static_range(9):  # pyright: ignore[reportGeneralTypeIssues] Triton unrolls it
        seen = neighbour(cell, window // 3 - 1, window % 3 - 1, height, width)
        place = seen * channels + alpha
        before = tl.maximum(before, tl.load(state + place, mask=valid, other=0.0))
        later = tl.maximum(later, tl.load(after + place, mask=valid, other=0.0))
    lives = (before > threshold) & (later > threshold)
    tl.store(alive + cell, lives.to(tl.uint8), mask=valid)
    value = load_rows(after, cell, channels, 0, channels, valid, CP)
    value *= lives.to(tl.float32)[:, None]
    store_rows(result, cell, channels, 0, channels, valid, value, CP)


@jit
def load_gradient(
    gradient, alive, cell, channels, valid, CP: tl.constexpr, LIVING: tl.constexpr
):  # fmt: skip
    """The gradient of ``after``: none where the living mask cleared the cell."""
    value = load_rows(gradient, cell, channels, 0, channels, valid, CP)
    if LIVING:
        value *= tl.load(alive + cell, mask=valid, other=0).to(tl.float32)[:, None]
    return value


@jit
def mlp_backward(
    gradient, alive, fire, features, hidden, d_change, d_hidden, d_features, w1, w2, blocks,
    cells, area, channels, feature_size, hidden_size, fire_stride, n_blocks,
    M: tl.constexpr, CP: tl.constexpr, PB: tl.constexpr, HP: tl.constexpr, LIVING: tl.constexpr,
):  # fmt: skip
    """From the step's output to the sums before the two activations."""
    cell = tl.program_id(0) * M + tl.arange(0, M)
    valid = cell < cells
    change = load_gradient(gradient, alive, cell, channels, valid, CP, LIVING)
    change *= fires(fire, cell, area, fire_stride, valid)[:, None]
    store_rows(d_change, cell, channels, 0, channels, valid, change, CP)
    h = load_rows(hidden, cell, hidden_size, 0, hidden_size, valid, HP)
    dh = dot(change, tl.trans(load_matrix(w2, HP, CP)), tl.zeros([M, HP], tl.float32))
    dh = leaky_backward(dh, h)
    store_rows(d_hidden, cell, hidden_size, 0, hidden_size, valid, dh, HP)
    for block in range(n_blocks):
        column = tl.load(blocks + 4 * block + 2)
        size = tl.load(blocks + 4 * block + 3)
        matrix = tl.trans(load_matrix(w1 + block * PB * HP, PB, HP))
        df = dot(dh, matrix, tl.zeros([M, PB], tl.float32))
        df = leaky_backward(
            df, load_rows(features, cell, feature_size, column, size, valid, PB)
        )  # fmt: skip
        store_rows(d_features, cell, feature_size, column, size, valid, df, PB)


@jit
def conv_backward(
    gradient, alive, d_features, d_state, taps, offsets, blocks,
    cells, height, width, channels, feature_size, n_blocks,
    M: tl.constexpr, CP: tl.constexpr, PB: tl.constexpr, LIVING: tl.constexpr,
):  # fmt: skip
    """The state's gradient, gathered: a cell asks those who saw it, at the opposite offsets."""
    cell = tl.program_id(0) * M + tl.arange(0, M)
    valid = cell < cells
    total = load_gradient(gradient, alive, cell, channels, valid, CP, LIVING)
    for block in range(n_blocks):
        column = tl.load(blocks + 4 * block + 2)
        size = tl.load(blocks + 4 * block + 3)
        for tap in range(tl.load(blocks + 4 * block), tl.load(blocks + 4 * block + 1)):
            dy = tl.load(offsets + 2 * tap)
            dx = tl.load(offsets + 2 * tap + 1)
            saw = neighbour(cell, -dy, -dx, height, width)
            df = load_rows(d_features, saw, feature_size, column, size, valid, PB)
            total = dot(df, tl.trans(load_matrix(taps + tap * CP * PB, CP, PB)), total)
    store_rows(d_state, cell, channels, 0, channels, valid, total, CP)


@jit
def outer_products(
    a, b, products, sums, entries, height, width, a_stride, b_stride, rows, splits,
    M: tl.constexpr, KA: tl.constexpr, KB: tl.constexpr,
):  # fmt: skip
    """Gradients of matrices, Σ aᵀ b over cells, and of their biases, Σ b.

    Row (dy, dx, column of a, size, column of b, size) of ``entries`` says which product program
    (entry, part) makes of ``rows`` cells of one sample; the parts are added up afterwards.
    """
    entry, part = tl.program_id(0), tl.program_id(1)
    dy = tl.load(entries + 6 * entry)
    dx = tl.load(entries + 6 * entry + 1)
    a_first = tl.load(entries + 6 * entry + 2)
    a_size = tl.load(entries + 6 * entry + 3)
    b_first = tl.load(entries + 6 * entry + 4)
    b_size = tl.load(entries + 6 * entry + 5)
    area = height * width
    product = tl.zeros([KA, KB], tl.float32)
    total = tl.zeros([KB], tl.float32)
    for first in range(0, rows, M):
        inside = (part % splits) * rows + first + tl.arange(0, M)
        cell = (part // splits) * area + inside
        valid = inside < area
        seen = neighbour(cell, dy, dx, height, width)
        right = load_rows(b, cell, b_stride, b_first, b_size, valid, KB)
        left = load_rows(a, seen, a_stride, a_first, a_size, valid, KA)
        left = cast(left, right.dtype)
        product = dot(tl.trans(left), right, product)
        total += tl.sum(right.to(tl.float32), axis=0)
    place = part * tl.num_programs(0) + entry
    matrix = tl.arange(0, KA)[:, None] * KB + tl.arange(0, KB)[None, :]
    tl.store(products + place * KA * KB + matrix, product)
    tl.store(sums + place * KB + tl.arange(0, KB), total)
