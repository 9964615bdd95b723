"""Digits from a seed whose colour says which (§A.5).

One living cell in the middle of an empty grid has the colour of a class, and nothing else tells
the cells what they are to become. The picture is ink in that colour, premultiplied RGBA, with the
ink as alpha. Numbers at random in the seed's hidden channels can decide which of a class's many
digits it becomes; a loss that compares each picture with some digit makes them all their mean.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from ncabook.automaton import NCA, ChannelLayout, centre_seed
from ncabook.data.colors import class_colors
from ncabook.training.adversarial import AdversarialLearner
from ncabook.training.adversarial_config import DigitsConfig
from ncabook.training.pool import Sample
from ncabook.training.tracking import Tracking

CLASSES = 10
NONE = CLASSES  # in place of a class: a white seed


class DigitsLearner(AdversarialLearner):
    """Trains an automaton to grow digits from coloured seeds.

    Args:
        nca: trained in place; RGBA and hidden channels, and no condition.
        images: uint8 ``[N, 1, h, w]``.
        labels: int64 ``[N]``.
        config: the ``training`` part of an experiment.
        seed: everything random follows from it.
        device: where to train.
        tracker: where the curves go; None draws none.
        padding: empty cells around a digit.

    """

    config: DigitsConfig

    def __init__(
        self,
        nca: NCA,
        images: Tensor,
        labels: Tensor,
        config: DigitsConfig,
        seed: int,
        device: str = "cpu",
        tracker: Tracking | None = None,
        padding: int = 0,
    ) -> None:
        height, width = (side + 2 * padding for side in images.shape[-2:])
        super().__init__(nca, (height, width), config, seed, device, tracker, context=CLASSES)
        self.images, self.labels = images.to(self.device), labels.to(self.device)
        self.padding = padding

    def fresh(self, count: int) -> Sample:
        """Seeds in the colours of digits drawn at random; some are white, whatever the digit."""
        random = {"generator": self.generator, "device": self.device}
        digit = torch.randint(len(self.images), (count,), **random)
        classes = self.labels[digit]
        if self.config.unconditional > 0:
            white = torch.rand(count, **random) < self.config.unconditional
            classes = torch.where(white, NONE, classes)
        state = coloured_seed(
            self.nca.layout, *self.grid, classes, self.config.noise, self.generator
        )
        return {"state": state, "class": classes, "digit": digit}

    def mutate(self, old: Sample, fresh: Sample) -> Sample:
        """New seeds: a grown digit has no other class than its colour's."""
        return fresh

    def condition(self, sample: Sample) -> None:
        """None: the seed's colour says it all."""

    def real(self, sample: Sample) -> Tensor:
        """The digits themselves, in the colours of their classes, ``[B, 4, H, W]``."""
        digit = sample["digit"]
        return ink_in_color(self.images[digit], self.labels[digit], self.padding)

    def context(self, sample: Sample) -> Tensor:
        """One-hot classes ``[B, 10]``; zeros where the seed was white."""
        return F.one_hot(sample["class"], CLASSES + 1)[:, :CLASSES].float()


def coloured_seed(
    layout: ChannelLayout,
    height: int,
    width: int,
    classes: Tensor,
    noise: float = 0.0,
    generator: torch.Generator | None = None,
) -> Tensor:
    """States ``[B, C, H, W]`` whose only living cell, in the centre, has the colour of its class.

    Args:
        layout: RGBA and hidden channels.
        height: of the grid, in cells.
        width: likewise.
        classes: int64 ``[B]`` from 0 to 9, or 10 for a white seed.
        noise: standard deviation of the seed's hidden channels.
        generator: source of that noise; None uses PyTorch's global one.

    """
    device = classes.device
    state = centre_seed(layout, height, width, len(classes), str(device))
    row, column = height // 2, width // 2
    colors = torch.cat([class_colors(), torch.ones(1, 3)]).to(device)
    state[:, layout.fixed : layout.fixed + 3, row, column] = colors[classes]
    if noise > 0:
        drawn = torch.randn(len(classes), layout.hidden, generator=generator, device=device)
        state[:, layout.fixed + layout.visible :, row, column] = noise * drawn
    return state


def ink_in_color(images: Tensor, labels: Tensor, padding: int = 0) -> Tensor:
    """Digits, uint8 ``[B, 1, h, w]``, as premultiplied RGBA of their classes' colours."""
    ink = F.pad(images.float() / 255, (padding,) * 4)
    colors = class_colors().to(images.device)[labels][:, :, None, None]
    return torch.cat([ink * colors, ink], dim=1)


def ink_of(state: Tensor, layout: ChannelLayout, padding: int = 0) -> Tensor:
    """What a judge sees of states: their alpha in [0, 1] without the rim, ``[B, 1, h, w]``."""
    ink = state[:, layout.alpha : layout.alpha + 1].clamp(0, 1)
    height, width = ink.shape[-2:]
    return ink[:, :, padding : height - padding, padding : width - padding]
