"""Growing textures from nothing (§3.2): no seed, no border, no picture, but a style."""

from torch import Tensor

from ncabook.automaton import NCA, empty_state
from ncabook.automaton.precision import autocast
from ncabook.training.config import TextureConfig
from ncabook.training.evolving import EvolvingLearner
from ncabook.training.pool import Sample
from ncabook.training.style import style_loss
from ncabook.training.tracking import Tracking

GRAY = 0.5  # where all begins; hidden channels begin at 0


class TextureLearner(EvolvingLearner):
    """Trains an automaton to cover a torus with a texture.

    Args:
        nca: trained in place; three visible channels, no living mask.
        target: RGB in [0, 1], ``[3, H, W]``; the canvas is as large, or as the configuration says.
        config: the ``training`` part of an experiment.
        seed: everything random follows from it.
        device: where to train.
        tracker: where the curves go; None draws none.

    Raises:
        ValueError: the automaton has other channels, or a living mask.

    """

    config: TextureConfig

    def __init__(
        self,
        nca: NCA,
        target: Tensor,
        config: TextureConfig,
        seed: int,
        device: str = "cpu",
        tracker: Tracking | None = None,
    ) -> None:
        check(nca)
        height, width = (config.canvas,) * 2 if config.canvas else target.shape[-2:]
        super().__init__(nca, (height, width), config, seed, device, tracker)
        self.style = style_loss(target, config.style, config.projections, self.device)

    def fresh(self, count: int) -> Sample:
        """Gray canvases; there are no classes."""
        return {"state": gray_canvas(self.nca, *self.grid, count, self.device)}

    def mutate(self, old: Sample, fresh: Sample) -> Sample:
        """There is nothing to change into; the configuration has no such share."""
        raise NotImplementedError("textures have no classes")

    def condition(self, sample: Sample) -> None:
        """None: a rule draws one texture."""

    def loss(self, film: Tensor, sample: Sample) -> Tensor:
        """The mean distance of the ends from the style."""
        end = film[-1]
        with autocast(end.device, self.config.precision):
            return self.style(end[:, self.nca.layout.visible_slice], self.dice()).mean()


def gray_canvas(nca: NCA, height: int, width: int, batch: int = 1, device: str = "cpu") -> Tensor:
    """``[B, C, H, W]``: gray, and zeros in the hidden channels. All cells are alike."""
    state = empty_state(nca.layout, height, width, batch, device)
    state[:, nca.layout.visible_slice] = GRAY
    return state


def check(nca: NCA) -> None:
    """Whether an automaton can cover a canvas.

    Raises:
        ValueError: says what it has, and what was expected.

    """
    if nca.layout.visible != 3 or nca.layout.fixed or nca.layout.classes:
        raise ValueError(f"{nca.layout}; expected three visible channels, hidden ones, no others")
    if nca.living_threshold is not None:
        raise ValueError("a texture has no dead cells; expected living_threshold None")
