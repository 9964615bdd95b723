"""What an importer hands over: a model in this package's parts, and what has to be known of it."""

from dataclasses import dataclass

from torch import Tensor

from ncabook.tasks.parts import ModelConfig


class ForeignModelError(ValueError):
    """A file from elsewhere that cannot be used; says in one line why."""


@dataclass(frozen=True)
class Brought:
    """A model from elsewhere.

    Attributes:
        model: its parts and masks.
        tensors: their weights, by the names that this package gives them.
        classes: how many pictures it is told apart by its condition; 1 without one.
        what: what it is, and in whose format.
        differs: what is not as it was there, a sentence each.
        seed: the numbers of a seed cell; None for the usual one.
        names: of the classes, if they are known.
        size: of a picture in cells, if it is known.
        padding: cells around it.

    """

    model: ModelConfig
    tensors: dict[str, Tensor]
    classes: int
    what: str
    differs: list[str]
    seed: list[float] | None = None
    names: list[str] | None = None
    size: int | None = None
    padding: int | None = None
