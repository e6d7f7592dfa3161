"""The sampling thread: one for all, there while somebody needs it."""

from __future__ import annotations

import gc
import os
import sys
import threading
import weakref

import pytest
from monitor_clocks import FixedProbe

from mycloset.monitor import PerformanceMonitor
from mycloset.monitor.gpus import GpuStatus
from mycloset.monitor.sampling import SystemProbe, pause


class Signalling(FixedProbe):
    """Says when the sampling thread looked."""

    def __init__(self) -> None:
        super().__init__()
        self.looked = threading.Event()
        self.threads: set[threading.Thread] = set()

    def look(self) -> tuple[int, tuple[GpuStatus, ...]]:
        self.threads.add(threading.current_thread())
        self.looked.set()
        return super().look()


def wait_for_look(probe: Signalling) -> None:
    probe.looked.clear()
    assert probe.looked.wait(20)


def test_one_daemon_thread_looks_while_operations_run() -> None:
    probe = Signalling()
    with PerformanceMonitor(rate=500, probe=probe) as monitor:
        first = monitor.start_monitoring("a", "b")
        second = monitor.start_monitoring("a", "c")
        wait_for_look(probe)
        monitor.stop_monitoring(first)
        wait_for_look(probe)
        assert monitor.stop_monitoring(second).samples >= 2
    (thread,) = probe.threads
    assert thread.daemon
    assert not thread.is_alive()


def test_it_is_gone_when_nobody_needs_it_and_comes_back() -> None:
    probe = Signalling()
    monitor = PerformanceMonitor(rate=500, linger=0.0, probe=probe)
    for _ in range(2):
        number = monitor.start_monitoring("a", "b")
        wait_for_look(probe)
        monitor.stop_monitoring(number)
        for thread in probe.threads:
            thread.join(20)
            assert not thread.is_alive()
    assert len(probe.threads) == 2


def test_without_a_rate_there_is_no_thread() -> None:
    before = threading.active_count()
    monitor = PerformanceMonitor(rate=0)
    number = monitor.start_monitoring("a", "b")
    assert threading.active_count() == before
    monitor.stop_monitoring(number)


def test_after_close_operations_are_measured_without_samples() -> None:
    probe = Signalling()
    monitor = PerformanceMonitor(rate=500, probe=probe)
    monitor.close()
    monitor.close()
    with monitor.measuring("a", "b") as running:
        pass
    assert running.metrics is not None and running.metrics.samples == 0
    assert not probe.threads


def test_a_monitor_that_is_dropped_ends_its_thread() -> None:
    probe = Signalling()
    monitor = PerformanceMonitor(rate=500, probe=probe)
    monitor.start_monitoring("a", "b")
    wait_for_look(probe)
    kept = weakref.ref(monitor)
    del monitor
    (thread,) = probe.threads
    thread.join(20)
    gc.collect()
    assert not thread.is_alive()
    assert kept() is None


def test_a_costly_look_comes_less_often() -> None:
    assert pause(0.1, 0.0005) == pytest.approx(0.0995)
    cost = 0.01
    assert cost / (cost + pause(0.1, cost)) == pytest.approx(0.01)


def test_the_cpu_share_is_that_between_two_samples() -> None:
    probe = FixedProbe()
    now = [1.0]
    monitor = PerformanceMonitor(rate=0, clock=lambda: now[0], probe=probe)
    monitor.sample()
    now[0], probe.cpu = 3.0, probe.cpu + 1.0
    monitor.sample()
    assert [sample.cpu_percent for sample in monitor.get_samples()] == [None, 50.0]


def test_figures_are_those_of_this_process() -> None:
    probe = SystemProbe()
    quick, (slow, _) = probe.rss(), probe.look()
    assert 1 << 20 < quick < 1 << 40
    assert abs(quick - slow) < 64 << 20
    used = probe.usage()
    assert used.cpu_seconds > 0
    assert used.high_water > 1 << 20


@pytest.mark.skipif(sys.platform != "linux", reason="reads the size that Linux tells")
def test_memory_that_is_touched_is_seen() -> None:
    monitor = PerformanceMonitor(rate=0)
    with monitor.measuring("a", "b") as running:
        held = bytearray(os.urandom(1) * (64 << 20))
    assert running.metrics is not None
    assert running.metrics.rss - running.metrics.rss_before >= 60 << 20
    assert running.metrics.peak_rss >= running.metrics.rss
    del held
