"""Soft masks: which pixels belong to something, and how surely."""

from __future__ import annotations

from collections.abc import Iterator
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


@dataclass(frozen=True)
class Masks:
    """Several masks of one picture.

    Attributes:
        masks: the surest first; each one's confidence is its score.
        labels: what each is, where the network says; empty where it does not.
    """

    masks: tuple[Mask, ...]
    labels: tuple[str, ...] = ()

    def __iter__(self) -> Iterator[Mask]:
        return iter(self.masks)

    def __len__(self) -> int:
        return len(self.masks)

    def __getitem__(self, number: int) -> Mask:
        return self.masks[number]

    @property
    def best(self) -> Mask:
        """The surest mask.

        Raises:
            IndexError: there is none.
        """
        return self.masks[0]

    def draw(self, picture: RGB) -> RGB:
        """Each mask in a colour of its own on the picture."""
        from mycloset.tasks.drawing import draw_masks

        return draw_masks(picture, self)

    def to_dict(self) -> dict[str, Any]:
        """JSON values: each mask's size, covered share, box, confidence and label."""
        labels = self.labels or (None,) * len(self.masks)
        return {
            "masks": [
                {**mask.to_dict(), "label": label}
                for mask, label in zip(self.masks, labels, strict=True)
            ]
        }
