"""Holes filled otherwise each time: codes that are drawn, noise in fixed channels, other coins.

- *drawn*: a code for each cell of the hole, from the softmax of its logits, at some percents of the
  temperature that the automaton was trained with. Cells are drawn for themselves alone.
- *agreed*: likewise, but in rounds. Those cells that are surest of what they drew keep it, and from
  then on it is known, as what lies outside of the hole is; after some steps more the next ones
  draw. So neighbours can agree, as in MaskGIT (Chang et al. 2022), and nothing is trained for it.
- *diversity*: how far eight fillings of the same hole lie apart, the standard deviation of each
  pixel, in the hole. *Coins*: rollouts with other fire masks, and the same noise. *Noise*: other
  noise, too. *Drawn*: other draws of codes at the end of one rollout.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Generator, Tensor

from ncabook.evaluation.filling import Filling
from ncabook.evaluation.recovery import bootstrap
from ncabook.training.codes import drawn_codes, surest_codes
from ncabook.training.holed import filled

PERCENTS = (30, 100)  # of the temperature that was trained with
SEEDS = 8  # fillings of the same hole
ROUNDS, BETWEEN = 8, 8  # in which cells agree, and steps from each to the next


@dataclass(frozen=True)
class Chance:
    """How an automaton's fillings may differ.

    Attributes:
        temperature: of the logits of codes, as trained; None if none were.
        noise: fixed channels that hold noise.

    """

    temperature: float | None = None
    noise: int = 0


def draw(
    filling: Filling,
    state: Tensor,
    map_: Tensor,
    generator: Generator,
    temperature: float,
    percent: int = 100,
) -> Tensor:
    """Pictures ``[N, C, h, w]`` of codes that are drawn in the hole, and nearest elsewhere.

    Args:
        filling: automaton and autoencoder.
        state: ``[N, C, H, W]``.
        map_: what is known, ``[N, D + 1, H, W]``.
        generator: source of chance.
        temperature: of the logits, as trained.
        percent: of it, to draw at.

    """
    latents = filled(filling.nca.layout, state.float(), filling.known)
    share = map_[:, -1:].to(latents)
    made = drawn_codes(filling.vqvae, latents, share, generator, temperature, percent / 100)
    return filling.show_latents(made)


@torch.no_grad()
def agree(
    filling: Filling,
    state: Tensor,
    map_: Tensor,
    generator: Generator,
    temperature: float,
    percent: int = 100,
    rounds: int = ROUNDS,
    between: int = BETWEEN,
) -> Tensor:
    """Pictures ``[N, C, h, w]`` of codes that are drawn in rounds, and nearest outside of the hole.

    Args:
        filling: automaton and autoencoder.
        state: ``[N, C, H, W]``, to begin with.
        map_: what is known, ``[N, D + 1, H, W]``.
        generator: source of chance: coins and codes.
        temperature: of the logits, as trained.
        percent: of it, to draw at.
        rounds: in each of which as many cells keep what they drew.
        between: steps from a round to the next.

    """
    layout, vqvae, known = filling.nca.layout, filling.vqvae, map_.clone()
    latents = filled(layout, state.float(), filling.known)
    for left in range(rounds, 0, -1):
        codes, surest = surest_codes(
            vqvae, latents, known[:, -1:], generator, 1 / left, temperature, percent / 100
        )
        known[:, :-1] = torch.where(surest, codes, known[:, :-1])
        known[:, -1:] *= ~surest
        state = filling.learn(state, known, surest)
        if left > 1:
            state = filling.go_on(state, known, between, generator=generator)
        latents = filled(layout, state.float(), filling.known)
    nearest = drawn_codes(vqvae, latents, known[:, -1:], generator, temperature)
    return filling.show_latents(torch.where(map_[:, -1:] > 0, known[:, :-1], nearest))


@torch.no_grad()
def diversity(
    filling: Filling, truth: Tensor, missing: Tensor, look: int, seed: int, chance: Chance
) -> dict[str, Any]:
    """How far fillings of the same holes lie apart, by what differs.

    Args:
        filling: automaton and autoencoder.
        truth: pictures that it has not seen, ``[N, C, h, w]`` in [0, 1].
        missing: their holes, ``[N, 1, h, w]``.
        look: steps after which pictures are compared.
        seed: of the first of eight; the others follow.
        chance: how fillings may differ.

    Returns:
        ``pictures``, ``seeds``, and by what differs ``deviation``, from 0 for pictures that are all
        alike, with an interval over pictures.

    """
    seeds = range(seed, seed + SEEDS)

    def dice(number: int) -> Generator:
        return Generator().manual_seed(number)

    def rollout(coins: int, noise: int) -> tuple[Tensor, Tensor]:
        state, map_ = filling.begin(truth, missing, noise)
        return filling.go_on(state, map_, look, generator=dice(coins)), map_

    def shown(coins: int, noise: int) -> Tensor:
        return filling.show(rollout(coins, noise)[0])

    found = {"coins": apart((shown(each, seed) for each in seeds), missing)}
    if chance.noise:
        found["noise"] = apart((shown(each, each) for each in seeds), missing)
    if chance.temperature is not None:
        end, map_ = rollout(seed, seed)
        for percent in PERCENTS:
            made = (
                draw(filling, end, map_, dice(each), chance.temperature, percent) for each in seeds
            )
            found[f"drawn {percent}"] = apart(made, missing)
            made = (
                agree(filling, end, map_, dice(each), chance.temperature, percent) for each in seeds
            )
            found[f"agreed {percent}"] = apart(made, missing)
    return {"pictures": len(truth), "seeds": SEEDS, **found}


def apart(fillings: Iterable[Tensor], missing: Tensor) -> dict[str, Any]:
    """The standard deviation of each pixel over fillings ``[N, C, h, w]``, in the hole."""
    spread = torch.stack(list(fillings)).std(0).mean(1, keepdim=True)
    values = (spread * missing).sum((1, 2, 3)) / missing.sum((1, 2, 3))

    def mean(x: Tensor) -> float:
        return float(x.mean())

    return {"deviation": mean(values), "deviation_interval": list(bootstrap(mean, values))}
