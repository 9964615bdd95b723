"""The ``ncabook`` command."""

import sys
from typing import Annotated

import typer

from ncabook import experiments, zoo
from ncabook.cli.data import data
from ncabook.cli.evaluate import evaluate
from ncabook.cli.export import export
from ncabook.cli.film import film
from ncabook.cli.grow import grow
from ncabook.cli.imports import import_
from ncabook.cli.lab import lab
from ncabook.cli.streams import prepare
from ncabook.cli.sweep import sweep
from ncabook.cli.table import table
from ncabook.cli.train import train
from ncabook.data.registry import DataUnavailableError
from ncabook.experiments.runner import RunExistsError
from ncabook.files import CorruptFileError
from ncabook.reading import ConfigError, UnknownNameError
from ncabook.training.learner import TrainingDivergedError
from ncabook.training.processes import ending_like_ctrl_c

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
    RunExistsError,
    UnknownNameError,
)

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="""Neural cellular automata: train, measure and show them.

Examples:

  ncabook list                                  what there is

  ncabook grow cat.png                          an automaton that grows your picture, and its page

  ncabook train emoji-conv3                     train an experiment into runs/emoji-conv3

  ncabook train emoji-conv3 --resume            go on after an interruption

  ncabook lab                                   all models and your runs, alive, side by side

  ncabook sweep table1 --seeds 5                 train a table of experiments, five times

  ncabook evaluate emoji-conv3                  measure a trained model

  ncabook table 1                               the paper's table, with our numbers

  ncabook export emoji-conv3 --html lizard.html a page that runs it, without a network

  ncabook export emoji-conv3 --onnx lizard.onnx one step of it, for other programs

  ncabook film emoji-conv3 lizard.gif           its growth as a film, for a talk

  ncabook export emoji-conv3 --glsl lizard.glsl shaders for Shadertoy

  ncabook import ex3.json --kind distill --output runs/ex3    a model from elsewhere
""",
)


@app.command("list")
def list_(
    stages: Annotated[
        bool, typer.Option("--stages", help="Also what models were trained from, stage by stage.")
    ] = False,
) -> None:
    """Show the experiments and the trained models.

    Examples:
      ncabook list

      ncabook list --stages

    """
    typer.echo("experiments (ncabook train NAME):")
    for path in experiments.files():
        *before, last = experiments.load_stages(path)
        for experiment in [*(before if stages else []), last]:
            typer.echo(f"  {experiment.name:24} {experiment.title}")
    typer.echo("trained models (ncabook evaluate NAME, ncabook export NAME):")
    known = zoo.folders() | (zoo.stages() if stages else {})
    for name, folder in sorted(known.items()):
        card = zoo.read_card(folder)
        typer.echo(f"  {name:24} {card.parameters:,} parameters, {card.experiment.title}")


for command in (grow, train, lab, sweep, evaluate, table, export, film):
    app.command()(command)
app.command("import")(import_)
app.add_typer(data, name="data")


def main() -> None:
    """Runs the command; errors that a user can mend become one line."""
    prepare()
    try:
        with ending_like_ctrl_c():
            app(prog_name="ncabook")
    except EXPECTED_ERRORS as error:
        typer.echo(f"error: {error or type(error).__name__}", err=True)
        sys.exit(1)
