"""The parts of a garment that move on their own: body, sleeves, legs."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from mycloset.tasks.garments import Category, GarmentShape
from mycloset.tasks.masks import Mask

Marks = NDArray[np.bool_]
Point = NDArray[np.float64]


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
    """Cut a sleeve from the torso along the line from shoulder to armpit.

    The sleeve is what then hangs together with its cuff, and a strip along the cut, which both
    parts keep: warped apart, they still cover each other.
    """
    shoulder, armpit, outer, inner, hem = (
        shape.points[f"{name}_{side}"].astype(np.float64)
        for name in ("shoulder", "armpit", "cuff_outer", "cuff_inner", "hem")
    )
    height, width = marks.shape
    thick = max(2, round(0.004 * max(height, width)))
    seam = armpit - shoulder
    length = max(float(np.hypot(*seam)), 1.0)
    cut = np.zeros(marks.shape, np.uint8)
    _draw(cut, armpit, shoulder - 0.4 * seam, thick)
    if _depth(marks, armpit) > 2 * thick:
        # The armpit is hidden: sleeve and body touch below it, down to the cuff or to the hem.
        beside = inner[1] < hem[1] - 0.12 * (hem[1] - armpit[1])
        _draw(cut, armpit, inner if beside else (inner + hem) / 2, thick)
    _, labels = cv2.connectedComponents((marks & (cut == 0)).astype(np.uint8), connectivity=4)
    cuff = (outer + inner) / 2
    label = _label_near(labels, cuff + 0.15 * ((shoulder + armpit) / 2 - cuff))
    piece = labels == label if label else np.zeros_like(marks)
    away = np.array([seam[1], -seam[0]]) / length
    if float((cuff - shoulder) @ away) < 0:
        away = -away
    xs, ys = np.arange(width)[None, :], np.arange(height)[:, None]
    beyond = (xs - armpit[0]) * away[0] + (ys - armpit[1]) * away[1]
    along = (xs - shoulder[0]) * (seam[0] / length) + (ys - shoulder[1]) * (seam[1] / length)
    if not label or np.count_nonzero(piece) > 0.6 * np.count_nonzero(marks):
        # The cut did not part them: take what lies beyond it, no lower than the cuff.
        low = max(float(outer[1]), float(inner[1])) + 0.05 * length
        piece = marks & (beyond > 0) & (ys < low)
    overlap = 0.06 * length + thick
    near = marks & (np.abs(beyond) < overlap) & (along > -0.4 * length) & (along < length + overlap)
    parts[f"sleeve_{side}"] = piece | near
    parts["torso"] &= ~piece | near


def _depth(marks: Marks, point: Point) -> float:
    """How far a point lies inside the garment, in pixels, up to 32."""
    x, y = round(float(point[0])), round(float(point[1]))
    reach = 33
    window = np.pad(marks, reach)[y : y + 2 * reach + 1, x : x + 2 * reach + 1]
    away = cv2.distanceTransform(window.astype(np.uint8), cv2.DIST_L2, 5)
    return float(away[reach, reach])


def _draw(canvas: NDArray[np.uint8], a: Point, b: Point, thick: int) -> None:
    start, end = (tuple(round(float(v)) for v in p) for p in (a, b))
    cv2.line(canvas, (start[0], start[1]), (end[0], end[1]), 1, thick)


def _label_near(labels: NDArray[np.int32], point: Point) -> int:
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
