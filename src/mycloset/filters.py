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


def color_evidence(colors: Floats, probability: Floats, radius: int, eps: float) -> Floats:
    """How much likelier a pixel's colour is inside than outside, judged from its surroundings.

    In every window the colours of the sure inside and of the sure outside (those far from one
    half) are each described by a Gaussian; the result compares the two at the window's middle.

    Args:
        colors: (H, W, 3) float32 0..1.
        probability: (H, W) float32 0..1, that a pixel is inside.
        radius: half side of the windows in pixels.
        eps: variance added to every Gaussian, so that flat colours do not count as unmistakable.

    Returns:
        (H, W) float32 logarithm of the ratio, positive for inside; 0 where a window holds only
        one of the two.
    """
    products = _products(colors)
    sure = 2 * probability - 1
    distances, shares = [], []
    for weight in (np.clip(sure, 0, 1) ** 2, np.clip(-sure, 0, 1) ** 2):
        share = _box(weight, radius) + np.float32(1e-4)
        mean = _box(colors * weight[..., None], radius) / share[..., None]
        raw = [_box(part * weight[..., None], radius) / share[..., None] for part in products]
        inverse, determinant = _inverse(raw, mean, eps)
        off = colors - mean
        quadratic = np.einsum("hwc,hwc->hw", _apply(inverse, off), off)
        distances.append(quadratic + np.log(determinant))
        shares.append(share)
    # A few stray pixels describe nothing: their word counts less.
    trust = np.minimum(np.minimum(shares[0], shares[1]) / np.float32(0.03), 1)
    return np.asarray(0.5 * trust * (distances[1] - distances[0]), np.float32)


def _affine(guide: Floats, values: Floats, radius: int, eps: float) -> tuple[Floats, Floats]:
    """Averaged coefficients: (h, w, C) slopes and (h, w) offsets."""
    mean = _box(guide, radius)
    mean_value = _box(values, radius)
    shared = _box(guide * values[..., None], radius) - mean * mean_value[..., None]
    if guide.shape[2] == 1:
        variance = _box(guide * guide, radius) - mean * mean
        slope = shared / (variance + np.float32(eps))
    else:
        raw = [_box(part, radius) for part in _products(guide)]
        slope = _apply(_inverse(raw, mean, eps)[0], shared)
    offset = mean_value - np.einsum("hwc,hwc->hw", slope, mean)
    return _box(slope, radius), _box(offset, radius)


def _products(colors: Floats) -> list[Floats]:
    """The six different products of three channels: rr, rg, rb and gg, gb, bb."""
    red, rest = colors[..., :1], colors[..., 1:]
    green_blue = np.stack(
        [rest[..., 0] * rest[..., 0], rest[..., 0] * rest[..., 1], rest[..., 1] * rest[..., 1]],
        axis=-1,
    )
    return [red * colors, green_blue]


def _inverse(raw: list[Floats], mean: Floats, eps: float) -> tuple[list[Floats], Floats]:
    """Inverse of each window's 3x3 covariance, as its six entries, and its determinant.

    Args:
        raw: mean products, in the order of `_products`.
        mean: (h, w, 3) mean colours.
        eps: added to the diagonal.
    """
    (rr, rg, rb), (gg, gb, bb) = (
        [part[..., c] for c in range(3)]
        for part in (plain - own for plain, own in zip(raw, _products(mean), strict=True))
    )
    rr, gg, bb = rr + np.float32(eps), gg + np.float32(eps), bb + np.float32(eps)
    crr, crg, crb = gg * bb - gb * gb, rb * gb - rg * bb, rg * gb - rb * gg
    cgg, cgb, cbb = rr * bb - rb * rb, rb * rg - rr * gb, rr * gg - rg * rg
    # Rounding can leave a flat window just below what eps alone makes of it.
    determinant = np.maximum(rr * crr + rg * crg + rb * crb, np.float32(eps) ** 3 / 8)
    return [c / determinant for c in (crr, crg, crb, cgg, cgb, cbb)], determinant


def _apply(inverse: list[Floats], vectors: Floats) -> Floats:
    """(h, w, 3): a symmetric matrix given by its six entries times a vector, everywhere."""
    crr, crg, crb, cgg, cgb, cbb = inverse
    red, green, blue = (vectors[..., c] for c in range(3))
    return np.stack(
        [
            crr * red + crg * green + crb * blue,
            crg * red + cgg * green + cgb * blue,
            crb * red + cgb * green + cbb * blue,
        ],
        axis=-1,
    )


def _box(values: Floats, radius: int) -> Floats:
    side = 2 * radius + 1
    found = cv2.blur(values, (side, side), borderType=cv2.BORDER_REFLECT)
    return np.asarray(found, np.float32).reshape(values.shape)


def _resize(values: Floats, size: tuple[int, int], how: int) -> Floats:
    found = np.asarray(cv2.resize(values, size, interpolation=how), np.float32)
    return found.reshape(found.shape[0], found.shape[1], *values.shape[2:])
