"""What has arrived of a file: its bytes, a note of what they are, and whether more will fit.

It lies in `NAME.part`, with `NAME.part.json` beside it: the address, the length, and the validator
(ETag or Last-Modified) by which a server is asked for the rest of the very same file.
"""

from __future__ import annotations

import contextlib
import errno
import io
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from mycloset.errors import DiskFullError, DownloadError

FULL = {errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)}
"""Numbers of the errors that say that nothing more can be written."""


class Note(NamedTuple):
    """What is known of a part.

    Attributes:
        validator: by which the rest of the same file can be asked for.
        total: bytes of the whole, or None where no server said it.
    """

    validator: str
    total: int | None


class Part:
    """What has arrived of one file.

    Args:
        target: where the file goes when it is whole.
        url: the address that it comes from; a part of another address is not gone on with.
    """

    def __init__(self, target: Path, url: str) -> None:
        self.target = target
        self.url = url
        self.path = target.with_name(f"{target.name}.part")
        self._note = target.with_name(f"{target.name}.part.json")

    @property
    def size(self) -> int:
        """Bytes that lie here."""
        return self.path.stat().st_size if self.path.is_file() else 0

    def note(self) -> Note | None:
        """What is known of the part; None where it cannot be gone on with."""
        try:
            note = json.loads(self._note.read_text("utf-8"))
        except (OSError, ValueError):
            return None
        if not isinstance(note, dict) or note.get("url") != self.url:
            return None
        validator, total = note.get("validator"), note.get("total")
        if not isinstance(validator, str) or not validator:
            return None
        return Note(validator, total if isinstance(total, int) else None)

    def keep_note(self, note: Note) -> None:
        """Write down what the part is, before its bytes come."""
        with self._writing():
            self._note.write_text(json.dumps({"url": self.url, **note._asdict()}), "utf-8")

    @contextlib.contextmanager
    def opened(self, start: int) -> Iterator[io.FileIO]:
        """The part, to be written from a byte on; unbuffered: a full disk is told at once."""
        with self._writing():
            out = io.FileIO(self.path, "r+" if start else "w")
        with out:
            out.truncate(start)
            out.seek(start)
            yield out

    def write(self, out: io.FileIO, chunk: bytes) -> None:
        """Write every byte: a disk takes a part of them before it says that it is full.

        Raises:
            DiskFullError: no more fits; what fitted stays.
        """
        rest = memoryview(chunk)
        with self._writing():
            while rest:
                rest = rest[out.write(rest) :]

    def finish(self) -> Path:
        """Give the whole file its name."""
        self._note.unlink(missing_ok=True)
        return self.path.replace(self.target)

    def discard(self) -> None:
        """Forget what has arrived, so that the next attempt begins anew."""
        for path in (self.path, self._note):
            path.unlink(missing_ok=True)

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        folder = self.target.parent
        try:
            yield
        except OSError as error:
            if error.errno in FULL:
                raise DiskFullError(
                    f"{folder}: the disk is full, or a limit is reached ({error.strerror}).",
                    hint="Make room and run it again: it goes on from what has arrived.",
                ) from error
            raise DownloadError(
                f"{folder} cannot be written ({error.strerror}).",
                hint="Choose a folder that can.",
            ) from error


def check_room(folder: Path, needed: int) -> None:
    """Refuse what would not fit into a folder.

    Raises:
        DiskFullError: fewer bytes than `needed` are free.
    """
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise DiskFullError(
            f"{folder}: {needed:,} bytes more are needed, and {free:,} are free.",
            hint="Make room, or choose another folder.",
        )
