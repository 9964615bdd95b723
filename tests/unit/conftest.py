"""What several unit tests set up."""

import pytest

from ncabook.data import registry


@pytest.fixture
def no_network(monkeypatch, tmp_path):
    """An empty cache, and a network that answers nothing."""
    monkeypatch.setenv("NCABOOK_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("NCABOOK_DATA", raising=False)

    def refuse(*_, **__):
        raise ConnectionError

    monkeypatch.setattr(registry.pooch, "retrieve", refuse)
    return tmp_path
