"""Drops sphinx-thebe's scripts: Jupyter Book 1 always loads the extension, this book never uses it.

They would be injected twice into every page, and ask another origin for a script.
"""

import sphinx_thebe
from sphinx.application import Sphinx


def setup(app: Sphinx) -> dict[str, bool]:
    """Unhooks the extension's listeners."""
    drop = {sphinx_thebe.init_thebe_core, sphinx_thebe.update_thebe_context}
    for name, listeners in app.events.listeners.items():
        app.events.listeners[name] = [x for x in listeners if x.handler not in drop]
    return {"parallel_read_safe": True, "parallel_write_safe": True}
