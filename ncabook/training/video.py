"""Learning what happens next, from films that run while they are learned from (§3.4, A.4).

Films are kept running, each at another age. An iteration takes some of them on by a few frames,
with gradients, and cuts there; their states stay for the next time. The first frames of a film are
shown as they are, the later ones are the model's own: so it meets its mistakes, and learns to live
with them. That is the pool of the paper, whose samples know which film they belong to and how old
they are. A film that ends makes room for a new one, which nobody has seen before.
"""

import math
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from ncabook.automaton.denormals import flushed_denormals
from ncabook.automaton.precision import autocast
from ncabook.data.labelled import Labelled
from ncabook.data.moving import Rules, make_films, random_walls
from ncabook.training.evolving import MOST_KEPT, MOST_SKIPPED
from ncabook.training.learner import Learner, Randomness, Skipped, Stateful, TrainingDivergedError
from ncabook.training.optimizer import build_optimizer
from ncabook.training.tracking import Tracking
from ncabook.training.video_config import FilmCellsConfig, FilmConfig, FilmView
from ncabook.training.watching import FilmCells, RecurrentFilm, Watcher


class RunningFilms:
    """Films, how far each is, and what was made of it so far.

    Args:
        watcher: who watches.
        source: digits.
        rules: of the films.
        count: how many run.
        stride: frames by which an iteration takes a film on.
        walls: whether a wall stands in each film.
        generator: source of films, on the CPU.
        device: where states are.

    Attributes:
        parts: by name, ``films`` uint8 ``[N, T, H, W]``, ``age`` int64 ``[N]`` (the newest frame
            that was shown next), ``seen`` ``[N, k, H, W]`` (what is seen if nothing is shown) and
            ``state`` ``[N, C, h, w]``.

    """

    def __init__(
        self,
        watcher: Watcher,
        source: Labelled,
        rules: Rules,
        count: int,
        stride: int,
        walls: bool,
        generator: torch.Generator,
        device: str,
    ) -> None:
        self.watcher, self.source, self.rules, self.walls = watcher, source, rules, walls
        self.stride, self.generator, self.device = stride, generator, device
        self.last = rules.frames - 1 - stride  # the oldest age at which a film can be taken on
        ages = watcher.first + torch.arange(count) * stride
        ages = watcher.first + (ages - watcher.first) % (self.last - watcher.first + 1)
        self.parts = self._begun(ages.to(device))

    def _begun(self, age: Tensor) -> dict[str, Tensor]:
        """New films ``[n]`` at some age, as if nothing had been watched before."""
        count, side = len(age), self.rules.side
        walls = random_walls(count, side, self.generator) if self.walls else None
        made = make_films(self.source, count, self.generator, self.rules, walls)
        films = made.pictures.to(self.device)
        state = self.watcher.start(count, side, side, walls, self.device)
        return {"films": films, "age": age, "seen": self.watcher.view(films, age), "state": state}

    def draw(self, count: int) -> tuple[Tensor, dict[str, Tensor]]:
        """Which films are next, at random, and their parts; all of them, if there are no more."""
        total = len(self.parts["age"])
        which = torch.arange(total)
        if count < total:
            which = torch.randperm(total, generator=self.generator)[:count]
        which = which.to(self.device)
        return which, {name: values[which] for name, values in self.parts.items()}

    def store(self, which: Tensor, watched: dict[str, Tensor]) -> None:
        """Puts films back, and new ones in the place of those that ended or exploded."""
        state = watched["state"]
        sane = state.abs().amax((1, 2, 3)) <= MOST_KEPT  # a NaN is not
        over = ((watched["age"] > self.last) | ~sane).nonzero()[:, 0]
        if len(over):
            first = torch.full((len(over),), self.watcher.first, device=self.device)
            begun = self._begun(first)
            for name, values in watched.items():
                values[over] = begun[name]
        for name, values in watched.items():
            self.parts[name][which] = values

    def state_dict(self) -> dict[str, Tensor]:
        """All parts."""
        return dict(self.parts)

    def load_state_dict(self, saved: dict[str, Tensor]) -> None:
        """Takes over what :meth:`state_dict` returned."""
        self.parts = {name: values.to(self.device) for name, values in saved.items()}


