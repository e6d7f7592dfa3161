"""Where cloth ends on this person: sleeves, the upper garment's hem, skirts and trouser legs."""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from mycloset.tryon.embedded.body import SIDES
from mycloset.tryon.embedded.parsing_frame import ARM, LEG, LOWER, NECK, UPPER, Floats, Frame
from mycloset.tryon.embedded.zones import LimbZone, Zones

Labels = NDArray[np.int64]

STEP = 0.05
"""Places along a limb are told apart this finely."""
CHANCE = 2.0
"""How much better a cut must explain a limb than cloth down to its end."""
ROOT = 0.22
"""Cloth that ends nearer to the shoulder is no sleeve."""
ASIDES = np.arange(-0.725, 0.75, 0.05, dtype=np.float32)
"""Middles of the columns in which the waist is sought, in shoulder breadths from the axis."""
WIDTH = 0.05
LOW, HIGH, ROW = 0.30, 1.65, 0.025
"""Heights between which the waist is sought (0 shoulders, 1 hips), and how finely."""
ROWS = round((HIGH - LOW) / ROW)
USUAL_WAIST, WAIST_SPREAD = 0.97, 0.20
FULL = 25
"""A column with more than one in so many of the pixels counts in full."""
MIDRIFF = 6.0
"""What it is worth to draw the waist through bare skin."""
BEND = 3.0
"""What one row of difference between neighbouring columns costs: hems are smooth."""


@dataclass(frozen=True)
class End:
    """Where cloth gives way to skin along a limb.

    Attributes:
        place: 0 at the limb's root, 1 at its middle joint, 2 at its end.
        sure: 0..1, how clearly the colours on the two sides differ.
    """

    place: float
    sure: float


@dataclass(frozen=True)
class Borders:
    """Ends of the garments.

    Attributes:
        sleeves: by side.
        hems: of trousers, skirt or dress, along the leg, by side.
        waist: height (0 shoulders, 1 hips) of the border between upper and lower garment at each
            of ASIDES; None while unknown.
    """

    sleeves: dict[str, End] = field(default_factory=lambda: dict.fromkeys(SIDES, End(0.0, 0.0)))
    hems: dict[str, End] = field(default_factory=lambda: dict.fromkeys(SIDES, End(2.0, 0.0)))
    waist: Floats | None = None

    def below_waist(self, zones: Zones) -> Floats:
        """(N,) how far each pixel lies below the border (heights; negative above)."""
        if self.waist is None:
            return np.asarray(zones.height - np.float32(1.0), np.float32)
        border = np.interp(zones.aside, ASIDES, self.waist).astype(np.float32)
        return np.asarray(zones.height - border, np.float32)


def find_borders(frame: Frame, zones: Zones, colours: Floats, labels: Labels) -> Borders:
    """The borders that explain the colours best.

    Args:
        colours: (8, N) costs of the colours in each class.
        labels: (N,) the last answer.
    """
    unit = frame.body.unit
    sleeves, hems = {}, {}
    for side in SIDES:
        arm, leg = zones.arms[side], zones.legs[side]
        near = frame.inside & (arm.distance < 0.10 * unit) & (arm.place > 0.12)
        sleeves[side] = _end(arm, near, colours[UPPER], colours[ARM], End(1.0, 0.0))
        near = frame.inside & (leg.distance < 0.12 * unit) & (leg.place > 0.25)
        near &= labels != ARM
        hems[side] = _end(leg, near, colours[LOWER], colours[LEG], End(2.0, 0.0))
    return Borders(sleeves, hems, _waist(frame, zones, colours, labels))


def _end(limb: LimbZone, near: NDArray[np.bool_], cloth: Floats, skin: Floats, unknown: End) -> End:
    """The cut along a limb that explains most pixels: cloth up to it, skin beyond."""
    where = near & (limb.place < 2.0)
    if not limb.seen or where.sum() < 20:
        return unknown
    gain = np.clip(skin[where] - np.minimum(cloth[where], 12.0), -6, 6)
    bins = np.clip((limb.place[where] / STEP).astype(np.int64), 0, 39)
    count = np.maximum(np.bincount(bins, minlength=40), 1)
    step = np.bincount(bins, gain, minlength=40) / count
    score = np.concatenate([[0.0], np.cumsum(step)])
    # score[i]: cloth up to i, skin beyond; a strip of skin must be worth more than a chance fit
    score[-1] += CHANCE
    best = int(np.argmax(score + 1e-3 * np.arange(41)))
    if STEP * best < ROOT:
        best = 0
    seen = np.bincount(bins, minlength=40) > 0
    parts = [part for part in (step[:best][seen[:best]], -step[best:][seen[best:]]) if len(part)]
    least = min(float(part.mean()) for part in parts)
    return End(STEP * best, float(np.clip(least / 4.0, 0, 1)))


