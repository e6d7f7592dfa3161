"""Soft masks: which pixels belong to something, and how surely."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Mask:
    """Coverage of one thing in a picture.

    Attributes:
        alpha: (H, W) float32, 0 (outside) .. 1 (inside).
        confidence: 0..1, how sure the model or rule is of the whole mask.
    """

    alpha: NDArray[np.float32]
    confidence: float = 1.0

    @property
    def binary(self) -> NDArray[np.bool_]:
        """(H, W) bool: alpha of at least a half."""
        return self.alpha >= 0.5

    @property
    def area(self) -> float:
        """Covered share of the picture, 0..1."""
        return float(self.alpha.mean())
