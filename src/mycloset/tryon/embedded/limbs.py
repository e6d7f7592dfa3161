"""Coordinates along an arm or a leg, so that a sleeve follows its arm and trousers their legs."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from mycloset.tryon.embedded.body import Body, capsule
from mycloset.tryon.embedded.contours import Points

UPPER_ARM = 0.53
"""Share of the upper arm in the way from shoulder joint to wrist (ANSUR II medians, rounded)."""

THIGH = 0.52
"""Share of the thigh in the way from hip joint to ankle."""


class LimbFrame:
    """Coordinates along a limb (0 its root, 1 its end) and across it (pixels, outward positive).

    Shares are true lengths: a limb that points at the camera is short in the picture.

    Args:
        joints: (3, 2) root, middle joint, end.
        bend: share of the way at which the middle joint lies.
        outward: (2,) direction of the outer edge.
    """

    def __init__(self, joints: Points, bend: float, outward: Points) -> None:
        self.shares = np.linspace(-0.3, 1.1, 71)
        self.axis, tangent = _smooth_line(joints, bend, self.shares)
        normal = np.stack([-tangent[:, 1], tangent[:, 0]], axis=1)
        sign = np.sign(float((normal[15:40] @ outward).sum())) or 1.0
        self._normal = normal * np.float32(sign)
        # On the inner side of a bend cloth bunches: offsets beyond the bend's centre would fold.
        step = np.gradient(self.axis, axis=0)
        bend_ = (np.gradient(tangent, axis=0) * self._normal).sum(axis=1)
        radius = np.linalg.norm(step, axis=1) / np.maximum(np.abs(bend_), 1e-6)
        self._high = np.where(bend_ > 0, 0.8 * radius, np.inf)
        self._low = np.where(bend_ < 0, -0.8 * radius, -np.inf)

    def locate(self, point: Points) -> tuple[float, float]:
        """Coordinates of a picture point near the limb's upper half."""
        gap = ((self.axis[:45] - point) ** 2).sum(axis=1)
        nearest = int(np.argmin(gap))
        offset = float((point - self.axis[nearest]) @ self._normal[nearest])
        return float(self.shares[nearest]), offset

    def place(self, share: NDArray[np.float64], offset: NDArray[np.float64]) -> Points:
        """(N, 2) picture points."""
        axis, normal = (
            np.stack([np.interp(share, self.shares, table[:, a]) for a in (0, 1)], axis=1)
            for table in (self.axis, self._normal)
        )
        normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-6)
        offset = np.clip(
            offset,
            np.interp(share, self.shares, self._low),
            np.interp(share, self.shares, self._high),
        )
        points: Points = (axis + normal * offset[:, None]).astype(np.float32)
        return points


def arm_frame(body: Body, side: str) -> LimbFrame:
    """The arm's frame; its outer edge is away from the torso, the upper one when it is raised."""
    outward = body.across * np.float32(1.0 if side == "left" else -1.0) - 0.35 * body.down
    return LimbFrame(body.arm(side), UPPER_ARM, outward.astype(np.float32))


def leg_frame(body: Body, side: str) -> LimbFrame:
    """The leg's frame."""
    outward = body.across * np.float32(1.0 if side == "left" else -1.0)
    return LimbFrame(body.leg(side), THIGH, outward)


@dataclass(frozen=True)
class DrawnLimb:
    """A bare limb in a window of a picture.

    Attributes:
        cover: (h, w) float32 0..1, soft silhouette.
        place: (h, w) float32, the place along the limb that is nearest to a pixel (0 its root,
            1 its end).
    """

    cover: NDArray[np.float32]
    place: NDArray[np.float32]


def draw_limb(
    axis: Points,
    share: NDArray[np.float64],
    width: NDArray[np.float64],
    shape: tuple[int, int],
) -> DrawnLimb:
    """Draw a limb.

    Args:
        axis: (N, 2) points of its middle, in the window's pixels.
        share: (N,) their places along the limb, ascending.
        width: (N,) its half-widths there, in pixels.
        shape: height and width of the window.
    """
    # Distances are smooth: they are measured on every third pixel and interpolated.
    step = 3.0
    small = (int(shape[0] / step) + 1, int(shape[1] / step) + 1)
    ys, xs = np.mgrid[0 : small[0], 0 : small[1]].astype(np.float32) * np.float32(step)
    best = np.full(small, np.inf, np.float32)
    place = np.zeros(small, np.float32)
    for number in range(len(share) - 1):
        distance, along = capsule(xs, ys, axis[number], axis[number + 1])
        along = np.clip(along, 0, 1)
        half = width[number] + along * (width[number + 1] - width[number])
        signed = (distance - half).astype(np.float32)
        nearer = signed < best
        best[nearer] = signed[nearer]
        place[nearer] = (share[number] + along * (share[number + 1] - share[number]))[nearer]
    signed, place = _enlarged(best, step, shape), _enlarged(place, step, shape)
    return DrawnLimb(np.clip(0.5 - signed / 1.5, 0, 1).astype(np.float32), place)


def _enlarged(
    values: NDArray[np.float32], step: float, shape: tuple[int, int]
) -> NDArray[np.float32]:
    enlarge = np.array([[1 / step, 0, 0], [0, 1 / step, 0]], np.float32)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    size = (shape[1], shape[0])
    big = cv2.warpAffine(values, enlarge, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(big, np.float32)


def _smooth_line(joints: Points, bend: float, shares: NDArray[np.float64]) -> tuple[Points, Points]:
    """Points and tangents of a line through three joints, its bend rounded."""
    root, middle, end = (p.astype(np.float64) for p in joints)
    fine = np.linspace(-0.32, 1.12, 73)
    line = np.where(
        (fine < bend)[:, None],
        root + (fine / bend)[:, None] * (middle - root),
        middle + ((fine - bend) / (1 - bend))[:, None] * (end - middle),
    )
    kernel = np.hanning(13)[1:-1]
    kernel /= kernel.sum()
    before = line[0] - np.arange(5, 0, -1)[:, None] * (line[1] - line[0])
    after = line[-1] + np.arange(1, 6)[:, None] * (line[-1] - line[-2])
    padded = np.concatenate([before, line, after])
    smooth = np.stack([np.convolve(padded[:, a], kernel, mode="valid") for a in (0, 1)], axis=1)
    tangent = np.gradient(smooth, axis=0)
    tangent /= np.maximum(np.linalg.norm(tangent, axis=1, keepdims=True), 1e-6)
    place = np.stack([np.interp(shares, fine, smooth[:, a]) for a in (0, 1)], axis=1)
    direction = np.stack([np.interp(shares, fine, tangent[:, a]) for a in (0, 1)], axis=1)
    return place.astype(np.float32), direction.astype(np.float32)
