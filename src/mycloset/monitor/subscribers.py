"""Tells subscribers of alerts, in order, one after another, whatever any of them does."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterable
from typing import TypeAlias

from mycloset.monitor.alerts import Alert

Subscriber: TypeAlias = Callable[[Alert], object]

logger = logging.getLogger(__name__)


class Subscribers:
    """Those who want to know of alerts.

    Attributes:
        failures: how many times one of them raised an exception.
    """

    def __init__(self) -> None:
        self._held: dict[object, Subscriber] = {}
        self._waiting: deque[Alert] = deque()
        self.failures = 0
        self.forked()

    def add(self, subscriber: Subscriber) -> Callable[[], None]:
        """Subscribe; the returned call ends it, and may be called again without harm."""
        ticket = object()
        with self._lock:
            self._held[ticket] = subscriber

        def unsubscribe() -> None:
            with self._lock:
                self._held.pop(ticket, None)

        return unsubscribe

    def queue(self, alerts: Iterable[Alert]) -> None:
        """Line alerts up in the order in which they happened; `deliver` tells of them."""
        self._waiting.extend(alerts)

    def deliver(self) -> None:
        """Tell what is lined up, here and now, unless another thread is doing just that.

        That thread, or the caller further out where a subscriber itself causes an alert, then
        tells this, too: nobody waits for a slow subscriber of another's alert, and the order
        holds.
        """
        while self._waiting:
            telling = self._telling
            if not telling.acquire(blocking=False):
                return
            try:
                while self._waiting:
                    self._tell(self._waiting.popleft())
            finally:
                telling.release()

    def forked(self) -> None:
        """This is another process now: locks that other threads held are held for ever."""
        self._lock = threading.Lock()
        self._telling = threading.Lock()

    def _tell(self, alert: Alert) -> None:
        with self._lock:
            held = tuple(self._held.values())
        for subscriber in held:
            try:
                subscriber(alert)
            except Exception:  # logged with its trace: one who fails must not stop the measuring
                self.failures += 1
                logger.exception("A subscriber to alerts failed on: %s", alert.message)
