"""What an experiment is: the typed form of the YAML files in this folder.

A file that does not fit is refused with one line per mistake: the file, the field, the reason.
"""

from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, TypeVar

import yaml
from pydantic import (
    AfterValidator,
    Discriminator,
    Field,
    FiniteFloat,
    Tag,
    ValidationError,
    model_validator,
)

from ncabook.training.config import OnePassConfig, Positive, Strict, TrainingConfig


def _odd(value: int) -> int:
    if value % 2 == 0:
        raise ValueError(f"{value} is even; expected an odd number")
    return value


Odd = Annotated[Positive, AfterValidator(_odd)]


Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$")]
Seed = Annotated[int, Field(ge=0, lt=2**63)]


class ConfigError(Exception):
    """An experiment file that cannot be used."""


class EmojiData(Strict):
    """Which glyphs are the classes, and how large they are drawn.

    Attributes:
        glyphs: one emoji per class.
        size: side of the drawn glyph, in cells.
        padding: empty cells on every side.

    """

    glyphs: Annotated[list[str], Field(min_length=1)]
    size: Positive
    padding: Annotated[int, Field(ge=0)]

    @property
    def grid(self) -> int:
        """Side of the whole grid, in cells."""
        return self.size + 2 * self.padding


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


class ModelConfig(Strict):
    """The automaton: RGBA and hidden channels, perception, update, masks."""

    hidden_channels: Annotated[int, Field(ge=0)]
    perception: Annotated[SinglePerception | MultiConfig, Field(discriminator="kind")]
    update: Annotated[MLPConfig | ResNetConfig, Field(discriminator="kind")]
    fire_rate: Annotated[float, Field(gt=0, le=1)] = 0.5
    living_threshold: FiniteFloat | None = 0.1


class UNetConfig(Strict):
    """A :class:`~ncabook.networks.OnePass`."""

    base: Positive
    halvings: Positive


class OnePassExperiment(Strict):
    """A row of a table that is no automaton: what it is compared with.

    Attributes:
        task: tells this kind of file from the others.
        name: also the name of its folder below ``runs/``.
        title: what it is, for people.
        seed: where everything random comes from.
        data: what is to be drawn.
        model: the network.
        training: how it is trained.

    """

    task: Literal["one-pass"]
    name: Name
    title: str
    seed: Seed = 0
    data: EmojiData
    model: UNetConfig
    training: OnePassConfig

    @model_validator(mode="after")
    def _sizes(self) -> "OnePassExperiment":
        if self.data.grid % 2**self.model.halvings:
            raise ValueError(
                f"model.halvings {self.model.halvings} asks for a grid divisible by "
                f"{2**self.model.halvings}; data.size + 2 · data.padding is {self.data.grid}"
            )
        return self


class Experiment(Strict):
    """One row of a table: data, model, training and seed.

    Attributes:
        task: tells this kind of file from the others.
        name: also the name of its folder below ``runs/``.
        title: what it is, for people.
        seed: where everything random comes from.
        start_from: a trained model whose weights are the first ones; random ones if not given.
        data: what is to be grown.
        model: the automaton.
        training: how it is trained.

    """

    task: Literal["grow"] = "grow"
    name: Name
    title: str
    seed: Seed = 0
    start_from: str | None = None
    data: EmojiData
    model: ModelConfig
    training: TrainingConfig

    @model_validator(mode="after")
    def _reach(self) -> "Experiment":
        if self.model.perception.reach > self.data.grid:
            raise ValueError(
                f"the perception's reach of {self.model.perception.reach} "
                f"is larger than the grid of {self.data.grid}"
            )
        pool = self.training.pool
        if pool is not None and pool.mutation > 0 and len(self.data.glyphs) < 2:
            raise ValueError("pool.mutation needs at least two glyphs in data.glyphs")
        return self


TASKS: dict[str, type[Experiment] | type[OnePassExperiment]] = {
    "grow": Experiment,
    "one-pass": OnePassExperiment,
}
AnyExperiment = Annotated[
    Annotated[Experiment, Tag("grow")] | Annotated[OnePassExperiment, Tag("one-pass")],
    Discriminator(
        lambda value: value.get("task", "grow") if isinstance(value, dict) else value.task
    ),
]


class _UniqueKeys(yaml.SafeLoader):
    """YAML without the surprise that the last of two equal keys wins."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        for key in keys:
            if keys.count(key) > 1:
                raise yaml.YAMLError(f"the key {key!r} stands twice, {node.start_mark}")
        return super().construct_mapping(node, deep)


Document = TypeVar("Document", bound=Strict)


def parse(kind: type[Document], content: Any, source: str) -> Document:
    """Validates a mapping; ``source`` names it in error messages.

    Raises:
        ConfigError: one line per mistake, each with source, field and reason.

    """
    try:
        return kind.model_validate(content)
    except ValidationError as error:
        lines = []
        for item in error.errors(include_url=False):
            field = ".".join(str(part) for part in item["loc"]) or "(whole file)"
            message = item["msg"].removeprefix("Value error, ")
            given = item["input"]
            shown = "" if isinstance(given, dict) else f" (given: {given!r})"
            if item["type"] == "float_type" and isinstance(given, str) and "e" in given:
                message += "; YAML wants a point in numbers with an exponent, 5.0e-3"
            lines.append(f"{source}: {field}: {message}{shown}")
        raise ConfigError("\n".join(lines)) from None


def load_experiment(path: Path) -> Experiment | OnePassExperiment:
    """Reads and validates an experiment file, of the kind that its ``task`` names.

    Raises:
        ConfigError: the file is missing, is not YAML, or does not fit the schema.

    """
    content = _read(path, "experiment")
    task = content.get("task", "grow") if isinstance(content, dict) else "grow"
    if not isinstance(task, str) or task not in TASKS:
        raise ConfigError(f"{path}: task: {task!r}; expected one of {', '.join(TASKS)}")
    return parse(TASKS[task], content, str(path))


def load(kind: type[Document], path: Path) -> Document:
    """Reads and validates a YAML file.

    Raises:
        ConfigError: the file is missing, is not YAML, or does not fit the schema.

    """
    return parse(kind, _read(path, kind.__name__.lower()), str(path))


def _read(path: Path, what: str) -> Any:
    if not path.is_file():
        raise ConfigError(f"{path}: no such {what} file")
    try:
        return yaml.load(path.read_text(encoding="utf-8"), _UniqueKeys)
    except (yaml.YAMLError, UnicodeDecodeError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise ConfigError(f"{path}: not a YAML file: {reason}") from None
