"""What networks hold in memory, and how much of it is there now."""

from __future__ import annotations

import mmap
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch

from mycloset.runtimes.pytorch.mappings import FileIdentity, Places


class StorageKey(NamedTuple):
    """What tells one storage from every other, as long as both are held.

    Attributes:
        device: where it is: "cpu", "cuda:0".
        file: the file that it is mapped from; None for what was allocated.
        place: its first byte: in the file, or in memory.
    """

    device: str
    file: FileIdentity | None
    place: int


def storages(*networks: torch.nn.Module) -> dict[StorageKey, int]:
    """The storages that networks' tensors look at, each once, with its bytes.

    Two networks that share a storage, or look at the same place of a file, have the same key, so
    that what they hold together is what the union of their keys holds. Tensors on the meta device
    hold nothing.
    """
    places = Places()
    found: dict[StorageKey, int] = {}
    for storage in _storages_of(networks):
        place = places(storage.data_ptr()) if storage.device.type == "cpu" else None
        if place is not None:
            key = StorageKey("cpu", place.identity, place.offset)
        else:
            key = StorageKey(str(storage.device), None, storage.data_ptr())
        found[key] = max(storage.nbytes(), found.get(key, 0))
    return found


def resident(*networks: torch.nn.Module) -> int:
    """Bytes of networks' storages that are in memory now, each once.

    Of mapped storages, the pages that this process has touched, where the system tells it (Linux);
    elsewhere all of them. What was allocated, on whatever device, counts whole.
    """
    places = Places()
    whole: dict[tuple[str, int], int] = {}
    mapped: list[tuple[int, int]] = []
    for storage in _storages_of(networks):
        start, length = storage.data_ptr(), storage.nbytes()
        if storage.device.type == "cpu" and places(start) is not None:
            mapped.append((start, start + length))
        else:
            key = (str(storage.device), start)
            whole[key] = max(length, whole.get(key, 0))
    return sum(whole.values()) + _touched(mapped)


def _storages_of(networks: Iterable[torch.nn.Module]) -> Iterator[torch.UntypedStorage]:
    """Every storage of networks, more than once where several tensors look at it."""
    for network in networks:
        for module in network.modules():
            for name, held in vars(module).items():
                if name not in _OF_NO_TENSORS and not isinstance(held, _PLAIN):
                    for tensor in _tensors(held):
                        storage = tensor.untyped_storage()
                        if storage.device.type != "meta" and storage.nbytes():
                            yield storage


_OF_NO_TENSORS = frozenset(vars(torch.nn.Module())) - {"_parameters", "_buffers"}
"""What every module has, and no tensors lie in."""
_PLAIN = (torch.nn.Module, str, int, float, type(None))


def _tensors(held: Any) -> Iterator[torch.Tensor]:
    """The tensors in plain containers, which parameters and buffers lie in too."""
    if isinstance(held, torch.Tensor):
        if held.layout == torch.strided:
            yield held
    elif isinstance(held, Mapping):
        for value in held.values():
            yield from _tensors(value)
    elif isinstance(held, list | tuple | set):
        for value in held:
            yield from _tensors(value)


def _touched(ranges: list[tuple[int, int]]) -> int:
    """Bytes of address ranges, which may overlap, whose pages this process has in memory."""
    joined: list[tuple[int, int]] = []
    for start, end in sorted(ranges):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    try:
        table = os.open(_PAGES, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return sum(end - start for start, end in joined)
    try:
        return sum(_touched_of(table, start, end) for start, end in joined)
    finally:
        os.close(table)


_PAGES = Path("/proc/self/pagemap")
_ENTRY = 8
"""Bytes that the system's table has for each page."""


def _touched_of(table: int, start: int, end: int) -> int:
    """Bytes of one range that are in memory, by the table of pages."""
    size = mmap.PAGESIZE
    first, last = start // size, -(-end // size)
    raw = os.pread(table, (last - first) * _ENTRY, first * _ENTRY)
    if len(raw) < (last - first) * _ENTRY:
        return end - start
    # The highest bit of an entry says that the page is there.
    there = torch.frombuffer(bytearray(raw), dtype=torch.int64) < 0
    found = int(there.sum()) * size
    if there[0]:
        found -= start - first * size
    if there[-1]:
        found -= last * size - end
    return found
