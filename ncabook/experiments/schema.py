"""What an experiment is: the typed form of the YAML files in this folder.

A file that does not fit is refused with one line per mistake: the file, the field, the reason.
"""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, FiniteFloat, Tag, field_validator, model_validator

from ncabook.data.emoji import VARIATION_SELECTOR
from ncabook.data.texture import COMPUTED, DTD
from ncabook.experiments.parts import MLPConfig, MultiConfig, ResNetConfig, SinglePerception
from ncabook.experiments.reading import ConfigError, parse, read, shorten
from ncabook.training.config import (
    ClassificationConfig,
    GrowthConfig,
    OnePassConfig,
    Strict,
    TextureConfig,
    Width,
)
from ncabook.training.style import RECEPTIVE_FIELD, SHRINK

Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$", max_length=100)]
Title = Annotated[str, Field(min_length=1, max_length=500)]
Seed = Annotated[int, Field(ge=0, lt=2**63)]
Glyph = Annotated[str, Field(min_length=1, max_length=40)]  # a family is a row of characters
MOST_GLYPHS = 4096  # more than there are
LARGEST = 4096  # cells along a picture's side; a batch of more fills any memory


class EmojiData(Strict):
    """Which glyphs are the classes, and how large they are drawn.

    Attributes:
        glyphs: one emoji per class.
        size: side of the drawn glyph, in cells.
        padding: empty cells on every side.

    """

    glyphs: Annotated[list[Glyph], Field(min_length=1, max_length=MOST_GLYPHS)]
    size: Annotated[int, Field(ge=1, le=LARGEST)]
    padding: Annotated[int, Field(ge=0, le=LARGEST)]

    @field_validator("glyphs")
    @classmethod
    def _different(cls, glyphs: list[str]) -> list[str]:
        pictures = [glyph.replace(VARIATION_SELECTOR, "") for glyph in glyphs]
        for place, picture in enumerate(pictures):
            if picture in pictures[:place]:
                raise ValueError(f"{glyphs[place]} stands twice; expected different glyphs")
        return glyphs

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
    title: Title
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
    title: Title
    seed: Seed = 0
    start_from: Annotated[str, Field(min_length=1)] | None = None
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
    title: Title
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
    title: Title
    seed: Seed = 0
    start_from: Annotated[str, Field(min_length=1)] | None = None
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


def _task(content: Any) -> str | None:
    """The kind of an experiment, or of what is to become one; None if there is no such kind."""
    if isinstance(content, dict):
        task = content.get("task", "grow")
    else:
        task = getattr(content, "task", None)
    return task if isinstance(task, str) and task in TASKS else None


AnyExperiment = Annotated[
    Annotated[Experiment, Tag("grow")]
    | Annotated[OnePassExperiment, Tag("one-pass")]
    | Annotated[ClassificationExperiment, Tag("classify")]
    | Annotated[TextureExperiment, Tag("texture")],
    Discriminator(
        _task,
        custom_error_type="no_experiment",
        custom_error_message=f"expected a mapping with a task, one of {', '.join(TASKS)}",
    ),
]


def load_experiment(path: Path) -> Task:
    """Reads and validates an experiment file, of the kind that its ``task`` names.

    Raises:
        ConfigError: the file is missing, is not YAML, or does not fit the schema.

    """
    content = read(path, "experiment")
    if not isinstance(content, dict):
        raise ConfigError(f"{path}: expected a mapping of fields (given: {shorten(content)})")
    task = _task(content)
    if task is None:
        given = shorten(content["task"])
        raise ConfigError(f"{path}: task: {given}; expected one of {', '.join(TASKS)}")
    return parse(TASKS[task], content, str(path))
