"""Frames: which part of a photo a try-on network sees, and the way back to the photo's pixels."""

from __future__ import annotations

from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mycloset.images import RGB

Floats = NDArray[np.float32]
ASPECT = 0.01
"""A photo whose sides differ from the network's by less is taken whole, as published."""


class Frame(NamedTuple):
    """A box of a photo, resized to a network's size.

    Attributes:
        left, top, right, bottom: the box in the photo's pixels; it may reach beyond the photo.
        height, width: of the network's pictures.
    """

    left: int
    top: int
    right: int
    bottom: int
    height: int
    width: int

    @property
    def box(self) -> tuple[int, int, int, int]:
        """Left, top, right and bottom in the photo."""
        return self.left, self.top, self.right, self.bottom

    def take(self, picture: RGB, fill: int | None = None) -> RGB:
        """(height, width, 3) of a photo; `fill` beyond it, its border's own colours where None."""
        cut = self._cut(picture, fill)
        resized = Image.fromarray(cut).resize((self.width, self.height), Image.Resampling.BILINEAR)
        return np.asarray(resized)

    def take_labels(self, labels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """(height, width) of a label map or a mask, the nearest pixel's; 0 beyond the photo."""
        cut = Image.fromarray(self._cut(labels, 0))
        return np.asarray(cut.resize((self.width, self.height), Image.Resampling.NEAREST))

    def inward(self, points: Floats) -> Floats:
        """(N, 2) points of the photo in the frame's pixels."""
        return np.asarray((points + 0.5 - self._corner) * self._scale - 0.5, np.float32)

    def outward(self, points: Floats) -> Floats:
        """(…, 2) points of the frame in the photo's pixels."""
        return np.asarray((points + 0.5) / self._scale + self._corner - 0.5, np.float32)

    def from_unit(self, grid: Floats, align_corners: bool) -> Floats:
        """(…, 2) places between -1 and 1 across the frame, in the photo's pixels."""
        size = np.array([self.width, self.height], np.float32)
        half = np.float32(0.5)
        inner = (grid + 1) * half * (size - 1) if align_corners else (grid + 1) * half * size - half
        return self.outward(inner)

    def lay(self, values: NDArray[Any], onto: NDArray[Any]) -> None:
        """Put a picture of the frame's size into an array of the photo's, in place."""
        size = self.right - self.left, self.bottom - self.top
        smaller = size[0] < values.shape[1]
        how = cv2.INTER_AREA if smaller else cv2.INTER_CUBIC
        if values.dtype.kind == "f" and not smaller:
            how = cv2.INTER_LINEAR
        resized = np.asarray(cv2.resize(values, size, interpolation=how))
        rows, columns = self.inside(onto.shape[:2])
        onto[rows, columns] = resized[
            rows.start - self.top : rows.stop - self.top,
            columns.start - self.left : columns.stop - self.left,
        ]

    def inside(self, size: tuple[int, ...]) -> tuple[slice, slice]:
        """The photo's rows and columns that lie in the frame."""
        rows = slice(max(self.top, 0), min(self.bottom, size[0]))
        return rows, slice(max(self.left, 0), min(self.right, size[1]))

    @property
    def _corner(self) -> Floats:
        return np.array([self.left, self.top], np.float32)

    @property
    def _scale(self) -> Floats:
        box = self.right - self.left, self.bottom - self.top
        return np.array([self.width / box[0], self.height / box[1]], np.float32)

    def _cut(self, picture: NDArray[Any], fill: int | None) -> NDArray[Any]:
        height, width = picture.shape[:2]
        rows, columns = self.inside((height, width))
        beyond = (
            max(-self.top, 0),
            max(self.bottom - height, 0),
            max(-self.left, 0),
            max(self.right - width, 0),
        )
        cut = picture[rows, columns]
        if any(beyond):
            kind = cv2.BORDER_REPLICATE if fill is None else cv2.BORDER_CONSTANT
            value = [float(fill or 0)] * 3
            cut = np.asarray(cv2.copyMakeBorder(cut, *beyond, kind, value=value))
        return np.ascontiguousarray(cut)


def frame_of(
    size: tuple[int, int], wanted: tuple[int, int], box: tuple[float, float, float, float] | None
) -> Frame:
    """The frame of a photo.

    Args:
        size: the photo's height and width.
        wanted: the network's.
        box: left, top, right and bottom of what must be in it; None for the whole photo.

    Returns:
        The whole photo where it has the network's proportions; else the smallest frame of these
        proportions that holds the box, within the photo as far as it fits in.
    """
    height, width = size
    aspect = wanted[0] / wanted[1]
    if abs(height / width / aspect - 1) <= ASPECT:
        return Frame(0, 0, width, height, *wanted)
    left, top, right, bottom = box or (0, 0, width, height)
    tall = max(bottom - top, (right - left) * aspect, 2.0)
    rows, columns = max(2, round(tall)), max(2, round(tall / aspect))
    # A frame higher than the photo reaches beyond it above: in the networks' data a body never ends
    # before its picture does.
    y = height - rows if rows >= height else _placed((top + bottom) / 2, rows, height)
    x = _placed((left + right) / 2, columns, width)
    return Frame(x, y, x + columns, y + rows, *wanted)


def _placed(middle: float, length: int, whole: int) -> int:
    """Where a stretch of a length begins: round the middle, but inside of the whole if it fits."""
    start = round(middle - length / 2)
    if length >= whole:
        return (whole - length) // 2
    return max(0, min(start, whole - length))
