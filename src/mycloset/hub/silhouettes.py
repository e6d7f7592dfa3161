"""From what the networks say of silhouettes to one mask a person at the picture's resolution."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from mycloset.architectures.blazepose.landmarks import LOGIT_LIMIT, BodyReading
from mycloset.architectures.regions import Region
from mycloset.filters import color_evidence, guided_filter
from mycloset.images import RGB
from mycloset.tasks.masks import Mask

Floats = NDArray[np.float32]

# The figures below were set on photographs of people whose true silhouette was known.
FOCUS = 0.2
"""Margin of the selfie network's look around a body, in lengths of the body's longer side."""
POSE_WEIGHT = 0.5
"""Say of the pose network's logits beside the selfie network's: less sharp, but never astray."""
LIMIT = 4.0
"""Neither network's logits count for more: both are sure of themselves where they are wrong."""
REACH = 0.05
"""How far from the pose network's silhouette the selfie network is followed, in body sizes."""
WORKING_SIDE = 512
"""Longer side of the picture at which colours are compared."""
STRIDE = 4
COLOR_WINDOW = 0.04
COLOR_WEIGHT = 1.0
COLOR_LIMIT = 6.0
SPECK = 0.02
"""Pieces smaller than this share of the largest are not of the body."""
PINHOLE = 0.0005
"""Holes smaller than this share of the body are in it; the ground shows through larger ones."""
EDGE_WINDOW = 0.005
EDGE_GAIN = 1.8
"""Networks blur an edge over several pixels; in a photo it is one or two wide."""


def focus(reading: BodyReading, shape: tuple[int, int]) -> Region:
    """Where the selfie network should look for this person: the body with a margin."""
    height, width = shape
    points = reading.region.to_picture(_cells(reading.logits.shape[0])[reading.logits.ravel() > 0])
    points = points[((points > -0.5) & (points < (width - 0.5, height - 0.5))).all(axis=1)]
    if not len(points):
        return Region.whole(height, width)
    # Stray pixels must not widen the look: the network tells people apart less well from afar.
    low, high = np.percentile(points, 0.5, axis=0), np.percentile(points, 99.5, axis=0)
    margin = FOCUS * float(max(high - low))
    left, top = (float(v) for v in np.maximum(low - margin, -0.5))
    right, bottom = (float(v) for v in np.minimum(high + margin, (width - 0.5, height - 0.5)))
    if right - left < 1 or bottom - top < 1:
        return Region.whole(height, width)
    return Region((left + right) / 2, (top + bottom) / 2, right - left, bottom - top)


def agreement(reading: BodyReading, region: Region, probability: Floats) -> float:
    """0..1: how much of the pose network's silhouette the selfie network calls a person."""
    points = region.to_picture(_cells(probability.shape[0]))
    unit = reading.region.to_unit(points) * reading.logits.shape[0]
    cells = np.floor(unit).astype(int)
    inside = ((cells >= 0) & (cells < reading.logits.shape[0])).all(axis=1)
    body = np.zeros(len(cells), bool)
    body[inside] = reading.logits[cells[inside, 1], cells[inside, 0]] > 0
    return float(probability.ravel()[body].mean()) if body.any() else 0.0


def separate(
    picture: RGB, readings: Sequence[BodyReading], looks: Sequence[tuple[Region, Floats] | None]
) -> list[Mask]:
    """One mask a reading; where silhouettes meet, a pixel goes to the likelier person.

    Args:
        picture: (H, W, 3) uint8.
        readings: people in it.
        looks: for each of them where the selfie network looked, and the probabilities it gave,
            (256, 256) float32 spread over that region; None to go by the reading alone.

    Returns:
        Masks of the picture's size; nowhere do two of them exceed one half together.
    """
    if not readings:
        return []
    shape = (picture.shape[0], picture.shape[1])
    scale = min(1.0, WORKING_SIDE / max(shape))
    small_shape = (max(1, round(shape[0] * scale)), max(1, round(shape[1] * scale)))
    small = picture
    if scale < 1:
        small = np.asarray(
            cv2.resize(picture, small_shape[::-1], interpolation=cv2.INTER_AREA), np.uint8
        )
    colors = small.astype(np.float32) * np.float32(1 / 255)
    factor = (small_shape[1] / shape[1], small_shape[0] / shape[0])
    own = [
        _shrunk(reading.region, factor).paste(reading.logits, small_shape, outside=-LOGIT_LIMIT)
        for reading in readings
    ]
    masks = []
    for index, look in enumerate(looks):
        belief = own[index]
        if look is not None:
            region, probability = look
            seen = _shrunk(region, factor).paste(_logit(probability), small_shape, outside=-LIMIT)
            belief = _join(belief, seen)
        if len(own) > 1:
            rivals = np.max([other for i, other in enumerate(own) if i != index], axis=0)
            belief = np.minimum(belief, 2 * (own[index] - rivals))
        masks.append(_by_color(colors, belief))
    masks = _exclusive(masks)
    return [Mask(_enlarge(picture, mask)) for mask in masks]


