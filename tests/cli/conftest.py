"""What tests of the command line share."""

from __future__ import annotations

import sys
from collections.abc import Callable

import pytest

from mycloset.cli import start

Cli = Callable[..., tuple[int, str, str]]


@pytest.fixture
def cli(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Cli:
    """Runs the command in this process; gives its exit code, output and errors."""

    def call(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["mycloset", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            start.run()
        code = ended.value.code
        assert isinstance(code, int)
        return code, *capfd.readouterr()

    return call
