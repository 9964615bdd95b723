"""Films for people to watch together with an automaton, and digits for them to throw."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from ncabook.data.films import DIGIT, Films, drawn
from ncabook.data.labelled import Labelled
from ncabook.data.moving import Rules, make_films
from ncabook.training.video_config import FilmView

Flight = tuple[
    float, float, float, float
]  # row and column of a corner; pixels a frame, down, right
SPEED = 3.6  # pixels a frame, as in most films


@dataclass(frozen=True)
class Screening:
    """What an automaton is shown, and for how long.

    Attributes:
        view: how it is shown films.
        steps: of the automaton, for each frame.
        films: to choose from.
        names: of the films; numbers if there are none.
        shown: frames of a film that are true ones; then the automaton goes on alone.
        throws: digits that people may throw, uint8 ``[D, h, h]``, as large as those of the films;
            None for none.
        speed: of a digit that is thrown by a tap, in pixels a frame.

    """

    view: FilmView
    steps: int
    films: Films
    names: Sequence[str] = ()
    shown: int = 10
    throws: Tensor | None = None
    speed: float = SPEED

    def __post_init__(self) -> None:
        count, least = len(self.films), self.view.first + 1
        if self.names and len(set(self.names)) != count:
            raise ValueError(f"names {list(self.names)} of {count} films; expected one for each")
        if self.steps < 1:
            raise ValueError(f"{self.steps} steps for each frame; expected 1 or more")
        if self.shown < least:
            raise ValueError(
                f"{self.shown} true frames, and the first view shows {least}; expected that or more"
            )
        if self.throws is None:
            return
        shape, side = list(self.throws.shape), self.side
        square = len(shape) == 3 and shape[0] > 0 and shape[1] == shape[2]
        if self.throws.dtype != torch.uint8 or not square or side not in (None, shape[1]):
            raise ValueError(
                f"digits to throw of {self.throws.dtype}, shape {shape}; expected torch.uint8, "
                f"[D, {side or 'h'}, {side or 'h'}]"
            )

    @property
    def side(self) -> int | None:
        """Of the films' digits, in pixels; None where nobody knows of any."""
        return self.films.digits.shape[-1] if self.films.digits.shape[1] else None

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of a frame, in pixels."""
        return self.films.pictures.shape[2], self.films.pictures.shape[3]


def screening(
    view: FilmView, steps: int, source: Labelled, rules: Rules, seed: int = 0
) -> Screening:
    """A film by some rules, and a digit of each kind to throw.

    Args:
        view: how an automaton is shown films.
        steps: of it, for each frame.
        source: digits.
        rules: of the film.
        seed: of the film.

    """
    film = make_films(source, 1, torch.Generator().manual_seed(seed), rules)
    kinds = source.labels.unique()
    digits = torch.stack([source.images[source.labels == kind][0, 0] for kind in kinds])
    if rules.digit < DIGIT:
        digits = F.avg_pool2d(digits.float(), DIGIT // rules.digit).round().to(torch.uint8)
    return Screening(view, steps, film, throws=digits, speed=rules.fastest)


def flights(films: Films) -> list[Flight] | None:
    """How the digits of one film begin, if they go straight on and bounce off its edges only.

    Then their film needs no frames, and never ends: :func:`flown` tells it.
    """
    places = films.places[0].double()
    ways = places.diff(dim=0)
    # A step that ends at an edge is cut short; the longest one of a digit is whole.
    speeds = ways[0].sign() * ways.abs().amax(0)
    begun = [
        (row, column, down, right)
        for (row, column), (down, right) in zip(places[0].tolist(), speeds.tolist(), strict=True)
    ]
    told = flown(begun, films.digits[0], films.pictures.shape[1], films.pictures.shape[2:])
    return begun if films.walls is None and torch.equal(told, films.pictures[0]) else None


def flown(begun: Sequence[Flight], digits: Tensor, frames: int, size: Sequence[int]) -> Tensor:
    """The film of such digits: uint8 ``[frames, height, width]``.

    Args:
        begun: from :func:`flights`.
        digits: uint8 ``[D, h, h]``.
        frames: how many.
        size: height and width.

    """
    place, velocity = torch.tensor(begun, dtype=torch.float64).reshape(-1, 2, 2).unbind(1)
    free = torch.tensor([length - digits.shape[-1] for length in size], dtype=torch.float64)
    places = [place]
    for _ in range(frames - 1):
        after = place + velocity
        velocity = torch.where((after <= 0) | (after >= free), -velocity, velocity)
        place = after.clamp(torch.zeros(2, dtype=torch.float64), free)
        places.append(place)
    return drawn(digits[None], torch.stack(places)[None], size[0], size[1])[0]
