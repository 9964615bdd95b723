"""The textbook step: every formula written out once, slowly, to compare faster code with.

Float32 ``[batch, channel, height, width]`` tensors, the condition spread over the grid and
concatenated at every step, plain PyTorch functions, no in-place operation: what most published
code does. It reads the parameters of an :class:`~ncabook.automaton.NCA` and calls none
of its methods, so that a mistake there shows here. In float64 it is the tests' yardstick; in
float32 it is what the benchmarks call "reference".
"""

from itertools import product

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ncabook.automaton import (
    NCA,
    AttentionBlock,
    ChannelLayout,
    ConvPerception,
    DeformablePerception,
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

SLOPE = 0.2


def reference_step(
    nca: NCA, state: Tensor, condition: Tensor | None = None, fire: Tensor | None = None
) -> Tensor:
    """One step, ``s' = (s + m ⊙ U(P([s, c]))) ⊙ M``, of parts as the package makes them.

    Args:
        nca: whose parameters to use.
        state: ``[B, C, H, W]``.
        condition: ``[B, D]`` or ``[B, D, H, W]``.
        fire: bool ``[1 or B, 1, H, W]``; every cell fires if not given.

    Raises:
        TypeError: a part that is derived or changed, or unknown.

    """
    check_unchanged(nca, "reference_step")
    x = state
    if condition is not None:
        if condition.ndim == 2:
            condition = condition[:, :, None, None].expand(-1, -1, *state.shape[2:])
        x = torch.cat([state, condition], dim=1)
    change = _update(nca.update, _perceive(nca.perception, x))
    if nca.layout.fixed:
        change = torch.cat([torch.zeros_like(state[:, : nca.layout.fixed]), change], dim=1)
    after = state + (change if fire is None else change * fire)
    if nca.living_threshold is None:
        return after
    alive = _living(nca.layout, state, nca.living_threshold)
    alive = alive & _living(nca.layout, after, nca.living_threshold)
    if not nca.layout.fixed:
        return after * alive
    inputs, rest = after.tensor_split([nca.layout.fixed], dim=1)
    return torch.cat([inputs, rest * alive], dim=1)  # inputs are never written


def reference_rollout(
    nca: NCA, state: Tensor, fires: list[Tensor], condition: Tensor | None = None
) -> Tensor:
    """One :func:`reference_step` per fire mask."""
    for fire in fires:
        state = reference_step(nca, state, condition, fire)
    return state


def _wrap(x: Tensor, reach: int) -> Tensor:
    return F.pad(x, (reach, reach, reach, reach), mode="circular")


def _living(layout: ChannelLayout, state: Tensor, threshold: float) -> Tensor:
    value = state[:, layout.fixed + 3 if layout.visible else 0, None]  # alpha, or the input
    return F.max_pool2d(_wrap(value, 1), 3, stride=1) > threshold


def _dense(layer: nn.Linear, x: Tensor) -> Tensor:
    return F.conv2d(x, layer.weight[:, :, None, None], layer.bias)


def _norm(layer: nn.LayerNorm, x: Tensor) -> Tensor:
    mean = x.mean(1, keepdim=True)
    variance = ((x - mean) ** 2).mean(1, keepdim=True)
    x = (x - mean) / (variance + layer.eps).sqrt()
    return x * layer.weight[:, None, None] + layer.bias[:, None, None]


def _conv(perception: ConvPerception, x: Tensor) -> Tensor:
    conv = perception.conv
    return F.conv2d(_wrap(x, perception.reach), conv.weight, conv.bias, dilation=conv.dilation)


def _attend(perception: LocalAttention | AttentionBlock, x: Tensor) -> Tensor:
    """Keys and values unfolded into patches, as the authors' code does."""
    module = perception.attention
    batch, _, height, width = x.shape
    query, key, value = _dense(module.qkv, x).chunk(3, dim=1)
    side = 2 * module.reach + 1
    patches = [
        F.unfold(_wrap(t, module.reach), side).view(batch, module.heads, -1, side**2, height, width)
        for t in (key, value)
    ]
    query = query.view(batch, module.heads, -1, 1, height, width)
    logits = (query * patches[0]).sum(2) / query.shape[2] ** 0.5
    logits = logits + module.position[None, :, :, None, None]
    heard = (logits.softmax(2)[:, :, None] * patches[1]).sum(3)
    return heard.reshape(batch, -1, height, width)


def _deform(perception: DeformablePerception, x: Tensor) -> Tensor:
    """Offsets wrap: around the input lie as many turns of the torus as the longest one needs."""
    from torchvision.ops import deform_conv2d  # slow to import, and few need it

    height, width = x.shape[-2:]
    reach = perception.reach
    offset = _conv(perception.offset, x)
    turns = 1 + int(offset.abs().max() + reach) // min(height, width)
    copies = (1, 1, 2 * turns + 1, 2 * turns + 1)
    weight = 2 * torch.sigmoid(_conv(perception.modulator, x))
    features = deform_conv2d(
        x.repeat(copies),
        offset.repeat(copies),
        perception.conv.weight,
        padding=(reach, reach),
        mask=weight.repeat(copies),
    )
    top, left = turns * height, turns * width
    return features[:, :, top : top + height, left : left + width]


def _perceive(perception: Perception, x: Tensor) -> Tensor:
    if isinstance(perception, ConvPerception):
        return F.leaky_relu(_conv(perception, x), SLOPE)
    if isinstance(perception, SobelPerception):
        padded = _wrap(x, 1)
        height, width = x.shape[-2:]
        features = []
        for kernel in perception.bank:
            total = torch.zeros_like(x)
            for dy, dx in product(range(3), range(3)):
                total = total + kernel[dy, dx] * padded[..., dy : dy + height, dx : dx + width]
            features.append(total)
        return torch.cat(features, dim=1)
    if isinstance(perception, ResidualPerception):
        inner = _conv(perception.second, F.relu(_conv(perception.first, x)))
        return F.relu(inner + _conv(perception.shortcut, x))
    if isinstance(perception, MultiPerception):
        return torch.cat([_perceive(branch, x) for branch in perception.branches], dim=1)
    if isinstance(perception, DeformablePerception):
        return F.leaky_relu(_deform(perception, x), SLOPE)
    if isinstance(perception, LocalAttention):
        return F.leaky_relu(_dense(perception.projection, _attend(perception, x)), SLOPE)
    if isinstance(perception, AttentionBlock):
        y = _dense(perception.projection, _attend(perception, x))
        y = _norm(perception.norm, y + _dense(perception.shortcut, x))
        wide = F.gelu(_dense(perception.widen, y))
        y = _norm(perception.last_norm, y + _dense(perception.narrow, wide))
        return F.leaky_relu(y, SLOPE)
    raise TypeError(f"reference_step knows no {type(perception).__name__}")


def _update(update: Update, x: Tensor) -> Tensor:
    if isinstance(update, MLPUpdate):
        for layer in update.layers[:-1]:
            x = _dense(layer, x)
            x = F.relu(x) if update.activation == "relu" else F.leaky_relu(x, SLOPE)
        return _dense(update.layers[-1], x)
    if isinstance(update, ResNetUpdate):
        x = _dense(update.first, x)
        for first, second in update.blocks:
            x = F.leaky_relu(x + _dense(second, F.leaky_relu(_dense(first, x), SLOPE)), SLOPE)
        return _dense(update.last, x)
    raise TypeError(f"reference_step knows no {type(update).__name__}")
