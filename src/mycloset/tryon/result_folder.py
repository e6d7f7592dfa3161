"""Finished try-ons on disk: a bounded folder that several processes may share."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from pathlib import Path

from mycloset.errors import OutputError
from mycloset.images import make_folder, write_bytes
from mycloset.tryon.result import TryOnResult
from mycloset.tryon.result_files import DamagedError, from_bytes, to_bytes
from mycloset.tryon.state import TryOnState

SUFFIX = ".tryon"
_UNFINISHED = ".mycloset-*.part"
_ABANDONED = 3600.0
"""Seconds after which what a process began to write, and never finished, is thought to be left."""


class ResultFolder:
    """Results by key, one file each, for their owner alone; the least recently used leaves first.

    A file appears whole or not at all. Files of other names are neither counted nor touched.
    What several processes write at the same moment may exceed the bound until the next write.

    Args:
        folder: made if it is missing, for its owner alone: what it holds shows people.
        most: bytes that the files may take together.

    Raises:
        OutputError: nothing can be written there.
    """

    def __init__(self, folder: str | os.PathLike[str], most: int) -> None:
        self.folder = Path(folder)
        self.most = most
        there = self.folder.is_dir()
        make_folder(self.folder)
        if not there:
            self.folder.chmod(0o700)

    @property
    def used(self) -> int:
        """Bytes of the files."""
        return sum(size for _, size, _ in self._files())

    def place(self, key: str) -> Path:
        """Where the result of a key lies, whether it is there or not."""
        return self.folder / f"{key}{SUFFIX}"

    def load(self, key: str, given: TryOnState) -> tuple[TryOnResult | None, str]:
        """The result of a key, or None; and what is to be said of it: a damaged file is removed.

        Args:
            key: what it was stored under.
            given: the pictures and figures that the key is of.
        """
        path = self.place(key)
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            return None, ""
        except OSError as error:
            return None, f"The stored result {path} cannot be read ({error.strerror})."
        try:
            found = from_bytes(data, key, given)
        except DamagedError as error:
            with contextlib.suppress(OSError):
                path.unlink()
            return None, f"The stored result {path} was damaged ({error}); it was removed."
        with contextlib.suppress(OSError):
            # When it was last used says who leaves first; without that, the oldest does.
            os.utime(path)
        return found, ""

    def save(self, key: str, result: TryOnResult) -> str:
        """Store a result; what is to be said of it where it could not be.

        It makes room first. What is larger than the folder may be is not stored.
        """
        data = to_bytes(result, key)
        if len(data) > self.most:
            return f"The result takes {len(data):,} bytes, more than may be stored."
        try:
            self._make_room(len(data))
            write_bytes(self.place(key), data)
            with contextlib.suppress(FileNotFoundError):  # another already needed the room
                self.place(key).chmod(0o600)
        except OutputError as error:
            return f"The result was not stored: {error}"
        except OSError as error:
            return f"The result was not stored in {self.folder} ({error.strerror})."
        return ""

    def clear(self) -> None:
        """Remove all results."""
        for path, _, _ in self._files():
            path.unlink(missing_ok=True)

    def _make_room(self, size: int) -> None:
        for path in self.folder.glob(_UNFINISHED):
            with contextlib.suppress(FileNotFoundError):
                if time.time() - path.stat().st_mtime > _ABANDONED:
                    path.unlink()
        files = sorted(self._files(), key=lambda file: file[2])
        used = sum(taken for _, taken, _ in files)
        for path, taken, _ in files:
            if used + size <= self.most:
                return
            path.unlink(missing_ok=True)
            used -= taken

    def _files(self) -> Iterator[tuple[Path, int, float]]:
        """Path, bytes and time of last use of every result."""
        for path in self.folder.glob(f"*{SUFFIX}"):
            with contextlib.suppress(FileNotFoundError):
                status = path.stat()
                yield path, status.st_size, status.st_mtime
