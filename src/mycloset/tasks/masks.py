"""Soft masks: which pixels belong to something, and how surely."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mycloset.images import RGB


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

    @property
    def box(self) -> tuple[int, int, int, int] | None:
        """Left, top, right, bottom (behind the last pixel) of what is covered; None for nothing."""
        rows = np.nonzero(self.binary.any(axis=1))[0]
        columns = np.nonzero(self.binary.any(axis=0))[0]
        if not rows.size:
            return None
        return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1

    def draw(self, picture: RGB) -> RGB:
        """What the mask covers, cut out on a checkerboard."""
        from mycloset.tasks.drawing import draw_mask

        return draw_mask(picture, self)

    def to_dict(self) -> dict[str, Any]:
        """JSON values: size, covered share, box, confidence; the mask itself is not."""
        height, width = self.alpha.shape
        return {
            "height": height,
            "width": width,
            "area": self.area,
            "box": list(self.box) if self.box else None,
            "confidence": self.confidence,
        }
