"""Where fetched files live on this machine, and whether they are still what they were.

Files lie in `HOME/models/<source>/<file>`, or in a person's own folder as
`FOLDER/step_01_human_parsing/<file>`. A file gets its final name only when it is whole and is what
it should be; one process at a time puts files there.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from mycloset.errors import DiskFullError, DownloadError, WrongFileError
from mycloset.hub import arrivals
from mycloset.hub.entries import Entry
from mycloset.hub.file_locks import try_lock, unlock
from mycloset.hub.home import home as home  # Also known from here.
from mycloset.hub.parts import FULL

_verified: dict[Path, tuple[int, int, str]] = {}
_verified_lock = threading.Lock()
_FETCH_PREFIX = ".fetch-"
_LARGE = 64 << 20
"""Bytes above which a file is not hashed again while its size and time are as they were."""


def place(entry: Entry, to: Path | None = None) -> Path:
    """Where an entry's file belongs, whether it is there or not.

    Args:
        entry: which.
        to: a person's own model folder, with a folder a step; None for the cache.
    """
    return _base(entry, to) / entry.file


def find(entry: Entry, to: Path | None = None) -> Path | None:
    """The entry's file in the cache (or folder); None where it is missing or not what it should be.

    Size and checksum are checked at the first use in a process, and again when the file changed.
    Of a large file that was checked before, only size and time are: hashing it takes seconds.
    """
    path = place(entry, to)
    try:
        status = path.stat()
    except OSError:  # missing, or in a folder that cannot be read: not to be had from here
        return None
    if not all(_neighbour(entry, name, to).is_file() for name in entry.beside):
        return None
    key = (status.st_size, status.st_mtime_ns, _expected(entry))
    with _verified_lock:
        if _verified.get(path) == key:
            return path
    if entry.size not in (None, status.st_size):
        return None
    if status.st_size <= _LARGE and entry.sha256 is not None:
        right = arrivals.sha256(path) == entry.sha256
    else:
        right = _noted(to).get(_note_name(path, to)) == list(key)
    if not right:
        return None
    with _verified_lock:
        _verified[path] = key
    return path


def put(
    entry: Entry, data: Path, to: Path | None = None, *, stated: str | None = None,
    beside: Mapping[str, Path] | None = None,
) -> Path:  # fmt: skip
    """Move a file into the cache (or folder) under its final name, if it is what it should be.

    Args:
        entry: what it must be.
        data: the file, in a folder given by `workshop`; gone afterwards.
        to: as for `place`.
        stated: SHA-256 by which the server named it, where it did.
        beside: the files of `entry.beside`, by their paths there.

    Raises:
        WrongFileError: the file is not the entry's.
        DownloadError: the cache cannot be written.
    """
    neighbours = dict(beside or {})
    for file in neighbours.values():
        arrivals.check_neighbour(entry, file)
    arrivals.check(entry, data, stated=stated)
    path = place(entry, to)
    with _writing(to):
        for name, file in neighbours.items():
            target = _neighbour(entry, name, to)
            target.parent.mkdir(parents=True, exist_ok=True)
            file.replace(target)
        path.parent.mkdir(parents=True, exist_ok=True)
        data.replace(path)
    _remember(entry, path, to)
    return path


def adopt(entry: Entry, to: Path | None = None) -> Path | None:
    """A file that lies in its place without having been put there, if it is what it should be.

    Called within a `workshop`: what was checked may have been forgotten, or a person copied it.
    """
    path = place(entry, to)
    if not path.is_file() or not all(_neighbour(entry, n, to).is_file() for n in entry.beside):
        return None
    try:
        arrivals.check(entry, path)
    except WrongFileError:  # it is fetched, then
        return None
    _remember(entry, path, to)
    return path


def partial(entry: Entry, to: Path | None = None) -> Path:
    """Where an entry's file lies while it comes; it stays there when that is interrupted."""
    return _works(to) / "partial" / entry.source.folder / entry.file


@contextlib.contextmanager
def workshop(on_wait: Callable[[], None] | None = None, to: Path | None = None) -> Iterator[Path]:
    """An empty folder in the cache's own file system, for one process at a time.

    The folder goes when the block ends, however it ends. Leftovers of processes that were killed
    go too: whoever holds the lock knows that nobody uses them.

    Args:
        on_wait: called once if another process is at work.
        to: as for `place`.

    Raises:
        DownloadError: the cache cannot be written.
    """
    works = _works(to)
    with _writing(to):
        works.mkdir(parents=True, exist_ok=True)
        lock = (works / ".lock").open("a+b")
    with lock, _locked(lock.fileno(), on_wait):
        for stale in works.glob(f"{_FETCH_PREFIX}*"):
            shutil.rmtree(stale, ignore_errors=True)
        with _writing(to):
            folder = Path(tempfile.mkdtemp(prefix=_FETCH_PREFIX, dir=works))
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _remember(entry: Entry, path: Path, to: Path | None) -> None:
    """Write down that a file was checked."""
    with _writing(to):
        status = path.stat()
        key = (status.st_size, status.st_mtime_ns, _expected(entry))
        notes = _noted(to) | {_note_name(path, to): list(key)}
        fresh = _notes(to).with_suffix(".new")
        fresh.write_text(json.dumps(notes, indent=0), "utf-8")
        fresh.replace(_notes(to))
    with _verified_lock:
        _verified[path] = key


def _base(entry: Entry, to: Path | None) -> Path:
    """The folder that an entry's paths are relative to."""
    return home() / "models" / entry.source.folder if to is None else to / entry.step_folder


def _neighbour(entry: Entry, path: str, to: Path | None) -> Path:
    return _base(entry, to) / entry.neighbour(path)


def _works(to: Path | None) -> Path:
    """The folder for locks, parts and notes, in the file system of the files themselves."""
    return home() if to is None else to / ".mycloset"


def _notes(to: Path | None) -> Path:
    return _works(to) / "checked.json"


def _noted(to: Path | None) -> dict[str, Any]:
    """What was checked before: size, time and what was expected, by the file's place."""
    try:
        notes = json.loads(_notes(to).read_text("utf-8"))
    except (OSError, ValueError):  # none yet, or damaged: then everything is checked again
        return {}
    return notes if isinstance(notes, dict) else {}


def _note_name(path: Path, to: Path | None) -> str:
    return path.relative_to(to or home()).as_posix()


def _expected(entry: Entry) -> str:
    """All that is expected of a file, so that a changed entry is checked anew."""
    return " ".join(
        str(item)
        for item in (
            entry.size, entry.sha256, entry.sha256_start, entry.md5, entry.family, entry.variant,
        )
    )  # fmt: skip


@contextlib.contextmanager
def _writing(to: Path | None) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        what, hint = (
            (f"The cache folder {home()}", "Set MYCLOSET_HOME to a folder that can.")
            if to is None
            else (f"The folder {to}", "Name a folder that can.")
        )
        kind = DiskFullError if error.errno in FULL else DownloadError
        raise kind(f"{what} cannot be written ({error.strerror}).", hint=hint) from error


@contextlib.contextmanager
def _locked(handle: int, on_wait: Callable[[], None] | None) -> Iterator[None]:
    """Hold the lock on an open file; it goes with the process, even one that is killed."""
    if not try_lock(handle):
        if on_wait is not None:
            on_wait()
        while not try_lock(handle):
            time.sleep(0.1)
    try:
        yield
    finally:
        unlock(handle)
