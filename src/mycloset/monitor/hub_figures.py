"""What the hub's events add up to."""

from __future__ import annotations

import copy
from collections import Counter
from pathlib import Path

from mycloset.hub.events import Event, FellBack, LoadFailed, ModelAsked, ModelLeft, ModelLoaded
from mycloset.monitor.statistics import DURATION_BOUNDS, Histogram


class HubFigures:
    """Totals of the hub's events since the beginning. Not locked: its owner does that.

    Attributes:
        loads: seconds that loads took, by device and precision.
        waits: seconds for which those waited who asked for a model, by whether it was there.
        loaded_bytes: by device.
        reloads: loads of models that had been in memory before.
        ahead: loads before anybody asked.
        failures: loads that failed.
        fallbacks: by role, and whether another model serves ("other") or none ("none").
        left, left_bytes: models that left memory, by device and reason.
    """

    def __init__(self) -> None:
        self.loads: dict[tuple[str, str], Histogram] = {}
        self.waits: dict[bool, Histogram] = {}
        self.loaded_bytes: Counter[str] = Counter()
        self.reloads = 0
        self.ahead = 0
        self.failures = 0
        self.fallbacks: Counter[tuple[str, str]] = Counter()
        self.left: Counter[tuple[str, str]] = Counter()
        self.left_bytes: Counter[tuple[str, str]] = Counter()
        self._held: Counter[tuple[str, Path]] = Counter()

    def add(self, event: Event) -> None:
        """Count one event."""
        match event:
            case ModelAsked():
                waits = self.waits.setdefault(event.there, Histogram(DURATION_BOUNDS))
                waits.add(event.waited)
            case ModelLoaded():
                kind = (event.device, event.precision)
                self.loads.setdefault(kind, Histogram(DURATION_BOUNDS)).add(event.seconds)
                self.loaded_bytes[event.device] += event.bytes
                self.reloads += event.again
                self.ahead += event.ahead
                self._held[event.device, event.path] += event.bytes
            case ModelLeft():
                self.left[event.device, event.reason] += 1
                self.left_bytes[event.device, event.reason] += event.bytes
                self._held[event.device, event.path] -= event.bytes
                if self._held[event.device, event.path] <= 0:  # or loaded before we watched
                    del self._held[event.device, event.path]
            case LoadFailed():
                self.failures += 1
            case FellBack():
                self.fallbacks[event.role, "other" if event.used else "none"] += 1

    def resident(self) -> dict[str, tuple[int, int]]:
        """Models in memory, and their bytes, by device: what came and has not left."""
        found = dict.fromkeys([*self.loaded_bytes], (0, 0))
        for (device, _), size in self._held.items():
            count, total = found[device]
            found[device] = (count + 1, total + size)
        return found

    def copy(self) -> HubFigures:
        """One that later events do not change."""
        return copy.deepcopy(self)
