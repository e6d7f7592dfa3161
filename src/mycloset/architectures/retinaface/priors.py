"""RetinaFace's anchors, and what the network's numbers mean at them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

STRIDES = (8, 16, 32)
VARIANCES = (0.1, 0.2)


def default_sizes(anchors: int) -> list[list[float]]:
    """Sides of the anchors, in pixels, at strides 8, 16 and 32.

    As published for two anchors (16 and 32, 64 and 128, 256 and 512); other numbers divide the
    same range evenly on a logarithmic scale.
    """
    return [
        [float(16 * 4 ** (level + number / anchors)) for number in range(anchors)]
        for level in range(len(STRIDES))
    ]


def priors(height: int, width: int, min_sizes: Sequence[Sequence[float]]) -> NDArray[np.float32]:
    """(P, 4) the anchors' middle x and y, width and height, as shares of the picture's.

    Level by level, row by row, size by size.

    Args:
        height, width: of the picture that the network sees.
        min_sizes: sides in pixels, a list for each stride.
    """
    found = []
    for stride, sizes in zip(STRIDES, min_sizes, strict=True):
        rows, columns = -(-height // stride), -(-width // stride)
        level = np.empty((rows, columns, len(sizes), 4), np.float32)
        level[..., 0] = ((np.arange(columns) + 0.5) * stride / width)[None, :, None]
        level[..., 1] = ((np.arange(rows) + 0.5) * stride / height)[:, None, None]
        level[..., 2] = np.asarray(sizes) / width
        level[..., 3] = np.asarray(sizes) / height
        found.append(level.reshape(-1, 4))
    return np.concatenate(found)


def decoded_boxes(
    loc: NDArray[np.float32], anchors: NDArray[np.float32], height: float, width: float
) -> NDArray[np.float32]:
    """(P, 4) left, top, right, bottom in pixels of a picture of that size."""
    middle = anchors[:, :2] + loc[:, :2] * np.float32(VARIANCES[0]) * anchors[:, 2:]
    # A side's logarithm is bounded, so that no damaged number overflows.
    half = anchors[:, 2:] * np.exp(np.minimum(loc[:, 2:] * np.float32(VARIANCES[1]), 30)) / 2
    size = np.array([width, height], np.float32)
    return np.concatenate([(middle - half) * size, (middle + half) * size], 1)


def decoded_points(
    landms: NDArray[np.float32], anchors: NDArray[np.float32], height: float, width: float
) -> NDArray[np.float32]:
    """(P, 5, 2) x and y of the five points in pixels of a picture of that size."""
    moves = landms.reshape(-1, 5, 2) * np.float32(VARIANCES[0])
    points = anchors[:, None, :2] + moves * anchors[:, None, 2:]
    return np.asarray(points * np.array([width, height], np.float32), np.float32)
