"""Gives every page the live engine's script, as the package joins it: there is one core only."""

from pathlib import Path

from sphinx.application import Sphinx

SCRIPT = "nca-live.classic.js"


def _write(app: Sphinx, error: Exception | None) -> None:
    if error is None and app.builder.format == "html":
        from ncabook.live.script import page_script  # the package is slow to import

        (Path(app.outdir) / "_static" / SCRIPT).write_text(page_script(), encoding="utf-8")


def setup(app: Sphinx) -> dict[str, bool]:
    """Registers the script, and writes it when the pages are there."""
    app.add_js_file(SCRIPT, loading_method="defer")
    app.connect("build-finished", _write)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
