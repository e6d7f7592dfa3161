"""Pieces of a class where a body cannot have them (prints, jewellery, lights) join what is near."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from mycloset.filters import nearest_value
from mycloset.tryon.embedded.body import capsule
from mycloset.tryon.embedded.parsing_frame import (
    ARM,
    CLASSES,
    FACE,
    HAIR,
    LEG,
    LOWER,
    NECK,
    SHOE,
    UPPER,
    Flags,
    Frame,
)
from mycloset.tryon.embedded.zones import LimbZone, Zones

Labels = NDArray[np.int64]

SPECK = 0.005
"""Pieces smaller than this (in squared shoulder breadths) are never believed."""
LEAST = {FACE: 0.02, UPPER: 0.015, LOWER: 0.02, LEG: 0.03}
"""What a separate piece of these classes must measure."""
BROAD = 0.05
"""Hair that falls over the shoulders is at least so many shoulder breadths wide."""
NOTHING = 255


class Cleaner:
    """Knows where each class begins on this body: pieces that do not reach there are not of it."""

    def __init__(self, frame: Frame, zones: Zones) -> None:
        unit, body = frame.body.unit, frame.body
        throat, place = capsule(frame.xs, frame.ys, body.chin, body.neck)
        below_chin = (frame.xs - body.chin[0]) * body.down[0]
        below_chin += (frame.ys - body.chin[1]) * body.down[1]
        self._frame = frame
        side = max(3, round(BROAD * unit)) | 1
        self._brush = np.ones((side, side), np.uint8)
        self._shoulders = frame.mark(_along(zones.arms, 0.3 * unit, before=0.7)) > 0
        self._below_chin = frame.mark(below_chin > 0.05 * unit)
        aside = (frame.xs - body.chin[0]) * body.across[0]
        aside += (frame.ys - body.chin[1]) * body.across[1]
        beside = (below_chin > -0.12 * unit) & (below_chin < 0) & (np.abs(aside) < 0.5 * unit)
        self._jaws = [
            (frame.mark(beside & flank) > 0, frame.mark((below_chin > 0) & flank) > 0)
            for flank in (aside > 0, aside <= 0)
        ]
        self._anchors: dict[int, Flags] = {
            HAIR: (zones.head < 1.7) & (below_chin < -0.25 * unit),
            NECK: (throat < 0.12 * unit) & (place < 1.1),
            ARM: _along(zones.arms, 0.07 * unit),
            LEG: _along(zones.legs, 0.12 * unit),
            SHOE: _along(zones.legs, 0.15 * unit, beyond=1.8),
        }
        if body.face is None:
            del self._anchors[HAIR]

    def clean(self, labels: Labels) -> Labels:
        """(N,) labels without impossible pieces."""
        frame = self._frame
        picture = np.full(frame.where.shape, NOTHING, np.uint8)
        picture[frame.where] = labels
        wrong = np.zeros(picture.shape, bool)
        for number in range(len(CLASSES)):
            wrong |= self._wrong(picture, number)
        if not wrong.any():
            return labels
        picture[wrong] = NOTHING
        known = picture != NOTHING
        if not known.any():
            return labels
        return np.asarray(nearest_value(picture, known, frame.where), np.int64)

    def _wrong(self, picture: NDArray[np.uint8], number: int) -> Flags:
        """(h, w) bool: the pieces of a class that are too small or begin nowhere."""
        here = (picture == number).astype(np.uint8)
        if not here.any():
            return np.zeros(here.shape, bool)
        cut = self._cut_throat(here) if number == HAIR else here
        count, pieces, stats, _ = cv2.connectedComponentsWithStats(cut, connectivity=4)
        sizes = stats[:, cv2.CC_STAT_AREA].astype(np.float64)
        sizes[0] = np.inf
        bad = sizes < LEAST.get(number, SPECK) * self._frame.body.unit**2
        if number in self._anchors:
            anchor = self._frame.mark(self._anchors[number])
            if number == NECK:
                # Shoulders and midriff are bare skin too, but a print within cloth is not.
                beside = np.isin(picture, (FACE, LOWER)).astype(np.uint8)
                beside[(picture == ARM) & self._shoulders] = 1
                anchor = np.maximum(anchor, cv2.dilate(beside, np.ones((3, 3), np.uint8)))
            held = np.bincount(pieces[anchor > 0], minlength=count) > 0
            held[0] = True
            bad |= ~held
        elif count > 1:
            bad[1 + int(sizes[1:].argmax())] = False
        wrong: Flags = bad[pieces]
        if cut is not here:
            # What the opening took from the rims belongs to the piece that it was taken from.
            kept = cv2.dilate((cut & ~wrong).astype(np.uint8), self._brush)
            wrong = (here > 0) & (kept == 0)
        return wrong

    def _cut_throat(self, hair: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Hair, below the chin only where it is broad and has come down beside the jaw."""
        opened = cv2.morphologyEx(hair, cv2.MORPH_OPEN, self._brush)
        cut = np.where(self._below_chin > 0, opened, hair).astype(np.uint8)
        for jaw, side in self._jaws:
            if hair[jaw].sum() < SPECK * self._frame.body.unit**2:
                cut[side] = 0
        return cut


def _along(
    limbs: dict[str, LimbZone], reach: float, *, beyond: float = -1.0, before: float = 4.0
) -> Flags:
    """(N,) bool: close to the axis of a limb that is seen."""
    near = [
        z.seen & (z.distance < reach) & (z.place > beyond) & (z.place < before)
        for z in limbs.values()
    ]
    return np.asarray(np.any(near, axis=0), bool)
