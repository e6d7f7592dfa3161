"""Source: bounded reads at places of one regular file."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from types import TracebackType
from typing import Self

from mycloset.errors import ModelFileError


class DamagedError(ModelFileError):
    """The file's bytes are not what its format promises.

    Attributes:
        place: byte offset in the file where it showed, or None.
    """

    def __init__(self, message: str, *, place: int | None = None, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.place = place


class UnreadableError(ModelFileError):
    """The path is no regular file, or the system does not let it be read."""


class Source:
    """An open file from which parts are read; nothing is read that was not asked for.

    Args:
        path: the file; symbolic links are followed.

    Raises:
        UnreadableError: a folder, pipe, device, socket, broken or looping link, or no permission.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        try:
            # O_NONBLOCK: a pipe without a writer must not hang.
            self._handle = os.open(self.path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as error:
            raise UnreadableError(f"{self.path}: {error.strerror or error}.") from error
        state = os.fstat(self._handle)
        if not stat.S_ISREG(state.st_mode):
            os.close(self._handle)
            raise UnreadableError(f"{self.path} is {_kind(state.st_mode)}, not a file.")
        self._state = state
        self.size = state.st_size

    def read(self, offset: int, length: int) -> bytes:
        """Exactly `length` bytes from `offset`.

        Raises:
            DamagedError: the file ends before.
        """
        if offset < 0 or length < 0 or offset + length > self.size:
            raise DamagedError(
                f"{self.path.name}: bytes {offset} to {offset + length} lie outside the file,"
                f" which has {self.size}.",
                place=self.size,
            )
        parts = []
        while length > 0:
            part = os.pread(self._handle, length, offset)
            if not part:
                raise DamagedError(
                    f"{self.path.name} became shorter while it was read.", place=offset
                )
            parts.append(part)
            offset += len(part)
            length -= len(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def head(self, length: int) -> bytes:
        """The first bytes, as many as there are up to `length`."""
        return self.read(0, min(length, self.size))

    def tail(self, length: int) -> bytes:
        """The last bytes, as many as there are up to `length`."""
        length = min(length, self.size)
        return self.read(self.size - length, length)

    def fileno(self) -> int:
        """The descriptor, for mapping the file."""
        return self._handle

    @property
    def changed(self) -> bool:
        """Whether somebody wrote to the file, or put another in its place, since it was opened."""
        before = self._state
        now = os.fstat(self._handle)
        if (now.st_size, now.st_mtime_ns) != (before.st_size, before.st_mtime_ns):
            return True
        try:
            there = self.path.stat()
        except OSError:
            return True
        return (there.st_dev, there.st_ino) != (before.st_dev, before.st_ino)

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._handle)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _kind(mode: int) -> str:
    for test, name in (
        (stat.S_ISDIR, "a folder"),
        (stat.S_ISFIFO, "a pipe"),
        (stat.S_ISSOCK, "a socket"),
        (stat.S_ISCHR, "a device"),
        (stat.S_ISBLK, "a device"),
    ):
        if test(mode):
            return name
    return "something else"
