"""Experiments by name: ``FAMILY/NAME.yaml``, each with its stages; how they are trained and kept.

A file is an experiment, and under ``stages`` the trainings before it, each starting from the one
before, with what differs from the file's own fields::

    name: lacelike-conv3
    …
    training: {iterations: 300, …}
    stages:
      - name: lacelike-conv3-young
        training: {iterations: 700, …}
"""

import re
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from ncabook.reading import ConfigError, parse, read, shorten, unknown
from ncabook.tasks import BaseExperiment, experiment_from

FOLDER = Path(__file__).parent
TABLES = "tables"

AnyKind = TypeVar("AnyKind", bound=BaseExperiment)


def files() -> list[Path]:
    """Of the experiments that come with the package."""
    found = [path for path in FOLDER.glob("*/*.yaml") if path.parent.name != TABLES]
    return sorted(found, key=lambda path: (path.parent.name, path.stem))


def names() -> list[str]:
    """Experiments that come with the package."""
    return sorted(path.stem for path in files())


def find(name: str) -> BaseExperiment:
    """An experiment or a stage of one by name, or the experiment of a path that ends in ``.yaml``.

    Raises:
        UnknownNameError: no such experiment.
        ConfigError: its file does not fit the schema.

    """
    if name.endswith((".yaml", ".yml")):
        return load_experiment(Path(name))
    path = file_of(name)
    return next(found for found in load_stages(path) if found.name == name)


def file_of(name: str) -> Path:
    """The file that an experiment or stage of the package stands in.

    Raises:
        UnknownNameError: there is none.

    """
    known = _files_by_name()
    if name not in known:
        raise unknown("experiment", name, sorted(known))
    return known[name]


@cache
def _files_by_name() -> dict[str, Path]:
    return {found.name: path for path in files() for found in load_stages(path)}


def load_experiment(path: Path) -> BaseExperiment:
    """Reads and validates an experiment file, of the kind that its ``task`` names.

    Raises:
        ConfigError: the file is missing, is not YAML, or does not fit the schema.

    """
    return load_stages(path)[-1]


def load_stages(path: Path) -> list[BaseExperiment]:
    """The trainings of an experiment file in their order; the last is the experiment itself.

    Raises:
        ConfigError: as :func:`load_experiment`.

    """
    content = read(path, "experiment")
    if not isinstance(content, dict) or "stages" not in content:
        return [experiment_from(content, str(path))]
    stages = content.pop("stages")
    if not isinstance(stages, list) or not all(isinstance(s, dict) for s in stages):
        given = shorten(stages)
        raise ConfigError(f"{path}: stages: expected a list of mappings (given: {given})")
    found, before = [], content.get("start_from")
    for number, differences in enumerate([*stages, {}]):
        place = f"stages.{number}" if differences else ""
        if not differences.keys() >= {"name", "title"} and number < len(stages):
            raise ConfigError(f"{path}: {place}: expected a name and a title of its own")
        merged = _merged(content, {"start_from": before, **differences})
        found.append(experiment_from(merged, str(path), place))
        before = found[-1].name
    if len({stage.name for stage in found}) < len(found):
        raise ConfigError(f"{path}: stages: two are of one name; expected different names")
    return found


def _merged(whole: dict[str, Any], differences: dict[str, Any]) -> dict[str, Any]:
    """``whole`` with some of its fields, at any depth, as ``differences`` has them."""
    result = dict(whole)
    for key, value in differences.items():
        nested = isinstance(value, dict) and isinstance(result.get(key), dict)
        result[key] = _merged(result[key], value) if nested else value
    return result


def with_seed(experiment: AnyKind, seed: int) -> AnyKind:
    """The same experiment with another seed, checked like one from a file.

    What it starts from is of that seed, too, if it is the result of an experiment of its own.
    Stages stay what they are.
    """
    changes: dict[str, Any] = {"seed": seed}
    start = re.sub(r"-seed-\d+$", "", experiment.start_from or "")
    if start in names():
        changes["start_from"] = seeded(start, seed)
    return parse(type(experiment), experiment.model_dump() | changes, experiment.name)


def seeded(name: str, seed: int) -> str:
    """What the zoo calls an experiment's result with a seed."""
    return f"{name}-seed-{seed}" if seed else name
