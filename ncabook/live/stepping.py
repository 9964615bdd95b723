"""The step of automata as operations of the live engine: a perception, then an update."""

from collections.abc import Sequence

from torch import nn

from ncabook.automaton import NCA
from ncabook.automaton.known import check_unchanged
from ncabook.live.advance import advance
from ncabook.live.perceive import feature_size, needs_planes, perceive
from ncabook.live.program import ENGINE, Program
from ncabook.live.start import HALF_MAX


def check_range(network: nn.Module) -> None:
    """Refuses weights that float16 cannot hold.

    Raises:
        ValueError: names the weights.

    """
    for name, values in network.named_parameters():
        if not bool(values.isfinite().all()) or float(values.detach().abs().max()) > HALF_MAX:
            raise ValueError(
                f"{name} has weights that float16 cannot hold: not finite, or too large"
            )


def compile_steps(automata: Sequence[NCA], mapped: bool) -> Program:
    """The program that steps them, each as a rule of its own.

    Args:
        automata: of one layout.
        mapped: whether the condition differs from cell to cell, so that it is an input.

    Raises:
        TypeError: the engine does not know a part, or it is derived or changed.

    """
    first, told = automata[0], automata[0].perception.condition_channels
    planes = told if mapped or needs_planes(first.perception) else 0
    program = Program(first.layout.channels, planes)
    for rule, automaton in enumerate(automata):
        program.rule = rule
        _compile(automaton, program)
    return program


def _compile(nca: NCA, program: Program) -> None:
    """Appends a rule's operations; the last writes the change."""
    for part in (nca.perception, nca.update):
        check_unchanged(part, ENGINE)
    features = program.buffer(feature_size(nca.perception, program))
    columns = perceive(nca.perception, program, features, 0)
    change = program.buffer(program.channels)
    advance(nca.update, program, features, columns, change, nca.layout.fixed)
