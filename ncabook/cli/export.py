"""``ncabook export``: an automaton as a page, or as one step for other programs."""

from pathlib import Path
from typing import Annotated

import typer

from ncabook import zoo
from ncabook.cli.options import path
from ncabook.files import write_atomically


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
    nca, experiment = model.stepped, model.card.experiment
    shown = model.live()
    title = experiment.title
    if html is not None:
        page = to_html(nca, title=title, **shown)
        write_atomically(html, page.encode())
        typer.echo(f"wrote {html} ({html.stat().st_size / 1024:.0f} kB); open it in any browser")
    if onnx is not None:
        named = {"title": title, "classes": shown.get("classes", ())}
        step = to_onnx(nca, weights_sha256=model.card.weights_sha256, **named)
        write_atomically(onnx, step)
        typer.echo(f"wrote {onnx} ({onnx.stat().st_size / 1024:.0f} kB); one step, for any grid")
