"""Bringing published files into the cache, whole and checked, or saying why not."""

from __future__ import annotations

import contextlib
import os
import shutil
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from mycloset.errors import DownloadError, OptionError, WrongFileError
from mycloset.hub import addresses, arrivals, cache, https, huggingface, parts, wheels
from mycloset.hub.catalogue import load
from mycloset.hub.entries import Entry, HfSource, HttpsSource, ManualSource, PypiSource, Wheel
from mycloset.hub.https import Patience, Progress

_CHUNK = 1 << 20


def ensure(name: str, *, on_progress: Progress | None = None) -> Path:
    """The checked file of a catalogue entry, from the cache or, the first time, from its source.

    Files that come the same way are brought together: one wheel is fetched once.

    Raises:
        OptionError: the catalogue has no such entry.
        DownloadError: it is not in the cache and could not be brought.
    """
    catalogue = load()
    entry = catalogue.entry(name)
    found = cache.find(entry)
    if found is not None:
        return found
    wanted = [entry]
    if isinstance(entry.source, PypiSource):
        wheel = entry.source.wheel
        wanted = [other for other in catalogue.entries.values() if _wheel_of(other) == wheel]
    fetch(wanted, on_progress=on_progress)
    return cache.place(entry)


def pull(
    name: str, *, given: Path | None = None, to: Path | None = None,
    on_progress: Progress | None = None,
) -> list[Path]:  # fmt: skip
    """Bring an entry or a bundle into the cache or a folder, unless it is there already.

    Args:
        name: of an entry or a bundle.
        given: a file that was got by other means: the wheel to take members from, or the entry's
            own file. It stays where it is.
        to: a model folder, with a folder a step below it; None for the cache.
        on_progress: told how far it is.

    Returns:
        The files, in the catalogue's order.

    Raises:
        OptionError: no such name, or `given` is no file or fits nothing.
        DownloadError: something could not be brought, or must be got by hand; what came stays.
    """
    entries = load().expand(name)
    if given is not None:
        _check_given(given, entries)
    fetch(entries, given=given, to=to, on_progress=on_progress)
    return [cache.place(entry, to) for entry in entries]


def fetch(
    entries: Sequence[Entry], *, given: Path | None = None, to: Path | None = None,
    on_progress: Progress | None = None, patience: Patience | None = None,
) -> None:  # fmt: skip
    """Bring the entries that the cache (or folder) does not hold.

    Raises:
        DownloadError: something could not be brought, came with wrong bytes, or must be got by
            hand. What can be brought is brought before that is said.
    """
    report = on_progress or (lambda _done, _total, _text: None)
    if all(cache.find(entry, to) is not None for entry in entries):
        return

    def waiting() -> None:
        report(0, None, "another process is fetching; waiting for it")

    with cache.workshop(waiting, to) as folder:
        # Another process may have brought them while this one waited for the lock.
        missing = [
            entry for entry in entries if (cache.find(entry, to) or cache.adopt(entry, to)) is None
        ]
        by_hand = []
        by_wheel: dict[Wheel, list[Entry]] = {}
        order = _Order(folder, to, report, patience or Patience())
        for entry in missing:
            source = entry.source
            if isinstance(source, PypiSource):
                by_wheel.setdefault(source.wheel, []).append(entry)
            elif given is not None:
                order.take(entry, given)
            elif isinstance(source, HttpsSource):
                order.from_https(entry, source)
            elif isinstance(source, HfSource):
                order.from_hf(entry, source)
            else:
                by_hand.append((entry, source))
        for needed, members in by_wheel.items():
            _from_wheel(needed, members, order, given)
    if by_hand:
        raise _by_hand(by_hand)


@dataclass(frozen=True)
class _Order:
    """Where to work, where it goes, and how.

    Attributes:
        folder: an empty one that vanishes at the end.
        to: the folder that things are for, or None for the cache.
        report: told how far it is.
        patience: how long to wait for servers.
    """

    folder: Path
    to: Path | None
    report: Progress
    patience: Patience

    def take(self, entry: Entry, given: Path) -> None:
        """Put a copy of a file that somebody brought, and of what belongs beside it."""
        self.report(0, entry.size, f"checking {given.name}")
        parts.check_room(self.folder, given.stat().st_size)
        copy = self.folder / Path(entry.file).name
        shutil.copyfile(given, copy)
        beside = {}
        own = entry.source.path if isinstance(entry.source, HfSource) else given.name
        for number, path in enumerate(entry.beside):
            near = given.parent / os.path.relpath(path, Path(own).parent)
            if not near.is_file():
                raise DownloadError(
                    f"{entry.name}: {near} is not there; it belongs beside {given.name}.",
                    hint=f"Get it from {entry.homepage}, too.",
                )
            beside[path] = self.folder / f"{number}-{near.name}"
            shutil.copyfile(near, beside[path])
        cache.put(entry, copy, self.to, beside=beside)

    def from_https(self, entry: Entry, source: HttpsSource) -> None:
        """Fetch a file from an address and put it."""
        target = cache.partial(entry, self.to)
        if not target.is_file():  # else all of it came the last time, but was not checked any more
            with self._naming(entry):
                https.fetch(
                    addresses.mirrored(source.url), target, size=entry.size, report=self.report,
                    patience=self.patience,
                )  # fmt: skip
        try:
            cache.put(entry, target, self.to)
        except WrongFileError:
            target.unlink()
            raise
        finally:
            _prune(target.parent)

    def from_hf(self, entry: Entry, source: HfSource, *, anew: bool = False) -> None:
        """Fetch a file, and those that belong beside it, from a repository, and put them."""
        folder = cache.partial(entry, self.to).parent / ".repository"
        self.report(0, entry.size, f"fetching {Path(entry.file).name}")

        def fetched(path: str) -> huggingface.Fetched:
            return huggingface.fetch(
                replace(source, path=path), folder, report=self.report, patience=self.patience,
                anew=anew,
            )  # fmt: skip

        with self._naming(entry):
            beside = {path: fetched(path) for path in entry.beside}
            found = fetched(source.path)
        files = {path: file.path for path, file in beside.items()}
        try:
            cache.put(entry, found.path, self.to, stated=found.sha256, beside=files)
        except WrongFileError:
            for file in (found.path, *files.values()):
                file.unlink(missing_ok=True)
            if not any(file.cached for file in (found, *beside.values())):
                raise
            # It lay damaged in the library's own cache.
            self.from_hf(entry, source, anew=True)
        finally:
            huggingface.discard(folder)
            _prune(folder.parent)

    @contextlib.contextmanager
    def _naming(self, entry: Entry) -> Iterator[None]:
        """Errors say which entry it was, and what to run."""
        try:
            yield
        except DownloadError as error:
            where = cache.home() if self.to is None else self.to
            hint = error.hint or f"When online, run: mycloset pull {entry.name}"
            raise type(error)(
                f"{entry.name}: {error.message} It is not in {where}.", hint=hint
            ) from error


