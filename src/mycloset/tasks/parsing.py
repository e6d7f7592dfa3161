"""Human parsing: a class for every pixel of a person, and the tables that name the classes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Color = tuple[int, int, int]


@dataclass(frozen=True)
class LabelTable:
    """Names and colours of the classes, by class number."""

    name: str
    labels: tuple[str, ...]
    colors: tuple[Color, ...]

    def index(self, label: str) -> int:
        """Class number of a label; KeyError where the table has none."""
        try:
            return self.labels.index(label)
        except ValueError:
            raise KeyError(f"{self.name} has no label {label!r}") from None


# Order as in the ATR data set, as the SCHP project publishes it.
ATR_18 = LabelTable(
    "ATR-18",
    (
        "background", "hat", "hair", "sunglasses", "upper-clothes", "skirt", "pants", "dress",
        "belt", "left-shoe", "right-shoe", "face", "left-leg", "right-leg", "left-arm",
        "right-arm", "bag", "scarf",
    ),
    (
        (32, 32, 36), (240, 200, 60), (122, 78, 48), (60, 60, 140), (214, 69, 65), (155, 89, 182),
        (52, 110, 190), (231, 84, 160), (130, 130, 50), (30, 150, 130), (60, 190, 170),
        (246, 190, 150), (120, 190, 90), (70, 150, 60), (250, 150, 70), (245, 120, 40),
        (150, 110, 90), (220, 220, 120),
    ),
)  # fmt: skip

# ATR says nothing of the neck; systems that build an agnostic picture add it as the next number
# (OOTDiffusion, CatVTON). Here it is all bare skin of neck, shoulders' yoke and midriff.
ATR_18_NECK = LabelTable(
    "ATR-18 + neck", (*ATR_18.labels, "neck"), (*ATR_18.colors, (255, 214, 176))
)


@dataclass(frozen=True)
class HumanParsing:
    """A class for every pixel.

    Attributes:
        labels: (H, W) uint8 class numbers of `table`.
        table: what the numbers mean.
        confidence: 0..1, of the whole map.
    """

    labels: NDArray[np.uint8]
    table: LabelTable
    confidence: float = 1.0

    def where(self, *labels: str) -> NDArray[np.bool_]:
        """(H, W) bool: the pixels of any of these labels."""
        numbers = [self.table.index(label) for label in labels]
        found: NDArray[np.bool_] = np.isin(self.labels, numbers)
        return found
