"""Does it matter that an automaton fills the hole? What the same weights do elsewhere.

- *larger*: pictures half again as large, enlarged by bicubic interpolation.
- *fires*: other fire rates, for as many firings of a cell.
- *near*: only cells within some distance of the hole ever fire.
- *moving*: a disc that goes on by one cell every four steps, and leaves the picture behind it as it
  was; beside it the same disc, at the place where it ends, that never moved. Cells that come under
  it begin anew, but what their neighbours remember of them is theirs.
- *again*: a second hole in what is filled (eq. 3).
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from ncabook.data.holes import holes, random_holes
from ncabook.evaluation.autoencoder import seen
from ncabook.evaluation.filling import Filling
from ncabook.evaluation.fillings import pasted, scores
from ncabook.evaluation.perceptual import lpips_distance
from ncabook.evaluation.recovery import bootstrap, bootstrap_interval, recovery

LARGER = 1.5
RATES = (25, 50, 75, 100)  # percent of the cells fire in a step
NEAR = (1, 2, 4)  # cells
MOVES, PAUSE = 8, 4  # of the moving hole: how often, and steps in between
DISC = 0.15  # of a picture
TOLD = ("inside", "lpips", "lpips_inside")


def measured(made: Tensor, truth: Tensor, missing: Tensor) -> dict[str, Any]:
    """Means of scores, with intervals."""
    found: dict[str, Any] = {}
    values = scores(made, truth, missing)

    def mean(x: Tensor) -> float:
        return float(x.mean())

    for name in TOLD:
        found[name] = mean(values[name])
        found[f"{name}_interval"] = list(bootstrap(mean, values[name]))
    return found


@torch.no_grad()
def evaluate_further(
    filling: Filling, truth: Tensor, missing: Tensor, look: int, seed: int
) -> dict[str, Any]:
    """What the same weights do elsewhere, on a few pictures.

    Args:
        filling: automaton and autoencoder.
        truth: pictures that it has not seen, ``[N, C, h, w]`` in [0, 1].
        missing: their holes, ``[N, 1, h, w]``.
        look: steps after which pictures are measured.
        seed: of everything random.

    """

    def dice() -> Generator:
        return Generator().manual_seed(seed)

    own = filling.fill(truth, missing, look, dice())
    return {
        "pictures": len(truth),
        "own": measured(own, truth, missing),
        "larger": larger(filling, truth, missing, look, dice()),
        "fires": {
            str(percent): fires(filling, truth, missing, look, percent / 100, dice())
            for percent in RATES
        },
        "near": {str(far): near(filling, truth, missing, look, far, dice()) for far in NEAR},
        "moving": moving(filling, truth, look, dice()),
        "again": again(filling, truth, missing, look, dice()),
    }


def larger(
    filling: Filling, truth: Tensor, missing: Tensor, look: int, generator: Generator
) -> dict[str, Any]:
    """Pictures and holes half again as large; news has farther to go, so also after more steps."""
    scale = filling.vqvae.decoder.scale
    size = [round(LARGER * n / scale) * scale for n in truth.shape[2:]]
    large = F.interpolate(truth, size, mode="bicubic", antialias=True).clamp(0, 1)
    hole = F.interpolate(missing, size)
    state, map_ = filling.begin(large, hole)
    found, now = {}, 0
    for step in (look, round(LARGER * look), 2 * look):
        state, now = filling.go_on(state, map_, step - now, generator=generator), step
        found[str(step)] = measured(filling.show(state), large, hole)
    floor = filling.show_latents(filling.vqvae.normal(large))
    return found | {"floor": measured(floor, large, hole), "size": size}


def fires(
    filling: Filling,
    truth: Tensor,
    missing: Tensor,
    look: int,
    rate: float,
    generator: Generator,
) -> dict[str, Any]:
    """Another fire rate, for as many firings."""
    state, map_ = filling.begin(truth, missing)
    steps = max(1, round(look * filling.nca.fire_rate / rate))

    def coins(_: int) -> Tensor:
        shape = (len(state), 1, *state.shape[2:])
        return torch.rand(shape, generator=generator) < rate

    end = filling.go_on(state, map_, steps, fire=coins)
    return {"steps": steps, **measured(filling.show(end), truth, missing)}


def near(
    filling: Filling,
    truth: Tensor,
    missing: Tensor,
    look: int,
    far: int,
    generator: Generator,
) -> dict[str, Any]:
    """Only cells so near the hole fire; how many they are, of all, and for each that is missing."""
    state, map_ = filling.begin(truth, missing)
    gone = (map_[:, -1:] > 0).float()
    close = F.max_pool2d(gone, 2 * far + 1, 1, far) > 0

    def coins(_: int) -> Tensor:
        return (torch.rand(gone.shape, generator=generator) < filling.nca.fire_rate) & close

    end = filling.go_on(state, map_, look, fire=coins)
    return {
        "cells": float(close.float().mean()),
        "for each missing": float(close.sum() / gone.sum()),
        **measured(filling.show(end), truth, missing),
    }


def moving(filling: Filling, truth: Tensor, look: int, generator: Generator) -> dict[str, Any]:
    """A disc that moves on; at its end, and one that stood there all the time, for as long."""
    height, width = truth.shape[2:]
    scale = filling.vqvae.decoder.scale
    disc = holes(torch.full((len(truth),), DISC), "disc", height, width, generator)
    state, map_ = filling.begin(truth, disc)
    state = filling.go_on(state, map_, look, generator=generator)
    for _ in range(MOVES):
        before, disc = disc, disc.roll(scale, 3)
        state, map_ = filling.open(state, truth, disc, (disc - before).abs())
        state = filling.go_on(state, map_, PAUSE, generator=generator)
    still = filling.fill(truth, disc, look + MOVES * PAUSE, generator)
    return {
        "moved": measured(filling.show(state), truth, disc),
        "still": measured(still, truth, disc),
    }


def again(
    filling: Filling, truth: Tensor, missing: Tensor, look: int, generator: Generator
) -> dict[str, Any]:
    """Recovery of LPIPS after a second hole, of a fifth of the picture, in what is filled (eq. 3).

    What was filled before is not known to the automaton: it is what it is.
    """
    height, width = truth.shape[2:]
    state, map_ = filling.begin(truth, missing)
    state = filling.go_on(state, map_, look, generator=generator)
    second = random_holes(len(truth), height, width, generator, ["disc"], (0.2, 0.2))
    both = torch.maximum(missing, second)
    some = both.mean((1, 2, 3)) < 1
    before = pasted(filling.show(state), truth, missing)
    state, map_ = filling.open(state[some], truth[some], both[some], second[some])
    hurt = pasted(filling.show(state), truth[some], both[some])
    state = filling.go_on(state, map_, look, generator=generator)
    after = pasted(filling.show(state), truth[some], both[some])
    wanted = seen(truth[some])
    whole, broken, mended = (lpips_distance(seen(x), wanted) for x in (before[some], hurt, after))
    return {
        "lpips": [float(x.mean()) for x in (whole, broken, mended)],
        "percent": recovery(whole, broken, mended),
        "interval": list(bootstrap_interval(whole, broken, mended)),
    }
