"""Triton kernels of a step whose perception is a lean local attention.

Keys and values are computed anew for every neighbour from the state, which is far smaller than
they are. ``members`` ``[EP, 16]`` says which of up to 16 heads a channel belongs to: multiplying
by it sums over a head's channels, by its transpose spreads a head's number over them.

A key's bias is the same for all neighbours of a cell, so the softmax does not see it, and a
value's bias passes through unweighted: keys and values are used without, and a cell's own value
bias is added at the end.
"""

# Triton's signatures: pointers and numbers without types, constants in capitals.
# ruff: noqa: ANN001, ANN201, N803

import triton.language as tl  # pyright: ignore[reportMissingImports] on Linux only

from ncabook.automaton.gpu.kernels import (
    change_cells,
    dot,
    jit,
    leaky,
    load_gradient,
    load_matrix,
    load_rows,
    neighbour,
    store_rows,
)

HEADS = tl.constexpr(16)
"""Heads that there is room for; also the smallest side of a matrix product."""


@jit
def head_members(head_size, dtype: tl.constexpr, EP: tl.constexpr):
    """``[EP, 16]``, 1 where a channel belongs to a head."""
    owner = tl.arange(0, EP) // head_size
    return (owner[:, None] == tl.arange(0, HEADS)[None, :]).to(tl.float32).to(dtype)


@jit
def load_bias(qkv_bias, part, sample, stride, valid, EP: tl.constexpr):
    """``[M, EP]``: the condition's share of queries (0), keys (1) or values (2)."""
    place = qkv_bias + sample[:, None] * stride + part * EP + tl.arange(0, EP)[None, :]
    return tl.load(place, mask=valid[:, None], other=0.0)


@jit
def queries(state, cell, channels, valid, wq, bias, scale, M: tl.constexpr, CP: tl.constexpr,
            EP: tl.constexpr):  # fmt: skip
    """``[M, EP]``, divided by the root of a head's size."""
    x = load_rows(state, cell, channels, 0, channels, valid, CP)
    return (dot(x, load_matrix(wq, CP, EP), tl.zeros([M, EP], tl.float32)) + bias) * scale


@jit
def neighbour_state(state, cell, tap, offsets, height, width, channels, valid, CP: tl.constexpr):
    """``[M, CP]``: the state at the tap's offset."""
    dy = tl.load(offsets + 2 * tap)
    dx = tl.load(offsets + 2 * tap + 1)
    seen = neighbour(cell, dy, dx, height, width)
    return load_rows(state, seen, channels, 0, channels, valid, CP)


@jit
def scores(query, key, members, position, tap, M: tl.constexpr):
    """``[M, 16]``: one neighbour's logits."""
    product = dot(query * key, members, tl.zeros([M, HEADS], tl.float32))
    return product + tl.load(position + tap * HEADS + tl.arange(0, HEADS))[None, :]


@jit
def log_sum(
    state, query, wk, members, position, offsets, cell, valid, height, width, channels, n_taps,
    M: tl.constexpr, CP: tl.constexpr, EP: tl.constexpr,
):  # fmt: skip
    """``[M, 16]``: log Σ exp of all neighbours' logits, with a running maximum."""
    largest = tl.full([M, HEADS], float("-inf"), tl.float32)
    total = tl.zeros([M, HEADS], tl.float32)
    for tap in range(n_taps):
        x = neighbour_state(state, cell, tap, offsets, height, width, channels, valid, CP)
        key = dot(x, wk, tl.zeros([M, EP], tl.float32))
        logits = scores(query, key, members, position, tap, M)
        new = tl.maximum(largest, logits)
        total = total * tl.exp(largest - new) + tl.exp(logits - new)
        largest = new
    return largest + tl.log(total)


