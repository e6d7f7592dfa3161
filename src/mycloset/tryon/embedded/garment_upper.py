"""Landmarks of tops and dresses: neck opening, shoulders, sleeves, armpits, hem."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from mycloset.tryon.embedded.garment_outline import Outline, Points, corners_between
from mycloset.tryon.embedded.garment_sides import cuff_meets_body, read_sides, top_at
from mycloset.tryon.embedded.garment_sleeves import cut_sleeve, free_sleeves


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


def read_upper(outline: Outline) -> UpperReading:
    """Read an outline as a top or a dress."""
    outline = free_sleeves(outline)
    flipped = outline.mirrored()
    sides = read_sides(outline, flipped)
    views = outline, flipped
    hidden = [cuff_meets_body(v, s) for v, s in zip(views, sides, strict=True)]
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
                (outline, flipped), read_sides(outline, flipped), hidden, ends, strict=True
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
    top = top_at(outline, outline.axis)
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
