"""The benchmark of watching reads the sampling thread's own clock."""

from __future__ import annotations

import monitor
from mycloset.monitor import PerformanceMonitor


def test_a_row_tells_looks_and_the_share_of_the_thread() -> None:
    ((rate, looks, milliseconds, share),) = monitor.sampling(0.05, rates=(200.0,))
    assert rate == "200"
    assert float(milliseconds) >= float(looks) * 0.001  # no look costs less than a microsecond
    assert float(share) <= 100 * float(milliseconds) / 50 + 0.01  # of 50 ms or more


def test_a_workload_runs_with_and_without_a_monitor() -> None:
    calls: list[int] = []
    watching = PerformanceMonitor(rate=0)
    monitor.steps(lambda: calls.append(1), None)
    monitor.steps(lambda: calls.append(1), watching)
    (found,) = watching.get_performance_summary("benchmark")
    assert (len(calls), found.count) == (20, 10)
