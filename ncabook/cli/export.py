"""``ncabook export``: an automaton as a page, as one step for other programs, or as shaders."""

from itertools import combinations
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
    glsl: Annotated[
        Path | None,
        typer.Option(parser=path, metavar="PATH", help="Shaders for Shadertoy, a tab a section."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace an existing file.")] = False,
) -> None:
    """Write the automaton as one file: a page that runs it, a model or shaders for other programs.

    Shaders are made of automata that grow RGBA pictures with at most 16 channels and 32,768
    weights, by a 3×3 convolution or Sobel filters and an MLP.

    Examples:
      ncabook export emoji-conv3 --html emoji.html

      ncabook export emoji-conv3 --onnx emoji.onnx    inputs: state, fire mask and class

      ncabook export emoji-conv3 --glsl emoji.glsl    to be pasted into shadertoy.com/new

    """
    from ncabook.live import to_glsl, to_html, to_onnx  # the widget stack is slow to import

    given = {"--html": html, "--onnx": onnx, "--glsl": glsl}
    files = {option: file for option, file in given.items() if file is not None}
    if not files:
        raise ValueError(
            "nothing to write; add --html FILE.html, --onnx FILE.onnx or --glsl FILE.glsl"
        )
    if onnx is not None and onnx.suffix != ".onnx":
        raise ValueError(f"--onnx {onnx}: expected a name that ends in .onnx")
    for (first, file), (second, other) in combinations(files.items(), 2):
        if file == other:
            raise ValueError(f"{first} and {second} are both {file}; name two files")
    for file in files.values():
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
    if glsl is not None:
        others = sorted(shown.keys() - {"height", "width", "classes", "targets", "ring"})
        if others:
            raise ValueError(
                f"--glsl is for automata that grow from one seed; {name} has {', '.join(others)}"
            )
        told = {option: shown[option] for option in shown.keys() - {"targets"}}
        write_atomically(glsl, to_glsl(nca, title=title, **told).encode())
        size = f"{glsl.stat().st_size / 1024:.0f} kB"
        typer.echo(f"wrote {glsl} ({size}); paste its sections into shadertoy.com/new")
