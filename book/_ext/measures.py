"""Numbers in sentences: a number and its % stay in one line, and a minus is one.

Numbers come into sentences by ``glue``, each as a text of its own, and the sign after it is the
beginning of the next; so this looks at what stands beside each other when all are there.
"""

import re

from docutils import nodes
from sphinx.application import Sphinx

HYPHEN = re.compile(r"^-(?=\.?\d)")
BETWEEN = re.compile(r"(?<=\d)[ \n](?=%)")
AFTER = re.compile(r"^[ \n](?=%)")
SPACE = "\u00a0"
NOT_WORDS = (nodes.literal, nodes.FixedTextElement, nodes.math, nodes.raw, nodes.comment)


def measured(text: str, before: str = "") -> str:
    """A piece of a sentence as it is printed; ``before``: the piece before it."""
    text = BETWEEN.sub(SPACE, text)
    if before[-1:].isdigit():
        text = AFTER.sub(SPACE, text)
    return text


def _bind(app: Sphinx, tree: nodes.document, page: str) -> None:
    for block in tree.findall(nodes.TextElement):
        if isinstance(block, (nodes.Inline, *NOT_WORDS)):
            continue
        before = ""
        for text in list(block.findall(nodes.Text)):
            if isinstance(text.parent, NOT_WORDS):
                before = ""
                continue
            shown = measured(text.astext(), before)
            if _is_glued(text):
                shown = HYPHEN.sub("−", shown)
            if shown != text.astext():
                text.parent.replace(text, nodes.Text(shown))
            before = shown


def _is_glued(text: nodes.Text) -> bool:
    """Whether it is a number that stands alone, as ``glue`` leaves it."""
    return re.fullmatch(r"-?[\d.,]+( %)?", text.astext()) is not None


def setup(app: Sphinx) -> dict[str, bool]:
    """Looks at each page when all its references are resolved."""
    app.connect("doctree-resolved", _bind)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
