"""ResultCache: a try-on that was made before is given at once, as long as it is the very same one.

What "the very same" means is said in `result_keys`. What failed, or fell back because a model
failed, is not kept: another time it may go better.
"""

from __future__ import annotations

import copy
import dataclasses
import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

import numpy as np

from mycloset.errors import OptionError, StoppedError
from mycloset.hub import memory as sizes
from mycloset.hub.stopping import Stop
from mycloset.tryon.result import TryOnResult
from mycloset.tryon.result_files import GIVEN
from mycloset.tryon.result_folder import ResultFolder
from mycloset.tryon.state import TryOnState

_PULSE = 0.05
"""Seconds between two looks at whether somebody wants an end."""


@dataclass(frozen=True)
class CacheInfo:
    """What a cache holds, and how it has served.

    Attributes:
        results: how many are in memory.
        bytes: of their arrays.
        stored: bytes on disk; 0 without a folder.
        hits: calls that were given a result that was there, or that another call was making.
        misses: calls that had to make theirs.
    """

    results: int
    bytes: int
    stored: int
    hits: int
    misses: int


class ResultCache:
    """Keeps finished try-ons within bounds; the one that was used longest ago leaves first.

    Threads that ask for the same thing at the same time make it once. Everybody gets arrays of
    their own, which they may change. In memory and on disk the whole result is kept, with every
    intermediate one; the pictures are those of the call.

    Args:
        memory: bytes for the arrays in memory: a number, or like "256MB"; 0 for none.
        folder: where results are kept on disk as well; None for nowhere.
        disk: bytes that they may take there, likewise.

    Raises:
        OptionError: a size is none.
        OutputError: nothing can be written into the folder.
    """

    def __init__(
        self,
        memory: int | str = "256MB",
        folder: str | os.PathLike[str] | None = None,
        disk: int | str = "2GB",
    ) -> None:
        self.memory = size_of_cache(memory, "memory")
        most = size_of_cache(disk, "disk")
        self._folder = ResultFolder(folder, most) if folder is not None else None
        self._held: OrderedDict[str, _Held] = OrderedDict()
        self._making: dict[str, Future[_Held]] = {}
        self._lock = threading.Lock()
        self._hits = self._misses = 0

    def get_or_make(
        self,
        key: str,
        given: TryOnState,
        make: Callable[[], TryOnResult],
        *,
        still: Callable[[], bool] = lambda: True,
        stop: Stop | None = None,
    ) -> TryOnResult:
        """The result of a key; made where there is none.

        Args:
            key: as from `result_key`.
            given: the pictures and figures that the key is of.
            make: makes it; errors of it are the caller's, and nothing is kept then.
            still: whether, once it was made, the key is still what it was (no file has changed).
            stop: ends the waiting for another call that makes the same.

        Raises:
            StoppedError: `stop` was set while another call was waited for.
        """
        with self._lock:
            held = self._held.get(key)
            if held is not None:
                self._held.move_to_end(key)
                self._hits += 1
            making = self._making.get(key)
            if held is None and making is None:
                ours = self._making[key] = Future()
        if held is not None:
            return held.give(given)
        if making is None:
            return self._make(key, given, make, still, ours)
        other = _awaited(making, stop)
        if other is None:  # The other call failed, which need not happen to this one.
            self._count(hit=False)
            return make()
        self._count(hit=True)
        return other.give(given)

    def info(self) -> CacheInfo:
        """What it holds now."""
        stored = self._folder.used if self._folder is not None else 0
        with self._lock:
            used = sum(held.size for held in self._held.values())
            return CacheInfo(len(self._held), used, stored, self._hits, self._misses)

    def clear(self) -> None:
        """Forget everything, on disk as well."""
        with self._lock:
            self._held.clear()
        if self._folder is not None:
            self._folder.clear()

    def _make(
        self,
        key: str,
        given: TryOnState,
        make: Callable[[], TryOnResult],
        still: Callable[[], bool],
        ours: Future[_Held],
    ) -> TryOnResult:
        try:
            stored, said = self._folder.load(key, given) if self._folder else (None, "")
            self._count(hit=stored is not None)
            result = stored or make()
            held = _hold(result)
            if stored is None and not any(step.failed for step in result.steps) and still():
                more = self._folder.save(key, result) if self._folder else ""
                said = " ".join(part for part in (said, more) if part)
            elif stored is None:
                held = dataclasses.replace(held, keep=False)
        except BaseException as error:
            with self._lock:
                del self._making[key]
            ours.set_exception(error)
            raise
        with self._lock:
            del self._making[key]
            if held.keep:
                self._keep(key, held)
        ours.set_result(held)
        return dataclasses.replace(result, remarks=(*result.remarks, said)) if said else result

    def _keep(self, key: str, held: _Held) -> None:
        """Hold a result, and let the least recently used go; needs the lock."""
        if held.size > self.memory:
            return
        self._held[key] = held
        used = sum(other.size for other in self._held.values())
        while used > self.memory:
            used -= self._held.popitem(last=False)[1].size

    def _count(self, *, hit: bool) -> None:
        with self._lock:
            if hit:
                self._hits += 1
            else:
                self._misses += 1


@dataclass(frozen=True)
class _Held:
    """A result without what its next caller brings: the pictures and figures."""

    state: Mapping[str, Any]
    steps: tuple[Any, ...]
    pipeline: str
    size: int
    keep: bool = True

    def give(self, given: TryOnState) -> TryOnResult:
        """A result whose arrays are the caller's own."""
        fields, steps = copy.deepcopy((self.state, self.steps))
        kept = {name: getattr(given, name) for name in GIVEN}
        state = TryOnState(**kept, **fields)
        assert state.final is not None
        return TryOnResult(state.final, state, steps, self.pipeline, 0.0, cached=True)


def _hold(result: TryOnResult) -> _Held:
    """A copy of a result, in which no array is shared with anything outside."""
    fields = {name: v for name, v in result.state.filled().items() if name not in GIVEN}
    state, steps = copy.deepcopy((fields, result.steps))
    size = sum(array.nbytes for array in {id(a): a for a in arrays_in(state)}.values())
    return _Held(state, steps, result.pipeline, size)


def arrays_in(value: Any) -> Iterator[np.ndarray[Any, np.dtype[Any]]]:
    """Every array within a state's values, as often as it is met."""
    if isinstance(value, np.ndarray):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from arrays_in(item)
    elif isinstance(value, tuple | list):
        for item in value:
            yield from arrays_in(item)
    elif hasattr(value, "__dict__") and type(value).__module__.startswith("mycloset."):
        yield from arrays_in(vars(value))


def _awaited(making: Future[_Held], stop: Stop | None) -> _Held | None:
    """What another call makes; None where that failed."""
    while True:
        try:
            error = making.exception(timeout=None if stop is None else _PULSE)
        except TimeoutError:
            if stop is not None and stop.is_set():
                raise StoppedError("stopped while another call made the same try-on.") from None
            continue
        return making.result() if error is None else None


def size_of_cache(value: int | str, name: str) -> int:
    """Bytes of a number, or of a text like "256MB"; 0 is allowed.

    Raises:
        OptionError: it is no size; `name` says whose.
    """
    if value in (0, "0"):
        return 0
    try:
        return sizes.budget(value)
    except OptionError as error:
        raise OptionError(
            f"{name}: {value!r} is no size of a cache.", hint="Give bytes, or like 256MB, 2GB."
        ) from error
