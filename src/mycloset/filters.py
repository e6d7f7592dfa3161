"""Filters on whole pictures: edge-aware ones whose cost does not grow, and nearest values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

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

    Raises:
        ValueError: the two differ in size.
    """
    if guide.shape[:2] != values.shape:
        raise ValueError(f"guide {guide.shape[:2]} and values {values.shape} differ in size.")
    height, width = values.shape
    seen = np.asarray(values, np.float32)
    planes = _planes(guide)
    small = planes
    if subsample > 1:
        size = (max(1, round(width / subsample)), max(1, round(height / subsample)))
        small = [_resize(plane, size, cv2.INTER_AREA) for plane in planes]
        seen = _resize(seen, size, cv2.INTER_AREA)
        radius = max(1, round(radius / subsample))
    slopes, result = _affine(small, seen, radius, eps)
    if subsample > 1:
        slopes = [_resize(slope, (width, height), cv2.INTER_LINEAR) for slope in slopes]
        result = _resize(result, (width, height), cv2.INTER_LINEAR)
    for slope, plane in zip(slopes, planes, strict=True):
        result += slope * plane
    return result


class SharedGuide:
    """The guided filter for many layers over one picture: what the picture alone says, said once.

    The layers' weights at a pixel depend on the guide only, so that layers that are zero in the
    same places (outside of a person, say) are compared there as if those places did not exist.

    Args:
        guide: (H, W, 3) uint8, or float32 0..1.
        radius, eps, subsample: as for `guided_filter`.
    """

    def __init__(self, guide: RGB | Floats, radius: int, eps: float, *, subsample: int = 1) -> None:
        height, width = guide.shape[:2]
        self._planes = _planes(guide)
        self._size = (width, height)
        self._small = self._planes
        self._small_size = self._size
        if subsample > 1:
            self._small_size = (
                max(1, round(width / subsample)),
                max(1, round(height / subsample)),
            )
            self._small = [_resize(p, self._small_size, cv2.INTER_AREA) for p in self._planes]
            radius = max(1, round(radius / subsample))
        self._radius = radius
        self._mean = [_box(plane, radius) for plane in self._small]
        raw = [_box(product, radius) for product in _products(self._small)]
        self._inverse = _inverse(raw, self._mean, eps)[0]

    def coefficients(self, values: Floats) -> Floats:
        """(h, w, 4): slopes for red, green and blue, and the offset, at the subsampled size."""
        seen = values
        if self._small_size != self._size:
            seen = _resize(values, self._small_size, cv2.INTER_AREA)
        mean_value = _box(seen, self._radius)
        shared = [
            _box(plane * seen, self._radius) - middle * mean_value
            for plane, middle in zip(self._small, self._mean, strict=True)
        ]
        slopes = _apply(self._inverse, shared)
        for slope, middle in zip(slopes, self._mean, strict=True):
            mean_value -= slope * middle
        return _box(np.stack([*slopes, mean_value], axis=-1), self._radius)

    def apply(self, coefficients: Floats) -> Floats:
        """(H, W): the layer that these coefficients make of the guide."""
        if self._small_size != self._size:
            coefficients = _resize(coefficients, self._size, cv2.INTER_LINEAR)
        red, green, blue, offset = cv2.split(coefficients)
        result = np.asarray(offset, np.float32)
        for slope, plane in zip((red, green, blue), self._planes, strict=True):
            result += slope * plane
        return result


def color_evidence(
    colors: Floats, probability: Floats, radius: int, eps: float, *, stride: int = 1
) -> Floats:
    """How much likelier a pixel's colour is inside than outside, judged from its surroundings.

    In every window the colours of the sure inside and of the sure outside (those far from one
    half) are each described by a Gaussian; the result compares the two at the window's middle.

    Args:
        colors: (H, W, 3) float32 0..1.
        probability: (H, W) float32 0..1, that a pixel is inside.
        radius: half side of the windows in pixels.
        eps: variance added to every Gaussian, so that flat colours do not count as unmistakable.
        stride: describe windows by every so many-th pixel only; the picture must be larger.

    Returns:
        (H, W) float32 logarithm of the ratio, positive for inside; 0 where a window holds only
        one of the two.
    """
    height, width = probability.shape
    planes = _planes(colors)
    # Every n-th pixel rather than a shrunken picture: shrinking would lose the texture's variance.
    start = stride // 2
    sparse = [np.ascontiguousarray(plane[start::stride, start::stride]) for plane in planes]
    sure = 2 * np.asarray(probability, np.float32)[start::stride, start::stride] - 1
    reach = max(1, round(radius / stride))
    products = _products(sparse)
    answers, shares = [], []
    for weight in (np.clip(sure, 0, 1) ** 2, np.clip(-sure, 0, 1) ** 2):
        share = _box(weight, reach)
        full = share + np.float32(1e-4)
        mean = [_box(plane * weight, reach) / full for plane in sparse]
        raw = [_box(product * weight, reach) / full for product in products]
        inverse, determinant = _inverse(raw, mean, eps)
        described = [*mean, *inverse, np.log(determinant)]
        if stride > 1:
            described = [_resize(part, (width, height), cv2.INTER_LINEAR) for part in described]
        off = [plane - middle for plane, middle in zip(planes, described[:3], strict=True)]
        answers.append(_quadratic(described[3:9], off) + described[9])
        shares.append(share)
    # A few stray pixels describe nothing: their word counts less.
    trust = np.minimum(np.minimum(shares[0], shares[1]) / np.float32(0.03), 1)
    if stride > 1:
        trust = _resize(trust, (width, height), cv2.INTER_LINEAR)
    return np.asarray(np.float32(0.5) * trust * (answers[1] - answers[0]), np.float32)


