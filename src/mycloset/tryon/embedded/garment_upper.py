"""Landmarks of tops and dresses: neck opening, shoulders, sleeves, armpits, hem."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from mycloset.tryon.embedded.garment_outline import (
    Outline,
    Points,
    corner_between,
    corners_between,
)
from mycloset.tryon.embedded.garment_sleeves import cut_sleeve, find_armpits, free_sleeves


@dataclass(frozen=True)
class UpperReading:
    """What an outline says if it is read as a top or a dress.

    Attributes:
        points: landmarks by name, in pixels of the outline.
        sleeved: whether it has sleeves.
        sleeve_reach: length of the sleeves / shoulder width.
        length_reach: (hem's y - shoulders' y) / width between the armpits.
        chest: width between the armpits / shoulder width.
        flare: hem width / width between the armpits.
        neck_depth: how far the top edge is notched at the axis, as a share of the width.
        off_shoulder: whether the neckline runs across below the shoulders.
        confidence: 0..1.
    """

    points: dict[str, Points]
    sleeved: bool
    sleeve_reach: float
    length_reach: float
    chest: float
    flare: float
    neck_depth: float
    off_shoulder: bool
    confidence: float


@dataclass(frozen=True)
class _Side:
    """Landmarks of the side that lies on the picture's right: numbers of the outline's points."""

    collar: int
    neck: int
    shoulder: int
    armpit: int
    cuff_outer: int | None
    cuff_inner: int | None


def read_upper(outline: Outline) -> UpperReading:
    """Read an outline as a top or a dress."""
    outline = free_sleeves(outline)
    flipped = outline.mirrored()
    sides = _read_sides(outline, flipped)
    views = outline, flipped
    hidden = [_cuff_meets_body(v, s) for v, s in zip(views, sides, strict=True)]
    if any(hidden):
        ends = [
            (v.points[s.cuff_inner or 0], v.points[s.armpit])
            for v, s in zip(views, sides, strict=True)
        ]
        for view, side, cut in zip(views, sides, hidden, strict=True):
            if cut:
                outline = cut_sleeve(
                    outline, view, side.armpit, float(view.points[side.shoulder][1])
                )
        flipped = outline.mirrored()
        first, second = (
            replace(s, cuff_outer=v.nearest(tip), cuff_inner=v.nearest(notch - [0.0, 2.0]))
            if cut and s.cuff_outer is not None
            else s
            for v, s, cut, (tip, notch) in zip(
                (outline, flipped), _read_sides(outline, flipped), hidden, ends, strict=True
            )
        )
        sides = first, second
    points: dict[str, Points] = {}
    for name, view, side in (("left", outline, sides[0]), ("right", flipped, sides[1])):
        for part in ("collar", "neck", "shoulder", "armpit", "cuff_outer", "cuff_inner"):
            index = getattr(side, part)
            if index is not None:
                points[f"{part}_{name}"] = _to_picture(view, outline, view.points[index])
    left = outline.nearest(points["armpit_left"])
    right = outline.nearest(points["armpit_right"])
    hem_left, hem_right = corners_between(outline, left, right)
    points["hem_left"], points["hem_right"] = outline.points[hem_left], outline.points[hem_right]
    top = _top_at(outline, outline.axis)
    points["neck_front"] = np.array([outline.axis, top])
    points.update(_waist(outline, points))
    return _reading(outline, points, sleeved=sides[0].cuff_outer is not None)


def _reading(outline: Outline, points: dict[str, Points], *, sleeved: bool) -> UpperReading:
    shoulders = max(float(points["shoulder_left"][0] - points["shoulder_right"][0]), 1.0)
    shoulder_y = float(points["shoulder_left"][1] + points["shoulder_right"][1]) / 2
    hem_y = float(points["hem_left"][1] + points["hem_right"][1]) / 2
    reach = 0.0
    if sleeved:
        lengths = [
            float(
                np.hypot(
                    *(
                        (points[f"cuff_outer_{s}"] + points[f"cuff_inner_{s}"]) / 2
                        - points[f"shoulder_{s}"]
                    )
                )
            )
            for s in ("left", "right")
        ]
        reach = sum(lengths) / 2 / _breadth(outline, points, shoulders)
    collar_y = float(points["collar_left"][1] + points["collar_right"][1]) / 2
    opening = float(points["collar_left"][0] - points["collar_right"][0])
    hem = float(points["hem_left"][0] - points["hem_right"][0])
    chest = float(points["armpit_left"][0] - points["armpit_right"][0])
    return UpperReading(
        points,
        sleeved,
        reach,
        (hem_y - shoulder_y) / max(chest, 1.0),
        chest / shoulders,
        hem / max(chest, 1.0),
        (float(points["neck_front"][1]) - collar_y) / max(outline.width, 1.0),
        sleeved and opening > 0.82 * chest,
        _confidence(outline, points),
    )


def _breadth(outline: Outline, points: dict[str, Points], shoulders: float) -> float:
    """Breadth of the shoulders that the sleeves are measured by.

    On a dummy sleeves hang, and the shoulders' ends are seen from the front: what counts there is
    the breadth over both upper arms.
    """
    for side in ("left", "right"):
        cuff = (points[f"cuff_outer_{side}"] + points[f"cuff_inner_{side}"]) / 2
        way = np.abs(cuff - points[f"shoulder_{side}"])
        if way[1] < 1.4 * way[0]:
            return shoulders
    shoulder_y = float(points["shoulder_left"][1] + points["shoulder_right"][1]) / 2
    runs = outline.row(shoulder_y + 0.3 * shoulders)
    return max(shoulders, 0.85 * (runs[-1][1] - runs[0][0])) if runs else shoulders


def _to_picture(view: Outline, outline: Outline, point: Points) -> Points:
    if view is outline:
        return point
    return np.array([outline.marks.shape[1] - 1 - point[0], point[1]])


def _read_side(outline: Outline, armpit: int | None) -> _Side:
    middle = outline.nearest(np.array([outline.axis, _top_at(outline, outline.axis)]))
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
    return _Side(collar, neck, shoulder, armpit, outer, inner)


def _read_sides(outline: Outline, flipped: Outline) -> tuple[_Side, _Side]:
    views = outline, flipped
    pits = find_armpits(outline)
    sides = _read_side(outline, pits[0]), _read_side(flipped, pits[1])
    if pits[0] is not None and not any(map(_protrudes, views, sides)):
        sides = _read_side(outline, None), _read_side(flipped, None)
    return sides


def _cuff_meets_body(view: Outline, side: _Side) -> bool:
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


def _protrudes(view: Outline, side: _Side) -> bool:
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
    return max(out) > 0.25 * length


def _cuff(outline: Outline, shoulder: int, armpit: int) -> tuple[int, int]:
    """Outer and inner corner of a sleeve's end."""
    way = outline.walk(shoulder, armpit)
    root = (outline.points[shoulder] + outline.points[armpit]) / 2
    armhole = float(np.hypot(*(outline.points[shoulder] - outline.points[armpit])))
    far = np.hypot(*(outline.points[way] - root).T)
    tip = int(np.argmax(far))
    if far[tip] < 1.4 * armhole:
        return corners_between(outline, shoulder, armpit)
    # A long sleeve is narrow at its end and bends at the shoulder: look at its end only.
    reach = min(0.4 * float(far[tip]), 1.1 * armhole)
    away = np.hypot(*(outline.points[way] - outline.points[way[tip]]).T)
    before, after = np.flatnonzero(away[:tip] > reach), np.flatnonzero(away[tip:] > reach)
    start = int(way[before[-1]]) if before.size else shoulder
    end = int(way[tip + after[0]]) if after.size else armpit
    return corners_between(outline, start, end)


