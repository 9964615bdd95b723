"""Whether a filled face has eyes and a mouth: what a small network says that has seen both.

It learns from the training faces: parts where an eye or a mouth is, against the same parts without
them (the hole's edge carried on smoothly, a blur, the mean face) and parts from elsewhere. It never
sees what an automaton made. Its own errors, on test faces that are whole and on ones that are
filled smoothly, stand beside what it says.
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from ncabook.data.faces import FEATURES, HEIGHT, WIDTH
from ncabook.evaluation.recovery import bootstrap
from ncabook.networks import SmallCNN
from ncabook.training.judge import blurred

SIZE = (16, 24)  # of a part, for the network
COVERED = 0.9  # of a feature, that it counts as missing
WIDTHS = (16, 32, 48)
BLURS = (2.5, 6.0)  # pixels, from and to
KINDS = 4  # of parts without a feature


def part(images: Tensor, box: tuple[int, int, int, int]) -> Tensor:
    """Rows and columns of pictures, made of one size: ``[N, C, 16, 24]``."""
    top, bottom, left, right = box
    return F.interpolate(images[..., top:bottom, left:right], SIZE, mode="bilinear", antialias=True)


def covered(missing: Tensor, box: tuple[int, int, int, int]) -> Tensor:
    """In which pictures a hole lies over a feature, bool ``[N]``."""
    top, bottom, left, right = box
    return missing[..., top:bottom, left:right].mean((1, 2, 3)) >= COVERED


def train_judge(train: Tensor, iterations: int = 400, batch: int = 48, seed: int = 0) -> SmallCNN:
    """A network that tells parts with an eye or a mouth from parts without.

    Args:
        train: uint8 ``[N, 3, 104, 88]``, aligned as CelebA's are.
        iterations: of learning.
        batch: parts with a feature in each, and as many without.
        seed: of weights and batches.

    Raises:
        ValueError: faces of another size, whose features lie elsewhere.

    """
    if tuple(train.shape[1:]) != (3, HEIGHT, WIDTH):
        raise ValueError(
            f"pictures of shape {list(train.shape[1:])}; expected faces, [3, {HEIGHT}, {WIDTH}]"
        )
    generator = Generator().manual_seed(seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        judge = SmallCNN(2, 3, WIDTHS).train()
    optimizer = torch.optim.Adam(judge.parameters(), 2e-3)
    mean = train[:2000].float().mean(0) / 255
    labels = torch.arange(2).repeat_interleave(batch)
    for iteration in range(iterations):
        optimizer.param_groups[0]["lr"] = 2e-3 * (1 - iteration / iterations)
        picks = torch.randint(len(train), (2 * batch,), generator=generator)
        faces = train[picks].float() / 255
        box = list(FEATURES.values())[iteration % len(FEATURES)]
        without = _without(faces[:batch], box, mean, generator)
        parts = torch.cat([without, part(faces[batch:], _moved(box, generator))])
        loss = F.cross_entropy(judge(parts), labels)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
    return judge.eval()


def _moved(
    box: tuple[int, int, int, int], generator: Generator, far: int = 1
) -> tuple[int, int, int, int]:
    """A box a little aside."""
    down, right = torch.randint(-far, far + 1, (2,), generator=generator).tolist()
    return box[0] + down, box[1] + down, box[2] + right, box[3] + right


def _without(
    faces: Tensor, box: tuple[int, int, int, int], mean: Tensor, generator: Generator
) -> Tensor:
    """Parts without a feature, of some kind for each face."""
    height, width = box[1] - box[0], box[3] - box[2]
    top = int(torch.randint(HEIGHT - height, (), generator=generator))
    left = int(torch.randint(WIDTH - width, (), generator=generator))
    elsewhere = (top, top + height, left, left + width)
    near = any(
        abs(top - at) < height * 0.7 and abs(left - beside) < width * 0.7
        for at, _, beside, _ in FEATURES.values()
    )
    if near:  # a part of another feature; of this one's height, at the picture's edge, is none
        elsewhere = (top, top + height, 0, width)
    low, high = BLURS
    sigma = low + (high - low) * float(torch.rand((), generator=generator))
    kinds = torch.stack(
        [
            part(smooth(faces, box), box),
            part(soft(faces, box, sigma), box),
            part(mean.expand_as(faces), _moved(box, generator)),
            part(faces, elsewhere),
        ]
    )
    which = torch.randint(KINDS, (len(faces),), generator=generator)
    return kinds[which, torch.arange(len(faces))]


def soft(images: Tensor, box: tuple[int, int, int, int], sigma: float) -> Tensor:
    """Pictures, blurred where the box and its surroundings are, by so many pixels."""
    top, bottom, left, right = box
    far = round(2 * sigma)
    around = (..., slice(max(0, top - far), bottom + far), slice(max(0, left - far), right + far))
    found, blurry = images.clone(), images[around]
    found[around] = blurred(blurry.flatten(0, 1)[:, None], sigma).view_as(blurry)
    return found


def smooth(images: Tensor, box: tuple[int, int, int, int]) -> Tensor:
    """Pictures whose box is filled from its four edges, each as near as it is far from the others.

    Coons' patch: what a feature's place would look like if its edge just went on.
    """
    top, bottom, left, right = box
    found = images.clone()
    height, width = bottom - top, right - left
    down = torch.linspace(0, 1, height + 2)[1:-1, None]
    across = torch.linspace(0, 1, width + 2)[None, 1:-1]
    above, below = (images[..., row, left:right][..., None, :] for row in (top - 1, bottom))
    before, behind = (images[..., top:bottom, at][..., None] for at in (left - 1, right))
    corners = [
        images[..., r, c][..., None, None] for r in (top - 1, bottom) for c in (left - 1, right)
    ]
    patch = above * (1 - down) + below * down + before * (1 - across) + behind * across
    weights = ((1 - down) * (1 - across), (1 - down) * across, down * (1 - across), down * across)
    for corner, weight in zip(corners, weights, strict=True):
        patch = patch - corner * weight
    found[..., top:bottom, left:right] = patch.clamp(0, 1)
    return found


@torch.no_grad()
def features_seen(judge: SmallCNN, images: Tensor, missing: Tensor) -> dict[str, Any]:
    """How many holes over an eye or a mouth are seen as one, in percent, with an interval.

    Args:
        judge: from :func:`train_judge`.
        images: filled pictures, ``[N, 3, 104, 88]`` in [0, 1].
        missing: the holes, ``[N, 1, 104, 88]``.

    """
    said = torch.cat(
        [
            (judge(part(images, box)).argmax(1) == 1)[covered(missing, box)]
            for box in FEATURES.values()
        ]
    ).float()
    if not len(said):
        return {"holes": 0}

    def percent(values: Tensor) -> float:
        return float(100 * values.mean())

    return {
        "holes": len(said),
        "percent": percent(said),
        "percent_interval": list(bootstrap(percent, said)),
    }


@torch.no_grad()
def own_errors(judge: SmallCNN, test: Tensor) -> dict[str, float]:
    """In percent, of whole faces ``[N, 3, 104, 88]`` in [0, 1], and of smooth ones."""
    whole, without = [], []
    for box in FEATURES.values():
        whole.append(judge(part(test, box)).argmax(1) != 1)
        without.append(judge(part(smooth(test, box), box)).argmax(1) == 1)
    return {
        "missed": float(100 * torch.cat(whole).float().mean()),
        "imagined": float(100 * torch.cat(without).float().mean()),
    }
