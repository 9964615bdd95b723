"""How automata that grow digits are measured (§A.5), and what the paper leaves out.

From every class grow as many seeds, each under its own coins and noise.

- *Recognised*: the share of pictures that a judge takes for the seed's class, at the end of the
  training's horizon (*grown*), and long after it (*late*). Judges see ink alone, no colour. Each
  says what it gets right of real test digits: no picture is known better than that.
- *Diversity* within a class, each beside that of as many real test digits: the mean LPIPS of pairs,
  the mean distance of pairs in the judge's features, and the mean variance of a pixel, of which
  Fig. 18 shows maps.
- *Copies*: the distance to the nearest training digit, root mean square over pixels, beside that of
  real test digits. Much less would be memory.
- *Died*: pictures without a living cell; they count as not recognised.
- *Recovery* (eq. 3) after a half or a disc was erased, of the share recognised, and of the squared
  difference from the picture before. A picture that died is judged here as it is, empty.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor

from ncabook.automaton import NCA
from ncabook.automaton.nca import alive
from ncabook.automaton.perception import check_sizes
from ncabook.data.labelled import Labelled
from ncabook.evaluation.classification import ballot
from ncabook.evaluation.perceptual import lpips_distance
from ncabook.evaluation.recovery import bootstrap_interval, recovery
from ncabook.networks import SmallCNN
from ncabook.training.classification import initial_state
from ncabook.training.digits import CLASSES, coloured_seed, ink_of
from ncabook.training.perturbation import random_damage

AT_ONCE = 500  # pictures before a judge

Roll = Callable[[NCA, Tensor, int, torch.Generator], Tensor]


@dataclass(frozen=True)
class DigitsProtocol:
    """How many, and when to look.

    Attributes:
        seeds: of each class.
        late_seeds: of each class, that live on and are damaged.
        grown: the step at which pictures are judged first.
        damage: the step of the damage.
        late: the last step, with damage and without.
        pairs: of a class, for its diversity.
        copies: pictures of a class whose nearest training digit is looked for.
        batch: rollouts at once.
        version: of this protocol.

    """

    seeds: int = 1000
    late_seeds: int = 100
    grown: int = 40
    damage: int = 100
    late: int = 300
    pairs: int = 200
    copies: int = 50
    batch: int = 250
    version: int = 1

    def __post_init__(self) -> None:
        check_sizes(**asdict(self))
        if not self.grown < self.damage < self.late or self.late_seeds > self.seeds:
            raise ValueError(
                f"grown {self.grown}, damage {self.damage}, late {self.late}, late_seeds "
                f"{self.late_seeds} of {self.seeds}; expected grown < damage < late, and no more "
                "late seeds than seeds"
            )


@dataclass(frozen=True)
class Judge:
    """Who says which digit a picture shows.

    Attributes:
        name: of its model.
        answers: from ink ``[N, 1, h, w]`` in [0, 1] to classes ``[N]``.
        right: percent of real test digits.

    """

    name: str
    answers: Callable[[Tensor], Tensor]
    right: float


def by_network(network: SmallCNN) -> Callable[[Tensor], Tensor]:
    """The answers of a network of one pass."""
    return lambda ink: torch.cat([network(part).argmax(1) for part in ink.split(AT_ONCE)])


def by_votes(nca: NCA, steps: int = 30) -> Callable[[Tensor], Tensor]:
    """The answers of an automaton whose cells vote, after some steps; −1 where no cell sees ink."""

    def answers(ink: Tensor) -> Tensor:
        generator = torch.Generator().manual_seed(0)
        found = []
        for part in ink.split(AT_ONCE):
            state = nca.rollout(initial_state(nca, part), steps, generator=generator)
            found.append(torch.where(alive(nca, state), ballot(nca, state).winner, -1))
        return torch.cat(found)

    return answers


def plain(nca: NCA, state: Tensor, steps: int, generator: torch.Generator) -> Tensor:
    """An automaton's own rollout; a guided one may stand in its place."""
    return nca.rollout(state, steps, generator=generator)


@torch.no_grad()
def evaluate_digits(
    nca: NCA,
    noise: float,
    test: Labelled,
    train: Labelled,
    judges: Sequence[Judge],
    network: SmallCNN,
    padding: int = 0,
    protocol: DigitsProtocol | None = None,
    roll: Roll = plain,
    seed: int = 0,
    lpips: bool = True,
) -> dict[str, Any]:
    """Measures an automaton that grows digits from coloured seeds.

    Args:
        nca: the automaton, on the CPU.
        noise: of the seeds' hidden channels, as in training.
        test: real digits, to stand beside the grown ones.
        train: those it learned from.
        judges: who say what a picture shows; the first one's answers make the recovery.
        network: whose features tell pictures apart.
        padding: cells around a digit.
        protocol: how many, and when.
        roll: makes steps.
        seed: of noise, coins, damage and pairs.
        lpips: whether LPIPS is measured.

    """
    rules = protocol or DigitsProtocol()
    generator = torch.Generator().manual_seed(seed)
    side = test.images.shape[-1] + 2 * padding
    classes = torch.arange(CLASSES).repeat_interleave(rules.seeds)
    grown, died = [], []
    for part in classes.split(rules.batch):
        state = coloured_seed(nca.layout, side, side, part, noise, generator)
        end = roll(nca, state, rules.grown, generator)
        died.append(~alive(nca, end))
        grown.append(ink_of(end, nca.layout, padding))
    ink, dead = torch.cat(grown), torch.cat(died)
    real = _some_of_each(test, rules.seeds)
    late = _later(nca, noise, side, padding, rules, roll, generator)
    return {
        "protocol": asdict(rules),
        "died": [int(n) for n in dead.view(CLASSES, -1).sum(1)],
        "judges": {
            judge.name: {
                "right_of_real": judge.right,
                "grown": _recognised(judge, ink, classes, dead),
                "late": _recognised(judge, late["late"], late["classes"], late["dead"]),
            }
            for judge in judges
        },
        "died_late": int(late["dead"].sum()),
        "diversity": {
            "grown": _diversity(ink, classes, network, rules, seed, lpips),
            "real": _diversity(*real, network, rules, seed, lpips),
        },
        "copies": {
            "grown": _nearest(ink, classes, train, rules),
            "real": _nearest(*real, train, rules),
        },
        **_recovered(judges[0], late),
    }


