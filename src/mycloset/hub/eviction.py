"""Which of what is in memory leaves first: the longest unused, or what is needed last."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Callable, Collection, Hashable, Iterator, Mapping, Sequence
from itertools import combinations
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


def keep_set(
    plan: Sequence[Key], sizes: Mapping[Key, int], room: int, *, ahead: int = 0
) -> frozenset[Key]:
    """What had best stay for good where a plan repeats itself.

    In a cycle, the furthest-first rule alone lets large and small drive each other out: what it
    loads anew is soon more than if a fixed part stayed and the rest passed through what is left.
    The choice is greedy, then bettered by exchanges; the furthest-first rule is taken as it is
    (nothing is kept) where a trial run of the plan loads less with it.

    Args:
        plan: one round of what is asked for, in order.
        sizes: bytes of each.
        room: bytes that there are.
        ahead: how many of those that come next are in memory as well.
    """
    count = len(plan)
    active = {
        frozenset(plan[(place + step) % count] for step in range(1 + ahead))
        for place in range(count)
    }
    uses = {key: plan.count(key) for key in plan}

    def fits(kept: Collection[Key]) -> bool:
        held = sum(sizes[key] for key in kept)
        return all(held + sum(sizes[k] for k in now if k not in kept) <= room for now in active)

    def saved(kept: Collection[Key]) -> int:
        return sum(sizes[key] * uses[key] for key in kept)

    best: frozenset[Key] = frozenset()
    for order in _orders(uses, sizes):
        kept: frozenset[Key] = frozenset()
        for key in order:
            if fits(kept | {key}):
                kept |= {key}
        best = max(best, kept, key=saved)
    better: frozenset[Key] | None = best
    while better is not None:
        best = better
        better = next(
            (k for k in _exchanges(best, uses) if saved(k) > saved(best) and fits(k)), None
        )
    return min((frozenset(), best), key=lambda kept: _trial(plan, sizes, room, ahead, kept))


def _orders(uses: Mapping[Key, int], sizes: Mapping[Key, int]) -> Iterator[list[Key]]:
    """Orders in which things may be taken up greedily."""
    yield sorted(uses, key=lambda key: -sizes[key])
    yield sorted(uses, key=lambda key: sizes[key])
    yield sorted(uses, key=lambda key: (-uses[key], sizes[key]))
    yield sorted(uses, key=lambda key: (-uses[key], -sizes[key]))


def _exchanges(kept: frozenset[Key], every: Collection[Key]) -> Iterator[frozenset[Key]]:
    """Sets with up to one fewer and two more."""
    others = [key for key in every if key not in kept]
    for coming in [*combinations(others, 1), *combinations(others, 2)]:
        yield kept.union(coming)
        for going in kept:
            yield (kept - {going}).union(coming)


ROUNDS = 20
"""How often a trial runs a plan: what the furthest-first rule keeps differs from round to round."""


def _trial(
    plan: Sequence[Key], sizes: Mapping[Key, int], room: int, ahead: int, kept: Collection[Key]
) -> int:
    """Bytes that are loaded when a plan is run again and again, from its second round on."""
    count = len(plan)
    foresight: Foresight[Key] = Foresight()
    foresight.expect(plan, repeat=True)
    held: dict[Key, int] = {}
    used = loaded = 0
    for place in range(count * ROUNDS):
        foresight.asked(plan[place % count])
        now = [plan[(place + step) % count] for step in range(1 + ahead)]
        for key in now:
            if key in held:
                continue
            loaded += sizes[key] if place >= count else 0
            leaving = sorted(
                (other for other in held if other not in now),
                key=lambda other: (other not in kept, foresight.distance(other), held[other]),
            )
            while leaving and used + sizes[key] > room:
                used -= held.pop(leaving.pop())
            held[key] = sizes[key]
            used += sizes[key]
    return loaded


def worth(distance: float, size: int, seconds: float) -> tuple[float, int]:
    """What keeping something saves, to be compared: the least leaves first.

    Belady's rule (what is needed last leaves first, IBM Systems Journal 5(2), 1966), weighted by
    what it costs to have a byte back; of equals the larger leaves. Costs are told apart by powers
    of sixteen: one load's seconds say little, and finer ones keep so many small models, each with
    its fixed share of time, that more bytes are loaded again.

    Args:
        distance: how many others are asked for before it is.
        size: its bytes.
        seconds: what loading it took.
    """
    cost = seconds / max(size, 1)
    level = round(math.log(cost / 1e-9, 16)) if cost > 0 else 0
    return 16.0**level / (1.0 + distance), -size


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
