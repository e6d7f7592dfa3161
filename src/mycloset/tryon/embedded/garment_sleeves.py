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


def find_armpits(outline: Outline) -> tuple[int | None, int | None]:
    """Numbers of the armpits: on the picture's right, and on its left as its mirror image sees it.

    Both are None where there are no sleeves. Where one side's is hidden (a knot, a folded sleeve),
    or lies elsewhere than the other's, the higher one says where to look for it.
    """
    flipped = outline.mirrored()
    views = outline, flipped
    found = [find_armpit(view) for view in views]
    if found[0] is None and found[1] is None:
        return None, None
    places = [
        None if k is None else view.points[k] - [view.axis, 0.0]
        for view, k in zip(views, found, strict=True)
    ]
    for one, other in ((0, 1), (1, 0)):
        here, there = places[one], places[other]
        if there is None:
            continue
        lost = here is None or (
            here[1] - there[1] > 0.1 * outline.height
            or (np.hypot(*(here - there)) > 0.22 * outline.height and here[1] > there[1])
        )
        if lost:
            view = views[one]
            if here is None and view.right - view.axis < 0.8 * (view.axis - view.left):
                return None, None
            expected = there + np.array([view.axis, 0.0])
            near = find_armpit(view, near=expected)
            if near is None and here is not None:
                continue
            found[one] = view.nearest(expected) if near is None else near
            places[one] = view.points[found[one]] - [view.axis, 0.0]
    return found[0], found[1]


def find_armpit(outline: Outline, lowest: float = 0.62, near: Points | None = None) -> int | None:
    """Number of the armpit between body and sleeve, on the picture's right; None without sleeve.

    It is the sharpest concave corner that lies far, along the outline, from where the outline
    touches its convex hull. A waist lies far too, but turns gently; a crease turns sharply, but
    lies near.

    Args:
        lowest: how far down an armpit may be, as a share of the garment's height.
        near: look only around this point.
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
        & (bends < np.where(y < outline.top + 0.62 * outline.height, -30.0, -18.0))
        & _garment_above(outline)
    )
    if near is not None:
        possible &= np.hypot(x - near[0], y - near[1]) < 0.1 * outline.height
    if not possible.any():
        return None
    score = inward * np.clip((-bends - 10.0) / 50.0, 0.0, 1.0)
    score = np.where(possible, score, -np.inf)
    for _ in range(5):
        best = int(np.argmax(score))
        if score[best] < 0.025 * outline.height:
            return None
        if _has_sleeve(outline, best):
            return best
        away = np.hypot(x - x[best], y - y[best])
        # The farthest point in may lie just beside the corner itself.
        beside = np.where(possible & (away < 0.04 * outline.height), bends, np.inf)
        corner = int(np.argmin(beside))
        if _has_sleeve(outline, corner):
            return corner
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
    """Whether a sleeve lies beyond an armpit: garment farther out, joined above it to the body.

    Beside a strap the outline is as concave, but above that place there is the strap alone.
    """
    x, y = outline.points[armpit]
    # Beside a narrow slot hangs a sleeve; the ground in a wide angle has it above only.
    slot = turning(outline, 0.05 * outline.height)[armpit] < -110.0
    above = outline.marks[: int(y + (0.12 * outline.height if slot else 0)) + 1]
    columns = np.flatnonzero(above.any(axis=0))
    if float(columns.max()) - x < 0.045 * outline.width:
        return False
    row = y - max(4.0, 0.035 * outline.height)
    return any(a <= outline.axis <= b and b >= x - 1 for a, b in outline.row(row))


def free_sleeves(outline: Outline) -> Outline:
    """Cut sleeves free that hang against the body, up to where their armpit must be.

    Such a sleeve shows only at its lower end, where the gap between it and the body closes far
    below any armpit. The cut goes on from there, as far in from the sleeve's outer edge as the
    sleeve is wide, and ends at an armpit's usual height.
    """
    marks = outline.marks.copy()
    changed = False
    views = outline, outline.mirrored()
    found = [find_armpit(view, 0.97) for view in views]
    low = [k is not None and _too_low(v, k) for v, k in zip(views, found, strict=True)]
    if found[0] is not None and found[1] is not None:
        heights = [v.points[k][1] for v, k in zip(views, found, strict=True)]
        if abs(heights[0] - heights[1]) < 0.1 * outline.height:
            low = [any(low)] * 2
    for side, (view, index) in enumerate(zip(views, found, strict=True)):
        if index is None or not low[side]:
            continue
        gap = view.points[index]
        twin, other = found[1 - side], views[1 - side]
        end = None
        if twin is not None and not low[1 - side]:
            # The other side shows where its armpit is: this one's is its mirror image.
            end = other.points[twin] + np.array([view.axis - other.axis, 0.0])
            if find_armpit(view, near=end) is not None:
                continue
        elif twin is not None and abs(other.points[twin][1] - gap[1]) < 0.15 * outline.height:
            end = _usual_armpit(view, gap)
        if end is None or end[1] >= gap[1] or _sleeve_width(view, gap) < 0.07 * view.width:
            continue
        # Begin well within the gap, so that the cut joins it.
        back = (gap - end) / max(float(np.hypot(*(gap - end))), 1.0)
        ends = [gap + 6.0 * back, end]
        marks &= ~_cut(view, outline, ends)
        changed = True
    return retrace(outline, marks) if changed else outline


def cut_sleeve(outline: Outline, view: Outline, notch: int, shoulder_y: float) -> Outline:
    """Cut a short sleeve free whose cuff runs into the body at `notch`, up to its armpit."""
    gap = view.points[notch]
    end = np.array([gap[0], shoulder_y + 0.46 * 2.0 * (gap[0] - view.axis)])
    if end[1] > gap[1] - 0.03 * view.height:
        return outline
    out = np.array([3.0, 4.0])
    return retrace(outline, outline.marks & ~_cut(view, outline, [gap + out, gap, end]))


def _cut(view: Outline, outline: Outline, ends: list[Points]) -> Marks:
    """A thin line through points of a view, as marks of the outline's own picture."""
    if view.axis != outline.axis or view.points is not outline.points:
        ends = [np.array([outline.marks.shape[1] - 1 - px, py]) for px, py in ends]
    line = np.zeros(outline.marks.shape, np.uint8)
    cv2.polylines(line, [np.round(np.array(ends)).astype(np.int32)], False, 1, 2)
    cut: Marks = line > 0
    return cut


