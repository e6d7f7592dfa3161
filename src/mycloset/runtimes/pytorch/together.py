"""What lies together in a file is read together, into one piece of memory."""

from __future__ import annotations

import contextlib
import mmap
import threading
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from typing import NamedTuple
from weakref import WeakSet

import torch

GAP = 16 << 10
"""Bytes between two tensors up to which they may be read as one."""
SHARE = 32
"""What lies between tensors is at most one of so many bytes that are read."""
_LINE = 64
"""Bytes at whose multiples a run begins."""


class Numbers(NamedTuple):
    """Numbers of a file that are wanted.

    Attributes:
        start: of the first one's first byte.
        length: how many.
        held: their dtype in the file.
        into: the dtype that is wanted.
    """

    start: int
    length: int
    held: torch.dtype
    into: torch.dtype

    @property
    def end(self) -> int:
        """Behind the last one's last byte."""
        return self.start + self.length * self.held.itemsize


def joined(wanted: Iterable[Numbers]) -> Iterator[tuple[Numbers, list[Numbers]]]:
    """Runs of a file, each with those of the wanted numbers that lie in it.

    Between two of them lies little (other tensors, the heads of an archive's members), so that
    reading it costs less than beginning anew. No two share a byte.
    """
    run: Numbers | None = None
    inside: list[Numbers] = []
    between = 0
    for each in sorted(set(wanted), key=lambda each: (str(each.held), str(each.into), *each[:2])):
        if run is not None and each[2:] == run[2:]:
            gap, length = each.start - run.end, each.end - run.start
            if (
                0 <= gap <= GAP
                and gap % run.held.itemsize == 0
                and (between + gap) * SHARE <= length
            ):
                run = run._replace(length=length // run.held.itemsize)
                inside.append(each)
                between += gap
                continue
        if run is not None:
            yield run, inside
        run, inside, between = each, [each], 0
    if run is not None:
        yield run, inside


class PoolMemory(mmap.mmap):
    """The memory of a pool; it lives as long as any tensor in it.

    Attributes:
        start: address of its first byte.
    """

    start: int


class Pool:
    """Memory of one load's tensors; it goes back to the system at once when the last of them goes.

    Large pages are asked for: filling memory of small ones costs more than a cast.

    Args:
        size: bytes; see `room`.

    Raises:
        OSError: the system has no such memory.
    """

    def __init__(self, size: int) -> None:
        self._memory = PoolMemory(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANON)
        self._taken = 0
        if hasattr(mmap, "MADV_HUGEPAGE"):
            with contextlib.suppress(OSError):  # a kernel without them
                self._memory.madvise(mmap.MADV_HUGEPAGE)
        first = torch.frombuffer(self._memory, dtype=torch.uint8, count=1)
        self._memory.start = first.data_ptr()
        with _lock:
            _pools.add(self._memory)

    @staticmethod
    def room(count: int, dtype: torch.dtype) -> int:
        """Bytes that `take` needs of a pool."""
        return -(-count * dtype.itemsize // _LINE) * _LINE

    def take(self, count: int, dtype: torch.dtype) -> memoryview:
        """Memory for so many numbers, of which nobody else has any."""
        start = self._taken
        self._taken += self.room(count, dtype)
        return memoryview(self._memory)[start : start + count * dtype.itemsize]


class Run:
    """A run's numbers in memory.

    Attributes:
        numbers: what they are in the file.
        whole: (length,) all of them, and what lies between.
        filled: whether they have been read.
    """

    def __init__(self, numbers: Numbers, memory: memoryview) -> None:
        self.numbers = numbers
        self.whole = torch.frombuffer(memory, dtype=numbers.into)
        self.filled = False
        self._memory = memory

    def part(self, numbers: Numbers) -> torch.Tensor:
        """(length,) some of its numbers, in a storage of their own."""
        place = (numbers.start - self.numbers.start) // numbers.held.itemsize
        return torch.frombuffer(
            self._memory,
            dtype=numbers.into,
            offset=place * numbers.into.itemsize,
            count=numbers.length,
        )


def pools_at(addresses: Iterable[int]) -> list[PoolMemory]:
    """The pools in which any of some addresses lie."""
    given = sorted(addresses)
    with _lock:
        pools = list(_pools)
    return [
        memory
        for memory in pools
        if bisect_left(given, memory.start) < bisect_left(given, memory.start + len(memory))
    ]


_lock = threading.Lock()
_pools: WeakSet[PoolMemory] = WeakSet()
