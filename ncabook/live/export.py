"""From a trained automaton to what the live engine reads: a description and its weights.

The description is a dictionary that JSON can hold. Operations are a list, run in order from the
state to the change (:mod:`ncabook.live.program`); each names where its numbers lie in the weights.
Kernels are float16, which changes a trained automaton's colours by some 2·10⁻⁴ after 96 steps and
halves the page's weight; biases are float32, because they are few.

What :func:`describe` takes belongs together in groups, each of which checks and describes itself:
:class:`Grid` and :class:`Words` here, :class:`~ncabook.live.labels.Labels`,
:class:`~ncabook.live.sight.Sight`, :class:`~ncabook.live.start.Beginning` and
:class:`~ncabook.live.offers.Offers` in modules of their own.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ncabook.automaton import NCA, Patchwork
from ncabook.automaton.known import check_unchanged
from ncabook.live.decoding import compile_decoder, compile_local
from ncabook.live.film import Screen
from ncabook.live.labels import Labels
from ncabook.live.offers import Offers
from ncabook.live.opinion import Opinion
from ncabook.live.program import ENGINE, Program
from ncabook.live.sight import Sight
from ncabook.live.start import Beginning, Start
from ncabook.live.stepping import check_range, compile_steps
from ncabook.networks import Decoder, LocalDecoder
from ncabook.training.screening import Screening

VERSION = 3


@dataclass(frozen=True)
class Grid:
    """How many cells there are, and the seed of their fire masks."""

    height: int
    width: int
    seed: int

    def check(self, least: int) -> None:
        """Refuses sides of less than ``least`` cells, and what are no whole numbers.

        Raises:
            ValueError: names what is wrong.

        """
        for name in ("height", "width", "seed"):
            value = getattr(self, name)
            if not isinstance(value, int):
                raise ValueError(f"{name} is {value!r}; expected a whole number")
        if min(self.height, self.width) < least:
            raise ValueError(
                f"a grid of {self.height}×{self.width} cells; expected at least {least}×{least}, "
                "the perception's reach"
            )


@dataclass(frozen=True)
class Words:
    """The figure's name, and what there is to see in it, for those who do not see it."""

    title: str
    alt: str | None

    def described(self, grid: Grid, seeded: bool) -> dict[str, str]:
        """The description's part; ``seeded`` is for a sentence of our own."""
        ours = (
            f"A living picture on a grid of {grid.width} by {grid.height} cells, grown by a neural "
            f"cellular automaton from {'a single cell' if seeded else 'its start'}. "
            "It can be damaged, and repairs itself."
        )
        return {"title": self.title, "alt": self.alt or ours}


