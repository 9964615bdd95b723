"""How automata that fill holes are measured (§3.1.4, Fig. 10): by the size of the hole.

Each test picture gets a hole, of all kinds in turn, of 5 to 60 % of its pixels, the same ones for
everybody. It is filled, and looked at at several steps, the picture is pasted, and scored
(:func:`~ncabook.evaluation.fillings.scores`) in all and by the size of the hole: a mean over sizes
would hide who wins where. Intervals are over pictures. *Gain* is what a filling has more than the
biharmonic one of the same hole.

Beside it stand rows without an automaton: gray, the training set's mean picture, and the smoothest
surface (scikit-image's ``inpaint_biharmonic``); and the *floor*, what the autoencoder makes of the
whole picture: nobody who lives in its latents is better. *Snapped* takes latents for their nearest
codes before they are decoded.
"""

from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor

from ncabook.automaton import NCA
from ncabook.automaton.perception import check_sizes
from ncabook.automaton.precision import autocast
from ncabook.data.holes import FIELDS, holes
from ncabook.evaluation.fillings import scores, simple_fillers
from ncabook.evaluation.recovery import bootstrap
from ncabook.networks import VQVAE
from ncabook.training.inpainting import Known, check_known, filled, known_of, start
from ncabook.training.latent import bound, encoded

GROUPS = {"small": (0.0, 0.2), "middle": (0.2, 0.4), "large": (0.4, 1.0)}  # shares missing
BESIDE = "biharmonic"  # what others are compared with


@dataclass(frozen=True)
class InpaintingProtocol:
    """When to look, and at what.

    Attributes:
        pictures: of the test set, at most.
        steps: when pictures are measured.
        look: of these, the one that is snapped, and with which others are compared.
        long: the last step of the first ``few`` pictures.
        few: how many of them live so long, and are looked at in other ways.
        least: the smallest share of a picture that is missing.
        most: the largest.
        batch: pictures at once.
        seed: of holes and coins.
        version: of this protocol.

    """

    pictures: int = 500
    steps: tuple[int, ...] = (8, 16, 24, 48, 200)
    look: int = 24
    long: int = 1000
    few: int = 50
    least: float = 0.05
    most: float = 0.6
    batch: int = 25
    seed: int = 2026
    version: int = 1

    def __post_init__(self) -> None:
        check_sizes(pictures=self.pictures, few=self.few, batch=self.batch)
        if list(self.steps) != sorted(set(self.steps)) or self.look not in self.steps:
            raise ValueError(f"steps {self.steps}; expected rising ones, {self.look} among them")
        if self.long <= self.steps[-1]:
            raise ValueError(f"long is {self.long}; expected more than {self.steps[-1]}")
        if not 0 < self.least <= self.most < 1:
            raise ValueError(f"least {self.least}, most {self.most}; expected shares that rise")


@dataclass(frozen=True)
class Filling:
    """An automaton that fills holes, and what it lives in.

    Attributes:
        nca: the automaton.
        vqvae: encoder and decoder.
        known: where what is known stands.

    """

    nca: NCA
    vqvae: VQVAE
    known: Known

    def __post_init__(self) -> None:
        check_known(self.nca, self.vqvae, self.known)

    def begin(self, images: Tensor, missing: Tensor) -> tuple[Tensor, Tensor]:
        """States and what is known, of pictures ``[N, C, h, w]`` with holes ``[N, 1, h, w]``.

        Raises:
            ValueError: other channels, sizes or numbers than expected; a mask that is empty, or
                covers all.

        """
        map_ = known_of(self.vqvae, images, missing)
        return start(self.nca.layout, map_), map_

    @torch.no_grad()
    def go_on(self, state: Tensor, map_: Tensor, steps: int, **how: Any) -> Tensor:
        """States ``[N, C, H, W]`` some steps later; ``how`` as in :meth:`NCA.rollout`."""
        told = map_ if self.known == "condition" else None
        with autocast(state.device, "bfloat16"):
            return self.nca.rollout(state, steps, told, **how)

    @torch.no_grad()
    def show(self, state: Tensor, snapped: bool = False, batch: int = 25) -> Tensor:
        """Pictures ``[N, C, h, w]`` in [0, 1]; ``snapped`` to codes, if asked."""
        latents = filled(self.nca.layout, state.float(), self.known)
        parts = [self.vqvae.pictures(part, snapped) for part in latents.split(batch)]
        return torch.cat(parts).clamp(0, 1)

    def fill(
        self, images: Tensor, missing: Tensor, steps: int, generator: torch.Generator
    ) -> Tensor:
        """Pictures ``[N, C, h, w]`` whose holes are filled in so many steps, unpasted."""
        state, map_ = self.begin(images, missing)
        return self.show(self.go_on(state, map_, steps, generator=generator))


def protocol_holes(count: int, height: int, width: int, rules: InpaintingProtocol) -> Tensor:
    """The protocol's holes ``[count, 1, height, width]``: kinds in turn, sizes at random."""
    generator = torch.Generator().manual_seed(rules.seed)
    shares = rules.least + (rules.most - rules.least) * torch.rand(count, generator=generator)
    found = torch.zeros(count, 1, height, width)
    for place, kind in enumerate(FIELDS):
        mine = slice(place, None, len(FIELDS))
        if len(shares[mine]):
            found[mine] = holes(shares[mine], kind, height, width, generator)
    return found


