"""How automata that fill holes are measured (§3.1.4, Fig. 10): by the size of the hole.

Each test picture gets a hole, of all kinds in turn, of 5 to 60 % of its pixels, the same ones for
everybody. It is filled, and looked at at several steps, the picture is pasted, and scored
(:func:`~ncabook.evaluation.fillings.scores`) in all and by the size of the hole: a mean over sizes
would hide who wins where. Intervals are over pictures. *Gain* is what a filling has more than the
biharmonic one of the same hole.

Beside it stand rows without an automaton: gray, the training set's mean picture, and the smoothest
surface (scikit-image's ``inpaint_biharmonic``); and the *floor*, what the autoencoder makes of the
whole picture: nobody who lives in its latents is better. *Snapped* takes latents for their nearest
codes before they are decoded. What the same weights do elsewhere is in
:mod:`ncabook.evaluation.inpainting_further`, and how fillings of the same hole may differ in
:mod:`ncabook.evaluation.inpainting_chance`.
"""

from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor

from ncabook.automaton import NCA
from ncabook.automaton.perception import check_sizes
from ncabook.data.holes import FIELDS, holes
from ncabook.evaluation.by_size import by_kind, by_size, gains
from ncabook.evaluation.features import features_seen, own_errors, train_judge
from ncabook.evaluation.filling import Filling
from ncabook.evaluation.fillings import decibels_inside, pasted, scores, simple_fillers
from ncabook.evaluation.inpainting_chance import PERCENTS, Chance, agree, diversity, draw
from ncabook.evaluation.inpainting_further import evaluate_further
from ncabook.networks import VQVAE
from ncabook.training.holed import Known
from ncabook.training.latent import bound, encoded

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
    aligned: bool = False,
    chance: Chance | None = None,
) -> dict[str, Any]:
    """Measures an automaton that fills holes, on the CPU.

    Args:
        nca: the automaton.
        vqvae: encoder and decoder.
        known: where what is known stands.
        test: pictures that it has not seen, uint8 ``[N, C, h, w]``.
        train: those that it learned from, for the mean picture.
        protocol: when to look.
        aligned: whether these are faces whose eyes and mouths lie in known places, to be looked
            for in filled holes (:mod:`ncabook.evaluation.features`).
        chance: how its fillings may differ, if they were trained to.

    """
    rules, chances = protocol or InpaintingProtocol(), chance or Chance()
    filling = Filling(nca.to("cpu").eval(), vqvae.to("cpu").eval(), known, chances.noise)
    truth = test[: rules.pictures].float() / 255
    missing = protocol_holes(len(truth), truth.shape[2], truth.shape[3], rules)
    latents = encoded(vqvae, truth, rules.batch)
    rows, last = _over_steps(filling, truth, missing, rules, chances)
    rows |= {
        "floor.quantised": filling.show_latents(latents, True),
        "floor.free": filling.show_latents(latents),
        **simple_rows(truth, missing, train, rules.batch),
    }
    few = slice(0, rules.few)
    still = last.abs().amax((1, 2, 3)) <= bound(float(latents.abs().max()))
    look = f"steps.{rules.look}"
    found: dict[str, Any] = {"autoencoder": {"parameters": vqvae.parameter_count}}
    found |= compare(rows, truth, missing, rules, look, train if aligned else None)
    lived = {str(step): rows[f"steps.{step}"] for step in rules.steps}
    lived |= {str(rules.long): rows["long"]}
    found["long"] = {
        "within": int(still.sum()),
        "of": len(still),
        "inside": {
            step: float(decibels_inside(each[few], truth[few], missing[few]).mean())
            for step, each in lived.items()
        },
    }
    further = evaluate_further(filling, truth[few], missing[few], rules.look, rules.seed)
    if chance is not None:
        fillings = diversity(filling, truth[few], missing[few], rules.look, rules.seed, chance)
        found["diversity"] = fillings
    return found | {"further": further}


