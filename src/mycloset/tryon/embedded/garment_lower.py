"""Landmarks of trousers, shorts and skirts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mycloset.tryon.embedded.garment_outline import Outline, Points, corners_between


@dataclass(frozen=True)
class LowerReading:
    """What an outline says if it is read as a lower garment.

    Attributes:
        points: landmarks by name, in pixels of the outline.
        legs: whether there are two.
        flare: hem width (both legs' outsides) / waist width.
        length_reach: (hem's y - waist's y) / waist width.
        top_bend: how far the top edge is from a straight line, as a share of its length.
        confidence: 0..1.
    """

    points: dict[str, Points]
    legs: bool
    flare: float
    length_reach: float
    top_bend: float
    confidence: float


def read_lower(outline: Outline) -> LowerReading:
    """Read an outline as trousers, shorts or a skirt."""
    waist_right, waist_left = _waist(outline)
    crotch = _crotch(outline)
    points = {
        "waist_left": outline.points[waist_left],
        "waist_right": outline.points[waist_right],
    }
    waist = float(np.hypot(*(points["waist_left"] - points["waist_right"])))
    if crotch is None:
        hem_left, hem_right = corners_between(outline, waist_left, waist_right)
        points["hem_outer_left"] = outline.points[hem_left]
        points["hem_outer_right"] = outline.points[hem_right]
    else:
        outer, inner = corners_between(outline, waist_left, crotch)
        points["hem_outer_left"], points["hem_inner_left"] = (
            outline.points[outer],
            outline.points[inner],
        )
        inner, outer = corners_between(outline, crotch, waist_right)
        points["hem_outer_right"], points["hem_inner_right"] = (
            outline.points[outer],
            outline.points[inner],
        )
        points["crotch"] = outline.points[crotch].copy()
        # Legs that touch hide the crotch: it is not farther down than a rise is long.
        waist_y = float(points["waist_left"][1] + points["waist_right"][1]) / 2
        if points["crotch"][1] > waist_y + 0.86 * waist:
            points["crotch"][1] = waist_y + 0.68 * waist
    hems = [p for name, p in points.items() if name.startswith("hem")]
    waist_y = float(points["waist_left"][1] + points["waist_right"][1]) / 2
    hem_y = float(np.mean([p[1] for p in hems]))
    hem_width = float(points["hem_outer_left"][0] - points["hem_outer_right"][0])
    width = max(waist, 1.0)
    return LowerReading(
        points,
        crotch is not None,
        hem_width / width,
        (hem_y - waist_y) / width,
        _bend(outline, waist_right, waist_left) / width,
        _confidence(outline, points, waist),
    )


def _bend(outline: Outline, start: int, end: int) -> float:
    """How far, in pixels, the outline leaves the chord between two of its points."""
    a, b = outline.points[start], outline.points[end]
    chord = b - a
    off = outline.points[outline.walk(start, end)] - a
    away = (chord[0] * off[:, 1] - chord[1] * off[:, 0]) / max(float(np.hypot(*chord)), 1e-6)
    return float(np.abs(away).max())


def _waist(outline: Outline) -> tuple[int, int]:
    """Numbers of the top edge's ends: the wearer's right (picture's left) and left."""
    y = outline.points[:, 1]
    top = outline.points[y <= outline.top + 0.06 * outline.height]
    middle = float(top[:, 0].mean())
    # The corner is what lies farthest up and out, seen at 45 degrees.
    out_left = (outline.points[:, 0] - middle) - 1.2 * (y - outline.top)
    out_right = (middle - outline.points[:, 0]) - 1.2 * (y - outline.top)
    near = y <= outline.top + 0.12 * outline.height
    left = int(np.argmax(np.where(near, out_left, -np.inf)))
    right = int(np.argmax(np.where(near, out_right, -np.inf)))
    return right, left


def _crotch(outline: Outline) -> int | None:
    """Top of the gap between the legs, near the axis; None where there is no gap."""
    low = outline.marks[: int(outline.bottom) + 1]
    half = 0.22 * outline.width
    first = int(max(outline.axis - half, 0))
    last = int(min(outline.axis + half, low.shape[1] - 1))
    best, best_y = None, outline.bottom - 0.08 * outline.height
    for x in range(first, last + 1):
        column = np.flatnonzero(low[:, x])
        if not column.size:
            continue
        end = float(column.max())
        # Below that pixel is ground; both sides of it must be leg, or it is the side of a skirt.
        y = int(min(end + 3, outline.bottom))
        runs = outline.row(y)
        if end < best_y and any(b < x for _, b in runs) and any(a > x for a, _ in runs):
            best, best_y = (x, end), end
    if best is None:
        return None
    return outline.nearest(np.array(best, np.float64))


def _confidence(outline: Outline, points: dict[str, Points], waist: float) -> float:
    """Symmetric, with a waist that is a good part of the width, at the top: 1."""
    tilt = abs(float(points["waist_left"][1] - points["waist_right"][1])) / max(waist, 1.0)
    middle = float(points["waist_left"][0] + points["waist_right"][0]) / 2
    aside = abs(middle - outline.axis) / max(waist, 1.0)
    narrow = float(np.clip(waist / max(outline.width, 1.0) / 0.35, 0.0, 1.0))
    return float(np.clip(1.0 - 2.0 * tilt - 2.0 * aside, 0.0, 1.0)) * narrow
