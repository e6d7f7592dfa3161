"""Thresholds, alerts, and those who are told of them."""

from __future__ import annotations

import json
import logging
import math
from typing import Any

import pytest
from monitor_clocks import Clock, FixedProbe

from mycloset.errors import OptionError
from mycloset.monitor import Alert, PerformanceMonitor, Threshold


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def monitor(clock: Clock) -> PerformanceMonitor:
    return PerformanceMonitor(rate=0, clock=clock, wall_clock=clock, probe=FixedProbe())


def call(monitor: PerformanceMonitor, clock: Clock, seconds: float, times: int = 1) -> None:
    for _ in range(times):
        with monitor.measuring("try-on", "fitting"):
            clock.pass_by(seconds)


def test_slow_calls_ring_once_and_are_cleared(monitor: PerformanceMonitor, clock: Clock) -> None:
    told: list[Alert] = []
    monitor.subscribe(told.append)
    monitor.set_thresholds(seconds=2.0)
    call(monitor, clock, 3.0, 10)
    call(monitor, clock, 1.0, 3)
    assert [(alert.state, alert.raised_at, alert.cleared_at) for alert in told] == [
        ("raised", 109.0, None),
        ("cleared", 109.0, 133.0),
    ]
    assert monitor.get_alerts() == (told[1],)


def test_the_worst_since_it_was_raised_is_told(monitor: PerformanceMonitor, clock: Clock) -> None:
    monitor.set_thresholds(seconds=2.0)
    call(monitor, clock, 3.0, 3)
    call(monitor, clock, 8.0)
    (alert,) = monitor.get_alerts(active=True)
    assert (alert.value, alert.worst) == (3.0, 8.0)
    assert alert.message == "try-on, fitting: seconds 3 is above 2."


def test_failures_ring_by_their_share(monitor: PerformanceMonitor) -> None:
    monitor.set_thresholds(error_rate=0.5)
    for number in range(6):
        monitor.record("hub", "load", seconds=1.0, error="no" if number % 4 else None)
    (alert,) = monitor.get_alerts(active=True)
    assert alert.value == 0.6


def test_accuracy_rings_when_it_falls(monitor: PerformanceMonitor) -> None:
    monitor.set_thresholds(accuracy=0.8)
    for accuracy in (0.9, 0.7, 0.6, 0.7):
        monitor.record("try-on", "parsing", accuracy=accuracy)
    assert [alert.threshold.measure for alert in monitor.get_alerts(active=True)] == ["accuracy"]


def test_memory_rings_while_an_operation_still_runs(clock: Clock) -> None:
    probe = FixedProbe()
    monitor = PerformanceMonitor(rate=0, clock=clock, wall_clock=clock, probe=probe)
    monitor.set_thresholds(memory_share=0.5)
    monitor.start_monitoring("try-on", "fitting")
    probe.resident = 1 << 60
    for _ in range(3):
        monitor.sample()
    assert [alert.threshold.measure for alert in monitor.get_alerts(active=True)] == [
        "memory_share"
    ]


def test_an_alert_of_which_nothing_is_heard_ends(clock: Clock) -> None:
    monitor = PerformanceMonitor(rate=0, window=60, clock=clock, wall_clock=clock)
    monitor.set_thresholds(seconds=2.0)
    call(monitor, clock, 3.0, 3)
    clock.pass_by(61)
    assert [alert.cleared_because for alert in monitor.get_alerts()] == ["quiet"]


def test_the_closest_threshold_of_a_measure_counts(
    monitor: PerformanceMonitor, clock: Clock
) -> None:
    monitor.set_thresholds(
        Threshold("seconds", 1.0), Threshold("seconds", 60.0, operation="fitting")
    )
    call(monitor, clock, 3.0, 5)
    assert not monitor.get_alerts()


