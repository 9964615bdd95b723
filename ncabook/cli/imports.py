"""``ncabook import``: a model that was trained elsewhere, as one of this package."""

import shlex
from pathlib import Path
from typing import Annotated

import typer
import yaml

from ncabook.cli.drafts import further
from ncabook.cli.options import path
from ncabook.experiments.foreign import Kind, import_model
from ncabook.files import write_atomically

FURTHER = "further.yaml"


def import_(
    file: Annotated[Path, typer.Argument(parser=path, help="The model's file.")],
    kind: Annotated[Kind, typer.Option(help="Whose format it is in.")],
    output: Annotated[
        Path, typer.Option(parser=path, metavar="FOLDER", help="Where the model is to be kept.")
    ],
    config: Annotated[
        Path | None,
        typer.Option(
            parser=path,
            metavar="FILE",
            help="NCAtorch: the run's config.yaml; beside the model's file if not named.",
        ),
    ] = None,
    target: Annotated[
        list[str] | None,
        typer.Option(
            help="What it is to grow, an emoji or an image file; once for each class, in order. "
            "Needed to measure it, and to train it further."
        ),
    ] = None,
    size: Annotated[
        int | None, typer.Option(help="Of the picture, in cells; usually as trained.")
    ] = None,
    padding: Annotated[
        int | None, typer.Option(help="Empty cells around it; usually as trained.")
    ] = None,
) -> None:
    """Import a growing model from Distill's article (2020) or from NCAtorch.

    Its card says where it comes from and what differs. NCAtorch's weights may be .safetensors, or
    what torch.save wrote, of which only tensors are read. With a target, an experiment file that
    trains it further is written beside it.

    Examples:
      ncabook import ex3.json --kind distill --output runs/ex3 --target 🦎

      ncabook import ca_final.pt --kind ncatorch --config config.yaml --output runs/theirs

      ncabook export runs/ex3 --html ex3.html

      ncabook evaluate runs/ex3

      ncabook train runs/ex3/further.yaml

    """
    card = import_model(
        file,
        kind,
        output,
        config=config,
        targets=target or (),
        size=size,
        padding=padding,
    )
    typer.echo(f"wrote {output}: {card.parameters:,} parameters, {card.experiment.title}")
    for note in card.notes:
        typer.echo(f"  {note}")
    if card.experiment.data.pictures is None:
        typer.echo("without --target nothing is known to measure it by, or to train it further")
        return
    text = yaml.safe_dump(further(card, output), sort_keys=False, allow_unicode=True, width=10**9)
    write_atomically(output / FURTHER, text.encode())
    typer.echo(f"to train it further: ncabook train {shlex.quote(str(output / FURTHER))}")
