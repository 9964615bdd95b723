"""How alike two textures look: statistics of a network's features, not their places (§3.2, eq. 5).

Two textures are the same if patches of every kind are as frequent in both. A pretrained VGG16
(Simonyan & Zisserman 2015) says of what kind a patch is: its features at a place, a vector. What
is compared is the distribution of these vectors over all places: by sliced optimal transport
(Heitz et al. 2021; Kolouri et al. 2019), or by their second moments, Gram matrices (Gatys et al.
2015).

Canvases are tori, so convolutions wrap, and a rolled image has the same statistics (exactly so if
it is rolled by multiples of 8, since the layers shrink by that). Each layer's
difference is relative to the target's own size, so that layers count alike, and a loss of 1 means
"as far as from a black image", roughly, in any layer.
"""

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ncabook.automaton.perception import check_sizes
from ncabook.data.weights import vgg16_features

# What a unit of relu4_1 sees, in pixels.
RECEPTIVE_FIELD = 60
# torchvision's numbers in vgg16().features: relu1_1, relu2_1, relu3_1, relu4_1.
LAYERS = (1, 6, 11, 18)
CONVOLUTIONS = (0, 2, 5, 7, 10, 12, 14, 17)
POOLS = (4, 9, 16)
SHRINK = 8  # of relu4_1
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


class VGGFeatures(nn.Module):
    """The features of four layers of VGG16 on a torus.

    Shapes:
        RGB in [0, 1], ``[B, 3, H, W]`` with sides divisible by 8 → four tensors
        ``[B, channels, places]``.

    """

    def __init__(self, weights: dict[str, Tensor] | None = None) -> None:
        super().__init__()
        weights = vgg16_features() if weights is None else weights
        self.convolutions = nn.ModuleDict()
        for i in CONVOLUTIONS:
            if not {f"{i}.weight", f"{i}.bias"} <= set(weights):
                raise ValueError(f"weights of VGG16 without layer {i}; expected {CONVOLUTIONS}")
            out, into = weights[f"{i}.weight"].shape[:2]
            conv = nn.Conv2d(into, out, 3, padding=1, padding_mode="circular")
            conv.load_state_dict({k: weights[f"{i}.{k}"] for k in ("weight", "bias")})
            self.convolutions[str(i)] = conv
        self.register_buffer("mean", torch.tensor(MEAN)[:, None, None])
        self.register_buffer("std", torch.tensor(STD)[:, None, None])
        self.requires_grad_(False).to(memory_format=torch.channels_last)

    def forward(self, images: Tensor) -> list[Tensor]:
        """The features.

        Raises:
            ValueError: images that these layers cannot tell apart from smaller ones, or whose
                sides do not divide.

        """
        height, width = images.shape[-2:]
        if min(height, width) < RECEPTIVE_FIELD:
            raise ValueError(
                f"a texture of {width}×{height} is smaller than the {RECEPTIVE_FIELD} pixels that "
                "a unit of VGG16's relu4_1 sees; take a larger canvas"
            )
        if height % SHRINK or width % SHRINK:
            raise ValueError(f"a texture of {width}×{height}; expected sides divisible by {SHRINK}")
        x = ((images - self.get_buffer("mean")) / self.get_buffer("std")).contiguous(
            memory_format=torch.channels_last
        )
        features = []
        for i in range(LAYERS[-1] + 1):
            if str(i) in self.convolutions:
                x = F.relu(self.convolutions[str(i)](x))
            elif i in POOLS:
                x = F.max_pool2d(x, 2)
            if i in LAYERS:
                features.append(x.flatten(2))
        return features


class SlicedTransport:
    """Sliced optimal transport to a target's features (eq. 5).

    Along a random direction both distributions are numbers on a line, and the cheapest way from
    one to the other takes them in order. The squared distance is averaged over places and
    directions. Canvases of another size are compared at equal quantiles.

    Args:
        target: its features, ``[C, places]`` for each layer.
        projections: directions for each layer.

    """

    def __init__(self, target: list[Tensor], projections: int) -> None:
        check_sizes(projections=projections)
        self.target, self.projections = target, projections

    def __call__(self, features: list[Tensor], generator: torch.Generator) -> Tensor:
        """The distances of images' features ``[B, C, places]``, summed over layers: ``[B]``."""
        total: Any = 0.0
        for mine, wanted in zip(features, self.target, strict=True):
            directions = torch.randn(
                self.projections, mine.shape[1], generator=generator, device=mine.device
            )
            directions = F.normalize(directions, dim=1).to(mine.dtype)
            ordered = (directions @ mine).float().sort(dim=2).values
            aim = (directions @ wanted.to(mine.dtype)).float().sort(dim=1).values
            size = aim.square().mean()
            if ordered.shape[2] != aim.shape[1]:
                aim = F.interpolate(aim[None], ordered.shape[2], mode="linear")[0]
            total = total + (ordered - aim).square().mean((1, 2)) / size
        return total


class GramDifference:
    """Squared difference of Gram matrices, the older loss (Gatys et al. 2015).

    Args:
        target: its features, ``[C, places]`` for each layer.

    """

    def __init__(self, target: list[Tensor]) -> None:
        self.target = [_gram(t) for t in target]

    def __call__(self, features: list[Tensor], generator: torch.Generator | None = None) -> Tensor:
        """As for :class:`SlicedTransport`; nothing is random here."""
        total: Any = 0.0
        for mine, wanted in zip(features, self.target, strict=True):
            difference = (_gram(mine) - wanted).square().mean((1, 2))
            total = total + difference / wanted.square().mean()
        return total


def style_loss(
    target: Tensor, kind: str, projections: int, device: str = "cpu"
) -> Callable[[Tensor, torch.Generator], Tensor]:
    """A function from images ``[B, 3, H, W]`` and a generator to their distances ``[B]``.

    Args:
        target: RGB in [0, 1], ``[3, H, W]``, that fits itself at its edges.
        kind: ``transport`` or ``gram``.
        projections: of the transport.
        device: where images will be.

    Raises:
        ValueError: no such kind, or a target that is no picture of this shape.

    """
    if kind not in ("transport", "gram"):
        raise ValueError(f"style loss {kind!r}; expected transport or gram")
    if target.ndim != 3 or len(target) != 3 or not target.is_floating_point():
        raise ValueError(
            f"target of shape {list(target.shape)}, {target.dtype}; expected RGB, [3, height, "
            "width], floating-point numbers in [0, 1]"
        )
    if not bool(((target >= 0) & (target <= 1)).all()):  # nor is NaN
        low, high = float(target.min()), float(target.max())
        raise ValueError(f"target from {low:g} to {high:g}; expected RGB in [0, 1]")
    target = target.float()
    vgg = VGGFeatures().to(device)
    with torch.no_grad():
        wanted = [layer[0] for layer in vgg(target[None].to(device))]
    distance = (
        SlicedTransport(wanted, projections) if kind == "transport" else GramDifference(wanted)
    )

    def loss(images: Tensor, generator: torch.Generator) -> Tensor:
        return distance(vgg(images), generator)

    return loss


def _gram(features: Tensor) -> Tensor:
    """``[..., C, places]`` → ``[..., C, C]``."""
    features = features.float()
    with torch.autocast(features.device.type, enabled=False):
        return features @ features.transpose(-1, -2) / features.shape[-1]
