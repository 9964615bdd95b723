"""Which photograph does a grown texture look like? Asked of features that no training used.

A canvas is compared with many photographs, its target among them. Its *rank* is the number of
photographs that are at least as near as the target, so that 1 is the best. Features are AlexNet's,
of its five convolutional layers the mean and the standard deviation of each channel over the
picture, each divided by its deviation over the photographs. Textures are trained with VGG16's.
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ncabook.data.texture import texture
from ncabook.data.textures import many_photographs
from ncabook.evaluation.perceptual import layers


@dataclass(frozen=True)
class Gallery:
    """Photographs to choose from.

    Attributes:
        names: one each.
        features: ``[N, F]``, of :func:`texture_features`.

    """

    names: tuple[str, ...]
    features: Tensor

    def ranks(self, images: Tensor, target: Tensor, name: str) -> dict[str, Any]:
        """How near canvases are to their target, beside all photographs of other names.

        Args:
            images: canvases, RGB in [0, 1], ``[N, 3, H, W]``.
            target: what they should look like, RGB in [0, 1], ``[3, H, W]``.
            name: of the target.

        Returns:
            ``ranks`` of the canvases, the names of the ``nearest``, and the number they are ``of``.

        """
        others = [at for at, other in enumerate(self.names) if other != name]
        known = torch.cat([texture_features(target[None]), self.features[others]])
        names = [name, *(self.names[at] for at in others)]
        unit = self.features.std(0).clamp_min(1e-6)
        distances = torch.cdist(texture_features(images) / unit, known / unit)
        ranks = (distances <= distances[:, :1]).sum(1)
        return {
            "ranks": ranks.tolist(),
            "nearest": [names[at] for at in distances.argmin(1).tolist()],
            "of": len(names),
        }


def gallery(size: int) -> Gallery:
    """The photographs of DTD that the book knows, as textures of ``size`` × ``size`` pixels.

    Raises:
        DataUnavailableError: the photographs are neither here nor can be downloaded.
        ValueError: one is smaller than ``size``.

    """
    photographs = many_photographs()
    paths = [photographs.fetch(file) for file in photographs.files]
    pictures = torch.stack([texture(str(path), size) for path in paths])
    return Gallery(tuple(path.stem for path in paths), texture_features(pictures))


def texture_features(images: Tensor) -> Tensor:
    """Means and deviations of AlexNet's channels, ``[N, 2304]``.

    Args:
        images: RGB, ``[N, 3, H, W]``; clamped to [0, 1] here.

    """
    found = []
    for layer in layers(images.clamp(0, 1)):
        found += [layer.mean((2, 3)), layer.std((2, 3))]
    return torch.cat(found, 1)
