"""The last touches: the warp's blur undone, the photo's grain on the garment, seams softened."""

from __future__ import annotations

import cv2
import numpy as np

from mycloset.images import RGB
from mycloset.tryon.embedded.fill import grain as grain_of
from mycloset.tryon.embedded.fill import noise
from mycloset.tryon.state import Fitting


def finish(photo: RGB, fitted: Fitting, *, sharpen: float, grain: bool) -> RGB:
    """Finish a fitted picture.

    Args:
        photo: (H, W, 3) uint8.
        fitted: the garment on the person.
        sharpen: 0..1, strength of an unsharp mask of one pixel inside the garment.
        grain: add the photo's fine noise to the garment, which came without it.

    Returns:
        (H, W, 3) uint8; equal to the photo wherever `fitted.changed` is 0.
    """
    rows = np.flatnonzero(fitted.changed.any(axis=1))
    columns = np.flatnonzero(fitted.changed.any(axis=0))
    if not len(rows):
        return photo.copy()
    window = (slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1))
    picture = fitted.rgb[window].astype(np.float32)
    inside = cv2.GaussianBlur(fitted.garment[window], (0, 0), 1.0)[..., None]
    fine = picture - cv2.GaussianBlur(picture, (0, 0), 1.0)
    # Halo-free: detail is raised by no more than a few levels.
    out = picture + np.clip(fine * (2.0 * sharpen), -12, 12) * inside
    if grain:
        grey = cv2.cvtColor(photo[window], cv2.COLOR_RGB2GRAY).astype(np.float32)
        still = (fitted.changed[window] == 0) & (grey > 8) & (grey < 247)
        deviation = min(grain_of(grey, still), 3.0)
        out += noise(grey.shape, deviation)[..., None] * inside
    result = photo.copy()
    changed = fitted.changed[window] > 0
    result[window][changed] = np.clip(out + 0.5, 0, 255).astype(np.uint8)[changed]
    return result