def _over_steps(
    filling: Filling, truth: Tensor, missing: Tensor, rules: InpaintingProtocol, chance: Chance
) -> tuple[dict[str, Tensor], Tensor]:
    """Pictures by row, those of ``long`` only the first few; and the last states of these."""
    generator, dice = (torch.Generator().manual_seed(rules.seed) for _ in range(2))
    percents = () if chance.temperature is None else PERCENTS
    made: dict[str, list[Tensor]] = {f"steps.{step}": [] for step in rules.steps}
    made |= {f"{way}.{percent}": [] for way in ("drawn", "agreed") for percent in percents}
    made["snapped"], made["long"], last = [], [], []
    parts = zip(truth.split(rules.batch), missing.split(rules.batch), strict=True)
    for number, (images, hole) in enumerate(parts):
        state, map_ = filling.begin(images, hole, rules.seed + number)
        now = 0
        for step in rules.steps:
            state = filling.go_on(state, map_, step - now, generator=generator)
            now = step
            made[f"steps.{step}"].append(filling.show(state))
            if step == rules.look:
                made["snapped"].append(filling.show(state, snapped=True))
                for percent in percents:
                    for way, read in (("drawn", draw), ("agreed", agree)):
                        codes = read(filling, state, map_, dice, chance.temperature or 1.0, percent)
                        made[f"{way}.{percent}"].append(codes)
        if sum(map(len, last)) < rules.few:
            last.append(filling.go_on(state, map_, rules.long - now, generator=generator))
            made["long"].append(filling.show(last[-1]))
    few = slice(0, rules.few)
    rows = {name: torch.cat(parts) for name, parts in made.items()}
    return rows | {"long": rows["long"][few]}, torch.cat(last)[few]


def simple_rows(truth: Tensor, missing: Tensor, train: Tensor, batch: int) -> dict[str, Tensor]:
    """Pictures filled without an automaton, by row."""
    return {
        f"simple.{name}": torch.cat(
            [fill(*x) for x in zip(truth.split(batch), missing.split(batch), strict=True)]
        )
        for name, fill in simple_fillers(train).items()
    }


def compare(
    rows: dict[str, Tensor],
    truth: Tensor,
    missing: Tensor,
    rules: InpaintingProtocol,
    look: str,
    faces: Tensor | None = None,
) -> dict[str, Any]:
    """What is measured of pictures, whoever filled them.

    Args:
        rows: pictures ``[N, C, h, w]`` by name; of fewer, these are the first ones.
        truth: what they should be.
        missing: their holes.
        rules: the protocol.
        look: the row that is compared with the biharmonic one by kinds of holes.
        faces: to learn from, uint8, if these are faces whose features are to be looked for.

    """
    found = {
        name: scores(pictures, truth[: len(pictures)], missing[: len(pictures)])
        for name, pictures in rows.items()
    }
    shares, beside = missing.mean((1, 2, 3)), f"simple.{BESIDE}"
    told: dict[str, Any] = {
        "protocol": asdict(rules) | {"steps": list(rules.steps)},
        "pictures": len(truth),
        "rows": nested({name: by_size(values, shares) for name, values in found.items()}),
        "gains": nested(gains(found, shares, beside)),
        "kinds": by_kind(shares, **{"learned": found[look], BESIDE: found.get(beside)}),
    }
    if faces is not None:
        with torch.enable_grad():
            judge = train_judge(faces)
        seen = {
            name: features_seen(judge, pasted(each, truth, missing), missing)
            for name, each in rows.items()
            if len(each) == len(truth)
        }
        told["features"] = {
            "judge": own_errors(judge, truth),
            "truth": features_seen(judge, truth, missing),
            **nested(seen),
        }
    return told


def nested(values: dict[str, Any]) -> dict[str, Any]:
    """What is called ``a.b`` below ``a``, as ``b``."""
    found: dict[str, Any] = {}
    for name, value in values.items():
        group, _, which = name.partition(".")
        if which:
            found.setdefault(group, {})[which] = value
        else:
            found[group] = value
    return found
