from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from foreign_files import write_safetensors, write_sharded
from mycloset import CheckpointAnalysis, CheckpointAnalyzer
from mycloset.errors import InputError
from mycloset.inspection.folders import FolderAnalysis, find

TENSORS = [(f"layers.{i}.weight", "float32", (8, 8)) for i in range(4)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Copies, a namesake, a model in parts, a page instead of a model, and other files."""
    for name, first in (
        ("a/one.safetensors", 1),
        ("b/copy.safetensors", 1),
        ("c/one.safetensors", 2),
    ):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        write_safetensors(tmp_path / name, TENSORS, data={"layers.0.weight": bytes([first]) * 256})
    write_sharded(tmp_path / "parts", TENSORS, 2)
    (tmp_path / "page.pth").write_bytes(b"<html><title>404</title></html>")
    (tmp_path / "notes.txt").write_text("not looked at")
    return tmp_path


def analysed(folder: Path, workers: int | None = 1) -> FolderAnalysis:
    return CheckpointAnalyzer().analyze_folder(folder, workers=workers)


def messages(found: FolderAnalysis, kind: str) -> list[str]:
    return [finding.message for finding in found.findings if finding.kind == kind]


def test_models_are_found_by_suffix_and_parts_as_one(folder: Path) -> None:
    models, skipped = find(folder)
    assert {path.name for path in models} == {
        "one.safetensors",
        "copy.safetensors",
        "model.safetensors.index.json",
        "page.pth",
    }
    assert [path.name for path in skipped] == ["notes.txt"]


def test_copies_are_told_whatever_their_names(folder: Path) -> None:
    (message,) = messages(analysed(folder), "duplicate")
    assert "one.safetensors" in message
    assert "copy.safetensors" in message
    assert str(Path("c") / "one.safetensors") not in message


def test_the_same_name_over_other_bytes_is_told(folder: Path) -> None:
    (message,) = messages(analysed(folder), "same-name")
    assert "2 files are named one.safetensors" in message


def test_several_processes_find_the_same(folder: Path) -> None:
    alone, together = analysed(folder), analysed(folder, workers=2)
    assert [a.path for a in alone.analyses] == [a.path for a in together.analyses]
    assert alone.findings == together.findings


def test_progress_is_told_after_each_file(folder: Path) -> None:
    seen: list[tuple[int, int]] = []

    def note(done: int, total: int, analysis: CheckpointAnalysis) -> None:
        seen.append((done, total))

    CheckpointAnalyzer().analyze_folder(folder, note, workers=1)
    assert seen == [(number, 5) for number in range(1, 6)]


def test_the_summary_counts(folder: Path) -> None:
    summary = analysed(folder).summary
    assert summary["files"] == 5
    assert summary["skipped"] == 1
    assert summary["verdicts"] == {"unknown": 4, "not-a-model": 1}


def test_everything_becomes_json(folder: Path) -> None:
    found = json.loads(json.dumps(analysed(folder).to_json()))
    assert len(found["files"]) == 5


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is no folder"):
        analysed(tmp_path / "nothing")


def test_links_to_files_are_followed_and_loops_of_folders_are_not(tmp_path: Path) -> None:
    write_safetensors(tmp_path / "blob", TENSORS)
    (tmp_path / "model.safetensors").symlink_to(tmp_path / "blob")
    (tmp_path / "loop").symlink_to(tmp_path)
    assert [path.name for path in find(tmp_path)[0]] == ["model.safetensors"]


def test_a_folder_that_cannot_be_listed_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    locked = tmp_path / "locked"
    locked.mkdir()
    scandir = os.scandir

    def refusing(path: str | os.PathLike[str]) -> object:
        if Path(path) == locked:
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refusing)
    assert find(tmp_path) == ([locked], [])
