"""Live figures: the engine's script for every page, and a directive that shows a trained model.

There is one core only: the script is what the package joins. ``{live}`` takes a model of the zoo
by name, as its experiment says that it is shown, so that no page holds pasted weights::

    ```{live} emoji-conv3
    :class: lizard
    :alt: what there is to see
    ```
"""

from pathlib import Path
from typing import Any, ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

SCRIPT = "nca-live.classic.js"


class Live(SphinxDirective):
    """A figure of one automaton; without a script, its picture."""

    required_arguments = 1
    final_argument_whitespace = False
    option_spec: ClassVar[dict[str, Any]] = {
        "class": directives.unchanged,  # of the automaton, in words
        "title": directives.unchanged,
        "alt": directives.unchanged,
        "caption": directives.flag,
    }

    def run(self) -> list[nodes.Node]:
        """The figure; an unknown model or class is an error of this line of the page."""
        from ncabook import zoo  # the package is slow to import

        (name,) = self.arguments
        folder = zoo.folders().get(name)
        if folder is None:
            raise self.error(f"no model {name!r} in the zoo; `ncabook list` tells which there are")
        for path in folder.iterdir():
            self.env.note_dependency(str(path))
        try:
            return [nodes.raw("", self._figure(name), format="html")]
        except ValueError as error:
            raise self.error(str(error)) from error

    def _figure(self, name: str) -> str:
        from ncabook import zoo
        from ncabook.live import describe, figure_html
        from ncabook.live.labels import class_labels
        from ncabook.live.poster import figure_poster

        model = zoo.load(name)
        experiment = model.card.experiment
        shown = model.live()
        shown.pop("targets", None)  # what it is measured against is for chapters to tell
        wanted = self.options.get("class")
        if wanted is not None:
            classes = shown.get("classes", ())
            names = [label["name"] for label in class_labels(len(classes), classes, None)]
            if wanted not in names:
                raise ValueError(f"{name} has no class {wanted!r}; it has {', '.join(names)}")
            shown["class_index"] = names.index(wanted)
        words = {key: self.options[key] for key in ("title", "alt") if key in self.options}
        description, weights = describe(
            model.stepped, **{"title": experiment.title} | shown | words
        )
        return figure_html(
            [description],
            weights,
            description["title"],
            picture=figure_poster([model.stepped], description, shown),
            caption="caption" in self.options,
        )


def _write(app: Sphinx, error: Exception | None) -> None:
    if error is None and app.builder.format == "html":
        from ncabook.live.script import page_script

        (Path(app.outdir) / "_static" / SCRIPT).write_text(page_script(), encoding="utf-8")


def setup(app: Sphinx) -> dict[str, bool]:
    """Registers script and directive; the script is written when the pages are there."""
    app.add_js_file(SCRIPT, loading_method="defer")
    app.add_directive("live", Live)
    app.connect("build-finished", _write)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
