"""Whether an automaton that watches films knows how things move.

- *Unlike*: speeds, numbers of digits and a canvas that were never trained, each beside black frames
  and the last frame copied. Errors are sums over pixels, and a larger canvas is mostly black.
- *Meeting*: the next frame where two digits overlap, and where none do.
- *Long*: how long digits are still there, by a judge, beside what it finds in true films; and how
  much ink there is, of the true films' ink.
- *Erased*: a digit is erased while the automaton goes on alone. *Picture*: from what it sees.
  *Cells*: from the cells' states, too. How far it comes back is recovery (eq. 3) of the squared
  difference from the same film going on undisturbed: 100 % is as if nothing had happened. *Left*
  is how much of the digit the undisturbed one still tells by then, its squares summed, in percent:
  where a digit fades, a lost one is no difference.
"""

from dataclasses import dataclass, replace
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from ncabook.automaton.contract import check_sizes
from ncabook.data.films import Films
from ncabook.data.labelled import Labelled
from ncabook.data.moving import Rules, make_films, random_walls
from ncabook.evaluation.film_judge import Answers, digits_in, named
from ncabook.evaluation.films import Between, baselines, foretold, nearest, squared
from ncabook.evaluation.recovery import bootstrap_interval, recovery
from ncabook.training.watching import FilmCells, Watcher

MET = 1 / 40  # of a digit's square, at the least, is ink upon ink where two overlap
AROUND = 2  # pixels around a digit that are erased with it


@dataclass(frozen=True)
class PhysicsProtocol:
    """How many, and when.

    Attributes:
        films: of each kind.
        judged: films that are watched for long.
        long: frames of those.
        shown: frames of a film that are true ones.
        erased: the age at which a digit is erased.
        healed: frames after that until it is looked for.
        batch: films at once.

    """

    films: int = 100
    judged: int = 50
    long: int = 100
    shown: int = 10
    erased: int = 12
    healed: int = 7
    batch: int = 50

    def __post_init__(self) -> None:
        check_sizes(**vars(self))
        if not self.shown < self.erased < self.erased + self.healed < self.long:
            raise ValueError(
                f"shown {self.shown}, erased {self.erased}, healed {self.healed} later, long "
                f"{self.long}; expected each after the one before"
            )


