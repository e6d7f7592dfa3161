"""What leaves memory: seen to it that it is gone, or told that somebody still holds it."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Generic, Self, TypeVar

from mycloset.hub.ledger import Piece
from mycloset.hub.memory import collect, trim

Key = TypeVar("Key", bound=Hashable)

WORTH_TRIMMING = 1 << 20
"""Bytes that must have left before memory is swept for the system, which takes its time."""


@dataclass(frozen=True)
class Left(Generic[Key]):
    """What was let go of.

    Attributes:
        key: under which it was held.
        pieces: its memory.
        cores: each gives an object that holds the memory as long as there is one.
    """

    key: Key
    pieces: Mapping[Piece, int]
    cores: Sequence[Callable[[], object]]

    @classmethod
    def watching(cls, key: Key, pieces: Mapping[Piece, int], cores: Iterable[object]) -> Self:
        """What was let go of; what cannot be watched is taken for gone."""
        watched = []
        for core in cores:
            with suppress(TypeError):
                watched.append(weakref.ref(core))
        return cls(key, pieces, watched)

    @property
    def size(self) -> int:
        """Its bytes."""
        return sum(self.pieces.values())

    @property
    def gone(self) -> bool:
        """Whether nobody holds it any more."""
        return all(core() is None for core in self.cores)


def sweep(left: Sequence[Left[Key]]) -> list[Left[Key]]:
    """Give the system the memory of what has left; those that somebody still holds."""
    if not all(lost.gone for lost in left):
        collect()
    if sum(lost.size for lost in left) >= WORTH_TRIMMING:
        trim()
    return [lost for lost in left if not lost.gone]
