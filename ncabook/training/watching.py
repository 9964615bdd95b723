"""How a film is watched: an automaton or a recurrent network is shown frames, and tells the next.

Frames are gray, in [0, 1], ``[B, frames, height, width]``, the newest first, as in the authors'
code. A cell may hold a patch of several pixels: they are its channels (pixel unshuffle), so that a
small grid sees a large picture and news travels farther in a step.
"""

from abc import ABC, abstractmethod

import torch
import torch.nn.functional as F
from torch import Tensor

from ncabook.automaton import NCA, ChannelLayout, empty_state
from ncabook.networks.convlstm import ConvLSTM
from ncabook.training.video_config import FilmView

FADES = 8  # pixels from an edge in which a position falls to 1/e
ROOM = 3.0  # numbers of a state may grow to this, for nothing


class Watcher(ABC):
    """Whoever is shown frames, and tells the next ones.

    Args:
        frames: seen at once, k.
        shift: new ones told at once, n.
        patch: pixels along a cell's side.
        first: the newest frame of the first view, counted from 0.

    """

    def __init__(self, frames: int, shift: int = 1, patch: int = 1, first: int = 0) -> None:
        self.frames, self.shift, self.patch, self.first = frames, shift, patch, first

    @abstractmethod
    def start(
        self, count: int, height: int, width: int, walls: Tensor | None = None, device: str = "cpu"
    ) -> Tensor:
        """States ``[count, C, H, W]`` that have seen nothing, for frames of so many pixels.

        Args:
            count: of films.
            height: of a frame, in pixels.
            width: likewise.
            walls: bool ``[count, height, width]``.
            device: where.

        """

    @abstractmethod
    def look(
        self,
        state: Tensor,
        seen: Tensor,
        alone: Tensor,
        generator: torch.Generator | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Shows frames.

        Args:
            state: ``[B, C, H, W]``.
            seen: ``[B, frames, height, width]``.
            alone: bool ``[B]``, which films were watched to their end, and go on by themselves.
            generator: source of fire masks.

        Returns:
            the state after, and what is told, ``[B, n or k, height, width]``: the newest first.

        """

    def outside(self, state: Tensor) -> Tensor:
        """How far numbers of a state leave their range, a number."""
        return state.new_zeros(())

    def next_seen(self, seen: Tensor, told: Tensor) -> Tensor:
        """What is seen next, if what is told is believed: ``[B, frames, height, width]``."""
        return torch.cat([told.clamp(0, 1), seen], 1)[:, : self.frames]

    def view(self, films: Tensor, age: Tensor) -> Tensor:
        """True frames ``[B, frames, height, width]``, the newest first; none before the first.

        Args:
            films: uint8 ``[B, T, height, width]``.
            age: int64 ``[B]``, the newest frame's number, from 0.

        """
        return _frames(films, age[:, None] - torch.arange(self.frames, device=age.device))

    def wanted(self, films: Tensor, age: Tensor) -> Tensor:
        """What is to be told at this age, as :meth:`look` tells it."""
        back = torch.arange(self.shift, device=age.device)
        return _frames(films, age[:, None] + self.shift - back)

    def new(self, told: Tensor) -> Tensor:
        """The frames of what is told that were not seen, the oldest first."""
        return told[:, : self.shift].flip(1)

    def check(self, height: int, width: int) -> None:
        """Refuses frames that do not divide into patches."""
        if height % self.patch or width % self.patch:
            raise ValueError(
                f"frames of {height}×{width} pixels do not divide into cells of "
                f"{self.patch}×{self.patch}; expected sides divisible by {self.patch}"
            )


def _frames(films: Tensor, numbers: Tensor) -> Tensor:
    rows = torch.arange(len(films), device=films.device)[:, None]
    return films[rows, numbers.clamp(min=0)].float() / 255


class FilmCells(Watcher):
    """An automaton that watches films.

    Args:
        nca: with the channels of :func:`film_layout`.
        view: how it is shown them.
        steps: for each frame.
        ahead: steps to be made in all, so that :meth:`~ncabook.automaton.NCA.rollout` can tell
            whether the compiled step is worth its trouble.

    Raises:
        ValueError: channels that do not fit.

    """

    def __init__(self, nca: NCA, view: FilmView, steps: int, ahead: int = 0) -> None:
        super().__init__(view.frames, view.shift, view.patch, view.first)
        given, wanted = nca.layout, film_layout(view, nca.layout.hidden)
        if given != wanted:
            raise ValueError(f"an automaton of {given}; expected {wanted}, for this view")
        self.nca, self.how, self.steps, self.ahead = nca, view, steps, ahead

    def start(
        self, count: int, height: int, width: int, walls: Tensor | None = None, device: str = "cpu"
    ) -> Tensor:
        """Zeros, and where cells are and walls stand.

        Raises:
            ValueError: sides that do not divide into patches, or walls that nobody sees.

        """
        self.check(height, width)
        state = empty_state(
            self.nca.layout, height // self.patch, width // self.patch, count, device
        )
        where, last = 0 if self.how.state == "window" else self.frames * self.patch**2, 0
        if self.how.positions:
            last = where + 2
            state[:, where:last] = positions(self.how, *state.shape[2:]).to(device)
            where = last
        if walls is not None and not self.how.walls:
            raise ValueError("walls are given, and this view has no channels for them")
        if walls is not None:
            seen = F.pixel_unshuffle(walls[:, None].float(), self.patch)
            state[:, where : self.nca.layout.fixed] = seen
        return state

    def look(
        self,
        state: Tensor,
        seen: Tensor,
        alone: Tensor,
        generator: torch.Generator | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Writes the frames into their channels, and makes some steps."""
        state = self.nca.rollout(
            self.shown(state, seen, alone), self.steps, generator=generator, ahead=self.ahead
        )
        return state, self.told(state)

    def shown(self, state: Tensor, seen: Tensor, alone: Tensor) -> Tensor:
        """States ``[B, C, H, W]`` that the frames are written into, before any step."""
        patches = F.pixel_unshuffle(seen, self.patch)  # each frame's pixels in a row
        layout = self.nca.layout
        hidden = state[:, layout.fixed + layout.visible :]
        if self.how.state == "window":
            hidden = hidden * alone[:, None, None, None]
            return torch.cat([state[:, : layout.fixed], patches, hidden], 1)
        if self.how.state == "fresh":
            hidden = torch.zeros_like(hidden)
        where = state[:, patches.shape[1] : layout.fixed]
        return torch.cat([patches, where, patches[:, : layout.visible], hidden], 1)

    def told(self, state: Tensor) -> Tensor:
        """What the visible channels show, ``[B, 1 or frames, height, width]``."""
        return F.pixel_shuffle(state[:, self.nca.layout.visible_slice], self.patch)

    def wanted(self, films: Tensor, age: Tensor) -> Tensor:
        """The next frame; of a window, all of its frames, most of which were seen."""
        if self.how.state == "window":
            return self.view(films, age + self.shift)
        return super().wanted(films, age)

    def outside(self, state: Tensor) -> Tensor:
        """The mean square of what is beyond ±3, where a step writes."""
        return (state[:, self.nca.layout.fixed :].abs() - ROOM).relu().square().mean()


class RecurrentFilm(Watcher):
    """A convolutional LSTM that watches films.

    Args:
        network: of ``patch²`` channels.
        patch: pixels along the side of a place.

    """

    def __init__(self, network: ConvLSTM, patch: int) -> None:
        super().__init__(1, patch=patch)
        self.network = network

    def start(
        self, count: int, height: int, width: int, walls: Tensor | None = None, device: str = "cpu"
    ) -> Tensor:
        """Zeros; it has no channels for walls."""
        if walls is not None:
            raise ValueError("walls are given, and this network has no channels for them")
        self.check(height, width)
        shape = (count, self.network.state_channels, height // self.patch, width // self.patch)
        return torch.zeros(shape, device=device)

    def look(
        self,
        state: Tensor,
        seen: Tensor,
        alone: Tensor,
        generator: torch.Generator | None = None,
    ) -> tuple[Tensor, Tensor]:
        """One pass."""
        told, state = self.network(F.pixel_unshuffle(seen, self.patch), state)
        return state, F.pixel_shuffle(told, self.patch)


def film_layout(view: FilmView, hidden: int) -> ChannelLayout:
    """The channels of an automaton with this view."""
    return ChannelLayout(visible=view.visible, hidden=hidden, fixed=view.fixed)


def positions(view: FilmView, rows: int, columns: int) -> Tensor:
    """Where each cell is, ``[2, rows, columns]``, down and to the right.

    *Coordinates* go from −1 to 1. *Walls* are the difference of two exponentials, one from each
    edge: near an edge the same on any canvas, and zero far from both.
    """
    lines = []
    for cells in (rows, columns):
        if view.positions == "coordinates":
            lines.append(torch.linspace(-1, 1, cells))
        else:
            fall = (-torch.arange(cells) * view.patch / FADES).exp()
            lines.append(fall.flip(0) - fall)
    return torch.stack(torch.meshgrid(*lines, indexing="ij"))
