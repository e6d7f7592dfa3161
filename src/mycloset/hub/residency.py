"""Residency: which models are in memory, and which leave when another needs the room."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from mycloset.errors import ModelFileError
from mycloset.hub.memory import release

Key = TypeVar("Key", bound=Hashable)
Held = TypeVar("Held")


WORTH_RELEASING = 1 << 20
"""Bytes that must have left before memory is swept for the system, which takes its time."""


class BudgetError(ModelFileError):
    """A model is larger than the memory that models may take, or than what is free of it."""


@dataclass
class _Entry(Generic[Held]):
    size: int
    future: Future[Held] = field(default_factory=Future)
    users: int = 0
    pinned: bool = False


class Residency(Generic[Key, Held]):
    """Keeps what was loaded within a number of bytes; the least recently used leaves first.

    Threads that ask for one key load it once; a load that fails is told to all who wait for it,
    and forgotten. What is pinned or in use does not leave.

    Args:
        budget: bytes.
        most: how many may be held at once; None for any number.
    """

    def __init__(self, budget: int, *, most: int | None = None) -> None:
        self.budget = budget
        self.most = most
        self._entries: OrderedDict[Key, _Entry[Held]] = OrderedDict()
        self._lock = threading.Lock()

    @property
    def used(self) -> int:
        """Bytes of what is held, or on its way."""
        with self._lock:
            return sum(entry.size for entry in self._entries.values())

    def held(self) -> tuple[Key, ...]:
        """What is in memory, the least recently used first."""
        with self._lock:
            return tuple(key for key, entry in self._entries.items() if entry.future.done())

    def get(self, key: Key, size: int, load: Callable[[], Held]) -> Held:
        """What is held under a key; loaded if it is not.

        Args:
            key: what is asked for.
            size: bytes that it will take.
            load: makes it; called without any lock held.

        Raises:
            BudgetError: it does not fit, even when all that may leave has left.
        """
        with self._lock:
            entry = self._entries.get(key)
            ours = entry is None
            if entry is None:
                left = self._make_room(key, size)
                entry = self._entries[key] = _Entry(size)
            else:
                self._entries.move_to_end(key)
                left = 0
        if left >= WORTH_RELEASING:
            release()
        if ours:
            try:
                entry.future.set_result(load())
            except BaseException as error:
                with self._lock:
                    self._entries.pop(key, None)
                entry.future.set_exception(error)
                raise
        return entry.future.result()

    @contextmanager
    def using(self, key: Key) -> Iterator[None]:
        """While it holds, what is held under the key does not leave."""
        with self._lock:
            entry = self._entries.get(key)
            if entry is not None:
                entry.users += 1
        try:
            yield
        finally:
            if entry is not None:
                with self._lock:
                    entry.users -= 1

    def pin(self, key: Key, pinned: bool = True) -> None:
        """Whether what is held under a key may leave by itself; KeyError where nothing is."""
        with self._lock:
            self._entries[key].pinned = pinned

    def drop(self, key: Key) -> bool:
        """Let go of what is held under a key; whether there was something."""
        with self._lock:
            entry = self._entries.get(key)
            there = entry is not None and entry.future.done()
            size = 0
            if entry is not None and there:
                size = entry.size
                del self._entries[key]
        del entry
        if size >= WORTH_RELEASING:
            release()
        return there

    def clear(self) -> None:
        """Let go of all that is held."""
        for key in self.held():
            self.drop(key)

    def _make_room(self, key: Key, size: int) -> int:
        """Let the least recently used leave until `size` fits; the bytes of those that left.

        Needs the lock.
        """
        if size > self.budget:
            raise BudgetError(
                f"{key}: it takes {_told(size)}, more than the {_told(self.budget)} for models.",
                hint="Give more memory, or a lower precision.",
            )
        leaving = []
        used = sum(entry.size for entry in self._entries.values())
        count = len(self._entries)
        for other, entry in self._entries.items():
            fits = used + size <= self.budget and (self.most is None or count < self.most)
            if fits:
                break
            if entry.future.done() and not entry.users and not entry.pinned:
                leaving.append(other)
                used -= entry.size
                count -= 1
        if used + size > self.budget or (self.most is not None and count >= self.most):
            raise BudgetError(
                f"{key}: it takes {_told(size)}; of the {_told(self.budget)} for models,"
                f" {_told(used)} are pinned or in use.",
                hint="Give more memory, or wait until less is in use.",
            )
        return sum(self._entries.pop(other).size for other in leaving)


def _told(size: float) -> str:
    for unit in ("B", "KB", "MB"):
        if size < 1000:
            return f"{size:.3g} {unit}"
        size /= 1000
    return f"{size:.3g} GB"
