"""What several unit tests set up."""

import pytest

from ncabook.data import registry
from tests.unit.nest import Nest


@pytest.fixture
def no_network(monkeypatch, tmp_path):
    """An empty cache, and a network that answers nothing."""
    monkeypatch.setenv("NCABOOK_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("NCABOOK_DATA", raising=False)

    def refuse(*_, **__):
        raise ConnectionError

    monkeypatch.setattr(registry.pooch, "retrieve", refuse)
    return tmp_path


@pytest.fixture(scope="session")
def nest():
    """A process that forks commands; one for all tests, since it takes seconds to start."""
    nest = Nest()
    yield nest
    nest.close()
