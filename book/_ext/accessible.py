"""Gives lists roles that screen readers know, or makes none of what is no list.

Docutils marks each entry of a reference list ``doc-biblioentry``, which ARIA has deprecated,
inside a ``list`` that may hold list items only. Sphinx writes the parameters of a long signature
as descriptions (``dd``) of nothing, inside a term (``dt``).
"""

import re
from typing import Any

from sphinx.application import Sphinx

PARAMETERS = re.compile(r'<dl>\n(<dd><em class="sig-param">.*?)</dl>', re.DOTALL)


def _lines(found: re.Match[str]) -> str:
    """A signature's parameters as lines of its term."""
    inner = found[1].replace("<dd>", '<span class="sig-line">').replace("</dd>", "</span>")
    return f'<span class="sig-lines">{inner}</span>'


def _roles(app: Sphinx, page: str, template: str, context: dict[str, Any], tree: object) -> None:
    if "body" in context:
        body = context["body"].replace('role="doc-biblioentry"', 'role="listitem"')
        context["body"] = PARAMETERS.sub(_lines, body)


def setup(app: Sphinx) -> dict[str, bool]:
    """Hooks the change in, page by page."""
    app.connect("html-page-context", _roles)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
