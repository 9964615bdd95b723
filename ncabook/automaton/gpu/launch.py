"""Launches of the forward kernels, and what all launches share."""

import torch
import triton  # pyright: ignore[reportMissingImports] on Linux only
from torch import Tensor

from ncabook.automaton.gpu import attention_kernels, kernels
from ncabook.automaton.gpu.packing import Packed

TILE = 64
"""Cells per program: the rows of a Hopper matrix instruction."""


def tiles(state: Tensor) -> tuple[int]:
    """One program per tile of the cells of ``[B, H, W, C]``."""
    return (triton.cdiv(state.shape[:3].numel(), TILE),)


def grid(state: Tensor) -> tuple[int, int, int, int]:
    """(cells, height, width, channels) of ``[B, H, W, C]``."""
    batch, height, width, channels = state.shape
    return batch * height * width, height, width, channels


def sample_stride(x: Tensor) -> int:
    """Numbers from one sample to the next, 0 if all share one."""
    return 0 if len(x) == 1 else x[0].numel()


def options(packed: Packed) -> dict[str, int]:
    """Warps per program and depth of the software pipeline.

    Eight warps, because with four the compiler spills registers to memory; no pipeline where
    it would not fit into registers (attention) or shared memory (float32).
    """
    shallow = packed.heads > 0 or packed.compute[0].dtype == torch.float32
    return {"num_warps": 8, "num_stages": 1 if shallow else 2}


def sizes(packed: Packed) -> dict[str, int]:
    """The padded sizes: of a state, and of a block of features."""
    return {"M": TILE, "CP": packed.compute[-1].shape[0], "PB": packed.compute[-4].shape[1]}


def head_size(packed: Packed) -> tuple[int, float]:
    """A head's channels and the factor of its queries."""
    size = packed.features // packed.heads
    return size, size**-0.5


def forward(
    packed: Packed,
    state: Tensor,
    fire: Tensor,
    after: Tensor | None = None,
    kept: tuple[Tensor, ...] = (),
) -> None:
    """Fills ``after`` ``[B, H, W, C]``, without the living mask; or, for the backward pass,
    ``kept`` instead: (heard,) features, hidden, each ``[cells, its size]``.
    """
    # A kernel never touches the pointers of the case that it was not compiled for.
    after = state if after is None else after
    filled = kept or (state,) * (3 if packed.heads else 2)
    kernel = attention_kernels.attention_forward if packed.heads else kernels.conv_forward
    tables = (packed.offsets,) if packed.heads else (packed.offsets, packed.blocks)
    tail = (
        (len(packed.offsets), *head_size(packed)) if packed.heads else (len(packed.blocks),)
    )  # fmt: skip
    kernel[tiles(state)](
        state, fire, after, *filled, *packed.compute, *tables, *grid(state), packed.features,
        packed.hidden, sample_stride(packed.compute[1]), sample_stride(fire), *tail,
        KEEP=bool(kept), HP=packed.compute[-3].shape[0], **sizes(packed), **options(packed),
    )  # fmt: skip


def living_mask(packed: Packed, state: Tensor, after: Tensor) -> tuple[Tensor, Tensor]:
    """``after`` where the living mask is on, and the mask, uint8 ``[B, H, W]``."""
    assert packed.living is not None
    result = torch.empty_like(state)
    alive = state.new_empty(state.shape[:3], dtype=torch.uint8)
    kernels.living_mask[tiles(state)](
        state, after, result, alive, *grid(state), *packed.living, M=TILE, CP=sizes(packed)["CP"]
    )
    return result, alive
