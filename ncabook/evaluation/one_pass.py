"""The protocol for networks of one pass: the same perturbations, and nothing to wait for.

Stage 2 is what the network makes of the seed. That picture is damaged or told to be another
class, by the protocol's masks and classes, and goes through the network once more: Stage 3.
Such a "recovery" says that the picture was drawn again, not that anything repaired itself; the
last line of :func:`evaluate_one_pass` gives the network nothing at all, and looks again.
"""

from dataclasses import asdict
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from ncabook.automaton import centre_seed
from ncabook.evaluation.growth import GrowthProtocol
from ncabook.evaluation.harm import circle_masks, damage_masks, mutated_classes
from ncabook.evaluation.outcome import summarise
from ncabook.evaluation.perceptual import lpips_distance, on_white
from ncabook.evaluation.recovery import recovery
from ncabook.networks import OnePass
from ncabook.training.one_pass import RGBA


@torch.no_grad()
def evaluate_one_pass(
    network: OnePass,
    targets: Tensor,
    protocol: GrowthProtocol | None = None,
    perceptual: bool = True,
) -> dict[str, Any]:
    """Measures a network of one pass, on the CPU.

    Args:
        network: maps an image and a class to the class's picture.
        targets: ``[classes, 4, H, W]``, premultiplied RGBA.
        protocol: the book's, unless a quick look is wanted. Its steps mean nothing here.
        perceptual: also measure LPIPS, which needs AlexNet's weights.

    Returns:
        What goes into a card, like an automaton's summary, without figures that need steps; and
        ``further.nothing``, the squared error of what is drawn from an empty image.

    """
    protocol = protocol or GrowthProtocol()
    network = network.to("cpu").eval()
    count, _, height, width = targets.shape
    # Every rollout of a class is the same picture here; only masks and new classes differ.
    rollouts = torch.arange(protocol.seeds).repeat(count)
    classes = torch.arange(count).repeat_interleave(protocol.seeds)
    others = mutated_classes(classes, rollouts, count)

    def draw(image: Tensor, labels: Tensor) -> Tensor:
        return network(image, F.one_hot(labels, count).float())

    def mse(image: Tensor, labels: Tensor) -> Tensor:
        return (image - targets[labels]).square().mean((1, 2, 3))

    def lpips(image: Tensor, labels: Tensor) -> Tensor:
        return lpips_distance(on_white(image), on_white(targets[labels]))

    seed = centre_seed(RGBA, height, width, len(classes))
    grown = draw(seed, classes)
    pictures = {"stage2": (grown, classes)}
    for name, masks in (("half", damage_masks), ("circles", circle_masks)):
        harmed = grown * masks(protocol.seeds, height, width)[rollouts]
        pictures[name] = harmed, classes
        pictures[f"{name}_final"] = draw(harmed, classes), classes
    pictures["mutated"] = grown, others
    pictures["mutation_final"] = draw(grown, others), others

    summary: dict[str, Any] = {"protocol": asdict(protocol)}
    for metric, distance in (("mse", mse), *([("lpips", lpips)] if perceptual else [])):
        stages = {name: distance(*picture) for name, picture in pictures.items()}
        stages["damaged"] = torch.cat([stages["half"], stages["circles"]])
        stages["damage_final"] = torch.cat([stages["half_final"], stages["circles_final"]])
        summary[metric] = summarise(stages)

    generator = torch.Generator().manual_seed(protocol.random_seed)
    opaque = (grown[:, 3:4] > 0.1).float()
    noise = grown + protocol.noise * opaque * torch.randn(grown.shape, generator=generator)
    kept = torch.rand(grown[:, :1].shape, generator=generator) >= protocol.erased
    hurt = grown
    for i in range(protocol.damages):
        masks = damage_masks(protocol.seeds + i, height, width)[i:]
        hurt = draw(hurt * masks[rollouts], classes)
    before = mse(grown, classes)
    summary["further"] = {
        "repeated": float(mse(hurt, classes).mean()),
        "noise_recovery": recovery(before, mse(noise, classes), mse(draw(noise, classes), classes)),
        "erased_recovery": recovery(
            before, mse(grown * kept, classes), mse(draw(grown * kept, classes), classes)
        ),
        "nothing": float(mse(draw(torch.zeros_like(seed), classes), classes).mean()),
    }
    return summary
