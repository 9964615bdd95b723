"""``ncabook grow``: from a picture of one's own to an automaton that grows it, in a few minutes."""

import shlex
import sys
import time
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
import typer
import yaml
from PIL import Image

from ncabook import experiments, zoo
from ncabook.automaton import centre_seed
from ncabook.cli.drafts import experiment, plain_name
from ncabook.cli.options import path
from ncabook.evaluation.perceptual import on_white
from ncabook.experiments import runner
from ncabook.experiments.runner import RunExistsError
from ncabook.files import write_atomically
from ncabook.training.loop import Loop
from ncabook.training.processes import default_device

SIZE = 32  # cells, if not given
MOST = 20  # pictures for one automaton
EVERY = 15.0  # seconds between two looks
BLOCK = "▀"  # a character of two pixels, the upper one in its own colour
NAME = "experiment.yaml"
LAST = "now.png"


def grow(
    pictures: Annotated[
        list[Path], typer.Argument(parser=path, metavar="PICTURE…", help="PNG, JPEG, GIF, WebP …")
    ],
    size: Annotated[
        int, typer.Option(min=8, max=128, help="Cells along the picture's longer side.")
    ] = SIZE,
    background: Annotated[
        str | None,
        typer.Option(
            help="transparent, or white: what is no part of the picture. If not given: white where "
            "nothing is transparent and the rim is white."
        ),
    ] = None,
    iterations: Annotated[
        int, typer.Option(min=1, max=10**6, help="More of them draw more exactly.")
    ] = 1500,
    output: Annotated[
        Path | None,
        typer.Option(parser=path, metavar="PATH", help="Folder; runs/PICTURE if not given."),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Where everything random comes from.")] = 0,
    device: Annotated[
        str | None, typer.Option(help="cpu, cuda or cuda:1; the GPU if there is one.")
    ] = None,
) -> None:
    """Grow a picture of your own: train an automaton, and write it with a page that runs it.

    Examples:
      ncabook grow cat.png

      ncabook grow cat.png dog.png --size 40        two classes of one automaton

    """
    if background not in (None, "transparent", "white"):
        raise ValueError(f"--background {background}: expected transparent or white")
    if len(pictures) > MOST:
        raise ValueError(f"{len(pictures)} pictures for one automaton; expected {MOST} or fewer")
    name = plain_name(pictures[0].stem)
    folder = output or Path("runs") / name
    again = f"ncabook train {shlex.quote(str(folder / NAME))} --output {shlex.quote(str(folder))}"
    made = experiment(pictures, name, size, background, iterations, seed, typer.echo)
    used = default_device() if device is None else device
    try:
        runner.check_free(folder)
    except RunExistsError:
        raise RunExistsError(
            f"{folder} already holds a run; name another folder with --output, or go on with it: "
            f"{again} --resume"
        ) from None
    folder.mkdir(parents=True, exist_ok=True)
    text = yaml.safe_dump(made, sort_keys=False, allow_unicode=True, width=10**9)
    write_atomically(folder / NAME, text.encode())
    found = experiments.load_experiment(folder / NAME)
    typer.echo(f"training into {folder}; Ctrl-C stops, and keeps what there is")
    try:
        runner.train(found, folder, used, watch=Looks(folder))
    except KeyboardInterrupt:
        if not runner.checkpoints(folder):
            raise
        typer.echo(f"\nstopped; go on with: {again} --resume", err=True)
        raise typer.Exit(130) from None
    longer = [*map(str, pictures), "--iterations", str(5 * iterations)]
    longer += ["--size", str(size)] if size != SIZE else []
    longer += ["--background", background] if background else []
    longer += ["--output", f"{folder}-longer"]
    _finish(folder, name, shlex.join(["ncabook", "grow", *longer]))


def _finish(folder: Path, name: str, longer: str) -> None:
    """Writes the page, and says how to go on."""
    from ncabook.live import to_html  # the widget stack is slow to import

    model = zoo.load(str(folder))
    page = folder / f"{name}.html"
    title = model.card.experiment.title
    write_atomically(page, to_html(model.nca, title=title, **model.live()).encode())
    minutes = model.card.training["seconds"] / 60
    typer.echo(
        f"\n{page} grows it in any browser, without a network: open it, and erase something\n"
        f"trained {model.card.parameters:,} parameters in {minutes:.1f} minutes, loss "
        f"{model.card.training['mean_loss_of_last_100']:.5f}; to go on:\n"
        f"  {longer}   draws more exactly\n"
        f"  ncabook evaluate {folder} --save   says how well it grows, lasts and heals\n"
        f"  ncabook film {folder} {name}.gif   its growth as a film\n"
        f"  ncabook.zoo.load({str(folder)!r})   in Python"
    )


class Looks:
    """Shows what an automaton grows while it is trained: in a file, and in a terminal.

    Args:
        folder: where the file lies.
        every: seconds between two looks.

    """

    def __init__(self, folder: Path, every: float = EVERY) -> None:
        self.folder, self.every = folder, every
        self.since = time.monotonic()

    def __call__(self, loop: Loop) -> None:
        """After an iteration."""
        if time.monotonic() - self.since < self.every:
            return
        pictures = grown(loop)
        enlarged = Image.fromarray(pictures)
        size = [6 * side for side in enlarged.size]
        enlarged.resize(size, Image.Resampling.NEAREST).save(self.folder / LAST)
        if sys.stderr.isatty():
            sys.stderr.write(f"\r\n{blocks(pictures)}\n")
        self.since = time.monotonic()


@torch.no_grad()
def grown(loop: Loop) -> np.ndarray:
    """What it grows now, on white: uint8 ``[height, classes · width, 3]``."""
    learner: Any = loop.learner
    nca, targets = learner.nca, learner.targets
    training = nca.training
    nca.eval()
    classes, _, height, width = targets.shape
    state = centre_seed(nca.layout, height, width, classes, str(loop.accelerator.device))
    condition = torch.eye(classes, device=state.device) if classes > 1 else None
    generator = torch.Generator().manual_seed(0)
    state = nca.rollout(state, learner.config.steps.max, condition, generator=generator, ring=True)
    nca.train(training)
    row = torch.cat([*on_white(state[:, nca.layout.visible_slice]).cpu()], 2)
    return (255 * row).round().byte().permute(1, 2, 0).numpy()


def blocks(picture: np.ndarray) -> str:
    """A picture ``[H, W, 3]`` as characters of a terminal that knows colours."""
    if len(picture) % 2:
        picture = np.concatenate([picture, np.full_like(picture[:1], 255)])
    lines = []
    for upper, lower in zip(picture[::2], picture[1::2], strict=True):
        cells = (
            f"\x1b[38;2;{a[0]};{a[1]};{a[2]}m\x1b[48;2;{b[0]};{b[1]};{b[2]}m{BLOCK}"
            for a, b in zip(upper, lower, strict=True)
        )
        lines.append("".join(cells) + "\x1b[0m")
    return "\n".join(lines)
