"""``ncabook data``: what there is, fetching it, checking it."""

from typing import Annotated

import typer

from ncabook import zoo
from ncabook.data.catalogue import data_sets
from ncabook.data.emoji import VARIATION_SELECTOR, glyph_file
from ncabook.data.registry import DataSet
from ncabook.files import CorruptFileError

data = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="""Data: what there is, fetching it, checking it.

Examples:

  ncabook data list

  ncabook data get 🍀            download one emoji

  ncabook data get dtd           download a data set

  ncabook data verify            check every local file's sha256
""",
)


@data.command("list")
def data_list() -> None:
    """Show the data sets: what they hold, how large they are, where from, on which terms.

    Pretrained weights are among them.

    Example: ncabook data list
    """
    for name, entry in data_sets().items():
        good, damaged = _check(entry)
        typer.echo(f"{name}: {entry.description}")
        typer.echo(f"    {entry.size}; {entry.source}; {entry.licence}")
        wrong = f", {len(damaged)} damaged: ncabook data verify {name}" if damaged else ""
        typer.echo(f"    {good} of {len(entry.files)} files are here{wrong}")


@data.command("get")
def data_get(
    name: Annotated[str, typer.Argument(help="A data set's name, or one emoji.")],
) -> None:
    """Download a data set, or one emoji, and check it.

    Examples:
      ncabook data get 🍀

      ncabook data get cifar10

      ncabook data get vgg16         weights; into torch hub's cache

    """
    if len(name.replace(VARIATION_SELECTOR, "")) == 1 or not name.isascii():
        typer.echo(str(glyph_file(name)))
        return
    entry = _data_set(name)
    for file in entry.files:
        typer.echo(str(entry.fetch(file)))


@data.command("verify")
def data_verify(
    name: Annotated[str | None, typer.Argument(help="A data set; all if not given.")] = None,
) -> None:
    """Check every local file against its sha256; what is not here is counted, and no error.

    Example: ncabook data verify
    """
    chosen = [_data_set(name)] if name is not None else list(data_sets().values())
    failed = False
    for entry in chosen:
        good, damaged = _check(entry)
        for error in damaged:
            typer.echo(f"error: {error}", err=True)
        typer.echo(f"{entry.name}: {good} of {len(entry.files)} files here and correct")
        failed = failed or bool(damaged)
    if failed:
        raise typer.Exit(1)


def _check(entry: DataSet) -> tuple[int, list[CorruptFileError]]:
    """How many files are here and correct, and what is wrong with others that are here."""
    good, damaged = 0, []
    for file in entry.files:
        try:
            good += entry.find(file) is not None
        except CorruptFileError as error:
            damaged.append(error)
    return good, damaged


def _data_set(name: str) -> DataSet:
    sets = data_sets()
    if name not in sets:
        raise zoo.unknown("data set", name, list(sets))
    return sets[name]
