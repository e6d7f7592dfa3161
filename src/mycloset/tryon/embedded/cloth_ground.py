"""The ground that a garment was photographed on: its colour, how far a pixel is from it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float32]
Marks: TypeAlias = NDArray[np.bool_]

_NOISE_FLOOR = 0.35
"""Units of Lab: what one grey level of an 8-bit picture is worth."""


@dataclass(frozen=True)
class Ground:
    """A smooth sheet of colour, fitted to the picture's border.

    Attributes:
        sheet: (H, W, 3) float32 Lab, the ground as it would be without the garment.
        distance: (H, W) float32, how far each pixel is from the sheet, in sigmas of the ground.
        band: (H, W) bool, the border pixels that the sheet was fitted to, and agree with it.
        frame: (H, W) bool, strips along the border that belong to no photo (letterbox).
        noise: sigma of the ground, in units of Lab.
        plain: whether a smooth sheet explains the border at all.
        exact: whether nearly all of the border has one and the same colour, without any noise.
    """

    sheet: Floats
    distance: Floats
    band: Marks
    frame: Marks
    noise: float
    plain: bool
    exact: bool


def fit_ground(lab: Floats) -> Ground:
    """Fit a quadratic sheet of colour to the border, ignoring what does not agree with it."""
    height, width = lab.shape[:2]
    frame = _letterbox(lab)
    rows, cols = np.flatnonzero(~frame.all(axis=1)), np.flatnonzero(~frame.all(axis=0))
    top, bottom, left, right = rows[0], rows[-1] + 1, cols[0], cols[-1] + 1
    thick = max(3, round(0.02 * max(height, width)))
    band = np.zeros((height, width), np.bool_)
    band[top:bottom, left:right] = True
    band[top + thick : bottom - thick, left + thick : right - thick] = False

    ys, xs = np.mgrid[0:height, 0:width].astype(np.float32)
    x, y = xs / np.float32(width) * 2 - 1, ys / np.float32(height) * 2 - 1
    terms = np.stack([np.ones_like(x), x, y, x * y, x * x, y * y], axis=-1)
    basis, colors = terms[band], lab[band]
    # The median is what most of the border agrees on, whatever the garment covers of it.
    residual = np.linalg.norm(colors - np.median(colors, axis=0), axis=1)
    scale = max(2.0, 2.5 * float(np.median(residual)))
    keep = residual < scale * 2.0
    weights = np.zeros((6, 3), np.float64)
    for _ in range(4):
        weights = _ridge(basis[keep], colors[keep])
        residual = np.linalg.norm(colors - basis @ weights, axis=1)
        sigma = max(_NOISE_FLOOR, 1.2 * float(np.median(residual[keep])))
        keep = residual < 4.0 * sigma
    sheet = np.asarray(terms @ weights, np.float32)
    noise = max(_NOISE_FLOOR, 0.85 * float(np.sqrt(np.mean(residual[keep] ** 2))))

    off = lab - sheet
    distance = np.asarray(np.sqrt((off**2).sum(axis=2)), np.float32) / np.float32(noise)
    agreeing = np.zeros_like(band)
    agreeing[band] = keep
    share = float(keep.mean())
    return Ground(
        sheet=sheet,
        distance=distance,
        band=agreeing,
        frame=frame,
        noise=noise,
        plain=bool(share > 0.45 and noise < 4.0),
        exact=bool(np.median(residual[keep]) < 0.05 and np.percentile(residual[keep], 95) < 0.2),
    )


def refit_ground(lab: Floats, ground: Ground) -> Ground:
    """Let the sheet follow what it reached: the light on a real ground is no exact quadratic."""
    if ground.exact or not ground.plain:
        return ground
    for _ in range(3):
        reached = reach_ground(ground, (ground.distance < 3.0) | ground.frame, 2)
        weight = np.asarray(reached & ~ground.frame, np.float32)
        weight += np.float32(1e-3)
        # The sheet's own error is smooth: blurred over what is known, carried on into the rest.
        off = (lab - ground.sheet) * np.where(reached & ~ground.frame, 1, 0)[..., None]
        small = (max(8, lab.shape[1] // 8), max(8, lab.shape[0] // 8))
        total = cv2.resize(np.asarray(off, np.float32), small, interpolation=cv2.INTER_AREA)
        share = cv2.resize(weight, small, interpolation=cv2.INTER_AREA)
        total, share = cv2.GaussianBlur(total, (0, 0), 2.0), cv2.GaussianBlur(share, (0, 0), 2.0)
        error = np.asarray(total, np.float32) / np.asarray(share, np.float32)[..., None]
        sheet = ground.sheet + np.asarray(
            cv2.resize(error, lab.shape[1::-1], interpolation=cv2.INTER_LINEAR), np.float32
        )
        away = np.sqrt(((lab - sheet) ** 2).sum(axis=2))
        ground = replace(
            ground,
            sheet=sheet,
            distance=np.asarray(away / ground.noise, np.float32),
        )
    return ground


def reach_ground(ground: Ground, like: Marks, radius: int) -> Marks:
    """(H, W) bool: what of `like` is reached from the border through gaps wider than 2 `radius`."""
    seeds = (ground.band | ground.frame) & like
    passable = like
    if radius:
        disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
        # Outside the picture is ground: the border is no narrow gap.
        passable = cv2.erode(like.astype(np.uint8), disc, borderValue=1) > 0
    _, labels = cv2.connectedComponents(passable.astype(np.uint8), connectivity=4)
    starts = np.unique(labels[seeds & passable])
    table = np.zeros(int(labels.max()) + 1, np.bool_)
    table[starts[starts > 0]] = True
    reached: Marks = table[labels]
    if radius:
        grown = cv2.dilate(reached.astype(np.uint8), disc) > 0
        reached = grown & like
    return reached


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
    _, labels = cv2.connectedComponents(soft.astype(np.uint8), connectivity=4)
    kept = garment.copy()
    total = int(garment.sum())
    for label in np.unique(labels[ring & soft]):
        piece = labels == label
        area = int(piece.sum())
        if label == 0 or area < 6 or area > 0.3 * total:
            continue
        rim = piece & ring
        # How much darker it is a few pixels in, against how steep it begins at its rim.
        level = float(np.percentile(darker[piece], 80))
        if level > 4.0 * float(np.mean(slope[rim])) and rim.sum() > 0.1 * np.sqrt(area):
            kept &= ~piece
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
    body = cv2.morphologyEx(strong.astype(np.uint8), cv2.MORPH_CLOSE, _disc(4)) > 0
    # A narrow gap (between legs, beside a sleeve) lies in shadow all over. Its colour tells it
    # from the garment, unless that has the same colour inside.
    off = lab - ground.sheet
    shade = garment & (off[..., 0] < -1.0) & (off[..., 0] > -24.0) & (unlike < 0.45 * contrast)
    shade &= np.hypot(off[..., 1], off[..., 2]) < np.maximum(2.5, -0.15 * off[..., 0])
    deep = garment & (depth > 10)
    if shade[deep].mean() < 0.01 if deep.any() else False:
        body &= ~_joined(shade, ~garment)
    faint = garment & ~body
    wide = cv2.morphologyEx(faint.astype(np.uint8), cv2.MORPH_OPEN, _disc(5))
    wide = cv2.dilate(wide, _disc(6)) > 0
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


def _joined(marks: Marks, to: Marks) -> Marks:
    """The pieces of `marks` that touch `to`."""
    _, labels = cv2.connectedComponents(marks.astype(np.uint8), connectivity=8)
    near = cv2.dilate(to.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    table = np.zeros(int(labels.max()) + 1, np.bool_)
    table[labels[near & marks]] = True
    table[0] = False
    joined: Marks = table[labels]
    return joined


def cut_from_clutter(lab: Floats, ground: Ground) -> Marks:
    """(H, W) bool: the garment by GrabCut, from a ground of several colours or with texture."""
    height, width = lab.shape[:2]
    scale = min(1.0, 288.0 / max(height, width))
    size = (max(8, round(width * scale)), max(8, round(height * scale)))
    small = np.asarray(cv2.resize(lab, size, interpolation=cv2.INTER_AREA), np.float32)
    far = _distance_to_clusters(small)
    rows, cols = np.mgrid[0 : size[1], 0 : size[0]].astype(np.float32)
    u, v = cols / np.float32(size[0]) * 2 - 1, rows / np.float32(size[1]) * 2 - 1
    central = np.maximum(np.abs(u), np.abs(v)) < 0.8
    marks = np.full(size[::-1], cv2.GC_PR_BGD, np.uint8)
    marks[(far > 2.5) & central] = cv2.GC_PR_FGD
    marks[(np.hypot(u, v) < 0.3) & (far > 1.5)] = cv2.GC_PR_FGD
    if not (marks == cv2.GC_PR_FGD).any():
        marks[np.hypot(u, v) < 0.5] = cv2.GC_PR_FGD
    edge = np.maximum(np.abs(u), np.abs(v)) > 0.965
    marks[edge & (far < 4.0)] = cv2.GC_BGD
    byte = np.clip(small * np.float32([2.55, 1, 1]) + np.float32([0, 128, 128]), 0, 255)
    models = np.zeros((1, 65), np.float64), np.zeros((1, 65), np.float64)
    if not (marks == cv2.GC_BGD).any():
        marks[0] = cv2.GC_BGD
    cv2.setRNGSeed(7)
    cv2.grabCut(byte.astype(np.uint8), marks, None, models[0], models[1], 4, cv2.GC_INIT_WITH_MASK)
    found = ((marks == cv2.GC_FGD) | (marks == cv2.GC_PR_FGD)).astype(np.uint8)
    found = cv2.morphologyEx(found, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    big = cv2.resize(found.astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR)
    cut: Marks = np.asarray(big) >= 0.5
    return cut


def _ridge(basis: Floats, colors: Floats) -> NDArray[np.float64]:
    a = basis.astype(np.float64)
    penalty = np.diag([0.0, 1.0, 1.0, 1.0, 1.0, 1.0]) * 1e-3 * len(a)
    solved: NDArray[np.float64] = np.linalg.solve(
        a.T @ a + penalty, a.T @ colors.astype(np.float64)
    )
    return solved


def _disc(radius: int) -> NDArray[np.uint8]:
    size = 2 * radius + 1
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size)), np.uint8)


def _slope(values: Floats) -> Floats:
    """Steepness of a picture, in its units for a pixel."""
    gx = np.asarray(cv2.Sobel(values, cv2.CV_32F, 1, 0, ksize=3), np.float32) / np.float32(8)
    gy = np.asarray(cv2.Sobel(values, cv2.CV_32F, 0, 1, ksize=3), np.float32) / np.float32(8)
    slope: Floats = np.hypot(gx, gy)
    return slope


def _letterbox(lab: Floats) -> Marks:
    """Strips of one flat colour along a side, set off by a straight edge: added later, no photo."""
    height, width = lab.shape[:2]
    frame = np.zeros((height, width), np.bool_)
    for turns in range(4):
        turned, marked = np.rot90(lab, turns), np.rot90(frame, turns)
        first = turned[0]
        color = np.median(first, axis=0)
        deep = 0
        limit = turned.shape[0] // 5
        flat = np.linalg.norm(turned[: limit + 1] - color, axis=2).max(axis=1) < 1.0
        while deep < limit and flat[deep]:
            deep += 1
        if not 0 < deep < limit:
            continue
        beyond = turned[min(deep + 1, turned.shape[0] - 1)]
        # The whole next line differs: an edge right across, not a garment that begins there.
        if np.mean(np.linalg.norm(beyond - color, axis=1) > 2.0) > 0.95:
            marked[: deep + 1] = True
    return frame


def _distance_to_clusters(lab: Floats) -> Floats:
    """How far each pixel is from the nearest of the border's colours, in that colour's sigmas."""
    height, width = lab.shape[:2]
    thick = max(3, round(0.04 * max(height, width)))
    band = np.ones((height, width), np.bool_)
    band[thick:-thick, thick:-thick] = False
    samples = np.ascontiguousarray(lab[band])
    criteria = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 12, 0.5)
    cv2.setRNGSeed(7)
    _, labels, centres = cv2.kmeans(
        samples,
        5,
        None,
        criteria,
        1,
        cv2.KMEANS_PP_CENTERS,  # type: ignore[call-overload]
    )
    nearest = np.full((height, width), np.inf, np.float32)
    for cluster in range(5):
        member = samples[labels[:, 0] == cluster]
        # A colour that only a small part of the border has may be the garment, running out.
        if len(member) < 0.08 * len(samples):
            continue
        sigma = np.maximum(member.std(axis=0), 1.5)
        z = np.sqrt((((lab - centres[cluster]) / sigma) ** 2).sum(axis=2) / 3.0)
        nearest = np.minimum(nearest, z.astype(np.float32))
    return nearest
