"""Colouring drawings: image to image, by cells that see the ink below them (§3.1.3).

The drawing lies in a fixed channel, which a step can read and never write. All cells begin white;
none is dead. The pool returns pictures that are there already, with their drawing and their target.
"""

import torch
from torch import Tensor

from ncabook.automaton import NCA, ChannelLayout, empty_state
from ncabook.data.pairs import Pairs
from ncabook.training.adversarial import AdversarialLearner
from ncabook.training.adversarial_config import PairsConfig
from ncabook.training.pool import Sample
from ncabook.training.tracking import Tracking


class PairsLearner(AdversarialLearner):
    """Trains an automaton to colour drawings.

    Args:
        nca: trained in place; one fixed channel, RGB, hidden channels, no living mask.
        pairs: drawings and pictures, all of one size.
        config: the ``training`` part of an experiment.
        seed: everything random follows from it.
        device: where to train.
        tracker: where the curves go; None draws none.

    """

    config: PairsConfig

    def __init__(
        self,
        nca: NCA,
        pairs: Pairs,
        config: PairsConfig,
        seed: int,
        device: str = "cpu",
        tracker: Tracking | None = None,
    ) -> None:
        height, width = pairs.ink.shape[2:]
        super().__init__(nca, (height, width), config, seed, device, tracker, context=1)
        self.pairs = pairs.to(self.device)

    def fresh(self, count: int) -> Sample:
        """White paper under drawings at random, mirrored in half of the cases if so configured."""
        which = random_pairs(count, len(self.pairs), self.config.mirror, self.generator)
        return {"state": white_paper(self.nca.layout, shown(self.pairs.ink, which)), **which}

    def mutate(self, old: Sample, fresh: Sample) -> Sample:
        """Another drawing under what was there, and so another target."""
        fixed = self.nca.layout.fixed
        state = torch.cat([fresh["state"][:, :fixed], old["state"][:, fixed:]], dim=1)
        return {**fresh, "state": state}

    def condition(self, sample: Sample) -> None:
        """None: the ink says it all."""

    def real(self, sample: Sample) -> Tensor:
        """The pictures, RGB ``[B, 3, H, W]`` in [0, 1]."""
        return shown(self.pairs.pictures, sample)

    def context(self, sample: Sample) -> Tensor:
        """The ink, ``[B, 1, H, W]``."""
        return sample["state"][:, : self.nca.layout.fixed]


def random_pairs(count: int, of: int, mirror: bool, generator: torch.Generator) -> Sample:
    """Which pairs a batch has, at random.

    Args:
        count: in the batch, B.
        of: how many there are.
        mirror: whether half of them are turned from right to left.
        generator: source of chance.

    Returns:
        ``pair`` and ``mirrored``, ``[B]`` each, on the generator's device.

    """
    device = generator.device
    pair = torch.randint(of, (count,), generator=generator, device=device)
    mirrored = torch.zeros(count, dtype=torch.bool, device=device)
    if mirror:
        mirrored = torch.rand(count, generator=generator, device=device) < 0.5
    return {"pair": pair, "mirrored": mirrored}


def shown(images: Tensor, which: Sample) -> Tensor:
    """Of uint8 images ``[N, C, H, W]`` those of a batch, in [0, 1], mirrored where asked."""
    return turned_over(images[which["pair"]].float() / 255, which["mirrored"])


def turned_over(images: Tensor, mirrored: Tensor) -> Tensor:
    """Images ``[B, C, H, W]``, those of ``mirrored`` ``[B]`` from right to left."""
    return torch.where(mirrored[:, None, None, None], images.flip(3), images)


def white_paper(layout: ChannelLayout, ink: Tensor) -> Tensor:
    """States ``[B, C, H, W]`` of white cells, with the ink ``[B, 1, H, W]`` below them."""
    height, width = ink.shape[2:]
    state = empty_state(layout, height, width, len(ink), str(ink.device))
    state[:, : layout.fixed] = ink
    state[:, layout.visible_slice] = 1.0
    return state