def test_a_threshold_that_goes_clears_its_alerts_and_one_that_stays_keeps_them(
    monitor: PerformanceMonitor, clock: Clock
) -> None:
    slow = Threshold("seconds", 2.0)
    monitor.set_thresholds(slow, cpu_percent=1e-9)
    call(monitor, clock, 3.0, 5)
    monitor.set_thresholds(slow)
    assert [alert.state for alert in monitor.get_alerts()] == ["raised"]
    monitor.set_thresholds()
    assert [alert.cleared_because for alert in monitor.get_alerts()] == ["dropped"]


def test_a_subscriber_who_fails_is_logged_and_the_others_are_told(
    monitor: PerformanceMonitor, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    told: list[Alert] = []

    def fail(alert: Alert) -> None:
        raise RuntimeError("the pager is broken")

    monitor.subscribe(fail)
    monitor.subscribe(told.append)
    monitor.set_thresholds(seconds=2.0)
    with caplog.at_level(logging.ERROR):
        call(monitor, clock, 3.0, 3)
    assert len(told) == 1
    assert "the pager is broken" in caplog.text
    assert "mycloset_subscriber_failures_total 1.0" in monitor.metrics_text()


def test_one_who_unsubscribed_is_not_told(monitor: PerformanceMonitor, clock: Clock) -> None:
    told: list[Alert] = []
    unsubscribe = monitor.subscribe(told.append)
    unsubscribe()
    unsubscribe()
    monitor.set_thresholds(seconds=2.0)
    call(monitor, clock, 3.0, 3)
    assert not told


def test_a_subscriber_may_use_the_monitor_and_the_order_holds(
    monitor: PerformanceMonitor, clock: Clock
) -> None:
    seen: list[tuple[str, str]] = []

    def react(alert: Alert) -> None:
        if alert.operation == "fitting" and alert.state == "raised":
            for _ in range(3):
                monitor.record("try-on", "other", seconds=5.0)
        seen.append((alert.operation, alert.state))

    monitor.subscribe(react)
    monitor.set_thresholds(seconds=2.0)
    call(monitor, clock, 3.0, 3)
    assert seen == [("fitting", "raised"), ("other", "raised")]


def test_a_p95_above_the_limit_rings(monitor: PerformanceMonitor, clock: Clock) -> None:
    monitor.set_thresholds(Threshold("seconds", 2.0, percentile=95, least=20))
    call(monitor, clock, 1.0, 19)
    call(monitor, clock, 3.0)
    assert not monitor.get_alerts()
    call(monitor, clock, 3.0)
    assert [alert.value for alert in monitor.get_alerts()] == [3.0]


@pytest.mark.parametrize(
    "options",
    [
        {"limit": -1.0},
        {"limit": math.nan},
        {"limit": math.inf},
        {"limit": "much"},
        {"limit": 1.0, "clear": 1.5},
        {"limit": 1.0, "clear": -0.5},
        {"limit": 1.0, "clear": math.nan},
        {"limit": 1.0, "breaches": 0},
        {"limit": 1.0, "breaches": 6},
        {"limit": 1.0, "least": 2.5},
        {"limit": 1.0, "percentile": 0},
        {"limit": 1.0, "percentile": 101},
        {"limit": 1.0, "cool_down": -1},
        {"measure": "accuracy", "limit": 1.1},
        {"measure": "accuracy", "limit": 0.8, "clear": 0.7},
    ],
)
def test_a_threshold_that_makes_no_sense_is_refused(options: dict[str, Any]) -> None:
    with pytest.raises(OptionError, match="threshold of"):
        Threshold(**{"measure": "seconds", **options})


def test_refused_thresholds_leave_the_others(monitor: PerformanceMonitor) -> None:
    monitor.set_thresholds(seconds=2.0)
    with pytest.raises(OptionError):
        monitor.set_thresholds(seconds=3.0, accuracy=-1.0)
    assert monitor.get_thresholds() == (Threshold("seconds", 2.0),)


def test_an_alert_becomes_json(monitor: PerformanceMonitor, clock: Clock) -> None:
    monitor.set_thresholds(seconds=2.0)
    call(monitor, clock, 3.0, 3)
    said = json.loads(json.dumps(monitor.get_alerts()[0].to_dict()))
    assert (said["state"], said["threshold"]["limit"]) == ("raised", 2.0)
