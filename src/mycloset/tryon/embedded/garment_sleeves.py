"""Where a sleeve leaves the body: armpits, also where a sleeve lies against the body."""

from __future__ import annotations

import cv2
import numpy as np

from mycloset.tryon.embedded.garment_outline import (
    Floats,
    Marks,
    Outline,
    Points,
    retrace,
    turning,
)


def find_armpit(outline: Outline, lowest: float = 0.62) -> int | None:
    """Number of the armpit between body and sleeve, on the picture's right; None without sleeve.

    It is the sharpest concave corner that lies far, along the outline, from where the outline
    touches its convex hull. A waist lies far too, but turns gently; a crease turns sharply, but
    lies near.

    Args:
        lowest: how far down an armpit may be, as a share of the garment's height.
    """
    points = outline.points
    bends = turning(outline, 0.05 * outline.height)
    inward = _way_to_hull(points)
    x, y = points[:, 0], points[:, 1]
    # The lower half of a dress flares and gathers; no armpit is there.
    possible = (
        (x > outline.axis + 0.1 * outline.width)
        & (y > outline.top + 0.06 * outline.height)
        & (y < outline.top + lowest * outline.height)
        & (bends < -30.0)
        & _garment_above(outline)
    )
    if not possible.any():
        return None
    score = inward * np.clip((-bends - 20.0) / 50.0, 0.0, 1.0)
    score = np.where(possible, score, -np.inf)
    for _ in range(5):
        best = int(np.argmax(score))
        if score[best] < 0.025 * outline.height:
            return None
        if _has_sleeve(outline, best):
            return best
        away = np.hypot(x - x[best], y - y[best])
        score = np.where(away < 0.06 * outline.height, -np.inf, score)
    return None


def _way_to_hull(points: Points) -> Floats:
    """(N,) length of outline from each point to where it next touches its hull, either way."""
    count = len(points)
    hull = np.sort(cv2.convexHull(points.astype(np.float32), returnPoints=False)[:, 0])
    steps = np.hypot(*(np.roll(points, -1, axis=0) - points).T)
    length = np.concatenate([[0.0], np.cumsum(steps)])
    at = np.arange(count)
    following = np.searchsorted(hull, at, side="left")
    after = np.where(
        following < len(hull),
        length[hull[np.minimum(following, len(hull) - 1)]] - length[at],
        length[-1] + length[hull[0]] - length[at],
    )
    before = np.where(
        (following > 0) | (hull[0] == at),
        length[at] - length[hull[np.maximum(np.searchsorted(hull, at, side="right") - 1, 0)]],
        length[at] + length[-1] - length[hull[-1]],
    )
    way: Floats = np.minimum(after, before)
    return way


def _garment_above(outline: Outline) -> Marks:
    """(N,) whether the garment lies above and outside of each point: a sleeve's underside."""
    reach = max(2, round(0.02 * outline.height))
    height, width = outline.marks.shape
    x = np.clip(np.round(outline.points[:, 0]).astype(np.intp) + reach, 0, width - 1)
    y = np.clip(np.round(outline.points[:, 1]).astype(np.intp) - reach, 0, height - 1)
    above = np.logical_or.accumulate(outline.marks, axis=0)
    found: Marks = above[y, x]
    return found


def _has_sleeve(outline: Outline, armpit: int) -> bool:
    """Whether garment lies beyond an armpit: out to the side, or hanging beside the body."""
    x, y = outline.points[armpit]
    above = outline.marks[: int(y) + 1]
    columns = np.flatnonzero(above.any(axis=0))
    overhang = float(columns.max()) - x
    return overhang > 0.035 * outline.width


def free_sleeves(outline: Outline) -> Outline:
    """Cut sleeves free that hang against the body, up to where their armpit must be.

    Such a sleeve shows only at its lower end, where the gap between it and the body closes far
    below any armpit. The cut goes on from there, as far in from the sleeve's outer edge as the
    sleeve is wide, and ends at an armpit's usual height.
    """
    marks = outline.marks.copy()
    changed = False
    for view in (outline, outline.mirrored()):
        found = find_armpit(view, 0.95)
        if found is None:
            continue
        x, y = view.points[found]
        chest = 2.0 * (x - view.axis)
        shoulder_y = view.top + 0.12 * chest
        usual = shoulder_y + 0.55 * chest
        if y < shoulder_y + 0.8 * chest or y > view.bottom - 1:
            continue
        run = [b for a, b in view.row(y + 1) if b > x + 1]
        if not run:
            continue
        sleeve = (max(run) - x) * 1.1
        top = np.array([_right_end(view, usual) - sleeve * 1.15, usual])
        if top[0] < view.axis + 0.1 * view.width:
            continue
        ends = [(float(x), float(y) + 1.0), (float(top[0]), float(top[1]))]
        if view is not outline:
            last = marks.shape[1] - 1
            ends = [(last - px, py) for px, py in ends]
        line = np.zeros(marks.shape, np.uint8)
        a, b = ((round(px), round(py)) for px, py in ends)
        cv2.line(line, a, b, 1, 2)
        marks &= line == 0
        changed = True
    return retrace(outline, marks) if changed else outline


def _right_end(outline: Outline, y: float) -> float:
    runs = outline.row(y)
    return float(runs[-1][1]) if runs else outline.right
