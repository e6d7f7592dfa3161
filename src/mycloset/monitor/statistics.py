"""Figures over the last while: nearest-rank percentiles, sliding windows, cumulative histograms."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

Entry = TypeVar("Entry")

DURATION_BOUNDS = (
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
    30.0, 60.0, 120.0, 300.0,
)  # fmt: skip
"""Upper bounds of the buckets of a histogram of seconds."""


@dataclass(frozen=True)
class Distribution:
    """How values lie; each percentile is one of the values themselves (nearest rank)."""

    count: int
    min: float
    max: float
    mean: float
    p50: float
    p90: float
    p95: float
    p99: float


def distribution(values: Iterable[float]) -> Distribution | None:
    """The distribution of finite values; None where there are none."""
    ordered = sorted(values)
    if not ordered:
        return None
    lowest, highest = ordered[0], ordered[-1]
    # Divided first, so that a sum of huge values does not overflow; rounding stays within.
    mean = math.fsum(value / len(ordered) for value in ordered)
    return Distribution(
        len(ordered),
        lowest,
        highest,
        min(max(mean, lowest), highest),
        *(percentile(ordered, percent) for percent in (50, 90, 95, 99)),
    )


def percentile(ordered: Sequence[float], percent: float) -> float:
    """The smallest value that at least `percent` (above 0, to 100) of the values do not exceed.

    Args:
        ordered: the values, ascending, at least one.
    """
    return ordered[rank(len(ordered), percent) - 1]


def rank(count: int, percent: float) -> int:
    """Which of `count` ordered values is the percentile, from 1."""
    return min(count, max(1, math.ceil(percent * count / 100)))


class Window(Generic[Entry]):
    """The entries of the last `seconds`, at most `most` of them.

    Memory is bounded by `most`; what is older goes when something is added or read.
    """

    def __init__(self, seconds: float, most: int) -> None:
        self._seconds = seconds
        self._entries: deque[tuple[float, Entry]] = deque(maxlen=most)
        self._cut: float | None = None
        """When the youngest entry came that left because of `most`."""

    def add(self, when: float, entry: Entry) -> None:
        """Add an entry; times must not go back."""
        if len(self._entries) == self._entries.maxlen:
            self._cut = self._entries[0][0]
        self._entries.append((when, entry))
        self.trim(when)

    def trim(self, now: float) -> None:
        """Drop what came `seconds` ago or earlier."""
        entries, oldest = self._entries, now - self._seconds
        while entries and entries[0][0] <= oldest:
            entries.popleft()

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[Entry]:
        return (entry for _, entry in self._entries)

    def span(self, now: float, since: float) -> float:
        """How many seconds up to `now` the entries stand for, when watching began at `since`."""
        began = max(since, now - self._seconds)
        if self._cut is not None:
            began = max(began, self._cut)
        return max(0.0, now - began)


class Histogram:
    """How many values were at most each of the bounds, since the beginning."""

    def __init__(self, bounds: Sequence[float]) -> None:
        self._bounds = tuple(bounds)
        self._counts = [0] * (len(self._bounds) + 1)
        self.sum = 0.0

    def add(self, value: float) -> None:
        self._counts[bisect_left(self._bounds, value)] += 1
        self.sum += value

    def buckets(self) -> list[tuple[float, int]]:
        """(upper bound, how many values were at most that), the last bound being infinite."""
        total, made = 0, []
        for bound, count in zip((*self._bounds, math.inf), self._counts, strict=True):
            total += count
            made.append((bound, total))
        return made