def _usual_armpit(view: Outline, gap: Points) -> Points | None:
    """Where the armpit is above the upper end of a gap between sleeve and body, by proportion."""
    x, y = gap
    usual = min(view.top + 0.52 * 2.0 * (x - view.axis), view.top + 0.45 * view.height)
    if y <= usual:
        return None
    beside = _right_end(view, usual)
    rise = max(float(y) - usual, 1.0)
    across = _sleeve_width(view, gap)
    sleeve = across * rise / float(np.hypot(rise, x + across - beside))
    # A flared sleeve is wider below than at the armhole.
    inner = max(min(float(x), beside - 0.9 * sleeve), view.axis + 0.62 * (beside - view.axis))
    if inner < view.axis + 0.1 * view.width:
        return None
    return np.array([inner, usual])


def _sleeve_width(view: Outline, gap: Points) -> float:
    """How much garment lies beyond the upper end of a gap, along the rows about it."""
    x, y = gap
    rows = np.arange(round(y) - 8, round(y) + 3)
    ends = [last for row in rows for _, last in view.row(float(row)) if last > x + 1]
    return max(ends) - float(x) if ends else 0.0


def _too_low(view: Outline, index: int) -> bool:
    """Whether a concave corner lies farther below the top than its armpit must.

    A wide angle may be an armpit itself; a narrow slot's end is only where the sleeve begins to
    touch the body.
    """
    x, y = view.points[index]
    slot = turning(view, 0.05 * view.height)[index] < -125.0
    return bool(y > view.top + (0.6 if slot else 0.95) * 2.0 * (x - view.axis))


def _right_end(outline: Outline, y: float) -> float:
    runs = outline.row(y)
    return float(runs[-1][1]) if runs else outline.right
