"""Operations: started, stopped, nested, of many threads and processes, decorated."""

from __future__ import annotations

import asyncio
import inspect
import json
import math
import os
import subprocess
import sys
import threading
from collections.abc import AsyncGenerator, Generator
from typing import Any

import pytest
from monitor_clocks import Clock, FixedProbe, card

from mycloset.errors import OptionError
from mycloset.monitor import PerformanceMonitor


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def probe() -> FixedProbe:
    return FixedProbe()


@pytest.fixture
def monitor(clock: Clock, probe: FixedProbe) -> PerformanceMonitor:
    return PerformanceMonitor(rate=0, clock=clock, wall_clock=clock, probe=probe)


def test_an_operation_has_its_time_its_cpu_and_its_memory(
    monitor: PerformanceMonitor, clock: Clock, probe: FixedProbe
) -> None:
    number = monitor.start_monitoring("try-on", "fitting")
    clock.pass_by(2.0)
    probe.cpu += 3.0
    probe.resident = 1500
    metrics = monitor.stop_monitoring(number, accuracy=0.9)
    assert (metrics.name, metrics.operation, metrics.started_at) == ("try-on", "fitting", 100.0)
    assert (metrics.seconds, metrics.cpu_seconds, metrics.cpu_percent) == (2.0, 3.0, 150.0)
    assert (metrics.rss_before, metrics.rss, metrics.peak_rss) == (1000, 1500, 1500)
    assert (metrics.success, metrics.values) == (True, {"accuracy": 0.9})


def test_the_peak_is_that_of_the_samples(monitor: PerformanceMonitor, probe: FixedProbe) -> None:
    with monitor.measuring("try-on", "fitting") as running:
        probe.resident = 9000
        monitor.sample()
        probe.resident = 1200
    assert running.metrics is not None
    assert (running.metrics.peak_rss, running.metrics.samples) == (9000, 1)


def test_the_high_water_mark_counts_where_it_rose(
    monitor: PerformanceMonitor, probe: FixedProbe
) -> None:
    with monitor.measuring("try-on", "first") as first:
        pass
    with monitor.measuring("try-on", "second") as second:
        probe.high_water = 7000
    assert first.metrics is not None and first.metrics.peak_rss == 1000
    assert second.metrics is not None and second.metrics.peak_rss == 7000


def test_gpus_are_those_of_the_samples(monitor: PerformanceMonitor, probe: FixedProbe) -> None:
    with monitor.measuring("try-on", "fitting") as running:
        probe.cards = (card(500, 80.0), card(100, 40.0, 1))
        monitor.sample()
        probe.cards = (card(200, 20.0), card(100, None, 1))
        monitor.sample()
    metrics = running.metrics
    assert metrics is not None
    assert (metrics.gpu_memory, metrics.gpu_peak_memory) == (300, 600)
    assert metrics.gpu_utilisation == 40.0


def test_a_short_operation_sees_the_gpus_at_its_end(
    monitor: PerformanceMonitor, clock: Clock, probe: FixedProbe
) -> None:
    probe.cards = (card(500, None),)
    monitor.sample()
    with monitor.measuring("try-on", "fitting") as running:
        clock.pass_by(0.05)
    assert running.metrics is not None
    assert (running.metrics.gpu_memory, running.metrics.gpu_utilisation) == (500, None)


def test_without_a_gpu_nothing_is_said_of_one(monitor: PerformanceMonitor) -> None:
    with monitor.measuring("try-on", "fitting") as running:
        monitor.sample()
    assert running.metrics is not None
    assert running.metrics.gpu_memory is running.metrics.gpu_utilisation is None


def test_an_exception_is_the_blocks_error_and_goes_on(monitor: PerformanceMonitor) -> None:
    with (
        pytest.raises(ValueError, match="too small"),
        monitor.measuring("try-on", "fitting") as running,
    ):
        raise ValueError("too small")
    assert running.metrics is not None
    assert (running.metrics.success, running.metrics.error) == (False, "ValueError: too small")


@pytest.mark.parametrize("wrong", [7, "fitting", -1])
def test_an_id_that_does_not_run_is_named(monitor: PerformanceMonitor, wrong: Any) -> None:
    with pytest.raises(OptionError, match=repr(wrong)):
        monitor.stop_monitoring(wrong)


def test_an_operation_ends_once(monitor: PerformanceMonitor) -> None:
    number = monitor.start_monitoring("try-on", "fitting")
    monitor.stop_monitoring(number)
    with pytest.raises(OptionError):
        monitor.stop_monitoring(number)


