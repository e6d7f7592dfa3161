"""One side of a top: the numbers of its landmarks on the outline."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mycloset.tryon.embedded.garment_outline import (
    Outline,
    corner_between,
    corners_between,
    turning,
)
from mycloset.tryon.embedded.garment_sleeves import find_armpits


@dataclass(frozen=True)
class Side:
    """Landmarks of the side that lies on the picture's right: numbers of the outline's points."""

    collar: int
    neck: int
    shoulder: int
    armpit: int
    cuff_outer: int | None
    cuff_inner: int | None


def read_sides(outline: Outline, flipped: Outline) -> tuple[Side, Side]:
    views = outline, flipped
    pits = find_armpits(outline)
    sides = _read_side(outline, pits[0]), _read_side(flipped, pits[1])
    if pits[0] is not None and not any(map(_protrudes, views, sides)):
        sides = _read_side(outline, None), _read_side(flipped, None)
    return sides


def cuff_meets_body(view: Outline, side: Side) -> bool:
    """Whether a sleeve's end runs straight into the body, so that its armpit is hidden.

    Then the sleeve's lower corner is the only one, and the outline turns there from the sleeve's
    upper edge into its end.
    """
    if side.cuff_outer is None or side.cuff_inner is None:
        return False
    shoulder, outer, inner, notch = (
        view.points[k] for k in (side.shoulder, side.cuff_outer, side.cuff_inner, side.armpit)
    )
    upper, end = inner - shoulder, notch - inner
    across = abs(float(upper @ end)) / max(float(np.hypot(*upper) * np.hypot(*end)), 1e-6)
    bulge = upper[0] * (outer - shoulder)[1] - upper[1] * (outer - shoulder)[0]
    straight = abs(float(bulge)) < 0.12 * float(upper @ upper)
    return across < 0.5 and straight and notch[1] > inner[1]


def top_at(outline: Outline, x: float) -> float:
    """y of the garment's top edge at a column (or the nearest column that holds garment)."""
    columns = np.flatnonzero(outline.marks.any(axis=0))
    column = int(columns[np.argmin(np.abs(columns - x))])
    return float(np.argmax(outline.marks[:, column]))


def _read_side(outline: Outline, armpit: int | None) -> Side:
    middle = outline.nearest(np.array([outline.axis, top_at(outline, outline.axis)]))
    if armpit is None:
        return _sleeveless_side(outline, middle)
    x, y = outline.points[armpit]
    half = float(x) - outline.axis
    way = outline.walk(middle, armpit)
    level = np.flatnonzero(outline.points[way][:, 1] >= y)
    beside = int(way[level[0]]) if level.size and level[0] > 4 else armpit
    collar, shoulder = corners_between(outline, middle, beside)
    if outline.points[shoulder][0] - outline.axis > 1.02 * half:
        # That is the sleeve's end; the shoulder lies between.
        collar, shoulder = corners_between(outline, middle, shoulder)
    if not 0.78 * half < outline.points[shoulder][0] - outline.axis < 1.02 * half:
        # The outline does not bend there: seams sit a little inside the armpit's vertical.
        shoulder = _on_top(outline, middle, armpit, outline.axis + 0.87 * half)
    outer, inner = _cuff(outline, shoulder, armpit)
    if not outline.axis < outline.points[collar][0] < outline.points[shoulder][0] - 2:
        collar, _ = corner_between(outline, middle, shoulder)
    collar, neck = _collar(outline, middle, collar, shoulder)
    return Side(collar, neck, shoulder, armpit, outer, inner)


def _sleeveless_side(outline: Outline, middle: int) -> Side:
    """Armhole instead of sleeve: collar and shoulder are the strap's ends, or the shoulder's."""
    limit = outline.top + min(0.5 * outline.height, 0.75 * outline.width)
    low = _side_at(outline, max(limit, outline.points[middle][1] + 4))
    way = outline.walk(middle, low)
    heights = outline.points[way][:, 1]
    peak = int(np.argmin(heights))
    below = heights[peak] + 0.1 * outline.width
    start, end = middle, low
    if heights[0] > below:
        # A neckline deep below the straps: look at the strap's top only.
        start = int(way[: peak + 1][np.flatnonzero(heights[: peak + 1] > below)[-1]])
        after = np.flatnonzero(heights[peak:] > below)
        end = int(way[peak + after[0]]) if after.size else low
    collar, shoulder = corners_between(outline, start, end)
    if outline.points[shoulder][1] > heights[peak] + 0.22 * outline.width:
        # That is the armpit already; the shoulder lies between.
        collar, shoulder = corners_between(outline, start, shoulder)
    armpit, bulge = corner_between(outline, shoulder, low)
    if bulge < 0.01 * outline.height:
        # No armhole stands out: most of the way down is as good as any.
        way = outline.walk(shoulder, low)
        armpit = int(way[round(0.7 * (len(way) - 1))])
    return Side(collar, collar, shoulder, armpit, None, None)


