"""Soft, sub-pixel outlines at full resolution, from marks found at working resolution."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from mycloset.images import RGB

Floats = NDArray[np.float32]


def soft_edges(rgb: RGB, marks: NDArray[np.bool_], noise: float) -> Floats:
    """Coverage of what is marked, at the picture's own resolution.

    Near the outline a pixel is taken as a mix of the colours a little inside and a little outside;
    its coverage is where it lies between the two. Where these hardly differ, the smoothed marks
    decide.

    Args:
        rgb: (H, W, 3) uint8.
        marks: (h, w) bool, h <= H, w <= W.
        noise: sigma of the ground, in units of Lab.

    Returns:
        (H, W) float32, 0..1.
    """
    height, width = rgb.shape[:2]
    small_height, small_width = marks.shape
    step = height / small_height
    byte = marks.astype(np.uint8)
    # Signed distance to the outline, in full pixels; linear interpolation of it is sub-pixel.
    inner = cv2.distanceTransform(np.pad(byte, 1, mode="edge"), cv2.DIST_L2, 5)[1:-1, 1:-1]
    outer = cv2.distanceTransform(np.pad(1 - byte, 1, mode="edge"), cv2.DIST_L2, 5)[1:-1, 1:-1]
    signed = np.where(marks, inner - 0.5, 0.5 - outer).astype(np.float32)
    signed = np.asarray(cv2.GaussianBlur(signed, (0, 0), 0.8), np.float32) * np.float32(step)
    full = np.asarray(cv2.resize(signed, (width, height), interpolation=cv2.INTER_LINEAR))
    plain: Floats = np.clip(full / max(step, 1.0) + 0.5, 0, 1).astype(np.float32)

    reach = 1.6 * step
    band = np.abs(full) < reach + 1.0
    if not band.any():
        return plain
    ys, xs = np.nonzero(band)
    size = (small_width, small_height)
    small = np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), np.float32)
    # Positions of the band's pixels in the small picture, for sampling its local colours.
    at_x = ((xs + 0.5) / width * small_width - 0.5).astype(np.float32)
    at_y = ((ys + 0.5) / height * small_height - 0.5).astype(np.float32)
    front = _sample(_side_color(small, signed > 1.6 * step), at_x, at_y)
    back = _sample(_side_color(small, signed < -1.6 * step), at_x, at_y)
    here = rgb[ys, xs].astype(np.float32)
    span = front - back
    length = (span**2).sum(axis=1)
    mix = ((here - back) * span).sum(axis=1) / np.maximum(length, 1e-3)
    # A unit of Lab is about 2.55 grey levels; below six sigmas the mix is mostly noise.
    floor = np.float32((6.0 * noise * 2.55) ** 2)
    trust = length / (length + floor)
    smooth = plain[ys, xs]
    alpha = trust * np.clip(mix * 1.1 - 0.05, 0, 1) + (1 - trust) * smooth
    deep = full[ys, xs]
    low = np.clip((deep - reach) / max(step, 1.0) + 1.0, 0, 1)
    high = np.clip((deep + reach) / max(step, 1.0), 0, 1)
    refined: Floats = plain.copy()
    refined[ys, xs] = np.clip(alpha, low, high)
    return refined


def _side_color(small: Floats, where: NDArray[np.bool_]) -> Floats:
    """Mean colour of the marked pixels nearby: in a small window, else in a larger one."""
    color = np.zeros_like(small)
    filled = np.zeros(where.shape, np.bool_)
    masked = small * where[..., None]
    weight_of = where.astype(np.float32)
    for window in (7, 15, 41):
        weight = np.asarray(cv2.boxFilter(weight_of, -1, (window, window)), np.float32)
        usable = ~filled & (weight > 2.0 / window**2)
        if usable.any():
            total = np.asarray(cv2.boxFilter(masked, -1, (window, window)), np.float32)
            total /= np.maximum(weight, np.float32(1e-6))[..., None]
            cv2.copyTo(total, usable.astype(np.uint8), color)
            filled |= usable
    return color


def _sample(image: Floats, x: Floats, y: Floats) -> Floats:
    """Bilinear values of (h, w, 3) at N positions -> (N, 3); remap takes 32767 columns at most."""
    columns = 4096
    rows = -(-len(x) // columns)
    pad = rows * columns - len(x)
    map_x = np.pad(x, (0, pad)).reshape(rows, columns)
    map_y = np.pad(y, (0, pad)).reshape(rows, columns)
    out = cv2.remap(image, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    flat: Floats = np.asarray(out, np.float32).reshape(-1, image.shape[2])[: len(x)]
    return flat
