"""``ncabook film``: an automaton's growth as a film, for a talk or a message."""

import io
import shutil
import subprocess
from enum import Enum
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
import torch.nn.functional as F
import typer
from PIL import Image

from ncabook import zoo
from ncabook.automaton import NCA, centre_seed
from ncabook.cli.options import path
from ncabook.evaluation.perceptual import on_white
from ncabook.files import write_atomically
from ncabook.training.perturbation import circle_mask, half_mask

STILLS = {".gif": "GIF", ".png": "PNG", ".webp": "WEBP"}
ENCODER = "ffmpeg"
GROWING = ("grow", "imported")  # tasks whose automata grow a picture from one seed


class Damage(Enum):
    """What is done to it on the way."""

    none = "none"
    half = "half"
    disc = "disc"


def film(
    name: Annotated[str, typer.Argument(help="A trained model's name, or its folder.")],
    file: Annotated[
        Path,
        typer.Argument(parser=path, metavar="FILE", help="It ends in .gif, .webp, .png, .mp4."),
    ],
    steps: Annotated[int, typer.Option(min=1, max=10**4, help="Of the automaton.")] = 200,
    every: Annotated[int, typer.Option(min=1, help="Steps from frame to frame.")] = 2,
    damage: Annotated[
        Damage, typer.Option(help="Halfway, erase the right half, or a disc in the middle.")
    ] = Damage.half,
    label: Annotated[
        str | None, typer.Option("--class", help="What is grown; the first class if not given.")
    ] = None,
    pixels: Annotated[int, typer.Option(min=1, max=64, help="Along a cell's side.")] = 8,
    rate: Annotated[int, typer.Option(min=1, max=60, help="Frames in a second.")] = 20,
    seed: Annotated[int, typer.Option(min=0, help="Of the cells that fire.")] = 0,
    force: Annotated[bool, typer.Option("--force", help="Replace an existing file.")] = False,
) -> None:
    """Write an automaton's growth, damage and repair as a film.

    Examples:
      ncabook film emoji-conv3 lizard.gif --class 🦎

      ncabook film runs/cat cat.mp4 --steps 400 --damage disc    needs ffmpeg

    """
    kind = file.suffix.lower()
    if kind not in (*STILLS, ".mp4"):
        raise ValueError(f"{file}: expected a name that ends in .gif, .webp, .png or .mp4")
    encoder = shutil.which(ENCODER)
    if kind == ".mp4" and encoder is None:
        raise ValueError(
            f"{file}: {ENCODER} is not installed, which makes mp4; write a .gif or .webp"
        )
    if file.is_dir() or (file.exists() and not force):
        raise ValueError(f"{file} exists; add --force to replace it, or name another file")
    model = zoo.load(name)
    if not isinstance(model.network, NCA) or model.card.experiment.task not in GROWING:
        raise ValueError(
            f"{name} grows no picture (task {model.card.experiment.task}); expected a model of "
            "task grow, such as emoji-conv3"
        )
    pictures = frames(model, steps, every, damage, _class(model, label), seed, pixels)
    written = (
        _mp4(pictures, rate, str(encoder)) if kind == ".mp4" else _stills(pictures, kind, rate)
    )
    write_atomically(file, written)
    typer.echo(f"wrote {file} ({len(written) / 1024:.0f} kB, {len(pictures)} frames)")


def _class(model: zoo.TrainedModel, label: str | None) -> int:
    known = model.card.experiment.data.classes
    if label is None:
        return 0
    if label not in known:
        raise ValueError(f"--class {label}: expected one of {', '.join(known)}")
    return known.index(label)


@torch.no_grad()
def frames(
    model: zoo.TrainedModel,
    steps: int,
    every: int,
    damage: Damage,
    label: int,
    seed: int,
    pixels: int,
) -> list[np.ndarray]:
    """Pictures on white, uint8 ``[height, width, 3]`` each."""
    nca, data = model.nca, model.card.experiment.data
    height, width = data.height, data.width
    state = centre_seed(nca.layout, height, width)
    classes = nca.perception.condition_channels
    condition: Any = F.one_hot(torch.tensor([label]), classes).float() if classes else None
    generator = torch.Generator().manual_seed(seed)
    ring = nca.living_threshold is not None
    found, hurt = [], steps // 2 // every
    for number in range(steps // every + 1):
        if number == hurt and damage is not Damage.none:
            state = state * _kept(damage, height, width)
        white = on_white(state[0, nca.layout.visible_slice])
        large = white.repeat_interleave(pixels, 1).repeat_interleave(pixels, 2)
        found.append((255 * large).round().byte().permute(1, 2, 0).numpy())
        first = number == 0
        state = nca.rollout(state, every, condition, generator=generator, ring=ring and first)
    return found


def _kept(damage: Damage, height: int, width: int) -> torch.Tensor:
    """What is not erased: ``[1, 1, height, width]``."""
    if damage is Damage.half:
        return half_mask(height, width, 0.0)
    return circle_mask(height, width, (height - 1) / 2, (width - 1) / 2, min(height, width) / 5)


def _stills(pictures: list[np.ndarray], kind: str, rate: int) -> bytes:
    """An animated picture."""
    first, *others = (Image.fromarray(picture) for picture in pictures)
    buffer = io.BytesIO()
    more: dict[str, Any] = {"lossless": True} if kind == ".webp" else {}
    first.save(
        buffer,
        STILLS[kind],
        save_all=True,
        append_images=others,
        duration=round(1000 / rate),
        loop=0,
        **more,
    )
    return buffer.getvalue()


def _mp4(pictures: list[np.ndarray], rate: int, encoder: str) -> bytes:
    """H.264, as every player knows it: sides are even, colours 4:2:0."""
    height, width = (side - side % 2 for side in pictures[0].shape[:2])
    command = [encoder, "-v", "error", "-f", "rawvideo", "-pix_fmt", "rgb24"]
    command += ["-s", f"{width}x{height}", "-r", str(rate), "-i", "-", "-c:v", "libx264"]
    command += ["-pix_fmt", "yuv420p", "-movflags", "frag_keyframe+empty_moov", "-f", "mp4", "-"]
    raw = b"".join(picture[:height, :width].tobytes() for picture in pictures)
    done = subprocess.run(command, input=raw, capture_output=True, check=False)
    if done.returncode:
        reason = done.stderr.decode(errors="replace").strip().splitlines()
        raise ValueError(f"{encoder} made no mp4: {reason[-1] if reason else 'it said nothing'}")
    return done.stdout
