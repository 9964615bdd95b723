"""How automata that colour drawings in latents are measured: as those of pixels, but larger.

The protocol is that of :mod:`ncabook.evaluation.pairs`; a step's picture is decoded. Beside it
stand the *floor*, what the autoencoder makes of the photographs themselves, and *enlarged* rows:
what automata of pixels draw at a quarter of the size, made larger by bicubic interpolation, and the
small photographs likewise.
"""

from collections.abc import Mapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from ncabook.automaton import NCA
from ncabook.data.pairs import Pairs
from ncabook.evaluation.pairs import PairsProtocol, Paper, compared, evaluate_pairs
from ncabook.networks import VQVAE
from ncabook.training.latent import bound, encoded
from ncabook.training.latent_pairs import latent_paper
from ncabook.training.pairs import white_paper

TRUTH = "small photographs"  # enlarged: no enlargement is better
WHEN = 48  # steps after which an automaton of pixels is looked at


class LatentPaper(Paper):
    """White paper, encoded, above a drawing's latents."""

    def __init__(self, nca: NCA, pictures: VQVAE, drawings: VQVAE, quantised: bool = False) -> None:
        super().__init__(nca)
        self.nca, self.pictures, self.drawings = nca, pictures, drawings
        self.quantised = quantised

    def start(self, ink: Tensor) -> Tensor:
        """States to begin with, of ink ``[B, 1, h, w]`` in [0, 1]."""
        return latent_paper(self.nca, self.pictures, self.drawings.normal(ink))

    def show(self, state: Tensor) -> Tensor:
        """RGB ``[B, 3, h, w]`` in [0, 1], decoded."""
        latents = state[:, self.layout.visible_slice].float()
        return self.pictures.pictures(latents, self.quantised).clamp(0, 1)


@torch.no_grad()
def evaluate_latent_pairs(
    nca: NCA,
    pictures: VQVAE,
    drawings: VQVAE,
    test: Pairs,
    train: Pairs,
    protocol: PairsProtocol | None = None,
) -> dict[str, Any]:
    """Measures an automaton that colours drawings in latents, on the CPU.

    Args:
        nca: the automaton.
        pictures: the autoencoder of photographs.
        drawings: that of drawings.
        test: drawings and photographs that it has not seen.
        train: those that it learned from, for the trivial rows.
        protocol: when to look.

    """
    rules = protocol or PairsProtocol(batch=10)
    pictures, drawings = (network.to("cpu").eval() for network in (pictures, drawings))
    truth = test.pictures.float() / 255
    paper = LatentPaper(nca, pictures, drawings)
    latents = encoded(pictures, truth, rules.batch)
    paper.bound = bound(float(latents.abs().max()))
    found = evaluate_pairs(nca, test, train, rules, paper=paper)
    snapped = LatentPaper(nca, pictures, drawings, quantised=True)
    generator = torch.Generator().manual_seed(0)
    codes, floor = [], {"quantised": [], "free": []}
    for ink, part in zip(test.ink.split(rules.batch), latents.split(rules.batch), strict=True):
        state = nca.rollout(paper.start(ink.float() / 255), rules.damage, generator=generator)
        codes.append(snapped.show(state))
        for kind, parts in floor.items():
            parts.append(pictures.pictures(part, kind == "quantised").clamp(0, 1))
    return found | {
        "snapped": compared(torch.cat(codes), truth),
        "floor": {kind: compared(torch.cat(parts), truth) for kind, parts in floor.items()},
    }


@torch.no_grad()
def enlarged_pairs(small: Mapping[str, NCA], pairs: Pairs, test: Pairs) -> dict[str, Any]:
    """What automata of pixels draw, enlarged, against the large photographs.

    Args:
        small: automata by name, one cell for a pixel.
        pairs: the same test pairs at their size.
        test: at the size that counts.

    """
    truth = test.pictures.float() / 255
    size = (truth.shape[2], truth.shape[3])

    def large(images: Tensor) -> Tensor:
        return F.interpolate(images, size, mode="bicubic", antialias=False).clamp(0, 1)

    found = {TRUTH: compared(large(pairs.pictures.float() / 255), truth)}
    for name, nca in small.items():
        generator = torch.Generator().manual_seed(0)
        states = [
            nca.rollout(white_paper(nca.layout, part.float() / 255), WHEN, generator=generator)
            for part in pairs.ink.split(20)
        ]
        visible = torch.cat(states)[:, nca.layout.visible_slice]
        found[name] = compared(large(visible.clamp(0, 1)), truth)
    return found
