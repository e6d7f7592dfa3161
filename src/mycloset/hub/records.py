"""Records: what is kept of a model file once its headers were read, small enough for an index."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from mycloset.inspection.results import CheckpointAnalysis, Network

Stamp = tuple[int, int, int]
"""Size in bytes, time of the last change in nanoseconds, and number (inode) of a file."""

FileStamp = tuple[str, Stamp | None]
"""A file's name, relative to the folder of its model, and its stamp; None: it is not there."""

RACY = 2_000_000_000
"""Nanoseconds before a look within which a change may leave no trace: clocks of file systems are
that coarse (FAT: 2 s), so that a second change can have the first one's time."""


class ShelvedNetwork(NamedTuple):
    """A network of a file; each field means what it does in `inspection.Network`.

    Attributes:
        runnable: whether it can be loaded and run.
        reason: why not, where it cannot.
        damaged: whether it could, if its file were whole.
    """

    family: str | None
    variant: str | None
    title: str
    verdict: str
    layout: str | None
    task: str | None
    steps: tuple[str, ...]
    confidence: float
    parameters: int
    bytes: int
    tensors: int
    precision: str
    dtypes: Mapping[str, int]
    wrapper: str
    prefix: str
    role: str
    licence: str
    digest: str
    runnable: bool
    reason: str
    damaged: bool


class FileRecord(NamedTuple):
    """What one model file is.

    Attributes:
        format: what the bytes are.
        size: bytes on disk, of all its files.
        title: what it is, in one line; for a file without a network why there is none.
        safety: "safe", "unknown", "dangerous" or "no-code".
        notes: what a person should know: a name that tells another thing than the content, damage.
        generic: whether the file's name says nothing, so that its folder's name stands for it.
        files: every file that was read for this, relative to the file's folder, with its stamp;
            None for one that was looked for and is not there. The file itself comes first.
        sample: hash of a few blocks of its largest tensors; equal for copies.
        networks: the networks in it, the one that it stands for first.
        looked: when it was read, in nanoseconds of the system's clock.
        content: hash of a part of every tensor, by which a file that seems to be a copy is told
            from one that was trained on; "" where nothing asked for it.
    """

    format: str
    size: int
    title: str
    safety: str
    notes: tuple[str, ...]
    generic: bool
    files: tuple[FileStamp, ...]
    sample: str
    networks: tuple[ShelvedNetwork, ...]
    looked: int
    content: str = ""

    @property
    def racy(self) -> bool:
        """Whether a file of it changed so shortly before it was read (or after, by its own clock)
        that another change could look the same."""
        latest = max((stamp[1] for _, stamp in self.files if stamp is not None), default=0)
        return latest >= self.looked - RACY

    @property
    def lasting(self) -> bool:
        """Whether it may be kept: what cannot be read may be allowed to without a change."""
        return self.format != "unreadable" and bool(self.files)


Status = Callable[[str], Stamp | None]
"""A path to what lies there."""


def stamp_of(path: str | os.PathLike[str]) -> Stamp | None:
    """The stamp of a file, links followed; None where there is none or the system does not say."""
    try:
        found = os.stat(path)  # noqa: PTH116  # Thousands of calls: no path objects are made.
    except (OSError, ValueError):
        return None
    return found.st_size, found.st_mtime_ns, found.st_ino


def is_current(path: str, record: FileRecord, status: Status = stamp_of) -> bool:
    """Whether no file that a record was made from changed since."""
    folder = os.path.dirname(path)  # noqa: PTH120  # As above.
    return all(status(f"{folder}/{name}") == stamp for name, stamp in record.files)


def describe(path: Path) -> tuple[Path, FileRecord | None]:
    """Read a model file's headers; no record where it vanished meanwhile."""
    import time

    from mycloset.errors import InputError
    from mycloset.inspection.analysis import CheckpointAnalyzer

    # Before anything is read: a change while reading must show afterwards.
    looked = time.time_ns()
    before = stamp_of(path)
    beside = {name: stamp_of(path.parent / name) for name in _CONFIGS}
    try:
        analysis = CheckpointAnalyzer(sample=True).analyze_checkpoint(path)
    except InputError:
        return path, None
    stamps: dict[str, Stamp | None] = {path.name: before, **beside}
    for name in analysis.files[1:]:
        if name not in stamps:
            stamps[name] = _before(path.parent / name, looked)
    return path, record_of(analysis, stamps, looked)


