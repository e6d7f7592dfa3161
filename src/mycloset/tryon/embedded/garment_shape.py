"""Landmarks of a garment from its mask's own shape: shoulders, armpits, cuffs, hems."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from mycloset.images import Picture
from mycloset.tasks.garments import Category, GarmentShape, SleeveLength
from mycloset.tasks.masks import Mask
from mycloset.tryon.embedded.garment_layers import front_region
from mycloset.tryon.embedded.garment_lower import LowerReading, read_lower
from mycloset.tryon.embedded.garment_outline import Outline, outline_of
from mycloset.tryon.embedded.garment_upper import UpperReading, read_upper

_SHOULDERS_M = 0.42
_ARM_M = 0.54
"""Breadth of a garment's shoulders and way from shoulder to wrist, of an adult, in metres."""

_DRESS_FROM = 2.62
"""A garment this many times as long as it is wide at the chest is a dress; tops have 1.2 (laid
flat) to 2.5 (on a dummy)."""

_FLARED_FROM = 1.95
"""The same for one that is narrow at the waist and wide at the hem."""


def read_shape(mask: Mask, picture: Picture, category: Category | None) -> GarmentShape:
    """Read a garment's landmarks.

    Args:
        mask: the garment, of the picture's size; not empty.
        picture: the garment picture, for where the front's neckline runs.
        category: what the garment is; None to tell it from the shape.
    """
    assert mask.alpha.shape == picture.rgb.shape[:2]
    outline = outline_of(mask.alpha)
    lower = read_lower(outline)
    if category is Category.LOWER:
        return _lower_shape(outline, lower, 1.0)
    upper = read_upper(outline)
    if category is not None:
        return _with_neckline(_upper_shape(outline, upper, category, 1.0), mask, picture)
    if _is_lower(lower, upper):
        return _lower_shape(outline, lower, 0.85)
    least = _FLARED_FROM if upper.flare > 1.28 and _waist_share(upper) < 0.95 else _DRESS_FROM
    category = Category.DRESS if upper.length_reach >= least else Category.UPPER
    sure = float(np.clip(0.5 + abs(upper.length_reach - least), 0.5, 1.0))
    return _with_neckline(_upper_shape(outline, upper, category, sure), mask, picture)


def _with_neckline(shape: GarmentShape, mask: Mask, picture: Picture) -> GarmentShape:
    """The same with `neck_front` where the picture shows the front's edge to be."""
    _, line = front_region(mask, shape, picture)
    middle = (shape.points["collar_left"] + shape.points["collar_right"]) / 2
    near = np.argsort(np.abs(line[:, 0] - middle[0]))[:3]
    front = line[near].mean(axis=0).astype(np.float32)
    return replace(shape, points={**shape.points, "neck_front": front})


def _waist_share(upper: UpperReading) -> float:
    """Width at the waist over width at the chest."""
    waist, chest = (
        float(np.hypot(*(upper.points[f"{name}_left"] - upper.points[f"{name}_right"])))
        for name in ("waist", "armpit")
    )
    return waist / max(chest, 1e-6)


def _is_lower(lower: LowerReading, upper: UpperReading) -> bool:
    """Whether a garment of unknown kind is worn below the waist.

    Its top edge is a nearly straight waistband; that of a top falls off along the shoulders, or is
    notched by the neck.
    """
    if upper.sleeved or lower.top_bend > 0.1:
        return False
    if lower.legs:
        return lower.confidence > 0.3
    return lower.confidence > 0.3 and lower.top_bend < 0.06 and lower.flare > 0.9


def _lower_shape(outline: Outline, reading: LowerReading, sure: float) -> GarmentShape:
    return GarmentShape(
        category=Category.LOWER,
        points=_full(outline, reading.points),
        sleeves=SleeveLength.NONE,
        legs=reading.legs,
        confidence=float(np.clip(reading.confidence * sure, 0.0, 1.0)),
        length_reach=reading.length_reach,
    )


def _upper_shape(
    outline: Outline, reading: UpperReading, category: Category, sure: float
) -> GarmentShape:
    points = dict(reading.points)
    if category is not Category.DRESS:
        points.pop("waist_left", None)
        points.pop("waist_right", None)
    reach = min(reading.sleeve_reach * _SHOULDERS_M / _ARM_M, 1.2)
    sleeves = SleeveLength.NONE
    if reading.sleeved:
        sleeves = SleeveLength.SHORT if reach < 0.62 else SleeveLength.LONG
    return GarmentShape(
        category=category,
        points=_full(outline, points),
        sleeves=sleeves,
        legs=False,
        confidence=float(np.clip(reading.confidence * sure, 0.0, 1.0)),
        sleeve_reach=reach if reading.sleeved else 0.0,
        length_reach=reading.length_reach,
        off_shoulder=reading.off_shoulder,
    )


def _full(
    outline: Outline, points: dict[str, NDArray[np.float64]]
) -> dict[str, NDArray[np.float32]]:
    return {name: outline.full(point) for name, point in points.items()}
