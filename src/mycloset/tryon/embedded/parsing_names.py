"""The classes' names in ATR-18: one dress, a skirt or trousers; left or right."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from mycloset.tasks.parsing import ATR_18_NECK
from mycloset.tryon.embedded.parsing_borders import Borders
from mycloset.tryon.embedded.parsing_frame import (
    LEG,
    LOWER,
    UPPER,
    Flags,
    Floats,
    Frame,
)
from mycloset.tryon.embedded.zones import Zones


@dataclass(frozen=True)
class GarmentNames:
    """ATR labels of the two garments."""

    upper: str
    lower: str


def name_garments(
    frame: Frame, zones: Zones, borders: Borders, labels: NDArray[np.int64], colours: Floats
) -> GarmentNames:
    """Is it one dress, a skirt, or trousers: by colour, and by the gap between the legs."""
    lower = (labels == LOWER) & frame.inside
    if lower.sum() < 50 or borders.waist is None:
        return GarmentNames("upper-clothes", "pants")
    height, aside = zones.height, zones.aside
    bottom = float(np.quantile(height[lower], 0.97))
    rim = (height > bottom - 0.22) & (height < bottom - 0.04)
    near = frame.mark(lower & rim)
    between = frame.mark(np.asarray(lower & rim & (np.abs(aside) < 0.5)))
    rows = near.sum(axis=1) > 3
    split = (np.diff(between[rows], axis=1, prepend=0) == 1).sum(axis=1) > 1
    bare = (labels == LEG) & frame.inside & (height > bottom)
    hemmed = bare.sum() > 0.02 * frame.body.unit**2
    trousers = not hemmed or (bool(rows.any()) and float(split.mean()) > 0.4)
    under = borders.below_waist(zones)
    below = lower & (under > 0.12) & (under < 0.8)
    same = colours[UPPER][below] < colours[LOWER][below] + 3.0
    whole = below.sum() > 30 and float(same.mean()) > 0.75
    if whole and not trousers and frame.body.hips_seen:
        return GarmentNames("dress", "dress")
    return GarmentNames("upper-clothes", "pants" if trousers else "skirt")


def atr_labels(
    classes: NDArray[np.uint8], frame: Frame, left: Flags, names: GarmentNames
) -> NDArray[np.uint8]:
    """(H, W) uint8 of ATR-18 with neck.

    Args:
        classes: (H, W), 255 outside of the person.
        left: (N,) whether a pixel of the frame is on the person's left limbs.
    """
    named = ("face", "hair", "neck", names.upper, names.lower, "arm", "leg", "shoe")
    paired = ("arm", "leg", "shoe")
    table = np.zeros((2, 256), np.uint8)
    for number, name in enumerate(named):
        for row, word in enumerate(("right", "left")):
            table[row, number] = ATR_18_NECK.index(f"{word}-{name}" if name in paired else name)
    labels = np.asarray(cv2.LUT(classes, table[0]), np.uint8)
    on_left = cv2.resize(
        frame.on_canvas(frame.mark(left)), classes.shape[::-1], interpolation=cv2.INTER_NEAREST
    )
    ys, xs = np.nonzero(on_left & (labels != cv2.LUT(classes, table[1])))
    labels[ys, xs] = table[1][classes[ys, xs]]
    return labels