def nearest_value(
    values: NDArray[Any], known: NDArray[np.bool_], wanted: NDArray[np.bool_]
) -> NDArray[Any]:
    """For every wanted pixel the value of the nearest known one.

    Args:
        values: (H, W) or (H, W, C); what stands where nothing is known is ignored.
        known: (H, W) bool, not empty.
        wanted: (H, W) bool.

    Returns:
        (N,) or (N, C), in the order of `values[wanted]` and of its dtype.
    """
    _, number = cv2.distanceTransformWithLabels(
        np.uint8(1) - known.astype(np.uint8), cv2.DIST_L2, 3, labelType=cv2.DIST_LABEL_PIXEL
    )
    table = np.zeros((int(number.max()) + 1, *values.shape[2:]), values.dtype)
    table[number[known]] = values[known]
    found: NDArray[Any] = table[number[wanted]]
    return found


def _planes(picture: RGB | Floats) -> list[Floats]:
    """The channels of a picture as float32 0..1, each contiguous: far faster than interleaved."""
    if picture.ndim == 2:
        picture = picture[..., None]
    scale = np.float32(1 / 255) if picture.dtype == np.uint8 else np.float32(1)
    return [
        np.multiply(picture[..., channel], scale, dtype=np.float32)
        for channel in range(picture.shape[2])
    ]


def _affine(
    guide: Sequence[Floats], values: Floats, radius: int, eps: float
) -> tuple[list[Floats], Floats]:
    """Averaged coefficients: a slope for every channel of the guide, and the offset."""
    mean = [_box(plane, radius) for plane in guide]
    mean_value = _box(values, radius)
    shared = [
        _box(plane * values, radius) - middle * mean_value
        for plane, middle in zip(guide, mean, strict=True)
    ]
    if len(guide) == 1:
        variance = _box(guide[0] * guide[0], radius) - mean[0] * mean[0]
        slopes: list[Floats] = [np.asarray(shared[0] / (variance + np.float32(eps)), np.float32)]
    else:
        raw = [_box(product, radius) for product in _products(guide)]
        slopes = _apply(_inverse(raw, mean, eps)[0], shared)
    offset = mean_value.copy()
    for slope, middle in zip(slopes, mean, strict=True):
        offset -= slope * middle
    return [_box(slope, radius) for slope in slopes], _box(offset, radius)


def _products(planes: Sequence[Floats]) -> list[Floats]:
    """The six different products of three channels: rr, rg, rb, gg, gb, bb."""
    red, green, blue = planes
    return [red * red, red * green, red * blue, green * green, green * blue, blue * blue]


def _inverse(
    raw: Sequence[Floats], mean: Sequence[Floats], eps: float
) -> tuple[list[Floats], Floats]:
    """Inverse of each window's 3x3 covariance, as its six entries, and its determinant.

    Args:
        raw: mean products, in the order of `_products`.
        mean: mean colours, a plane a channel.
        eps: added to the diagonal.
    """
    rr, rg, rb, gg, gb, bb = (plain - own for plain, own in zip(raw, _products(mean), strict=True))
    rr, gg, bb = rr + np.float32(eps), gg + np.float32(eps), bb + np.float32(eps)
    crr, crg, crb = gg * bb - gb * gb, rb * gb - rg * bb, rg * gb - rb * gg
    cgg, cgb, cbb = rr * bb - rb * rb, rb * rg - rr * gb, rr * gg - rg * rg
    # Rounding can leave a flat window just below what eps alone makes of it.
    determinant = np.maximum(rr * crr + rg * crg + rb * crb, np.float32(eps**3 / 8))
    scale = 1 / determinant
    return [entry * scale for entry in (crr, crg, crb, cgg, cgb, cbb)], determinant


def _apply(inverse: Sequence[Floats], vector: Sequence[Floats]) -> list[Floats]:
    """A symmetric matrix, given by its six entries, times a vector, everywhere."""
    crr, crg, crb, cgg, cgb, cbb = inverse
    red, green, blue = vector
    return [
        crr * red + crg * green + crb * blue,
        crg * red + cgg * green + cgb * blue,
        crb * red + cgb * green + cbb * blue,
    ]


def _quadratic(inverse: Sequence[Floats], vector: Sequence[Floats]) -> Floats:
    """The vector's product with the symmetric matrix and with itself, everywhere."""
    red, green, blue = _apply(inverse, vector)
    return np.asarray(red * vector[0] + green * vector[1] + blue * vector[2], np.float32)


def _box(values: Floats, radius: int) -> Floats:
    side = 2 * radius + 1
    return np.asarray(
        cv2.blur(values, (side, side), borderType=cv2.BORDER_REFLECT), dtype=np.float32
    )


def _resize(values: Floats, size: tuple[int, int], how: int) -> Floats:
    return np.asarray(cv2.resize(values, size, interpolation=how), dtype=np.float32)
