"""Training losses. All take a batch and return one number."""

import torch.nn.functional as F
from torch import Tensor

from ncabook.automaton import ChannelLayout


def visible_mse(state: Tensor, target: Tensor, layout: ChannelLayout) -> Tensor:
    """Mean squared difference of the visible channels and ``target`` ``[B, visible, H, W]``."""
    return _difference(state, target, layout).square().mean()


def visible_l1(state: Tensor, target: Tensor, layout: ChannelLayout) -> Tensor:
    """Mean absolute difference of the visible channels and ``target`` ``[B, visible, H, W]``."""
    return _difference(state, target, layout).abs().mean()


def _difference(state: Tensor, target: Tensor, layout: ChannelLayout) -> Tensor:
    visible = state[:, layout.visible_slice]
    if visible.shape != target.shape:
        raise ValueError(
            f"target of shape {list(target.shape)}; expected {list(visible.shape)}, as the state"
        )
    return visible - target


def overflow(
    state: Tensor, layout: ChannelLayout, seen: tuple[float, float] = (0.0, 1.0)
) -> Tensor:
    """How far values leave their range (eq. 6): visible ones [0, 1], hidden ones [−1, 1].

    The mean distance over the visible channels plus that over the others, class channels
    included. Without it these may grow without bound while the image still looks right, or the
    votes: a cross-entropy never has enough of the right class.

    Args:
        state: ``[B, C, H, W]``.
        layout: of its channels.
        seen: the range of visible channels that are no colours.

    """
    loss = state.new_zeros(())
    if layout.visible:
        visible = state[:, layout.visible_slice]
        loss = loss + (visible - visible.clamp(*seen)).abs().mean()
    if layout.hidden or layout.classes:
        others = state[:, layout.fixed + layout.visible :]
        loss = loss + (others - others.clamp(-1, 1)).abs().mean()
    return loss


def class_mse(state: Tensor, classes: Tensor, layout: ChannelLayout, voters: Tensor) -> Tensor:
    """Mean squared difference of every voter's class channels from one-hot ``classes`` (eq. 7).

    Args:
        state: ``[B, C, H, W]``.
        classes: ``[B]``.
        layout: says where the class channels are.
        voters: bool ``[B, 1, H, W]``, the cells that count; their mean is taken over the batch.

    """
    votes = _votes(state, voters, layout)
    wanted = F.one_hot(classes, layout.classes).to(votes.dtype)[_owners(voters)]
    return (votes - wanted).square().mean()


def class_cross_entropy(
    state: Tensor, classes: Tensor, layout: ChannelLayout, voters: Tensor
) -> Tensor:
    """Mean cross-entropy of every voter's class channels, taken as logits (eq. 8).

    Arguments as for :func:`class_mse`.
    """
    votes = _votes(state, voters, layout)
    return F.cross_entropy(votes, classes[_owners(voters)])


def _votes(state: Tensor, voters: Tensor, layout: ChannelLayout) -> Tensor:
    """``[n, classes]``: the class channels of the cells that count."""
    if not layout.classes:
        raise ValueError("this layout has no class channels; expected ChannelLayout(classes=…)")
    votes = state[:, layout.class_slice].permute(0, 2, 3, 1)[voters[:, 0]]
    if not len(votes):
        raise ValueError("no cell counts; expected at least one voter in the batch")
    return votes


def _owners(voters: Tensor) -> Tensor:
    """Each voter's sample, ``[n]``, in the order of :func:`_votes`."""
    return voters[:, 0].nonzero()[:, 0]
