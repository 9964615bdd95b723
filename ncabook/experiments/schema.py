"""What an experiment is: the typed form of the YAML files in this folder.

A file that does not fit is refused with one line per mistake: the file, the field, the reason.
"""

from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

Positive = Annotated[int, Field(ge=1)]
Ratio = Annotated[float, Field(ge=0, le=1)]
Rate = Annotated[float, Field(gt=0)]


class ConfigError(Exception):
    """An experiment file that cannot be used."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class EmojiData(_Strict):
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


class ConvConfig(_Strict):
    """A :class:`~ncabook.automaton.ConvPerception`."""

    kind: Literal["conv"]
    features: Positive
    kernel_size: Positive = 3
    dilation: Positive = 1


class SobelConfig(_Strict):
    """A :class:`~ncabook.automaton.SobelPerception`."""

    kind: Literal["sobel"]
    laplacian: bool = False


class ModelConfig(_Strict):
    """The automaton: RGBA and hidden channels, perception, update, masks."""

    hidden_channels: Annotated[int, Field(ge=0)]
    perception: Annotated[ConvConfig | SobelConfig, Field(discriminator="kind")]
    update_hidden: list[Positive]
    fire_rate: Annotated[float, Field(gt=0, le=1)] = 0.5
    living_threshold: float | None = 0.1


class StepsConfig(_Strict):
    """Rollout length, drawn uniformly from ``min`` to ``max``, both included."""

    min: Positive
    max: Positive

    @model_validator(mode="after")
    def _ordered(self) -> "StepsConfig":
        if self.max < self.min:
            raise ValueError(f"steps.max {self.max} is smaller than steps.min {self.min}")
        return self


class PoolConfig(_Strict):
    """The sample pool (§2.4).

    Attributes:
        capacity: states kept.
        delay: iterations before the pool is first used and filled.
        ratio: share of a batch that is drawn from the pool.
        mutation: share of the drawn samples that get another class.
        damage: share of the drawn samples that are damaged; no sample is both.
    """

    capacity: Positive
    delay: Annotated[int, Field(ge=0)] = 0
    ratio: Ratio
    mutation: Ratio
    damage: Ratio

    @model_validator(mode="after")
    def _disjoint(self) -> "PoolConfig":
        if self.mutation + self.damage > 1 + 1e-9:
            raise ValueError(
                f"pool.mutation {self.mutation} and pool.damage {self.damage} add up to more than 1"
            )
        return self


class OptimizerConfig(_Strict):
    """Muon (with Adam for biases) or Adam for everything."""

    kind: Literal["muon", "adam"]
    learning_rate: Rate
    adam_learning_rate: Rate = 2e-3


class TrainingConfig(_Strict):
    """How the automaton is trained (Algorithm 1)."""

    iterations: Positive
    batch: Positive
    steps: StepsConfig
    optimizer: OptimizerConfig
    warmup: Positive
    clip: Rate = 1.0
    overflow: Annotated[float, Field(ge=0)] = 1.0
    pool: PoolConfig | None = None
    precision: Literal["float32", "bfloat16"] = "float32"
    checkpoint_every: Positive = 250

    @model_validator(mode="after")
    def _fits(self) -> "TrainingConfig":
        if self.pool is not None and self.pool.capacity < self.batch:
            raise ValueError(
                f"pool.capacity {self.pool.capacity} is smaller than the batch of {self.batch}"
            )
        return self


class Experiment(_Strict):
    """One row of a table: data, model, training and seed."""

    name: str
    title: str
    seed: int = 0
    data: EmojiData
    model: ModelConfig
    training: TrainingConfig

    @model_validator(mode="after")
    def _reach(self) -> "Experiment":
        pool = self.training.pool
        if pool is not None and pool.mutation > 0 and len(self.data.glyphs) < 2:
            raise ValueError("pool.mutation needs at least two glyphs in data.glyphs")
        return self


def parse_experiment(content: Any, source: str) -> Experiment:
    """Validates a mapping; ``source`` names it in error messages.

    Raises:
        ConfigError: one line per mistake, each with source, field and reason.
    """
    try:
        return Experiment.model_validate(content)
    except ValidationError as error:
        lines = []
        for item in error.errors(include_url=False):
            field = ".".join(str(part) for part in item["loc"]) or "(whole file)"
            message = item["msg"].removeprefix("Value error, ")
            given = item["input"]
            shown = "" if isinstance(given, dict) else f" (given: {given!r})"
            lines.append(f"{source}: {field}: {message}{shown}")
        raise ConfigError("\n".join(lines)) from None


def load_experiment(path: Path) -> Experiment:
    """Reads and validates an experiment file.

    Raises:
        ConfigError: the file is missing, is not YAML, or does not fit the schema.
    """
    if not path.is_file():
        raise ConfigError(f"{path}: no such experiment file")
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        reason = " ".join(str(error).split())
        raise ConfigError(f"{path}: not a YAML file: {reason}") from None
    return parse_experiment(content, str(path))
