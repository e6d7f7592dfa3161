"""The classes' names in ATR-18: one dress, a skirt or trousers; left or right."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from mycloset.tasks.parsing import ATR_18_NECK
from mycloset.tryon.embedded.body import SIDES
from mycloset.tryon.embedded.parsing_borders import Borders
from mycloset.tryon.embedded.parsing_frame import (
    HAIR,
    LEG,
    LOWER,
    UPPER,
    Flags,
    Floats,
    Frame,
)
from mycloset.tryon.embedded.zones import Zones

MOTLEY = 28.0
"""Deviation of the lightness (0..100) that no hair has; of 44 heads of hair the highest was 22."""


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
    bottom = float(np.quantile(zones.height[lower], 0.97))
    bare = (labels == LEG) & frame.inside & (zones.height > bottom)
    hemmed = bare.sum() > 0.02 * frame.body.unit**2
    trousers = not hemmed or _gap(frame, lower) > 0.25
    under = borders.below_waist(zones)
    below = lower & (under > 0.12) & (under < 0.8)
    same = colours[UPPER][below] < colours[LOWER][below] + 3.0
    whole = below.sum() > 30 and float(same.mean()) > 0.75
    whole = whole and _alike(frame, (labels == UPPER) & (under < -0.04) & (under > -0.3), below)
    if whole and not trousers and frame.body.hips_seen:
        return GarmentNames("dress", "dress")
    return GarmentNames("upper-clothes", "pants" if trousers else "skirt")


def _alike(frame: Frame, above: Flags, below: Flags) -> bool:
    """Whether cloth above and below the waist has the same middling colour and contrast."""
    if above.sum() < 30:
        return True
    one, other = frame.lab[above], frame.lab[below]
    light, a, b = np.abs(one.mean(axis=0) - other.mean(axis=0))
    return bool(light < 22 and max(a, b) < 12)


def _gap(frame: Frame, lower: Flags) -> float:
    """In which share of the rows below the crotch the garment is parted between the legs."""
    body = frame.body
    picture = frame.mark(lower) > 0
    rows = np.flatnonzero(picture.any(axis=1))
    lines = []
    for side in SIDES:
        x, y = (body.leg(side) - np.array([frame.left, frame.top], np.float32)).T
        order = np.argsort(y)
        lines.append((y[order], x[order]))
    crotch = max(float(y[0]) for y, _ in lines) + 0.35 * body.unit
    rows = rows[rows > crotch]
    if len(rows) < 4:
        return 0.0
    # The very hem is wavy, and shoes lie beside it.
    rows = rows[: max(4, int(0.95 * len(rows)))]
    middle = np.mean([np.interp(rows, y, x) for y, x in lines], axis=0)
    columns = np.arange(picture.shape[1])[None, :]
    there = picture[rows]
    left_of = columns < middle[:, None]
    reach = np.abs(columns - middle[:, None]) < max(2.0, 0.05 * body.unit)
    parted = (there & left_of).any(axis=1) & (there & ~left_of).any(axis=1)
    parted &= (reach & ~there).any(axis=1)
    return float(parted.mean())


def find_hat(frame: Frame, zones: Zones, labels: NDArray[np.int64]) -> Flags:
    """(N,) bool: what was taken for hair above the brows, but is both black and white.

    Only this clear case is told: a hat of one colour may as well be hair.
    """
    body, unit = frame.body, frame.body.unit
    if body.face is None:
        return np.zeros_like(frame.inside)
    # A third of the way from the top of the forehead to the chin: the brows.
    brow = body.face[0] + 0.33 * (body.chin - body.face[0])
    below = (frame.xs - brow[0]) * body.down[0] + (frame.ys - brow[1]) * body.down[1]
    top: Flags = (labels == HAIR) & (zones.head < 2.2) & (below < -0.1 * unit)
    sure = top & frame.inside
    if sure.sum() < 0.02 * unit**2 or frame.lab[sure, 0].std() < MOTLEY:
        return np.zeros_like(frame.inside)
    return top


def atr_labels(
    classes: NDArray[np.uint8], frame: Frame, left: Flags, names: GarmentNames
) -> NDArray[np.uint8]:
    """(H, W) uint8 of ATR-18 with neck.

    Args:
        classes: (H, W), 255 outside of the person.
        left: (N,) whether a pixel of the frame is on the person's left limbs.
    """
    named = ("face", "hair", "neck", names.upper, names.lower, "arm", "leg", "shoe", "hat")
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
