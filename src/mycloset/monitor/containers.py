"""The limits that control groups, and so containers, put on this process."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_UNLIMITED = 1 << 60
"""Version 1 writes a number near 2**63 where there is no limit."""


@dataclass(frozen=True)
class Container:
    """What control groups allow; None is without limit.

    Attributes:
        memory: bytes.
        cores: CPU time per time; 1.5 is one core and a half.
    """

    memory: int | None
    cores: float | None


def container(proc: Path = Path("/proc"), groups: Path = Path("/sys/fs/cgroup")) -> Container:
    """The closest limits of the process's own control groups and of those around them.

    Files read: memory.max and cpu.max of version 2, memory.limit_in_bytes and cpu.cfs_quota_us of
    version 1 (Documentation/admin-guide/cgroup-v2.rst and cgroup-v1 of Linux).
    """
    memory: list[int] = []
    cores: list[float] = []
    for folder in _folders(proc / "self" / "cgroup", groups):
        for name in ("memory.max", "memory.limit_in_bytes"):
            words = _words(folder / name)
            if words and words[0].isdecimal() and int(words[0]) < _UNLIMITED:
                memory.append(int(words[0]))
        words = _words(folder / "cpu.max") or (
            _words(folder / "cpu.cfs_quota_us") + _words(folder / "cpu.cfs_period_us")
        )
        if len(words) == 2 and all(word.isdecimal() for word in words) and int(words[1]) > 0:
            cores.append(int(words[0]) / int(words[1]))
    return Container(min(memory, default=None), min(cores, default=None))


def _folders(own: Path, groups: Path) -> Iterator[Path]:
    """The folders of the process's groups, and of every group around them."""
    yield groups
    try:
        lines = own.read_text("utf-8").splitlines()
    except OSError:  # no Linux, or nothing that may be read
        lines = []
    for line in lines:
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        # Version 2 names no controller; in version 1 each has a tree of its own.
        for tree in [groups] if not controllers else [groups / controllers]:
            parts = [part for part in path.split("/") if part not in ("", "..")]
            for depth in range(len(parts) + 1):
                yield tree.joinpath(*parts[:depth])
    for controller in ("memory", "cpu"):  # in a container the own path may not be visible
        yield groups / controller


def _words(path: Path) -> list[str]:
    try:
        return path.read_text("ascii").split()
    except (OSError, UnicodeDecodeError):  # this group does not limit that
        return []
