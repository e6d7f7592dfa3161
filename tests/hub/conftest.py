"""The fixtures of a package index in a folder, and of a server that misbehaves."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fake_index import Index, catalogue_for, write_wheel

from misbehaving_server import Server, running
from mycloset.hub import addresses, download


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Index:
    """pip finds the fake wheel and nothing else, and the cache is empty."""
    folder, home = tmp_path / "index", tmp_path / "home"
    folder.mkdir()
    wheel = write_wheel(folder)
    catalogue = catalogue_for(wheel)
    monkeypatch.setattr(download, "load", lambda: catalogue)
    monkeypatch.setenv("MYCLOSET_HOME", str(home))
    monkeypatch.delenv("MYCLOSET_WHEELS", raising=False)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv("PIP_CONFIG_FILE", str(tmp_path / "no-such-file"))
    return Index(folder, wheel, home, catalogue)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """The server of files, on this machine; no proxy stands before it."""
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    addresses.opener.cache_clear()
    with running() as made:
        yield made
