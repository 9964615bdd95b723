"""Where training runs: device, precision and processes, by accelerate; and how Ctrl-C reaches it.

``accelerate launch`` starts one process per GPU (or, with ``--cpu``, per share of the CPU) and
says so in the environment; without it there is one process.
"""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import cast

import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState
from accelerate.utils import parse_flag_from_env, patch_environment
from torch import Tensor, nn

from ncabook.automaton import NCA
from ncabook.automaton.precision import Precision, products
from ncabook.training.tracking import Tracking

MIXED_PRECISION = {"float32": "no", "bfloat16": "bf16"}


def default_device() -> str:
    """The GPU if there is one and ``accelerate launch --cpu`` does not forbid it."""
    forbidden = parse_flag_from_env("ACCELERATE_USE_CPU")
    return "cuda" if torch.cuda.is_available() and not forbidden else "cpu"


def check_device(device: str, here: bool = True) -> torch.device:
    """The device of this name; with ``here`` off, one that another machine may have.

    Raises:
        ValueError: it is neither a CPU nor a GPU that PyTorch finds here.

    """
    gpus = torch.cuda.device_count() if torch.cuda.is_available() else 0
    try:
        found = torch.device(device)
    except RuntimeError:
        found = None
    if found is None or not (
        found.type == "cpu" or (found.type == "cuda" and (not here or (found.index or 0) < gpus))
    ):
        offered = f"cpu, cuda, or cuda:0 to cuda:{gpus - 1}" if gpus else "cpu"
        raise ValueError(
            f"device {device!r}; expected {offered}: PyTorch finds {gpus or 'no'} "
            f"GPU{'s' if gpus != 1 else ''} here"
        )
    return found


def launched() -> bool:
    """Whether a launcher started this process as one of a group."""
    return "LOCAL_RANK" in os.environ or group_size() > 1


def group_size() -> int:
    """How many processes train together; 1 without a launcher."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def is_main_process() -> bool:
    """Whether this is the process that writes and speaks for its group; true without a group."""
    return int(os.environ.get("RANK", "0")) == 0


def leave_group() -> None:
    """Ends this process's part in its group, if there is one; nothing can be trained after."""
    if torch.distributed.is_initialized():
        torch.distributed.destroy_process_group()


def accelerator(
    device: str,
    precision: Precision,
    tracker: Tracking | None = None,
) -> Accelerator:
    """An accelerator for one training, whatever the trainings before it used.

    Args:
        device: ``cpu``, ``cuda`` or ``cuda:1``; in a group every process gets its own GPU.
        precision: ``float32``, or ``bfloat16`` where the hardware multiplies it.
        tracker: where curves go, if anywhere.

    Raises:
        ValueError: the device is not here, or not what the launcher provides.

    """
    if launched() and ":" in device:
        raise ValueError(
            f"device {device} with several processes; each gets its own GPU, so give cuda or cpu"
        )
    wanted = check_device(device)
    # accelerate keeps one state per process and refuses another precision or device later on;
    # a notebook trains more than once. The process group, if any, is kept.
    AcceleratorState._reset_state(reset_partial_state=True)
    choice = nullcontext() if launched() else patch_environment(ACCELERATE_TORCH_DEVICE=device)
    with choice:
        result = Accelerator(
            cpu=wanted.type == "cpu",
            mixed_precision=MIXED_PRECISION[products(wanted, precision)],
            log_with=tracker.tracker if tracker and tracker.tracker != "none" else None,
            project_dir=tracker.folder if tracker else None,
        )
    if result.device.type != wanted.type:
        raise ValueError(
            f"device {device} was asked for, but accelerate provides {result.device.type}; "
            "give --device as the launcher's, or none"
        )
    return result


