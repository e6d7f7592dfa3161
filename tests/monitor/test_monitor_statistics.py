"""Percentiles, windows and histograms."""

from __future__ import annotations

import math

from hypothesis import given, settings
from hypothesis import strategies as st

from mycloset.monitor.statistics import Histogram, Window, distribution, percentile

VALUES = st.lists(st.floats(-1e300, 1e300), min_size=1, max_size=60)


@settings(deadline=None)
@given(VALUES, st.floats(0.01, 100))
def test_a_percentile_is_the_smallest_value_that_so_many_do_not_exceed(
    values: list[float], percent: float
) -> None:
    ordered = sorted(values)
    found = percentile(ordered, percent)
    enough = percent * len(values) / 100
    assert found in values
    assert sum(value <= found for value in values) >= enough
    assert sum(value < found for value in values) < enough or found == ordered[0]


@settings(deadline=None)
@given(VALUES)
def test_a_distribution_is_in_order_and_lies_between_its_ends(values: list[float]) -> None:
    found = distribution(values)
    assert found is not None
    assert found.count == len(values)
    assert (found.min, found.max) == (min(values), max(values))
    assert found.min <= found.p50 <= found.p90 <= found.p95 <= found.p99 <= found.max
    assert found.min <= found.mean <= found.max


def test_known_percentiles() -> None:
    found = distribution(range(1, 101))
    assert found is not None
    assert (found.p50, found.p90, found.p95, found.p99, found.mean) == (50, 90, 95, 99, 50.5)


def test_there_is_no_distribution_of_nothing() -> None:
    assert distribution([]) is None


@settings(deadline=None)
@given(st.lists(st.floats(0, 5), max_size=60), st.integers(1, 20))
def test_a_window_holds_the_last_of_the_last_seconds(gaps: list[float], most: int) -> None:
    window: Window[int] = Window(10.0, most)
    now, came = 0.0, []
    for number, gap in enumerate(gaps):
        now += gap
        came.append((now, number))
        window.add(now, number)
    expected = [number for when, number in came[-most:] if when > now - 10.0]
    assert list(window) == expected


def test_a_window_that_is_cut_by_count_stands_for_less_time() -> None:
    window: Window[int] = Window(100.0, 2)
    for when in (0.0, 1.0, 5.0):
        window.add(when, 0)
    assert window.span(6.0, 0.0) == 6.0  # since the one that left came


def test_a_window_stands_for_no_more_than_its_length() -> None:
    window: Window[int] = Window(10.0, 5)
    window.add(0.0, 0)
    assert (window.span(4.0, 0.0), window.span(40.0, 0.0)) == (4.0, 10.0)


@settings(deadline=None)
@given(st.lists(st.floats(0, 1000)))
def test_a_histogram_counts_what_is_at_most_each_bound(values: list[float]) -> None:
    histogram = Histogram((0.1, 1.0, 50.0))
    for value in values:
        histogram.add(value)
    for bound, count in histogram.buckets():
        assert count == sum(value <= bound for value in values)
    assert histogram.buckets()[-1] == (math.inf, len(values))
