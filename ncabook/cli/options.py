"""What several commands' options share."""

from pathlib import Path

import typer


def path(text: str | Path) -> Path:
    """A path from the command line; an empty one, often an unset variable, would be this folder."""
    if not str(text):
        raise typer.BadParameter("it is empty; name a file or folder")
    return Path(text)