class VideoLearner(Learner):
    """Trains who watches films to tell the next frame, by squared error.

    Several processes do not share its work: each does all of it.

    Args:
        watcher: an automaton or a recurrent network, trained in place.
        source: digits that the films are made of.
        rules: of the films.
        config: the ``training`` part of an experiment.
        seed: everything random follows from it.
        device: where to train.
        tracker: where the curves go; None draws none.
        walls: whether a wall stands in each film.

    Raises:
        ValueError: films too short for what is to be seen and told.

    """

    config: FilmConfig

    def __init__(
        self,
        watcher: FilmCells | RecurrentFilm,
        source: Labelled,
        rules: Rules,
        config: FilmConfig,
        seed: int,
        device: str = "cpu",
        tracker: Tracking | None = None,
        walls: bool = False,
    ) -> None:
        network = watcher.nca if isinstance(watcher, FilmCells) else watcher.network
        super().__init__(network, config, seed, device, tracker)
        network.to(self.device).train()
        check_length(rules.frames, watcher.first, watcher.shift, config)
        self.watcher = watcher
        self.optimizer = build_optimizer(network, config.optimizer)
        # Two sources of randomness: films are made on the CPU, masks where the states are.
        self.host_generator = torch.Generator().manual_seed(seed)
        self.generator = torch.Generator(self.device).manual_seed(seed)
        self.skipped = Skipped()
        if isinstance(watcher, FilmCells) and isinstance(config, FilmCellsConfig):
            watcher.ahead = config.steps.max * config.window * config.iterations
        stride = config.window * watcher.shift
        self.running = RunningFilms(
            watcher, source, rules, config.films, stride, walls, self.host_generator, self.device
        )

    @property
    def learning_rate(self) -> float:
        """Of the optimiser, before the schedule."""
        return self.config.optimizer.learning_rate

    def parts(self) -> dict[str, Stateful]:
        """Weights, optimiser, the films as they run, random numbers, and what was skipped."""
        return {
            "model": self.network,
            "optimizer": self.optimizer,
            "films": self.running,
            "random": Randomness(host=self.host_generator, device=self.generator),
            "skipped": self.skipped,
        }

    def record(self) -> dict[str, Any]:
        """How many iterations changed nothing."""
        return {"skipped": self.skipped.all}

    @flushed_denormals()
    def step(self, rate: float) -> dict[str, float]:
        """Takes a batch of films on by some frames.

        The loss is the mean squared error of what is told: of a window, of all its frames. Where
        the gradient overflows though the loss does not, the weights stay as they are.
        """
        config, watcher = self.config, self.watcher
        if isinstance(watcher, FilmCells) and isinstance(config, FilmCellsConfig):
            low, high = config.steps.min, config.steps.max
            watcher.steps = int(torch.randint(low, high + 1, (), generator=self.host_generator))
        which, films = self.running.draw(config.batch)
        forced = self.iteration < config.forced * config.iterations
        self.network.zero_grad(set_to_none=True)
        with autocast(self.accelerator.device, config.precision):
            loss, new, outside = (torch.zeros((), device=self.device) for _ in range(3))
            for _ in range(config.window):
                true, wanted = (
                    f(films["films"], films["age"]) for f in (watcher.view, watcher.wanted)
                )
                alone = (films["age"] >= config.shown) & (not forced)
                seen = torch.where(alone[:, None, None, None], films["seen"], true)
                films["state"], told = watcher.look(films["state"], seen, alone, self.generator)
                loss = loss + F.mse_loss(told, wanted)
                new = new + F.mse_loss(watcher.new(told), watcher.new(wanted)).detach()
                outside = outside + watcher.outside(films["state"])
                films["seen"] = watcher.next_seen(seen, told)
                films["age"] = films["age"] + watcher.shift
        weight = config.overflow if isinstance(config, FilmCellsConfig) else 0.0
        total = (loss + weight * outside) / config.window
        total.backward()
        norm = float(torch.nn.utils.clip_grad_norm_(self.network.parameters(), config.clip))
        if not math.isfinite(float(total.detach())):
            raise TrainingDivergedError(f"loss {float(total.detach())}")
        self.skipped.note(overflowed=not math.isfinite(norm))
        if self.skipped.in_a_row > MOST_SKIPPED:
            raise TrainingDivergedError(
                f"gradient norm {norm}, {self.skipped.in_a_row} times in a row"
            )
        if not self.skipped.in_a_row:
            self.optimizer.step(rate)
        self.running.store(which, {name: values.detach() for name, values in films.items()})
        self.iteration += 1
        pixels = films["films"].shape[2] * films["films"].shape[3]
        return {
            "loss": float(loss.detach()) / config.window,
            "new_frame": float(new) * pixels / config.window,
            "gradient_norm": norm,
        }


def check_length(frames: int, first: int, shift: int, config: FilmConfig) -> None:
    """Refuses films too short for a view of k frames, and what is told of it.

    Args:
        frames: of a film.
        first: the newest frame of the first view, k − 1 in a window.
        shift: n.
        config: how many frames an iteration takes, and how many are shown.

    Raises:
        ValueError: with the numbers.

    """
    needed = first + 1 + shift * config.window
    if needed > frames:
        raise ValueError(
            f"{first + 1} frames to begin with, and {config.window} times {shift} to tell, are "
            f"{needed}, and a film has {frames}; expected longer films, or a smaller window"
        )
    if config.shown <= first:
        raise ValueError(
            f"shown {config.shown} is less than the {first + 1} frames of the first view; expected "
            "as many or more"
        )
    if config.shown >= frames:
        raise ValueError(
            f"shown {config.shown} of films of {frames} frames leaves none to be told alone; "
            f"expected {frames - 1} or less"
        )


def news(view: FilmView, reach: int, steps: int) -> int:
    """How far news travels in a frame, in pixels.

    Args:
        view: how large cells are.
        reach: cells that news travels in a step.
        steps: in a frame.

    """
    return view.patch * reach * steps
