"""Gives reference lists roles that screen readers know.

Docutils marks each entry ``doc-biblioentry``, which ARIA has deprecated, inside a ``list`` that
may hold list items only.
"""

from typing import Any

from sphinx.application import Sphinx


def _roles(app: Sphinx, page: str, template: str, context: dict[str, Any], tree: object) -> None:
    if "body" in context:
        context["body"] = context["body"].replace('role="doc-biblioentry"', 'role="listitem"')


def setup(app: Sphinx) -> dict[str, bool]:
    """Hooks the change in, page by page."""
    app.connect("html-page-context", _roles)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
