"""Films as an experiment file names them."""

from dataclasses import replace
from typing import Annotated, Literal

from pydantic import Field, model_validator

from ncabook.data.films import Films
from ncabook.data.labelled import Labelled, Split
from ncabook.data.moving import FRAMES, SIDE, SPEED, TEST_SEED, Directions, Rules, fixed_films
from ncabook.evaluation.physics import films_like
from ncabook.reading import Strict
from ncabook.tasks.classification import LabelledData
from ncabook.training.config import Rate

OTHERS = 200  # films to be measured by, where they are not the fixed ones

Pixels = Annotated[int, Field(ge=1, le=1024)]


class FilmData(Strict):
    """Films of moving digits (:class:`~ncabook.data.moving.Rules`).

    Attributes:
        name: which; ``rendered-digits`` stand in for MNIST's.
        side: of the canvas, in pixels.
        digit: side of a digit.
        digits: in a film.
        slowest: speed in pixels a frame, between this
        fastest: and this.
        frames: of a film.
        directions: in which digits move.
        walls: whether a wall stands in each film.

    """

    name: Literal["moving-mnist", "rendered-digits"]
    side: Pixels = SIDE
    digit: Literal[14, 28] = 28
    digits: Annotated[int, Field(ge=1, le=100)] = 2
    slowest: Annotated[float, Field(ge=0, le=1024)] = SPEED
    fastest: Rate = SPEED
    frames: Annotated[int, Field(ge=1, le=10**4)] = FRAMES
    directions: Directions = "any"
    walls: bool = False

    @model_validator(mode="after")
    def _flies(self) -> "FilmData":
        self.rules  # noqa: B018 (says what is wrong)
        return self

    @property
    def rules(self) -> Rules:
        """What films are made by."""
        speeds = self.slowest, self.fastest
        return Rules(self.side, self.digits, *speeds, self.frames, self.digit, self.directions)

    def build(self, split: Split) -> Labelled:
        """The digits that films are made of."""
        name = "mnist" if self.name == "moving-mnist" else "rendered-digits"
        return LabelledData(name=name).build(split)

    @property
    def test_rules(self) -> Rules:
        """Of films to be measured by: twenty frames, however long those to learn from are."""
        return replace(self.rules, frames=min(self.frames, FRAMES))

    def test_films(self, most: int | None = None) -> Films:
        """Films to be measured by: the fixed ones, where these rules are those; or 200 others.

        Args:
            most: how many, at the most; None for all.

        """
        if self.name == "moving-mnist" and self.test_rules == Rules() and not self.walls:
            return fixed_films()[:most]
        count = OTHERS if most is None else min(most, OTHERS)
        return films_like(self.build("test"), self.test_rules, count, TEST_SEED, self.walls)
