"""The reference: what each room of the package offers, from its docstrings.

A page of ``book/api`` has a line ``<!-- modules of ncabook.ROOM -->``. The room's modules take its
place, whichever they are at the time of the build: only rooms are named anywhere, in ``ROOMS``.
"""

import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterator
from functools import cache
from types import ModuleType
from typing import Any, TypeVar

from docutils import nodes
from pydantic import BaseModel
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util import inspect as sphinx_inspect

# The pages of book/api, and what they tell of.
ROOMS = {
    "automaton": "ncabook.automaton",
    "networks": "ncabook.networks",
    "data": "ncabook.data",
    "training": "ncabook.training",
    "evaluation": "ncabook.evaluation",
    "tasks": "ncabook.tasks",
    "experiments": "ncabook.experiments",
    "zoo": "ncabook.zoo",
    "live": "ncabook.live",
    "lab": "ncabook.lab",
    "figures": "ncabook.figures",
    "reading": "ncabook.reading",
    "files": "ncabook.files",
}
# How it is done, not what is offered: faster ways of the same step, the engine's build, commands
# (which `ncabook --help` explains).
LEFT_OUT = re.compile(r"ncabook\.(automaton\.(cpu|gpu)|live\.engine|extras|cli\w*|__main__)\b")
MARKER = re.compile(r"^<!-- modules of (ncabook[\w.]*) -->$", re.MULTILINE)


def modules(room: str) -> Iterator[ModuleType]:
    """A room, and the modules in it that are public and not left out."""
    package = importlib.import_module(room)
    yield package
    for found in pkgutil.walk_packages(getattr(package, "__path__", ()), f"{room}."):
        if not LEFT_OUT.match(found.name) and "._" not in found.name:
            yield importlib.import_module(found.name)


def own_names(module: ModuleType) -> list[str]:
    """Public functions and classes that are made in a module and have a docstring."""
    return [
        name
        for name, value in vars(module).items()
        if not name.startswith("_")
        and (inspect.isclass(value) or inspect.isfunction(value))
        and value.__module__ == module.__name__
        and value.__doc__
    ]


def written(room: str) -> str:
    """The part of a page that tells of a room, as Markdown."""
    parts = []
    for module in modules(room):
        if module.__name__ != room and own_names(module):
            parts.append(f"## `{module.__name__}`\n")
        if module.__name__ == room or own_names(module):
            options = "" if own_names(module) else "   :no-members:\n"
            parts.append(f"```{{eval-rst}}\n.. automodule:: {module.__name__}\n{options}```\n")
        if module.__name__ == room and hasattr(module, "__all__"):
            values = (getattr(module, name) for name in module.__all__)
            links = [
                f"{{py:obj}}`~{value.__module__}.{value.__qualname__}`"
                for value in values
                if hasattr(value, "__qualname__")
            ]
            parts.append(f"`from {room} import` any of {', '.join(links)}.\n")
    return "\n".join(parts)


def _fill(app: Sphinx, page: str, source: list[str]) -> None:
    source[0] = MARKER.sub(lambda found: written(found[1]), source[0])


@cache
def _everywhere() -> dict[str, Any]:
    """Public names of all rooms; those that two modules give to different things are left out."""
    found: dict[str, Any] = {}
    for room in ROOMS.values():
        for module in modules(room):
            for name in own_names(module):
                found[name] = None if name in found else getattr(module, name)
    return {name: value for name, value in found.items() if value is not None}


def _look_up(target: str, module: str | None, owner: str | None) -> Iterator[Any]:
    """What a name may mean: in its class, in its module, anywhere; the nearest first.

    Yields a thing, then what holds it, since a field of a class has no entry of its own.
    """
    spaces: list[Any] = []
    if module:
        here = importlib.import_module(module)
        spaces += [getattr(here, owner.split(".")[0], None)] if owner else []
        spaces += [vars(here)]
    for space in (*spaces, _everywhere()):
        value, holders = space, []
        for step in target.split("."):
            holders.append(value)
            if isinstance(value, dict):
                value = value.get(step)
            elif step in getattr(value, "__annotations__", {}) and not hasattr(value, step):
                value = value  # a field without a default
            else:
                value = getattr(value, step, None)
            if value is None:
                break
        else:
            yield value
            yield from (holder for holder in reversed(holders) if inspect.isclass(holder))
    parts = target.split(".")
    for cut in range(len(parts), 0, -1):
        try:
            value = importlib.import_module(".".join(parts[:cut]))
        except ImportError:
            continue
        for step in parts[cut:]:
            value = getattr(value, step, None)
        if value is not None:
            yield value
        return


def _resolve(
    app: Sphinx, env: BuildEnvironment, node: pending_xref, content: nodes.TextElement
) -> nodes.Node | None:
    """Links a name to where it is described; names of other packages stay words.

    Docstrings call things by the names that are known where they stand, as Python does.
    """
    if node.get("refdomain") != "py":
        return None
    domain = env.get_domain("py")
    foreign = False
    for value in _look_up(node["reftarget"], node.get("py:module"), node.get("py:class")):
        name = getattr(value, "__name__", None)
        foreign |= isinstance(value, TypeVar)
        if inspect.ismodule(value):
            full = name
        else:
            value = getattr(value, "fget", value)
            full = f"{getattr(value, '__module__', '')}.{getattr(value, '__qualname__', name)}"
        if full in domain.objects:
            entry = domain.objects[full]
            return _link(app, env, node, content, entry.docname, entry.node_id)
        foreign |= not full.startswith("ncabook.") or bool(LEFT_OUT.match(full))
    return content if foreign else None


def _link(
    app: Sphinx,
    env: BuildEnvironment,
    node: pending_xref,
    content: nodes.TextElement,
    page: str,
    place: str,
) -> nodes.reference:
    uri = app.builder.get_relative_uri(node.get("refdoc", env.docname), page)
    return nodes.reference("", "", content, internal=True, refuri=f"{uri}#{place}")


def _signature(
    app: Sphinx, kind: str, name: str, value: Any, options: Any, signature: str, returns: str
) -> tuple[str, str] | None:
    """A record's fields are told below its name, not twice; a widget's own arguments are shown."""
    if not inspect.isclass(value):
        return None
    if issubclass(value, BaseModel):
        return "", ""
    if type(value) is not type and inspect.isfunction(vars(value).get("__init__")):
        own = sphinx_inspect.signature(value.__init__, bound_method=True)
        return sphinx_inspect.stringify_signature(
            own, show_return_annotation=False, unqualified_typehints=True
        ), ""
    return None


def _without_type(
    app: Sphinx, kind: str, name: str, value: Any, options: Any, lines: list[str]
) -> None:
    """Of "Bool: cells that live", Napoleon would take the beginning for a property's type."""
    if kind == "property":
        lines[:0] = ["..", ""]  # a comment without words


def setup(app: Sphinx) -> dict[str, bool]:
    """Hooks in the pages' modules and the links between them."""
    app.setup_extension("sphinx.ext.autodoc")
    app.connect("source-read", _fill)
    app.connect("missing-reference", _resolve)
    app.connect("autodoc-process-signature", _signature)
    app.connect("autodoc-process-docstring", _without_type, priority=400)  # before Napoleon
    return {"parallel_read_safe": True, "parallel_write_safe": True}
