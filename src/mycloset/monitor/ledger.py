"""Ledger keeps what was measured, operation by operation, and the alerts that came of it."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from mycloset.hub.events import Event
from mycloset.monitor.alerts import Alert, AlertBook, Key, Threshold
from mycloset.monitor.hub_figures import HubFigures
from mycloset.monitor.series import Call, OperationSummary, Series
from mycloset.monitor.subscribers import Subscribers
from mycloset.monitor.system import memory_limit

ALERTS_KEPT = 1000
"""How many cleared alerts are kept."""


class Totals(NamedTuple):
    """An operation's figures since the beginning, as a page of metrics shows them."""

    name: str
    operation: str
    calls: int
    errors: int
    cpu_seconds: float
    peak_rss: int
    buckets: list[tuple[float, int]]
    seconds: float
    values: dict[str, float]


class Ledger:
    """Series of calls and the rules over them. All calls are safe from all threads.

    Args:
        window: seconds that series reach back.
        most: how many calls of an operation are kept.
        most_operations: how many operations are kept.
        clock, wall_clock: as the monitor's.
    """

    def __init__(
        self,
        window: float,
        most: int,
        most_operations: int,
        clock: Callable[[], float],
        wall_clock: Callable[[], float],
    ) -> None:
        self._window, self._most, self._most_operations = window, most, most_operations
        self._clock, self._wall_clock = clock, wall_clock
        self._series: OrderedDict[Key, Series] = OrderedDict()
        self._book = AlertBook(window, most, ALERTS_KEPT)
        self._hub = HubFigures()
        self._memory_limit: int | None = None
        self._lock = threading.Lock()
        self.subscribers = Subscribers()

    def add(
        self,
        key: Key,
        call: Call | None,
        error: str | None = None,
        values: Mapping[str, float] | None = None,
        *,
        peak_rss: int | None = None,
    ) -> None:
        """Keep a call, or values alone, and raise or clear what they raise or clear.

        Args:
            peak_rss: what the threshold of memory is to see; None where it saw live samples.

        Raises:
            OptionError: the operation would have too many names of values; nothing is kept.
        """
        values = values or {}
        with self._lock:
            now = self._clock()
            began = now - call.seconds if call is not None and call.seconds else now
            series = self._of(key, began)
            series.accepts(values)
            if call is not None:
                series.add(now, call, error)
            series.note(now, values)
            if self._book.thresholds:
                measures = self._measures(call, values, peak_rss)
                at = self._wall_clock()
                self.subscribers.queue(self._book.update(key, now, at, measures))
        self.subscribers.deliver()

    def see_memory(self, keys: Iterable[Key], rss: int) -> None:
        """A live sample of the process, while these operations run."""
        with self._lock:
            if not self._book.thresholds:
                return
            now, at = self._clock(), self._wall_clock()
            if self._book.watches("memory_share"):
                share = {"memory_share": rss / self._limit()}
                for key in keys:
                    self.subscribers.queue(self._book.update(key, now, at, share))
            self.subscribers.queue(self._book.expire(now, at))
        self.subscribers.deliver()

    def hear(self, event: Event) -> None:
        """Keep what the hub tells."""
        with self._lock:
            self._hub.add(event)

    def hub(self) -> HubFigures:
        """A copy of what the hub told so far."""
        with self._lock:
            return self._hub.copy()

    def summaries(
        self, running: Mapping[Key, int], name: str | None, operation: str | None
    ) -> tuple[OperationSummary, ...]:
        """Of each operation that was seen or is running; None is any."""
        with self._lock:
            now = self._clock()
            never = Series(now, self._window, 1)
            return tuple(
                self._series.get(key, never).summary(*key, now, running.get(key, 0))
                for key in sorted({*self._series, *running})
                if name in (None, key[0]) and operation in (None, key[1])
            )

    def totals(self) -> list[Totals]:
        """Of each operation that is kept."""
        with self._lock:
            return [
                Totals(
                    *key,
                    series.count,
                    series.errors,
                    series.cpu_seconds,
                    series.peak_rss,
                    series.durations.buckets(),
                    series.durations.sum,
                    dict(series.last_values),
                )
                for key, series in self._series.items()
            ]

    def alerts(self) -> tuple[Alert, ...]:
        """Raised and cleared ones, by number."""
        with self._lock:
            expired = self._book.expire(self._clock(), self._wall_clock())
            self.subscribers.queue(expired)
            found = self._book.alerts()
        self.subscribers.deliver()
        return found

    def alerts_raised(self) -> dict[tuple[str, str, str], int]:
        """How many alerts were raised, by name, operation and measure."""
        with self._lock:
            return dict(self._book.raised)

    @property
    def thresholds(self) -> tuple[Threshold, ...]:
        return self._book.thresholds

    def replace(self, thresholds: Sequence[Threshold]) -> None:
        """Take other thresholds."""
        with self._lock:
            self.subscribers.queue(self._book.replace(thresholds, self._wall_clock()))
        self.subscribers.deliver()

    def forked(self) -> None:
        """This is another process now: locks that other threads held are held for ever."""
        self._lock = threading.Lock()
        self.subscribers.forked()

    def _of(self, key: Key, since: float) -> Series:
        series = self._series.get(key)
        if series is None:
            series = self._series[key] = Series(since, self._window, self._most)
            if len(self._series) > self._most_operations:
                oldest, _ = self._series.popitem(last=False)
                self.subscribers.queue(self._book.forget(oldest, self._wall_clock()))
        else:
            self._series.move_to_end(key)
        return series

    def _measures(
        self, call: Call | None, values: Mapping[str, float], peak_rss: int | None
    ) -> dict[str, float]:
        measures = dict(values)
        if call is not None:
            measures["error_rate"] = float(call.failed)
            if call.seconds is not None:
                measures["seconds"] = call.seconds
            if call.cpu_percent is not None:
                measures["cpu_percent"] = call.cpu_percent
        if peak_rss is not None and self._book.watches("memory_share"):
            measures["memory_share"] = peak_rss / self._limit()
        return measures

    def _limit(self) -> int:
        if self._memory_limit is None:
            self._memory_limit = memory_limit()
        return self._memory_limit
