"""Pages ask only for what they show: formulas' script where there are formulas, pictures in time.

Sphinx gives MathJax, 1.2 MB, to a page if any page below it has formulas, so also to the index.
Here a page that has some says where the script is, and ``front.js`` asks for it when the first
figure lives: setting a chapter's formulas takes as long as a figure's start.
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
    scripts = context["script_files"]
    if formulas.get(page):
        address = context["pathto"](f"_static/{app.config.mathjax_path}", resource=True)
        later = f'<meta name="ncabook-mathjax" content="{escape(address)}">'
        context["metatags"] = f"{context.get('metatags', '')}\n{later}"
        context["script_files"] = [s for s in scripts if not _is_mathjax(s) or not s.filename]
    else:
        context["script_files"] = [s for s in scripts if not _is_mathjax(s)]
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
