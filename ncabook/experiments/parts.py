"""The parts of an automaton, as an experiment file names them."""

from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field, model_validator

from ncabook.training.config import Strict, Width


def _odd(value: int) -> int:
    if value % 2 == 0:
        raise ValueError(f"{value} is even; expected an odd number")
    return value


Odd = Annotated[int, Field(ge=1, le=999), AfterValidator(_odd)]
Few = Annotated[int, Field(ge=1, le=1000)]


def _check_heads(name: str, width: int, heads: int) -> None:
    if width % heads:
        raise ValueError(
            f"{name} {width} does not divide into {heads} heads; change one of the two"
        )


class ConvConfig(Strict):
    """A :class:`~ncabook.automaton.ConvPerception`."""

    kind: Literal["conv"]
    features: Width
    kernel_size: Odd = 3
    dilation: Few = 1

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
    features: Width
    kernel_size: Odd = 3
    dilation: Few = 1

    @property
    def reach(self) -> int:
        """How far each of the two convolutions wraps."""
        return self.kernel_size // 2 * self.dilation


class DeformableConfig(Strict):
    """A :class:`~ncabook.automaton.DeformablePerception`."""

    kind: Literal["deformable"]
    features: Width
    kernel_size: Odd = 3

    @property
    def reach(self) -> int:
        """How many cells away the resting taps are."""
        return self.kernel_size // 2


class LocalAttentionConfig(Strict):
    """A :class:`~ncabook.automaton.LocalAttention`."""

    kind: Literal["local-attention"]
    features: Width
    heads: Width = 4
    kernel_size: Odd = 3

    @model_validator(mode="after")
    def _fits(self) -> "LocalAttentionConfig":
        _check_heads("features", self.features, self.heads)
        return self

    @property
    def reach(self) -> int:
        """How many cells away a cell listens."""
        return self.kernel_size // 2


class AttentionBlockConfig(Strict):
    """An :class:`~ncabook.automaton.AttentionBlock`."""

    kind: Literal["attention-block"]
    features: Width
    embedding: Width = 128
    heads: Width = 4
    kernel_size: Odd = 3

    @model_validator(mode="after")
    def _fits(self) -> "AttentionBlockConfig":
        _check_heads("embedding", self.embedding, self.heads)
        return self

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
    branches: Annotated[list[SinglePerception], Field(min_length=1, max_length=64)]

    @property
    def reach(self) -> int:
        """How many cells away the farthest branch sees."""
        return max(branch.reach for branch in self.branches)


class MLPConfig(Strict):
    """An :class:`~ncabook.automaton.MLPUpdate`."""

    kind: Literal["mlp"]
    hidden: Annotated[list[Width], Field(max_length=64)]


class ResNetConfig(Strict):
    """A :class:`~ncabook.automaton.ResNetUpdate`."""

    kind: Literal["resnet"]
    hidden: Width
    blocks: Few = 2
