"""The built engine as its two hosts load it: one core, and a short tail for each.

A notebook's widget, and Node, import an ES module; a page loads a classic script, since browsers
refuse modules from ``file://``. Nearly all of both is the same text, so the package holds that
once: ``nca-live.core.js``, with ``nca-live.widget.js`` and ``nca-live.page.js`` to follow it.
They are not whole scripts: joined here, they are. ``make live`` writes them
(:mod:`ncabook.live.engine.build`).
"""

from functools import cache
from pathlib import Path

HERE = Path(__file__).parent
BANNER = "// Built from ncabook/live/engine by build.py. Change the sources there, not this file.\n"
CORE = "nca-live.core.js"
WIDGET = "nca-live.widget.js"
PAGE = "nca-live.page.js"
TRAINER_CORE = "nca-train.core.js"
TRAINER_MODULE = "nca-train.module.js"
TRAINER_PAGE = "nca-train.page.js"


@cache
def module_script() -> str:
    """The ES module; its default export is the widget, others are for tests and measurements."""
    return f"{BANNER}{_built(CORE)}{_built(WIDGET)}"


@cache
def page_script() -> str:
    """The classic script, which mounts every figure of the page that it is in."""
    # A function keeps its names out of the page's.
    return f'{BANNER}(() => {{\n"use strict";\n{_built(CORE)}{_built(PAGE)}}})();\n'


@cache
def trainer_module() -> str:
    """The trainer as an ES module, for tests and measurements."""
    return f"{BANNER}{_built(TRAINER_CORE)}{_built(TRAINER_MODULE)}"


@cache
def trainer_script() -> str:
    """The classic script of the figure that trains (:mod:`ncabook.live.trainer`)."""
    return f'{BANNER}(() => {{\n"use strict";\n{_built(TRAINER_CORE)}{_built(TRAINER_PAGE)}}})();\n'


def _built(name: str) -> str:
    """A committed file's text, less the banner."""
    return (HERE / name).read_text(encoding="utf-8").removeprefix(BANNER)
