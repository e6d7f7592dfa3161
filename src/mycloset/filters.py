"""Edge-aware filters on whole pictures, made of box filters so that their cost does not grow."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from mycloset.images import RGB

Floats = NDArray[np.float32]


def guided_filter(
    guide: RGB | Floats, values: Floats, radius: int, eps: float, *, subsample: int = 1
) -> Floats:
    """Smooth `values` so that their edges follow the colours of `guide`.

    In every window the result is an affine function of the guide's colour; windows are averaged
    (He, Sun and Tang, Guided Image Filtering, 2013; with `subsample`, Fast Guided Filter, 2015).

    Args:
        guide: (H, W, 3) uint8, or float32 0..1; (H, W) float32 for a grey guide.
        values: (H, W) float32.
        radius: half side of the window in pixels of the guide, at least 1.
        eps: variance (of colours 0..1) below which a window counts as flat; 1e-4 keeps faint
            edges, 1e-2 only strong ones.
        subsample: work at this fraction of the size (4 means a quarter), then apply the affine
            functions at full size: much faster, nearly the same.

    Returns:
        (H, W) float32; may overshoot the range of `values` a little.
    """
    full = guide.astype(np.float32) * np.float32(1 / 255) if guide.dtype == np.uint8 else guide
    full = np.asarray(full, np.float32)
    if full.ndim == 2:
        full = full[..., None]
    if full.shape[:2] != values.shape:
        raise ValueError(f"guide {full.shape[:2]} and values {values.shape} differ in size.")
    height, width = values.shape
    small, seen = full, np.asarray(values, np.float32)
    if subsample > 1:
        size = (max(1, round(width / subsample)), max(1, round(height / subsample)))
        small = _resize(full, size, cv2.INTER_AREA)
        seen = _resize(seen, size, cv2.INTER_AREA)
        radius = max(1, round(radius / subsample))
    slope, offset = _affine(small, seen, radius, eps)
    if subsample > 1:
        slope = _resize(slope, (width, height), cv2.INTER_LINEAR)
        offset = _resize(offset, (width, height), cv2.INTER_LINEAR)
    result = offset
    for channel in range(full.shape[2]):
        result = result + slope[..., channel] * full[..., channel]
    return result


def _affine(guide: Floats, values: Floats, radius: int, eps: float) -> tuple[Floats, Floats]:
    """Averaged coefficients: (h, w, C) slopes and (h, w) offsets."""
    channels = guide.shape[2]
    mean = _box(guide, radius)
    mean_value = _box(values, radius)
    shared = _box(guide * values[..., None], radius) - mean * mean_value[..., None]
    slope = np.empty_like(guide)
    if channels == 1:
        variance = _box(guide[..., 0] ** 2, radius) - mean[..., 0] ** 2
        slope[..., 0] = shared[..., 0] / (variance + np.float32(eps))
    else:
        red, green, blue = (guide[..., c] for c in range(3))
        # The six different entries of the symmetric covariance, all windows at once.
        products = np.stack(
            [red * red, red * green, red * blue, green * green, green * blue, blue * blue], axis=-1
        )
        products = _box(products[..., :3], radius), _box(products[..., 3:], radius)
        (rr, rg, rb), (gg, gb, bb) = ([part[..., c] for c in range(3)] for part in products)
        mr, mg, mb = (mean[..., c] for c in range(3))
        e = np.float32(eps)
        rr, rg, rb = rr - mr * mr + e, rg - mr * mg, rb - mr * mb
        gg, gb, bb = gg - mg * mg + e, gb - mg * mb, bb - mb * mb + e
        # Its inverse by cofactors.
        crr, crg, crb = gg * bb - gb * gb, rb * gb - rg * bb, rg * gb - rb * gg
        cgg, cgb, cbb = rr * bb - rb * rb, rb * rg - rr * gb, rr * gg - rg * rg
        inverse = 1 / (rr * crr + rg * crg + rb * crb)
        sr, sg, sb = (shared[..., c] for c in range(3))
        slope[..., 0] = (crr * sr + crg * sg + crb * sb) * inverse
        slope[..., 1] = (crg * sr + cgg * sg + cgb * sb) * inverse
        slope[..., 2] = (crb * sr + cgb * sg + cbb * sb) * inverse
    offset = mean_value - np.einsum("hwc,hwc->hw", slope, mean)
    return _box(slope, radius), _box(offset, radius)


def _box(values: Floats, radius: int) -> Floats:
    side = 2 * radius + 1
    found = cv2.blur(values, (side, side), borderType=cv2.BORDER_REFLECT)
    return np.asarray(found, np.float32).reshape(values.shape)


def _resize(values: Floats, size: tuple[int, int], how: int) -> Floats:
    found = np.asarray(cv2.resize(values, size, interpolation=how), np.float32)
    return found.reshape(found.shape[0], found.shape[1], *values.shape[2:])
