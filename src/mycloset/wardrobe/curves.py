"""Small tools that the drawings share: curves through points, soft steps, noise that repeats."""

from __future__ import annotations

from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float32]


def bezier(*points: tuple[float, float], n: int = 24) -> Floats:
    """(n, 2) points of the Bezier curve with these two to four control points, ends included."""
    t = np.linspace(0.0, 1.0, n)[:, None]
    rows = [np.asarray(point, np.float64)[None, :].repeat(n, axis=0) for point in points]
    while len(rows) > 1:
        rows = [(1 - t) * a + t * b for a, b in pairwise(rows)]
    return rows[0].astype(np.float32)


def path(*pieces: ArrayLike) -> Floats:
    """(N, 2) polyline of the pieces one after the other; a single point counts as a piece."""
    rows = [np.atleast_2d(np.asarray(piece, np.float32)) for piece in pieces]
    return np.concatenate(rows).astype(np.float32)


def mirrored(points: ArrayLike) -> Floats:
    """The polyline seen in a mirror at x = 0, in reverse order."""
    return floats(floats(points) * floats([-1.0, 1.0]))[::-1]


def smoothstep(low: float, high: float, x: ArrayLike) -> Floats:
    """0 below `low`, 1 above `high`, smooth between; `low` may be the larger one."""
    t = np.clip((np.asarray(x, np.float32) - low) / (high - low), 0.0, 1.0)
    smooth: Floats = (t * t * (3.0 - 2.0 * t)).astype(np.float32)
    return smooth


def coverage(polygon: ArrayLike, shape: tuple[int, int], *, oversample: int = 4) -> Floats:
    """(H, W) float32 share of each pixel that a polygon covers.

    Args:
        polygon: (N, 2) corners in pixels, where (0, 0) is the centre of the first pixel.
        shape: height and width.
        oversample: samples a pixel side.
    """
    height, width = shape
    corners = (np.asarray(polygon, np.float64) + 0.5) * oversample - 0.5
    fine = np.zeros((height * oversample, width * oversample), np.uint8)
    cv2.fillPoly(fine, [np.round(corners * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
    small = cv2.resize(fine, (width, height), interpolation=cv2.INTER_AREA)
    return (small / np.float32(255)).astype(np.float32)


def smooth_noise(
    shape: tuple[int, int], cell: tuple[float, float], rng: np.random.Generator, octaves: int = 1
) -> Floats:
    """(H, W) float32 noise of mean 0 and standard deviation about 1, smooth on the scale of `cell`.

    Args:
        shape: height and width.
        cell: height and width in pixels of one bump of the coarsest octave.
        rng: where the numbers come from.
        octaves: layers; each has bumps of half the size and half the strength.
    """
    height, width = shape
    total = np.zeros(shape, np.float32)
    power = 0.0
    for octave in range(octaves):
        rows = max(2, int(np.ceil(height / cell[0] * 2**octave)) + 3)
        columns = max(2, int(np.ceil(width / cell[1] * 2**octave)) + 3)
        grid = rng.standard_normal((rows, columns)).astype(np.float32)
        total += cv2.resize(grid, (width, height), interpolation=cv2.INTER_CUBIC) * 0.5**octave
        power += 0.25**octave
    return (total / np.float32(0.75 * np.sqrt(power))).astype(np.float32)


def blur(picture: ArrayLike, sigma: float) -> Floats:
    """Gaussian blur of a float picture; does it smaller where sigma is large, to save time."""
    array = np.asarray(picture, np.float32)
    if sigma <= 4:
        return np.asarray(cv2.GaussianBlur(array, (0, 0), max(sigma, 0.05)), np.float32)
    height, width = array.shape[:2]
    step = 2 ** int(np.log2(sigma / 2))
    size = (max(1, width // step), max(1, height // step))
    small = cv2.resize(array, size, interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), sigma / step)
    return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC), np.float32)


def to_linear(srgb: ArrayLike) -> Floats:
    """sRGB values 0..1 to linear light (by the usual power of 2.2)."""
    return np.power(np.clip(np.asarray(srgb, np.float32), 0.0, 1.0), np.float32(2.2))


def to_srgb(linear: ArrayLike) -> Floats:
    """Linear light 0..1 to sRGB values."""
    return np.power(np.clip(np.asarray(linear, np.float32), 0.0, 1.0), np.float32(1 / 2.2))


def to_bytes(srgb: ArrayLike) -> NDArray[np.uint8]:
    """sRGB values 0..1 to 0..255."""
    return np.clip(np.round(np.asarray(srgb, np.float32) * 255), 0, 255).astype(np.uint8)


def floats(values: ArrayLike) -> Floats:
    """The values as a float32 array."""
    return np.asarray(values, np.float32)
