"""Data of the book: found locally, downloaded on request, always checked."""

from ncabook.data.emoji import SHIPPED, emoji, rgba_target

__all__ = ["SHIPPED", "emoji", "rgba_target"]
