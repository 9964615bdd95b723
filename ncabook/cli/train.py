"""``ncabook train``: from an experiment to a trained model in a folder."""

import shlex
from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from ncabook import experiments
from ncabook.cli.options import path
from ncabook.experiments import runner
from ncabook.training.processes import default_device, is_main_process, leave_group


class Tracker(Enum):
    """:data:`~ncabook.training.tracking.TrackerName` as typer takes choices."""

    tensorboard = "tensorboard"
    wandb = "wandb"
    none = "none"


def train(
    name: Annotated[str, typer.Argument(help="An experiment's name, or a path to a YAML file.")],
    output: Annotated[
        Path | None,
        typer.Option(
            parser=path, metavar="PATH", help="Folder for the result; runs/NAME if not given."
        ),
    ] = None,
    seed: Annotated[
        int | None, typer.Option(help="In place of the experiment's own; kept in the card.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the checkpoint.")] = False,
    device: Annotated[
        str | None, typer.Option(help="cpu, cuda or cuda:1; the GPU if there is one.")
    ] = None,
    tracker: Annotated[
        Tracker | None,
        typer.Option(help="Where the curves go; TensorBoard's FOLDER/logs, if it is installed."),
    ] = None,
) -> None:
    """Train an experiment. Ctrl-C saves a checkpoint and stops.

    Examples:
      ncabook train emoji-conv3

      ncabook train my.yaml --output runs/mine --device cuda

      accelerate launch -m ncabook train emoji-conv3-48      on all GPUs, with one result

    """
    experiment = experiments.find(name)
    folder = output or Path("runs") / experiment.name
    if seed is not None and seed != experiment.seed:
        experiment = experiments.with_seed(experiment, seed)
        folder = output or Path("runs") / f"{experiment.name}-seed-{seed}"
    used = default_device() if device is None else device
    given = {"--output": output, "--seed": seed}
    options = [word for key, v in given.items() if v is not None for word in (key, str(v))]
    command = ["ncabook", "train", name, *options, "--resume"]
    go_on = f"go on with: {shlex.join(command)}"
    try:
        card = runner.train(experiment, folder, used, resume, tracker=tracker and tracker.value)
    except KeyboardInterrupt:
        if is_main_process():
            kept = runner.checkpoints(folder)
            end = f"the checkpoint is {kept[0]}\n{go_on}" if kept else "there is no checkpoint yet"
            typer.echo(f"\nstopped; {end}", err=True)
        raise typer.Exit(130) from None
    except OSError as error:
        if not runner.checkpoints(folder):
            raise
        raise OSError(f"{error}; {runner.checkpoints(folder)[0]} is kept: {go_on}") from None
    finally:
        leave_group()
    if is_main_process():
        result = card.training
        typer.echo(
            f"trained {card.parameters:,} parameters in {result['seconds'] / 60:.1f} minutes, "
            f"loss {result['mean_loss_of_last_100']:.5f}\n"
            f"measure it with: ncabook evaluate {folder} --save"
        )
