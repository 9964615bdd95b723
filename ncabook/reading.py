"""Reading what people wrote: YAML files, checked field by field, every mistake in a line."""

import reprlib
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

MOST_BYTES = 10**6  # of a file; a thousand times what is usual
MOST_MISTAKES = 10  # that are told of one file


class Strict(BaseModel):
    """Unknown keys and wrong types are errors; values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class ConfigError(Exception):
    """An experiment file that cannot be used."""


class UnknownNameError(Exception):
    """A name that nothing has; says which names are near."""


def unknown(kind: str, name: str, known: list[str]) -> UnknownNameError:
    """The error for a name that nothing has, with the nearest ones that something has."""
    near = get_close_matches(name, known, n=3, cutoff=0.4)
    if near:
        hint = "did you mean " + " or ".join(near) + "?"
    else:
        hint = "known: " + (", ".join(known) if known else "none yet")
    return UnknownNameError(f"there is no {kind} {name!r}; {hint}")


class _NoSurprises(yaml.SafeLoader):
    """YAML in which a key is what it looks like: no second one like it, and none merged in."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key_node, _ in node.value:
            line = f"line {key_node.start_mark.line + 1}"
            if key_node.tag == "tag:yaml.org,2002:merge":
                raise yaml.YAMLError(f"{line}: << merges keys unseen; write them out instead")
            if not isinstance(key_node, yaml.ScalarNode):
                raise yaml.YAMLError(f"{line}: expected a word as key, found a list or mapping")
            if key_node.value in seen:
                raise yaml.YAMLError(f"{line}: the key {shorten(key_node.value)} stands twice")
            seen.add(key_node.value)
        return super().construct_mapping(node, deep)


_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = 80


def shorten(value: Any) -> str:
    """A value for a message: of what is long, the beginning."""
    try:
        return _SHORT.repr(value)
    except ValueError:  # Python refuses to write out numbers of thousands of digits
        return "a number of thousands of digits"


Document = TypeVar("Document", bound=Strict)


def parse(kind: type[Document], content: Any, source: str, within: str = "") -> Document:
    """Validates a mapping; ``source`` names it in error messages, ``within`` the field it is.

    Raises:
        ConfigError: one line per mistake, each with source, field and reason.

    """
    try:
        return kind.model_validate(content)
    except ValidationError as error:
        raise ConfigError("\n".join(mistakes(error, source, within))) from None


def mistakes(error: ValidationError, source: str, within: str = "") -> list[str]:
    """A line for each of the first mistakes, with source, field and reason, and how many more.

    Args:
        error: of the validation.
        source: names what was read.
        within: the field of ``source`` that was validated, if it was one.

    """
    found = error.errors(include_url=False)
    lines = []
    for item in found[:MOST_MISTAKES]:
        names = [
            name if len(name) <= 80 else shorten(name)
            for name in [*filter(None, [within]), *map(str, item["loc"])]
        ]
        field = ".".join(names) or "(whole file)"
        message = item["msg"].removeprefix("Value error, ")
        given = item["input"]
        shown = "" if isinstance(given, dict) else f" (given: {shorten(given)})"
        if item["type"] == "float_type" and isinstance(given, str) and "e" in given:
            message += "; YAML wants a point in numbers with an exponent, 5.0e-3"
        lines.append(" ".join(f"{source}: {field}: {message}{shown}".split()))
    if len(found) > MOST_MISTAKES:
        lines.append(f"{source}: and {len(found) - MOST_MISTAKES:,} more mistakes")
    return lines


def load(kind: type[Document], path: Path) -> Document:
    """Reads and validates a YAML file.

    Raises:
        ConfigError: the file is missing, is not YAML, or does not fit the schema.

    """
    return parse(kind, read(path, kind.__name__.lower()), str(path))


def read(path: Path, what: str) -> Any:
    """What a YAML file holds; ``what`` names the kind of file in error messages.

    Raises:
        ConfigError: the file is missing, too large, or is not YAML.

    """
    if not path.is_file():
        raise ConfigError(f"{path}: no such {what} file")
    size = path.stat().st_size
    if size > MOST_BYTES:
        raise ConfigError(f"{path}: {size:,} bytes; expected at most {MOST_BYTES:,}")
    try:
        return yaml.load(path.read_text(encoding="utf-8"), _NoSurprises)
    except RecursionError:
        raise ConfigError(f"{path}: nested too deeply; expected a few levels") from None
    except (yaml.YAMLError, UnicodeDecodeError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise ConfigError(f"{path}: not a YAML file: {reason}") from None
