"""Automata of pixels beside large pictures: what they grow, enlarged by bicubic interpolation.

Small drawings of an emoji and large ones are files of their own, and lie differently in their
squares. So an enlarged picture is moved by as many pixels as bring the small drawing that was
learned nearest to the large one, for each class.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from ncabook.automaton import NCA, centre_seed


@dataclass(frozen=True)
class Small:
    """An automaton of pixels, one cell for each.

    Attributes:
        nca: told the class; with a living mask.
        targets: what it was trained to grow, ``[classes, 4, n, n]``.
        cells: along the drawing in these.
        pixels: along the same drawing in the large pictures.

    """

    nca: NCA
    targets: Tensor
    cells: int
    pixels: int

    def grown(self, classes: Tensor, steps: int, generator: torch.Generator) -> Tensor:
        """Pictures ``[N, 4, n, n]`` of classes ``[N]``, begun with the ring, so that none dies."""
        side = self.targets.shape[-1]
        state = centre_seed(self.nca.layout, side, side, len(classes))
        told = F.one_hot(classes, len(self.targets)).float()
        return self.nca.rollout(state, steps, told, generator=generator, ring=True)[:, :4]

    def enlarged(self, pictures: Tensor, side: int) -> Tensor:
        """Pictures ``[N, 4, n, n]`` at ``side`` pixels, by bicubic interpolation."""
        whole = round(pictures.shape[-1] * self.pixels / self.cells)
        large = F.interpolate(pictures, (whole, whole), mode="bicubic")
        before = (side - whole) // 2
        after = side - whole - before
        return F.pad(large, (before, after, before, after)).clamp(0, 1)  # negative margins cut

    def placed(self, pictures: Tensor, classes: Tensor, truth: Tensor) -> Tensor:
        """Pictures ``[N, 4, n, n]`` of classes ``[N]``, enlarged and moved onto the truth.

        Args:
            pictures: of the small automaton, or its targets.
            classes: which they show.
            truth: large pictures of these classes, ``[N, 4, side, side]``.

        """
        side = truth.shape[-1]
        large, drawn = (self.enlarged(x, side) for x in (pictures, self.targets[classes]))
        trios = zip(large, drawn, truth, strict=True)
        return torch.stack([x.roll(moved_onto(d, t), (1, 2)) for x, d, t in trios])


def moved_onto(picture: Tensor, truth: Tensor) -> tuple[int, int]:
    """By how many rows and columns a picture ``[C, H, W]`` is to be rolled to be nearest a truth.

    Nearest by squared error, of which only the correlation hangs on the shift.
    """
    spectra = torch.fft.fft2(truth) * torch.fft.fft2(picture).conj()
    place = int(torch.fft.ifft2(spectra).real.sum(0).argmax())
    return place // truth.shape[-1], place % truth.shape[-1]
