"""The parts of a garment that move on their own: body, sleeves, legs."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from mycloset.tasks.garments import Category, GarmentShape
from mycloset.tasks.masks import Mask

Marks = NDArray[np.bool_]


def split_parts(mask: Mask, shape: GarmentShape) -> dict[str, Marks]:
    """Split a garment into parts that overlap a little where they join.

    Returns:
        Part name -> (H, W) bool. Upper and dress: `torso`, and with sleeves `sleeve_left` and
        `sleeve_right`. Lower: `leg_left` and `leg_right`, or `skirt`. Together they are the mask.
    """
    marks = mask.binary
    if shape.category is Category.LOWER:
        return _legs(marks, shape) if shape.legs else {"skirt": marks}
    parts = {"torso": marks.copy()}
    for side in ("left", "right"):
        if f"cuff_outer_{side}" in shape.points:
            _take_sleeve(parts, marks, shape, side)
    return parts


def _take_sleeve(parts: dict[str, Marks], marks: Marks, shape: GarmentShape, side: str) -> None:
    """Cut a sleeve from the torso along the line from shoulder to armpit."""
    shoulder, armpit = shape.points[f"shoulder_{side}"], shape.points[f"armpit_{side}"]
    other = shape.points[f"armpit_{'right' if side == 'left' else 'left'}"]
    outwards = np.sign(armpit[0] - other[0])
    seam = armpit - shoulder
    length = max(float(np.hypot(*seam)), 1.0)
    away = np.array([abs(seam[1]), -abs(seam[0]) * np.sign(seam[0] * outwards or 1.0) * 0.0])
    away = np.array([seam[1], -seam[0]]) / length
    if away[0] * outwards < 0:
        away = -away
    height, width = marks.shape
    ys, xs = np.mgrid[0:height, 0:width].astype(np.float32)
    beyond = (xs - armpit[0]) * away[0] + (ys - armpit[1]) * away[1]
    # Below the armpit a sleeve is what the gap separates from the body, not what lies farther out.
    cuffs = (shape.points[f"cuff_outer_{side}"] + shape.points[f"cuff_inner_{side}"]) / 2
    free = marks.copy()
    cv_line = np.zeros(marks.shape, np.uint8)
    thick = max(2, round(0.004 * max(height, width)))
    _draw(cv_line, armpit, shoulder + (shoulder - armpit) * 0.3, thick)
    free &= cv_line == 0
    free = _cut_below(free, marks, shape, side, thick)
    _, labels = cv2.connectedComponents(free.astype(np.uint8), connectivity=4)
    label = _label_near(labels, cuffs * 0.9 + (shoulder + armpit) / 2 * 0.1, outwards)
    overlap = np.float32(0.06 * length)
    if label and (labels == label).sum() < 0.6 * marks.sum():
        piece = labels == label
        near = (np.abs(beyond) < overlap + thick) & marks
        near &= (ys < armpit[1] + overlap) & (np.abs(xs - armpit[0]) < length)
    else:
        piece = marks & (beyond > 0) & (np.sign(xs - armpit[0] * 1.0) * outwards > -2)
        near = (np.abs(beyond) < overlap) & marks & (ys < armpit[1] + overlap)
    sleeve = piece | (near & (ys > min(shoulder[1], armpit[1]) - length))
    parts[f"sleeve_{side}"] = sleeve & marks
    parts["torso"] &= ~piece | near


def _cut_below(free: Marks, marks: Marks, shape: GarmentShape, side: str, thick: int) -> Marks:
    """Cut on from the armpit to where the cuff and the hem part, where they touch."""
    armpit = shape.points[f"armpit_{side}"]
    inner, hem = shape.points[f"cuff_inner_{side}"], shape.points[f"hem_{side}"]
    if inner[1] < armpit[1] + 0.3 * (hem[1] - armpit[1]):
        return free
    line = np.zeros(free.shape, np.uint8)
    # Towards the point between cuff and hem, both of which lie on it when they touch.
    low = np.array([(inner[0] + hem[0]) / 2, min(inner[1], hem[1])], np.float32)
    _draw(line, armpit, low, thick)
    hidden = (line > 0) & marks
    if hidden.sum() < 0.02 * marks.sum():
        free = free & (line == 0)
    return free


def _draw(
    canvas: NDArray[np.uint8], a: NDArray[np.float32], b: NDArray[np.float32], thick: int
) -> None:
    start, end = (tuple(round(float(v)) for v in p) for p in (a, b))
    cv2.line(canvas, (start[0], start[1]), (end[0], end[1]), 1, thick)


def _label_near(labels: NDArray[np.int32], point: NDArray[np.float32], outwards: float) -> int:
    """Label at a point, or the nearest labelled pixel's; 0 where none is near."""
    height, width = labels.shape
    reach = max(4, round(0.04 * max(height, width)))
    x, y = int(point[0]), int(point[1])
    x0, x1 = max(x - reach, 0), min(x + reach + 1, width)
    y0, y1 = max(y - reach, 0), min(y + reach + 1, height)
    window = labels[y0:y1, x0:x1]
    ys, xs = np.nonzero(window)
    if not ys.size:
        return 0
    nearest = int(np.argmin((ys + y0 - y) ** 2 + (xs + x0 - x) ** 2))
    return int(window[ys[nearest], xs[nearest]])


def _legs(marks: Marks, shape: GarmentShape) -> dict[str, Marks]:
    """Split along the line from the waist's middle over the crotch to between the hems."""
    p = shape.points
    height, width = marks.shape
    middle = (p["waist_left"] + p["waist_right"]) / 2
    low = (p["hem_inner_left"] + p["hem_inner_right"]) / 2
    ys = np.arange(height, dtype=np.float32)
    line = np.interp(
        ys, [middle[1], p["crotch"][1], low[1]], [middle[0], p["crotch"][0], low[0]]
    ).astype(np.float32)
    xs = np.arange(width, dtype=np.float32)
    beyond = xs[None, :] - line[:, None]
    overlap = 0.03 * float(abs(p["waist_left"][0] - p["waist_right"][0]))
    # Below the crotch the gap parts the legs; above it they share a little.
    shared = np.where(ys < p["crotch"][1], overlap, 0.0)[:, None]
    return {"leg_left": marks & (beyond > -shared), "leg_right": marks & (beyond < shared)}
