"""Whether what came is what the catalogue says: its size, its checksums, and the network in it."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from mycloset.errors import WrongFileError
from mycloset.hub.entries import Entry
from mycloset.inspection.analysis import inspect
from mycloset.inspection.results import CheckpointAnalysis

_MOST_JSON = 1 << 20


def check(entry: Entry, data: Path, *, stated: str | None = None) -> None:
    """Check a file against its entry, by its bytes and then by what is in it.

    Args:
        entry: what it must be.
        data: the file.
        stated: SHA-256 by which its server names it, where it does.

    Raises:
        WrongFileError: it is something else, holds code that is not known to be harmless, or is
            damaged; the message says what was found.
    """
    _check_bytes(entry, data, stated)
    if entry.family is not None:
        _check_network(entry, data)


def check_neighbour(entry: Entry, data: Path) -> None:
    """Check a JSON file that belongs beside an entry's.

    Raises:
        WrongFileError: it is no JSON, or too large for a configuration.
    """
    try:
        if data.stat().st_size > _MOST_JSON:
            raise ValueError("it is too large")
        json.loads(data.read_bytes())
    except ValueError as error:
        raise WrongFileError(
            f"{entry.name}: {data.name} is no configuration in JSON ({error}).",
            hint="Nothing was kept.",
        ) from error


def sha256(path: Path) -> str:
    """Checksum of a file, in lower-case hexadecimal."""
    return _digest(path, "sha256")


def _digest(path: Path, algorithm: str) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, algorithm).hexdigest()


def _check_bytes(entry: Entry, data: Path, stated: str | None) -> None:
    size = data.stat().st_size
    wanted = entry.sha256 or stated or entry.sha256_start
    found = sha256(data) if wanted else ""
    if (entry.size not in (None, size)) or not found.startswith(wanted or ""):
        what = " with SHA-256 ".join(filter(None, (f"{entry.size or size} bytes", wanted)))
        raise WrongFileError(
            f"{entry.name}: {entry.source} brought {size} bytes with SHA-256 "
            f"{found or sha256(data)}; expected are {what}.",
            hint="Nothing was kept. Try again, or from another place.",
        )
    if entry.md5 is not None and (seen := _digest(data, "md5")) != entry.md5:
        raise WrongFileError(
            f"{entry.name}: {entry.source} brought {size} bytes with MD5 {seen}; expected is "
            f"{entry.md5}.",
            hint="Nothing was kept. Try again, or from another place.",
        )


def _check_network(entry: Entry, data: Path) -> None:
    analysis = inspect(data)
    # Code that nobody knows passes only in the very file that its authors put their number on.
    if analysis.safety == "dangerous" or (analysis.safety == "unknown" and not entry.checksum):
        names = ", ".join(use.name for use in analysis.globals if use.grade != "weights")
        raise _refused(entry, f"it holds code that is not known to be harmless ({names})", analysis)
    damaged = any(finding.kind == "corrupt" for finding in analysis.findings)
    if damaged or analysis.verdict != "recognised":
        raise _refused(entry, "it is not the model that it should be", analysis)
    named = {(network.family, network.variant) for network in analysis.networks}
    known = (entry.family, entry.variant) if entry.variant else entry.family
    if known not in (named if entry.variant else {family for family, _ in named}):
        raise _refused(entry, "it is another model than it should be", analysis)


def _refused(entry: Entry, what: str, analysis: CheckpointAnalysis) -> WrongFileError:
    """The error for a file that came whole but is not what it should be."""
    wanted = " ".join(filter(None, (entry.family, entry.variant)))
    network = analysis.network
    found = network.title if network is not None else analysis.verdict.replace("-", " ")
    if network is not None and network.family:
        found = f"{found} ({network.family} {network.variant})"
    told = [item.message for item in analysis.findings if item.severity == "error"][:2]
    return WrongFileError(
        f"{entry.name}: {entry.source} brought a file of which {what}. Wanted is {wanted}; found "
        f"was {found}. {' '.join(told)}".strip(),
        hint="Nothing was kept.",
    )