def describe(
    nca: NCA | Patchwork,
    height: int,
    width: int,
    *,
    classes: Sequence[str] = (),
    class_names: Sequence[str] | None = None,
    class_index: int = 0,
    title: str = "A neural cellular automaton",
    alt: str | None = None,
    seed: int = 0,
    targets: Tensor | None = None,
    decoder: Decoder | LocalDecoder | None = None,
    beside: bool = False,
    codes: Tensor | None = None,
    start: Start = None,
    votes: Sequence[str] = (),
    opinion: Opinion | None = None,
    inputs: Mapping[str, Tensor] | None = None,
    condition: Tensor | None = None,
    seeds: Mapping[str, Tensor] | None = None,
    free: Tensor | None = None,
    erased: Tensor | None = None,
    rules: Sequence[str] = (),
    sizes: Sequence[tuple[int, int]] = (),
    turning: bool = False,
    ring: bool = False,
    inks: Mapping[str, str] | None = None,
    more: bool = False,
    film: Screening | None = None,
) -> tuple[dict[str, Any], bytes]:
    """Describes ``nca`` on a grid of ``height`` × ``width`` cells for the live engine.

    Args:
        nca: an automaton of any perception and update of the package; its visible channels are
            RGB or RGBA, or, with a decoder, latents; or it has class channels, in which its cells
            vote. Or several, as a patchwork.
        height: cells from top to bottom.
        width: cells from left to right.
        classes: one short label, such as an emoji, per channel of the condition.
        class_names: the same in words; by default the Unicode names of one-character labels.
        class_index: the class to begin with.
        title: names the figure to a screen reader, and is its caption.
        alt: says what there is to see.
        seed: of the fire masks, as in :func:`ncabook.automaton.hashed_fire`.
        targets: premultiplied RGBA in [0, 1], ``[classes, 4, height, width]``, what the automaton
            was trained to grow; with them the figure draws the error, and tells the recovery.
        decoder: makes the picture from the visible channels, larger than the grid; or a local
            decoder, which reads all channels at any point: readers may zoom in.
        beside: whether the latents are shown beside the decoded picture, both alive: the first
            three as red, green and blue, −2.5 to 2.5 each. A stroke on the picture erases the
            latents that lie under it.
        codes: a codebook ``[K, visible]`` in the units of the latents; with it readers may see
            which code is nearest to each cell.
        start: the state to begin with, ``[1, C, height, width]``, or a list of them, one for each
            class or input; a seed cell in the centre if not given. Inputs lie over its fixed
            channels.
        votes: names of the classes that cells vote for, one for each class channel; numbers if
            not given.
        opinion: what a critic says of each place, to be shown over the picture.
        inputs: what may lie in the fixed channels, by name, ``[fixed, height, width]`` in [0, 1];
            readers choose among them, and draw on them.
        condition: a map ``[D, height, width]`` in place of classes: a condition that differs from
            cell to cell.
        seeds: seed cells of different classes, by name, ``[C − fixed]`` numbers each, where an
            automaton knows its class by its seed; readers choose among them, and plant them.
        free: a seed of no class, ``[C − fixed]``, beside ``seeds``. A second automaton grows from
            it, and readers choose how far the first one is led away from it
            (:func:`ncabook.automaton.guidance.guided_rollout`).
        erased: what the fixed channels of a cell hold once it is erased, ``[fixed]``, where they
            tell what is known of it; if not given, erasing leaves them alone.
        rules: a name for each automaton of a patchwork; readers graft them into each other. The
            first one rules all cells to begin with.
        sizes: other canvases that readers may choose, (height, width); the grid's own is the
            first. Only where all cells begin alike.
        turning: whether readers may turn the field of perception (see
            :func:`ncabook.automaton.turned`).
        ring: whether a seed's first step is decided by no coin: its eight neighbours fire, and it
            does not. So begin the seed in the centre, and those that readers plant.
        inks: colours that readers may paint on the picture with, ``"#rrggbb"`` by name.
        more: whether all instruments are in sight from the start; otherwise the figure shows
            canvas, transport, one brush and one choice, and *More* opens the others.
        film: what the automaton is shown, every so many steps a frame, until it goes on alone from
            what it tells itself; with ``beside`` the true film stands beside.

    Returns:
        The description, and the weights' bytes.

    Raises:
        TypeError: the engine does not know the perception or the update, or something in the
            automaton is derived or changed; or targets, codes, start,
            inputs or condition are no tensors; or a perception cannot be turned.
        ValueError: labels, grid or channels do not fit the automaton.

    """
    screen = Screen.of(
        film,
        nca,
        (height, width),
        {
            "classes": classes,
            "targets": targets is not None,
            "decoder": decoder,
            "codes": codes is not None,
            "start": start is not None,
            "votes": votes,
            "opinion": opinion,
            "inputs": inputs,
            "condition": condition is not None,
            "seeds": seeds,
            "erased": erased is not None,
            "sizes": sizes,
            "ring": ring,
            "inks": inks,
        },
    )
    if screen is not None:
        start, alt = screen.start, alt or screen.alt
    if seeds is None and start is None and not classes:
        seeds = _seed_of(nca)
    labels = Labels(classes, class_names, class_index)
    sight = Sight(targets, decoder, votes, beside, codes)
    beginning = Beginning(start, inputs, condition, ring, seeds, free, erased)
    offers = Offers(rules, list(sizes), turning, inks, more)
    grid, shape = Grid(height, width, seed), (height, width)

    automata = offers.automata(nca)
    for automaton in automata:
        check_unchanged(automaton, ENGINE)
    layout, told = automata[0].layout, automata[0].perception.condition_channels
    least = max([1, *(automaton.perception.reach for automaton in automata)])
    grid.check(least)
    beginning.check_map(told, len(classes), shape)
    chosen = screen.names if screen else list(inputs or seeds or {})
    named = labels.described(0 if condition is not None else told, chosen)
    elected = sight.elected(layout)
    if screen is None:
        sight.check(layout, len(named), shape)
    beginning.check(layout, len(named), shape)
    named = beginning.colours(named)
    offers.check(automata, least, sight, beginning)
    if opinion is not None:
        if not isinstance(opinion, Opinion):
            raise TypeError(
                f"opinion is of type {type(opinion).__name__}; expected an Opinion, as "
                "Opinion.of(critic, real, made, context) makes one"
            )
        opinion.check(layout, decoder is not None, [shape, *offers.sizes])
    for network in (*automata, *([] if decoder is None else [decoder])):
        check_range(network)

    program = compile_steps(automata, mapped=condition is not None)
    # Numbers lie in the weights in the order in which these lines append them.
    description = {
        "format": "nca-live",
        "version": VERSION,
        **Words(title, alt).described(grid, seeded=start is None),
        "height": height,
        "width": width,
        "channels": layout.channels,
        "fixed": layout.fixed,
        "visible": layout.visible,
        "living": None if automata[0].living_threshold is None else layout.living,
        "planes": program.planes,
        "fire_rate": automata[0].fire_rate,
        "living_threshold": automata[0].living_threshold,
        "seed": seed,
        "classes": named,
        "class_index": class_index,
        "targets": sight.pictures(program),
        **beginning.described(program),
        **offers.described(height, width),
        **({"ring": True} if ring else {}),
        **offers.colours(),
        "condition": beginning.map_at(program),
        "votes": elected,
        "inputs": beginning.inputs_at(program),
        "decoder": _decoded(decoder, program, layout.fixed),
        **sight.latents(program),
        **(screen.described(program) if screen else {}),
        **({} if opinion is None else {"critic": opinion.described(program)}),
        "buffers": program.buffers[1:],
        "ops": program.ops,
        "weights_bytes": len(program.bytes),
    }
    return description, bytes(program.bytes)


def _seed_of(nca: NCA | Patchwork) -> Mapping[str, Tensor] | None:
    """The seed of an automaton whose layout has one of its own, as ``seeds`` takes it."""
    if not isinstance(nca, NCA) or nca.layout.seed is None:
        return None
    return {"seed": torch.tensor(nca.layout.seed)}


def _decoded(
    decoder: Decoder | LocalDecoder | None, program: Program, first: int
) -> dict[str, Any] | None:
    if isinstance(decoder, LocalDecoder):
        return compile_local(decoder, program)
    return None if decoder is None else compile_decoder(decoder, program, first)