def _recognised(judge: Judge, ink: Tensor, classes: Tensor, dead: Tensor) -> dict[str, Any]:
    right = 100 * ((judge.answers(ink) == classes) & ~dead).float()
    return {
        "all": float(right.mean()),
        "by_class": [float(right[classes == c].mean()) for c in range(CLASSES)],
    }


def _later(
    nca: NCA,
    noise: float,
    side: int,
    padding: int,
    rules: DigitsProtocol,
    roll: Roll,
    generator: torch.Generator,
) -> dict[str, Tensor]:
    """Fewer seeds, for longer, and the same ones with damage."""
    classes = torch.arange(CLASSES).repeat_interleave(rules.late_seeds)
    found: dict[str, list[Tensor]] = {}
    for part in classes.split(rules.batch):
        state = coloured_seed(nca.layout, side, side, part, noise, generator)
        before = roll(nca, state, rules.damage, generator)
        hurt = before.clone()
        hurt[:, nca.layout.fixed :] *= random_damage(len(part), side, side, generator)
        steps = rules.late - rules.damage
        late, healed = (roll(nca, s, steps, generator) for s in (before, hurt))
        states = {"before": before, "hurt": hurt, "healed": healed, "late": late}
        for name, one in states.items():
            found.setdefault(name, []).append(ink_of(one, nca.layout, padding))
        found.setdefault("dead", []).append(~alive(nca, late))
        found.setdefault("dead_healed", []).append(~alive(nca, healed))
    return {"classes": classes, **{name: torch.cat(parts) for name, parts in found.items()}}


def _recovered(judge: Judge, late: dict[str, Tensor]) -> dict[str, Any]:
    """Eq. 3, of right answers and of the difference from the picture before."""
    first, second, last = late["before"], late["hurt"], late["healed"]

    def right_of(ink: Tensor) -> Tensor:
        return 100 * (judge.answers(ink) == late["classes"]).float()

    def error_of(ink: Tensor) -> Tensor:
        return (ink - first).square().mean((1, 2, 3))

    right = right_of(first), right_of(second), right_of(last)
    error = error_of(first), error_of(second), error_of(last)
    return {
        "recovery": {
            "right": [float(values.mean()) for values in right],
            "percent": recovery(*right),
            "interval": list(bootstrap_interval(*right)),
            "mse_percent": recovery(*error),
            "mse_interval": list(bootstrap_interval(*error)),
            "died": int(late["dead_healed"].sum()),
        }
    }


def _some_of_each(digits: Labelled, most: int) -> tuple[Tensor, Tensor]:
    """The first digits of each class, as many of each: ink ``[N, 1, h, w]`` and classes."""
    places = [(digits.labels == c).nonzero()[:, 0] for c in range(CLASSES)]
    count = min(most, *map(len, places))
    picks = torch.cat([place[:count] for place in places])
    return digits.images[picks].float() / 255, digits.labels[picks]


def _diversity(
    ink: Tensor,
    classes: Tensor,
    network: SmallCNN,
    rules: DigitsProtocol,
    seed: int,
    lpips: bool,
) -> dict[str, Any]:
    generator = torch.Generator().manual_seed(seed)
    found: dict[str, list[float]] = {"features": [], "variance": [], "lpips": []}
    for c in range(CLASSES):
        mine = ink[classes == c]
        a, b = torch.randint(len(mine), (2, rules.pairs), generator=generator)
        b = torch.where(a == b, (b + 1) % len(mine), b)
        features = network.describe(mine)
        found["features"].append(float((features[a] - features[b]).norm(dim=1).mean()))
        found["variance"].append(float(mine.var(0).mean()))
        if lpips:
            rgb = mine.expand(-1, 3, -1, -1)
            # AlexNet wants larger pictures than 28 × 28.
            large = torch.nn.functional.interpolate(rgb, scale_factor=2, mode="nearest")
            found["lpips"].append(float(lpips_distance(large[a], large[b]).mean()))
    return {
        name: {"mean": sum(values) / len(values), "by_class": values}
        for name, values in found.items()
        if values
    }


def _nearest(ink: Tensor, classes: Tensor, train: Labelled, rules: DigitsProtocol) -> float:
    """The median distance to the nearest training digit, root mean square over pixels."""
    known = train.images.float().flatten(1) / 255
    picks = [(classes == c).nonzero()[: rules.copies, 0] for c in range(CLASSES)]
    mine = ink[torch.cat(picks)].flatten(1)
    nearest = torch.cat([torch.cdist(part, known).amin(1) for part in mine.split(100)])
    return float(nearest.median() / mine.shape[1] ** 0.5)
