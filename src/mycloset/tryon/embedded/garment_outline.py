"""The outline of a garment, ready to be read: a closed polygon, its axis, and ways to walk it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

Points: TypeAlias = NDArray[np.float64]
Floats: TypeAlias = NDArray[np.float64]
Marks: TypeAlias = NDArray[np.bool_]

READ_SIDE = 384
"""Long side, in pixels, of the mask that the shape is read from."""


@dataclass(frozen=True)
class Outline:
    """A garment's mask at reading size, and its outline.

    Attributes:
        marks: (h, w) bool, one piece; slots between sleeve and body are open below.
        points: (N, 2) float64, the outline, clockwise as seen in the picture, about a pixel apart,
            slightly smoothed.
        axis: x of the axis of symmetry.
        top, bottom, left, right: bounds of the mask.
        scale: pixels of the full picture for a pixel here.
    """

    marks: Marks
    points: Points
    axis: float
    top: float
    bottom: float
    left: float
    right: float
    scale: float

    @property
    def height(self) -> float:
        return self.bottom - self.top

    @property
    def width(self) -> float:
        return self.right - self.left

    def mirrored(self) -> Outline:
        """The same as a mirror shows it, so that what is said of one side serves both."""
        last = self.marks.shape[1] - 1
        points = self.points[::-1].copy()
        points[:, 0] = last - points[:, 0]
        return replace(
            self,
            marks=np.ascontiguousarray(self.marks[:, ::-1]),
            points=points,
            axis=last - self.axis,
            left=last - self.right,
            right=last - self.left,
        )

    def full(self, point: Points) -> NDArray[np.float32]:
        """A point here -> (2,) float32 in pixels of the full picture."""
        return ((np.asarray(point, np.float64) + 0.5) * self.scale - 0.5).astype(np.float32)

    def nearest(self, point: Points) -> int:
        """Number of the outline's point that lies nearest."""
        return int(np.argmin(((self.points - point) ** 2).sum(axis=1)))

    def walk(self, start: int, end: int) -> NDArray[np.intp]:
        """Numbers of the points met when going clockwise from `start` to `end`, both included."""
        count = len(self.points)
        return (start + np.arange((end - start) % count + 1)) % count

    def row(self, y: float) -> list[tuple[int, int]]:
        """The runs of the garment in a row: first and last column of each."""
        line = self.marks[int(np.clip(round(y), 0, self.marks.shape[0] - 1))]
        steps = np.flatnonzero(np.diff(np.concatenate([[False], line, [False]]).astype(np.int8)))
        return [(int(a), int(b) - 1) for a, b in zip(steps[::2], steps[1::2], strict=True)]

    def central_run(self, y: float) -> tuple[int, int] | None:
        """The run of a row that holds the axis, or the nearest one; None in an empty row."""
        runs = self.row(y)
        if not runs:
            return None
        return min(runs, key=lambda r: max(r[0] - self.axis, self.axis - r[1], 0.0))


def outline_of(alpha: NDArray[np.float32]) -> Outline:
    """Trace a mask of (H, W) float32, 0..1, that is not empty."""
    height, width = alpha.shape
    scale = max(1.0, max(height, width) / READ_SIDE)
    size = (max(8, round(width / scale)), max(8, round(height / scale)))
    scale = height / size[1]
    small = np.asarray(cv2.resize(alpha, size, interpolation=cv2.INTER_AREA))
    marks = _without_ties(_one_piece(small >= 0.5))
    axis = _axis(marks)
    return _trace(_open_slots(marks, axis), axis, scale)


def retrace(outline: Outline, marks: Marks) -> Outline:
    """The outline of a changed mask, about the same axis."""
    return _trace(_largest(marks), outline.axis, outline.scale)


def _trace(marks: Marks, axis: float, scale: float) -> Outline:
    contours, _ = cv2.findContours(marks.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    contour = max(contours, key=cv2.contourArea)[:, 0, :].astype(np.float64)
    points = _smooth(contour, 1.2)
    x, y = points[:, 0], points[:, 1]
    # With y downwards a positive shoelace sum is clockwise to the eye.
    if float(np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y)) < 0:
        points = points[::-1].copy()
    ys, xs = np.nonzero(marks)
    return Outline(
        marks,
        points,
        axis,
        float(ys.min()),
        float(ys.max()),
        float(xs.min()),
        float(xs.max()),
        scale,
    )


def turning(outline: Outline, reach: float) -> NDArray[np.float64]:
    """(N,) degrees by which the outline turns at each point, seen over `reach` pixels each way.

    Positive at convex corners (a hem's end), negative at concave ones (an armpit).
    """
    step = max(1, round(reach))
    before = outline.points - np.roll(outline.points, step, axis=0)
    after = np.roll(outline.points, -step, axis=0) - outline.points
    cross = before[:, 0] * after[:, 1] - before[:, 1] * after[:, 0]
    dot = (before * after).sum(axis=1)
    degrees: NDArray[np.float64] = np.degrees(np.arctan2(cross, dot))
    return degrees


