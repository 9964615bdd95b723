"""The live figure in a notebook: a widget where a kernel runs, plain HTML in the book."""

import json
import os
from collections.abc import Mapping
from typing import Any

import anywidget
import torch
import traitlets
from torch import Tensor

from ncabook.automaton import NCA, Patchwork
from ncabook.automaton.state import check_tensor
from ncabook.live.export import describe
from ncabook.live.html import figure_html
from ncabook.live.poster import figure_poster
from ncabook.live.script import module_script

SHAPES = ("circle", "square", "half")
STATIC = "NCABOOK_STATIC"  # set to 1 where notebooks are run for the book


class LivePlayer(anywidget.AnyWidget):
    """Automata to watch, damage and mutate, computed in the reader's browser.

    Several automata run side by side under the same controls, and what is erased in one is erased
    in all.

    Where the environment variable ``NCABOOK_STATIC`` is 1, nothing is sent to a front end: the
    output is a ``<figure>`` that the book's script brings to life, and no widget state is
    stored beside it, which would hold the weights a second time.

    Args:
        nca: the automaton, a patchwork of some, or several by name, all with the same classes;
            weights are copied.
        height: cells from top to bottom.
        width: cells from left to right.
        title: names the figure to a screen reader, and is its caption.
        targets: what they were trained to grow, ``[classes, 4, height, width]``; with them the
            figure draws the error over steps.
        options: as in :func:`~ncabook.live.export.describe`.

    Attributes:
        class_index: the class that the automata are told to grow; may be set from Python.
        fire_rate: probability that a cell fires in a step; may be set from Python.
        playing: whether it runs; may be set from Python.
        steps_shown: the step that the front end last reported.
        events: what the reader has done, each a dictionary with ``kind`` and ``step``; to be
            observed: ``player.observe(print, "events")``.
        state: the state that the front end last sent, after :meth:`read_state`; None before.

    Raises:
        ValueError: there is no automaton, or they have different classes.

    """

    _esm = module_script()
    descriptions = traitlets.Unicode().tag(sync=True)
    weights = traitlets.Bytes().tag(sync=True)
    class_index = traitlets.Int(0).tag(sync=True)
    fire_rate = traitlets.Float(0.5).tag(sync=True)
    playing = traitlets.Bool(False).tag(sync=True)
    steps_shown = traitlets.Int(0).tag(sync=True)
    events = traitlets.List(traitlets.Dict()).tag(sync=True)
    state = traitlets.Any(None, allow_none=True)

    def __init__(
        self,
        nca: NCA | Patchwork | Mapping[str, NCA],
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
        told = {a.perception.condition_channels for a in automata.values() if isinstance(a, NCA)}
        if len(told) > 1:
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
            fire_rate=described[0][0]["fire_rate"],
        )
        self._poster = (
            figure_poster([*automata.values()], described[0][0], options) if _static() else None
        )
        self._channels = described[0][0]["channels"]
        self._grid = (height, width)  # the front end's, as far as it has told
        self.on_msg(self._receive)

    @property
    def class_names(self) -> list[str]:
        """The classes in words; none for an automaton without."""
        return [c["name"] for c in json.loads(self.descriptions)[0]["classes"]]

    @traitlets.validate("class_index")
    def _known_class(self, proposal: dict[str, Any]) -> int:
        index, count = proposal["value"], max(1, len(self.class_names))
        if not 0 <= index < count:
            raise traitlets.TraitError(f"class_index is {index}; expected 0 to {count - 1}")
        return index

    @traitlets.validate("fire_rate")
    def _probability(self, proposal: dict[str, Any]) -> float:
        if not 0 < proposal["value"] <= 1:
            raise traitlets.TraitError(
                f"fire_rate is {proposal['value']}; expected a probability in (0, 1]"
            )
        return proposal["value"]

    def step(self, steps: int = 1) -> None:
        """Makes so many steps in the front end, now."""
        if steps < 1:
            raise ValueError(f"steps is {steps}; expected a whole number ≥ 1")
        self.send({"kind": "advance", "steps": steps, "budget": 1000.0})

    def damage(self, x: float, y: float, size: float = 4, shape: str = "circle") -> None:
        """Erases a ``circle``, a ``square`` or the ``half`` around column ``x``, row ``y``."""
        if shape not in SHAPES:
            raise ValueError(f"shape is {shape!r}; expected one of {', '.join(SHAPES)}")
        event = {"kind": "erase", "shape": shape, "x": x, "y": y, "size": size}
        self.send({"kind": "act", "event": event})

    def read_state(self) -> None:
        """Asks the front end for the (first) automaton's state; it arrives in ``state``."""
        self.send({"kind": "getState"})

    def write_state(self, state: Tensor) -> None:
        """Sets the (first) automaton's state, ``[1, C, H, W]`` or ``[C, H, W]``; step 0 again."""
        check_tensor("state", state)
        wanted = [self._channels, *self._grid]
        cells = state.detach().cpu().float().reshape(-1, *state.shape[-2:])
        if list(cells.shape) != wanted:
            raise ValueError(f"state of shape {list(state.shape)}; expected {[1, *wanted]}")
        content = cells.permute(1, 2, 0).contiguous().numpy().tobytes()
        self.send({"kind": "setState"}, buffers=[content])

    def _receive(self, _: Any, content: dict[str, Any], buffers: list[Any]) -> None:
        if content.get("kind") == "state":
            flat = torch.frombuffer(bytearray(buffers[0]), dtype=torch.float32)
            shape = content["height"], content["width"], self._channels
            self.state = flat.reshape(shape).permute(2, 0, 1)[None].clone()
            self._grid = shape[:2]

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
        html = figure_html(descriptions, self.weights, self.title, picture=self._poster)
        return {"text/plain": text, "text/html": html}, {}


def _static() -> bool:
    return os.environ.get(STATIC) == "1"
