"""``ncabook table``: the paper's tables, measured."""

from pathlib import Path
from typing import Annotated

import typer

from ncabook.cli.options import path
from ncabook.experiments import results, runner
from ncabook.extras import need
from ncabook.files import write_atomically


def table(
    number: Annotated[int, typer.Argument(help="The paper's number: 1, 2, 5, 7, 16 or 18.")],
    evaluate: Annotated[
        bool, typer.Option("--evaluate", help="Measure every model anew; minutes for each.")
    ] = False,
    output: Annotated[
        Path,
        typer.Option(parser=path, metavar="PATH", help="Folder for the .md, .csv and .json."),
    ] = Path("tables"),
) -> None:
    """Print a table of the paper with our figures, and save it as Markdown, CSV and JSON.

    The figures are those in the models' cards, or those of a fresh evaluation; Table 2's are
    a benchmark's.

    Examples:
      ncabook table 1

      ncabook table 5 --evaluate --output fresh

    """
    need("pandas", "tables", "A table")  # before anything is measured
    fresh = {}
    for name in results.models(number) if evaluate else []:
        typer.echo(f"measuring {name}", err=True)
        fresh[name] = runner.evaluate_model(name)
    frame = results.table(number, fresh)
    text = results.markdown(frame)
    output.mkdir(parents=True, exist_ok=True)
    contents = {
        "md": text,
        "csv": frame.to_csv(),
        "json": f"{frame.reset_index().to_json(orient='records', indent=2, force_ascii=False)}\n",
    }
    for suffix, content in contents.items():
        write_atomically(output / f"table{number}.{suffix}", content.encode())
    typer.echo(text)
    typer.echo(f"saved: {output}/table{number}.md, .csv, .json", err=True)