def content_of(path: Path) -> tuple[Path, str]:
    """A hash of some bytes of every tensor of a file; "" where they cannot be had.

    A network that was trained further with most of it held fixed differs from its origin in few
    tensors only: a sample of the largest is not enough to call two files copies.
    """
    import hashlib

    from mycloset.checkpoints.reading import read_checkpoint
    from mycloset.checkpoints.source import Source
    from mycloset.errors import MyClosetError

    found = hashlib.sha256()
    try:
        checkpoint = read_checkpoint(path)
        by_file: dict[str, list[tuple[str, int, int]]] = {}
        for group in checkpoint.groups:
            for entry in group.table.values():
                if entry.byte_range is None:
                    return path, ""
                file = entry.storage.file or checkpoint.path.name
                by_file.setdefault(file, []).append((entry.key, *entry.byte_range))
        parts: list[tuple[str, bytes]] = []
        for file, ranges in by_file.items():
            with Source(checkpoint.path.parent / file) as source:
                for key, begin, end in ranges:
                    middle = max(begin, (begin + end - _PART) // 2)
                    parts.append((key, source.read(middle, min(_PART, end - middle))))
    except (MyClosetError, OSError):
        return path, ""
    for _, part in sorted(parts):
        found.update(part)
    return path, found.hexdigest()[:32]


def record_of(
    analysis: CheckpointAnalysis,
    stamps: Mapping[str, Stamp | None],
    looked: int,
) -> FileRecord:
    """What is kept of an analysis."""
    from mycloset.inspection.names import is_generic
    from mycloset.inspection.report.wording import headline

    network = analysis.network
    unreadable = any(finding.kind == "unreadable" for finding in analysis.findings)
    told = [f.message for f in analysis.findings if f.kind in _TOLD]
    damage = [f.message for f in analysis.findings if f.kind in _DAMAGE and f.severity == "error"]
    return FileRecord(
        "unreadable" if unreadable else analysis.format,
        analysis.size,
        network.title if network is not None else headline(analysis),
        analysis.safety,
        tuple(told[:_NOTES]),
        is_generic(analysis.path),
        tuple(stamps.items()),
        analysis.sample,
        tuple(_shelved(each, damage) for each in analysis.networks),
        looked,
    )


_CONFIGS = ("config.json", "adapter_config.json")
"""Files beside weights that are read with them."""
_TOLD = frozenset({"mismatch", "corrupt", "unreadable", "dangerous", "suspicious", "not-a-model"})
_DAMAGE = frozenset({"corrupt", "unreadable"})
_NOTES = 4
_PART = 64
"""Bytes in the middle of each tensor that tell copies from networks trained further."""


def _shelved(network: Network, damage: list[str]) -> ShelvedNetwork:
    from mycloset.architectures.plans import has_network

    reason = ""
    runs = network.family is not None and has_network(network.family)
    if network.family is None:
        reason = f"it holds an {network.title}."
    elif not runs:
        reason = f"{network.title} is recognised, but cannot be run yet."
    elif damage:
        reason = damage[0]
    elif network.verdict != "recognised":
        reason = f"{network.title} is {network.verdict}."
    elif network.layout == "renamed":
        reason = f"its keys are none that {network.title} is known by."
    kept: dict[str, Any] = {
        name: getattr(network, name)
        for name in ShelvedNetwork._fields
        if name not in ("runnable", "reason", "damaged", "dtypes")
    }
    return ShelvedNetwork(
        **kept,
        dtypes=dict(network.dtypes),
        runnable=not reason,
        reason=reason,
        damaged=bool(reason) and runs,
    )


def _before(path: Path, looked: int) -> Stamp | None:
    """The stamp of a file that was read a moment ago; one that changed since then fits nothing."""
    stamp = stamp_of(path)
    return (-1, looked, 0) if stamp is not None and stamp[1] >= looked else stamp
