"""Training losses. All take a batch and return one number."""

from torch import Tensor

from ncabook.automaton import ChannelLayout


def visible_mse(state: Tensor, target: Tensor, layout: ChannelLayout) -> Tensor:
    """Mean squared difference of the visible channels and ``target`` ``[B, visible, H, W]``."""
    visible = state[:, layout.visible_slice]
    if visible.shape != target.shape:
        raise ValueError(
            f"target of shape {list(target.shape)}; expected {list(visible.shape)}, as the state"
        )
    return (visible - target).square().mean()


def overflow(state: Tensor, layout: ChannelLayout) -> Tensor:
    """How far values leave their range (eq. 6): visible ones [0, 1], hidden ones [−1, 1].

    The mean distance over the visible channels plus that over the hidden ones. Without it
    hidden channels may grow without bound while the image still looks right.
    """
    visible = state[:, layout.visible_slice]
    hidden = state[:, layout.hidden_slice]
    loss = (visible - visible.clamp(0, 1)).abs().mean()
    if layout.hidden:
        loss = loss + (hidden - hidden.clamp(-1, 1)).abs().mean()
    return loss
