"""What networks of one pass have in common: how large they are."""

from torch import nn


class Counted(nn.Module):
    """A module that knows how many numbers it has learned."""

    @property
    def parameter_count(self) -> int:
        """Learned numbers."""
        return sum(p.numel() for p in self.parameters())
