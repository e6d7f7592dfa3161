"""Closet: the records of all model files below some folders, read anew only where they changed."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from mycloset.hub.index import Index
from mycloset.hub.records import (
    FileRecord,
    Stamp,
    content_of,
    describe,
    is_current,
    stamp_of,
)
from mycloset.inspection.walking import find


class ShelvedFile(NamedTuple):
    """A file of the user's folders that is named like a model's.

    Attributes:
        path: the file, or the folder of a model in several files.
        root: the folder below which it was found.
        record: what it is.
        copy: equal for files of the same content; "" for a file that has no copy.
    """

    path: Path
    root: Path
    record: FileRecord
    copy: str = ""


class Closet:
    """The files below some folders, and what was known of them before. Not for several threads.

    Args:
        roots: the folders.
        index: whether records are kept on disk; a path: in files whose names begin so.
    """

    def __init__(self, roots: tuple[Path, ...], index: bool | str | os.PathLike[str]) -> None:
        self.roots = roots
        place = None if isinstance(index, bool) else Path(index)
        self._indexes = {} if index is False else {root: Index(root, place) for root in roots}
        self._records: dict[str, FileRecord] = {}
        self._opened: set[Path] = set()
        self._written: dict[Path, Mapping[str, FileRecord]] = {}
        self._notes: dict[Path, str] = {}

    def look(self, further: Iterable[Path] = ()) -> tuple[tuple[ShelvedFile, ...], tuple[str, ...]]:
        """What there is now, by path; and notes on indexes that could not be used.

        Args:
            further: files that are looked at wherever they lie, whatever their names end in.
        """
        seen: dict[str, Path] = {}
        paths: dict[str, Path] = {}  # Kept: taking a text apart again costs more than a stat.
        for root in self.roots:
            self._open(root)
            for path in find(root)[0]:
                seen.setdefault(str(path), root)
                paths[str(path)] = path
        for path in further:
            if path.exists() and str(path) not in seen:
                seen[str(path)] = self._root_of(path)
                paths[str(path)] = path
        status = _Remembering()
        stale = [
            paths[path]
            for path in seen
            if (record := self._records.get(path)) is None
            or record.racy
            or not is_current(path, record, status)
        ]
        known = {path: self._records[path] for path in seen if path in self._records}
        for path in stale:
            known.pop(str(path), None)
        if stale:
            from mycloset.inspection.folders import each

            for path, read in each(stale, describe):
                if read is not None:
                    known[str(path)] = read
        copies = _copies(known)
        self._records = known
        self._keep(seen)
        files = [
            ShelvedFile(paths[path], seen[path], record, copies.get(path, ""))
            for path, record in sorted(known.items())
        ]
        return tuple(files), tuple(note for note in self._notes.values() if note)

    def put(self, path: Path, record: FileRecord | None) -> None:
        """Take what was just read of a file for what is known of it; None: it is gone."""
        if record is None:
            self._records.pop(str(path), None)
        else:
            self._records[str(path)] = record

    def _root_of(self, path: Path) -> Path:
        return next((root for root in self.roots if path.is_relative_to(root)), self.roots[0])

    def _open(self, root: Path) -> None:
        """Read a folder's index, once."""
        if root in self._opened or root not in self._indexes:
            return
        self._opened.add(root)
        kept = self._indexes[root].read()
        self._notes[root] = kept.note
        self._written[root] = kept.records
        for key, record in kept.records.items():
            self._records.setdefault(os.path.join(root, key), record)  # noqa: PTH118

    def _keep(self, seen: Mapping[str, Path]) -> None:
        """Write the indexes of the folders in which anything is new."""
        by_root: dict[Path, dict[str, FileRecord]] = {root: {} for root in self._indexes}
        for path, record in self._records.items():
            root = seen[path]
            if root in by_root and record.lasting:
                by_root[root][path.removeprefix(f"{root}{os.sep}")] = record
        for root, records in by_root.items():
            if records == self._written.get(root, {}):
                continue
            failed = self._indexes[root].write(records)
            if failed:
                self._notes[root] = failed
            else:
                self._written[root] = records


class _Remembering(dict[str, "Stamp | None"]):
    """Stamps by path, each asked of the system once: a folder's config.json is many files'."""

    def __missing__(self, path: str) -> Stamp | None:
        found = self[path] = stamp_of(path)
        return found

    def __call__(self, path: str) -> Stamp | None:
        return self[path]


def _copies(records: dict[str, FileRecord]) -> dict[str, str]:
    """Which files have the same content: a name for it by path, for those that have copies.

    Links to one file are copies; others are where a sample of their largest tensors and then
    a part of every tensor is the same. What is found out is added to the records.
    """
    alike: dict[tuple[object, ...], list[str]] = {}
    for path, record in records.items():
        if record.networks and record.sample:
            key = (record.sample, *sorted(network.digest for network in record.networks))
            alike.setdefault(key, []).append(path)
    found: dict[str, str] = {}
    suspects = [paths for paths in alike.values() if len(paths) > 1]
    unasked = [
        Path(path)
        for paths in suspects
        if len({records[path].files[0][1] for path in paths}) > 1
        for path in paths
        if not records[path].content
    ]
    if unasked:
        from mycloset.inspection.folders import each

        for asked, content in each(unasked, content_of):
            records[str(asked)] = records[str(asked)]._replace(content=content)
    for paths in suspects:
        for path in paths:
            stamp = records[path].files[0][1]
            linked = any(o != path and records[o].files[0][1] == stamp for o in paths)
            content = records[path].content or (f"{stamp}" if linked else "")
            if content and any(
                other != path and (records[other].content == content or linked) for other in paths
            ):
                found[path] = content
    return found
