"""Residency: which models are in memory, and which leave when another needs the room."""

from __future__ import annotations

import threading
import time
import weakref
from collections import Counter, OrderedDict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Generic, Literal, TypeAlias, TypeVar

from mycloset.hub.eviction import Foresight, choose, keep_set, worth
from mycloset.hub.leaving import Left, sweep
from mycloset.hub.ledger import Ledger, Piece
from mycloset.hub.refusals import BudgetError, no_room, too_large
from mycloset.hub.stopping import PULSE, Stop, check, result

Key = TypeVar("Key", bound=Hashable)
Held = TypeVar("Held")

PATIENCE = 60.0
"""Seconds that a load waits for what other threads use."""

SLACK = 0.01
"""Share of the budget that no plan counts on: what is loaded is a little more than was said."""

Reason: TypeAlias = Literal["room", "asked"]


@dataclass
class _Entry(Generic[Held]):
    """What is held under a key, or on its way there."""

    pieces: Mapping[Piece, int]
    future: Future[Held] = field(default_factory=Future)
    users: Counter[int] = field(default_factory=Counter)  # by thread
    pinned: bool = False
    seconds: float = 0.0

    @property
    def size(self) -> int:
        return sum(self.pieces.values())


class Residency(Generic[Key, Held]):
    """Keeps what was loaded within a number of bytes on each device.

    What was used longest ago leaves first or, where the future is known (`expect`), what is worth
    least to keep. Threads that ask for one key load it once; a load that fails is told to all who
    wait for it, and forgotten. What is pinned or in use does not leave. What has left but is still
    held by somebody else counts until it is gone.

    Args:
        budget: bytes, by device; a number is that of "cpu". A device without one is not bounded.
        most: how many may be held at once; None for any number.
        measure: the pieces of memory that something holds; by default what was said of it.
        cores: the objects whose end means that the memory is free; by default the held one itself.
        on_leaving: called with a key, its bytes and "room" or "asked", after it has left.
        patience: seconds that a load waits for what other threads use.
    """

    def __init__(
        self,
        budget: int | Mapping[str, int],
        *,
        most: int | None = None,
        measure: Callable[[Held], Mapping[Piece, int]] | None = None,
        cores: Callable[[Held], Iterable[object]] = lambda held: (held,),
        on_leaving: Callable[[Key, int, Reason], None] | None = None,
        patience: float = PATIENCE,
    ) -> None:
        self.budgets = dict(budget) if isinstance(budget, Mapping) else {"cpu": budget}
        self.most = most
        self._measure = measure
        self._cores = cores
        self._on_leaving = on_leaving
        self._patience = patience
        self._entries: OrderedDict[Key, _Entry[Held]] = OrderedDict()
        self._ledger = Ledger()
        self._lingering: list[Left[Key]] = []
        self._foresight: Foresight[Key] = Foresight()
        self._kept: frozenset[Key] = frozenset()
        self._seconds: dict[Key, float] = {}
        self._current: weakref.WeakKeyDictionary[threading.Thread, Key] = (
            weakref.WeakKeyDictionary()
        )
        self._changed = threading.Condition()

    @property
    def budget(self) -> int:
        """Bytes on the CPU."""
        return self.budgets["cpu"]

    @property
    def used(self) -> int:
        """Bytes on the CPU of what is held, or on its way."""
        return self.used_on("cpu")

    def used_on(self, device: str) -> int:
        """Bytes on a device of what is held, on its way, or lingering."""
        with self._changed:
            self._forget_gone()
            return self._ledger.used(device)

    def held(self) -> tuple[Key, ...]:
        """What is in memory, the least recently used first."""
        with self._changed:
            return tuple(key for key, entry in self._entries.items() if entry.future.done())

    def size(self, key: Key) -> int:
        """Bytes of what is held under a key, shared ones included; 0 where nothing is."""
        with self._changed:
            entry = self._entries.get(key)
            return entry.size if entry is not None else 0

    def seconds(self, key: Key) -> float | None:
        """How long the last load of a key took; None where it never was loaded."""
        return self._seconds.get(key)

    def expect(
        self,
        keys: Sequence[Key],
        *,
        repeat: bool = False,
        sizes: Mapping[Key, int] | None = None,
        ahead: int = 0,
    ) -> None:
        """Say what will be asked for, in order; nothing at all forgets the plan.

        Args:
            keys: the plan.
            repeat: whether it begins anew when it ends.
            sizes: bytes of each on the CPU, where they are known: then what had best stay for
                good in a plan that repeats itself does.
            ahead: how many are fetched ahead.
        """
        kept: frozenset[Key] = frozenset()
        if repeat and sizes and keys and "cpu" in self.budgets:
            room = int((1 - SLACK) * self.budgets["cpu"])
            kept = keep_set(keys, sizes, room, ahead=ahead)
        with self._changed:
            self._foresight.expect(keys, repeat=repeat)
            self._kept = kept

    def get(
        self,
        key: Key,
        size: int | Mapping[Piece, int],
        load: Callable[[], Held],
        *,
        ahead: bool = False,
        stop: Stop | None = None,
    ) -> Held:
        """What is held under a key; loaded if it is not.

        Args:
            key: what is asked for.
            size: bytes that it will take on the CPU, or its pieces.
            load: makes it; called without any lock held.
            ahead: whether it is only fetched for later: then nothing leaves for it that is needed
                sooner, and nothing is waited for.
            stop: ends the waiting.

        Raises:
            BudgetError: it does not fit, even when all that may leave has left.
            StoppedError: `stop` was set.
        """
        return self._take(key, size, load, ahead=ahead, stop=stop, use=False)

    @contextmanager
    def using(
        self,
        key: Key,
        size: int | Mapping[Piece, int],
        load: Callable[[], Held],
        *,
        stop: Stop | None = None,
    ) -> Iterator[Held]:
        """What is held under a key; while the block lasts, it does not leave. As `get`."""
        held = self._take(key, size, load, ahead=False, stop=stop, use=True)
        entry = self._entries[key]
        try:
            yield held
        finally:
            del held
            self._done(entry)

    def pin(self, key: Key, pinned: bool = True) -> None:
        """Whether what is held under a key may leave by itself; KeyError where nothing is."""
        with self._changed:
            self._entries[key].pinned = pinned
            self._changed.notify_all()

    def pinned(self, key: Key) -> bool:
        """Whether what is held under a key was pinned."""
        with self._changed:
            return key in self._entries and self._entries[key].pinned

    def peek(self, key: Key) -> Held | None:
        """What is held under a key; None where nothing is. Counts as no use."""
        with self._changed:
            entry = self._entries.get(key)
            return entry.future.result() if entry is not None and entry.future.done() else None

    def shared(self, key: Key) -> int:
        """Bytes of what is held under a key that others hold as well."""
        with self._changed:
            entry = self._entries.get(key)
            if entry is None:
                return 0
            return entry.size - sum(self._ledger.freed([entry.pieces]).values())

    def drop(self, key: Key) -> bool:
        """Let go of what is held under a key and not in use; whether there was something."""
        with self._changed:
            entry = self._entries.get(key)
            if entry is None or not entry.future.done() or entry.users:
                return False
            del entry
            left = self._leave([key])
        self._sweep(left, "asked")
        return True

    def clear(self) -> None:
        """Let go of all that is held and not in use."""
        self._let_go("asked", pinned=True)

    def relieve(self) -> None:
        """Let all leave that may: the system is short of memory."""
        self._let_go("room", pinned=False)

    def _let_go(self, reason: Reason, *, pinned: bool) -> None:
        with self._changed:
            going = [
                key
                for key, entry in self._entries.items()
                if entry.future.done() and not entry.users and (pinned or not entry.pinned)
            ]
            left = self._leave(going)
        self._sweep(left, reason)

    def _take(
        self,
        key: Key,
        size: int | Mapping[Piece, int],
        load: Callable[[], Held],
        *,
        ahead: bool,
        stop: Stop | None,
        use: bool,
    ) -> Held:
        pieces = {Piece("cpu", ("promised", key)): size} if isinstance(size, int) else size
        with self._changed:
            if not ahead:
                self._asked(key)
            left = self._room(key, pieces, ahead, stop)
            entry = self._entries.get(key)
            if entry is None:
                entry = self._entries[key] = _Entry(pieces)
                self._ledger.add(pieces)
            if not ahead:
                self._entries.move_to_end(key)
            if use:
                entry.users[threading.get_ident()] += 1
        try:
            if left is not None:
                self._load(key, entry, left, load)
            return result(entry.future, stop)
        except BaseException:
            if use:
                self._done(entry)
            raise

    def _asked(self, key: Key) -> None:
        """This thread asks for a key, or uses again what it asked for last. Needs the lock."""
        thread = threading.current_thread()
        if self._current.get(thread) != key:
            self._foresight.asked(key)
            self._current[thread] = key

    def _done(self, entry: _Entry[Held]) -> None:
        """This thread no longer uses an entry."""
        with self._changed:
            entry.users[threading.get_ident()] -= 1
            entry.users += Counter()  # takes away what is zero
            self._changed.notify_all()

    def _load(
        self, key: Key, entry: _Entry[Held], left: list[Left[Key]], load: Callable[[], Held]
    ) -> None:
        """Load, when what has left for it is gone; count it by what it really holds."""
        began = time.perf_counter()
        held: Held | None = None
        try:
            if not self._sweep(left, "room"):
                self._fit(key)
            held = load()
            if self._measure is not None:
                pieces = self._measure(held)
                with self._changed:
                    self._ledger.add(pieces)
                    self._ledger.remove(entry.pieces)
                    entry.pieces = pieces
                self._fit(key)
            entry.seconds = self._seconds[key] = time.perf_counter() - began
        except BaseException as error:
            held = None  # its memory is free before others may ask
            with self._changed:
                self._ledger.remove(entry.pieces)
                del self._entries[key]
                entry.future.set_exception(error)
                self._changed.notify_all()
            raise
        with self._changed:
            entry.future.set_result(held)
            self._changed.notify_all()

    def _fit(self, key: Key) -> None:
        """Let others leave where a key's pieces are more than was said of them.

        Raises:
            BudgetError: that is not enough.
        """
        with self._changed:
            victims = self._victims(key, {}, ahead=False)
            if isinstance(victims, BudgetError):
                raise victims
            left = self._leave(victims)
        self._sweep(left, "room")

    def _room(
        self, key: Key, pieces: Mapping[Piece, int], ahead: bool, stop: Stop | None
    ) -> list[Left[Key]] | None:
        """Make room for a key; what left for it, or None where it is there or on its way.

        Needs the lock, and lets go of it while it waits for what other threads use.
        """
        until = time.monotonic() + self._patience
        while key not in self._entries:
            victims = self._victims(key, pieces, ahead)
            if not isinstance(victims, BudgetError):
                return self._leave(victims)
            check(stop)
            if ahead or not self._others_at_work() or time.monotonic() > until:
                raise victims
            self._changed.wait(PULSE)
        return None

    def _others_at_work(self) -> bool:
        """Whether some other thread may soon be done with what it uses or loads."""
        me = threading.get_ident()
        return any(
            not entry.future.done() or any(thread != me for thread in entry.users)
            for entry in self._entries.values()
        )

    def _victims(
        self, key: Key, pieces: Mapping[Piece, int], ahead: bool
    ) -> list[Key] | BudgetError:
        """Who leaves so that `pieces` fit as well; or why they cannot. Needs the lock."""
        self._forget_gone()
        needs = Counter[str]()
        for piece, size in pieces.items():
            needs[piece.device] += size
        for device, size in needs.items():
            if size > self.budgets.get(device, size):
                return too_large(key, size, self.budgets[device], device)
        count = len(self._entries) + (key not in self._entries)

        def over(leaving: Sequence[Key]) -> list[str]:
            freed = self._ledger.freed(self._entries[other].pieces for other in leaving)
            return [
                device
                for device, most in self.budgets.items()
                if self._ledger.used(device) + needs[device] - freed[device] > most
            ]

        def crowded(leaving: Sequence[Key]) -> bool:
            return self.most is not None and count - len(leaving) > self.most

        ranked = self._ranked(key, ahead)
        if not crowded(()):
            full = set(over(()))
            ranked = [k for k in ranked if full & {p.device for p in self._entries[k].pieces}]
        found = choose(
            ranked,
            lambda leaving: not crowded(leaving) and not over(leaving),
            spare=self._foresight.known,
        )
        return self._refusal(key, needs, over(ranked)) if found is None else found

    def _ranked(self, key: Key, ahead: bool) -> list[Key]:
        """Who may leave for a key, the first to leave first."""
        current = set(self._current.values()) - {key}
        distance = self._foresight.distance
        may = [
            other
            for other, entry in self._entries.items()
            if other != key and entry.future.done() and not entry.users and not entry.pinned
        ]
        if ahead:
            # What a thread has just asked for stays, and so does what is needed sooner.
            may = [other for other in may if other not in current and other not in self._kept]
            if self._foresight.known:
                may = [other for other in may if distance(other) > distance(key)]
        if not self._foresight.known:
            return may

        def rank(other: Key) -> tuple[bool, bool, tuple[float, int]]:
            entry = self._entries[other]
            value = worth(distance(other), entry.size, entry.seconds)
            return other in current, other in self._kept, value

        return sorted(may, key=rank)

    def _forget_gone(self) -> None:
        """No longer count what lingered and is gone. Needs the lock."""
        for lost in [lost for lost in self._lingering if lost.gone]:
            self._ledger.remove(lost.pieces)
            self._lingering.remove(lost)

    def _refusal(self, key: Key, needs: Counter[str], over: Sequence[str]) -> BudgetError:
        device = over[0] if over else "cpu"
        staying = sum(
            entry.size
            for entry in self._entries.values()
            if entry.users or entry.pinned or not entry.future.done()
        )
        lingering = sum(lost.size for lost in self._lingering)
        room = self.budgets[device]
        return no_room(key, needs[device], room, device, staying=staying, lingering=lingering)

    def _leave(self, keys: Sequence[Key]) -> list[Left[Key]]:
        """Take entries out; `_sweep` does the rest without the lock, which this needs."""
        left = []
        for key in keys:
            entry = self._entries.pop(key)
            self._ledger.remove(entry.pieces)
            left.append(Left.watching(key, entry.pieces, self._cores(entry.future.result())))
        return left

    def _sweep(self, left: Sequence[Left[Key]], reason: Reason) -> bool:
        """See to it that what has left is gone and the system has its memory; whether all is."""
        if not left:
            return True
        lingering = sweep(left)
        with self._changed:
            for lost in lingering:
                self._ledger.add(lost.pieces)
            self._lingering.extend(lingering)
            self._changed.notify_all()
        if self._on_leaving is not None:
            for lost in left:
                self._on_leaving(lost.key, lost.size, reason)
        return not lingering