@jit
def attention_forward(
    state, fire, after, heard, features, hidden, qkv, qkv_bias, position, projection, bias,
    w1, b1, w2, b2, offsets, cells, height, width, channels, feature_size, hidden_size,
    bias_stride, fire_stride, n_taps, head_size, scale,
    M: tl.constexpr, CP: tl.constexpr, PB: tl.constexpr, HP: tl.constexpr, KEEP: tl.constexpr,
):  # fmt: skip
    """Writes ``after`` without the living mask, or, if ``KEEP``, only the three activations."""
    cell = tl.program_id(0) * M + tl.arange(0, M)
    valid = cell < cells
    area = height * width
    sample = cell // area
    query_bias = load_bias(qkv_bias, 0, sample, bias_stride, valid, PB)
    query = queries(state, cell, channels, valid, qkv, query_bias, scale, M, CP, PB)
    wk = load_matrix(qkv + CP * PB, CP, PB)
    wv = load_matrix(qkv + 2 * CP * PB, CP, PB)
    members = head_members(head_size, wk.dtype, PB)
    normaliser = log_sum(
        state, query, wk, members, position, offsets, cell, valid, height, width, channels, n_taps,
        M, CP, PB,
    )  # fmt: skip
    total = load_bias(qkv_bias, 2, sample, bias_stride, valid, PB)
    for tap in range(n_taps):
        x = neighbour_state(state, cell, tap, offsets, height, width, channels, valid, CP)
        key = dot(x, wk, tl.zeros([M, PB], tl.float32))
        value = dot(x, wv, tl.zeros([M, PB], tl.float32))
        weight = tl.exp(scores(query, key, members, position, tap, M) - normaliser)
        total += dot(weight, tl.trans(members), tl.zeros([M, PB], tl.float32)) * value
    f = dot(total, load_matrix(projection, PB, PB), tl.zeros([M, PB], tl.float32))
    f = leaky(f + tl.load(bias + tl.arange(0, PB))[None, :])
    if KEEP:
        store_rows(heard, cell, feature_size, 0, feature_size, valid, total, PB)
        store_rows(features, cell, feature_size, 0, feature_size, valid, f, PB)
    h = dot(f, load_matrix(w1, PB, HP), tl.zeros([M, HP], tl.float32))
    change_cells(
        state, fire, after, hidden, h, b1, w2, b2, cell, valid, area, channels, hidden_size,
        fire_stride, M, CP, HP, KEEP,
    )  # fmt: skip


@jit
def attention_queries_backward(
    state, heard, d_features, d_heard, d_qkv, weights, d_logits, qkv, qkv_bias, position,
    projection, offsets, cells, height, width, channels, feature_size, bias_stride, n_taps,
    n_heads, head_size, scale,
    M: tl.constexpr, CP: tl.constexpr, PB: tl.constexpr,
):  # fmt: skip
    """What a cell did as the one who asks: gradients of its query and of all its logits."""
    cell = tl.program_id(0) * M + tl.arange(0, M)
    valid = cell < cells
    sample = cell // (height * width)
    query_bias = load_bias(qkv_bias, 0, sample, bias_stride, valid, PB)
    query = queries(state, cell, channels, valid, qkv, query_bias, scale, M, CP, PB)
    wk = load_matrix(qkv + CP * PB, CP, PB)
    wv = load_matrix(qkv + 2 * CP * PB, CP, PB)
    members = head_members(head_size, wk.dtype, PB)
    normaliser = log_sum(
        state, query, wk, members, position, offsets, cell, valid, height, width, channels, n_taps,
        M, CP, PB,
    )  # fmt: skip
    df = load_rows(d_features, cell, feature_size, 0, feature_size, valid, PB)
    gradient = dot(
        df, tl.trans(load_matrix(projection, PB, PB)), tl.zeros([M, PB], tl.float32)
    )  # fmt: skip
    store_rows(d_heard, cell, feature_size, 0, feature_size, valid, gradient, PB)
    mean = load_rows(heard, cell, feature_size, 0, feature_size, valid, PB)
    mean = mean - load_bias(qkv_bias, 2, sample, bias_stride, valid, PB)
    mean = dot(gradient * mean, members, tl.zeros([M, HEADS], tl.float32))
    d_query = tl.zeros([M, PB], tl.float32)
    for tap in range(n_taps):
        x = neighbour_state(state, cell, tap, offsets, height, width, channels, valid, CP)
        key = dot(x, wk, tl.zeros([M, PB], tl.float32))
        value = dot(x, wv, tl.zeros([M, PB], tl.float32))
        weight = tl.exp(scores(query, key, members, position, tap, M) - normaliser)
        d_logit = dot(gradient * value, members, tl.zeros([M, HEADS], tl.float32))
        d_logit = weight * (d_logit - mean)
        store_rows(
            weights, cell, n_taps * n_heads, tap * n_heads, n_heads, valid, weight, HEADS
        )  # fmt: skip
        store_rows(
            d_logits, cell, n_taps * n_heads, tap * n_heads, n_heads, valid, d_logit, HEADS
        )  # fmt: skip
        d_query += dot(d_logit, tl.trans(members), tl.zeros([M, PB], tl.float32)) * key
    store_rows(d_qkv, cell, 3 * feature_size, 0, feature_size, valid, d_query * scale, PB)


