"""How an automaton is trained, as typed configuration: the ``training`` part of an experiment."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from ncabook.automaton.precision import Precision
from ncabook.reading import Strict

# Bounds from above are far beyond what is ever trained: with them, a slip of the pen is one line
# here instead of a failure for want of memory later.
Positive = Annotated[int, Field(ge=1, le=10**9)]
Samples = Annotated[int, Field(ge=1, le=10**6)]
Steps = Annotated[int, Field(ge=1, le=10**5)]
Width = Annotated[int, Field(ge=1, le=2**14)]  # channels, features
Ratio = Annotated[float, Field(ge=0, le=1)]
Rate = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class StepsConfig(Strict):
    """Rollout length, drawn uniformly from ``min`` to ``max``, both included."""

    min: Steps
    max: Steps

    @model_validator(mode="after")
    def _ordered(self) -> "StepsConfig":
        if self.max < self.min:
            raise ValueError(f"steps.max {self.max} is smaller than steps.min {self.min}")
        return self


class PoolConfig(Strict):
    """The sample pool (§2.4).

    Attributes:
        capacity: states kept.
        delay: iterations before the pool is first used and filled.
        ratio: share of a batch that is drawn from the pool.
        mutation: share of the drawn samples that get another class.
        damage: share of the drawn samples that are damaged; no sample is both.
        lead: steps, at most, that drawn samples live on before anything is done to them. They
            need no gradient, so that states much older than a rollout can be learned from.

    """

    capacity: Samples
    delay: Annotated[int, Field(ge=0, le=10**9)] = 0
    lead: Annotated[int, Field(ge=0, le=10**5)] = 0
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


class OptimizerConfig(Strict):
    """SOAP, Muon (with Adam for biases) or Adam; chapter 04 compares them."""

    kind: Literal["soap", "muon", "adam"]
    learning_rate: Rate
    adam_learning_rate: Rate = 2e-3


Memory = Annotated[str, Field(pattern=r"^\d{1,6}(\.\d{1,6})?[MG]B$")]


class LoopConfig(Strict):
    """What every training has.

    Attributes:
        iterations: steps of learning.
        warmup: iterations in which the learning rate rises, before it falls along a cosine.
        checkpoint_every: iterations between two checkpoints.
        precision: of the products, where the hardware multiplies it.

    """

    iterations: Positive
    warmup: Positive
    checkpoint_every: Positive = 250
    precision: Precision = "float32"


class TrainingConfig(LoopConfig):
    """How the automaton is trained (Algorithm 1).

    ``batch`` is the whole batch of an iteration: the processes share it, and each takes its
    share in ``accumulation`` parts, one after another, which saves memory. ``memory`` is what a
    rollout may keep for its gradient, such as ``"8GB"`` or ``"500MB"`` (decimal); steps beyond
    that are computed twice. Without it all is kept.
    """

    batch: Samples
    accumulation: Samples = 1
    steps: StepsConfig
    optimizer: OptimizerConfig
    clip: Rate = 1.0
    overflow: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 1.0
    pool: PoolConfig | None = None
    memory: Memory | None = None

    @property
    def memory_bytes(self) -> int | None:
        """``memory`` as a number."""
        if self.memory is None:
            return None
        return int(float(self.memory[:-2]) * {"M": 10**6, "G": 10**9}[self.memory[-2]])

    @model_validator(mode="after")
    def _fits(self) -> "TrainingConfig":
        if self.pool is not None and self.pool.capacity < self.batch:
            raise ValueError(
                f"pool.capacity {self.pool.capacity} is smaller than the batch of {self.batch}"
            )
        return self


class SurvivalConfig(Strict):
    """A loss on seeds that die in their first steps (:mod:`ncabook.training.survival`).

    Attributes:
        weight: of this loss, beside that of the picture.
        margin: alpha that a seed cell is to keep, before the living mask.
        steps: how many are looked at.
        seeds: that are grown for it at each iteration, the classes in turn.

    """

    weight: Rate = 0.1
    margin: Rate = 0.3
    steps: Steps = 4
    seeds: Samples = 20


class GrowthConfig(TrainingConfig):
    """How an automaton is trained to grow pictures from seeds (§3.1).

    Attributes:
        survival: a loss on seeds that die in their first steps; None leaves them to chance.

    """

    survival: SurvivalConfig | None = None


class ClassificationConfig(TrainingConfig):
    """How an automaton is trained to classify (Algorithm 3).

    In the pool, ``mutation`` is the share of the drawn samples that get another image and label.

    Attributes:
        loss: squared error of every cell's votes (eq. 7), or their cross-entropy (eq. 8).
        augment: whether images are mirrored and moved by up to four cells.

    """

    loss: Literal["mse", "cross-entropy"]
    augment: bool = False


class TextureConfig(TrainingConfig):
    """How an automaton is trained to cover a canvas with a texture (§3.2).

    Attributes:
        style: sliced optimal transport (eq. 5), or Gram matrices.
        projections: random directions for each layer and iteration.
        canvas: side of the canvases, in cells; that of the texture if not given. On a smaller
            one fewer patches are compared, and all costs less.

    """

    style: Literal["transport", "gram"] = "transport"
    projections: Width = 32
    canvas: Annotated[int, Field(ge=64, le=2**12, multiple_of=8)] | None = None

    @model_validator(mode="after")
    def _one_style(self) -> "TextureConfig":
        if self.pool is not None and self.pool.mutation > 0:
            raise ValueError(
                "pool.mutation needs classes, and a texture has one style; set it to 0"
            )
        return self


class AdamConfig(LoopConfig):
    """What every training of a network of one pass has.

    Attributes:
        learning_rate: of Adam.

    """

    learning_rate: Rate


class OnePassConfig(AdamConfig):
    """How a network of one pass is trained on the automata's task.

    A batch is made as the trainer of automata makes one from its pool: some samples are the seed
    cell, some a picture that is to become another class's, some a damaged one, the rest a whole
    one.

    Attributes:
        batch: images in an iteration.
        seeds: share of a batch that starts from the seed cell.
        mutation: share of the others that get another class.
        damage: share of the others that are damaged; no sample is both.
        critic: width of pix2pix's critic (Isola et al. 2017); None trains by squared error.

    """

    batch: Samples
    seeds: Ratio
    mutation: Ratio
    damage: Ratio
    critic: Width | None = None
