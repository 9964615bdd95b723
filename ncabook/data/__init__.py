"""Data of the book: found locally, downloaded on request, always checked."""

from ncabook.data.emoji import SHIPPED, emoji, rgba_target
from ncabook.data.labelled import Labelled, cifar10, mnist, rendered_digits

__all__ = [
    "SHIPPED",
    "Labelled",
    "cifar10",
    "emoji",
    "mnist",
    "rendered_digits",
    "rgba_target",
]
