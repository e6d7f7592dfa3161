from __future__ import annotations

import subprocess
import sys

import pytest

from mycloset.cli.licences import licences, notice
from mycloset.cli.progress import bar
from mycloset.cli.pull import pull
from mycloset.hub import catalogue


def test_pull_names_the_files(capsys: pytest.CaptureFixture[str]) -> None:
    pull("embedded", None)
    lines = capsys.readouterr().out.splitlines()
    assert [line.rsplit("/", 1)[1] for line in lines] == [
        entry.file for entry in catalogue.load().expand("embedded")
    ]


def test_licences_name_every_entry_and_the_notice(capsys: pytest.CaptureFixture[str]) -> None:
    licences()
    text = capsys.readouterr().out
    for entry in catalogue.load().entries.values():
        assert f"{entry.name}: {entry.title}" in text
        assert str(entry.source) in text
    assert text.count("Apache-2.0") >= 5
    assert notice().splitlines()[0] in text


def test_a_bar_that_is_never_called_shows_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with bar():
        pass
    assert capsys.readouterr() == ("", "")


def test_the_commands_come_without_heavy_libraries() -> None:
    script = (
        "import sys, mycloset.cli.pull, mycloset.cli.licences, mycloset.cli.progress\n"
        "heavy = {'numpy', 'cv2', 'scipy', 'ai_edge_litert', 'yaml'} & set(sys.modules)\n"
        "print(sorted(heavy))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
