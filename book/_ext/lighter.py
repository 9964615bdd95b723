"""Pages ask only for what they show: formulas' script where there are formulas, pictures in time.

Sphinx gives MathJax, 1.2 MB, to a page if any page below it has formulas, so also to the index.
Pictures of a chapter's middle would come before its first figure lives; they wait until a reader
is near, in a place of their size, so that nothing moves when they arrive.
"""

import re
from html import escape
from pathlib import Path
from typing import Any

from PIL import Image
from sphinx.application import Sphinx

PICTURE = re.compile(r'<img ([^>]*?src="(?:\.\./)*_images/([^"]+)"[^>]*>)')


def _lighten(app: Sphinx, page: str, template: str, context: dict[str, Any], tree: object) -> None:
    formulas = app.env.get_domain("math").data["has_equations"]
    if not formulas.get(page):
        context["script_files"] = [s for s in context["script_files"] if not _is_mathjax(s)]
    if "body" in context:
        files = {escape(name): path for path, name in app.builder.images.items()}
        context["body"] = PICTURE.sub(lambda found: _in_time(app, found, files), context["body"])


def _is_mathjax(script: Any) -> bool:
    """The script, or the line that tells it what to do."""
    words = f"{script.filename} {script.attributes.get('body', '')}"
    return "mathjax" in words.lower()


def _in_time(app: Sphinx, found: re.Match[str], files: dict[str, str]) -> str:
    """An image's element with its size, to be loaded when it comes near; a drawing's has none."""
    path = Path(app.srcdir) / files.get(found[2], found[2])
    size = ""
    if path.is_file() and path.suffix != ".svg" and not re.search(r"\b(width|style)=", found[0]):
        with Image.open(path) as picture:
            size = f' width="{picture.width}" height="{picture.height}"'
    return f'<img loading="lazy" decoding="async"{size} {found[1]}'


def setup(app: Sphinx) -> dict[str, bool]:
    """Hooks in behind Sphinx's own MathJax."""
    app.connect("html-page-context", _lighten, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
