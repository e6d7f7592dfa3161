"""PerformanceMonitor measures operations, keeps their last figures, and tells when they are bad."""

from __future__ import annotations

import os
import threading
import time
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import ParamSpec, TypeVar

from mycloset.errors import OptionError
from mycloset.hub.events import Event, LoadFailed, ModelAsked, ModelLoaded
from mycloset.monitor.alerts import Alert, Threshold
from mycloset.monitor.decorating import decorated
from mycloset.monitor.ledger import Ledger
from mycloset.monitor.measurement import Measuring, Metrics
from mycloset.monitor.plain import checked_values, not_negative, positive, whole
from mycloset.monitor.prometheus import Figures, Page, exposition
from mycloset.monitor.sampling import Probe, Sample, SystemProbe
from mycloset.monitor.series import Call, OperationSummary
from mycloset.monitor.subscribers import Subscriber
from mycloset.monitor.system import SystemReader, SystemStatus
from mycloset.monitor.watch import Watch

P = ParamSpec("P")
R = TypeVar("R")

SAMPLES_A_SECOND = 5.0
"""The default rate of live sampling."""


class PerformanceMonitor:
    """Measures what operations take, live and afterwards. All calls are safe from all threads.

    An operation has a name (who: "try-on", "hub") and an operation (what: "human_parsing",
    "load"). Both should come from small sets: figures are kept for each pair.

    While operations run, one daemon thread for all of them looks at the process and its GPUs.
    It starts with the first, and ends soon after the last. With `rate=0` there is none; then a
    start and a stop take some microseconds, and the peak of memory comes from the kernel alone.

    Args:
        rate: looks a second, 0 for none.
        window: seconds that summaries and percentiles reach back.
        most: how many calls of an operation are kept at most.
        most_operations: how many operations are kept; beyond, the one not heard of for longest
            leaves, with its totals.
        thresholds: what raises alerts; see `set_thresholds`.
        linger: seconds for which the sampling thread outlives the last operation.
        clock, wall_clock: seconds of a clock that never goes back, and seconds since 1970.
        probe: where figures of the process come from.

    Raises:
        OptionError: a figure is NaN, negative or zero where that makes no sense.
    """

    def __init__(
        self,
        *,
        rate: float = SAMPLES_A_SECOND,
        window: float = 300.0,
        most: int = 1000,
        most_operations: int = 1000,
        thresholds: tuple[Threshold, ...] = (),
        linger: float = 2.0,
        clock: Callable[[], float] = time.perf_counter,
        wall_clock: Callable[[], float] = time.time,
        probe: Probe | None = None,
    ) -> None:
        self._probe = SystemProbe() if probe is None else probe
        self._system = SystemReader()
        self._ledger = Ledger(
            positive("window", window),
            whole("most", most),
            whole("most_operations", most_operations),
            clock,
            wall_clock,
        )
        self._watch = Watch(
            not_negative("rate", rate),
            not_negative("linger", linger),
            self._ledger,
            self._probe,
            clock,
            wall_clock,
        )
        self._pages: list[Page] = []
        self._lock = threading.Lock()
        self._ledger.replace(thresholds)
        _monitors.add(self)

    # Measuring

    def start_monitoring(self, name: str, operation: str) -> int:
        """An operation begins.

        Returns:
            its id, for `stop_monitoring`; ids are never used twice.
        """
        return self._watch.start(name, operation)

    def stop_monitoring(
        self, monitoring_id: int, *, error: BaseException | str | None = None, **values: float
    ) -> Metrics:
        """An operation has ended.

        Args:
            monitoring_id: as `start_monitoring` gave it.
            error: what it ended with; None where it succeeded.
            values: what else is known of it, such as `accuracy` (0 to 1).

        Raises:
            OptionError: no operation of this id runs; or a value is not finite, and then the
                operation still runs.
        """
        metrics = self._watch.stop(monitoring_id, _told(error), checked_values(values))
        if metrics is None:
            raise OptionError(
                f"monitoring_id: {monitoring_id!r} is no operation that runs.",
                hint="Give what start_monitoring returned, once.",
            )
        call = Call(
            metrics.seconds,
            not metrics.success,
            metrics.cpu_seconds,
            metrics.cpu_percent,
            metrics.peak_rss,
            metrics.gpu_peak_memory,
        )
        peak = None if metrics.samples else metrics.peak_rss
        key = (metrics.name, metrics.operation)
        self._ledger.add(key, call, metrics.error, metrics.values, peak_rss=peak)
        return metrics

    def measuring(self, name: str, operation: str) -> Measuring:
        """A block that is an operation: `with monitor.measuring("try-on", "fitting"): ...`.

        An exception that leaves the block is the operation's error, and goes on. What else is
        known is told by `note`; the metrics are there when the block has ended.
        """
        return Measuring(self, name, operation)

    def measured(
        self, name: str, operation: str | None = None
    ) -> Callable[[Callable[P, R]], Callable[P, R]]:
        """A decorator: each call of the function is an operation.

        For a coroutine function that is until it is done; for a generator, also an asynchronous
        one, from its first item until it is exhausted or closed, with what its caller does
        meanwhile.

        Args:
            name: who.
            operation: what; by default the function's name.
        """

        def decorate(function: Callable[P, R]) -> Callable[P, R]:
            what = operation or function.__name__
            return decorated(function, lambda: self.measuring(name, what))

        return decorate

    def record(
        self,
        name: str,
        operation: str,
        *,
        seconds: float | None = None,
        error: BaseException | str | None = None,
        **values: float,
    ) -> None:
        """Tell what was measured elsewhere, or was found out later.

        Args:
            seconds: how long a call took; with it, or with an error, this counts as a call.
            error: what it ended with.
            values: such as `accuracy` (0 to 1); alone, they count as no call.

        Raises:
            OptionError: a figure is not finite, or negative seconds.
        """
        checked = checked_values(values)
        told = _told(error)
        call = None
        if seconds is not None:
            seconds = not_negative("seconds", seconds)
        if seconds is not None or told is not None:
            call = Call(seconds, told is not None)
        self._ledger.add((name, operation), call, told, checked)

    def watch_hub(self, event: Event) -> None:
        """What the hub tells its observer: `ModelLoader(..., observer=monitor.watch_hub)`.

        Loads and failures become calls of ("hub", "load"), with `bytes` as a value; requests
        calls of ("hub", "ask"), as long as they waited. All events become metrics of their own.
        """
        self._ledger.hear(event)
        if isinstance(event, ModelLoaded):
            self.record("hub", "load", seconds=event.seconds, bytes=event.bytes)
        elif isinstance(event, ModelAsked):
            self.record("hub", "ask", seconds=event.waited)
        elif isinstance(event, LoadFailed):
            self.record("hub", "load", seconds=event.seconds, error=event.reason)

    # Asking

    def get_performance_summary(
        self, name: str | None = None, operation: str | None = None
    ) -> tuple[OperationSummary, ...]:
        """The calls of each operation within the window, ordered by name; None is any."""
        return self._ledger.summaries(self._watch.counts(), name, operation)

    def get_alerts(self, *, active: bool | None = None) -> tuple[Alert, ...]:
        """Alerts by number: all that are kept, those still raised, or those cleared."""
        found = self._ledger.alerts()
        if active is None:
            return found
        return tuple(alert for alert in found if (alert.state == "raised") == active)

    def get_thresholds(self) -> tuple[Threshold, ...]:
        """Those that hold now."""
        return self._ledger.thresholds

    def set_thresholds(
        self,
        *thresholds: Threshold,
        name: str | None = None,
        operation: str | None = None,
        **limits: float,
    ) -> None:
        """Take these thresholds instead of those before; none at all ends alerting.

        Args:
            thresholds: with everything told.
            limits: by measure, for what `Threshold` does by default, such as `seconds=2.0,
                memory_share=0.9, error_rate=0.1, accuracy=0.8`.
            name, operation: whose the `limits` are; None is everybody's.

        Raises:
            OptionError: a limit is NaN or negative; then nothing changes.
        """
        more = [
            Threshold(measure, limit, name=name, operation=operation)
            for measure, limit in limits.items()
        ]
        self._ledger.replace([*thresholds, *more])

    def subscribe(self, subscriber: Subscriber) -> Callable[[], None]:
        """Be told of every alert when it is raised and when it is cleared.

        The call comes from the thread that caused it, with no lock held: it may call this
        monitor. What it raises is logged with its trace and counted; measuring goes on.

        Returns:
            what ends the subscription.
        """
        return self._ledger.subscribers.add(subscriber)

    def get_samples(self) -> tuple[Sample, ...]:
        """The last live samples, oldest first, at most 1,000 of them."""
        return self._watch.samples()

    def get_system_status(self, cache: Path | None = None) -> SystemStatus:
        """The machine, its container, this process, its GPUs, and the disk of the cache.

        Args:
            cache: a folder on the disk in question; by default where models are fetched to.
        """
        return self._system.read(self._probe.gpus(), self._probe.usage().high_water, cache)

    def metrics_text(self) -> str:
        """All metrics in the Prometheus text format.

        Raises:
            MissingExtraError: prometheus_client is not installed.
        """
        return exposition(self._figures)

    def serve(self, port: int, address: str = "127.0.0.1") -> Page:
        """Serve the metrics by HTTP at /metrics until the page or the monitor is closed.

        Args:
            port: 0 takes any that is free; `page.port` tells which.

        Raises:
            MissingExtraError: prometheus_client is not installed.
            OptionError: the port cannot be had.
        """
        page = Page(self._figures, port, address)
        with self._lock:
            self._pages.append(page)
        return page

    def close(self) -> None:
        """End sampling and serving. What was measured can still be asked for; operations can
        still be measured, without live samples. May be called again."""
        self._watch.close()
        with self._lock:
            pages, self._pages = self._pages, []
        for page in pages:
            page.close()

    def __enter__(self) -> PerformanceMonitor:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # Sampling

    def sample(self) -> Sample:
        """Look at the process and its GPUs now, for all operations that run."""
        return self._watch.sample()

    def _figures(self) -> Figures:
        """What a page of metrics shows."""
        return Figures(
            self._ledger.totals(),
            self._watch.counts(),
            self._ledger.alerts(),
            self._ledger.alerts_raised(),
            self._ledger.subscribers.failures,
            self._ledger.hub(),
            self.get_system_status(),
        )

    def _forked(self) -> None:
        """In a child process: other threads are gone, and their locks are held for ever."""
        self._lock = threading.Lock()
        self._probe.forked()
        self._system.forked()
        self._ledger.forked()
        self._watch.forked()
        pages, self._pages = self._pages, []
        for page in pages:
            page.forked()


def _told(error: BaseException | str | None) -> str | None:
    if isinstance(error, BaseException):
        return f"{type(error).__name__}: {error}"
    return error


_monitors: weakref.WeakSet[PerformanceMonitor] = weakref.WeakSet()


def _after_fork() -> None:
    for monitor in _monitors:
        monitor._forked()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
