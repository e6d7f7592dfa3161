"""A garment on a ground of several colours or with texture, cut out by colour."""

from __future__ import annotations

import cv2
import numpy as np

from mycloset.tryon.embedded.cloth_ground import Floats, Ground, Marks


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
    byte = np.clip(small * [2.55, 1.0, 1.0] + [0.0, 128.0, 128.0], 0, 255)
    models = np.zeros((1, 65), np.float64), np.zeros((1, 65), np.float64)
    if not (marks == cv2.GC_BGD).any():
        marks[0] = cv2.GC_BGD
    cv2.setRNGSeed(7)
    # The stubs know no mask-only call, where no rectangle is given.
    cv2.grabCut(  # type: ignore[call-overload]
        byte.astype(np.uint8), marks, None, models[0], models[1], 4, cv2.GC_INIT_WITH_MASK
    )
    found = ((marks == cv2.GC_FGD) | (marks == cv2.GC_PR_FGD)).astype(np.uint8)
    opened = cv2.morphologyEx(found, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    big = cv2.resize(opened.astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR)
    cut: Marks = np.asarray(big) >= 0.5
    return cut


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