@pytest.mark.parametrize("value", [math.nan, math.inf, -0.1, 1.5, "good"])
def test_an_accuracy_that_is_none_is_refused_and_the_operation_runs_on(
    monitor: PerformanceMonitor, value: Any
) -> None:
    number = monitor.start_monitoring("try-on", "fitting")
    with pytest.raises(OptionError, match="accuracy"):
        monitor.stop_monitoring(number, accuracy=value)
    assert monitor.stop_monitoring(number).success


@pytest.mark.parametrize(
    "options",
    [{"rate": -1}, {"rate": math.nan}, {"window": 0}, {"most": 0}, {"most": 1.5}, {"linger": -1}],
)
def test_settings_that_make_no_sense_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(OptionError, match=next(iter(options))):
        PerformanceMonitor(**options)


def test_operations_nest(monitor: PerformanceMonitor, clock: Clock) -> None:
    with monitor.measuring("try-on", "all"):
        clock.pass_by(1)
        with monitor.measuring("try-on", "fitting"):
            clock.pass_by(2)
    found = {one.operation: one.seconds for one in monitor.get_performance_summary()}
    assert {name: spread and spread.max for name, spread in found.items()} == {
        "all": 3.0,
        "fitting": 2.0,
    }


def test_a_summary_is_of_the_window(monitor: PerformanceMonitor, clock: Clock) -> None:
    monitor.record("hub", "load", seconds=50.0, error="gone")
    clock.pass_by(290)
    monitor.record("hub", "load", seconds=4.0)
    monitor.record("hub", "load", seconds=2.0, error="broken")
    clock.pass_by(10)
    (found,) = monitor.get_performance_summary("hub")
    assert (found.count, found.errors, found.error_rate) == (2, 1, 0.5)
    assert (found.total_count, found.total_errors, found.last_error) == (3, 2, "broken")
    assert (found.span, found.throughput) == (300.0, 2 / 300)
    assert found.seconds is not None and found.seconds.mean == 3.0


def test_throughput_counts_from_the_beginning_of_the_first_call(
    monitor: PerformanceMonitor, clock: Clock
) -> None:
    for _ in range(2):
        with monitor.measuring("try-on", "fitting"):
            clock.pass_by(5.0)
    (found,) = monitor.get_performance_summary()
    assert found.throughput == 0.2


def test_values_alone_count_as_no_call(monitor: PerformanceMonitor) -> None:
    monitor.record("try-on", "parsing", accuracy=0.9)
    (found,) = monitor.get_performance_summary()
    assert (found.count, found.error_rate, found.values["accuracy"].p50) == (0, None, 0.9)


def test_what_runs_is_in_the_summary(monitor: PerformanceMonitor) -> None:
    monitor.start_monitoring("try-on", "fitting")
    (found,) = monitor.get_performance_summary()
    assert (found.running, found.count) == (1, 0)


def test_memory_is_bounded(clock: Clock, probe: FixedProbe) -> None:
    monitor = PerformanceMonitor(rate=0, most=5, most_operations=3, clock=clock, probe=probe)
    for number in range(50):
        monitor.record("try-on", "kept", seconds=1.0)
        monitor.record("try-on", f"once {number}", seconds=1.0)
    found = monitor.get_performance_summary()
    assert [one.operation for one in found] == ["kept", "once 48", "once 49"]
    assert max(one.count for one in found) == 5


def test_names_of_values_are_bounded(monitor: PerformanceMonitor) -> None:
    with pytest.raises(OptionError, match="32 kinds"):
        monitor.record("a", "b", **{f"value {number}": 1.0 for number in range(33)})


def test_figures_become_json(monitor: PerformanceMonitor) -> None:
    with monitor.measuring("try-on", "fitting") as running:
        running.note(accuracy=1)
    assert running.metrics is not None
    said = json.loads(json.dumps(running.metrics.to_dict()))
    assert (said["success"], said["values"]) == (True, {"accuracy": 1.0})
    (found,) = monitor.get_performance_summary()
    assert json.loads(json.dumps(found.to_dict()))["values"]["accuracy"]["p99"] == 1.0


def test_many_threads_lose_nothing() -> None:
    monitor = PerformanceMonitor(rate=1000, most=10_000)

    def work() -> None:
        for _ in range(200):
            with monitor.measuring("try-on", "outer"), monitor.measuring("try-on", "inner"):
                pass

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = monitor.get_performance_summary()
    monitor.close()
    assert {one.operation: one.total_count for one in found} == {"inner": 1600, "outer": 1600}
    assert not any(one.running for one in found)


def test_cpu_time_is_that_of_the_thread_where_it_stopped_it() -> None:
    monitor = PerformanceMonitor(rate=0)
    with monitor.measuring("a", "here") as here:
        sum(range(100_000))
    number = monitor.start_monitoring("a", "there")
    there = []
    thread = threading.Thread(target=lambda: there.append(monitor.stop_monitoring(number)))
    thread.start()
    thread.join()
    assert here.metrics is not None and here.metrics.thread_seconds
    assert there[0].thread_seconds is None


