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
    distance = length(off) / np.float32(noise)
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
        away = length(lab - sheet)
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


def length(off: Floats) -> Floats:
    """(H, W) length of the vectors of a (H, W, 3) picture."""
    return np.asarray(np.sqrt(np.einsum("ijk,ijk->ij", off, off)), np.float32)


def _ridge(basis: Floats, colors: Floats) -> NDArray[np.float64]:
    a = basis.astype(np.float64)
    penalty = np.diag([0.0, 1.0, 1.0, 1.0, 1.0, 1.0]) * 1e-3 * len(a)
    solved: NDArray[np.float64] = np.asarray(
        np.linalg.solve(a.T @ a + penalty, a.T @ colors.astype(np.float64)), np.float64
    )
    return solved


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
