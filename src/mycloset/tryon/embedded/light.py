"""The light of the photo on the new garment: what the old garment shows of light and folds."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from mycloset.tryon.embedded.fill import resized

Floats = NDArray[np.float32]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Light:
    """Factors for the garment's lightness.

    Attributes:
        factor: (H, W) float32 around 1.
        broad: 0..1, how far the broad light was believed.
        folds: 0..1, how far the folds were believed.
    """

    factor: Floats
    broad: float
    folds: float


def read_light(lab: Floats, old: Flags, unit: float) -> Light:
    """Read light and folds from the old garment.

    A plain garment shows light only; a patterned one shows its pattern too, so the more its
    colours vary, the less of it is believed. A dark one shows little light: its differences are
    damped, not blown up.

    Args:
        lab: (H, W, 3) float32 Lab of the photo.
        old: (H, W) bool, the old garment's pixels.
        unit: shoulder breadth in pixels.
    """
    ones = np.ones(old.shape, np.float32)
    step = max(1, round(unit / 110))
    size = (max(4, old.shape[1] // step), max(4, old.shape[0] // step))
    small = resized(lab, size, cv2.INTER_AREA)
    worn = resized(old.astype(np.float32), size, cv2.INTER_AREA) > 0.9
    found = _read(small, worn, unit / step)
    if found is None:
        return Light(ones, 0.0, 0.0)
    full = (old.shape[1], old.shape[0])
    factor = resized(found.factor, full, cv2.INTER_LINEAR)
    return Light(factor, found.broad, found.folds)


def _read(lab: Floats, old: Flags, unit: float) -> Light | None:
    """`read_light` at working size; None where the old garment shows too little."""
    least = 0.02 * unit**2
    if np.count_nonzero(old) < 2 * least:
        return None
    core = cv2.erode(old.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    if np.count_nonzero(core) < least:
        return None
    main, mixed = _main_dye(lab, core)
    inside = cv2.erode(main.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    if np.count_nonzero(inside) < least:
        return None
    weight = inside.astype(np.float32)
    light = np.ascontiguousarray(lab[..., 0])
    middle = float(np.median(light[inside]))
    chroma = float(lab[inside, 1:].std(axis=0).mean()) + 8.0 * mixed
    fine = _masked_blur(light, weight, 0.012 * unit)
    medium = _masked_blur(light, weight, 0.05 * unit)
    broad = _masked_blur(light, weight, 0.16 * unit)
    spread = float(np.abs(fine - medium)[inside].mean())
    # Believed: all of a plain garment, nothing of a loud one.
    plain = float(np.clip(1.5 - chroma / 7.0, 0, 1) * np.clip(1.5 - spread / 3.0, 0, 1))
    gain = middle / (middle + 12.0)
    told = (0.35 + 0.65 * plain) * float(np.clip(1.2 - 1.5 * mixed, 0.2, 1))
    slow = (broad - middle) / max(middle, 1.0) * gain * told
    # On dark cloth glints and sequins outshine the folds.
    folds = (fine - broad) / max(middle, 1.0) * gain * plain * np.clip((middle - 8) / 25, 0, 1)
    # Folds fade out towards the old garment's edge: a seam or a tucked hem is no fold of the new.
    depth = cv2.distanceTransform(old.astype(np.uint8), cv2.DIST_L2, 3)
    folds *= np.clip(depth / (0.12 * unit), 0, 1)
    # Beyond the old garment nothing is known of the light.
    away = cv2.distanceTransform((~old).astype(np.uint8), cv2.DIST_L2, 3)
    slow *= np.exp(-away / (0.25 * unit))
    factor = 1.0 + np.clip(slow, -0.3, 0.2) + np.clip(folds * 0.9, -0.25, 0.16)
    return Light(factor.astype(np.float32), 0.35 + 0.65 * plain, plain)


def _main_dye(lab: Floats, inside: Flags) -> tuple[Flags, float]:
    """Where the cloth has its most common colour, and the share of all others.

    A print or a dark sleeve says nothing of the light; clusters that differ by light alone (near
    in chroma, little in L) are one dye.
    """
    scaled = lab * np.array([0.8, 1.6, 1.6], np.float32)
    samples = scaled[inside]
    samples = np.ascontiguousarray(samples[:: max(1, len(samples) // 3000)])
    cv2.setRNGSeed(5)
    criteria = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 10, 0.5)
    start = np.zeros((len(samples), 1), np.int32)
    _, labels, centres = cv2.kmeans(samples, 4, start, criteria, 1, cv2.KMEANS_PP_CENTERS)
    counts = np.bincount(labels[:, 0], minlength=4)
    dye = np.arange(4)
    for a in range(4):
        for b in range(a):
            step = centres[a] - centres[b]
            if np.hypot(step[1], step[2]) < 11 and abs(step[0]) < 13:
                dye[dye == dye[a]] = dye[b]
    share = np.array([counts[dye == d].sum() for d in range(4)], np.float32)
    nearest = np.stack([((scaled - c) ** 2).sum(axis=2) for c in centres]).argmin(axis=0)
    main = inside & (dye[nearest] == int(np.argmax(share)))
    return main, 1.0 - float(share.max() / max(share.sum(), 1.0))


def _masked_blur(values: Floats, weight: Floats, sigma: float) -> Floats:
    """Gaussian mean over the pixels that count; continued smoothly where none is near."""
    sigma = max(sigma, 0.6)
    shrink = max(1, int(sigma / 3))
    size = (max(1, values.shape[1] // shrink), max(1, values.shape[0] // shrink))
    v = resized(values * weight, size, cv2.INTER_AREA)
    w = resized(weight, size, cv2.INTER_AREA)
    mean = float((values * weight).sum() / max(float(weight.sum()), 1e-6))
    v = np.asarray(cv2.GaussianBlur(v, (0, 0), sigma / shrink), np.float32)
    w = np.asarray(cv2.GaussianBlur(w, (0, 0), sigma / shrink), np.float32)
    small = (v + 1e-3 * mean) / (w + 1e-3)
    full = (values.shape[1], values.shape[0])
    return resized(small, full, cv2.INTER_LINEAR)
