"""Packages that only some of this one needs, and what to do where they are missing."""

import importlib
from types import ModuleType


def need(package: str, extra: str, purpose: str) -> ModuleType:
    """Imports a package that comes with an extra.

    Args:
        package: its name, as Python imports it.
        extra: of ncabook, that installs it.
        purpose: what needs it, as a sentence's beginning.

    Raises:
        ModuleNotFoundError: it, or what it needs, is not installed; says how to install it.

    """
    try:
        return importlib.import_module(package)
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            f'{purpose} needs the package {error.name}: pip install "ncabook[{extra}]", '
            f'or in a clone of the repository pip install -e ".[{extra}]"',
            name=error.name,
        ) from None
