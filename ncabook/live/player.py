"""The live figure in a notebook: a widget where a kernel runs, plain HTML in the book."""

import json
import os
from pathlib import Path
from typing import Any

import anywidget
import traitlets

from ncabook.automaton import NCA
from ncabook.live.export import describe
from ncabook.live.html import figure_html

STATIC = "NCABOOK_STATIC"  # set to 1 where notebooks are run for the book


class LivePlayer(anywidget.AnyWidget):
    """An automaton to watch, damage and mutate, computed in the reader's browser.

    Where the environment variable ``NCABOOK_STATIC`` is 1, nothing is sent to a front end: the
    output is a ``<figure>`` that the book's script brings to life, and no widget state is
    stored beside it, which would hold the weights a second time.

    Args:
        nca: the automaton; its weights are copied.
        height: cells from top to bottom.
        width: cells from left to right.
        options: as in :func:`~ncabook.live.export.describe`.

    Attributes:
        class_index: the class that the automaton is told to grow; may be set from Python.
        steps_shown: the step that the front end last reported.

    """

    _esm = Path(__file__).parent / "nca-live.js"
    description = traitlets.Unicode().tag(sync=True)
    weights = traitlets.Bytes().tag(sync=True)
    class_index = traitlets.Int(0).tag(sync=True)
    steps_shown = traitlets.Int(0).tag(sync=True)

    def __init__(self, nca: NCA, height: int, width: int, **options: Any) -> None:
        description, weights = describe(nca, height, width, **options)
        super().__init__(
            description=json.dumps(description),
            weights=weights,
            class_index=description["class_index"],
        )

    @traitlets.validate("class_index")
    def _known_class(self, proposal: dict[str, Any]) -> int:
        index, count = proposal["value"], max(1, len(json.loads(self.description)["classes"]))
        if not 0 <= index < count:
            raise traitlets.TraitError(f"class_index is {index}; expected 0 to {count - 1}")
        return index

    def open(self) -> None:
        """Connects to the front end, except where there is none."""
        if not _static():
            super().open()

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        if not _static():
            return super()._repr_mimebundle_(**kwargs)
        description = {**json.loads(self.description), "class_index": self.class_index}
        text = f"{description['title']}: {description['alt']}"
        return {"text/plain": text, "text/html": figure_html(description, self.weights)}, {}


def _static() -> bool:
    return os.environ.get(STATIC) == "1"
