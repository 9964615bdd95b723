"""The parts of an automaton, as an experiment file names them; each builds what it names.

A new kind is one class here and its place in the union of its kinds: a perception's ``build``
is given the numbers of state and condition channels, an update's those of features and of the
channels it changes. Weights are drawn from PyTorch's global generator.
"""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import (
    AfterValidator,
    Field,
    FiniteFloat,
    SerializerFunctionWrapHandler,
    model_serializer,
    model_validator,
)

from ncabook.automaton import (
    NCA,
    AttentionBlock,
    ChannelLayout,
    ConvPerception,
    DeformablePerception,
    LocalAttention,
    MLPUpdate,
    MultiPerception,
    ResidualPerception,
    ResNetUpdate,
    SobelPerception,
)
from ncabook.automaton.update import Activation
from ncabook.reading import Strict
from ncabook.training.config import Width


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

    def build(self, channels: int, condition: int) -> ConvPerception:
        """With random weights, for so many channels of state and of condition."""
        return ConvPerception(channels, self.features, self.kernel_size, self.dilation, condition)


class SobelConfig(Strict):
    """A :class:`~ncabook.automaton.SobelPerception`."""

    kind: Literal["sobel"]
    laplacian: bool = False
    reach: ClassVar[int] = 1

    def build(self, channels: int, condition: int) -> SobelPerception:
        """Without weights, for so many channels of state and of condition."""
        return SobelPerception(channels, condition, self.laplacian)


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

    def build(self, channels: int, condition: int) -> ResidualPerception:
        """With random weights, for so many channels of state and of condition."""
        return ResidualPerception(
            channels, self.features, self.kernel_size, self.dilation, condition
        )


class DeformableConfig(Strict):
    """A :class:`~ncabook.automaton.DeformablePerception`."""

    kind: Literal["deformable"]
    features: Width
    kernel_size: Odd = 3

    @property
    def reach(self) -> int:
        """How many cells away the resting taps are."""
        return self.kernel_size // 2

    def build(self, channels: int, condition: int) -> DeformablePerception:
        """With random weights, for so many channels of state and of condition."""
        return DeformablePerception(channels, self.features, self.kernel_size, condition)


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

    def build(self, channels: int, condition: int) -> LocalAttention:
        """With random weights, for so many channels of state and of condition."""
        return LocalAttention(channels, self.features, self.heads, self.kernel_size, condition)


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

    def build(self, channels: int, condition: int) -> AttentionBlock:
        """With random weights, for so many channels of state and of condition."""
        return AttentionBlock(
            channels, self.features, self.embedding, self.heads, self.kernel_size, condition
        )


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

    def build(self, channels: int, condition: int) -> MultiPerception:
        """With random weights, for so many channels of state and of condition."""
        return MultiPerception([branch.build(channels, condition) for branch in self.branches])


class MLPConfig(Strict):
    """An :class:`~ncabook.automaton.MLPUpdate`."""

    kind: Literal["mlp"]
    hidden: Annotated[list[Width], Field(max_length=64)]
    activation: Activation = "leaky-relu"

    @model_serializer(mode="wrap")
    def _unsaid(self, written: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """The usual activation is not written: cards and runs of before there was a choice fit."""
        fields = written(self)
        if self.activation == "leaky-relu":
            fields.pop("activation", None)
        return fields

    def build(self, features: int, channels: int) -> MLPUpdate:
        """With random weights, from so many features to a change of ``channels``."""
        return MLPUpdate(features, channels, self.hidden, self.activation)


class ResNetConfig(Strict):
    """A :class:`~ncabook.automaton.ResNetUpdate`."""

    kind: Literal["resnet"]
    hidden: Width
    blocks: Few = 2

    def build(self, features: int, channels: int) -> ResNetUpdate:
        """With random weights, from so many features to a change of ``channels``."""
        return ResNetUpdate(features, channels, self.hidden, self.blocks)


class ModelConfig(Strict):
    """The automaton: what is not given by its task are hidden channels, parts and masks."""

    hidden_channels: Annotated[int, Field(ge=0, le=2**14)]
    perception: Annotated[SinglePerception | MultiConfig, Field(discriminator="kind")]
    update: Annotated[MLPConfig | ResNetConfig, Field(discriminator="kind")]
    fire_rate: Annotated[float, Field(gt=0, le=1)] = 0.5
    living_threshold: FiniteFloat | None = 0.1

    def build(self, layout: ChannelLayout, condition: int = 0) -> NCA:
        """With random weights, for a task's channels and so many channels of condition."""
        perception = self.perception.build(layout.channels, condition)
        changed = layout.channels - layout.fixed
        update = self.update.build(perception.out_channels, changed)
        return NCA(layout, perception, update, self.fire_rate, self.living_threshold)

    def check_reach(self, grid: int) -> None:
        """Refuses a perception that sees farther than a grid of this side."""
        if self.perception.reach > grid:
            raise ValueError(
                f"the perception's reach of {self.perception.reach} is larger than the grid of "
                f"{grid}"
            )
