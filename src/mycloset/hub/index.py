"""Index: what files were found to be, kept on disk, so that only changed ones are read again.

A record is trusted as long as the stamps of all files that its analysis read are what they were,
and MyCloset's own recognition is. A file that had changed less than two seconds before it was read
is read again: it may have changed once more within the clock's grain.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing, suppress
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from mycloset.hub.shelved import ShelvedModel, ShelvedNetwork, Stamp

Result = TypeVar("Result")

RACY = 2 * 10**9
"""Nanoseconds within which a change may leave the time of the last change as it was."""
_PATIENCE = 5.0
_TABLE = """
create table if not exists files (
    path text, root text, recognition text, read integer, stamps text, networks text,
    primary key (path, root)
) without rowid
"""
_COLUMNS = ["path", "root", "recognition", "read", "stamps", "networks"]


class Record(NamedTuple):
    """What a file was found to be.

    Attributes:
        read: nanoseconds of the clock when it was read.
        stamps: of its files.
        models: its networks; empty where it holds none.
    """

    read: int
    stamps: tuple[Stamp, ...]
    models: tuple[ShelvedModel, ...]

    @property
    def sure(self) -> bool:
        """Whether its files had been left alone long enough when they were read."""
        return all(self.read - stamp.changed > RACY for stamp in self.stamps)


class Index:
    """Records on disk; processes may share it. One that is damaged is made anew.

    Where it cannot be read or written, nothing is kept, and `notes` tells.

    Args:
        path: its file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.notes: tuple[str, ...] = ()

    def records(self, root: Path) -> dict[Path, Record]:
        """What is known of the files below a folder."""

        def read(database: sqlite3.Connection) -> list[tuple[Any, ...]]:
            query = "select path, read, stamps, networks from files where root=? and recognition=?"
            return database.execute(query, (str(root), recognition())).fetchall()

        found = {}
        for path, moment, stamps, networks in self._do(read) or ():
            # A record that is no record is as good as none.
            with suppress(ValueError, TypeError, KeyError):
                found[Path(path)] = _record(Path(path), root, moment, stamps, networks)
        return found

    def keep(self, root: Path, records: Mapping[Path, Record], gone: Iterable[Path]) -> None:
        """Write what was found of files below a folder, and forget those that are gone."""
        rows = [
            (
                str(path),
                str(root),
                recognition(),
                record.read,
                json.dumps(record.stamps),
                json.dumps([_values(model) for model in record.models]),
            )
            for path, record in records.items()
        ]
        old = [(str(path), str(root)) for path in gone]
        if not rows and not old:
            return

        def write(database: sqlite3.Connection) -> None:
            with database:
                marks = ", ".join("?" * len(_COLUMNS))
                database.executemany(f"insert or replace into files values ({marks})", rows)
                database.executemany("delete from files where path=? and root=?", old)

        self._do(write)

    def _do(self, work: Callable[[sqlite3.Connection], Result]) -> Result | None:
        """Work on the database; once more on a new one where it is damaged."""
        for last in (False, True):
            try:
                return self._try(work)
            except sqlite3.OperationalError as error:
                # Locked for long, or in a place that cannot be written.
                self.notes = (f"the index {self.path} cannot be used ({error}).",)
                return None
            except sqlite3.DatabaseError as error:
                self.notes = (f"the index {self.path} was damaged ({error}) and made anew.",)
                if last or not self._away():
                    return None
        return None

    def _try(self, work: Callable[[sqlite3.Connection], Result]) -> Result:
        with suppress(OSError):  # then opening the database says so
            self.path.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(self.path, timeout=_PATIENCE)) as database:
            database.execute("pragma synchronous = normal")
            try:
                database.execute(_TABLE)
                if [row[1] for row in database.execute("pragma table_info(files)")] != _COLUMNS:
                    raise sqlite3.DatabaseError("it has other columns")
                return work(database)
            except sqlite3.OperationalError as error:
                if error.sqlite_errorname in ("SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_READONLY"):
                    raise
                if error.sqlite_errorname == "SQLITE_ERROR":
                    # A table whose description is damaged.
                    raise sqlite3.DatabaseError(str(error)) from error
                raise

    def _away(self) -> bool:
        """Take the damaged file away; whether that was possible."""
        try:
            for end in ("", "-journal", "-wal", "-shm"):
                Path(f"{self.path}{end}").unlink(missing_ok=True)
        except OSError:
            return False
        return True


@cache
def recognition() -> str:
    """Changes when the part of MyCloset does that says what files are."""
    package = Path(str(resources.files("mycloset")))
    found = hashlib.blake2b(digest_size=12)
    for part in ("architectures", "checkpoints", "inspection", "hub"):
        for file in sorted((package / part).rglob("*")):
            if file.suffix in (".py", ".json"):
                status = file.stat()
                found.update(f"{file.name} {status.st_size} {status.st_mtime_ns};".encode())
    return found.hexdigest()


def now() -> int:
    """Nanoseconds of the clock that files are stamped by."""
    return time.time_ns()


def _record(path: Path, root: Path, moment: int, stamps: str, networks: str) -> Record:
    marks = tuple(Stamp(str(name), *map(int, rest)) for name, *rest in json.loads(stamps))
    models = tuple(
        ShelvedModel(
            path, root, ShelvedNetwork.from_json(what), bool(runs), str(reason), bool(harm), marks
        )
        for what, runs, reason, harm in _listed(json.loads(networks))
    )
    return Record(int(moment), marks, models)


def _values(model: ShelvedModel) -> list[Any]:
    return [model.network.to_json(), model.runnable, model.reason, model.damaged]


def _listed(value: Any) -> Sequence[Any]:
    if not isinstance(value, list):
        raise TypeError("no list")
    return value