def _check_given(given: Path, entries: Sequence[Entry]) -> None:
    if not given.is_file():
        raise OptionError(f"--from {given}: there is no such file.", hint="Name the file.")
    if len(entries) > 1 and any(_wheel_of(entry) is None for entry in entries):
        names = ", ".join(entry.name for entry in entries)
        raise OptionError(
            f"--from {given}: one file cannot be all of {names}.", hint="Name one of them."
        )


def _by_hand(entries: Sequence[tuple[Entry, ManualSource]]) -> DownloadError:
    """What a person has to do for the entries that no program can fetch."""
    told = [
        f"{entry.name}: {Path(entry.file).name} must be got by hand from {source.page} "
        f"({source.reason})."
        for entry, source in entries
    ]
    first = entries[0][0]
    return DownloadError(
        " ".join(told),
        hint=f"Then run: mycloset pull {first.name} --from {Path(first.file).name}"
        + (", and so for each." if len(entries) > 1 else ""),
    )


def _prune(folder: Path) -> None:
    """Remove a folder for parts, and those above it, where nothing waits in them."""
    while "partial" in folder.parts:
        try:
            folder.rmdir()
        except OSError:  # something lies in it
            return
        folder = folder.parent


def _wheel_of(entry: Entry) -> Wheel | None:
    return entry.source.wheel if isinstance(entry.source, PypiSource) else None


def _from_wheel(wheel: Wheel, entries: Sequence[Entry], order: _Order, given: Path | None) -> None:
    """Take the entries' members out of their wheel, given or fetched."""
    local = given or _local_wheel(wheel)
    if local is not None:
        _check_wheel(wheel, local)
        _unpack(local, entries, order)
        return
    brought = wheels.bring(wheel, order.folder, order.report)
    if brought.is_file():
        _check_wheel(wheel, brought)
        _unpack(brought, entries, order)
        return
    for entry in entries:
        member = brought / _member(entry)
        if not member.is_file():
            raise DownloadError(f"{entry.name}: {wheel.file} has no member {_member(entry)}.")
        cache.put(entry, member, order.to)


def _local_wheel(wheel: Wheel) -> Path | None:
    """The wheel in the folder that MYCLOSET_WHEELS names, if there."""
    folder = os.environ.get("MYCLOSET_WHEELS")
    if not folder:
        return None
    path = Path(folder).expanduser() / wheel.file
    return path if path.is_file() else None


def _check_wheel(wheel: Wheel, path: Path) -> None:
    found = arrivals.sha256(path)
    if found != wheel.sha256:
        raise DownloadError(
            f"{path.name}: it has SHA-256 {found}, not {wheel.sha256} as {wheel.file} should.",
            hint="Nothing was kept. Get the wheel again.",
        )


def _unpack(path: Path, entries: Sequence[Entry], order: _Order) -> None:
    total = sum(entry.size or 0 for entry in entries)
    done = 0
    try:
        with zipfile.ZipFile(path) as archive:
            for entry in entries:
                order.report(done, total, f"taking out {entry.file}")
                target = order.folder / Path(entry.file).name
                with archive.open(_member(entry)) as source, target.open("wb") as out:
                    shutil.copyfileobj(source, out, _CHUNK)
                cache.put(entry, target, order.to)
                done += entry.size or 0
    except (zipfile.BadZipFile, KeyError) as error:
        raise DownloadError(
            f"{path.name}: the files wanted cannot be taken out ({error}).",
            hint="Get the wheel again.",
        ) from error
    order.report(total, total, "done")


def _member(entry: Entry) -> str:
    source = entry.source
    if not isinstance(source, PypiSource):
        raise TypeError(f"{entry.name} does not come from a wheel")
    return source.member
