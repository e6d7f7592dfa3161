"""Held: a model in memory, and the memory that it holds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, Self

from mycloset.hub.ledger import Piece
from mycloset.hub.model import Model


class Held(NamedTuple):
    """A model in memory.

    Attributes:
        model: the model.
        pieces: its storages, each once, with their bytes.
    """

    model: Model
    pieces: Mapping[Piece, int]

    @classmethod
    def of(cls, model: Model) -> Self:
        """A model that was just loaded."""
        from mycloset.runtimes.pytorch.measuring import storages

        held = storages(model.network)
        return cls(model, {Piece(key.device, key): size for key, size in held.items()})

    @property
    def size(self) -> int:
        """Bytes of its storages."""
        return sum(self.pieces.values())
