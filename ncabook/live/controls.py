"""Sliders of the notebook, linked to the live figure; they need a kernel."""

from typing import Any

import ipywidgets as widgets

from ncabook.automaton import NCA
from ncabook.live.player import LivePlayer


def controls(nca: NCA, height: int, width: int, **options: Any) -> widgets.VBox:
    """A live figure with sliders for fire rate, damage and steps, and a menu of classes.

    Args:
        nca: the automaton.
        height: cells from top to bottom.
        width: cells from left to right.
        options: as for :class:`~ncabook.live.LivePlayer`.

    Returns:
        A box; its first child is the player, through which Python reaches the automaton.

    """
    player = LivePlayer(nca, height, width, **options)
    rate = widgets.FloatSlider(
        player.fire_rate, min=0.05, max=1, step=0.05, description="fire rate"
    )
    widgets.link((rate, "value"), (player, "fire_rate"))
    steps = widgets.IntSlider(10, min=1, max=200, description="steps")
    go = widgets.Button(description="make them")
    go.on_click(lambda _: player.step(steps.value))
    radius = widgets.IntSlider(6, min=1, max=min(height, width) // 2, description="radius")
    erase = widgets.Button(description="erase the middle")
    erase.on_click(lambda _: player.damage((width - 1) / 2, (height - 1) / 2, radius.value))
    rows = [player, rate, widgets.HBox([steps, go]), widgets.HBox([radius, erase])]
    names = player.class_names
    if names:
        menu = widgets.Dropdown(
            options=[(name, i) for i, name in enumerate(names)],
            value=player.class_index,
            description="class",
        )
        widgets.link((menu, "value"), (player, "class_index"))
        rows.append(menu)
    return widgets.VBox(rows)
