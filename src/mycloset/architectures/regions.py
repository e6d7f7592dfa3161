"""Rotated rectangles of a picture that a network looks at: cutting them out and mapping back.

Points are pixel coordinates in which (0, 0) is the centre of the first pixel. Unit coordinates run
from 0 to 1 across a region, edge to edge.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Self

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from mycloset.images import RGB

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Region:
    """A rectangle in a picture; it may reach outside.

    Attributes:
        x, y: its centre, in pixels.
        width, height: its sides, in pixels.
        rotation: radians; positive turns the region's upright clockwise as seen in the picture.
    """

    x: float
    y: float
    width: float
    height: float
    rotation: float = 0.0

    @classmethod
    def whole(cls, height: int, width: int) -> Self:
        """The picture itself, edge to edge."""
        return cls((width - 1) / 2, (height - 1) / 2, width, height)

    @classmethod
    def letterbox(cls, height: int, width: int) -> Self:
        """The smallest square around the picture, with its centre."""
        side = max(height, width)
        return cls((width - 1) / 2, (height - 1) / 2, side, side)

    @classmethod
    def around(cls, box: ArrayLike, *, scale: float = 1.0) -> Self:
        """The square with the box's centre and `scale` times its longer side.

        Args:
            box: left, top, right, bottom.
            scale: how much larger than the box.
        """
        left, top, right, bottom = (float(v) for v in np.asarray(box))
        side = max(right - left, bottom - top) * scale
        return cls((left + right) / 2, (top + bottom) / 2, side, side)

    @classmethod
    def upright(cls, center: ArrayLike, end: ArrayLike, *, scale: float = 1.0) -> Self:
        """The square around `center` whose half side is the way to `end`, which lies straight up.

        Source: MediaPipe's AlignmentPointsRectsCalculator with a target angle of 90 degrees.
        """
        cx, cy = (float(v) for v in np.asarray(center))
        ex, ey = (float(v) for v in np.asarray(end))
        side = 2 * math.hypot(ex - cx, ey - cy) * scale
        return cls(cx, cy, side, side, wrap_angle(math.pi / 2 - math.atan2(cy - ey, ex - cx)))

    def matrix(self) -> NDArray[np.float64]:
        """(2, 3): unit coordinates of the region -> pixels of the picture."""
        c, s = math.cos(self.rotation), math.sin(self.rotation)
        turn = np.array([[c * self.width, -s * self.height], [s * self.width, c * self.height]])
        shift = np.array([self.x, self.y]) - turn @ np.array([0.5, 0.5])
        return np.column_stack([turn, shift])

    def to_picture(self, points: ArrayLike) -> Floats:
        """(N, 2) unit coordinates -> (N, 2) pixels of the picture."""
        matrix = self.matrix()
        found = np.asarray(points, dtype=np.float64) @ matrix[:, :2].T + matrix[:, 2]
        return found.astype(np.float32)

    def to_unit(self, points: ArrayLike) -> Floats:
        """(N, 2) pixels of the picture -> (N, 2) unit coordinates."""
        matrix = self.matrix()
        shifted = np.asarray(points, dtype=np.float64) - matrix[:, 2]
        return np.linalg.solve(matrix[:, :2], shifted.T).T.astype(np.float32)

    def crop(self, picture: RGB, size: tuple[int, int], *, extend: bool) -> RGB:
        """What the region shows, resampled without aliasing.

        Args:
            picture: (H, W, 3) uint8.
            size: height and width of the result.
            extend: outside the picture, repeat its border (True) or be black (False).
        """
        height, width = size
        factor = min(self.width / width, self.height / height)
        left, top, right, bottom = self._reach(picture.shape[0], picture.shape[1], 2 * factor)
        shown, shrink = picture[top:bottom, left:right], (1.0, 1.0)
        if factor > 1.5:
            h = max(2, round(shown.shape[0] / factor))
            w = max(2, round(shown.shape[1] / factor))
            shrink = (w / shown.shape[1], h / shown.shape[0])
            shown = np.asarray(cv2.resize(shown, (w, h), interpolation=cv2.INTER_AREA), np.uint8)
        to_source = _pixel_matrix(self.matrix(), width, height)
        to_source[:, 2] -= (left, top)
        for axis in (0, 1):  # pixel centres of the shrunken part
            to_source[axis] *= shrink[axis]
            to_source[axis, 2] += (shrink[axis] - 1) / 2
        border = cv2.BORDER_REPLICATE if extend else cv2.BORDER_CONSTANT
        found = cv2.warpAffine(
            shown,
            to_source,
            (width, height),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=border,
        )
        return np.asarray(found, np.uint8)

    def _reach(self, height: int, width: int, margin: float) -> tuple[int, int, int, int]:
        """Left, top, right, bottom of the part of a picture that a cut can touch; never empty."""
        corners = self.to_picture([[0, 0], [1, 0], [1, 1], [0, 1]])
        low = np.floor(corners.min(axis=0) - margin)
        high = np.ceil(corners.max(axis=0) + margin) + 1
        left, top = (int(v) for v in np.clip(low, 0, (width - 1, height - 1)))
        right, bottom = (int(v) for v in np.clip(high, (left + 1, top + 1), (width, height)))
        return left, top, right, bottom

    def paste(self, values: Floats, shape: tuple[int, int], *, outside: float) -> Floats:
        """Bring a map of the region back to the picture.

        Args:
            values: (h, w) float32, spread over the region.
            shape: height and width of the picture.
            outside: value where the region does not reach.
        """
        height, width = values.shape
        found = cv2.warpAffine(
            values,
            _pixel_matrix(self.matrix(), width, height),
            (shape[1], shape[0]),
            flags=cv2.INTER_CUBIC,
            borderMode=cv2.BORDER_CONSTANT,
            borderValue=outside,
        )
        return np.asarray(found, np.float32)


def wrap_angle(angle: float) -> float:
    """The same angle within -pi .. pi."""
    return angle - 2 * math.pi * math.floor((angle + math.pi) / (2 * math.pi))


def _pixel_matrix(matrix: NDArray[np.float64], width: int, height: int) -> NDArray[np.float64]:
    """(2, 3): pixel centres of a width x height cut -> pixels of the picture."""
    from_pixels = np.array([[1 / width, 0, 0.5 / width], [0, 1 / height, 0.5 / height], [0, 0, 1]])
    return np.asarray(matrix @ from_pixels, np.float64)
