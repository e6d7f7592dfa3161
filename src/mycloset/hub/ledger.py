"""Ledger: how many bytes are taken on each device, where several holders may share some of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping
from typing import NamedTuple


class Piece(NamedTuple):
    """Memory that is held once, by however many holders.

    Attributes:
        device: where it is ("cpu", "cuda:0").
        identity: what it is; equal pieces are the same memory.
    """

    device: str
    identity: Hashable


class Ledger:
    """Counts pieces of memory by device; a piece with several holders counts once."""

    def __init__(self) -> None:
        self._held: dict[Piece, list[int]] = {}  # holders, bytes
        self._used: dict[str, int] = {}

    def used(self, device: str) -> int:
        """Bytes that are taken on a device."""
        return self._used.get(device, 0)

    def add(self, pieces: Mapping[Piece, int]) -> None:
        """One more holder of each piece."""
        for piece, size in pieces.items():
            held = self._held.get(piece)
            if held is None:
                self._held[piece] = [1, size]
                self._used[piece.device] = self._used.get(piece.device, 0) + size
            else:
                held[0] += 1

    def remove(self, pieces: Iterable[Piece]) -> None:
        """One holder less of each piece."""
        for piece in pieces:
            held = self._held[piece]
            held[0] -= 1
            if not held[0]:
                del self._held[piece]
                self._used[piece.device] -= held[1]

    def freed(self, leaving: Iterable[Mapping[Piece, int]]) -> Counter[str]:
        """Bytes by device that would be free if holders of these pieces went."""
        shares = Counter[Piece]()
        freed = Counter[str]()
        for pieces in leaving:
            for piece, size in pieces.items():
                shares[piece] += 1
                if self._held[piece][0] == shares[piece]:
                    freed[piece.device] += size
        return freed
