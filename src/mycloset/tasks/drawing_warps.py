"""What a warp looks like: the garment on the person, with its own grid bent along."""

from __future__ import annotations

import cv2
import numpy as np

from mycloset.images import RGB
from mycloset.tasks.canvas import PAPER, Color, blend, fade, pill, unit
from mycloset.tasks.warps import Warp

CELLS = 12
ACROSS: Color = (40, 110, 190)
DOWN: Color = (210, 90, 40)
POINT: Color = (214, 40, 110)


def draw_warp(picture: RGB, warp: Warp) -> RGB:
    """The garment on a faded picture, with lines where its own picture has a regular grid.

    Args:
        picture: (H, W, 3), the person's.
        warp: of the same size.
    """
    height, width = picture.shape[:2]
    scale = unit(height, width)
    drawn = blend(fade(picture, 0.45), warp.picture, warp.alpha)
    covered = warp.alpha >= 0.5
    if covered.any() and min(height, width) > 1:
        seen = warp.grid[covered]
        spacing = float(np.nanmax(np.nanmax(seen, axis=0) - np.nanmin(seen, axis=0))) / CELLS
        place = np.where(covered[..., None], warp.grid, np.float32(np.nan))
        for axis, color in ((0, ACROSS), (1, DOWN)):
            value = place[..., axis] / np.float32(max(spacing, 1e-6))
            slope = np.hypot(*np.gradient(value))
            away = np.abs(value - np.round(value)) / np.maximum(slope, 1e-6)
            line = np.clip(scale + 0.5 - away, 0.0, 1.0) * (slope < 0.5)
            drawn = blend(drawn, color, np.nan_to_num(line * 0.75))
    outline, _ = cv2.findContours(covered.astype(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    drawn = np.ascontiguousarray(drawn)
    cv2.drawContours(drawn, outline, -1, POINT, max(1, round(2 * scale)), cv2.LINE_AA)
    for x, y in warp.target + np.float32(0.5):
        for reach, paint in ((5.5 * scale, PAPER), (4.0 * scale, POINT)):
            pill(drawn, (x - reach, y - reach, x + reach, y + reach), reach, paint)
    return drawn
