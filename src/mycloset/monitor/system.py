"""What the machine, its container, this process and the cache's disk look like right now."""

from __future__ import annotations

import os
import shutil
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mycloset.errors import OptionError
from mycloset.monitor.containers import Container, container
from mycloset.monitor.gpus import GpuStatus
from mycloset.monitor.plain import plain


@dataclass(frozen=True)
class DiskStatus:
    """The file system that holds a folder; bytes.

    Attributes:
        folder: which was asked for; it need not exist yet.
        free: what this user may still write.
    """

    folder: Path
    total: int
    used: int
    free: int


@dataclass(frozen=True)
class ProcessStatus:
    """This process.

    Attributes:
        pid: its number.
        rss, peak_rss: resident bytes, now and at most so far.
        cpu_seconds: user and system time of all its threads.
        threads: how many there are.
        open_files: open descriptors (on Windows handles); None where the system does not say.
        uptime: seconds since it started.
    """

    pid: int
    rss: int
    peak_rss: int
    cpu_seconds: float
    threads: int
    open_files: int | None
    uptime: float


@dataclass(frozen=True)
class SystemStatus:
    """The machine and this process at one moment.

    Attributes:
        at: seconds since 1970, UTC.
        cpu_percent: of all cores of the machine since the call before, 0 to 100; None at the
            first call, as there is nothing to compare with.
        cores, physical_cores: logical and physical cores of the machine; None where the system
            does not say.
        usable_cores: how many of them this process may keep busy: its affinity, and the quota of
            its container, which may be a fraction.
        load: mean length of the run queue over 1, 5 and 15 minutes; None where unknown.
        memory_total, memory_available: bytes of the machine; available without swapping.
        container: the limits of its control groups; None in each where there is none.
        memory_limit: bytes that this process can have at most: the machine's, or less.
        memory_share: the process's resident bytes as a share of that, 0 to 1.
        process: this process.
        gpus: each GPU that NVML or torch reports.
        disk: where fetched models lie.
    """

    at: float
    cpu_percent: float | None
    cores: int | None
    physical_cores: int | None
    usable_cores: float
    load: tuple[float, float, float] | None
    memory_total: int
    memory_available: int
    container: Container
    memory_limit: int
    memory_share: float
    process: ProcessStatus
    gpus: tuple[GpuStatus, ...]
    disk: DiskStatus

    def to_dict(self) -> dict[str, Any]:
        """The same for JSON."""
        made: dict[str, Any] = plain(self)
        return made


class SystemReader:
    """Reads the system's status; keeps the counters of the CPU between two readings."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._before: tuple[float, float] | None = None

    def read(
        self, gpus: Sequence[GpuStatus], peak_rss: int, folder: str | os.PathLike[str] | None
    ) -> SystemStatus:
        """The status now.

        Args:
            gpus: what the GPUs report.
            peak_rss: the most resident bytes of the process so far.
            folder: on the disk in question; by default where models are fetched to.

        Raises:
            OptionError: no parent of the folder exists, or may be looked at.
        """
        import psutil

        memory = psutil.virtual_memory()
        process = psutil.Process()
        with process.oneshot():
            rss = int(process.memory_info().rss)
            times = process.cpu_times()
            status = ProcessStatus(
                process.pid,
                rss,
                max(rss, peak_rss),
                times.user + times.system,
                process.num_threads(),
                _open_files(process),
                max(0.0, time.time() - process.create_time()),
            )
        limits = container()
        limit = _smaller(int(memory.total), limits.memory)
        return SystemStatus(
            time.time(),
            self._cpu_percent(),
            psutil.cpu_count(),
            psutil.cpu_count(logical=False),
            _usable_cores(limits.cores),
            psutil.getloadavg() if hasattr(os, "getloadavg") else None,
            int(memory.total),
            int(memory.available),
            limits,
            limit,
            rss / limit,
            status,
            tuple(gpus),
            _disk(_cache() if folder is None else Path(folder)),
        )

    def _cpu_percent(self) -> float | None:
        """psutil keeps one such state for the whole process; this is the monitor's own."""
        import psutil

        times = psutil.cpu_times()
        idle = times.idle + getattr(times, "iowait", 0.0)
        # The time of guests is in that of users already.
        total = sum(times) - getattr(times, "guest", 0.0) - getattr(times, "guest_nice", 0.0)
        with self._lock:
            before, self._before = self._before, (total, idle)
        if before is None or total <= before[0]:
            return None
        busy = 1 - (idle - before[1]) / (total - before[0])
        return 100 * min(1.0, max(0.0, busy))

    def forked(self) -> None:
        """This is another process now."""
        self._lock = threading.Lock()


def memory_limit() -> int:
    """Bytes that this process can have at most: the machine's, or its container's."""
    import psutil

    return _smaller(int(psutil.virtual_memory().total), container().memory)


def _smaller(machine: int, limit: int | None) -> int:
    return machine if limit is None else min(machine, limit)


def _usable_cores(quota: float | None) -> float:
    if hasattr(os, "sched_getaffinity"):
        allowed = float(len(os.sched_getaffinity(0)))
    else:
        allowed = float(os.cpu_count() or 1)
    return allowed if quota is None else min(allowed, quota)


def _open_files(process: Any) -> int | None:
    import psutil

    try:
        return int(process.num_fds() if hasattr(process, "num_fds") else process.num_handles())
    except psutil.Error:  # the system does not let us look
        return None


def _cache() -> Path:
    from mycloset.hub.cache import home

    return home()


def _disk(folder: Path) -> DiskStatus:
    folder = folder.absolute()
    for place in (folder, *folder.parents):
        try:
            usage = shutil.disk_usage(place)
        except FileNotFoundError:
            continue
        except OSError as error:
            raise OptionError(
                f"{folder}: its disk cannot be looked at ({error.strerror}).",
                hint="Give a folder that can be read, or set MYCLOSET_HOME to one.",
            ) from error
        return DiskStatus(folder, usage.total, usage.used, usage.free)
    raise OptionError(f"{folder}: it lies on no disk.", hint="Give a folder that exists.")
