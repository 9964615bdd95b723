"""The live figure: a trained automaton that runs in the reader's browser."""

from ncabook.live.controls import controls
from ncabook.live.elementary import elementary_figure, twins_figure
from ncabook.live.export import describe
from ncabook.live.glsl import to_glsl
from ncabook.live.html import figure_html, to_html
from ncabook.live.onnx import to_onnx
from ncabook.live.opinion import Opinion
from ncabook.live.player import LivePlayer
from ncabook.live.saved import SavedState, load_state
from ncabook.live.trainer import load_trained, trainer_figure

__all__ = [
    "LivePlayer",
    "Opinion",
    "SavedState",
    "controls",
    "describe",
    "elementary_figure",
    "figure_html",
    "load_state",
    "load_trained",
    "to_glsl",
    "to_html",
    "to_onnx",
    "trainer_figure",
    "twins_figure",
]
