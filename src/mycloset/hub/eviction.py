"""Which of what is in memory leaves first: the longest unused, or what is needed last."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Hashable, Sequence
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)

NEVER = float("inf")


class Foresight(Generic[Key]):
    """What will be asked for, in order, and how far that has come."""

    def __init__(self) -> None:
        self._places: dict[Key, list[int]] = {}
        self._length = 0
        self._repeat = False
        self._at = 0

    @property
    def known(self) -> bool:
        """Whether there is a plan."""
        return bool(self._places)

    def expect(self, keys: Sequence[Key], *, repeat: bool) -> None:
        """Take a plan; `repeat` where it begins anew when it ends. None at all: no plan."""
        self._places = {}
        for place, key in enumerate(keys):
            self._places.setdefault(key, []).append(place)
        self._length = len(keys)
        self._repeat = repeat
        self._at = 0

    def asked(self, key: Key) -> None:
        """A key was asked for: the plan goes on behind its next place."""
        distance = self.distance(key)
        if distance != NEVER:
            self._at += int(distance) + 1
            if self._repeat:
                self._at %= self._length

    def distance(self, key: Key) -> float:
        """How many others are asked for before this key is; infinite where it is not awaited."""
        places = self._places.get(key)
        if not places:
            return NEVER
        found = bisect_left(places, self._at)
        if found < len(places):
            return places[found] - self._at
        return places[0] + self._length - self._at if self._repeat else NEVER


def worth(distance: float, size: int, seconds: float) -> float:
    """What keeping a byte saves: the least leaves first.

    Belady's rule (what is needed last leaves first, IBM Systems Journal 5(2), 1966), weighted by
    what it costs to have a byte back.

    Args:
        distance: how many others are asked for before it is.
        size: its bytes.
        seconds: what loading it took.
    """
    return seconds / max(size, 1) / (1.0 + distance)


def choose(
    ranked: Sequence[Key], enough: Callable[[Sequence[Key]], bool], *, spare: bool
) -> list[Key] | None:
    """Who leaves, of those who may; None where it is not enough that all do.

    Args:
        ranked: who may leave, the first to leave first.
        enough: whether it is enough that these leave.
        spare: keep those who turn out not to be needed because a large one leaves as well; the
            most worth first.
    """
    leaving: list[Key] = []
    for key in ranked:
        if enough(leaving):
            break
        leaving.append(key)
    if not enough(leaving):
        return None
    if spare:
        for key in reversed(leaving[:-1]):
            rest = [other for other in leaving if other != key]
            if enough(rest):
                leaving = rest
    return leaving