def corners_between(outline: Outline, start: int, end: int) -> tuple[int, int]:
    """The two corners of what the outline does between two of its points, going clockwise.

    Corners are where the quadrilateral start, first, second, end is largest: it then spans the
    sleeve, or the lower part of the body, as fully as four points can.
    """
    way = outline.walk(start, end)
    stride = max(1, len(way) // 120)
    way = way[::stride]
    p = outline.points[way]
    a, b = outline.points[start], outline.points[end]
    # Shoelace sum of a -> p[i] -> p[j] -> b, for all i <= j at once.
    first = a[0] * p[:, 1] - p[:, 0] * a[1]
    last = p[:, 0] * b[1] - b[0] * p[:, 1]
    between = p[:, None, 0] * p[None, :, 1] - p[None, :, 0] * p[:, None, 1]
    area = first[:, None] + between + last[None, :]
    area[np.tril_indices(len(way), -1)] = -np.inf
    i, j = np.unravel_index(int(np.argmax(area)), area.shape)
    return int(way[i]), int(way[j])


def corner_between(outline: Outline, start: int, end: int) -> tuple[int, float]:
    """The point, going clockwise, that stands out most from the chord, and by how many pixels."""
    way = outline.walk(start, end)
    a, b = outline.points[start], outline.points[end]
    chord = b - a
    length = max(float(np.hypot(*chord)), 1e-6)
    off = outline.points[way] - a
    out = -(chord[0] * off[:, 1] - chord[1] * off[:, 0]) / length
    best = int(np.argmax(out))
    return int(way[best]), float(out[best])


def _one_piece(marks: Marks) -> Marks:
    """The largest piece; pieces near it are joined to it by a bridge."""
    byte = marks.astype(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(byte, connectivity=8)
    if count <= 2:
        return marks
    disc = np.ones((7, 7), np.uint8)
    joined = cv2.morphologyEx(byte, cv2.MORPH_CLOSE, disc)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(joined, connectivity=8)
    main = labels == 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
    touched: Marks = main & ((byte > 0) | ~_near_main(byte))
    return touched


def _near_main(byte: NDArray[np.uint8]) -> Marks:
    """Where closing would only fill notches of the largest piece, not bridge to another."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(byte, connectivity=8)
    main = (labels == 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))).astype(np.uint8)
    closed = cv2.morphologyEx(main, cv2.MORPH_CLOSE, np.ones((7, 7), np.uint8))
    near: Marks = closed > 0
    return near


def _without_ties(marks: Marks) -> Marks:
    """Without the thin things that hang down: ribbons, ties, garters. Straps above stay."""
    ys, xs = np.nonzero(marks)
    width = int(np.ptp(xs)) + 1
    radius = max(1, round(0.018 * width))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    opened = cv2.morphologyEx(marks.astype(np.uint8), cv2.MORPH_OPEN, disc) > 0
    below = np.arange(len(marks))[:, None] > ys.min() + 0.45 * np.ptp(ys)
    lost = marks & ~opened & below
    # Corners that opening rounds off are not ties: they are small.
    _, labels, stats, _ = cv2.connectedComponentsWithStats(lost.astype(np.uint8))
    tall = stats[:, cv2.CC_STAT_HEIGHT] > 0.06 * np.ptp(ys)
    tall[0] = False
    return _largest(marks & ~tall[labels])


def _axis(marks: Marks) -> float:
    """x about which the mask is most like its mirror image."""
    rows = marks.astype(np.float64)
    width = marks.shape[1]
    size = 2 * width
    spectrum = np.fft.rfft(rows, size, axis=1)
    agreement = np.fft.irfft((spectrum * spectrum).sum(axis=0), size)
    # agreement[s] counts pairs of pixels of a row whose columns add up to s.
    return float(np.argmax(agreement[: 2 * width - 1])) / 2.0


def _open_slots(marks: Marks, axis: float) -> Marks:
    """Open holes between sleeve and body downwards, and fill all others.

    A sleeve that touches the hem with its cuff closes the gap to a hole; cut open, the gap's top
    is an armpit like any other.
    """
    padded = np.pad((~marks).astype(np.uint8), 1, constant_values=1)
    count, labels, stats, centres = cv2.connectedComponentsWithStats(padded, connectivity=4)
    outside = int(labels[0, 0])
    ys, xs = np.nonzero(marks)
    top, height = int(ys.min()), int(np.ptp(ys)) + 1
    half = max(axis - xs.min(), xs.max() - axis, 1.0)
    out = marks.copy()
    for label in range(1, count):
        if label == outside or not marks.size:
            continue
        if labels[labels == label].size == 0 or stats[label, cv2.CC_STAT_AREA] == 0:
            continue
        hole = (labels == label)[1:-1, 1:-1]
        if not hole.any() or marks[hole].any():
            continue
        tall = stats[label, cv2.CC_STAT_HEIGHT]
        low = centres[label][1] - 1 > top + 0.3 * height
        beside = abs(centres[label][0] - 1 - axis) > 0.25 * half
        if not (low and beside and tall > 0.06 * height):
            out |= hole
            continue
        hole_ys, hole_xs = np.nonzero(hole)
        lowest = int(np.argmax(hole_ys))
        column = int(hole_xs[lowest])
        out[hole_ys[lowest] :, max(column - 1, 0) : column + 1] = False
    return _largest(out)


def _largest(marks: Marks) -> Marks:
    _, labels, stats, _ = cv2.connectedComponentsWithStats(marks.astype(np.uint8), connectivity=8)
    if len(stats) <= 2:
        return marks
    largest: Marks = labels == 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
    return largest


def _smooth(points: Points, sigma: float) -> Points:
    """Closed polygon, smoothed along its own length."""
    radius = int(4 * sigma + 0.5)
    kernel = np.exp(-0.5 * (np.arange(-radius, radius + 1) / sigma) ** 2)
    kernel /= kernel.sum()
    wrapped = np.concatenate([points[-radius:], points, points[:radius]])
    return np.stack([np.convolve(wrapped[:, k], kernel, mode="valid") for k in range(2)], axis=1)