def box(mask: Mask) -> Floats | None:
    """(4,) left, top, right, bottom of a mask; None where it is empty."""
    rows = np.flatnonzero(mask.binary.any(axis=1))
    columns = np.flatnonzero(mask.binary.any(axis=0))
    if not rows.size or not columns.size:
        return None
    return np.array([columns[0], rows[0], columns[-1], rows[-1]], dtype=np.float32)


def _cells(side: int) -> Floats:
    """(side * side, 2) unit coordinates of the middles of a square map's cells, row by row."""
    ticks = (np.arange(side, dtype=np.float32) + 0.5) / side
    columns, rows = np.meshgrid(ticks, ticks)
    return np.stack([columns.ravel(), rows.ravel()], axis=1)


def _join(own: Floats, seen: Floats) -> Floats:
    """Logits of both networks together; far from the pose network's body the answer is no."""
    body = (own > 0).astype(np.uint8)
    size = max(1.0, float(body.sum()) ** 0.5)
    away = cv2.distanceTransform(1 - body, cv2.DIST_L2, 3) / (REACH * size)
    return np.asarray(
        np.clip(seen, -LIMIT, LIMIT)
        + np.clip(POSE_WEIGHT * own, -LIMIT, LIMIT)
        - 6 * np.clip(away - 0.5, 0, 2),
        np.float32,
    )


def _by_color(colors: Floats, belief: Floats) -> Floats:
    """(h, w) probabilities after asking of each doubtful pixel whose colours it has."""
    prior = np.clip(belief, -6, 6)
    window = max(3, round(COLOR_WINDOW * max(belief.shape)))
    probability = np.asarray(expit(prior), np.float32)
    for _ in range(2):
        evidence = color_evidence(colors, probability, window, 5e-4, stride=STRIDE)
        evidence = np.clip(COLOR_WEIGHT * evidence, -COLOR_LIMIT, COLOR_LIMIT)
        probability = np.asarray(expit(prior + evidence), np.float32)
    return _tidy(np.clip(guided_filter(colors, probability, 2, 1e-4), 0, 1))


def _tidy(mask: Floats) -> Floats:
    """Without specks beside the body and without pinholes in it."""
    clean = mask.copy()
    for inside in (True, False):
        region = clean >= 0.5 if inside else clean < 0.5
        _, labels, stats, _ = cv2.connectedComponentsWithStats(region.astype(np.uint8))
        areas = stats[1:, cv2.CC_STAT_AREA]
        if not areas.size:
            continue
        least = SPECK * areas.max() if inside else PINHOLE * float((clean >= 0.5).sum())
        small = 1 + np.flatnonzero(areas < least)
        clean[np.isin(labels, small)] = 0 if inside else 1
    return clean


def _exclusive(masks: list[Floats]) -> list[Floats]:
    """Masks of which at every pixel only the highest is left."""
    if len(masks) < 2:
        return masks
    highest = np.max(masks, axis=0)
    return [np.where(mask >= highest, mask, np.float32(0)) for mask in masks]


def _enlarge(picture: RGB, mask: Floats) -> Floats:
    """Bring a mask to the picture's size, its edge onto the picture's edges."""
    height, width = picture.shape[:2]
    coarse = np.asarray(
        cv2.resize(mask, (width, height), interpolation=cv2.INTER_LINEAR), np.float32
    )
    window = max(3, round(EDGE_WINDOW * max(height, width)))
    subsample = max(1, min(window, round(max(height, width) / 512)))
    rows, columns = (np.flatnonzero((coarse > 0.02).any(axis=axis)) for axis in (1, 0))
    if not rows.size:
        return coarse
    part = tuple(
        slice(max(0, int(found[0]) - 4 * window), int(found[-1]) + 4 * window + 1)
        for found in (rows, columns)
    )
    fine = guided_filter(picture[part], coarse[part], window, 1e-4, subsample=subsample)
    sharp = (fine - np.float32(0.5)) * np.float32(EDGE_GAIN) + np.float32(0.5)
    result = np.zeros_like(coarse)
    result[part] = np.clip(sharp, 0, 1)
    return result


def _shrunk(region: Region, factor: tuple[float, float]) -> Region:
    """The same region in a picture that was made smaller alike in both directions."""
    fx, fy = factor
    return Region(
        (region.x + 0.5) * fx - 0.5,
        (region.y + 0.5) * fy - 0.5,
        region.width * fx,
        region.height * fy,
        region.rotation,
    )


def _logit(probability: Floats) -> Floats:
    kept = np.clip(probability, 1e-4, 1 - 1e-4)
    return np.asarray(np.log(kept / (1 - kept)), np.float32)
