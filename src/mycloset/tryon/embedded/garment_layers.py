"""The front of a garment: a shop photo shows the inside of its back, too, above the neckline."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from mycloset.images import Picture
from mycloset.tasks.garments import Category, GarmentShape
from mycloset.tasks.masks import Mask

Floats = NDArray[np.float32]

_DEPTHS = np.concatenate([np.linspace(0.06, 0.5, 23), np.linspace(0.54, 1.5, 25)])
"""Depths of a neckline that are tried, as a share of the neck opening's width."""

_POWERS = (1.0, 1.4, 2.0, 3.0, 5.0)
"""Shapes that are tried: 1 is a V, 2 is round, 5 is nearly square."""

_STATIONS = 48
"""Points along a neckline at which it is judged."""


def front_region(
    mask: Mask, shape: GarmentShape, picture: Picture
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Tell the front of a garment from the inside of its back, seen through the neck opening.

    The front's edge is the curve between the collar's ends across which the colour changes the same
    way all along: seams, prints and labels change it here and there. It is then followed to where
    the change is sharpest. Where there is no such curve, everything is front.

    Returns:
        The front, (H, W) float32, 0..1, never more than the mask; and the neckline, (K, 2) float32
        x and y in pixels, from `collar_left` over the front to `collar_right`. For a lower garment
        that is the waist's upper edge.
    """
    alpha = mask.alpha
    if shape.category is Category.LOWER:
        ends = shape.points["waist_left"], shape.points["waist_right"]
        return alpha, _top_edge(alpha, *ends)
    ends = shape.points["collar_left"], shape.points["collar_right"]
    opening = _Opening.between(*ends)
    if opening.width < 8:
        return alpha, _top_edge(alpha, *ends)
    patch = _Patch.of(picture, alpha, opening)
    found = _find_neckline(patch)
    if found is None:
        return alpha, _top_edge(alpha, *ends)
    course = opening.to_picture(_follow(patch, found))
    line = np.concatenate([[ends[0]], course[1:-1], [ends[1]]]).astype(np.float32)
    front = alpha * (1.0 - _above(alpha.shape, line, opening))
    return np.asarray(front, np.float32), line


@dataclass(frozen=True)
class _Opening:
    """Frame of the neck opening: u runs from collar_left (-1) to collar_right (1), v downwards.

    v is in widths of the opening, so that depths compare between garments.
    """

    origin: NDArray[np.float64]
    along: NDArray[np.float64]
    down: NDArray[np.float64]
    width: float

    @classmethod
    def between(cls, left: Floats, right: Floats) -> _Opening:
        a, b = np.asarray(left, np.float64), np.asarray(right, np.float64)
        width = float(np.hypot(*(b - a)))
        along = (b - a) / max(width, 1e-6)
        # The wearer's left is on the picture's right: `along` points to the left, down is down.
        return cls((a + b) / 2, along, np.array([along[1], -along[0]]), width)

    def to_picture(self, uv: NDArray[np.float64]) -> NDArray[np.float64]:
        """(..., 2) u, v -> x, y."""
        x = uv[..., :1] * 0.5 * self.width * self.along
        placed: NDArray[np.float64] = self.origin + x + uv[..., 1:] * self.width * self.down
        return placed


@dataclass(frozen=True)
class _Patch:
    """The neighbourhood of the opening, resampled to its frame.

    Attributes:
        lab: (rows, columns, 3) float32, somewhat smoothed.
        alpha: (rows, columns) float32.
    """

    lab: Floats
    alpha: Floats

    SCALE = 64.0
    """Pixels of the patch for a width of the opening."""
    MARGIN = 0.25
    DEPTH = 1.75

    @classmethod
    def of(cls, picture: Picture, alpha: Floats, opening: _Opening) -> _Patch:
        columns = int(cls.SCALE * (1 + 2 * cls.MARGIN))
        rows = int(cls.SCALE * (cls.MARGIN + cls.DEPTH))
        u = (np.arange(columns) / cls.SCALE - cls.MARGIN) * 2 - 1
        v = np.arange(rows) / cls.SCALE - cls.MARGIN
        grid = opening.to_picture(np.stack(np.meshgrid(u, v), axis=-1)).astype(np.float32)
        # Averaging first keeps a fine weave from looking like edges.
        step = max(1.0, opening.width / cls.SCALE)
        low = np.floor(grid.reshape(-1, 2).min(axis=0)).astype(int) - 8
        high = np.ceil(grid.reshape(-1, 2).max(axis=0)).astype(int) + 8
        x0, y0 = np.maximum(low, 0)
        x1, y1 = min(high[0], picture.width), min(high[1], picture.height)
        crop = picture.rgb[y0:y1, x0:x1].astype(np.float32) / np.float32(255.0)
        smooth = cv2.GaussianBlur(crop, (0, 0), 0.45 * step + 0.2)
        lab = cv2.cvtColor(smooth, cv2.COLOR_RGB2LAB)
        map_x, map_y = grid[..., 0] - np.float32(x0), grid[..., 1] - np.float32(y0)
        lab = cv2.remap(lab, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        cover = cv2.remap(np.ascontiguousarray(alpha[y0:y1, x0:x1]), map_x, map_y, cv2.INTER_LINEAR)
        return cls(np.asarray(lab, np.float32), np.asarray(cover, np.float32))

    def sample(self, image: Floats, uv: NDArray[np.float64]) -> Floats:
        """Values of a patch image at (n, m, 2) u, v."""
        x = ((uv[..., 0] + 1) / 2 + self.MARGIN) * self.SCALE
        y = (uv[..., 1] + self.MARGIN) * self.SCALE
        out = cv2.remap(
            image,
            x.astype(np.float32),
            y.astype(np.float32),
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )
        return np.asarray(out, np.float32)


@dataclass(frozen=True)
class _Line:
    """A neckline that was tried.

    Attributes:
        uv: (n, 2) float64, its course.
        normal: (n, 2) float64, unit normals (in widths), pointing out of the opening.
        depth: v at the axis.
        change: (3,) mean change of Lab from above it to below it.
        score: how marked and how even that change is.
    """

    uv: NDArray[np.float64]
    normal: NDArray[np.float64]
    depth: float
    change: Floats
    score: float


def _find_neckline(patch: _Patch) -> _Line | None:
    """The likeliest neckline among curves of several depths and shapes; None where none is."""
    courses, normals = _courses()
    change, judged = _judge(patch, courses, normals)
    per_depth = judged.reshape(len(_DEPTHS), -1)
    pick = per_depth.argmax(axis=1) + np.arange(len(_DEPTHS)) * per_depth.shape[1]
    # A neckline as deep as this is rare, and prints and wrapped fronts are many.
    faint = (_DEPTHS > 0.8) & (judged[pick] < 12.0)
    scores = np.where(faint, 0.0, judged[pick])
    best = float(scores.max())
    if best < 4.0:
        return None
    lines = [
        _Line(courses[k], normals[k], float(depth), change[k], float(judged[k]))
        for k, depth in zip(pick, _DEPTHS, strict=True)
    ]
    # Peaks over depth, at least half as marked as the best.
    peaks = [
        k
        for k in range(len(lines))
        if scores[k] >= 0.5 * best and scores[k] == scores[max(0, k - 2) : k + 3].max()
    ]
    strongest = lines[int(np.argmax(scores))]
    if len(peaks) > 1:
        return _among(patch, [lines[k] for k in peaks], strongest)
    return strongest


def _among(patch: _Patch, peaks: list[_Line], strongest: _Line) -> _Line:
    """Which of several marked curves is the front's edge: the upper edge of the front's ribbing.

    A collar of another colour has two edges, across which the colour changes to and fro; the back's
    collar, seen above, has them as well.
    """
    place = next(k for k, line in enumerate(peaks) if line is strongest)

    def opposite(a: _Line, b: _Line) -> bool:
        product = float(a.change @ b.change)
        return product < -0.4 * float(np.linalg.norm(a.change) * np.linalg.norm(b.change))

    upper = peaks[place - 1] if place > 0 else None
    if upper is not None and opposite(upper, strongest) and strongest.depth - upper.depth < 0.35:
        top = _top_of(patch)
        if upper.depth - top > 0.16 or (place > 1 and opposite(peaks[place - 2], upper)):
            return upper
    return strongest


def _top_of(patch: _Patch) -> float:
    """v of the garment's upper edge at the middle of the opening."""
    column = patch.alpha[:, patch.alpha.shape[1] // 2]
    return float(np.argmax(column > 0.5)) / patch.SCALE - patch.MARGIN


@cache
def _courses() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """All curves that are tried, depth by depth: (n, stations, 2) u, v, and their unit normals."""
    even = np.linspace(0.0, 1.0, _STATIONS)
    fine = np.linspace(-1.0, 1.0, 256)
    courses = []
    for depth in _DEPTHS:
        for span in (0.84, 0.97):
            for power in _POWERS:
                # Stations evenly along the curve, also where it falls steeply.
                v = depth * (1 - np.abs(fine) ** power)
                length = np.cumsum(np.hypot(np.diff(fine, prepend=-1) / 2, np.diff(v, prepend=0)))
                u = np.interp(even * length[-1], length, fine)
                courses.append(np.stack([span * u, depth * (1 - np.abs(u) ** power)], axis=1))
    uv = np.stack(courses)
    tangent = np.gradient(uv * [0.5, 1.0], axis=1)
    tangent /= np.maximum(np.hypot(tangent[..., 0], tangent[..., 1]), 1e-9)[..., None]
    return uv, np.stack([-tangent[..., 1], tangent[..., 0]], axis=-1)


def _judge(
    patch: _Patch, courses: NDArray[np.float64], normals: NDArray[np.float64]
) -> tuple[Floats, Floats]:
    """(n, 3) change of colour across each curve, and (n,) how marked and even that change is."""
    offsets = np.array([-0.065, -0.035, 0.035, 0.065])
    places = courses[:, None] + offsets[:, None, None] * normals[:, None] * [2.0, 1.0]
    count = len(courses)
    flat = places.reshape(count * 4, _STATIONS, 2)
    colors = patch.sample(patch.lab, flat).reshape(count, 4, _STATIONS, 3)
    cover = patch.sample(patch.alpha, flat).reshape(count, 4, _STATIONS)
    change = (colors[:, 2:].sum(axis=1) - colors[:, :2].sum(axis=1)) / 2
    ends = np.abs(np.linspace(-1, 1, _STATIONS)) < 0.93
    usable = ((cover.min(axis=1) > 0.7) & ends).astype(np.float32)
    number = np.maximum(usable.sum(axis=1), 1)
    size = np.sqrt((change**2).sum(axis=2))
    capped = change * (np.minimum(size, 18.0) / np.maximum(size, 1e-6))[..., None]
    mean = (capped * usable[..., None]).sum(axis=1) / number[:, None]
    marked = np.sqrt((mean**2).sum(axis=1))
    even = marked * number / np.maximum((np.minimum(size, 18.0) * usable).sum(axis=1), 1e-6)
    along = (capped * mean[:, None]).sum(axis=2) > 0.25 * (marked**2)[:, None]
    agree = (along * usable).sum(axis=1) / number
    # The inside of the back lies in the shade: a change to lighter is likelier the front's edge.
    shade = np.where(mean[:, 0] > 0, 1.15, 1.0)
    seen = usable.sum(axis=1) / ends.sum()
    score = np.where(seen >= 0.55, marked * even * agree * shade * seen, 0.0)
    return np.asarray(mean, np.float32), np.asarray(score, np.float32)


def _follow(patch: _Patch, line: _Line) -> NDArray[np.float64]:
    """Move a curve along its normals to where the change is sharpest, smoothly."""
    offsets = np.linspace(-0.09, 0.09, 25)
    places = line.uv[:, None, :] + offsets[None, :, None] * line.normal[:, None, :] * [2.0, 1.0]
    colors = patch.sample(patch.lab, places)
    direction = line.change / max(float(np.linalg.norm(line.change)), 1e-6)
    value = colors @ direction
    slope = np.zeros_like(value)
    slope[:, 2:-2] = (value[:, 3:-1] + value[:, 4:]) - (value[:, 1:-3] + value[:, :-4])
    slope[:, 2:-2] /= 2
    slope = np.clip(slope, -5.0, 15.0)
    cost = -slope
    count = len(offsets)
    step = np.abs(np.arange(count)[:, None] - np.arange(count)[None, :])
    penalty = np.where(step <= 4, 0.9 * step.astype(np.float64) ** 1.5, np.inf)
    total = cost[0] + 1.0 * np.abs(np.arange(count) - count // 2)
    back = np.zeros(cost.shape, np.intp)
    for k in range(1, len(cost)):
        options = total[None, :] + penalty
        back[k] = np.argmin(options, axis=1)
        total = options.min(axis=1) + cost[k]
    chosen = np.zeros(len(cost), np.intp)
    chosen[-1] = int(np.argmin(total))
    for k in range(len(cost) - 1, 0, -1):
        chosen[k - 1] = back[k][chosen[k]]
    shift = offsets[chosen]
    shift = np.convolve(np.pad(shift, 1, mode="edge"), [0.25, 0.5, 0.25], mode="valid")
    moved: NDArray[np.float64] = line.uv + shift[:, None] * line.normal * [2.0, 1.0]
    return moved


def _above(size: tuple[int, ...], line: Floats, opening: _Opening) -> Floats:
    """(H, W) float32: what lies above the neckline, between the collar's ends."""
    up = -opening.down * opening.width
    area = np.concatenate([line, [line[-1] + up], [line[0] + up]])
    canvas = np.zeros(size, np.uint8)
    # Four bits of sub-pixel, drawn with soft edges.
    fixed = np.round((area) * 16).astype(np.int32)
    cv2.fillPoly(canvas, [fixed], 255, lineType=cv2.LINE_AA, shift=4)
    return np.asarray(canvas, np.float32) / np.float32(255.0)


def _top_edge(alpha: Floats, left: Floats, right: Floats) -> Floats:
    """The mask's upper edge from one point to another: (K, 2), at about 48 columns."""
    xs = np.linspace(float(left[0]), float(right[0]), _STATIONS)
    rows = np.arange(alpha.shape[0], dtype=np.float32)
    line = []
    for x in xs:
        column = alpha[:, int(np.clip(round(x), 0, alpha.shape[1] - 1))] >= 0.5
        line.append((x, float(rows[np.argmax(column)]) if column.any() else float(left[1])))
    out = np.array(line, np.float32)
    out[0], out[-1] = left, right
    return out
