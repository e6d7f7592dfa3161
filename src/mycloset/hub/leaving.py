"""What leaves memory: seen to it that it is gone, or told that somebody still holds it."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Hashable, Mapping, Sequence
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
        core: gives the object that holds the memory as long as there is one.
    """

    key: Key
    pieces: Mapping[Piece, int]
    core: Callable[[], object]

    @classmethod
    def watching(cls, key: Key, pieces: Mapping[Piece, int], core: object) -> Self:
        """What was let go of; what cannot be watched is taken for gone."""
        try:
            return cls(key, pieces, weakref.ref(core))
        except TypeError:
            return cls(key, pieces, lambda: None)

    @property
    def size(self) -> int:
        """Its bytes."""
        return sum(self.pieces.values())

    @property
    def gone(self) -> bool:
        """Whether nobody holds it any more."""
        return self.core() is None


def sweep(left: Sequence[Left[Key]]) -> list[Left[Key]]:
    """Give the system the memory of what has left; those that somebody still holds."""
    if not all(lost.gone for lost in left):
        collect()
    if sum(lost.size for lost in left) >= WORTH_TRIMMING:
        trim()
    return [lost for lost in left if not lost.gone]
