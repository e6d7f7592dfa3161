"""HubStatistics: what a loader has done so far, counted from its own events."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace

from mycloset.hub.events import Event, FellBack, LoadFailed, ModelAsked, ModelLeft, ModelLoaded


@dataclass(frozen=True)
class HubStatistics:
    """Sums since the loader began.

    Attributes:
        asked: how often somebody asked for a model; there: how often it was in memory.
        loads: how many loads; again: how many of models that had been in memory before.
        ahead: how many loads were done before anybody asked.
        bytes_loaded, bytes_again: bytes of these loads.
        seconds_loading: time that loads took; seconds_waited: time that those who asked waited.
        left: how many models left to make room.
        failures: loads that failed; fallbacks: times that another model than the best served.
    """

    asked: int = 0
    there: int = 0
    loads: int = 0
    again: int = 0
    ahead: int = 0
    bytes_loaded: int = 0
    bytes_again: int = 0
    seconds_loading: float = 0.0
    seconds_waited: float = 0.0
    left: int = 0
    failures: int = 0
    fallbacks: int = 0


class Counting:
    """An observer that counts; threads may share it."""

    def __init__(self) -> None:
        self._now = HubStatistics()
        self._lock = threading.Lock()

    @property
    def now(self) -> HubStatistics:
        """The sums so far."""
        return self._now

    def __call__(self, event: Event) -> None:
        """Take an event into account."""
        with self._lock:
            self._now = _after(self._now, event)


def _after(now: HubStatistics, event: Event) -> HubStatistics:
    match event:
        case ModelAsked():
            return replace(
                now,
                asked=now.asked + 1,
                there=now.there + event.there,
                seconds_waited=now.seconds_waited + event.waited,
            )
        case ModelLoaded():
            return replace(
                now,
                loads=now.loads + 1,
                again=now.again + event.again,
                ahead=now.ahead + event.ahead,
                bytes_loaded=now.bytes_loaded + event.bytes,
                bytes_again=now.bytes_again + (event.bytes if event.again else 0),
                seconds_loading=now.seconds_loading + event.seconds,
            )
        case ModelLeft():
            return replace(now, left=now.left + (event.reason == "room"))
        case LoadFailed():
            return replace(now, failures=now.failures + 1)
        case FellBack():
            return replace(now, fallbacks=now.fallbacks + 1)
