"""One mapping for each file that is loaded, however many loads look at it."""

from __future__ import annotations

import mmap
import os
import threading
from bisect import bisect_right
from typing import NamedTuple
from weakref import WeakSet, WeakValueDictionary

import torch

from mycloset.checkpoints.source import Source


class FileIdentity(NamedTuple):
    """What tells one file, in one state, from every other.

    Attributes:
        device, inode: where it is.
        size: bytes.
        changed: when it was last written to, in nanoseconds.
    """

    device: int
    inode: int
    size: int
    changed: int


class FileMapping(mmap.mmap):
    """A private mapping of a whole file (copy on write: nothing done to it reaches the file).

    Attributes:
        identity: of the file, when it was mapped.
        start: address of its first byte.
    """

    identity: FileIdentity
    start: int


class Place(NamedTuple):
    """A place in a mapped file."""

    identity: FileIdentity
    offset: int


def mapping_of(source: Source, *, shared: bool = True) -> FileMapping:
    """The mapping of an open file that is not empty.

    It lives as long as somebody holds it, or a tensor that looks at it.

    Args:
        source: the file.
        shared: whether it may be the one that other loads of the unchanged file look at; nobody
            may write to it then.
    """
    identity = identity_of(source)
    with _lock:
        found = _shared.get(identity) if shared else None
        if found is None:
            found = FileMapping(
                source.fileno(),
                source.size,
                flags=mmap.MAP_PRIVATE,
                prot=mmap.PROT_READ | mmap.PROT_WRITE,
            )
            found.identity = identity
            found.start = torch.frombuffer(found, dtype=torch.uint8, count=1).data_ptr()
            _all.add(found)
            if shared:
                _shared[identity] = found
    return found


def identity_of(source: Source) -> FileIdentity:
    """The identity of an open file."""
    state = os.fstat(source.fileno())
    return FileIdentity(state.st_dev, state.st_ino, state.st_size, state.st_mtime_ns)


class Places:
    """Says of addresses whether they lie in a mapped file; as things are when it is made."""

    def __init__(self) -> None:
        with _lock:
            held = sorted((found.start, len(found), found.identity) for found in _all)
        self._starts = [start for start, _, _ in held]
        self._held = held

    def __call__(self, address: int) -> Place | None:
        """The place that an address shows; None where it is in no file."""
        number = bisect_right(self._starts, address) - 1
        if number < 0:
            return None
        start, length, identity = self._held[number]
        return Place(identity, address - start) if address < start + length else None


_lock = threading.Lock()
_shared: WeakValueDictionary[FileIdentity, FileMapping] = WeakValueDictionary()
_all: WeakSet[FileMapping] = WeakSet()
