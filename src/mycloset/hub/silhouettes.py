"""From what the networks say of silhouettes to one mask a person at the picture's resolution."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from mycloset.architectures.blazepose import landmarks
from mycloset.architectures.blazepose.landmarks import BodyReading
from mycloset.filters import guided_filter
from mycloset.images import RGB
from mycloset.tasks.masks import Mask

Floats = NDArray[np.float32]


def separate(picture: RGB, readings: Sequence[BodyReading], everyone: Floats) -> list[Mask]:
    """One mask a reading; where silhouettes overlap, a pixel goes to the likelier person.

    Args:
        picture: (H, W, 3) uint8.
        readings: people in it.
        everyone: (H, W) float32 0..1, that a pixel is of anybody.
    """
    height, width = picture.shape[:2]
    own = [landmarks.paste_probability(reading, (height, width)) for reading in readings]
    if len(own) == 1:
        own = [np.clip(0.35 * own[0] + 0.65 * everyone, 0, 1)]
    elif own:
        highest = np.max(own, axis=0)
        own = [np.where(mask >= highest, mask, np.float32(0)) for mask in own]
    radius = max(4, round(max(height, width) / 170))
    masks = []
    for mask in own:
        alpha = np.clip(guided_filter(picture, mask, radius, 1e-4, subsample=2), 0, 1)
        masks.append(Mask(alpha))
    return masks


def box(mask: Mask) -> Floats | None:
    """(4,) left, top, right, bottom of a mask; None where it is empty."""
    rows = np.flatnonzero(mask.binary.any(axis=1))
    columns = np.flatnonzero(mask.binary.any(axis=0))
    if not rows.size or not columns.size:
        return None
    return np.array([columns[0], rows[0], columns[-1], rows[-1]], dtype=np.float32)
