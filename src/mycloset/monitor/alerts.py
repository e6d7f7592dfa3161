"""Thresholds, and the alerts that they raise and clear, slowly enough not to ring for nothing."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from mycloset.errors import OptionError
from mycloset.monitor.hysteresis import Rule
from mycloset.monitor.plain import not_negative, plain, positive

SHARES = ("memory_share", "error_rate", "accuracy")
"""Measures that lie between 0 and 1."""

FALLING = ("accuracy",)
"""Measures that are bad when they are low."""

_RECOVERY = 0.1
"""How far from the limit, as a share of it, a measure must be to clear an alert by default."""


@dataclass(frozen=True)
class Threshold:
    """When an operation's measure is bad enough to tell somebody.

    Without `percentile`, an alert is raised when at least `breaches` of the last `of` values are
    beyond the limit, and cleared when as many in a row are within `clear`. With `percentile`, it
    is raised when that percentile of the window is beyond the limit, and cleared when it is
    within `clear`. The error rate always is that of the window. It is also cleared when no
    value came for a whole window. After it was cleared it is not raised for `cool_down` seconds.

    Attributes:
        measure: "seconds", "cpu_percent", "memory_share" (peak RSS of the process as a share of
            what its machine or container has), "error_rate", "accuracy", or the name of
            another recorded value.
        limit: what it may be; beyond is above, or for accuracy below.
        clear: what it must be again; by default a tenth within the limit.
        name, operation: whose; None is everybody's. Of several thresholds of one measure, only
            the one that names most counts (a name counts more than an operation).
        below: whether low values are the bad ones; by default only for accuracy.
        breaches, of: how many of how many values; both at least 1.
        percentile: above 0, to 100; None counts breaches.
        least: how many values a percentile or an error rate needs.
        cool_down: seconds.

    Raises:
        OptionError: a figure is NaN, negative, or not among those allowed.
    """

    measure: str
    limit: float
    clear: float | None = None
    name: str | None = None
    operation: str | None = None
    below: bool | None = None
    breaches: int = 3
    of: int = 5
    percentile: float | None = None
    least: int = 5
    cool_down: float = 60.0

    def __post_init__(self) -> None:
        what = f"threshold of {self.measure}"
        limit = not_negative(what, self.limit)
        if self.measure in SHARES and limit > 1:
            raise OptionError(f"{what}: {limit} is above 1.", hint="Give a share, as 0.9.")
        if self.below is None:
            object.__setattr__(self, "below", self.measure in FALLING)
        if self.clear is None:
            default = limit * (1 + _RECOVERY if self.below else 1 - _RECOVERY)
            if self.measure in SHARES:
                default = min(default, 1.0)
            object.__setattr__(self, "clear", default)
        clear = not_negative(f"{what}, clear", self.clear or 0.0)
        if clear < limit if self.below else clear > limit:
            side = "at least" if self.below else "0 to"
            raise OptionError(
                f"{what}: it would clear at {clear}, which is beyond its limit.",
                hint=f"Give {side} {limit}.",
            )
        for field in ("breaches", "of", "least"):
            count = getattr(self, field)
            if not isinstance(count, int) or count < 1:
                raise OptionError(f"{what}, {field}: {count!r}.", hint="Give 1 or more.")
        if self.breaches > self.of:
            raise OptionError(
                f"{what}: {self.breaches} breaches of {self.of} values cannot be.",
                hint="Give `of` at least as many.",
            )
        if self.percentile is not None and positive(f"{what}, percentile", self.percentile) > 100:
            raise OptionError(
                f"{what}, percentile: {self.percentile} is above 100.", hint="Give up to 100."
            )
        not_negative(f"{what}, cool_down", self.cool_down)

    def covers(self, name: str, operation: str) -> bool:
        """Whether it is about this operation."""
        return self.name in (None, name) and self.operation in (None, operation)

    @property
    def rank(self) -> int:
        """How closely it names an operation."""
        return 2 * (self.name is not None) + (self.operation is not None)

    def to_dict(self) -> dict[str, Any]:
        """The same for JSON."""
        made: dict[str, Any] = plain(self)
        return made


@dataclass(frozen=True)
class Alert:
    """A measure that is, or was, beyond its threshold.

    Attributes:
        number: the same when it is raised and when it is cleared.
        state: "raised" or "cleared".
        name, operation: whose measure.
        threshold: which it is beyond.
        value: the measure when the alert was raised: the last value, the percentile, or the rate.
        worst: the worst of it since.
        raised_at, cleared_at: seconds since 1970, UTC; cleared_at is None while it is raised.
        cleared_because: "recovered", "quiet" (no value came for a whole window), or "dropped"
            (the threshold was, or the operation is no longer kept); "" while it is raised.
    """

    number: int
    state: Literal["raised", "cleared"]
    name: str
    operation: str
    threshold: Threshold
    value: float
    worst: float
    raised_at: float
    cleared_at: float | None = None
    cleared_because: Literal["", "recovered", "quiet", "dropped"] = ""

    @property
    def message(self) -> str:
        """One sentence for a person."""
        side = "below" if self.threshold.below else "above"
        text = (
            f"{self.name}, {self.operation}: {self.threshold.measure} {self.value:.4g} is {side} "
            f"{self.threshold.limit:.4g}."
        )
        return text if self.state == "raised" else f"Cleared ({self.cleared_because}): {text}"

    def to_dict(self) -> dict[str, Any]:
        """The same for JSON."""
        return {**plain(self), "message": self.message}


Key = tuple[str, str]


class AlertBook:
    """Holds the rules of each operation and the alerts. Not locked: its owner does that."""

    def __init__(self, window: float, most: int, kept: int) -> None:
        self._window = window
        self._most = most
        self._rules: dict[Key, dict[Threshold, Rule]] = {}
        self._active: dict[tuple[Key, Threshold], Alert] = {}
        self._closed: deque[Alert] = deque(maxlen=kept)
        self._numbers = itertools.count(1)
        self.thresholds: tuple[Threshold, ...] = ()
        self.raised: dict[tuple[str, str, str], int] = {}
        """How many were raised since the beginning, by name, operation and measure."""

    def replace(self, thresholds: Sequence[Threshold], at: float) -> list[Alert]:
        """Take other thresholds; those that stay keep their alerts, the others' are cleared."""
        self.thresholds = tuple(dict.fromkeys(thresholds))
        changes = []
        for key in list(self._rules):
            chosen = self._chosen(key)
            for threshold in set(self._rules[key]) - set(chosen):
                del self._rules[key][threshold]
                changes += self._clear(key, threshold, at, "dropped")
            for threshold in chosen:
                self._rules[key].setdefault(threshold, self._rule(threshold))
        return changes

    def watches(self, measure: str) -> bool:
        """Whether any threshold is about it."""
        return any(threshold.measure == measure for threshold in self.thresholds)

    def update(self, key: Key, now: float, at: float, values: Mapping[str, float]) -> list[Alert]:
        """Take an operation's new values.

        Args:
            now: seconds of the monitor's clock.
            at: seconds since 1970.
            values: by measure; for the error rate 1 is a failed call, 0 another.

        Returns:
            what was raised or cleared by them.
        """
        if not self.thresholds:
            return []
        if key not in self._rules:
            self._rules[key] = {chosen: self._rule(chosen) for chosen in self._chosen(key)}
        changes = []
        for threshold, rule in self._rules[key].items():
            if threshold.measure not in values:
                continue
            change = rule.update(now, values[threshold.measure])
            if change == "raised":
                alert = Alert(
                    next(self._numbers), "raised", *key, threshold, rule.level, rule.level, at
                )
                self._active[key, threshold] = alert
                counter = (*key, threshold.measure)
                self.raised[counter] = self.raised.get(counter, 0) + 1
                changes.append(alert)
            elif change == "cleared":
                changes += self._clear(key, threshold, at, "recovered")
            elif rule.raised:
                self._worsen(key, threshold, rule.level)
        return changes

    def expire(self, now: float, at: float) -> list[Alert]:
        """Clear the alerts of which nothing was heard for a whole window."""
        changes = []
        for key, threshold in list(self._active):
            if self._rules[key][threshold].expire(now):
                changes += self._clear(key, threshold, at, "quiet")
        return changes

    def forget(self, key: Key, at: float) -> list[Alert]:
        """An operation is no longer kept."""
        rules = self._rules.pop(key, {})
        for counter in [found for found in self.raised if found[:2] == key]:
            del self.raised[counter]
        return [
            alert for threshold in rules for alert in self._clear(key, threshold, at, "dropped")
        ]

    def alerts(self) -> tuple[Alert, ...]:
        """Those that are raised and those that were cleared, by number."""
        found = (*self._closed, *self._active.values())
        return tuple(sorted(found, key=lambda alert: alert.number))

    @property
    def active(self) -> int:
        """How many are raised."""
        return len(self._active)

    def _chosen(self, key: Key) -> list[Threshold]:
        """The thresholds that count for an operation."""
        covering = [threshold for threshold in self.thresholds if threshold.covers(*key)]
        closest: dict[str, int] = {}
        for threshold in covering:
            closest[threshold.measure] = max(closest.get(threshold.measure, 0), threshold.rank)
        return [found for found in covering if found.rank == closest[found.measure]]

    def _rule(self, threshold: Threshold) -> Rule:
        kind: Literal["count", "percentile", "rate"] = "count"
        if threshold.measure == "error_rate":
            kind = "rate"
        elif threshold.percentile is not None:
            kind = "percentile"
        assert threshold.clear is not None
        return Rule(
            kind,
            limit=threshold.limit,
            clear=threshold.clear,
            below=bool(threshold.below),
            breaches=threshold.breaches,
            of=threshold.of,
            percent=threshold.percentile or 100.0,
            least=threshold.least,
            cool_down=threshold.cool_down,
            window=self._window,
            most=self._most,
        )

    def _worsen(self, key: Key, threshold: Threshold, level: float) -> None:
        alert = self._active[key, threshold]
        worst = min(alert.worst, level) if threshold.below else max(alert.worst, level)
        if worst != alert.worst:
            self._active[key, threshold] = replace(alert, worst=worst)

    def _clear(
        self,
        key: Key,
        threshold: Threshold,
        at: float,
        because: Literal["recovered", "quiet", "dropped"],
    ) -> list[Alert]:
        alert = self._active.pop((key, threshold), None)
        if alert is None:
            return []
        cleared = replace(alert, state="cleared", cleared_at=at, cleared_because=because)
        self._closed.append(cleared)
        return [cleared]
