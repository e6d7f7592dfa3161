"""What is known of one operation: while it runs, and when it has ended."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import TYPE_CHECKING, Any

from mycloset.monitor.gpus import GpuStatus
from mycloset.monitor.plain import checked_values, plain
from mycloset.monitor.sampling import Usage

if TYPE_CHECKING:
    from mycloset.monitor.performance_monitor import PerformanceMonitor


@dataclass(frozen=True)
class Metrics:
    """What an operation took.

    CPU time and memory are the process's: what other threads did meanwhile is in them, since the
    threads of numerical libraries work for whoever called. `thread_seconds` is the caller's alone.

    Attributes:
        id: as `start_monitoring` gave it.
        name, operation: who did what, such as "try-on" and "human_parsing".
        started_at: seconds since 1970, UTC.
        seconds: how long it took on the wall.
        cpu_seconds: user and system time of all threads of the process while it ran.
        cpu_percent: of one core; 200 is two cores busy. None where no time passed.
        thread_seconds: CPU time of the thread that started it; None where another stopped it.
        rss_before, rss: resident bytes of the process when it started, and when it stopped.
        peak_rss: the most resident bytes seen while it ran: at both ends, in the live samples,
            and the kernel's high-water mark where that rose meanwhile.
        gpu_memory, gpu_peak_memory: bytes of all GPUs at the last live sample (at the end, where
            none fell into it and it took 20 ms), and the most; None where no GPU was seen.
        gpu_utilisation: mean of these looks, 0 to 100; None likewise.
        samples: how many live samples fell into it.
        error: type and message of what it ended with; None where it succeeded.
        values: what else was told of it, such as accuracy.
    """

    id: int
    name: str
    operation: str
    started_at: float
    seconds: float
    cpu_seconds: float
    cpu_percent: float | None
    thread_seconds: float | None
    rss_before: int
    rss: int
    peak_rss: int
    gpu_memory: int | None = None
    gpu_peak_memory: int | None = None
    gpu_utilisation: float | None = None
    samples: int = 0
    error: str | None = None
    values: Mapping[str, float] = field(default_factory=dict)

    @property
    def success(self) -> bool:
        """Whether it ended without an error."""
        return self.error is None

    def to_dict(self) -> dict[str, Any]:
        """The same for JSON."""
        return {**plain(self), "success": self.success}


class Measuring:
    """One operation as a block: `with monitor.measuring(name, operation) as running: ...`.

    The block's exception, if any, is the operation's error; it is not caught.

    Attributes:
        metrics: what the block took; None until it has ended.
    """

    __slots__ = ("_id", "_monitor", "_name", "_operation", "_values", "metrics")

    def __init__(self, monitor: PerformanceMonitor, name: str, operation: str) -> None:
        self._monitor = monitor
        self._name = name
        self._operation = operation
        self._values: dict[str, float] = {}
        self.metrics: Metrics | None = None

    def note(self, **values: float) -> None:
        """Tell something of the operation, such as `accuracy=0.93`.

        Raises:
            OptionError: a value is not finite, or an accuracy is outside 0 to 1.
        """
        self._values.update(checked_values(values))

    def __enter__(self) -> Measuring:
        self._id = self._monitor.start_monitoring(self._name, self._operation)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if isinstance(error, GeneratorExit):  # a generator that somebody had enough of
            error = None
        self.metrics = self._monitor.stop_monitoring(self._id, error=error, **self._values)


class Running:
    """An operation that has not ended: where the counters stood, and what samples saw since."""

    __slots__ = (
        "began", "busy", "busy_samples", "cpu", "gpu_memory", "gpu_peak_memory", "high_water", "id",
        "name", "operation", "peak", "rss", "samples", "samples_gpu", "started_at", "thread",
        "thread_seconds",
    )  # fmt: skip

    def __init__(self, number: int, name: str, operation: str) -> None:
        self.id = number
        self.name = name
        self.operation = operation
        self.thread = threading.get_ident()
        self.thread_seconds = time.thread_time()
        self.began = self.started_at = self.cpu = 0.0
        self.rss = self.high_water = self.peak = 0
        self.samples = self.samples_gpu = 0
        self.gpu_memory: int | None = None
        self.gpu_peak_memory: int | None = None
        self.busy = 0.0
        self.busy_samples = 0

    @property
    def key(self) -> tuple[str, str]:
        return self.name, self.operation

    def see(self, rss: int, gpus: Sequence[GpuStatus]) -> None:
        """A live sample fell into it."""
        self.samples += 1
        self.peak = max(self.peak, rss)
        self.see_gpus(gpus)

    def see_gpus(self, gpus: Sequence[GpuStatus]) -> None:
        """What the GPUs reported while it ran."""
        if not gpus:
            return
        self.samples_gpu += 1
        self.gpu_memory = sum(gpu.memory_used for gpu in gpus)
        self.gpu_peak_memory = max(self.gpu_peak_memory or 0, self.gpu_memory)
        told = [gpu.utilisation for gpu in gpus if gpu.utilisation is not None]
        if told:
            self.busy_samples += 1
            self.busy += sum(told) / len(told)

    def forked(self, high_water: int) -> None:
        """It goes on in a child process, whose counters start anew."""
        self.cpu = self.thread_seconds = 0.0
        self.high_water = high_water

    def ended(
        self, now: float, usage: Usage, rss: int, error: str | None, values: Mapping[str, float]
    ) -> Metrics:
        """What it took, from the counters at its end."""
        seconds = max(0.0, now - self.began)
        cpu = max(0.0, usage.cpu_seconds - self.cpu)
        own = None
        if self.thread == threading.get_ident():
            own = max(0.0, time.thread_time() - self.thread_seconds)
        peak = max(self.peak, rss)
        if usage.high_water > self.high_water:  # it rose while this ran: no sample needed
            peak = max(peak, usage.high_water)
        return Metrics(
            self.id,
            self.name,
            self.operation,
            self.started_at,
            seconds,
            cpu,
            100 * cpu / seconds if seconds > 0 else None,
            own,
            self.rss,
            rss,
            peak,
            self.gpu_memory,
            self.gpu_peak_memory,
            self.busy / self.busy_samples if self.busy_samples else None,
            self.samples,
            error,
            values,
        )