FORKED = """
import os, threading
from mycloset.monitor import PerformanceMonitor
monitor = PerformanceMonitor(rate=100)
page = monitor.serve(0)
sum(range(1_000_000))
number = monitor.start_monitoring("try-on", "fitting")
held = threading.Event(), threading.Event()
def other():
    with monitor._ledger._lock, monitor._watch._lock, monitor._ledger.subscribers._lock:
        held[0].set()
        held[1].wait(20)
thread = threading.Thread(target=other)
thread.start()
held[0].wait(20)
child = os.fork()
if child == 0:
    metrics = monitor.stop_monitoring(number)
    assert 0 <= metrics.cpu_seconds < 0.5, metrics
    with monitor.measuring("try-on", "child"):
        pass
    assert "child" in monitor.metrics_text()
    monitor.close()
    os._exit(0)
held[1].set()
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
assert monitor.stop_monitoring(number).success
monitor.close()
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_child_process_goes_on_even_where_another_thread_held_the_locks() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", FORKED], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr


def test_importing_costs_little_and_starts_no_thread() -> None:
    script = (
        "import sys, threading, mycloset.monitor as m; m.PerformanceMonitor()\n"
        "assert threading.active_count() == 1\n"
        "assert not {'psutil', 'numpy', 'torch', 'pynvml', 'prometheus_client'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


# Decorated functions


def counted(monitor: PerformanceMonitor) -> dict[str, tuple[int, int]]:
    return {
        one.operation: (one.count, one.errors) for one in monitor.get_performance_summary("work")
    }


def test_a_function_is_measured_and_stays_what_it_is(monitor: PerformanceMonitor) -> None:
    @monitor.measured("work")
    def double(number: int, *, fail: bool = False) -> int:
        """Twice."""
        if fail:
            raise ValueError("no")
        return 2 * number

    assert double(4) == 8
    with pytest.raises(ValueError, match="no"):
        double(1, fail=True)
    assert (double.__name__, double.__doc__) == ("double", "Twice.")
    assert counted(monitor) == {"double": (2, 1)}


def test_a_coroutine_is_measured_until_it_is_done(
    monitor: PerformanceMonitor, clock: Clock
) -> None:
    @monitor.measured("work", "wait")
    async def wait() -> str:
        await asyncio.sleep(0)
        clock.pass_by(3.0)
        return "done"

    assert inspect.iscoroutinefunction(wait)
    assert asyncio.run(wait()) == "done"
    (found,) = monitor.get_performance_summary("work")
    assert found.seconds is not None and found.seconds.max == 3.0


def test_a_cancelled_coroutine_failed(monitor: PerformanceMonitor) -> None:
    @monitor.measured("work", "wait")
    async def wait() -> None:
        await asyncio.sleep(60)

    async def cancel() -> None:
        task = asyncio.ensure_future(wait())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancel())
    assert counted(monitor) == {"wait": (1, 1)}


def test_a_generator_takes_what_is_sent_and_thrown(monitor: PerformanceMonitor) -> None:
    @monitor.measured("work")
    def echo() -> Generator[str, str, str]:
        got = yield "ready"
        try:
            yield got
        except KeyError:
            yield "caught"
        return "end"

    items = echo()
    assert (next(items), items.send("hello"), items.throw(KeyError())) == (
        "ready", "hello", "caught",
    )  # fmt: skip
    with pytest.raises(StopIteration) as ended:
        next(items)
    assert ended.value.value == "end"
    assert counted(monitor) == {"echo": (1, 0)}


def test_a_generator_that_somebody_had_enough_of_did_not_fail(monitor: PerformanceMonitor) -> None:
    @monitor.measured("work")
    def endless() -> Generator[int, None, None]:
        while True:
            yield 1

    items = endless()
    next(items)
    items.close()
    assert counted(monitor) == {"endless": (1, 0)}


def test_an_asynchronous_generator_takes_what_is_sent_and_thrown(
    monitor: PerformanceMonitor,
) -> None:
    closed = []

    @monitor.measured("work")
    async def echo() -> AsyncGenerator[str, str]:
        try:
            got = yield "ready"
            try:
                yield got
            except KeyError:
                yield "caught"
            yield "more"
        finally:
            closed.append(True)

    async def use() -> list[str | None]:
        items = echo()
        seen = [await anext(items), await items.asend("hello"), await items.athrow(KeyError())]
        await items.aclose()
        return [*seen, *[item async for item in echo()]]

    assert asyncio.run(use()) == ["ready", "hello", "caught", "ready", None, "more"]
    assert closed == [True, True]
    assert counted(monitor) == {"echo": (2, 0)}
