"""What a task is: one kind of experiment, and everything that anybody asks about it.

The runner, the commands, the tables and the live figures know no kind of experiment by name. They
look up the task of the one at hand (:func:`ncabook.tasks.task_of`), and ask it.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Generic, TypeVar, get_args

from pydantic import Field
from torch import Tensor

from ncabook.automaton import NCA
from ncabook.networks import VQVAE, ConvLSTM, OnePass, SmallCNN, UNet
from ncabook.reading import Strict
from ncabook.tasks.report import Report
from ncabook.training.fine_model import FineModel
from ncabook.training.learner import Learner
from ncabook.training.processes import group_size
from ncabook.training.tracking import Tracking

FLOAT = 4  # bytes

Network = NCA | FineModel | ConvLSTM | OnePass | SmallCNN | UNet | VQVAE
Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$", max_length=100)]
Title = Annotated[str, Field(min_length=1, max_length=500)]
Seed = Annotated[int, Field(ge=0, lt=2**63)]
LARGEST = 4096  # cells along a picture's side; a batch of more fills any memory


class BaseExperiment(Strict):
    """One row of a table: data, model, training and seed.

    Tasks derive from it, and add ``data``, ``model`` and ``training`` of their own.

    Attributes:
        task: tells one kind of file from the others.
        name: also the name of its folder below ``runs/``.
        title: what it is, for people.
        seed: where everything random comes from.
        start_from: a trained model whose weights are the first ones; random ones if not given.

    """

    task: str
    name: Name
    title: Title
    seed: Seed = 0
    start_from: Annotated[str, Field(min_length=1)] | None = None
    data: Any
    model: Any
    training: Any


@dataclass(frozen=True)
class Look:
    """How much of an evaluation is done; the defaults are all of it, as cards have it.

    Attributes:
        seeds: rollouts per class, or as the task's protocol says.
        lpips: whether LPIPS is measured, where the task has pictures to compare.
        further: whether what the paper's tables leave out is measured.

    """

    seeds: int | None = None
    lpips: bool = True
    further: bool = True

    @property
    def whole(self) -> bool:
        """Whether nothing is left out."""
        return self == Look()


E = TypeVar("E", bound=BaseExperiment)


class Task(ABC, Generic[E]):
    """Everything that depends on the kind of an experiment.

    Attributes:
        kind: the class of its experiments.
        name: their ``task``.
        has_figure: whether its networks are automata, which live in a page.
        looks: whether it can be measured in part (:class:`Look`).
        devices: where it is measured, ``cpu`` and perhaps ``cuda``.
        headline: of its report, the numbers that tables of many models show, by their keys.
        judges: names of trained models that :meth:`measure` is handed, by name, as ``judges``.

    """

    kind: ClassVar[type[BaseExperiment]]
    headline: ClassVar[tuple[str, ...]] = ()
    has_figure: ClassVar[bool] = True
    looks: ClassVar[bool] = False
    devices: ClassVar[tuple[str, ...]] = ("cpu",)
    judges: ClassVar[tuple[str, ...]] = ()

    @property
    def name(self) -> str:
        """What experiments call it."""
        (name,) = get_args(self.kind.model_fields["task"].annotation)
        return name

    @abstractmethod
    def network(self, experiment: E) -> Network:
        """The model with random weights, from PyTorch's global generator."""

    @abstractmethod
    def data(self, experiment: E) -> tuple[Tensor, ...]:
        """What is learned from. A card holds the sha256 of these bytes."""

    @abstractmethod
    def learner(
        self,
        experiment: E,
        network: Any,
        data: tuple[Any, ...],
        device: str,
        tracker: Tracking | None = None,
    ) -> Learner:
        """What learns.

        Args:
            experiment: how.
            network: from :meth:`network`.
            data: from :meth:`data`.
            device: where.
            tracker: where the curves go.

        """

    @abstractmethod
    def needs(self, experiment: E) -> dict[str, int]:
        """Bytes of memory by what they are for, beside the parameters'.

        Each is bounded from below: what would fit is never refused. ``targets`` are needed
        without training, too.
        """

    def frozen(self, experiment: E) -> dict[str, str]:
        """Trained models that this one stands on, and that stay as they are, such as encoders.

        Names or folders, by what they are for. Loaded, they are handed to :meth:`learner`,
        :meth:`measure` and :meth:`live` as ``frozen``, where there are any.
        """
        return {}

    def targets(self, experiment: E) -> Tensor | None:
        """``[classes, 4, H, W]``, the pictures that are to be grown; None if there are none."""
        return None

    @abstractmethod
    def measure(self, experiment: E, network: Any, look: Look, device: str) -> dict[str, Any]:
        """What goes into a card's ``metrics``.

        Args:
            experiment: whose data and protocol.
            network: trained, on the device.
            look: how much; all of it, where ``looks`` is not set.
            device: where.

        """

    @abstractmethod
    def report(self, metrics: dict[str, Any]) -> Report:
        """The numbers of an evaluation, for people."""

    def notes(self, experiment: E) -> list[str]:
        """What a card says beside numbers, such as what may be done with what was learned."""
        return []

    def shows(self, experiment: E) -> bool:
        """Whether a page may run what was trained by this experiment."""
        return self.has_figure

    def live(self, experiment: E, nca: Any) -> dict[str, Any]:
        """What :func:`ncabook.live.describe` is to be told: ``height``, ``width`` and options.

        Args:
            experiment: of a trained model.
            nca: its automaton; with a decoder of its own, if the task's networks have one.

        """
        raise TypeError(f"{experiment.name} has no live figure")


def state_bytes(
    experiment: BaseExperiment, channels: int, height: int, width: int | None = None
) -> dict[str, int]:
    """Of an automaton's training: a batch, the pool, and the states of a rollout.

    Args:
        experiment: with a ``training`` by steps.
        channels: of a state.
        height: of the grid, in cells.
        width: likewise; as the height if not given.

    """
    training = experiment.training
    state = FLOAT * channels * height * (height if width is None else width)
    batch = state * training.batch
    rollout = batch * training.steps.max // (group_size() * training.accumulation)
    return {
        "batch": batch,
        "pool": state * training.pool.capacity if training.pool else 0,
        # At once: this process's share of a batch, or a part of it, a state for each step.
        "rollout": min(rollout, training.memory_bytes or rollout),
    }
