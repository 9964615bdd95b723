"""The ``ncabook`` command."""

import shlex
import sys
from enum import Enum
from pathlib import Path
from typing import Annotated, get_args

import typer

from ncabook import zoo
from ncabook.cli_data import data
from ncabook.cli_options import path
from ncabook.cli_report import report
from ncabook.cli_streams import prepare
from ncabook.cli_sweep import sweep
from ncabook.cli_table import table
from ncabook.data.registry import DataUnavailableError
from ncabook.evaluation.protocol import Protocol
from ncabook.experiments import runner
from ncabook.experiments.build import class_names, example_inputs
from ncabook.experiments.reading import ConfigError
from ncabook.experiments.schema import ClassificationExperiment, TextureExperiment
from ncabook.files import CorruptFileError, write_atomically
from ncabook.training.processes import (
    default_device,
    ending_like_ctrl_c,
    is_main_process,
    leave_group,
)
from ncabook.training.texture import gray_canvas
from ncabook.training.tracking import TrackerName
from ncabook.training.trainer import TrainingDivergedError

EXPECTED_ERRORS = (
    ConfigError,
    CorruptFileError,
    DataUnavailableError,
    MemoryError,
    ModuleNotFoundError,
    OSError,
    RuntimeError,
    TrainingDivergedError,
    TypeError,
    ValueError,
    runner.RunExistsError,
    zoo.UnknownNameError,
)

Tracker = Enum("Tracker", [(name, name) for name in get_args(TrackerName)])

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="""Neural cellular automata: train, measure and show them.

Examples:

  ncabook list                                  what there is

  ncabook train emoji-conv3                     train an experiment into runs/emoji-conv3

  ncabook train emoji-conv3 --resume            go on after an interruption

  ncabook sweep table1 --seeds 5                 train a table of experiments, five times

  ncabook evaluate emoji-conv3                  measure a trained model

  ncabook table 1                               the paper's table, with our figures

  ncabook export emoji-conv3 --html lizard.html a page that runs it, without a network

  ncabook export emoji-conv3 --onnx lizard.onnx one step of it, for other programs
""",
)
app.add_typer(data, name="data")
app.command()(sweep)
app.command()(table)


@app.command("list")
def list_() -> None:
    """Show the experiments and the trained models.

    Example: ncabook list
    """
    typer.echo("experiments (ncabook train NAME):")
    for name in runner.names():
        typer.echo(f"  {name:24} {runner.find(name).title}")
    typer.echo("trained models (ncabook evaluate NAME, ncabook export NAME):")
    for name in zoo.names():
        card = zoo.read_card(zoo.ZOO / name)
        typer.echo(f"  {name:24} {card.parameters:,} parameters, {card.experiment.title}")


@app.command()
def train(
    name: Annotated[str, typer.Argument(help="An experiment's name, or a path to a YAML file.")],
    output: Annotated[
        Path | None,
        typer.Option(
            parser=path, metavar="PATH", help="Folder for the result; runs/NAME if not given."
        ),
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
    experiment = runner.find(name)
    folder = output or Path("runs") / experiment.name
    used = default_device() if device is None else device
    command = ["ncabook", "train", name, *(["--output", str(output)] if output else []), "--resume"]
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


@app.command()
def evaluate(
    name: Annotated[str, typer.Argument(help="A trained model's name, or its folder.")],
    seeds: Annotated[
        int, typer.Option(min=1, max=1000, help="Rollouts per class; 20 is the protocol.")
    ] = Protocol.seeds,
    lpips: Annotated[bool, typer.Option(help="Also measure LPIPS.")] = True,
    further: Annotated[
        bool, typer.Option(help="Also measure what Table 1 leaves out: 5,000 steps, other grids, …")
    ] = True,
    save: Annotated[bool, typer.Option("--save", help="Write the result into card.json.")] = False,
    device: Annotated[
        str, typer.Option(help="cpu, or cuda for what classifies or draws textures.")
    ] = "cpu",
) -> None:
    """Measure growth, persistence and repair by the book's protocol.

    Examples:
      ncabook evaluate emoji-conv3

      ncabook evaluate runs/emoji-conv3 --save

      ncabook evaluate emoji-conv3 --seeds 2 --no-lpips --no-further    a quick look

    """
    if save and (seeds != Protocol.seeds or not lpips or not further):
        raise ValueError(
            f"--save keeps whole evaluations only: --seeds {Protocol.seeds}, with LPIPS and further"
        )
    try:
        result = runner.evaluate_model(name, Protocol(seeds=seeds), lpips, further, save, device)
    except KeyboardInterrupt:
        typer.echo("\nstopped; nothing was saved", err=True)
        raise typer.Exit(130) from None
    typer.echo(report(result))


@app.command()
def export(
    name: Annotated[str, typer.Argument(help="A trained model's name, or its folder.")],
    html: Annotated[
        Path | None,
        typer.Option(parser=path, metavar="PATH", help="A page that runs it, also from file://."),
    ] = None,
    onnx: Annotated[
        Path | None,
        typer.Option(parser=path, metavar="PATH", help="One step as an ONNX model, for any grid."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace an existing file.")] = False,
) -> None:
    """Write the automaton as one file: a page that runs it, or a model for other programs.

    Examples:
      ncabook export emoji-conv3 --html emoji.html

      ncabook export emoji-conv3 --onnx emoji.onnx    inputs: state, fire mask and class

    """
    from ncabook.live import to_html, to_onnx  # the widget stack is slow to import

    if html is None and onnx is None:
        raise ValueError("nothing to write; add --html FILE.html or --onnx FILE.onnx")
    if onnx is not None and onnx.suffix != ".onnx":
        raise ValueError(f"--onnx {onnx}: expected a name that ends in .onnx")
    if html == onnx:
        raise ValueError(f"--html and --onnx are both {html}; name two files")
    for file in filter(None, (html, onnx)):
        if file.is_dir():
            raise ValueError(f"{file} is a folder; name a file in it")
        if file.exists() and not force:
            raise ValueError(f"{file} exists; add --force to replace it, or name another file")
    model = zoo.load(name)
    nca, experiment = model.nca, model.card.experiment
    about = {"title": experiment.title}
    if isinstance(experiment, ClassificationExperiment):
        shown = {"inputs": example_inputs(experiment.data), "votes": class_names(experiment.data)}
    elif isinstance(experiment, TextureExperiment):
        shown = {"start": gray_canvas(nca, experiment.data.grid, experiment.data.grid)}
    else:
        glyphs = experiment.data.glyphs
        about["classes"] = glyphs if len(glyphs) > 1 else ()
        shown = {"targets": model.targets, "ring": nca.living_threshold is not None}
    if html is not None:
        page = to_html(nca, experiment.data.grid, experiment.data.grid, **shown, **about)
        write_atomically(html, page.encode())
        typer.echo(f"wrote {html} ({html.stat().st_size / 1024:.0f} kB); open it in any browser")
    if onnx is not None:
        step = to_onnx(nca, weights_sha256=model.card.weights_sha256, **about)
        write_atomically(onnx, step)
        typer.echo(f"wrote {onnx} ({onnx.stat().st_size / 1024:.0f} kB); one step, for any grid")


def main() -> None:
    """Runs the command; errors that a user can mend become one line."""
    prepare()
    try:
        with ending_like_ctrl_c():
            app(prog_name="ncabook")
    except EXPECTED_ERRORS as error:
        typer.echo(f"error: {error or type(error).__name__}", err=True)
        sys.exit(1)
