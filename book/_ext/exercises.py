"""The exercises of all chapters by level, from the notebooks: nothing is typed twice.

``{exercises}`` makes a table: a row for each chapter, a column for each level.
"""

import json
import re
from dataclasses import dataclass
from pathlib import Path

from chapters import contents
from docutils import nodes
from docutils.statemachine import StringList
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

LEVELS = ("easy", "medium", "open")
EXERCISE = re.compile(
    r"\{exercise\} *(?P<title>.+?) \((?P<level>easy|medium|open)\) *\n:label: (?P<label>\S+)"
)


@dataclass(frozen=True)
class Exercise:
    """An exercise's title without its level, its level, and its label."""

    title: str
    level: str
    label: str


def read(path: Path) -> list[Exercise]:
    """A chapter's exercises, in order.

    Raises:
        ValueError: one has no level.

    """
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    text = "\n\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "markdown")
    found = [Exercise(**one.groupdict()) for one in EXERCISE.finditer(text)]
    if len(found) != len(re.findall(r"^`{3,}\{exercise\}", text, re.MULTILINE)):
        raise ValueError(
            f"{path.name}: expected exercises as `{{exercise}} Title (level)` with a label below; "
            f"levels are {', '.join(LEVELS)}"
        )
    return found


class Exercises(SphinxDirective):
    """All exercises, chapter by chapter."""

    def run(self) -> list[nodes.Node]:
        """A table of links."""
        root = Path(self.env.srcdir)
        self.env.note_dependency(str(root / "_toc.yml"))
        lines = [f"| chapter | {' | '.join(LEVELS)} |", "|---|---|---|---|"]
        for names in contents(root).values():
            for name in names:
                path = root / "book" / f"{name}.ipynb"
                self.env.note_dependency(str(path))
                found = read(path)
                cells = [
                    ", ".join(
                        f"{{ref}}`{one.title} <{one.label}>`" for one in found if one.level == k
                    )
                    for k in LEVELS
                ]
                lines.append(f"| {{doc}}`{name}` | {' | '.join(cells)} |")
        parent = nodes.container()
        self.state.nested_parse(StringList(lines, self.get_source_info()[0]), 0, parent)
        return parent.children


def setup(app: Sphinx) -> dict[str, bool]:
    """Adds the directive."""
    app.add_directive("exercises", Exercises)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
