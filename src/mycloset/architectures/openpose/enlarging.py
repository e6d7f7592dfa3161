"""Maps of a network enlarged to a picture's size, as matrices: a row's and a column's weights.

Enlarging, cutting off the padding, resizing and smoothing are all linear and separable, so that one
pair of matrix products does them all, and any part of the result can be had alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

STRIDE = 8
"""Pixels of the network's input in one of its maps."""
SIGMA = 3.0
"""Of the Gaussian that heatmaps are smoothed with before peaks are sought, in pixels."""
_BITE = -0.75
"""The cubic's parameter in OpenCV (INTER_CUBIC)."""
TAPS = 5
"""Most pixels of a map that one pixel of its enlargement depends on, along one side."""


class Enlarger(NamedTuple):
    """Weights of the enlargement of maps (h, w) to (H, W).

    Attributes:
        rows: (H, h); columns: (W, w).
        smooth_rows, smooth_columns: the same, smoothed afterwards.
    """

    rows: Floats
    columns: Floats
    smooth_rows: Floats
    smooth_columns: Floats


def enlarger(grid: tuple[int, int], inner: tuple[int, int], size: tuple[int, int]) -> Enlarger:
    """The weights for one picture.

    Args:
        grid: height and width of the maps.
        inner: height and width of the network's input without its padding.
        size: height and width of the enlargement.
    """
    rows, columns = (_side(*sides) for sides in zip(grid, inner, size, strict=True))
    return Enlarger(rows[0], columns[0], rows[1], columns[1])


def enlarged(maps: Sequence[Floats], sides: Sequence[tuple[Floats, Floats]]) -> Floats:
    """(H, W): the mean of one map at several scales, enlarged by rows' and columns' weights."""
    parts = [rows @ (found @ columns.T) for found, (rows, columns) in zip(maps, sides, strict=True)]
    total: Floats = parts[0] if len(parts) == 1 else np.mean(parts, axis=0, dtype=np.float32)
    return total


class Fields:
    """Looks up enlarged maps at single pixels, without enlarging them.

    Args:
        maps: (C, h, w) of each scale.
        sides: rows' and columns' weights of each.
    """

    def __init__(self, maps: Sequence[Floats], sides: Sequence[tuple[Floats, Floats]]) -> None:
        self._maps = maps
        self._taps = [(_taps(rows), _taps(columns)) for rows, columns in sides]

    def __call__(
        self, channel: NDArray[np.int64], y: NDArray[np.int64], x: NDArray[np.int64]
    ) -> Floats:
        """Values at (channel, y, x), arrays of one shape."""
        total = np.zeros(x.shape, np.float32)
        for maps, ((first_row, rows), (first_column, columns)) in zip(
            self._maps, self._taps, strict=True
        ):
            _, height, width = maps.shape
            flat = maps.reshape(-1)
            start = (channel * height + first_row[y]) * width + first_column[x]
            down, across = rows[y], columns[x]
            for row in range(down.shape[-1]):
                line = np.zeros(x.shape, np.float32)
                for column in range(across.shape[-1]):
                    line += flat[start + (row * width + column)] * across[..., column]
                total += line * down[..., row]
        return total / np.float32(len(self._maps))


def _taps(weights: Floats) -> tuple[NDArray[np.int64], Floats]:
    """For each pixel of the enlargement its first place in the map, and the weights from there."""
    small = weights.shape[1]
    taps = min(TAPS, small)
    first = np.minimum((weights != 0).argmax(axis=1), small - taps).astype(np.int64)
    places = first[:, None] + np.arange(taps)
    return first, np.take_along_axis(weights, places, axis=1)


@lru_cache(maxsize=64)
def _side(grid: int, inner: int, size: int) -> tuple[Floats, Floats]:
    """Weights along one side, plain and smoothed."""
    fine = _cubic(grid, grid * STRIDE)[:inner]
    plain = _cubic(inner, size) @ fine
    reach = np.arange(-round(4 * SIGMA), round(4 * SIGMA) + 1)
    gaussian = np.exp(-0.5 * (reach / SIGMA) ** 2)
    smooth = cv2.sepFilter2D(
        plain, -1, np.ones(1), gaussian / gaussian.sum(), borderType=cv2.BORDER_REFLECT
    )
    return plain.astype(np.float32), np.asarray(smooth, np.float32).reshape(plain.shape)


def _cubic(small: int, large: int) -> NDArray[np.float64]:
    """(large, small): cubic interpolation between pixel centres, borders repeated."""
    place = (np.arange(large) + 0.5) * small / large - 0.5
    first = np.floor(place).astype(np.int64)
    share = place - first
    weights = np.zeros((large, small))
    for tap in range(-1, 3):
        distance = np.abs(share - tap)
        near = ((_BITE + 2) * distance - (_BITE + 3)) * distance**2 + 1
        far = ((_BITE * distance - 5 * _BITE) * distance + 8 * _BITE) * distance - 4 * _BITE
        value = np.where(distance <= 1, near, far)
        np.add.at(weights, (np.arange(large), (first + tap).clip(0, small - 1)), value)
    return weights
