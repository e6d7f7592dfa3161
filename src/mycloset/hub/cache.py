"""Where fetched files live on this machine, and whether they are still what they were.

Files lie in `HOME/models/<source>/<file>`. A file gets its final name only when it is whole and its
checksum is right; one process at a time puts files there.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from mycloset.errors import DownloadError
from mycloset.hub.catalogue import Entry
from mycloset.hub.home import home as home  # Also known from here.

_verified: dict[Path, tuple[int, int, str]] = {}
_verified_lock = threading.Lock()
_FETCH_PREFIX = ".fetch-"


def place(entry: Entry) -> Path:
    """Where an entry's file belongs, whether it is there or not."""
    return home() / "models" / entry.source.folder / entry.file


def find(entry: Entry) -> Path | None:
    """The entry's file in the cache; None where it is missing or not what it should be.

    Size and checksum are checked at the first use in a process, and again when the file changed.
    """
    path = place(entry)
    try:
        status = path.stat()
    except OSError:  # missing, or in a folder that cannot be read: not to be had from here
        return None
    key = (status.st_size, status.st_mtime_ns, entry.sha256)
    with _verified_lock:
        if _verified.get(path) == key:
            return path
    if status.st_size != entry.size or sha256(path) != entry.sha256:
        return None
    with _verified_lock:
        _verified[path] = key
    return path


def sha256(path: Path) -> str:
    """Checksum of a file, in lower-case hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def put(entry: Entry, data: Path) -> Path:
    """Move a file into the cache under its final name.

    Args:
        entry: what it must be.
        data: the file, in a folder given by `workshop`; gone afterwards.

    Raises:
        DownloadError: the bytes are not the entry's, or the cache cannot be written.
    """
    size = data.stat().st_size
    found = sha256(data)
    if size != entry.size or found != entry.sha256:
        raise DownloadError(
            f"{entry.name}: {entry.source} brought {size} bytes with SHA-256 {found}; expected "
            f"are {entry.size} bytes with {entry.sha256}.",
            hint="Nothing was kept. Try again, or from another place.",
        )
    path = place(entry)
    with _writing():
        path.parent.mkdir(parents=True, exist_ok=True)
        data.replace(path)
    return path


@contextlib.contextmanager
def workshop(on_wait: Callable[[], None] | None = None) -> Iterator[Path]:
    """An empty folder in the cache's own file system, for one process at a time.

    The folder goes when the block ends, however it ends. Leftovers of processes that were killed
    go too: whoever holds the lock knows that nobody uses them.

    Args:
        on_wait: called once if another process is at work.

    Raises:
        DownloadError: the cache cannot be written.
    """
    with _writing():
        home().mkdir(parents=True, exist_ok=True)
        lock = (home() / ".lock").open("a+b")
    with lock, _locked(lock.fileno(), on_wait):
        for stale in home().glob(f"{_FETCH_PREFIX}*"):
            shutil.rmtree(stale, ignore_errors=True)
        with _writing():
            folder = Path(tempfile.mkdtemp(prefix=_FETCH_PREFIX, dir=home()))
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def _writing() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise DownloadError(
            f"The cache folder {home()} cannot be written ({error.strerror}).",
            hint="Set MYCLOSET_HOME to a folder that can.",
        ) from error


@contextlib.contextmanager
def _locked(handle: int, on_wait: Callable[[], None] | None) -> Iterator[None]:
    """Hold the lock on an open file; it goes with the process, even one that is killed."""
    if not _try_lock(handle):
        if on_wait is not None:
            on_wait()
        while not _try_lock(handle):
            time.sleep(0.1)
    try:
        yield
    finally:
        _unlock(handle)


if sys.platform == "win32":
    import msvcrt

    def _try_lock(handle: int) -> bool:
        try:
            os.lseek(handle, 0, os.SEEK_SET)
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

    def _unlock(handle: int) -> None:
        os.lseek(handle, 0, os.SEEK_SET)
        msvcrt.locking(handle, msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    def _try_lock(handle: int) -> bool:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _unlock(handle: int) -> None:
        fcntl.flock(handle, fcntl.LOCK_UN)
