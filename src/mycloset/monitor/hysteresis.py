"""When a measure's values raise an alert, and when they clear it again."""

from __future__ import annotations

from collections import deque
from typing import Literal

from mycloset.monitor.statistics import percentile, rank

Kind = Literal["count", "percentile", "rate"]
Change = Literal["raised", "cleared"]


class Rule:
    """Raised and cleared by a measure's values; no value is sorted until it is raised.

    Args:
        kind: "count": at least `breaches` of the last `of` values beyond the limit raise it, as
            many in a row within `clear` clear it. "percentile": the `percent` percentile of the
            window beyond the limit raises it, within `clear` clears it. "rate": likewise the
            mean of the window's zeros and ones.
        limit, clear: the two bounds; between them nothing changes.
        below: whether low values are beyond.
        least: how many values a percentile or a rate needs to raise it.
        cool_down: seconds after it was cleared in which it is not raised.
        window, most: how many seconds and how many values the window holds.

    Attributes:
        raised: whether it is.
        level: the measure as the kind sees it: last value, percentile (while raised), or rate.
    """

    def __init__(
        self,
        kind: Kind,
        *,
        limit: float,
        clear: float,
        below: bool = False,
        breaches: int = 3,
        of: int = 5,
        percent: float = 100.0,
        least: int = 5,
        cool_down: float = 60.0,
        window: float = 300.0,
        most: int = 1000,
    ) -> None:
        self._kind = kind
        self._limit, self._clear, self._below = limit, clear, below
        self._breaches, self._percent = breaches, percent
        self._least = min(least, most)
        self._cool_down, self._window = cool_down, window
        self._most = of if kind == "count" else most
        self._values: deque[tuple[float, float]] = deque()
        self._beyond = 0
        """How many of the values are beyond the limit."""
        self._uneasy = 0
        """How many are not within the bound that clears."""
        self._sum = 0.0
        self._calm_run = 0
        self._cleared_at: float | None = None
        self.raised = False
        self.level = 0.0

    def update(self, now: float, value: float) -> Change | None:
        """Take the next value; times must not go back.

        Returns:
            what it did: raised or cleared the alert; None where nothing changed.
        """
        if self._kind != "count":
            self._trim(now)
        self._values.append((now, value))
        self._count(value, 1)
        if len(self._values) > self._most:
            self._count(self._values.popleft()[1], -1)
        self._calm_run = 0 if self._is_uneasy(value) else self._calm_run + 1
        self.level = self._level(value)
        if self.raised:
            if not self._is_calm():
                return None
            self._end(now)
            return "cleared"
        if not self._is_bad() or self._cooling(now):
            return None
        self.raised = True
        if self._kind == "percentile":
            self.level = self._percentile()
        return "raised"

    def expire(self, now: float) -> bool:
        """Whether it was raised and is cleared now, as no value came for a whole window."""
        if not self.raised or (self._values and self._values[-1][0] > now - self._window):
            return False
        self._end(now)
        return True

    def _end(self, now: float) -> None:
        self.raised = False
        self._cleared_at = now
        if self._kind == "count":  # what raised it once must not raise it again
            self._values.clear()
            self._beyond = self._uneasy = 0
            self._calm_run = 0

    def _cooling(self, now: float) -> bool:
        return self._cleared_at is not None and now < self._cleared_at + self._cool_down

    def _is_bad(self) -> bool:
        count = len(self._values)
        if self._kind == "count":
            return self._beyond >= self._breaches
        if count < self._least:
            return False
        if self._kind == "rate":
            return self.level > self._limit
        return self._reaches(self._beyond)

    def _is_calm(self) -> bool:
        if self._kind == "count":
            return self._calm_run >= self._breaches
        if self._kind == "rate":
            return self.level <= self._clear
        return not self._reaches(self._uneasy)

    def _reaches(self, count: int) -> bool:
        """Whether the percentile is among the `count` worst values."""
        place = rank(len(self._values), self._percent)
        return count >= place if self._below else count > len(self._values) - place

    def _level(self, value: float) -> float:
        if self._kind == "rate":
            return self._sum / len(self._values)
        if self._kind == "percentile" and self.raised:
            return self._percentile()
        return value

    def _percentile(self) -> float:
        return percentile(sorted(value for _, value in self._values), self._percent)

    def _trim(self, now: float) -> None:
        while self._values and self._values[0][0] <= now - self._window:
            self._count(self._values.popleft()[1], -1)

    def _count(self, value: float, sign: int) -> None:
        self._beyond += sign * self._is_beyond(value)
        self._uneasy += sign * self._is_uneasy(value)
        if self._kind == "rate":
            self._sum += sign * value

    def _is_beyond(self, value: float) -> bool:
        return value < self._limit if self._below else value > self._limit

    def _is_uneasy(self, value: float) -> bool:
        return value < self._clear if self._below else value > self._clear