def _sleeveless_side(outline: Outline, middle: int) -> _Side:
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
    return _Side(collar, collar, shoulder, armpit, None, None)


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


def _top_at(outline: Outline, x: float) -> float:
    """y of the garment's top edge at a column (or the nearest column that holds garment)."""
    columns = np.flatnonzero(outline.marks.any(axis=0))
    column = int(columns[np.argmin(np.abs(columns - x))])
    return float(np.argmax(outline.marks[:, column]))


def _side_at(outline: Outline, y: float) -> int:
    """The outline's point farthest to the right at a height."""
    run = outline.central_run(y)
    x = float(run[1]) if run else outline.right
    return outline.nearest(np.array([x, y]))


def _waist(outline: Outline, points: dict[str, Points]) -> dict[str, Points]:
    """Narrowest place of the body below the armpits."""
    armpit_y = float(max(points["armpit_left"][1], points["armpit_right"][1]))
    hem_y = float(min(points["hem_left"][1], points["hem_right"][1]))
    chest = float(points["armpit_left"][0] - points["armpit_right"][0])
    first, last = armpit_y + 0.25 * chest, min(armpit_y + 1.1 * chest, hem_y - 0.1 * chest)
    if last <= first:
        first = last = (armpit_y + hem_y) / 2
    best: tuple[float, float, tuple[int, int]] | None = None
    usual = armpit_y + 0.55 * chest
    for y in np.arange(first, last + 1):
        run = outline.central_run(float(y))
        if run is None:
            continue
        # Straight dresses have no narrowest place: the usual one is preferred a little.
        cost = (run[1] - run[0]) / max(chest, 1.0) + 0.15 * abs(y - usual) / max(chest, 1.0)
        if best is None or cost < best[0]:
            best = (float(cost), float(y), run)
    if best is None:
        return {}
    _, y, run = best
    half = 0.62 * chest
    left = min(float(run[1]), outline.axis + half)
    right = max(float(run[0]), outline.axis - half)
    return {"waist_left": np.array([left, y]), "waist_right": np.array([right, y])}


def _confidence(outline: Outline, points: dict[str, Points]) -> float:
    """How alike both sides are, and whether the landmarks stand in a garment's order."""
    width = max(outline.width, 1.0)
    error = []
    for name, point in points.items():
        if name.endswith("_left"):
            other = points[name.replace("_left", "_right")]
            mirror = np.array([2 * outline.axis - other[0], other[1]])
            error.append(min(0.3, float(np.hypot(*(point - mirror))) / width))
    likeness = 1.0 - 3.0 * float(np.mean(error))
    order = [
        points["collar_left"][0] > points["collar_right"][0],
        points["shoulder_left"][0] >= points["collar_left"][0] - 1,
        points["shoulder_right"][0] <= points["collar_right"][0] + 1,
        points["armpit_left"][1] > points["shoulder_left"][1],
        points["armpit_right"][1] > points["shoulder_right"][1],
        points["hem_left"][1] > points["armpit_left"][1],
        points["hem_right"][1] > points["armpit_right"][1],
    ]
    return float(np.clip(likeness, 0.0, 1.0)) * (0.5 + 0.5 * float(np.mean(order)))
