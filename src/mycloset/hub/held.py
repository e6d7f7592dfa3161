"""Held: a model in memory, and the memory that it holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Self

from mycloset.hub.ledger import Piece
from mycloset.hub.model import Model


class Held(NamedTuple):
    """A model in memory.

    Attributes:
        model: the model.
        pieces: its storages, each once, with their bytes.
        pools: the memory in which many of them lie, which any one of them keeps.
    """

    model: Model
    pieces: Mapping[Piece, int]
    pools: Sequence[object] = ()

    @classmethod
    def of(cls, model: Model) -> Self:
        """A model that was just loaded."""
        from mycloset.runtimes.pytorch.measuring import storages
        from mycloset.runtimes.pytorch.together import pools_at

        held = storages(model.network)
        pieces = {Piece(key.device, key): size for key, size in held.items()}
        own = (key.place for key in held if key.device == "cpu" and key.file is None)
        return cls(model, pieces, pools_at(own))

    @property
    def cores(self) -> tuple[object, ...]:
        """What holds its memory as long as there is any of it."""
        return self.model.network, *self.pools

    @property
    def size(self) -> int:
        """Bytes of its storages."""
        return sum(self.pieces.values())
