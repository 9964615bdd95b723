"""Gives every page the live engine's script, as the package holds it: there is one copy only."""

import shutil
from pathlib import Path

from sphinx.application import Sphinx

SCRIPT = "nca-live.classic.js"


def _copy(app: Sphinx, error: Exception | None) -> None:
    if error is None and app.builder.format == "html":
        source = Path(__file__).parents[2] / "ncabook" / "live" / SCRIPT
        shutil.copy(source, Path(app.outdir) / "_static" / SCRIPT)


def setup(app: Sphinx) -> dict[str, bool]:
    """Registers the script and its copy."""
    app.add_js_file(SCRIPT, loading_method="defer")
    app.connect("build-finished", _copy)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