@torch.no_grad()
def evaluate_inpainting(
    nca: NCA,
    vqvae: VQVAE,
    known: Known,
    test: Tensor,
    train: Tensor,
    protocol: InpaintingProtocol | None = None,
) -> dict[str, Any]:
    """Measures an automaton that fills holes, on the CPU.

    Args:
        nca: the automaton.
        vqvae: encoder and decoder.
        known: where what is known stands.
        test: pictures that it has not seen, uint8 ``[N, C, h, w]``.
        train: those that it learned from, for the mean picture.
        protocol: when to look.

    """
    rules = protocol or InpaintingProtocol()
    filling = Filling(nca.to("cpu").eval(), vqvae.to("cpu").eval(), known)
    truth = test[: rules.pictures].float() / 255
    missing = protocol_holes(len(truth), truth.shape[2], truth.shape[3], rules)
    generator = torch.Generator().manual_seed(rules.seed)
    made: dict[str, list[Tensor]] = {f"steps.{step}": [] for step in rules.steps}
    made["snapped"], made["long"], within = [], [], []
    latents = encoded(vqvae, truth, rules.batch)
    for images, hole in zip(truth.split(rules.batch), missing.split(rules.batch), strict=True):
        state, map_ = filling.begin(images, hole)
        now = 0
        for step in rules.steps:
            state = filling.go_on(state, map_, step - now, generator=generator)
            now = step
            made[f"steps.{step}"].append(filling.show(state))
            if step == rules.look:
                made["snapped"].append(filling.show(state, snapped=True))
        if sum(map(len, made["long"])) < rules.few:
            end = filling.go_on(state, map_, rules.long - now, generator=generator)
            made["long"].append(filling.show(end))
            within.append(end.abs().amax((1, 2, 3)) <= bound(float(latents.abs().max())))
    rows = {name: torch.cat(parts) for name, parts in made.items()}
    for name, quantised in (("floor.quantised", True), ("floor.free", False)):
        parts = [vqvae.pictures(part, quantised) for part in latents.split(rules.batch)]
        rows[name] = torch.cat(parts)
    for name, fill in simple_fillers(train).items():
        parts = zip(truth.split(rules.batch), missing.split(rules.batch), strict=True)
        rows[f"simple.{name}"] = torch.cat([fill(*part) for part in parts])
    found = {
        name: scores(pictures, truth[: len(pictures)], missing[: len(pictures)])
        for name, pictures in rows.items()
    }
    shares = missing.mean((1, 2, 3))
    still = torch.cat(within)[: rules.few]
    few = len(rows["long"])
    return {
        "protocol": asdict(rules) | {"steps": list(rules.steps)},
        "pictures": len(truth),
        "autoencoder": {"parameters": vqvae.parameter_count},
        "rows": {name: by_size(values, shares) for name, values in found.items()},
        "gains": gains(found, shares, f"simple.{BESIDE}"),
        "kinds": by_kind(found, f"steps.{rules.look}", f"simple.{BESIDE}"),
        "long": {
            "within": int(still.sum()),
            "of": len(still),
            "inside": {
                str(step): float(found[f"steps.{step}"]["inside"][:few].mean())
                for step in rules.steps
            }
            | {str(rules.long): float(found["long"]["inside"].mean())},
        },
    }


def groups(shares: Tensor) -> dict[str, Tensor]:
    """By name, which of holes of such ``shares`` ``[N]`` belong together: bool ``[N]``."""
    found = {"all": torch.ones_like(shares, dtype=torch.bool)}
    for name, (low, high) in GROUPS.items():
        found[name] = (shares >= low) & (shares < high)
    return found


def by_size(values: dict[str, Tensor], shares: Tensor) -> dict[str, Any]:
    """Means and intervals of :func:`scores`, in all and by the size of the hole."""
    found: dict[str, Any] = {}
    for group, mine in groups(shares[: len(values["inside"])]).items():
        if not mine.any():
            continue
        found[group] = {"pictures": int(mine.sum())}
        for name, each in values.items():
            found[group] |= averaged(name, each[mine])
    return found


def averaged(name: str, values: Tensor) -> dict[str, Any]:
    """The mean of ``values`` ``[N]`` by its name, and its interval."""

    def mean(x: Tensor) -> float:
        return float(x.mean())

    return {name: mean(values), f"{name}_interval": list(bootstrap(mean, values))}


def gains(found: dict[str, dict[str, Tensor]], shares: Tensor, beside: str) -> dict[str, Any]:
    """What each row has more than ``beside``, of the same holes, of decibels and LPIPS."""
    if beside not in found:
        return {}
    others = found[beside]
    return {
        row: {
            group: {
                key: value
                for name in ("inside", "lpips", "lpips_inside")
                for key, value in averaged(
                    name, (values[name] - others[name][: len(values[name])])[mine]
                ).items()
            }
            for group, mine in groups(shares[: len(values["inside"])]).items()
            if mine.any()
        }
        for row, values in found.items()
        if row != beside
    }


def by_kind(found: dict[str, dict[str, Tensor]], *rows: str) -> dict[str, Any]:
    """Means in the hole by its kind, which come in turn."""
    return {
        kind: {
            row: {
                name: float(found[row][name][place :: len(FIELDS)].mean())
                for name in ("inside", "lpips")
            }
            for row in rows
            if row in found
        }
        for place, kind in enumerate(FIELDS)
        if place < len(next(iter(found.values()))["inside"])
    }
