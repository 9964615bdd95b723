"""``ncabook lab``: the laboratory on this machine, for models and for one's own runs."""

import threading
import webbrowser
from typing import Annotated

import typer


def lab(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[RUN or MODEL]…",
            help="Folders of runs, or trained models; all runs in runs/ if none is given.",
        ),
    ] = None,
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Of this machine; 0 takes a free one.")
    ] = 8765,
    no_browser: Annotated[
        bool, typer.Option("--no-browser", help="Only print the address.")
    ] = False,
) -> None:
    """Open the laboratory: models and runs of your own, alive, side by side.

    A training under way is followed: its newest checkpoint takes the place of the one before.
    The page is for this machine only. Ctrl-C ends it.

    Examples:
      ncabook lab

      ncabook lab runs/cat emoji-conv3      your run beside a trained model

    """
    from ncabook.lab.server import Laboratory, Server  # the widget stack is slow to import

    laboratory = Laboratory(names or ())
    with Server(laboratory, port) as server:
        typer.echo(f"the laboratory is at {server.address}  (Ctrl-C ends it)")
        if not no_browser:
            threading.Thread(target=_open, args=[server.address], daemon=True).start()
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            typer.echo("\nthe laboratory is closed")


def _open(address: str) -> None:
    """In a browser with windows; one in the terminal would take it."""
    try:
        if not isinstance(webbrowser.get(), webbrowser.GenericBrowser):
            webbrowser.open(address)
    except webbrowser.Error:
        pass  # there is none; the address has been printed
