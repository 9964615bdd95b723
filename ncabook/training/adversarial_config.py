"""How pictures with a critic beside them are trained, and the judge of digits, as configuration."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from ncabook.reading import Strict
from ncabook.training.config import (
    AdamConfig,
    Rate,
    Ratio,
    Samples,
    TrainingConfig,
    Width,
)


class CriticConfig(Strict):
    """A critic of pictures, and when its word counts (:mod:`ncabook.training.wasserstein`).

    Attributes:
        widths: of its convolutions, each of which halves a picture.
        learning_rate: of its Adam.
        penalty: λ, the weight of the penalty on slopes.
        updates: its steps for each of the automaton's.
        delay: iterations before it begins to learn: who makes blobs is told from the truth too
            easily, and learns nothing from that.
        ahead: iterations in which it learns before the automaton hears it.

    """

    widths: Annotated[list[Width], Field(min_length=1, max_length=8)]
    learning_rate: Rate = 1e-4
    penalty: Rate = 10.0
    updates: Annotated[int, Field(ge=1, le=100)] = 1
    delay: Annotated[int, Field(ge=0, le=10**9)] = 0
    ahead: Annotated[int, Field(ge=0, le=10**9)] = 0

    def heard(self, iteration: int) -> bool:
        """Whether the automaton learns from it."""
        return iteration >= self.delay + self.ahead


class AdversarialConfig(TrainingConfig):
    """How an automaton is trained towards pictures, with a critic beside it or without.

    Attributes:
        pixel: squared or absolute difference from a target.
        pixel_weight: of that difference's mean. What reaches a picture from the mean of a thousand
            pixels is a thousandth of what comes from a critic.
        critic: judges the pictures; None for none.
        average: decay of a running mean of the weights, which then is the model; None for none.

    """

    pixel: Literal["mse", "l1"] = "mse"
    pixel_weight: Rate = 1.0
    critic: CriticConfig | None = None
    average: Annotated[float, Field(gt=0, lt=1)] | None = None


class DigitsConfig(AdversarialConfig):
    """How an automaton is trained to grow digits from seeds whose colour is the class (A.5).

    Attributes:
        noise: standard deviation of the seed's hidden channels, so that one colour can become many
            digits.
        unconditional: share of the fresh seeds that are white, and may become any digit: what
            classifier-free guidance is led away from.

    """

    noise: Annotated[float, Field(ge=0, le=10)] = 0.0
    unconditional: Ratio = 0.0

    @model_validator(mode="after")
    def _one_seed(self) -> "DigitsConfig":
        if self.pool is not None and self.pool.mutation > 0:
            raise ValueError(
                "pool.mutation gives a state another class, and here a state tells its own by its "
                "colour; set it to 0"
            )
        return self


class PairsConfig(AdversarialConfig):
    """How an automaton is trained to colour drawings (§3.1.3).

    In the pool, ``mutation`` is the share of the drawn samples that get another drawing.

    Attributes:
        mirror: whether half of the pairs are shown from right to left.

    """

    mirror: bool = True


class PairsOnePassConfig(AdamConfig):
    """How a network of one pass is trained to colour drawings, for comparison.

    Attributes:
        batch: pairs in an iteration.
        mirror: whether half of the pairs are shown from right to left.
        critic: width of pix2pix's critic; None trains by the absolute error alone.
        validate_every: iterations between two looks at the validation pairs. The weights that were
            the best there are the result.

    """

    batch: Samples
    mirror: bool = True
    critic: Width | None = None
    validate_every: Annotated[int, Field(ge=1, le=10**9)] = 100


class JudgeConfig(AdamConfig):
    """How a network that judges grown digits is trained, by cross-entropy.

    Attributes:
        batch: images in an iteration.
        turn: how far an image is turned, at most, in degrees.
        blur: of half of the batches: the standard deviation of the largest blur, in pixels. A judge
            that has seen sharp ink only takes most soft digits for eights.
        fade: the least share of its ink that an image keeps.

    """

    batch: Samples
    turn: Annotated[float, Field(ge=0, le=45)] = 0.0
    blur: Annotated[float, Field(ge=0, le=5)] = 0.0
    fade: Annotated[float, Field(gt=0, le=1)] = 1.0
