"""What runs at this moment, and the live samples of the process while it does."""

from __future__ import annotations

import itertools
import threading
from collections import Counter, deque
from collections.abc import Callable

from mycloset.monitor.alerts import Key
from mycloset.monitor.ledger import Ledger
from mycloset.monitor.measurement import Metrics, Running
from mycloset.monitor.sampling import Probe, Sample, Sampler

SAMPLES_KEPT = 1000
"""How many live samples are kept."""

WORTH_A_LOOK = 0.02
"""Seconds from which an operation without a live sample is worth asking the GPUs at its end: they
may take a millisecond to answer."""


class Watch:
    """The operations that run. All calls are safe from all threads.

    Args:
        rate: looks a second; 0 for none.
        linger: seconds for which the sampling thread outlives the last operation.
        ledger: what raises alerts on the memory that the samples see.
        probe, clock, wall_clock: as the monitor's.
    """

    def __init__(
        self,
        rate: float,
        linger: float,
        ledger: Ledger,
        probe: Probe,
        clock: Callable[[], float],
        wall_clock: Callable[[], float],
    ) -> None:
        self._rate = rate
        self._linger = linger * rate
        self._ledger, self._probe = ledger, probe
        self._clock, self._wall_clock = clock, wall_clock
        self._ids = itertools.count(1)
        self._running: dict[int, Running] = {}
        self._samples: deque[Sample] = deque(maxlen=SAMPLES_KEPT)
        self._sampled: tuple[float, float] | None = None
        self._sampler: Sampler | None = None
        self._idle = 0
        self._gpus_seen = False
        self._closed = False
        self._lock = threading.Lock()

    def start(self, name: str, operation: str) -> int:
        """An operation begins; its id."""
        running = Running(next(self._ids), name, operation)
        running.started_at = self._wall_clock()
        running.rss = running.peak = self._probe.rss()
        running.cpu, running.high_water = self._probe.usage()
        with self._lock:
            self._running[running.id] = running
            if self._rate and not self._closed:
                self._sample_on()
        running.began = self._clock()
        return running.id

    def stop(self, number: int, error: str | None, values: dict[str, float]) -> Metrics | None:
        """The operation of this id has ended; None where none of this id runs."""
        now = self._clock()
        usage = self._probe.usage()
        rss = self._probe.rss()
        with self._lock:
            running = self._running.pop(number, None)
        if running is None:
            return None
        long = now - running.began >= WORTH_A_LOOK
        if long and self._gpus_seen and not running.samples_gpu:
            running.see_gpus(self._probe.gpus())
        return running.ended(now, usage, rss, error, values)

    def counts(self) -> dict[Key, int]:
        """How many of each operation run."""
        with self._lock:
            return Counter(running.key for running in self._running.values())

    def samples(self) -> tuple[Sample, ...]:
        """The last live samples, oldest first."""
        with self._lock:
            return tuple(self._samples)

    def sample(self) -> Sample:
        """Look at the process and its GPUs now, for all operations that run."""
        rss, gpus = self._probe.look()
        now, cpu = self._clock(), self._probe.usage().cpu_seconds
        with self._lock:
            before, self._sampled = self._sampled, (now, cpu)
            percent = None
            if before is not None and now > before[0]:
                percent = 100 * max(0.0, cpu - before[1]) / (now - before[0])
            sample = Sample(now, rss, percent, len(self._running), gpus)
            self._samples.append(sample)
            self._gpus_seen = bool(gpus)
            for running in self._running.values():
                running.see(rss, gpus)
            keys = {running.key for running in self._running.values()}
        self._ledger.see_memory(keys, rss)
        return sample

    def tick(self) -> bool:
        """For the sampling thread: a sample where operations run; False ends the thread."""
        with self._lock:
            self._idle = 0 if self._running else self._idle + 1
            if self._closed or self._idle > self._linger:
                self._sampler = self._sampled = None
                return False
            busy = bool(self._running)
        if busy:
            self.sample()
        return True

    def close(self) -> None:
        """End the sampling thread, for good."""
        with self._lock:
            self._closed = True
            sampler, self._sampler = self._sampler, None
        if sampler is not None:
            sampler.stop()

    def forked(self) -> None:
        """In a child process: other threads are gone, and with them what they measured."""
        self._lock = threading.Lock()
        self._sampler = self._sampled = None
        self._gpus_seen = False
        own, high_water = threading.get_ident(), self._probe.usage().high_water
        for running in list(self._running.values()):
            if running.thread == own:
                running.forked(high_water)
            else:
                del self._running[running.id]

    def _sample_on(self) -> None:
        """Start the thread, unless it is there; one that died of an error is replaced."""
        if self._sampler is None or not self._sampler.alive:
            self._idle = 0
            self._sampler = Sampler(self, self._rate)
            self._sampler.start()
