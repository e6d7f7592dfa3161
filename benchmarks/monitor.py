"""What watching costs: the sampling thread, a start and a stop, and a busy workload beside none.

    python benchmarks/monitor.py [--seconds 10]

One run measures all of it. The sampling thread's CPU time is read from its own clock; a pair's time
is the least of several rounds; a workload's slow-down is the median of pairs of the same work, with
and without the monitor, taken in turns. Beside a pair stand those of a bare clock and of the timer
of prometheus_client, which measure no CPU time and no memory.
"""

from __future__ import annotations

import argparse
import os
import statistics
import threading
import time
import timeit
from collections.abc import Callable, Sequence

import numpy as np
from prometheus_client import CollectorRegistry
from prometheus_client import Histogram as Timer

from mycloset.monitor import PerformanceMonitor
from mycloset.monitor.performance_monitor import SAMPLES_A_SECOND
from mycloset.monitor.sampling import THREAD
from plain_table import table


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    asked.add_argument("--seconds", type=float, default=10.0, help="for each of the longer rows")
    seconds = asked.parse_args().seconds
    print(busy())
    print(f"\nSampling thread ({seconds:g} s each)\n")
    print(table(("looks a second", "looks", "CPU ms", "share of wall %"), sampling(seconds)))
    print("\nA start and a stop\n")
    print(table(("what", "microseconds"), pairs()))
    print("\nA busy workload in steps of some 20 ms: how much more it takes\n")
    print(
        table(
            ("workload", "rounds", "wall %", "quartiles", "CPU %", "quartiles"), workloads(seconds)
        )
    )
    print(f"\n{busy()}")


def busy() -> str:
    """How busy the machine is: neighbours spoil figures of slow-down."""
    load = ", ".join(f"{mean:.1f}" for mean in os.getloadavg())
    return f"{os.cpu_count()} cores, load {load} (1, 5, 15 minutes)"


def sampling(
    seconds: float, rates: Sequence[float] = (1.0, SAMPLES_A_SECOND, 100.0)
) -> list[list[str]]:
    """CPU time of the sampling thread while one operation runs."""
    rows = []
    for rate in rates:
        monitor = PerformanceMonitor(rate=rate)
        with monitor.measuring("benchmark", "sleep"):
            time.sleep(2.5 / rate)  # the first look imports psutil and opens NVML, once
            (thread,) = (one for one in threading.enumerate() if one.name == THREAD)
            assert thread.ident is not None
            clock = time.pthread_getcpuclockid(thread.ident)
            before, looks = time.clock_gettime(clock), len(monitor.get_samples())
            began = time.perf_counter()
            time.sleep(seconds)
            wall = time.perf_counter() - began
            used = time.clock_gettime(clock) - before
            looks = len(monitor.get_samples()) - looks
        monitor.close()
        told = " (default)" if rate == SAMPLES_A_SECOND else ""
        rows.append(
            [f"{rate:g}{told}", str(looks), f"{1e3 * used:.2f}", f"{100 * used / wall:.4f}"]
        )
    return rows


def pairs() -> list[list[str]]:
    """Microseconds of an empty block."""
    quiet, live, alerting = (PerformanceMonitor(rate=rate) for rate in (0, SAMPLES_A_SECOND, 0))
    alerting.set_thresholds(seconds=1.0, error_rate=0.5, memory_share=0.9)
    timer = Timer("empty", "An empty block.", registry=CollectorRegistry())

    def measured(monitor: PerformanceMonitor) -> Callable[[], None]:
        def run() -> None:
            with monitor.measuring("benchmark", "empty"):
                pass

        return run

    def clocked() -> None:
        began = time.perf_counter()
        time.perf_counter() - began

    def timed() -> None:
        with timer.time():
            pass

    whole = live.start_monitoring("benchmark", "all")
    named: dict[str, Callable[[], None]] = {
        "monitor, no sampling": measured(quiet),
        "monitor, no sampling, three thresholds": measured(alerting),
        "monitor, sampling at the default rate": measured(live),
        "bare perf_counter": clocked,
        "prometheus_client Histogram.time()": timed,
    }
    rows = []
    for name, run in named.items():
        number = 5_000
        best = min(timeit.repeat(run, number=number, repeat=7))
        rows.append([name, f"{1e6 * best / number:.2f}"])
    live.stop_monitoring(whole)
    live.close()
    return rows


def workloads(seconds: float) -> list[list[str]]:
    """How much longer the same work takes with the monitor, on the wall and in CPU time."""
    square = np.random.default_rng(0).random((400, 400), dtype=np.float32)

    def arithmetic() -> None:
        sum(number * number for number in range(250_000))

    def products() -> None:
        for _ in range(10):
            square @ square

    rows = []
    for name, step in (("pure Python", arithmetic), ("matrix products", products)):
        # Without lingering its thread is gone while the work runs bare.
        monitor = PerformanceMonitor(linger=0.0)
        ratios: list[tuple[float, float]] = []
        end = time.perf_counter() + seconds
        while time.perf_counter() < end or len(ratios) < 10:
            # Both come first once, as the machine's speed drifts.
            turns = [steps(step, watching) for watching in (None, monitor, monitor, None)]
            bare = np.add(turns[0], turns[3])
            watched = np.add(turns[1], turns[2])
            wall, cpu = 100 * (watched / bare - 1)
            ratios.append((float(wall), float(cpu)))
        monitor.close()
        row = [name, str(len(ratios))]
        for column in zip(*ratios, strict=True):
            low, middle, high = statistics.quantiles(column, n=4)
            row += [f"{middle:+.2f}", f"{low:+.2f} to {high:+.2f}"]
        rows.append(row)
    return rows


def steps(step: Callable[[], None], monitor: PerformanceMonitor | None) -> tuple[float, float]:
    """Wall and CPU seconds (of all threads) that ten steps take."""
    wall, cpu = time.perf_counter(), time.process_time()
    for _ in range(10):
        if monitor is None:
            step()
        else:
            with monitor.measuring("benchmark", "step"):
                step()
    return time.perf_counter() - wall, time.process_time() - cpu


if __name__ == "__main__":
    main()
