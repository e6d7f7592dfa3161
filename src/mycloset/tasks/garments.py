"""A garment in its own picture: what it is, where its landmarks lie, of which parts it is made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray


class Category(StrEnum):
    """Which part of the body a garment dresses."""

    UPPER = "upper"
    LOWER = "lower"
    DRESS = "dress"


class SleeveLength(StrEnum):
    """How far a sleeve reaches."""

    NONE = "none"
    SHORT = "short"
    LONG = "long"


@dataclass(frozen=True)
class GarmentShape:
    """Landmarks of a garment, from its mask's own shape.

    "left" and "right" are the wearer's, so the garment's left lies on the picture's right when it
    is shown from the front.

    Attributes:
        category: what the shape was read as.
        points: landmark name -> (2,) float32 x, y in pixels of the garment picture. Upper and
            dress: `collar_left`, `collar_right` (outer ends of the neck opening), `neck_front`
            (lowest point of the front neckline), `shoulder_left/right`, `armpit_left/right`,
            `hem_left/right`, and with sleeves `cuff_outer_left/right`, `cuff_inner_left/right`;
            dress also `waist_left/right`. Lower: `waist_left/right`, `crotch` (trousers),
            `hem_outer_left/right`, `hem_inner_left/right` (trousers). Upper and dress also
            `neck_left/right`, where the shoulder line begins: below a standing collar, else the
            collar's ends themselves.
        sleeves: reach of the sleeves (upper and dress).
        legs: whether a lower garment has two legs.
        confidence: 0..1.
        sleeve_reach: how far down the arm the sleeves go, as a share of the way from shoulder to
            wrist: 0 none, about 0.25 short, 0.5 elbow, 1 wrist (at most 1.2).
        length_reach: upper and dress: (hem's y - shoulders' y) / width between the armpits, about
            1.0 for a crop top, 1.5 to 2.2 for a T-shirt, 2.4 and more for a dress. Lower: (hem's y
            - waist's y) / waist width, about 1.2 for shorts, 2.5 and more for trousers.
        off_shoulder: whether the neckline runs across below the shoulders.
    """

    category: Category
    points: Mapping[str, NDArray[np.float32]]
    sleeves: SleeveLength
    legs: bool
    confidence: float
    sleeve_reach: float = 0.0
    length_reach: float = 0.0
    off_shoulder: bool = False
