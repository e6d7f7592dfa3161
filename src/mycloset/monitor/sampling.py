"""One thread that looks at the process while operations run, and is gone when none does."""

from __future__ import annotations

import contextlib
import os
import resource
import sys
import threading
import time
import weakref
from typing import TYPE_CHECKING, NamedTuple, Protocol

from mycloset.monitor.gpus import Gpus, GpuStatus

if TYPE_CHECKING:
    import psutil

_PAGE = resource.getpagesize()
THREAD = "mycloset-monitor"
"""How the sampling thread is called."""

SHARE = 0.01
"""The most of its own time that the sampling thread spends at work, whatever the rate."""


class Usage(NamedTuple):
    """What the process used so far: CPU seconds of all threads, and its most resident bytes."""

    cpu_seconds: float
    high_water: int


class Sample(NamedTuple):
    """What one look at the process saw.

    Attributes:
        when: seconds of the monitor's clock.
        rss: resident bytes.
        cpu_percent: since the sample before, of one core; None in the first.
        running: how many operations ran.
        gpus: what each GPU reports; empty where there is none.
    """

    when: float
    rss: int
    cpu_percent: float | None
    running: int
    gpus: tuple[GpuStatus, ...] = ()


class Probe(Protocol):
    """Where figures of the process come from."""

    def usage(self) -> Usage:
        """Counters of the process, within a microsecond or so."""

    def rss(self) -> int:
        """Resident bytes now, within a few microseconds: for the ends of operations."""

    def look(self) -> tuple[int, tuple[GpuStatus, ...]]:
        """Resident bytes and GPUs now; may take a millisecond: for the sampling thread."""

    def gpus(self) -> tuple[GpuStatus, ...]:
        """What the GPUs report; may take a millisecond."""

    def forked(self) -> None:
        """This is another process now: forget what belonged to its parent."""


class SystemProbe:
    """Figures from the system; psutil is imported when it is first asked."""

    def __init__(self) -> None:
        self.forked()

    def usage(self) -> Usage:
        used = resource.getrusage(resource.RUSAGE_SELF)
        unit = 1 if sys.platform == "darwin" else 1024
        return Usage(used.ru_utime + used.ru_stime, used.ru_maxrss * unit)

    def rss(self) -> int:
        if self._statm is None:
            return self._by_psutil()
        return int(os.pread(self._statm, 64, 0).split(None, 2)[1]) * _PAGE

    def look(self) -> tuple[int, tuple[GpuStatus, ...]]:
        return self._by_psutil(), self.gpus()

    def gpus(self) -> tuple[GpuStatus, ...]:
        return self._gpus.read()

    def forked(self) -> None:
        self._gpus = Gpus()
        self._process: psutil.Process | None = None
        self._statm: int | None = None
        if sys.platform == "linux":
            # Kept open: psutil opens it anew each time, which takes ten times as long.
            with contextlib.suppress(OSError):
                self._statm = os.open("/proc/self/statm", os.O_RDONLY)
                weakref.finalize(self, os.close, self._statm)

    def _by_psutil(self) -> int:
        if self._process is None:
            import psutil

            self._process = psutil.Process()
        return int(self._process.memory_info().rss)


class Sampled(Protocol):
    """Who wants to be told when it is time to look."""

    def tick(self) -> bool:
        """Look; False when nobody needs another look, and the thread is to end."""


class Sampler:
    """A daemon thread that calls `tick` at a rate until it returns False.

    It keeps no strong reference to whom it calls, so that one who is dropped is not kept alive.

    Args:
        rate: looks a second. Where one look costs more than a hundredth of the time between
            two, they come less often.
    """

    def __init__(self, owner: Sampled, rate: float) -> None:
        self._stopped = threading.Event()
        self._thread = threading.Thread(
            target=_run,
            args=(weakref.ref(owner), 1 / rate, self._stopped),
            name=THREAD,
            daemon=True,
        )

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """End it, and wait until it has ended (unless it is the thread that asks)."""
        self._stopped.set()
        if self._thread is not threading.current_thread():
            self._thread.join()

    @property
    def alive(self) -> bool:
        return self._thread.is_alive()


def pause(period: float, cost: float) -> float:
    """Seconds until the next look, when the last took `cost` seconds of CPU."""
    return max(period - cost, cost * (1 / SHARE - 1))


def _run(owner: weakref.ref[Sampled], period: float, stopped: threading.Event) -> None:
    wait, before = period, None
    while not stopped.wait(wait):
        sampled = owner()
        if sampled is None or not sampled.tick():
            return
        del sampled
        # From look to look, so that waking up counts. The first look imports psutil and opens
        # NVML, which no later one does.
        now = time.thread_time()
        wait = period if before is None else pause(period, now - before)
        before = now
