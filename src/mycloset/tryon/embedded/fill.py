"""Filling what the old garment leaves behind: smooth continuation of what is known around it."""

from __future__ import annotations

from functools import cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


def push_pull(values: Floats, weight: Floats, prior: Floats | None = None) -> Floats:
    """Continue known values smoothly over unknown pixels (pyramid push-pull).

    Args:
        values: (H, W, C) float32; what stands where `weight` is 0 is ignored.
        weight: (H, W) float32 0..1, how much each pixel is known.
        prior: (C,) what unknown pixels far from all known ones become; None leaves it to them.

    Returns:
        (H, W, C) float32; known pixels keep their values.
    """
    levels: list[tuple[Floats, Floats]] = []
    w = weight.astype(np.float32)
    v = values * w[..., None]
    while min(v.shape[:2]) > 2:
        levels.append((v, w))
        v, w = np.asarray(cv2.pyrDown(v), np.float32), np.asarray(cv2.pyrDown(w), np.float32)
        # What is known at all is fully known one level up, or it would fade with every level.
        gain = np.minimum(1.0, 4.0 * w) / np.maximum(w, 1e-6)
        v, w = v * gain[..., None], np.minimum(1.0, 4.0 * w)
        if prior is not None:
            share = np.float32(0.02)
            v = v + (share * (1 - w))[..., None] * prior
            w = w + share * (1 - w)
    known = w.sum()
    mean = v.reshape(-1, v.shape[2]).sum(axis=0) / max(float(known), 1e-6)
    filled = v + (1 - w)[..., None] * mean
    for v, w in reversed(levels):
        size = (v.shape[1], v.shape[0])
        up = resized(filled, size, cv2.INTER_LINEAR)
        if up.ndim == 2:
            up = up[..., None]
        filled = v + (1 - w)[..., None] * up
    return np.asarray(filled, np.float32)


def continue_smoothly(
    values: Floats, known: NDArray[np.bool_], prior: Floats | None = None, *, step: int = 1
) -> Floats:
    """`push_pull` at a `step`-th of the size: for fields that are smooth where they are filled.

    Args:
        values: (H, W, C) float32.
        known: (H, W) bool.
        prior: as in `push_pull`.
        step: 1 works at full size.

    Returns:
        (H, W, C) float32, smooth everywhere: known pixels are averaged over `step`.
    """
    size = (max(4, values.shape[1] // step), max(4, values.shape[0] // step))
    weight = known.astype(np.float32)
    small_weight = resized(weight, size, cv2.INTER_AREA)
    small = resized(values * weight[..., None], size, cv2.INTER_AREA)
    small /= np.maximum(small_weight, 1e-6)[..., None]
    filled = push_pull(small, np.minimum(1.0, 2.0 * small_weight), prior)
    full = (values.shape[1], values.shape[0])
    return resized(filled, full, cv2.INTER_LINEAR)


def continue_textured(
    values: Floats,
    known: NDArray[np.bool_],
    reach: float,
    *,
    step: int = 1,
    wanted: NDArray[np.bool_] | None = None,
) -> Floats:
    """Continue known values with their texture: mirrored at the border of what is known.

    Args:
        values: (H, W, C) float32.
        known: (H, W) bool.
        reach: pixels over which the mirrored texture gives way to the smooth continuation, since
            far from the border a mirror picture would be seen as one.
        step: as in `continue_smoothly`.
        wanted: (H, W) bool, where texture is needed; elsewhere the result is the smooth one.

    Returns:
        (H, W, C) float32; known pixels keep their values.
    """
    smooth = continue_smoothly(values, known, step=step)
    out = np.where(known[..., None], values, smooth)
    need = ~known if wanted is None else wanted & ~known
    if not need.any() or not known.any():
        return out
    distance, labels = cv2.distanceTransformWithLabels(
        np.uint8(1) - known.astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    seeds = np.nonzero(known)
    numbers = labels[seeds]
    place = np.zeros((2, int(labels.max()) + 1), np.float32)
    place[0, numbers], place[1, numbers] = seeds[1], seeds[0]
    # A ragged border makes neighbours look far apart; with the directions to it blurred, the
    # mirror is a smooth one.
    size = 2 * max(1, round(0.35 * reach)) + 1
    rows, columns = (np.flatnonzero(need.any(axis=axis)) for axis in (1, 0))
    top, left = max(int(rows[0]) - size, 0), max(int(columns[0]) - size, 0)
    box = (slice(top, int(rows[-1]) + 1 + size), slice(left, int(columns[-1]) + 1 + size))
    away, nearest = distance[box], labels[box]
    ys, xs = (np.arange(n, dtype=np.float32) for n in away.shape)
    share = 1 / np.maximum(away, 1)
    ways = (
        (place[0][nearest] - (xs + left)) * share,
        (place[1][nearest] - (ys + top)[:, None]) * share,
    )
    blurred = [np.asarray(cv2.blur(way, (size, size))) for way in ways]
    # Beyond four times the reach hardly anything of the texture is left.
    where = np.nonzero(need[box] & (away < 4 * reach))
    if not len(where[0]):
        return out
    across, along = (way[where] for way in blurred)
    depth = away[where]
    step_out = 2 * depth / np.maximum(np.hypot(across, along), 0.3)
    mirrored = where[1] + left + step_out * across, where[0] + top + step_out * along
    texture = _sample(out, *mirrored)
    weight = np.exp(-depth / np.float32(reach))[:, None]
    spot = where[0] + top, where[1] + left
    out[spot] += weight * (texture - out[spot])
    return np.asarray(out, np.float32)


def _sample(picture: Floats, x: NDArray[Any], y: NDArray[Any]) -> Floats:
    """(N, C) colours of a (H, W, C) picture at N places, bilinear; beyond its edge, the edge."""
    # OpenCV's maps hold less than 2^15 columns and rows: the list is folded into a rectangle.
    width = 4096
    count = len(x)
    shape = (-(-count // width), width)
    columns = np.resize(np.asarray(x, np.float32), shape)
    rows = np.resize(np.asarray(y, np.float32), shape)
    found = cv2.remap(picture, columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(found, np.float32).reshape(-1, picture.shape[2])[:count]


def grain(picture: Floats, where: NDArray[np.bool_]) -> float:
    """Standard deviation of the finest detail (sensor noise) of L where `where` is set."""
    if where.sum() < 100:
        return 0.0
    fine = picture - cv2.GaussianBlur(picture, (0, 0), 1.2)
    return float(1.4826 * np.median(np.abs(fine[where])))


def noise(shape: tuple[int, int], deviation: float) -> Floats:
    """(H, W) float32 repeatable grain of this standard deviation."""
    tile = _noise_tile()
    repeats = (-(-shape[0] // tile.shape[0]), -(-shape[1] // tile.shape[1]))
    made: Floats = np.tile(tile, repeats)[: shape[0], : shape[1]] * np.float32(deviation)
    return made


@cache
def _noise_tile() -> Floats:
    made = np.random.default_rng(11).standard_normal((512, 512)).astype(np.float32)
    fine = made - cv2.GaussianBlur(made, (0, 0), 1.2)
    return np.asarray(fine / fine.std(), np.float32)


def resized(values: Floats, size: tuple[int, int], how: int) -> Floats:
    """`values` at another size (width, height), by one of OpenCV's interpolations."""
    return np.asarray(cv2.resize(values, size, interpolation=how), np.float32)
