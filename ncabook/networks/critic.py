"""A critic of pictures: how real each patch looks, as one number without bounds.

Convolutions only, without batch norm: the gradient penalty of WGAN-GP is one sample's own, and
batch norm would let the others of a batch into it (Gulrajani et al. 2017, §4).
"""

from itertools import pairwise

import torch
from torch import Tensor, nn

SLOPE = 0.2  # of LeakyReLU


class PatchCritic(nn.Module):
    """4×4 convolutions of stride 2, then one of 3×3 to a score for each patch.

    Args:
        channels: of a picture.
        context: channels of what is known beside it, such as the class on planes, or a drawing; the
            critic judges both together (Mirza and Osindero 2014).
        widths: of the convolutions; each halves the picture's sides.

    Shapes:
        picture ``[B, channels, H, W]``, context ``[B, context, H, W]`` or ``[B, context]`` (the
        same at every pixel), or None if there is none → ``[B, 1, H / 2ⁿ, W / 2ⁿ]``.

    """

    def __init__(self, channels: int, context: int, widths: list[int]) -> None:
        super().__init__()
        self.context = context
        layers: list[nn.Module] = []
        for a, b in pairwise((channels + context, *widths)):
            layers += [nn.Conv2d(a, b, 4, stride=2, padding=1), nn.LeakyReLU(SLOPE)]
        self.layers = nn.Sequential(*layers, nn.Conv2d(widths[-1], 1, 3, padding=1))

    def forward(self, picture: Tensor, context: Tensor | None = None) -> Tensor:
        """A score for each patch: the higher, the more real it looks.

        Raises:
            ValueError: there is a context and none is given, or the other way round.

        """
        given = 0 if context is None else context.shape[1]
        if given != self.context:
            raise ValueError(f"a context of {given} channels; expected {self.context}")
        if context is not None:
            if context.ndim == 2:
                context = context[:, :, None, None].expand(-1, -1, *picture.shape[2:])
            picture = torch.cat([picture, context], dim=1)
        return self.layers(picture)