def _waist(frame: Frame, zones: Zones, colours: Floats, labels: Labels) -> Floats | None:
    """(columns,) the smooth line along which upper gives way to lower garment."""
    z = zones
    worn = (labels == UPPER) | (labels == LOWER)
    cloth = frame.inside & worn
    cloth &= (z.height > LOW) & (z.height < HIGH) & (np.abs(z.aside) < ASIDES[-1] + WIDTH / 2)
    for arm in z.arms.values():
        if arm.seen:
            cloth &= ~((arm.distance < 0.13 * frame.body.unit) & (arm.place > 0.8))
    if cloth.sum() < 50:
        return None
    if not frame.body.hips_seen and (labels == LOWER).sum() < 0.1 * frame.body.unit**2:
        return np.full(len(ASIDES), HIGH, np.float32)
    cell = _cells(zones, cloth)
    cells = len(ASIDES) * ROWS
    number = np.bincount(cell, minlength=cells)
    gain = np.clip(colours[LOWER][cloth] - colours[UPPER][cloth], -5, 5)
    gain *= _difference(gain, labels[cloth])
    total = np.bincount(cell, gain, minlength=cells) / np.maximum(number, 4)
    rims = np.where(frame.eroded(worn, 0.08), _rims(frame), 0)
    edge = np.bincount(cell, rims[cloth], minlength=cells) / np.maximum(number, 4)
    shape = (len(ASIDES), ROWS)
    score = np.zeros((shape[0], ROWS + 1))
    np.cumsum(total.reshape(shape), axis=1, out=score[:, 1:])
    score *= 2.0
    score[:, 1:] += np.minimum(edge.reshape(shape), 3.0)
    score[:, 1:] += MIDRIFF * _bare_cells(frame, zones, labels, shape)
    height = LOW + ROW * np.arange(ROWS + 1)
    # Columns beside the body follow the others: they know nothing of it.
    full = np.minimum(number.reshape(shape).sum(axis=1) / max(number.sum() / FULL, 1), 1)
    score -= full[:, None] * ((height - USUAL_WAIST) / WAIST_SPREAD) ** 2
    return (LOW + ROW * _smooth_path(score)).astype(np.float32)


def _cells(zones: Zones, where: NDArray[np.bool_]) -> NDArray[np.int64]:
    """The waist map's cell of each of these pixels."""
    column = ((zones.aside[where] - ASIDES[0]) / WIDTH + 0.5).astype(np.int64)
    row = ((zones.height[where] - LOW) / ROW).astype(np.int64)
    cells: NDArray[np.int64] = np.clip(column, 0, len(ASIDES) - 1) * ROWS
    return np.asarray(cells + np.clip(row, 0, ROWS - 1), np.int64)


def _bare_cells(
    frame: Frame, zones: Zones, labels: Labels, shape: tuple[int, int]
) -> NDArray[np.float64]:
    """(columns, rows) share of each cell that is the midriff's skin."""
    torso = frame.inside & (zones.height > 0.45) & (zones.height < 1.1)
    torso &= np.abs(zones.aside) < 0.45
    cell = _cells(zones, torso)
    number = np.bincount(cell, minlength=shape[0] * shape[1])
    bare = np.bincount(cell, labels[torso] == NECK, minlength=shape[0] * shape[1])
    return (bare / np.maximum(number, 1)).reshape(shape)


def _difference(gain: Floats, labels: Labels) -> np.float32:
    """0..1: how well colours tell the garments apart; white on white they only make noise."""
    upper, lower = gain[labels == UPPER], -gain[labels == LOWER]
    if not len(upper) or not len(lower):
        return np.float32(1)
    worse = min(float(upper.mean()), float(lower.mean()))
    return np.float32(np.clip(worse / 3.0, 0.05, 1))


def _rims(frame: Frame) -> Floats:
    """(N,) how strongly the lightness changes from above to below, 1 where as usual."""
    light = cv2.cvtColor(frame.guide, cv2.COLOR_RGB2GRAY).astype(np.float32)
    change = np.abs(cv2.Sobel(light, cv2.CV_32F, 0, 1, ksize=3))
    found = cv2.blur(change, (5, 1))[frame.where]
    return np.asarray(found / max(float(found.mean()), 1e-3), np.float32)


def _smooth_path(score: NDArray[np.float64]) -> NDArray[np.int64]:
    """The row in each column for which the scores, less the bends, are highest in all."""
    columns, rows = score.shape
    gap = np.abs(np.arange(rows)[:, None] - np.arange(rows)[None, :])
    bend = BEND * gap + 5 * BEND * np.maximum(gap - 2, 0)
    best = score.copy()
    came = np.zeros((columns, rows), np.int64)
    for column in range(1, columns):
        options = best[column - 1][None, :] - bend
        came[column] = options.argmax(axis=1)
        best[column] += options.max(axis=1)
    path = np.zeros(columns, np.int64)
    path[-1] = int(best[-1].argmax())
    for column in range(columns - 1, 0, -1):
        path[column - 1] = came[column, path[column]]
    return path
