"""Perception that chooses where it looks: modulated deformable convolution on the torus."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ncabook.automaton.contract import Perception, check_condition
from ncabook.automaton.perception import LEAKY_SLOPE, ConvPerception, circular_pad, reach_of


class DeformablePerception(Perception):
    """A k×k convolution whose every tap moves and is weighed, cell by cell (§2.1, iv).

    Modulated deformable convolution (Zhu et al. 2019, "DCNv2"): one convolution predicts an
    offset (Δy, Δx) for each of the k² taps, another a weight 2·sigmoid(·); both start at zero,
    where the whole is an ordinary convolution. Then LeakyReLU(0.2). Offsets wrap around the
    torus, so they need no bound; the authors' code clamps them to a quarter of the grid
    and reads zeros beyond the padding.

    Shapes:
        state ``[B, state_channels, H, W]`` → features ``[B, out_channels, H, W]``.
    """

    def __init__(
        self,
        state_channels: int,
        out_channels: int,
        kernel_size: int = 3,
        condition_channels: int = 0,
    ) -> None:
        super().__init__(
            state_channels,
            out_channels,
            reach=reach_of(kernel_size),
            condition_channels=condition_channels,
        )
        channels, taps = state_channels + condition_channels, kernel_size**2
        self.offset = ConvPerception(channels, 2 * taps, kernel_size)
        self.modulator = ConvPerception(channels, taps, kernel_size)
        for part in (self.offset, self.modulator):
            nn.init.zeros_(part.conv.weight)
            nn.init.zeros_(part.bias)
        self.conv = nn.Conv2d(channels, out_channels, kernel_size, bias=False)

    def encode(self, condition: Tensor | None) -> Tensor | None:
        """The condition as a map ``[B, D, 1 or H, 1 or W]``: moving taps leave nothing to fold."""
        condition = check_condition(condition, self.condition_channels)
        if condition is not None and condition.ndim == 2:
            return condition[:, :, None, None]
        return condition

    def forward(self, state: Tensor, encoded: Tensor | None = None) -> Tensor:
        """Features of every cell; ``encoded`` is what :meth:`encode` returned."""
        from torchvision.ops import deform_conv2d  # slow to import, and few need it

        x = state
        if encoded is not None:
            x = torch.cat([state, encoded.expand(-1, -1, *state.shape[2:])], dim=1)
        weights = 2 * torch.sigmoid(self.modulator.linear(x))
        offsets = self._wrap(self.offset.linear(x))
        # torchvision's kernel takes one dtype; float32 unless the model itself is wider.
        dtype = self.conv.weight.dtype
        with torch.autocast(x.device.type, enabled=False):
            features = deform_conv2d(
                circular_pad(x, self.reach).contiguous().to(dtype),
                offsets.contiguous().to(dtype),
                self.conv.weight,
                mask=weights.contiguous().to(dtype),
            )
        return F.leaky_relu_(features, LEAKY_SLOPE)

    def _wrap(self, offsets: Tensor) -> Tensor:
        """Adds whole turns of the torus, so that every tap lands inside the padded grid."""
        height, width = offsets.shape[-2:]
        side = 2 * self.reach + 1
        taps = torch.arange(-self.reach, self.reach + 1, device=offsets.device)
        rows = torch.arange(height, device=offsets.device)[:, None]
        columns = torch.arange(width, device=offsets.device)[None, :]
        base = torch.stack(
            [
                (rows + taps.repeat_interleave(side)[:, None, None]).expand(-1, -1, width),
                (columns + taps.repeat(side)[:, None, None]).expand(-1, height, -1),
            ],
            dim=1,
        ).flatten(0, 1)
        size = torch.tensor([height, width], device=offsets.device).repeat(side**2)[:, None, None]
        turns = torch.floor((base + offsets.detach()) / size)
        return offsets - turns * size