def unlike(rules: Rules, patch: int) -> dict[str, Rules]:
    """Rules that differ in one thing from those that were trained."""
    speed, side = rules.fastest, patch * (3 * rules.side // (2 * patch))
    found = {
        "trained": rules,
        "slow": replace(rules, slowest=speed / 2, fastest=speed / 2),
        "fast": replace(rules, slowest=1.5 * speed, fastest=1.5 * speed),
        "faster": replace(rules, slowest=2 * speed, fastest=2 * speed),
        "larger": replace(rules, side=side),
    }
    if rules.directions != "any":
        turned = "straight" if rules.directions == "diagonal" else "diagonal"
        found[turned] = replace(rules, directions=turned)
    others = (count for count in (1, 2, 3) if count != rules.digits)
    return found | {f"digits-{count}": replace(rules, digits=count) for count in others}


def films_like(source: Labelled, rules: Rules, count: int, seed: int, walls: bool) -> Films:
    """Films by these rules, each with a wall or without."""
    generator = torch.Generator().manual_seed(seed)
    stand = random_walls(count, rules.side, generator) if walls else None
    return make_films(source, count, generator, rules, stand)


def evaluate_physics(
    watcher: Watcher,
    source: Labelled,
    rules: Rules,
    answers: Answers | None = None,
    walls: bool = False,
    protocol: PhysicsProtocol | None = None,
    seed: int = 1,
) -> dict[str, Any]:
    """Measures all of it.

    Args:
        watcher: who watches, on the CPU.
        source: digits that it has not seen.
        rules: that it was trained by.
        answers: of a judge of digits of 28 × 28 pixels; None, or smaller digits, for no judge.
        walls: whether a wall stands in each film.
        protocol: how many, and when.
        seed: of films.

    """
    how = protocol or PhysicsProtocol()
    films = films_like(source, rules, how.films, seed, walls)
    found: dict[str, Any] = {"protocol": vars(how), "unlike": {}}
    for name, other in unlike(rules, watcher.patch).items():
        made = films_like(source, other, how.films, seed, walls)
        what = {"speed": other.fastest, "side": other.side, "digits": other.digits}
        what["directions"] = other.directions
        found["unlike"][name] = what | _beside(watcher, made, how)
    if rules.digits > 1:
        found["meeting"] = _meeting(watcher, films, how)
    longer = films_like(source, replace(rules, frames=how.long), how.judged, seed, walls)
    found["long"] = _long(watcher, longer, answers if rules.digit == 28 else None, how)
    found["erased"] = {"picture": _erased(watcher, films, how, cells=False)}
    if isinstance(watcher, FilmCells):
        found["erased"]["cells"] = _erased(watcher, films, how, cells=True)
    return found


def _beside(watcher: Watcher, films: Films, how: PhysicsProtocol) -> dict[str, Any]:
    true = films.pictures.float() / 255
    frames = true.shape[1]
    errors = squared(foretold(watcher, films, how.shown, frames, how.batch), true).mean(0)
    guesses = baselines(films, how.shown)
    return {
        "next": float(errors[nearest(watcher, how.shown)].mean()),
        "free": float(errors[how.shown :].mean()),
        **{
            name: float(squared(guesses[name], true[:, how.shown :]).mean())
            for name in ("black", "copy-last")
        },
        "copy-next": float(squared(true[:, how.shown - 1 : -1], true[:, how.shown :]).mean()),
    }


def _meeting(watcher: Watcher, films: Films, how: PhysicsProtocol) -> dict[str, Any]:
    """Of frames that are told from true ones."""
    true = films.pictures.float() / 255
    frames = true.shape[1]
    errors = squared(foretold(watcher, films, frames, frames, how.batch), true)
    ink = torch.stack([films.only(d).pictures > 127 for d in range(films.digits.shape[1])])
    met = (ink.sum(0) > 1).sum((2, 3)) >= MET * films.digits.shape[-1] ** 2
    later = slice(nearest(watcher, how.shown).start, None)
    errors, met = errors[:, later], met[:, later]
    return {
        "overlapping": float(errors[met].mean()) if met.any() else None,
        "apart": float(errors[~met].mean()) if not met.all() else None,
        "share": float(100 * met.float().mean()),
    }


def _long(
    watcher: Watcher, films: Films, answers: Answers | None, how: PhysicsProtocol
) -> dict[str, Any]:
    told = foretold(watcher, films, how.shown, how.long, how.batch)
    true = films.pictures.float() / 255
    last = how.long - 1
    when = sorted({how.shown, how.shown + 5, *range(2 * how.shown, last, how.shown), last})
    found: dict[str, Any] = {
        "frames": when,
        "mse": squared(told, true).mean(0)[when].tolist(),
        "ink": [float(100 * told[:, t].sum() / true[:, t].sum()) for t in when],
    }
    if answers is not None:
        count = films.labels.shape[1]
        for name, pictures in (("told", told), ("true", true)):
            found[f"named_{name}"] = [
                float(named(digits_in(pictures[:, t], count, answers), films.labels).mean())
                for t in when
            ]
    return found


def _erased(watcher: Watcher, films: Films, how: PhysicsProtocol, cells: bool) -> dict[str, Any]:
    """The first digit is erased, where it is in the true film at that age, and a little around."""
    last = how.erased + how.healed
    spread = films.only(0).pictures[:, : last + 1].float()
    spread = F.max_pool2d(spread, 2 * AROUND + 1, stride=1, padding=AROUND) > 0
    plain = foretold(watcher, films, how.shown, last + 1, how.batch)
    hurt = []
    for first in range(0, len(films), how.batch):
        part = slice(first, first + how.batch)
        between = _eraser(watcher, spread[part], how.erased, cells)
        hurt.append(foretold(watcher, films[part], how.shown, last + 1, how.batch, between))
    difference = squared(torch.cat(hurt), plain)
    at_once = (plain[:, how.erased] * spread[:, how.erased]).square().sum((1, 2))
    left = (plain[:, last] * spread[:, last]).square().sum((1, 2))
    before, final = torch.zeros_like(at_once), difference[:, last]
    return {
        "difference": [float(at_once.mean()), *difference.mean(0)[how.erased + 1 :].tolist()],
        "left": float(100 * left.mean() / at_once.mean()),
        "percent": recovery(before, at_once, final),
        "interval": list(bootstrap_interval(before, at_once, final)),
    }


def _eraser(watcher: Watcher, spread: Tensor, when: int, cells: bool) -> Between:
    def between(state: Tensor, seen: Tensor, age: int) -> tuple[Tensor, Tensor]:
        if age != when:
            return state, seen
        back = [max(0, age - i) for i in range(seen.shape[1])]
        seen = seen * ~spread[:, back]
        if cells and isinstance(watcher, FilmCells):
            touched = F.max_pool2d(spread[:, age, None].float(), watcher.patch)
            fixed = watcher.nca.layout.fixed
            state = torch.cat([state[:, :fixed], state[:, fixed:] * (1 - touched)], 1)
        return state, seen

    return between
