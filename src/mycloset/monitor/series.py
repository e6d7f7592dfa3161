"""What is kept of one operation's calls: the last of them, and totals since the beginning."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from mycloset.errors import OptionError
from mycloset.monitor.plain import plain
from mycloset.monitor.statistics import (
    DURATION_BOUNDS,
    Distribution,
    Histogram,
    Window,
    distribution,
)

MOST_VALUES = 32
"""How many names of recorded values one operation may have."""


class Call(NamedTuple):
    """One call; None is what was not measured."""

    seconds: float | None
    failed: bool
    cpu_seconds: float | None = None
    cpu_percent: float | None = None
    peak_rss: int | None = None
    gpu_peak_memory: int | None = None


@dataclass(frozen=True)
class OperationSummary:
    """The calls of one operation within the sliding window.

    Attributes:
        name, operation: who did what.
        running: how many run at this moment.
        span: seconds that the window stands for: its length; or since its first call began; or
            since the oldest call that is kept, where more came than are kept.
        count, errors: calls within the window, and how many of them failed.
        error_rate: their share, 0 to 1; None where there were none.
        throughput: calls a second over the span; None where that is 0.
        seconds, cpu_seconds, cpu_percent, peak_rss, gpu_peak_memory: how they lay; None where
            none was measured.
        values: likewise for what was recorded of them, such as accuracy, by name.
        last_error: what the last that failed ended with, within the window or before; None where
            none has.
        total_count, total_errors: since the beginning.
    """

    name: str
    operation: str
    running: int
    span: float
    count: int
    errors: int
    error_rate: float | None
    throughput: float | None
    seconds: Distribution | None
    cpu_seconds: Distribution | None
    cpu_percent: Distribution | None
    peak_rss: Distribution | None
    gpu_peak_memory: Distribution | None
    values: Mapping[str, Distribution]
    last_error: str | None
    total_count: int
    total_errors: int

    def to_dict(self) -> dict[str, Any]:
        """The same for JSON."""
        made: dict[str, Any] = plain(self)
        return made


class Series:
    """The calls of one operation. Not locked: its owner does that."""

    def __init__(self, since: float, window: float, most: int) -> None:
        self._since = since
        self._window = window
        self._most = most
        self._calls: Window[Call] = Window(window, most)
        self._values: dict[str, Window[float]] = {}
        self.last_values: dict[str, float] = {}
        self.last_error: str | None = None
        self.durations = Histogram(DURATION_BOUNDS)
        self.count = 0
        self.errors = 0
        self.cpu_seconds = 0.0
        self.peak_rss = 0

    def accepts(self, values: Mapping[str, float]) -> None:
        """Raises OptionError where there would be too many names of values."""
        if len(self._values.keys() | values.keys()) > MOST_VALUES:
            raise OptionError(
                f"{', '.join(sorted(values))}: an operation keeps {MOST_VALUES} kinds of values.",
                hint="Put what changes from call to call into the value, not into its name.",
            )

    def add(self, now: float, call: Call, error: str | None) -> None:
        """A call has ended."""
        self._calls.add(now, call)
        self.count += 1
        if call.failed:
            self.errors += 1
            self.last_error = error
        if call.seconds is not None:
            self.durations.add(call.seconds)
        self.cpu_seconds += call.cpu_seconds or 0.0
        self.peak_rss = max(self.peak_rss, call.peak_rss or 0)

    def note(self, now: float, values: Mapping[str, float]) -> None:
        """Something was recorded of it."""
        for name, value in values.items():
            if name not in self._values:
                self._values[name] = Window(self._window, self._most)
            self._values[name].add(now, value)
            self.last_values[name] = value

    def summary(self, name: str, operation: str, now: float, running: int) -> OperationSummary:
        """The calls of the last while."""
        self._calls.trim(now)
        for window in self._values.values():
            window.trim(now)
        calls = list(self._calls)
        errors = sum(call.failed for call in calls)
        span = self._calls.span(now, self._since)

        def of(field: str) -> Distribution | None:
            found = (getattr(call, field) for call in calls)
            return distribution(value for value in found if value is not None)

        spreads = {key: distribution(window) for key, window in self._values.items()}
        return OperationSummary(
            name,
            operation,
            running,
            span,
            len(calls),
            errors,
            errors / len(calls) if calls else None,
            len(calls) / span if span > 0 else None,
            of("seconds"),
            of("cpu_seconds"),
            of("cpu_percent"),
            of("peak_rss"),
            of("gpu_peak_memory"),
            {key: spread for key, spread in spreads.items() if spread is not None},
            self.last_error,
            self.count,
            self.errors,
        )
