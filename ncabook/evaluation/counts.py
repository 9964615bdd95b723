"""What one step of an automaton is, counted: operations, bytes moved, numbers kept.

The first count is by hand, from the layers' sizes; tests hold it against PyTorch's counter. The
others watch a step run.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from ncabook.automaton import (
    NCA,
    AttentionBlock,
    ConvPerception,
    LocalAttention,
    MLPUpdate,
    MultiPerception,
    Perception,
    ResidualPerception,
    ResNetUpdate,
    SobelPerception,
    Update,
)
from ncabook.automaton.known import check_unchanged
from ncabook.networks import LocalDecoder

FLOAT = 4  # bytes


def flops_per_cell(nca: NCA) -> int:
    """Floating-point operations of one step in one cell: twice its multiply-adds.

    Counted are the convolutions, linear layers and the attention's sums of products. Left out
    are activations, masks and norms, some ten operations per number and far fewer in all, and the
    condition, whose share is computed once per rollout.

    Raises:
        TypeError: a perception or update that is derived or changed, or not counted here
            (deformable convolution gathers its inputs; its operations say little about its time).

    """
    check_unchanged(nca, "flops_per_cell")
    return 2 * (_perception(nca.perception) + _update(nca.update))


def flops_per_point(decoder: LocalDecoder) -> int:
    """Floating-point operations of one point that is decoded: twice its multiply-adds.

    Counted are the interpolation between four cells and the linear layers; left out are sines,
    two for each unit of a hidden layer and eight for the place.
    """
    layers = _linear(decoder.first, decoder.second, decoder.last)
    return 2 * (4 * decoder.state_channels + layers)


def _linear(*layers: nn.Linear) -> int:
    return sum(layer.in_features * layer.out_features for layer in layers)


def _perception(module: Perception) -> int:
    """Multiply-adds per cell."""
    channels = module.state_channels
    if isinstance(module, ConvPerception):
        height, width = module.conv.kernel_size
        return channels * height * width * module.out_channels
    if isinstance(module, SobelPerception):
        return channels * module.bank.numel()
    if isinstance(module, ResidualPerception):
        return sum(_perception(m) for m in (module.first, module.second, module.shortcut))
    if isinstance(module, MultiPerception):
        return sum(_perception(branch) for branch in module.branches)
    if isinstance(module, LocalAttention | AttentionBlock):
        embedding = module.projection.in_features
        neighbours = (2 * module.reach + 1) ** 2
        # Queries, keys and values; a logit and a weighted value for each neighbour; projection.
        total = channels * 3 * embedding + 2 * neighbours * embedding
        total += _linear(module.projection)
        if isinstance(module, AttentionBlock):
            total += channels * module.out_channels + _linear(module.widen, module.narrow)
        return total
    raise TypeError(f"flops_per_cell knows no {type(module).__name__}")


def _update(module: Update) -> int:
    if isinstance(module, MLPUpdate):
        return _linear(*module.layers)
    if isinstance(module, ResNetUpdate):
        inner = sum(_linear(first, second) for first, second in module.blocks)
        return _linear(module.first, module.last) + inner
    raise TypeError(f"flops_per_cell knows no {type(module).__name__}")


class Traffic(NamedTuple):
    """What a function asks PyTorch to do."""

    operations: int
    bytes: int  # read and written, if no tensor stays in a cache between operations


class _Watch(TorchDispatchMode):
    def __init__(self) -> None:
        super().__init__()
        self.operations = self.bytes = 0

    def __torch_dispatch__(
        self,
        func: Any,
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        out = func(*args, **(kwargs or {}))
        outputs = [t for t in tree_leaves(out) if isinstance(t, Tensor)]
        inputs = [t for t in tree_leaves((args, kwargs)) if isinstance(t, Tensor)]
        given = {t.untyped_storage().data_ptr() for t in inputs}
        is_view = not func._schema.is_mutable and any(
            t.untyped_storage().data_ptr() in given for t in outputs
        )
        if not is_view and not func._schema.name.startswith("aten::empty"):
            self.operations += 1
            self.bytes += sum(t.numel() * t.element_size() for t in inputs + outputs)
        return out


def traffic(function: Callable[[], Any]) -> Traffic:
    """Counts operations and the bytes of their operands; views move nothing and do not count."""
    with _Watch() as watch:
        function()
    return Traffic(watch.operations, watch.bytes)


def saved_floats_per_cell_step(
    nca: NCA,
    step: Callable[[Tensor], Tensor] | None = None,
    *,
    size: int = 32,
    batch: int = 1,
) -> float:
    """Numbers of four bytes that autograd keeps for the backward pass of one step, per cell.

    Storages are counted once, however many views of them are kept; the parameters, which exist
    anyway, are not counted.

    Args:
        nca: the automaton; its parameters are left out.
        step: from state to state, ``[B, C, H, W]``; ``nca.step`` if not given.
        size: side of the grid.
        batch: states.

    """
    if step is None:
        step = nca.step
    parameters = {p.untyped_storage().data_ptr() for p in nca.parameters()}
    kept: dict[int, Tensor] = {}  # holding the tensors keeps addresses from being used twice

    def pack(tensor: Tensor) -> Tensor:
        address = tensor.untyped_storage().data_ptr()
        if address not in parameters:
            kept[address] = tensor
        return tensor

    shape = (batch, nca.layout.channels, size, size)
    like = next(nca.parameters())
    state = torch.rand(shape, dtype=like.dtype, device=like.device)
    state = state.contiguous(memory_format=torch.channels_last).requires_grad_()
    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        after = step(state)
    total = sum(tensor.untyped_storage().nbytes() for tensor in kept.values())
    assert after.requires_grad
    return total / FLOAT / (batch * size * size)
