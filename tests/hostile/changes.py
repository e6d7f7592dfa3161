"""Files that somebody changes while they are read: at the beginning, midway, and at the end."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from corpus import KINDS, Case, payload, whole, zip_of

CHANGED = frozenset({"corrupt", "not-a-model", "suspicious", "dangerous", "unreadable"})
PROGRESS = (0.0, 0.3, 0.7, 1.0)


def changes() -> Iterator[Case]:
    """Every case of this kind; however far the reading was, the result must not look sound."""
    for name, change in (
        ("cut to half", cut),
        ("emptied", emptied),
        ("grown", grown),
        ("filled with zeros", zeroed),
        ("removed", Path.unlink),
        ("replaced by a dangerous one", replaced),
        ("replaced by a folder", by_folder),
    ):
        for kind in KINDS:
            for progress in PROGRESS:

                def make(folder: Path, marker: Path, kind: str = kind) -> Path:
                    return whole(folder, kind)

                title = f"{kind} {name} after {progress:.0%} of the reads"
                yield Case(title, "changes", make, CHANGED, meanwhile=change, progress=progress)


def cut(path: Path) -> None:
    """Half of it is gone."""
    os.truncate(path, path.stat().st_size // 2)


def emptied(path: Path) -> None:
    """All of it is gone."""
    os.truncate(path, 0)


def grown(path: Path) -> None:
    """More is written behind it, as by a download that goes on."""
    with path.open("ab") as file:
        file.write(bytes(1000))


def zeroed(path: Path) -> None:
    """Every byte is overwritten in its place."""
    with path.open("r+b") as file:
        file.write(bytes(path.stat().st_size))


def replaced(path: Path) -> None:
    """Another file is put in its place at once."""
    zip_of(path.with_name("other"), payload(Path("nowhere"))).replace(path)


def by_folder(path: Path) -> None:
    """A folder is put in its place."""
    path.unlink()
    path.mkdir()
