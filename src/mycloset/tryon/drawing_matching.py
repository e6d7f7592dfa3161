"""How a garment is carried over: control points and grid in its picture and on the person."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from mycloset.images import RGB
from mycloset.tasks.canvas import PAPER, Color, blend, fade, fit, font, pill, sheet, unit
from mycloset.tasks.masks import Mask
from mycloset.tryon.state import Matching, PartMatch, WarpedGarment

PANEL_SIDE = 1600
CELLS = 12
NUMBERED = 24

PART_COLORS: dict[str, Color] = {
    "torso": (214, 40, 110),
    "sleeve_left": (255, 128, 20),
    "sleeve_right": (20, 132, 255),
    "leg_left": (255, 128, 20),
    "leg_right": (20, 132, 255),
    "skirt": (142, 68, 173),
}
OTHER: Color = (60, 160, 90)
ACROSS: Color = (40, 110, 190)
DOWN: Color = (210, 90, 40)


def draw_matching(
    person: RGB,
    garment: RGB,
    matching: Matching,
    warped: WarpedGarment | None = None,
    cloth_mask: Mask | None = None,
) -> RGB:
    """The garment with its grid and control points, beside the person with both carried over.

    Args:
        person, garment: the two pictures.
        matching: control points; equal numbers belong together and a thin line joins them.
        warped: where the grid went; without it only the points are drawn on the person.
        cloth_mask: where the garment is; the grid is drawn on it only.

    Returns:
        both side by side, at most 1600 pixels high.
    """
    height = min(PANEL_SIDE, max(person.shape[0], 360))
    right = fade(fit(person, height, PANEL_SIDE * 2), 0.35)
    left = fade(fit(garment, height, PANEL_SIDE), 0.35)
    scales = left.shape[0] / garment.shape[0], right.shape[0] / person.shape[0]
    scale = unit(height, right.shape[1])
    spacing = _spacing(garment, cloth_mask)
    where = cloth_mask.binary if cloth_mask is not None else np.ones(garment.shape[:2], bool)
    ys, xs = np.mgrid[0 : left.shape[0], 0 : left.shape[1]].astype(np.float32)
    own = np.stack([xs + 0.5, ys + 0.5], axis=-1) / np.float32(scales[0]) - np.float32(0.5)
    inside = cv2.resize(where.astype(np.uint8), left.shape[1::-1], interpolation=cv2.INTER_NEAREST)
    own[np.asarray(inside) == 0] = np.nan
    left = _grid_lines(left, own, spacing, 2.0 * scale)
    if warped is not None:
        carried = cv2.resize(warped.grid, right.shape[1::-1], interpolation=cv2.INTER_NEAREST)
        alpha = cv2.resize(warped.alpha, right.shape[1::-1], interpolation=cv2.INTER_LINEAR)
        carried = np.asarray(carried).copy()
        carried[np.asarray(alpha) < 0.5] = np.nan
        right = _grid_lines(right, carried, spacing, 2.0 * scale)
    gap = round(40 * scale)
    both = sheet(max(left.shape[0], right.shape[0]), left.shape[1] + gap + right.shape[1])
    top = (both.shape[0] - left.shape[0]) // 2
    both[top : top + left.shape[0], : left.shape[1]] = left
    both[: right.shape[0], left.shape[1] + gap :] = right
    offset = np.array([left.shape[1] + gap, 0], np.float32)
    return _points(both, matching.parts, scales, np.array([0, top], np.float32), offset, scale)


def _spacing(garment: RGB, mask: Mask | None) -> float:
    """Pixels of the garment picture between grid lines: CELLS of them across the garment."""
    if mask is None or not mask.binary.any():
        return float(max(garment.shape[:2])) / CELLS
    rows, columns = (np.flatnonzero(mask.binary.any(axis=axis)) for axis in (1, 0))
    extent: int = max(int(rows[-1] - rows[0]), int(columns[-1] - columns[0])) + 1
    return extent / CELLS


def _grid_lines(picture: RGB, place: NDArray[Any], spacing: float, thick: float) -> RGB:
    """Draw where the coordinates `place` (h, w, 2) are multiples of `spacing`.

    The distance to the next line in pixels is the coordinate's distance over its gradient, so
    that lines are equally thick and smooth wherever the grid is stretched.
    """
    known = np.isfinite(place[..., 0])
    if not known.any():
        return picture
    rows, columns = np.flatnonzero(known.any(axis=1)), np.flatnonzero(known.any(axis=0))
    box = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
    drawn = picture.copy()
    for axis, color in ((0, ACROSS), (1, DOWN)):
        value = place[box][..., axis] / np.float32(spacing)
        down, across = np.gradient(value) if min(value.shape) > 1 else (value, value)
        slope = np.hypot(down, across)
        away = np.abs(value - np.round(value)) / np.maximum(slope, 1e-6)
        # A jump from one part to another is not a line, however steep.
        alpha = np.clip(thick / 2 + 0.5 - away, 0.0, 1.0) * (slope < 0.5)
        drawn[box] = blend(drawn[box], color, np.nan_to_num(alpha * 0.75))
    return drawn


def _points(
    picture: RGB,
    parts: Sequence[PartMatch],
    scales: tuple[float, float],
    start: NDArray[np.float32],
    end: NDArray[np.float32],
    scale: float,
) -> RGB:
    lines = picture.copy()
    pairs: list[tuple[NDArray[np.float32], NDArray[np.float32], Color, str]] = []
    total = sum(len(part.source) for part in parts)
    every = max(1, -(-total // NUMBERED))
    number = 0
    for part in parts:
        color = PART_COLORS.get(part.name, OTHER)
        for source, target in zip(part.source, part.target, strict=True):
            first = (source + 0.5) * scales[0] - 0.5 + start
            second = (target + 0.5) * scales[1] - 0.5 + end
            # With many points only some are numbered and joined, else nothing could be read.
            label = str(number + 1) if number % every == 0 else ""
            number += 1
            if not (np.isfinite(first).all() and np.isfinite(second).all()):
                continue
            pairs.append((first, second, color, label))
            if label:
                ends = [(round(float(x) * 16), round(float(y) * 16)) for x, y in (first, second)]
                wide = max(1, round(1.5 * scale))
                cv2.line(lines, ends[0], ends[1], color, wide, cv2.LINE_AA, 4)
    drawn = blend(picture, lines, 0.4)
    size = max(9, round(15 * scale))
    rim = max(1.0, 1.5 * scale)
    for first, second, color, label in pairs:
        radius = (size * 0.72 if label else 4.5 * scale) + 0.5
        for x, y in (first + 0.5, second + 0.5):
            for reach, paint in ((radius + rim, PAPER), (radius, color)):
                pill(drawn, (x - reach, y - reach, x + reach, y + reach), reach, paint)
    image = Image.fromarray(drawn)
    draw = ImageDraw.Draw(image)
    for first, second, _, label in pairs:
        for x, y in (first, second) if label else ():
            draw.text((x, y), label, fill=(255, 255, 255), font=font(size), anchor="mm")
    return np.asarray(image)
