"""Bringing a garment onto the person's picture, part by part, by thin-plate splines."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from mycloset.filters import nearest_value
from mycloset.images import RGB
from mycloset.tryon.embedded import thin_plate
from mycloset.tryon.state import Matching, PartMatch, WarpedGarment

Floats = NDArray[np.float32]

REGULARISATION = {"torso": 1e-4, "skirt": 1e-4}
LIMB_REGULARISATION = 1e-3
GRID_STEP = 6


@dataclass(frozen=True)
class _Layer:
    """A warped part inside its window of the picture."""

    name: str
    window: tuple[slice, slice]
    rgb: Floats
    alpha: Floats
    grid: Floats
    folded: float


def warp_garment(
    garment: RGB, matching: Matching, size: tuple[int, int]
) -> tuple[WarpedGarment, float]:
    """Render the garment in the person's frame.

    Args:
        garment: (h, w, 3) uint8.
        matching: the garment's front, and corresponding points of its parts.
        size: height and width of the person's picture.

    Returns:
        The garment, and the share of it at which a spline folds over itself (0: a good warp).
    """
    order = sorted(matching.parts, key=lambda part: 0 if _first(part) else 1)
    clean = _without_ground(garment, matching.front)
    layers = [_warp_part(clean, matching.front, part, size) for part in order]
    color = np.zeros((*size, 3), np.float32)
    cover = np.zeros(size, np.float32)
    grid = np.full((*size, 2), np.nan, np.float32)
    parts: dict[str, Floats] = {}
    for layer in layers:
        if layer is None:
            continue
        a = layer.alpha[..., None]
        color[layer.window] = color[layer.window] * (1 - a) + layer.rgb * a
        cover[layer.window] = cover[layer.window] * (1 - layer.alpha) + layer.alpha
        over = layer.alpha > 0.5
        grid[layer.window][over] = layer.grid[over]
        whole = np.zeros(size, np.float32)
        whole[layer.window] = layer.alpha
        parts[layer.name] = whole
    plain = color / np.maximum(cover, 1e-4)[..., None]
    rgb = np.clip(plain + 0.5, 0, 255).astype(np.uint8)
    folded = float(np.mean([layer.folded for layer in layers if layer is not None] or [0.0]))
    return WarpedGarment(rgb, cover, parts, grid), folded


def _without_ground(garment: RGB, front: Floats) -> RGB:
    """The garment with its edge pixels, which its ground has tinted, coloured from inside it."""
    size = max(2, round(0.004 * max(front.shape))) * 2 + 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
    inner = cv2.erode((front > 0.9).astype(np.uint8), kernel)
    # Only the rim of the inside can be nearest to anything outside of it.
    rim = inner - cv2.erode(inner, np.ones((3, 3), np.uint8))
    outside = cv2.dilate((front > 0).astype(np.uint8), kernel) - inner
    if not rim.any() or not outside.any():
        return garment
    rows, columns = (np.flatnonzero(outside.any(axis=axis)) for axis in (1, 0))
    box = (slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1))
    clean = garment.copy()
    where = outside[box] > 0
    clean[box][where] = nearest_value(garment[box], rim[box] > 0, where)
    return clean


def _first(part: PartMatch) -> bool:
    return part.name in ("torso", "skirt")


def _warp_part(
    garment: RGB, alpha: Floats, part: PartMatch, size: tuple[int, int]
) -> _Layer | None:
    window = _window(part, size)
    if window is None:
        return None
    rows, columns = window
    height, width = rows.stop - rows.start, columns.stop - columns.start
    corner = np.array([columns.start, rows.start], np.float32)
    stiffness = REGULARISATION.get(part.name, LIMB_REGULARISATION)
    spline = thin_plate.fit(part.target - corner, part.source, stiffness)
    grid = spline.dense(height, width, GRID_STEP)
    shrink = min(1.0, 1.0 / _magnification(part))
    cover = alpha * _soften(part.region)
    picture = garment.astype(np.float32)
    scaled = grid
    if shrink < 0.8:
        # The garment is shown smaller than it was photographed: average first, or it aliases.
        picture, cover = _shrunk(picture, shrink), _shrunk(cover, shrink)
        ratio = np.array(
            [picture.shape[1] / garment.shape[1], picture.shape[0] / garment.shape[0]], np.float32
        )
        scaled = np.asarray((grid + 0.5) * ratio - 0.5, np.float32)
    x, y = cv2.split(scaled)
    rgb = cv2.remap(picture, x, y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    seen = cv2.remap(cover, x, y, cv2.INTER_LINEAR, borderValue=0)
    seen = np.asarray(seen, np.float32) * _reach(part, window)
    inside = np.argwhere(seen[::12, ::12] > 0.5)[:, ::-1] * 12
    folded = spline.folding(inside) if len(inside) else 0.0
    return _Layer(part.name, window, np.clip(rgb, 0, 255), np.clip(seen, 0, 1), grid, folded)


def _shrunk(picture: Floats, factor: float) -> Floats:
    small = cv2.resize(picture, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.float32)


def _window(part: PartMatch, size: tuple[int, int]) -> tuple[slice, slice] | None:
    margin = 0.06 * float(np.ptp(part.target, axis=0).max()) + 4
    low = np.floor(part.target.min(axis=0) - margin).astype(int)
    high = np.ceil(part.target.max(axis=0) + margin).astype(int)
    x0, y0 = max(int(low[0]), 0), max(int(low[1]), 0)
    x1, y1 = min(int(high[0]), size[1]), min(int(high[1]), size[0])
    if x1 - x0 < 2 or y1 - y0 < 2:
        return None
    return slice(y0, y1), slice(x0, x1)


def _magnification(part: PartMatch) -> float:
    """Garment pixels to a pixel of the person's picture, roughly."""
    return float(np.ptp(part.source, axis=0).max() / max(np.ptp(part.target, axis=0).max(), 1.0))


def _soften(region: NDArray[np.bool_]) -> Floats:
    """The part's region, grown a little so that neighbouring parts overlap under their seam."""
    grow = max(3, round(0.012 * max(region.shape))) | 1
    grown = cv2.dilate(region.astype(np.float32), np.ones((grow, grow), np.uint8))
    return np.asarray(cv2.GaussianBlur(grown, (0, 0), 1.0), np.float32)


def _reach(part: PartMatch, window: tuple[slice, slice]) -> Floats:
    """1 near the part's own targets; 0 far away, where a spline only extrapolates."""
    rows, columns = window
    canvas = np.zeros((rows.stop - rows.start, columns.stop - columns.start), np.uint8)
    corner = np.array([columns.start, rows.start], np.float32)
    hull = cv2.convexHull((part.target - corner).astype(np.float32))
    cv2.fillPoly(canvas, [np.round(hull).astype(np.int32)], 255)
    margin = max(3, round(0.05 * float(np.ptp(part.target, axis=0).max()))) | 1
    canvas = cv2.dilate(canvas, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (margin, margin)))
    soft = cv2.GaussianBlur(canvas, (0, 0), max(1.0, margin / 6))
    return np.asarray(soft, np.float32) / np.float32(255)
