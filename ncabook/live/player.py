"""The live figure in a notebook: a widget where a kernel runs, plain HTML in the book."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import anywidget
import traitlets
from torch import Tensor

from ncabook.automaton import NCA
from ncabook.live.export import describe
from ncabook.live.html import figure_html

STATIC = "NCABOOK_STATIC"  # set to 1 where notebooks are run for the book


class LivePlayer(anywidget.AnyWidget):
    """Automata to watch, damage and mutate, computed in the reader's browser.

    Several automata run side by side under the same controls, and what is erased in one is erased
    in all.

    Where the environment variable ``NCABOOK_STATIC`` is 1, nothing is sent to a front end: the
    output is a ``<figure>`` that the book's script brings to life, and no widget state is
    stored beside it, which would hold the weights a second time.

    Args:
        nca: the automaton, or several by name, all with the same classes; weights are copied.
        height: cells from top to bottom.
        width: cells from left to right.
        title: names the figure to a screen reader, and is its caption.
        targets: what they were trained to grow, ``[classes, 4, height, width]``; with them the
            figure draws the error over steps.
        options: as in :func:`~ncabook.live.export.describe`.

    Attributes:
        class_index: the class that the automata are told to grow; may be set from Python.
        steps_shown: the step that the front end last reported.

    Raises:
        ValueError: there is no automaton, or they have different classes.

    """

    _esm = Path(__file__).parent / "nca-live.js"
    descriptions = traitlets.Unicode().tag(sync=True)
    weights = traitlets.Bytes().tag(sync=True)
    class_index = traitlets.Int(0).tag(sync=True)
    steps_shown = traitlets.Int(0).tag(sync=True)

    def __init__(
        self,
        nca: NCA | Mapping[str, NCA],
        height: int,
        width: int,
        *,
        title: str = "A neural cellular automaton",
        targets: Tensor | None = None,
        **options: Any,
    ) -> None:
        automata = nca if isinstance(nca, Mapping) else {title: nca}
        if not automata:
            raise ValueError("no automaton is given; expected one, or several by name")
        if len({a.perception.condition_channels for a in automata.values()}) > 1:
            raise ValueError("automata side by side need the same classes; these have different")
        described = [
            describe(
                automaton,
                height,
                width,
                title=name,
                targets=None if i else targets,  # the first one's serve them all
                **options,
            )
            for i, (name, automaton) in enumerate(automata.items())
        ]
        self.title = title
        super().__init__(
            descriptions=json.dumps([description for description, _ in described]),
            weights=b"".join(weights for _, weights in described),
            class_index=described[0][0]["class_index"],
        )

    @traitlets.validate("class_index")
    def _known_class(self, proposal: dict[str, Any]) -> int:
        index, count = proposal["value"], max(1, len(json.loads(self.descriptions)[0]["classes"]))
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
        descriptions = [
            {**description, "class_index": self.class_index}
            for description in json.loads(self.descriptions)
        ]
        text = f"{self.title}: {descriptions[0]['alt']}"
        html = figure_html(descriptions, self.weights, self.title)
        return {"text/plain": text, "text/html": html}, {}


def _static() -> bool:
    return os.environ.get(STATIC) == "1"