@jit
def attention_keys_backward(
    gradient, alive, state, d_heard, d_qkv, d_state, weights, d_logits, qkv, qkv_bias, offsets,
    cells, height, width, channels, feature_size, bias_stride, n_taps, n_heads, head_size, scale,
    M: tl.constexpr, CP: tl.constexpr, PB: tl.constexpr, LIVING: tl.constexpr,
):  # fmt: skip
    """What a cell did as the one who is asked, gathered from the askers; the state's gradient."""
    cell = tl.program_id(0) * M + tl.arange(0, M)
    valid = cell < cells
    sample = cell // (height * width)
    query_bias = load_bias(qkv_bias, 0, sample, bias_stride, valid, PB)
    members = tl.trans(head_members(head_size, qkv.dtype.element_ty, PB))
    d_key = tl.zeros([M, PB], tl.float32)
    d_value = tl.zeros([M, PB], tl.float32)
    for tap in range(n_taps):
        dy = tl.load(offsets + 2 * tap)
        dx = tl.load(offsets + 2 * tap + 1)
        asker = neighbour(cell, -dy, -dx, height, width)
        stride = n_taps * n_heads
        weight = load_rows(weights, asker, stride, tap * n_heads, n_heads, valid, HEADS)
        d_logit = load_rows(d_logits, asker, stride, tap * n_heads, n_heads, valid, HEADS)
        query = queries(state, asker, channels, valid, qkv, query_bias, scale, M, CP, PB)
        heard = load_rows(d_heard, asker, feature_size, 0, feature_size, valid, PB)
        d_key += dot(d_logit, members, tl.zeros([M, PB], tl.float32)) * query
        d_value += dot(weight, members, tl.zeros([M, PB], tl.float32)) * heard
    width_of_row = 3 * feature_size
    store_rows(d_qkv, cell, width_of_row, feature_size, feature_size, valid, d_key, PB)
    store_rows(d_qkv, cell, width_of_row, 2 * feature_size, feature_size, valid, d_value, PB)
    d_query = load_rows(d_qkv, cell, width_of_row, 0, feature_size, valid, PB)
    total = load_gradient(gradient, alive, cell, channels, valid, CP, LIVING)
    total = dot(d_query, tl.trans(load_matrix(qkv, CP, PB)), total)
    total = dot(d_key, tl.trans(load_matrix(qkv + CP * PB, CP, PB)), total)
    total = dot(d_value, tl.trans(load_matrix(qkv + 2 * CP * PB, CP, PB)), total)
    store_rows(d_state, cell, channels, 0, channels, valid, total, CP)