class Rollout(nn.Module):
    """The automaton's rollout as a ``forward``, which accelerate can wrap (autocast, DDP).

    Args:
        nca: the automaton.
        memory: bytes that a rollout may keep for its gradient.
        every: also keep every so many states; None keeps the last one only.

    """

    def __init__(self, nca: NCA, memory: int | None, every: int | None = None) -> None:
        super().__init__()
        self.nca = nca
        self.memory = memory
        self.every = every

    def forward(
        self, state: Tensor, steps: int, condition: Tensor | None, fire: list[Tensor]
    ) -> Tensor:
        """As :meth:`NCA.rollout`, ``[T, B, C, H, W]``; ``fire`` holds a mask per step."""
        named = {"fire": fire.__getitem__, "record_every": self.every, "memory": self.memory}
        film = self.nca.rollout(state, steps, condition, **named)
        return film[None] if self.every is None else film


def share(accelerator: Accelerator, batch: int, accumulation: int) -> list[slice]:
    """The parts of a batch that this process takes, ``accumulation`` of them, one after another.

    Raises:
        ValueError: the parts would not be equal.

    """
    parts = accelerator.num_processes * accumulation
    if batch % parts:
        raise ValueError(
            f"a batch of {batch} cannot be shared by {accelerator.num_processes} processes with "
            f"accumulation {accumulation}; expected a multiple of {parts}: change one of the three"
        )
    size, first = batch // parts, accelerator.process_index * accumulation
    return [slice(size * i, size * (i + 1)) for i in range(first, first + accumulation)]


def reduced(accelerator: Accelerator, values: Tensor, how: str) -> Tensor:
    """The ``mean`` or ``sum`` of all processes' values, the same in every process."""
    return cast(Tensor, accelerator.reduce(values, how))


def gathered(accelerator: Accelerator, values: Tensor) -> Tensor:
    """All processes' values, one after another, ``[processes · n, …]``."""
    return cast(Tensor, accelerator.gather(values))


def any_process(accelerator: Accelerator, flag: bool) -> bool:
    """Whether the flag is up in any process: they have to stop after the same iteration."""
    if accelerator.num_processes == 1:
        return flag
    flags = torch.full((1,), float(flag), device=accelerator.device)
    return bool(reduced(accelerator, flags, "sum").item())


# What asks a program to end: Ctrl-C, ``kill`` or a shutdown, a terminal that is closed.
ENDS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]


@contextmanager
def ending_like_ctrl_c(job: bool = False) -> Iterator[None]:
    """Lets ``kill`` and a closed terminal end a program as Ctrl-C does, in good order.

    Whoever ignores one of them (``nohup``), or has a way of their own, keeps it; only ``kill``
    is taken from the keeper of a ``job``, who would write it down and go on.
    """
    main = threading.current_thread() is threading.main_thread()
    previous = {number: signal.getsignal(number) for number in ENDS if main}
    taken = [
        number
        for number, handler in previous.items()
        if handler is signal.SIG_DFL or (job and number == signal.SIGTERM)
    ]
    for number in taken:
        signal.signal(number, signal.default_int_handler)
    try:
        yield
    finally:
        for number in taken:
            signal.signal(number, previous[number])


@contextmanager
def noting_interrupts() -> Iterator[threading.Event]:
    """Turns Ctrl-C into a flag, so that no iteration is left half done; a second one is Ctrl-C.

    So are the signals that :func:`ending_like_ctrl_c` turned into one; but a second of those is
    no sign of impatience: a terminal that is closed, or a shutdown, may send several.
    """
    interrupted = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield interrupted  # only the main thread may, or needs to, handle signals
        return
    handlers = {number: signal.getsignal(number) for number in ENDS}
    previous = {
        number: handler
        for number, handler in handlers.items()
        if handler is signal.default_int_handler
        # Whoever started this in the background wants no interrupts.
        or (number == signal.SIGINT and handler is not signal.SIG_IGN)
    }

    def note(*_: object) -> None:
        # In this order: a second Ctrl-C inside ``set`` would wait for its lock for ever.
        for number, handler in previous.items():
            signal.signal(number, handler if number == signal.SIGINT else signal.SIG_IGN)
        interrupted.set()

    for number in previous:
        signal.signal(number, note)
    try:
        yield interrupted
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