def _protrudes(view: Outline, side: Side) -> bool:
    """Whether what lies beyond shoulder and armpit is a sleeve, not the curve of an armhole."""
    assert side.cuff_outer is not None
    assert side.cuff_inner is not None
    shoulder, armpit = view.points[side.shoulder], view.points[side.armpit]
    seam = armpit - shoulder
    length = max(float(np.hypot(*seam)), 1.0)
    out = [
        float(seam[1] * (p[0] - shoulder[0]) - seam[0] * (p[1] - shoulder[1])) / length
        for p in (view.points[side.cuff_outer], view.points[side.cuff_inner])
    ]
    bends = turning(view, 0.05 * view.height)
    bend = float(bends[(side.armpit + np.arange(-3, 4)) % len(bends)].min())
    # A short stump counts where it meets the body at a corner; a body narrows to its waist gently.
    return max(out) > (0.25 if bend < -55.0 else 0.4) * length


def _cuff(outline: Outline, shoulder: int, armpit: int) -> tuple[int, int]:
    """Outer and inner corner of a sleeve's end."""
    way = outline.walk(shoulder, armpit)
    root = (outline.points[shoulder] + outline.points[armpit]) / 2
    armhole = float(np.hypot(*(outline.points[shoulder] - outline.points[armpit])))
    far = np.hypot(*(outline.points[way] - root).T)
    tip = int(np.argmax(far))
    whole = corners_between(outline, shoulder, armpit)
    bends = turning(outline, 0.035 * outline.height)
    sharp = all(bends[(k + np.arange(-3, 4)) % len(bends)].max() > 38.0 for k in whole)
    if sharp or far[tip] < 1.4 * armhole:
        return whole
    # A long sleeve is narrow at its end and bends at the shoulder: look at its end only.
    reach = min(0.4 * float(far[tip]), 1.1 * armhole)
    away = np.hypot(*(outline.points[way] - outline.points[way[tip]]).T)
    before, after = np.flatnonzero(away[:tip] > reach), np.flatnonzero(away[tip:] > reach)
    start = int(way[before[-1]]) if before.size else shoulder
    end = int(way[tip + after[0]]) if after.size else armpit
    return corners_between(outline, start, end)


def _on_top(outline: Outline, middle: int, armpit: int, x: float) -> int:
    """The first point, going from the neck to the armpit, that is as far out as `x`."""
    way = outline.walk(middle, armpit)
    beyond = np.flatnonzero(outline.points[way][:, 0] >= x)
    return int(way[beyond[0]]) if beyond.size else int(way[len(way) // 2])


def _collar(outline: Outline, middle: int, collar: int, shoulder: int) -> tuple[int, int]:
    """Ends of the neck opening: its outer corner, and where the shoulder line begins below it."""
    if collar == middle:
        way = outline.walk(middle, shoulder)
        collar = int(way[len(way) // 2])
    # A standing collar has a concave corner at its foot.
    way = outline.walk(collar, shoulder)
    a, b = outline.points[collar], outline.points[shoulder]
    chord = b - a
    length = max(float(np.hypot(*chord)), 1.0)
    off = outline.points[way] - a
    dip = (chord[0] * off[:, 1] - chord[1] * off[:, 0]) / length
    foot = int(np.argmax(dip))
    if dip[foot] > 0.05 * length and dip[foot] > 2.0:
        return collar, int(way[foot])
    return collar, collar


def _side_at(outline: Outline, y: float) -> int:
    """The outline's point farthest to the right at a height."""
    run = outline.central_run(y)
    x = float(run[1]) if run else outline.right
    return outline.nearest(np.array([x, y]))
