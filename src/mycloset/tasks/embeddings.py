"""Embeddings: a picture (or text) as a vector, and what classes a classifier sees in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mycloset.images import RGB


@dataclass(frozen=True)
class Embedding:
    """What a network makes of a picture or a text.

    Attributes:
        vector: (D,) float32.
        space: which network's space it lies in; only vectors of one space compare.
        logits: (C,) float32 of a classifier's classes, or None.
        features: named feature maps that the vector was made of, each (C, H, W) float32; empty
            unless they were asked for.
    """

    vector: NDArray[np.float32]
    space: str
    logits: NDArray[np.float32] | None = None
    features: dict[str, NDArray[np.float32]] | None = None

    @property
    def unit(self) -> NDArray[np.float32]:
        """(D,) the vector at length 1."""
        length = float(np.linalg.norm(self.vector))
        found: NDArray[np.float32] = self.vector / np.float32(length if length > 0 else 1.0)
        return found

    def similarity(self, other: Embedding) -> float:
        """Cosine of the angle to another embedding, -1..1.

        Raises:
            ValueError: the other lies in another space.
        """
        if other.space != self.space:
            raise ValueError(f"{self.space} and {other.space} are different spaces")
        return float(self.unit @ other.unit)

    def classes(self, top: int = 5) -> list[tuple[int, float]]:
        """The likeliest classes as number and probability; empty where there is no classifier."""
        if self.logits is None:
            return []
        weights = np.exp(self.logits.astype(np.float64) - float(self.logits.max()))
        weights /= weights.sum()
        order = np.argsort(-weights, kind="stable")[:top]
        return [(int(number), float(weights[number])) for number in order]

    def draw(self, picture: RGB) -> RGB:
        """The picture, and beside it the vector's numbers as a strip of colours."""
        from mycloset.tasks.drawing import draw_embedding

        return draw_embedding(picture, self)

    def to_dict(self) -> dict[str, Any]:
        """JSON values: the vector, its space, the likeliest classes."""
        return {
            "space": self.space,
            "vector": [float(value) for value in self.vector],
            "classes": [{"class": number, "probability": p} for number, p in self.classes()],
        }
