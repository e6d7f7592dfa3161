"""What a network holds: its storages, each once, and how much of them is in memory now."""

from __future__ import annotations

import mmap
import struct
import sys
from collections.abc import Iterable
from pathlib import Path

import torch

_PAGEMAP = Path("/proc/self/pagemap")
_PRESENT = 1 << 63
_CHUNK = 1 << 16


def storages(network: torch.nn.Module) -> dict[tuple[str, int], int]:
    """Bytes of each storage that a network's parameters and buffers lie in, by device and address.

    Two networks that share memory have storages of equal keys.
    """
    found: dict[tuple[str, int], int] = {}
    for tensor in _tensors(network):
        storage = tensor.untyped_storage()
        found[str(tensor.device), storage.data_ptr()] = storage.nbytes()
    return found


def resident(network: torch.nn.Module) -> int:
    """Bytes of a network's storages that are in memory now.

    Of a mapped file only the pages that were looked at; where the system does not tell, all.
    """
    total = 0
    for (device, address), size in storages(network).items():
        total += _present(address, size) if device == "cpu" else size
    return total


def _tensors(network: torch.nn.Module) -> Iterable[torch.Tensor]:
    yield from network.parameters()
    yield from network.buffers()


def _present(address: int, size: int) -> int:
    """Bytes of a range that the process has in memory (Linux: Documentation/mm/pagemap)."""
    if sys.platform != "linux" or not size:
        return size
    page = mmap.PAGESIZE
    first, last = address // page, (address + size - 1) // page
    count = 0
    with _PAGEMAP.open("rb") as file:
        for start in range(first, last + 1, _CHUNK):
            number = min(_CHUNK, last + 1 - start)
            file.seek(start * 8)
            entries = struct.unpack(f"={number}Q", file.read(number * 8))
            count += sum(entry >= _PRESENT for entry in entries)
    return min(size, count * page)
