"""What readers of a figure may do beside damage: graft, choose a canvas, turn, paint, see more."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from ncabook.automaton import NCA, ChannelLayout, Patchwork
from ncabook.automaton.rotation import check_turn
from ncabook.live.sight import Sight
from ncabook.live.start import Beginning

MOST_RULES = 256  # a map has a byte for each cell
MOST_CELLS = 1024  # on a side of a canvas that readers may choose


@dataclass(frozen=True)
class Offers:
    """What a figure offers; arguments of :func:`~ncabook.live.export.describe`."""

    rules: Sequence[str]
    sizes: Sequence[tuple[int, int]]
    turning: bool
    inks: Mapping[str, str] | None
    more: bool = False

    def automata(self, nca: NCA | Patchwork) -> list[NCA]:
        """The automata of a patchwork, or the only one.

        Raises:
            ValueError: not one name for each rule, or they fire differently often.

        """
        if isinstance(nca, NCA):
            if self.rules:
                raise ValueError(
                    f"{len(self.rules)} names of rules for one automaton; give a Patchwork"
                )
            return [nca]
        rules, automata = self.rules, cast(list[NCA], list(nca.automata))
        named = isinstance(rules, list | tuple) and all(isinstance(name, str) for name in rules)
        differ = named and len(set(rules)) == len(rules) == len(automata)
        if not differ or not 2 <= len(automata) <= MOST_RULES:
            raise ValueError(
                f"names {rules!r} of rules for a patchwork of {len(automata)}; expected a list "
                f"with a different name for each, of 2 to {MOST_RULES}"
            )
        if len({a.fire_rate for a in automata}) > 1:
            raise ValueError(
                "a figure has one fire rate; expected automata that fire equally often"
            )
        return automata

    def check(
        self, automata: Sequence[NCA], least: int, sight: Sight, beginning: Beginning
    ) -> None:
        """Refuses what these automata cannot do in this figure.

        Args:
            automata: from :meth:`automata`.
            least: cells that a side of a canvas needs.
            sight: what there is to see.
            beginning: what the figure begins with.

        Raises:
            TypeError: a perception cannot be turned.
            ValueError: sizes are none, or something has the grid's own size; or inks are no
                colours, or cells show none; or ``more`` is neither True nor False.

        """
        for automaton in automata if self.turning else ():
            check_turn(automaton.perception)
        if self.sizes:
            self._check_sizes(least, sight, beginning)
        if self.inks:
            self._check_inks(automata[0].layout, sight)
        if not isinstance(self.more, bool):
            raise ValueError(f"more is {self.more!r}; expected True or False")

    def _check_sizes(self, least: int, sight: Sight, beginning: Beginning) -> None:
        if not beginning.alike():
            raise ValueError("sizes are for a start whose cells are all alike; give such a start")
        others = {
            "targets": sight.targets is not None,
            "condition": beginning.condition is not None,
            "inputs": bool(beginning.inputs),
        }
        given = [name for name, there in others.items() if there]
        if given:
            raise ValueError(f"sizes, and {given[0]} of the grid's own size; give one of them")
        for size in self.sizes:
            pair = isinstance(size, tuple | list) and len(size) == 2
            if not pair or not all(isinstance(s, int) and least <= s <= MOST_CELLS for s in size):
                raise ValueError(
                    f"sizes has {size!r}; expected (height, width), whole numbers from {least}, "
                    f"the perception's reach, to {MOST_CELLS}"
                )

    def _check_inks(self, layout: ChannelLayout, sight: Sight) -> None:
        if sight.decoder is not None or layout.classes:
            raise ValueError("inks are for cells that show red, green and blue; leave them out")
        for name, color in (self.inks or {}).items():
            if not isinstance(color, str) or not re.fullmatch("#[0-9a-fA-F]{6}", color):
                raise ValueError(f'the ink {name!r} is {color!r}; expected "#rrggbb"')

    def described(self, height: int, width: int) -> dict[str, Any]:
        """The description's part, less the inks; what is not offered is not in it."""
        return {
            **({"rules": list(self.rules)} if self.rules else {}),
            **({"sizes": [[height, width], *map(list, self.sizes)]} if self.sizes else {}),
            **({"turns": 0} if self.turning else {}),
            **({"more": True} if self.more else {}),
        }

    def colours(self) -> dict[str, Any]:
        """The inks' part of a description: names, and red, green, blue in [0, 1]."""
        inks = {name: bytes.fromhex(color[1:]) for name, color in (self.inks or {}).items()}
        colours = [{"name": name, "color": [c / 255 for c in rgb]} for name, rgb in inks.items()]
        return {"inks": colours} if colours else {}
