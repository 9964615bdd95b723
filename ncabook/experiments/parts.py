"""The parts of an automaton, as an experiment file names them."""

from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field

from ncabook.training.config import Positive, Strict


def _odd(value: int) -> int:
    if value % 2 == 0:
        raise ValueError(f"{value} is even; expected an odd number")
    return value


Odd = Annotated[Positive, AfterValidator(_odd)]


class ConvConfig(Strict):
    """A :class:`~ncabook.automaton.ConvPerception`."""

    kind: Literal["conv"]
    features: Positive
    kernel_size: Odd = 3
    dilation: Positive = 1

    @property
    def reach(self) -> int:
        """How many cells away a cell sees."""
        return self.kernel_size // 2 * self.dilation


class SobelConfig(Strict):
    """A :class:`~ncabook.automaton.SobelPerception`."""

    kind: Literal["sobel"]
    laplacian: bool = False
    reach: ClassVar[int] = 1


class ResidualConfig(Strict):
    """A :class:`~ncabook.automaton.ResidualPerception`."""

    kind: Literal["residual"]
    features: Positive
    kernel_size: Odd = 3
    dilation: Positive = 1

    @property
    def reach(self) -> int:
        """How far each of the two convolutions wraps."""
        return self.kernel_size // 2 * self.dilation


class DeformableConfig(Strict):
    """A :class:`~ncabook.automaton.DeformablePerception`."""

    kind: Literal["deformable"]
    features: Positive
    kernel_size: Odd = 3

    @property
    def reach(self) -> int:
        """How many cells away the resting taps are."""
        return self.kernel_size // 2


class LocalAttentionConfig(Strict):
    """A :class:`~ncabook.automaton.LocalAttention`."""

    kind: Literal["local-attention"]
    features: Positive
    heads: Positive = 4
    kernel_size: Odd = 3

    @property
    def reach(self) -> int:
        """How many cells away a cell listens."""
        return self.kernel_size // 2


class AttentionBlockConfig(Strict):
    """An :class:`~ncabook.automaton.AttentionBlock`."""

    kind: Literal["attention-block"]
    features: Positive
    embedding: Positive = 128
    heads: Positive = 4
    kernel_size: Odd = 3

    @property
    def reach(self) -> int:
        """How many cells away a cell listens."""
        return self.kernel_size // 2


SinglePerception = Annotated[
    ConvConfig
    | SobelConfig
    | ResidualConfig
    | DeformableConfig
    | LocalAttentionConfig
    | AttentionBlockConfig,
    Field(discriminator="kind"),
]


class MultiConfig(Strict):
    """A :class:`~ncabook.automaton.MultiPerception`."""

    kind: Literal["multi"]
    branches: Annotated[list[SinglePerception], Field(min_length=1)]

    @property
    def reach(self) -> int:
        """How many cells away the farthest branch sees."""
        return max(branch.reach for branch in self.branches)


class MLPConfig(Strict):
    """An :class:`~ncabook.automaton.MLPUpdate`."""

    kind: Literal["mlp"]
    hidden: list[Positive]


class ResNetConfig(Strict):
    """A :class:`~ncabook.automaton.ResNetUpdate`."""

    kind: Literal["resnet"]
    hidden: Positive
    blocks: Positive = 2
