"""How right a cell's vote can be at a step: a network that sees the cell's light cone, no more.

    python benchmarks/light_cone.py --output benchmarks/light_cone.json

Chapter 06's automaton: 3×3 windows, half of the cells fire, cells live where ink is in their
window. Of a random voter at a random step the network is shown the pixels that its cone has, with
the cell in the middle, and which pixels these are. It is asked for the digit. A better network
would be right more often, so its accuracy is a lower bound of the ceiling. Trained on the training
images, measured on test images; one thread.
"""

import argparse
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from ncabook.automaton import NCA
from ncabook.automaton.fire import random_fire
from ncabook.data import Labelled, mnist
from ncabook.evaluation.light_cone import light_cone
from ncabook.experiments import find
from ncabook.experiments.provenance import provenance
from ncabook.files import write_atomically
from ncabook.networks import SmallCNN
from ncabook.tasks import build_network
from ncabook.training.classification import initial_state

STEPS = 40
WIDTHS = (32, 64, 128)
IMAGES = 64  # at once


def seen(nca: NCA, image: Tensor, each: int, generator: torch.Generator) -> Iterator[Tensor]:
    """After each step, what some random voters of images ``[B, 1, H, W]`` can know.

    Yields:
        float ``[each · B, 2, H, W]``: the pixels known, and which they are, the voter's own in
        the middle.

    """
    image = image.repeat_interleave(each, 0)
    batch, _, height, width = image.shape
    living = nca.living(initial_state(nca, image))
    fires: list[Tensor] = []
    for _ in range(STEPS):
        fires.append(random_fire(image, nca.fire_rate, generator))
        cell = torch.multinomial(living.flatten(1).float(), 1, generator=generator)[:, 0]
        known = light_cone(living, fires, cell).float()
        shown = torch.cat([known * image, known], dim=1)
        down, right = cell // width - height // 2, cell % width - width // 2
        rows = (torch.arange(height)[:, None] + down[:, None, None]) % height
        columns = (torch.arange(width) + right[:, None, None]) % width
        which = torch.arange(batch)[:, None, None]
        yield shown.permute(0, 2, 3, 1)[which, rows, columns].permute(0, 3, 1, 2)


def train(nca: NCA, digits: Labelled, batches: int, generator: torch.Generator) -> SmallCNN:
    """A classifier of what cells can know, one random voter of each image at each step."""
    network = SmallCNN(classes=10, image_channels=2, widths=WIDTHS)
    optimizer = torch.optim.Adam(network.parameters(), 2e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 4e-3, batches * 4)
    for number in range(batches):
        picks = torch.randint(len(digits), (IMAGES,), generator=generator)
        image = digits.images[picks].float() / 255
        shown = torch.cat(list(seen(nca, image, 1, generator)))
        labels = digits.labels[picks].repeat(STEPS)
        for part in torch.randperm(len(labels), generator=generator).chunk(4):
            loss = F.cross_entropy(network(shown[part]), labels[part])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
        if number % 10 == 0:
            print(f"{number} of {batches}: loss {float(loss):.3f}", flush=True)
    return network.eval()


@torch.no_grad()
def measure(nca: NCA, network: SmallCNN, digits: Labelled, generator: torch.Generator) -> Tensor:
    """Right answers in percent after each step, ``[STEPS]``, of four voters of each image."""
    right = torch.zeros(STEPS)
    for part in torch.arange(len(digits)).split(IMAGES):
        image, labels = digits.images[part].float() / 255, digits.labels[part]
        labels = labels.repeat_interleave(4)
        for step, shown in enumerate(seen(nca, image, 4, generator)):
            right[step] += (network(shown).argmax(1) == labels).sum()
    return 100 * right / (4 * len(digits))


def main(output: Path, batches: int, images: int, seed: int) -> None:
    """Trains, measures, writes one record."""
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    nca = build_network(find("mnist-mse"))
    train_set, test_set = mnist("train"), mnist("test")
    started = time.perf_counter()
    network = train(nca, train_set, batches, generator)
    seconds = time.perf_counter() - started
    few = Labelled(test_set.images[:images], test_set.labels[:images], test_set.names)
    record: dict[str, Any] = {
        **provenance(),
        "seed": seed,
        "automaton": "mnist-mse",
        "parameters": network.parameter_count,
        "batches": batches,
        "cones_in_a_batch": IMAGES * STEPS,
        "seconds": round(seconds, 1),
        "test_images": images,
        "voters_of_an_image": 4,
        "right_percent": [round(x, 2) for x in measure(nca, network, few, generator).tolist()],
    }
    write_atomically(output, json.dumps(record, ensure_ascii=False, indent=1).encode())


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--batches", type=int, default=220)
    parser.add_argument("--images", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    main(given.output, given.batches, given.images, given.seed)
