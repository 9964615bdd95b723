"""Training a coarse automaton and its decoder to cover a canvas with a texture, at any resolution.

After Pajouheshgar et al. 2025 (arXiv 2506.22899), from the paper. A canvas is a torus of few cells;
its picture is decoded whole, so that it has no edges where the statistics would end, and compared
in style with the texture at the same pixels along a cell.
"""

from typing import Annotated, Literal

import torch
from pydantic import Field
from torch import Tensor

from ncabook.automaton import empty_state
from ncabook.automaton.precision import autocast
from ncabook.training.config import Width
from ncabook.training.fine import FineConfig, FineLearner
from ncabook.training.fine_model import FineModel
from ncabook.training.pool import Sample
from ncabook.training.style import RECEPTIVE_FIELD, SHRINK, style_loss
from ncabook.training.tracking import Tracking

Factor = Annotated[int, Field(ge=1, le=64)]


class FineTextureConfig(FineConfig):
    """How a canvas is covered.

    Attributes:
        style: sliced optimal transport (eq. 5), or Gram matrices.
        projections: random directions for each layer and iteration.
        canvas: side of a training's canvases, in cells.
        factors: pixels along a cell; each iteration takes one of them by chance, so that one that
            stands twice is taken twice as often.

    """

    style: Literal["transport", "gram"] = "transport"
    projections: Width = 32
    canvas: Annotated[int, Field(ge=1, le=2**12)]
    factors: Annotated[list[Factor], Field(min_length=1, max_length=16)]

    def check_sides(self) -> None:
        """Refuses canvases whose pictures VGG16 cannot look at.

        Raises:
            ValueError: says which, and what was expected.

        """
        for factor in self.factors:
            side = factor * self.canvas
            if side < RECEPTIVE_FIELD or side % SHRINK:
                raise ValueError(
                    f"canvas {self.canvas} at factor {factor} is a picture of {side}×{side}; "
                    f"expected at least {RECEPTIVE_FIELD} pixels, a multiple of {SHRINK}"
                )


class FineTextureLearner(FineLearner):
    """Trains automaton and decoder to cover a torus with a texture.

    Args:
        model: trained in place; its decoder gives RGB.
        targets: by factor the texture, RGB in [0, 1], ``[3, H, W]``.
        config: the ``training`` part of an experiment.
        seed: everything random follows from it.
        device: where to train.
        tracker: where the curves go; None draws none.

    Raises:
        ValueError: a factor without a target, a canvas that is too small, or a decoder that
            does not give RGB.

    """

    config: FineTextureConfig

    def __init__(
        self,
        model: FineModel,
        targets: dict[int, Tensor],
        config: FineTextureConfig,
        seed: int,
        device: str = "cpu",
        tracker: Tracking | None = None,
    ) -> None:
        config.check_sides()
        if missing := sorted({*config.factors} - {*targets}):
            raise ValueError(f"no target for factors {missing}; given: {sorted(targets)}")
        if model.decoder.image_channels != 3:
            raise ValueError(
                f"a decoder to {model.decoder.image_channels} channels; expected 3, RGB"
            )
        super().__init__(model, (config.canvas, config.canvas), config, seed, device, tracker)
        self.styles = {
            factor: style_loss(targets[factor], config.style, config.projections, self.device)
            for factor in sorted({*config.factors})
        }

    def fresh(self, count: int) -> Sample:
        """Empty canvases: zeros, all cells alike."""
        return {"state": empty_state(self.nca.layout, *self.grid, count, self.device)}

    def loss(self, film: Tensor, sample: Sample) -> Tensor:
        """The mean distance of the ends' pictures from the style, at one of the factors."""
        dice = self.dice()
        factors = self.config.factors
        place = int(torch.randint(len(factors), (), generator=dice, device=self.device))
        pictures = self.fine.decoder(film[-1], factors[place])
        with autocast(pictures.device, self.config.precision):
            return self.styles[factors[place]](pictures, dice).mean()
