"""What of a chapter's code stands in its page: code that teaches; the rest is folded or left out.

The notebook keeps every cell as it is run. In the page

- code before the first live figure is out of sight (set-up, parameters, imports), and that of the
  figure is folded below it, so that the first screen is title, sentences and figure;
- calls of ``glue``, which carry numbers into sentences, and marks for nbval are left out;
- what is longer than :data:`LONGEST` lines is folded, and what is tagged ``hide-input``;
- of the last cell, which prints machine and duration, only that is shown.

A caption stands in a cell's metadata: for a drawing as ``mystnb.figure``, which MyST-NB reads, for
a table as ``ncabook: {caption, name}``; tables are numbered, and ``{numref}`` finds them.
"""

import ast
import re
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform

LONGEST = 25  # lines of code that stay in sight
SENTENCE = re.compile(r"<td>(?=[^<]{30})")  # a table's cell that should be wide, not high
MARK = re.compile(r"^# NBVAL\w*\n?", re.MULTILINE)


def taught(source: str) -> str:
    """The code without statements that only carry numbers into sentences."""
    source = MARK.sub("", source)
    try:
        statements = ast.parse(source).body
    except SyntaxError:  # magics of IPython
        return source.strip("\n")
    lines = source.split("\n")
    dropped = {i for first, last in _glued(statements) for i in range(first - 1, last)}
    kept = "\n".join(line for i, line in enumerate(lines) if i not in dropped)
    return re.sub(r"\n{3,}", "\n\n", kept).strip("\n")


def _glued(statements: list[ast.stmt]) -> list[tuple[int, int]]:
    """First and last lines of statements that do nothing but glue, also inside others."""
    found = []
    for statement in statements:
        if _only_glues(statement):
            found.append((statement.lineno, statement.end_lineno or statement.lineno))
        else:
            for part in ("body", "orelse"):
                inner = getattr(statement, part, [])
                if isinstance(inner, list) and not all(_only_glues(one) for one in inner):
                    found += _glued(inner)
    return found


def _only_glues(statement: ast.stmt) -> bool:
    if isinstance(statement, ast.For | ast.If) and not statement.orelse:
        return all(_only_glues(inner) for inner in statement.body)
    call = statement.value if isinstance(statement, ast.Expr) else None
    function = call.func if isinstance(call, ast.Call) else None
    return isinstance(function, ast.Name) and function.id == "glue"


class Table(nodes.figure):
    """A table that a cell made, with its caption; it is numbered among tables."""


def _visit_table(self: Any, node: Table) -> None:
    self.body.append(self.starttag(node, "figure", CLASS="nca-tabled"))


def _depart_table(self: Any, node: Table) -> None:
    self.body.append("</figcaption>\n</figure>\n")  # docutils leaves a figure's caption open


class Cells(SphinxTransform):
    """Leaves out, folds, and captions, a cell at a time."""

    default_priority = 400

    def apply(self, **kwargs: Any) -> None:
        """Does so for all cells of the page."""
        cells = [
            node
            for node in self.document.findall(nodes.container)
            if node.get("nb_element") == "cell_code"
        ]
        live = next((i for i, cell in enumerate(cells) if _is_live(cell)), None)
        for i, cell in enumerate(cells):
            out_of_sight = live is not None and (i < live or i == len(cells) - 1)
            _source(cell, out_of_sight, i == live)
            self._caption(cell)
            if not cell.children:
                cell.parent.remove(cell)

    def _caption(self, cell: nodes.container) -> None:
        found = cell.get("cell_metadata", {}).get("ncabook", {})
        if "caption" not in found:
            return
        raw = next((n for n in cell.findall(nodes.raw) if "<table" in n.astext()), None)
        if raw is None:
            return
        table, text = Table(), found["caption"]
        if "name" in found:
            table["names"].append(nodes.fully_normalize_name(found["name"]))
            self.document.note_explicit_target(table, table)
        raw.children = [nodes.Text(SENTENCE.sub('<td class="nca-words">', raw.astext()))]
        raw["classes"] = []  # the theme's card for output: a second box that scrolls
        raw.replace_self(table)
        box = nodes.container("", raw, classes=["nca-scroll"])
        table += [box, nodes.caption(text, "", *_inline(text))]


def _inline(text: str) -> list[nodes.Node]:
    """Words of a caption; ``code`` and *emphasis* may stand in it."""
    parts = re.split(r"(`[^`]+`|\*[^*]+\*)", text)
    made: list[nodes.Node] = []
    for part in parts:
        if part.startswith("`"):
            made.append(nodes.literal(part, part[1:-1]))
        elif part.startswith("*") and len(part) > 1:
            made.append(nodes.emphasis(part, part[1:-1]))
        elif part:
            made.append(nodes.Text(part))
    return made


def _is_live(cell: nodes.container) -> bool:
    return any(
        raw.astext().lstrip().startswith('<figure class="nca-') for raw in cell.findall(nodes.raw)
    )


def _source(cell: nodes.container, out_of_sight: bool, below: bool) -> None:
    """Leaves the cell's code out, shortens or folds it."""
    if not cell.children or cell.children[0].get("nb_element") != "cell_code_source":
        return
    box = cell.children[0]
    block = next(iter(box.findall(nodes.literal_block)), None)
    if block is None:
        return
    text = taught(block.astext())
    if out_of_sight or not text:
        cell.remove(box)
        cell.attributes.pop("hide_mode", None)
        return
    if text != block.astext():
        block.rawsource = text
        block.children = [nodes.Text(text)]
    if below:
        cell["classes"].append("nca-code-below")
    if below or text.count("\n") >= LONGEST:
        cell["hide_mode"] = "input"
    if mode := cell.get("hide_mode"):
        what = "output" if mode == "output" else "code"
        cell["prompt_show"], cell["prompt_hide"] = f"Show the {what}", f"Hide the {what}"


def setup(app: Sphinx) -> dict[str, bool]:
    """Registers the change, and tables as what has a number."""
    app.add_transform(Cells)
    app.add_enumerable_node(
        Table,
        "table",
        lambda node: node.next_node(nodes.caption).astext(),
        html=(_visit_table, _depart_table),
    )
    return {"parallel_read_safe": True, "parallel_write_safe": True}
