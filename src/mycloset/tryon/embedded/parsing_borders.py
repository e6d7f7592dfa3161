"""Where cloth ends on this person: at which place of each arm the sleeve, at which height the hem."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from mycloset.tryon.embedded.body import SIDES
from mycloset.tryon.embedded.parsing_frame import ARM, LOWER, UPPER, Floats, Frame
from mycloset.tryon.embedded.zones import Zones


@dataclass(frozen=True)
class Borders:
    """Ends of the garments.

    Attributes:
        sleeves: by side, the place along the arm (0 shoulder, 1 elbow, 2 wrist).
        waist: height (0 shoulders, 1 hips) of the border between upper and lower garment.
    """

    sleeves: dict[str, float] = field(default_factory=lambda: dict.fromkeys(SIDES, 0.0))
    waist: float | None = None


def find_borders(frame: Frame, zones: Zones, colours: Floats) -> Borders:
    """The borders that explain the colours best.

    Args:
        colours: (8, N) costs of the colours in each class.
    """
    sleeves = {side: _sleeve(frame, zones, colours, side) for side in SIDES}
    return Borders(sleeves, _waist(frame, zones, colours))


def _sleeve(frame: Frame, zones: Zones, colours: Floats, side: str) -> float:
    """Where along an arm cloth gives way to skin: the cut that explains most pixels."""
    zone = zones.arms[side]
    where = frame.inside & (zone.distance < 0.10 * frame.body.unit)
    where &= (zone.place < 2.0) & (zone.place > 0.12)
    if not zone.seen or where.sum() < 20:
        return 1.0
    gain = np.clip(colours[ARM][where] - np.minimum(colours[UPPER][where], 12.0), -6, 6)
    score = _scores(gain, zone.place[where] / 0.05)
    # score[i]: cloth up to i, skin beyond; ties go to the longer sleeve
    return 0.05 * int(np.argmax(score + 1e-3 * np.arange(41)))


def _waist(frame: Frame, zones: Zones, colours: Floats) -> float:
    """Height of the border between upper and lower garment, along the torso's middle."""
    z = zones
    middle = frame.inside & (np.abs(z.aside) < 0.3) & (z.height > 0.35) & (z.height < 1.55)
    for arm in z.arms.values():
        if arm.seen:
            middle &= ~((arm.distance < 0.13 * frame.body.unit) & (arm.place > 1.0))
    if middle.sum() < 50:
        return 0.95
    gain = np.clip(colours[LOWER][middle] - colours[UPPER][middle], -5, 5)
    score = _scores(gain, (z.height[middle] - 0.35) / 0.03)
    prior = 0.5 * ((0.35 + 0.03 * np.arange(41) - 0.95) / 0.35) ** 2
    return 0.35 + 0.03 * int(np.argmax(score - prior))


def _scores(gain: Floats, bins: Floats) -> Floats:
    """(41,) how much all pixels gain when the border lies before each of 40 bins."""
    index = np.clip(bins.astype(np.int64), 0, 39)
    count = np.maximum(np.bincount(index, minlength=40), 1)
    step = np.bincount(index, gain, minlength=40) / count
    return np.concatenate([[0.0], np.cumsum(step)]).astype(np.float32)
