"""The backward pass of one fused step: recompute, go back cell by cell, sum over cells.

Every buffer holds the type of the products and is dropped when the step is done. Nothing is
added up by atomics: the state's gradient is gathered, and a matrix's is summed in parts of
fixed size which are then added in a fixed order.
"""

import torch
import triton  # pyright: ignore[reportMissingImports] on Linux only
from torch import Tensor

from ncabook.automaton.gpu import attention_kernels, kernels, launch
from ncabook.automaton.gpu.launch import grid, sample_stride, sizes, tiles
from ncabook.automaton.gpu.packing import Packed, padded

PROGRAMS = 264
"""How many programs should share a sum over cells: two for each of an H100's processors."""


class Backward:
    """Gradients of one step.

    Args:
        packed: the automaton.
        gradient: of the step's result, ``[B, H, W, C]``.
        state: before the step, the same shape.
        fire: uint8 ``[1 or B, 1, H, W]``.
        alive: uint8 ``[B, H, W]``, or None without a living mask.

    """

    def __init__(
        self, packed: Packed, gradient: Tensor, state: Tensor, fire: Tensor, alive: Tensor | None
    ) -> None:
        self.packed, self.state, self.fire = packed, state, fire
        self.options = launch.options(packed)
        self.living = {"LIVING": alive is not None}
        # What arrives; the mask's place is filled with any pointer where there is no mask.
        self.arriving = (gradient, fire if alive is None else alive)
        self.heard: tuple[Tensor, ...] = (self._buffer(packed.features),) if packed.heads else ()
        self.features = self._buffer(packed.features)
        self.hidden = self._buffer(packed.hidden)
        launch.forward(packed, state, fire, kept=(*self.heard, self.features, self.hidden))
        self.d_change = self._buffer(packed.channels)
        self.d_hidden, self.d_features = map(torch.empty_like, (self.hidden, self.features))
        self._through_update()

    def run(self, need_state: bool, need_learned: bool) -> tuple[Tensor | None, list]:
        """Gradients of the state and of ``packed.learned``, None for those not needed."""
        perceive = self._through_attention if self.packed.heads else self._through_convolutions
        d_state, d_perception = perceive(need_state, need_learned)
        if not need_learned:
            return d_state, [None] * len(self.packed.learned)
        first, last = self.packed.entries[-2:]
        d_w1, d_b1 = self._sum(self.features, self.d_hidden, first)
        d_w2, d_b2 = self._sum(self.hidden, self.d_change, last)
        return d_state, [*d_perception, d_w1, d_b1[:, 0].sum(0), d_w2[0], d_b2[:, 0].sum(0)]

    def _buffer(self, columns: int) -> Tensor:
        dtype = self.packed.compute[0].dtype
        return self.state.new_empty(self.state.shape[:3].numel(), columns, dtype=dtype)

    def _through_update(self) -> None:
        packed = self.packed
        cells, height, width, channels = grid(self.state)
        kernels.mlp_backward[tiles(self.state)](
            *self.arriving, self.fire, self.features, self.hidden, self.d_change, self.d_hidden,
            self.d_features, packed.compute[-4], packed.compute[-2], packed.blocks, cells,
            height * width, channels, packed.features, packed.hidden, sample_stride(self.fire),
            len(packed.blocks), HP=padded(packed.hidden), **sizes(packed), **self.living,
            **self.options,
        )  # fmt: skip

    def _through_convolutions(self, need_state: bool, need_learned: bool) -> tuple:
        packed, d_state, d_learned = self.packed, None, []
        if need_state:
            d_state = torch.empty_like(self.state)
            kernels.conv_backward[tiles(self.state)](
                *self.arriving, self.d_features, d_state, packed.compute[0], packed.offsets,
                packed.blocks, *grid(self.state), packed.features, len(packed.blocks),
                **sizes(packed), **self.living, **self.options,
            )  # fmt: skip
        if need_learned:
            d_taps, d_bias = self._sum(self.state, self.d_features, packed.entries[0])
            # Every tap of a block came with the same sum; its first tap's is taken.
            d_bias = d_bias.index_select(1, packed.blocks[:, 0])
            d_learned = [d_taps, _as(d_bias, packed.learned[1])]
        return d_state, d_learned

    def _through_attention(self, need_state: bool, need_learned: bool) -> tuple:
        packed, d_learned = self.packed, []
        heard, taps, heads = self.heard[0], len(packed.offsets), packed.heads
        d_heard, d_qkv = torch.empty_like(heard), self._buffer(3 * packed.features)
        weights, d_logits = self._buffer(taps * heads), self._buffer(taps * heads)
        d_state = torch.empty_like(self.state)
        shape = (
            *grid(self.state), packed.features, sample_stride(packed.compute[1]), taps, heads,
            *launch.head_size(packed),
        )  # fmt: skip
        attention_kernels.attention_queries_backward[tiles(self.state)](
            self.state, heard, self.d_features, d_heard, d_qkv, weights, d_logits,
            *packed.compute[:4], packed.offsets, *shape, **sizes(packed), **self.options,
        )  # fmt: skip
        attention_kernels.attention_keys_backward[tiles(self.state)](
            *self.arriving, self.state, d_heard, d_qkv, d_state, weights, d_logits,
            *packed.compute[:2], packed.offsets, *shape, **sizes(packed), **self.living,
            **self.options,
        )  # fmt: skip
        if need_learned:
            perceived, projected = packed.entries[:2]
            d_matrices, d_bias = self._sum(self.state, d_qkv, perceived)
            d_position = d_logits.sum(0, dtype=torch.float32).view(taps, heads)
            d_position = torch.nn.functional.pad(
                d_position, (0, packed.learned[2].shape[1] - heads)
            )
            d_projection, d_projection_bias = self._sum(heard, self.d_features, projected)
            d_learned = [d_matrices, _as(d_bias, packed.learned[1]), d_position, d_projection]
            d_learned.append(_as(d_projection_bias, packed.learned[4]))
        return (d_state if need_state else None), d_learned

    def _sum(self, a: Tensor, b: Tensor, entries: Tensor) -> tuple[Tensor, Tensor]:
        """``[entries, KA, KB]``, Σ aᵀ b over all cells, and ``[B, entries, KB]``, Σ b."""
        packed = self.packed
        batch, height, width, _ = self.state.shape
        known = sizes(packed)
        side = {
            id(self.state): known["CP"],
            id(self.hidden): padded(packed.hidden),
            id(self.d_hidden): padded(packed.hidden),
            id(self.d_change): known["CP"],
        }
        rows, columns = (side.get(id(x), known["PB"]) for x in (a, b))
        wanted = triton.cdiv(PROGRAMS, len(entries) * batch)
        tile = launch.TILE
        cells = tile * triton.cdiv(height * width, tile * wanted)
        splits = triton.cdiv(height * width, cells)
        shape = (batch * splits, len(entries))
        products = self.state.new_empty(*shape, rows, columns)
        totals = self.state.new_empty(*shape, columns)
        kernels.outer_products[(shape[1], shape[0])](
            a, b, products, totals, entries, height, width, a.shape[-1], b.shape[-1], cells,
            splits, M=tile, KA=rows, KB=columns, **self.options,
        )  # fmt: skip
        return products.sum(0), totals.view(batch, splits, *totals.shape[1:]).sum(1)


def _as(per_sample: Tensor, bias: Tensor) -> Tensor:
    """Added up over samples where they share one bias."""
    return per_sample if len(bias) > 1 else per_sample.sum(0, keepdim=True)
