"""How automata that colour drawings are measured (§3.1.3, Fig. 7), beside rows that cost nothing.

From white paper each drawing of the test set is coloured, and looked at at several steps: LPIPS and
the mean absolute difference from the photograph, and the KID of all pictures together, with an
interval. *Trivial* rows are measured in the same way: white paper, the mean colour of the training
pictures, the drawing itself, and the picture whose drawing is the nearest of the training set.

- *Recovery* (eq. 3) after the left half of what is visible and hidden was erased, of LPIPS.
- *Alive*: whether the numbers are still below a bound at step 1,000, and how far the picture has
  moved by then from what it was at the last of the steps above.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor

from ncabook.automaton import NCA
from ncabook.automaton.perception import check_sizes
from ncabook.automaton.precision import autocast
from ncabook.data.pairs import Pairs
from ncabook.evaluation.kid import kid, kid_interval
from ncabook.evaluation.perceptual import described, lpips_distance
from ncabook.evaluation.recovery import bootstrap, bootstrap_interval, recovery
from ncabook.networks import UNet
from ncabook.training.evolving import MOST_KEPT
from ncabook.training.pairs import white_paper
from ncabook.training.perturbation import half_mask


@dataclass(frozen=True)
class PairsProtocol:
    """When to look.

    Attributes:
        steps: when pictures are measured.
        damage: the step at which half is erased, one of these.
        final: the last step after that.
        long: the last step of the first ``few`` drawings.
        few: how many of them live so long.
        batch: drawings at once.
        version: of this protocol.

    """

    steps: tuple[int, ...] = (8, 16, 24, 48, 96, 200)
    damage: int = 96
    final: int = 200
    long: int = 1000
    few: int = 10
    batch: int = 20
    version: int = 1

    def __post_init__(self) -> None:
        check_sizes(few=self.few, batch=self.batch, damage=self.damage)
        if list(self.steps) != sorted(set(self.steps)) or self.damage not in self.steps:
            raise ValueError(f"steps {self.steps}; expected rising ones, {self.damage} among them")
        if not self.damage < self.final <= self.long:
            raise ValueError(
                f"damage {self.damage}, final {self.final}, long {self.long}; expected them to rise"
            )


class Paper:
    """White cells with the ink below them: one cell for a pixel.

    Attributes:
        bound: states with a larger number have exploded.

    """

    bound: float = MOST_KEPT

    def __init__(self, nca: NCA) -> None:
        self.layout = nca.layout

    def start(self, ink: Tensor) -> Tensor:
        """States to begin with, of ink ``[B, 1, h, w]`` in [0, 1]."""
        return white_paper(self.layout, ink)

    def show(self, state: Tensor) -> Tensor:
        """RGB ``[B, 3, h, w]`` in [0, 1]."""
        return state[:, self.layout.visible_slice].float().clamp(0, 1)


@torch.no_grad()
def evaluate_pairs(
    nca: NCA,
    test: Pairs,
    train: Pairs,
    protocol: PairsProtocol | None = None,
    seed: int = 0,
    paper: Paper | None = None,
) -> dict[str, Any]:
    """Measures an automaton that colours drawings.

    Args:
        nca: the automaton, on the CPU.
        test: drawings and pictures that it has not seen.
        train: those that it learned from, for the trivial rows.
        protocol: when to look.
        seed: of the coins.
        paper: what states begin as, and look like; one cell for a pixel if not given.

    """
    rules, paper = protocol or PairsProtocol(), paper or Paper(nca)
    generator = torch.Generator().manual_seed(seed)
    layout, ink = nca.layout, test.ink.float() / 255
    truth = test.pictures.float() / 255
    frames: dict[int, list[Tensor]] = {step: [] for step in rules.steps}
    hurt, healed, long, moved = [], [], [], []
    for part in ink.split(rules.batch):
        state, now = paper.start(part), 0
        for step in rules.steps:
            state, now = _rolled(nca, state, step - now, generator), step
            frames[step].append(paper.show(state))
            if step == rules.damage:
                mask = half_mask(state.shape[2], state.shape[3], torch.pi)
                erased = state.clone()
                erased[:, layout.fixed :] *= mask
                after = _rolled(nca, erased, rules.final - step, generator)
                hurt.append(paper.show(erased))
                healed.append(paper.show(after))
        if sum(map(len, long)) < rules.few:
            kept = state[: rules.few]
            end = _rolled(nca, kept, rules.long - now, generator)
            long.append(end.abs().amax((1, 2, 3)) <= paper.bound)
            moved.append((paper.show(end) - paper.show(kept)).abs().mean((1, 2, 3)))
    pictures = {step: torch.cat(parts) for step, parts in frames.items()}
    before, damaged, final = pictures[rules.damage], torch.cat(hurt), torch.cat(healed)
    whole, broken, mended = (lpips_distance(x, truth) for x in (before, damaged, final))
    still, shift = torch.cat(long)[: rules.few], torch.cat(moved)[: rules.few]
    return {
        "protocol": asdict(rules) | {"steps": list(rules.steps)},
        "pairs": len(test),
        "steps": {str(step): compared(shown, truth) for step, shown in pictures.items()},
        "trivial": {name: compared(make(test, train), truth) for name, make in TRIVIAL.items()},
        "recovery": {
            "lpips": [float(s.mean()) for s in (whole, broken, mended)],
            "percent": recovery(whole, broken, mended),
            "interval": list(bootstrap_interval(whole, broken, mended)),
        },
        "alive": {"alive": int(still.sum()), "of": len(still), "moved": float(shift.mean())},
    }


@torch.no_grad()
def evaluate_answers(network: UNet, test: Pairs) -> dict[str, Any]:
    """Measures a network that colours drawings in one pass, on the CPU.

    Args:
        network: from ink ``[N, 1, H, W]`` to RGB.
        test: drawings and pictures that it has not seen.

    """
    answers = network.to("cpu").eval()(test.ink.float() / 255).clamp(0, 1)
    found = compared(answers, test.pictures.float() / 255)
    return {"protocol": {"version": 1}, "pairs": len(test), "answer": found}


def _rolled(nca: NCA, state: Tensor, steps: int, generator: torch.Generator) -> Tensor:
    with autocast(state.device, "bfloat16"):
        return nca.rollout(state, steps, generator=generator)


def compared(shown: Tensor, truth: Tensor) -> dict[str, Any]:
    """LPIPS and mean absolute difference, each with an interval over pairs, and KID."""
    lpips, l1 = lpips_distance(shown, truth), (shown - truth).abs().mean((1, 2, 3))
    a, b = described(shown), described(truth)

    def mean(values: Tensor) -> float:
        return float(values.mean())

    return {
        "lpips": mean(lpips),
        "lpips_interval": list(bootstrap(mean, lpips)),
        "l1": mean(l1),
        "l1_interval": list(bootstrap(mean, l1)),
        "kid": kid(a, b),
        "kid_interval": list(kid_interval(a, b)),
    }


def white(test: Pairs, train: Pairs) -> Tensor:
    """White paper."""
    return torch.ones_like(test.pictures, dtype=torch.float32)


def mean_colour(test: Pairs, train: Pairs) -> Tensor:
    """The mean colour of all training pictures."""
    colour = train.pictures.float().mean((0, 2, 3)) / 255
    return colour[None, :, None, None].expand(test.pictures.shape).clone()


def drawing(test: Pairs, train: Pairs) -> Tensor:
    """The drawing itself, dark on white."""
    return (1 - test.ink.float() / 255).expand(-1, 3, -1, -1).clone()


def nearest(test: Pairs, train: Pairs) -> Tensor:
    """The training picture whose drawing, blurred, is the nearest."""

    def blurred(ink: Tensor) -> Tensor:
        return torch.nn.functional.avg_pool2d(ink.float() / 255, 4).flatten(1)

    picks = torch.cdist(blurred(test.ink), blurred(train.ink)).argmin(1)
    return train.pictures[picks].float() / 255


TRIVIAL: dict[str, Callable[[Pairs, Pairs], Tensor]] = {
    "white": white,
    "mean colour": mean_colour,
    "the drawing": drawing,
    "nearest training picture": nearest,
}
