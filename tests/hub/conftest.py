"""The fixture of a package index in a folder."""

from __future__ import annotations

from pathlib import Path

import pytest
from fake_index import Index, catalogue_for, write_wheel

from mycloset.hub import download


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
