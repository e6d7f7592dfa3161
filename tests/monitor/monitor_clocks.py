"""A clock and a probe that stand still until they are told."""

from __future__ import annotations

from mycloset.monitor.gpus import GpuStatus
from mycloset.monitor.sampling import Usage


class Clock:
    """Seconds that pass when somebody says so."""

    def __init__(self, now: float = 100.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now

    def pass_by(self, seconds: float) -> None:
        self.now += seconds


class FixedProbe:
    """Figures of a process that somebody sets."""

    def __init__(self) -> None:
        self.resident = 1000
        self.cpu = 5.0
        self.high_water = 2000
        self.cards: tuple[GpuStatus, ...] = ()
        self.looks = 0

    def usage(self) -> Usage:
        return Usage(self.cpu, self.high_water)

    def rss(self) -> int:
        return self.resident

    def look(self) -> tuple[int, tuple[GpuStatus, ...]]:
        self.looks += 1
        return self.resident, self.cards

    def gpus(self) -> tuple[GpuStatus, ...]:
        return self.cards

    def forked(self) -> None:
        return None


def card(used: int, busy: float | None, index: int = 0) -> GpuStatus:
    return GpuStatus(index, "card", used, 10_000, busy, "nvml")
