"""What an experiment is: the typed form of the YAML files in this folder.

A file that does not fit is refused with one line per mistake: the file, the field, the reason.
"""

import reprlib
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import yaml
from pydantic import (
    Discriminator,
    Field,
    FiniteFloat,
    Tag,
    ValidationError,
    field_validator,
    model_validator,
)

from ncabook.data.texture import COMPUTED, DTD
from ncabook.experiments.parts import MLPConfig, MultiConfig, ResNetConfig, SinglePerception
from ncabook.training.config import (
    ClassificationConfig,
    GrowthConfig,
    OnePassConfig,
    Strict,
    TextureConfig,
    Width,
)
from ncabook.training.style import RECEPTIVE_FIELD, SHRINK

Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$")]
Seed = Annotated[int, Field(ge=0, lt=2**63)]
LARGEST = 4096  # cells along a picture's side; a batch of more fills any memory


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
    size: Annotated[int, Field(ge=1, le=LARGEST)]
    padding: Annotated[int, Field(ge=0, le=LARGEST)]

    @property
    def grid(self) -> int:
        """Side of the whole grid, in cells."""
        return self.size + 2 * self.padding


class LabelledData(Strict):
    """Images to be classified.

    Attributes:
        name: which; ``rendered-digits`` stand in for MNIST, and are easier.
        padding: empty cells on every side of an image.

    """

    name: Literal["mnist", "cifar10", "rendered-digits"]
    padding: Annotated[int, Field(ge=0, le=LARGEST)] = 0

    @property
    def channels(self) -> int:
        """Of an image."""
        return 3 if self.name == "cifar10" else 1

    @property
    def grid(self) -> int:
        """Side of the whole grid, in cells."""
        return (32 if self.name == "cifar10" else 28) + 2 * self.padding


class TextureData(Strict):
    """What a canvas is to be covered with.

    Attributes:
        name: a photograph of DTD, or a computed texture.
        size: side of the texture, in cells, and of the canvas if the training names no other.

    """

    name: str
    size: Annotated[int, Field(ge=RECEPTIVE_FIELD, le=LARGEST, multiple_of=SHRINK)]

    @field_validator("name")
    @classmethod
    def _known(cls, name: str) -> str:
        if name not in (*COMPUTED, *DTD):
            raise ValueError(f"expected one of {', '.join([*COMPUTED, *DTD])}")
        return name

    @property
    def grid(self) -> int:
        """Side of the canvas, in cells."""
        return self.size


class ModelConfig(Strict):
    """The automaton: what is not given by its task are hidden channels, parts and masks."""

    hidden_channels: Annotated[int, Field(ge=0, le=2**14)]
    perception: Annotated[SinglePerception | MultiConfig, Field(discriminator="kind")]
    update: Annotated[MLPConfig | ResNetConfig, Field(discriminator="kind")]
    fire_rate: Annotated[float, Field(gt=0, le=1)] = 0.5
    living_threshold: FiniteFloat | None = 0.1


class UNetConfig(Strict):
    """A :class:`~ncabook.networks.OnePass`."""

    base: Width
    halvings: Annotated[int, Field(ge=1, le=12)]


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
    training: GrowthConfig

    @model_validator(mode="after")
    def _fits(self) -> "Experiment":
        _check_reach(self.model, self.data.grid)
        pool = self.training.pool
        if pool is not None and pool.mutation > 0 and len(self.data.glyphs) < 2:
            raise ValueError("pool.mutation needs at least two glyphs in data.glyphs")
        return self


class ClassificationExperiment(Strict):
    """A row of Table 3 or 4: an automaton whose cells vote on an image's class.

    Attributes:
        task: tells this kind of file from the others.
        name: also the name of its folder below ``runs/``.
        title: what it is, for people.
        seed: where everything random comes from.
        data: what is to be classified, into ten classes.
        model: the automaton; the image and one channel per class come on top.
        training: how it is trained.

    """

    task: Literal["classify"]
    name: Name
    title: str
    seed: Seed = 0
    data: LabelledData
    model: ModelConfig
    training: ClassificationConfig

    @model_validator(mode="after")
    def _fits(self) -> "ClassificationExperiment":
        _check_reach(self.model, self.data.grid)
        if self.model.living_threshold is not None and self.data.name == "cifar10":
            raise ValueError(
                "model.living_threshold lets cells live where the first image channel is bright, "
                "which says nothing in a photograph; set it to null"
            )
        return self


class TextureExperiment(Strict):
    """An automaton that covers a canvas with a texture.

    Attributes:
        task: tells this kind of file from the others.
        name: also the name of its folder below ``runs/``.
        title: what it is, for people.
        seed: where everything random comes from.
        start_from: as for :class:`Experiment`.
        data: the texture.
        model: the automaton; red, green and blue come on top.
        training: how it is trained.

    """

    task: Literal["texture"]
    name: Name
    title: str
    seed: Seed = 0
    start_from: str | None = None
    data: TextureData
    model: ModelConfig
    training: TextureConfig

    @model_validator(mode="after")
    def _fits(self) -> "TextureExperiment":
        _check_reach(self.model, self.training.canvas or self.data.grid)
        if self.model.living_threshold is not None:
            raise ValueError("a texture has no dead cells; set model.living_threshold to null")
        return self


def _check_reach(model: ModelConfig, grid: int) -> None:
    if model.perception.reach > grid:
        raise ValueError(
            f"the perception's reach of {model.perception.reach} is larger than the grid of {grid}"
        )


Task = Experiment | OnePassExperiment | ClassificationExperiment | TextureExperiment
TASKS: dict[str, type[Task]] = {
    "grow": Experiment,
    "one-pass": OnePassExperiment,
    "classify": ClassificationExperiment,
    "texture": TextureExperiment,
}
AnyExperiment = Annotated[
    Annotated[Experiment, Tag("grow")]
    | Annotated[OnePassExperiment, Tag("one-pass")]
    | Annotated[ClassificationExperiment, Tag("classify")]
    | Annotated[TextureExperiment, Tag("texture")],
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


_SHORT = reprlib.Repr()  # of long lists, the beginning
_SHORT.maxstring = _SHORT.maxother = 80

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
            shown = "" if isinstance(given, dict) else f" (given: {_SHORT.repr(given)})"
            if item["type"] == "float_type" and isinstance(given, str) and "e" in given:
                message += "; YAML wants a point in numbers with an exponent, 5.0e-3"
            lines.append(f"{source}: {field}: {message}{shown}")
        raise ConfigError("\n".join(lines)) from None


def load_experiment(path: Path) -> Task:
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
