"""Human parsing: a class for every pixel of a person, and the tables that name the classes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mycloset.images import RGB

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

    def having(self, labels: Iterable[str]) -> NDArray[np.bool_]:
        """(H, W) bool: the pixels of those of these labels that the table has."""
        return self.where(*(label for label in labels if label in self.table.labels))

    def clothing(self, category: str | None = None) -> NDArray[np.bool_]:
        """(H, W) bool: what is worn, without skin, hair, shoes and things carried.

        Args:
            category: "upper", "lower" or "dress"; None for all of them.

        Raises:
            KeyError: no such category.
        """
        wanted = CLOTHING.values() if category is None else (CLOTHING[category],)
        return self.having(label for labels in wanted for label in labels)

    @property
    def body_parts(self) -> dict[str, NDArray[np.bool_]]:
        """(H, W) bool by part of the body, of the parts that the table tells."""
        found = {}
        for part, labels in BODY_PARTS.items():
            if any(label in self.table.labels for label in labels):
                found[part] = self.having(labels)
        return found

    def to_table(self, table: LabelTable) -> HumanParsing:
        """The same classes by another table's numbers.

        A label that the table lacks becomes the one that comes nearest to it (`TO_ATR`), or
        background. Limbs whose side is not told are split at the middle of the person, the
        person's left lying on the picture's right.
        """
        from mycloset.tasks.label_tables import TO_ATR

        if table == self.table:
            return self
        numbers = np.zeros(len(self.table.labels), np.uint8)
        sideless = []
        for number, label in enumerate(self.table.labels):
            near = label if label in table.labels else TO_ATR.get(label, "background")
            numbers[number] = table.labels.index(near) if near in table.labels else 0
            if near != label and near.startswith("left-"):
                sideless.append(number)
        labels = numbers[self.labels]
        columns = np.nonzero((self.labels > 0).any(axis=0))[0]
        if sideless and columns.size:
            middle = (int(columns[0]) + int(columns[-1])) / 2
            aside = np.arange(labels.shape[1]) < middle
            limbs = np.isin(self.labels, sideless) & aside[None]
            for part in ("arm", "leg", "shoe"):
                if f"left-{part}" in table.labels:
                    left, right = table.index(f"left-{part}"), table.index(f"right-{part}")
                    labels[limbs & (labels == left)] = right
        return HumanParsing(labels, table, self.confidence)

    def draw(self, picture: RGB) -> RGB:
        """The classes in colours on the picture, with a legend beside it."""
        from mycloset.tasks.drawing import draw_parsing

        return draw_parsing(picture, self)

    def to_dict(self) -> dict[str, Any]:
        """JSON values: size, the table, and each class's share and box; the map itself is not."""
        classes = []
        for number in np.unique(self.labels):
            rows, columns = np.nonzero(self.labels == number)
            box = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
            classes.append(
                {
                    "class": int(number),
                    "label": self.table.labels[number],
                    "share": rows.size / self.labels.size,
                    "box": [int(value) for value in box],
                }
            )
        return {
            "height": self.labels.shape[0],
            "width": self.labels.shape[1],
            "table": self.table.name,
            "labels": list(self.table.labels),
            "confidence": self.confidence,
            "classes": classes,
        }


CLOTHING = {
    "upper": ("upper-clothes", "coat", "upper", "top", "scarf"),
    "lower": ("pants", "skirt", "lower", "belt"),
    "dress": ("dress", "jumpsuits", "full-body"),
}
"""Category -> labels of what is worn there, of all tables."""

BODY_PARTS = {
    "head": ("face", "head"),
    "hair": ("hair",),
    "neck": ("neck",),
    "torso": ("torso",),
    "left-arm": ("left-arm",),
    "right-arm": ("right-arm",),
    "arms": ("left-arm", "right-arm", "upper-arms", "lower-arms", "arms", "hands"),
    "left-leg": ("left-leg",),
    "right-leg": ("right-leg",),
    "legs": ("left-leg", "right-leg", "upper-legs", "lower-legs", "legs"),
}
"""Part of the body -> labels of its bare skin (or hair), of all tables."""
