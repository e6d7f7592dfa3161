"""The rim of a garment: what shadows and halos add to it, and what holes take from it."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from mycloset.tryon.embedded.cloth_ground import Floats, Ground, Marks


def strip_shadows(garment: Marks, lab: Floats, ground: Ground) -> Marks:
    """`garment` without the soft shadows that it throws on the ground.

    A shadow is somewhat darker than the ground, of its hue, and begins without an edge: that tells
    it from a light garment, which has an edge, however weak.
    """
    off = lab - ground.sheet
    slope = _slope(np.ascontiguousarray(lab[..., 0]))
    tint = np.hypot(off[..., 1], off[..., 2])
    darker = -off[..., 0]
    limit = max(0.8, 1.5 * ground.noise)
    soft = garment & (darker > 0) & (darker < 16.0) & (tint < max(1.5, 2.0 * ground.noise))
    soft &= slope < limit
    outside = ~garment
    ring = cv2.dilate(outside.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    _, labels, stats, _ = cv2.connectedComponentsWithStats(soft.astype(np.uint8), connectivity=4)
    kept = garment.copy()
    total = int(garment.sum())
    for label in np.unique(labels[ring & soft]):
        left, top, width, height, area = (int(v) for v in stats[label])
        if label == 0 or area < 6 or area > 0.3 * total:
            continue
        window = np.s_[top : top + height, left : left + width]
        piece = labels[window] == label
        rim = piece & ring[window]
        # How much darker it is a few pixels in, against how steep it begins at its rim.
        level = float(np.percentile(darker[window][piece], 80))
        if level > 4.0 * float(np.mean(slope[window][rim])) and rim.sum() > 0.1 * np.sqrt(area):
            kept[window] &= ~piece
    return cv2.morphologyEx(kept.astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8)) > 0


def strip_halo(garment: Marks, lab: Floats, ground: Ground) -> Marks:
    """`garment` without the halo that compression or a poor cut-out leaves around it.

    The halo is nearly of the ground's colour, while the garment behind it is not; it is thin, or
    else flat all over. A light stripe or sleeve is neither: it goes on inside.
    """
    unlike = ground.distance * np.float32(ground.noise)
    depth = cv2.distanceTransform(np.pad(garment, 1).astype(np.uint8), cv2.DIST_L2, 3)[1:-1, 1:-1]
    inner = garment & (depth > 6)
    if not inner.any():
        return garment
    window = (25, 25)
    weight = np.asarray(cv2.boxFilter(inner.astype(np.float32), -1, window), np.float32)
    total = np.asarray(cv2.boxFilter(unlike * inner, -1, window), np.float32)
    overall = float(np.median(unlike[inner]))
    contrast = np.where(weight > 0.01, total / np.maximum(weight, 1e-3), overall)
    strong = garment & (unlike > np.minimum(8.0, 0.35 * contrast))
    # Closing joins what lies on both sides of a light stripe, not what lies beyond the outline.
    body: Marks = cv2.morphologyEx(strong.astype(np.uint8), cv2.MORPH_CLOSE, _disc(4)) > 0
    # A narrow gap (between legs, beside a sleeve) lies in shadow all over. Its colour tells it
    # from the garment, unless that has the same colour inside.
    off = lab - ground.sheet
    shade = garment & (off[..., 0] < -1.0) & (off[..., 0] > -24.0) & (unlike < 0.45 * contrast)
    shade &= np.hypot(off[..., 1], off[..., 2]) < np.maximum(2.5, -0.15 * off[..., 0])
    deep = garment & (depth > 10)
    if deep.any() and shade[deep].mean() < 0.01:
        body &= ~_joined(shade, ~garment)
    faint = garment & ~body
    opened = cv2.morphologyEx(faint.astype(np.uint8), cv2.MORPH_OPEN, _disc(5))
    wide: Marks = cv2.dilate(opened, _disc(6)) > 0
    _, labels = cv2.connectedComponents((faint & wide).astype(np.uint8), connectivity=4)
    kept: Marks = garment & (body | (wide & ~shade) | ((depth > 8) & ~_joined(shade, ~garment)))
    ring = kept & (cv2.erode(kept.astype(np.uint8), np.ones((3, 3), np.uint8), borderValue=1) == 0)
    for label in np.unique(labels[ring]):
        piece = labels == label
        values = unlike[piece]
        low, middle, high = np.percentile(values, [20, 50, 80])
        if label and middle < 3.0 and high - low < 0.8 and overall > 10.0:
            rest = kept & ~piece
            if rest.sum() > 0.5 * garment.sum():
                kept = rest
    return kept


def open_holes(garment: Marks, ground: Ground, contrast: float) -> Marks:
    """Open the holes through which the ground is really seen, not the light prints.

    Ground seen through a hole has the ground's colour all over, and lies close to the garment's
    outline (beside a strap or a sleeve); a print is rarely so uniform, and lies deep inside.
    """
    unlike = ground.distance * np.float32(ground.noise)
    if contrast < 8.0:
        # A white garment on white has patches of the ground's colour everywhere.
        return garment
    loose = garment & (unlike < min(6.0, 0.3 * contrast))
    tight = (loose & (ground.distance < 3.0)).astype(np.uint8)
    patches = cv2.morphologyEx(tight, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(patches, connectivity=4)
    if count <= 1:
        return garment
    total = max(int(garment.sum()), 1)
    depth = np.asarray(cv2.distanceTransform(garment.astype(np.uint8), cv2.DIST_L2, 3), np.float32)
    width = float(np.ptp(np.flatnonzero(garment.any(axis=0))) + 1)
    opened = garment.copy()
    for label in range(1, count):
        area = int(stats[label, cv2.CC_STAT_AREA])
        if area < max(12.0, 0.001 * total):
            continue
        core = labels == label
        rim = float(depth[core].min()) / width
        if rim > (0.2 if area > 0.03 * total else 0.06):
            continue
        hole = (_grown(core, 3) & loose) | core
        # A light stripe fades into its shaded ends; a hole is set off all around.
        around = _grown(hole, 3) & ~_grown(hole, 2)
        if float((unlike[around] > 0.4 * contrast).mean()) > 0.85:
            opened &= ~hole
    return opened


def _joined(marks: Marks, to: Marks) -> Marks:
    """The pieces of `marks` that touch `to`."""
    _, labels = cv2.connectedComponents(marks.astype(np.uint8), connectivity=8)
    near = cv2.dilate(to.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    table = np.zeros(int(labels.max()) + 1, np.bool_)
    table[labels[near & marks]] = True
    table[0] = False
    joined: Marks = table[labels]
    return joined


def _grown(marks: Marks, radius: int) -> Marks:
    size = 2 * radius + 1
    grown: Marks = cv2.dilate(marks.astype(np.uint8), np.ones((size, size), np.uint8)) > 0
    return grown


def _slope(values: Floats) -> Floats:
    """Steepness of a picture, in its units for a pixel."""
    gx = np.asarray(cv2.Sobel(values, cv2.CV_32F, 1, 0, ksize=3), np.float32) / np.float32(8)
    gy = np.asarray(cv2.Sobel(values, cv2.CV_32F, 0, 1, ksize=3), np.float32) / np.float32(8)
    slope: Floats = np.hypot(gx, gy)
    return slope


def _disc(radius: int) -> NDArray[np.uint8]:
    size = 2 * radius + 1
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size)), np.uint8)
