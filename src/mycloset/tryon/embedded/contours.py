"""Edges of a garment between two landmarks: pieces of its outline, sampled evenly."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from mycloset.errors import GarmentError

Points = NDArray[np.float32]


def outline(region: NDArray[np.bool_]) -> Points:
    """(N, 2) float32 x, y of the longest outer contour of a region, clockwise in the picture.

    Raises:
        GarmentError: the region is empty.
    """
    found, _ = cv2.findContours(region.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    if not found:
        raise GarmentError(
            "garment picture: no garment is left after its ground was taken away.",
            hint="Give a photo that shows the whole garment on a plainer ground.",
        )
    longest = max(found, key=len)[:, 0, :].astype(np.float32)
    if len(longest) > 15:
        # Smooth away the pixel staircase; it would make short edges look long.
        kernel = cv2.getGaussianKernel(9, 2.0).astype(np.float32)[:, 0]
        padded = np.concatenate([longest[-4:], longest, longest[:4]])
        longest = np.stack(
            [np.convolve(padded[:, axis], kernel, mode="valid") for axis in (0, 1)], axis=1
        )
    return longest.astype(np.float32)


def edge(contour: Points, start: Points, end: Points, count: int) -> Points:
    """(count, 2) points evenly along the shorter way on `contour` from near `start` to `end`.

    The first and last points are `start` and `end` themselves. Where the way along the contour is
    more than twice the straight one (it went around something), the straight line is taken.
    """
    first = int(np.argmin(((contour - start) ** 2).sum(axis=1)))
    last = int(np.argmin(((contour - end) ** 2).sum(axis=1)))
    forth = np.roll(contour, -first, axis=0)[: (last - first) % len(contour) + 1]
    back = np.roll(contour[::-1], first + 1, axis=0)[: (first - last) % len(contour) + 1]
    way = min((forth, back), key=_length)
    straight = float(np.linalg.norm(np.asarray(end) - np.asarray(start)))
    if len(way) < 3 or _length(way) > 2.0 * straight + 4:
        way = np.stack([start, end]).astype(np.float32)
    way = np.concatenate([[start], way[1:-1], [end]]).astype(np.float32)
    return evenly(way, count)


def evenly(line: Points, count: int) -> Points:
    """(count, 2) points at even arc lengths along a polyline."""
    steps = np.linalg.norm(np.diff(line, axis=0), axis=1)
    total = np.concatenate([[0.0], np.cumsum(steps)])
    at = np.linspace(0, total[-1], count)
    points = np.stack([np.interp(at, total, line[:, axis]) for axis in (0, 1)], axis=1)
    return points.astype(np.float32)


def _length(line: Points) -> float:
    return float(np.linalg.norm(np.diff(line, axis=0), axis=1).sum())
