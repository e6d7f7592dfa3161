"""How unlikely each class is at each place, by the pose and by where the garments end."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from mycloset.tryon.embedded.body import SIDES, capsule
from mycloset.tryon.embedded.parsing_borders import Borders, End
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
    Floats,
    Frame,
)
from mycloset.tryon.embedded.zones import LimbZone, Zones

FORBIDDEN = 30.0
RIM = 4.0
FAR = 16.0
"""Cost of a garment far on the wrong side of the waist: more than any colour can outweigh."""


class Places:
    """Costs of places; what does not depend on the garments' ends is computed once."""

    def __init__(self, frame: Frame, zones: Zones) -> None:
        self._frame = frame
        self._zones = zones
        unit = frame.body.unit
        self._arms = {side: self._arm(side) for side in SIDES}
        self._arm_in = np.minimum(*self._arms.values())
        left, right = (self._arms[side] for side in SIDES)
        nearer = zones.arms["left"].distance < zones.arms["right"].distance
        self._left_arm = (left < right) | ((left == right) & nearer)
        self._leg_in = self._leg()
        self._left_leg = zones.legs["left"].distance < zones.legs["right"].distance
        self._on_leg = (self._leg_in < 0.8) & (self._leg_place() < 2)
        self._on_foot = 1.5 * ((self._leg_in < 0.8) & (self._leg_place() > 2.5))
        self._above = np.maximum(0, -zones.height - 0.16) * 40
        fixed = np.zeros((len(CLASSES), len(frame.xs)), np.float32)
        away = cv2.distanceTransform(1 - frame.mark(zones.face), cv2.DIST_L2, 3)[frame.where]
        # Without a face the distance is endless.
        away = np.minimum(60.0 / unit * np.minimum(away, unit), FORBIDDEN)
        fixed[FACE] = np.where(zones.face, -3.0, 3.0 + away)
        fixed[HAIR] = self._hair()
        fixed[NECK] = self._neck()
        fixed[ARM] = self._arm_in
        fixed[LEG] = self._leg_in + np.clip((1.12 - zones.height) * 14, 0, 14)
        fixed[SHOE] = self._shoe()
        hands = self._hands()
        fixed[ARM] -= 3.0 * hands
        fixed[UPPER] = 6.0 * zones.face + 3.0 * hands
        fixed[LOWER] = 12.0 * zones.face
        self._fixed = fixed

    def costs(self, borders: Borders) -> Floats:
        """(8, N)."""
        z = self._zones
        costs = self._fixed.copy()
        below = self._below(borders)
        upper = np.clip(below, -1.0, FAR) + self._above
        # A cloth that lies over an arm is a sleeve, however low the arm hangs.
        bare = self._bare(z.arms, borders.sleeves, self._left_arm)
        sleeve = np.minimum(self._arm_in, 4.0) + 1.0 + 2 * np.maximum(bare, 0)
        costs[UPPER] += np.where(self._arm_in < 0.8, np.minimum(upper, sleeve), upper)
        costs[LOWER] += np.clip(-below, -1.0, FAR) + self._above
        covered = (self._arm_in < 0.5) & (bare < 0) & (borders.waist is not None)
        costs[LOWER] += np.where(covered, -bare, 0)
        costs[ARM] -= bare
        bare = self._bare(z.legs, borders.hems, self._left_leg)
        costs[LEG] -= bare
        costs[LOWER] += np.where(self._on_leg, np.maximum(bare, 0), self._on_foot)
        return costs

    def _below(self, borders: Borders) -> Floats:
        """(N,) what speaks for the lower garment, negative for the upper one."""
        below = borders.below_waist(self._zones)
        if borders.waist is None:
            return below * np.float32(6.0)
        # Colours may bend the border a little; far from it they have no say.
        beyond = np.sign(below) * np.maximum(np.abs(below) - np.float32(0.12), 0)
        return np.asarray(below * 23.4 + beyond * 45.0, np.float32)

    def _bare(self, limbs: dict[str, LimbZone], ends: dict[str, End], left: Flags) -> Floats:
        """(N,) what speaks for skin: positive beyond the cloth's end, negative before it."""
        amounts = []
        for side in SIDES:
            end = ends[side]
            most = np.float32(1.5 + 2.0 * end.sure)
            amounts.append(np.where(limbs[side].place >= end.place, most, -most))
        return np.asarray(np.where(left, *amounts), np.float32)

    def left(self, labels: NDArray[np.int64]) -> Flags:
        """(N,) bool: on the left limb, where a pixel is of a limb."""
        split = self._zones.aside > 0
        arms, legs = (
            self._nearer(limbs, left, split)
            for limbs, left in (
                (self._zones.arms, self._left_arm), (self._zones.legs, self._left_leg),
            )
        )  # fmt: skip
        return np.where(labels == ARM, arms, legs)

    def _nearer(self, limbs: dict[str, LimbZone], left: Flags, split: Flags) -> Flags:
        return left if all(limb.seen for limb in limbs.values()) else split

    def _arm(self, side: str) -> Floats:
        zone = self._zones.arms[side]
        if not zone.seen:
            return np.full(len(self._frame.xs), FORBIDDEN, np.float32)
        share = zone.distance / self._arm_width(zone)
        cost = np.clip((share - 1.0) * 14.0, 0, FORBIDDEN)
        # The widths leave room for poses that are a little off; an arm is mostly slimmer.
        cost += np.clip((share - 0.6) * RIM, 0, 0.4 * RIM)
        return np.asarray(cost + np.where(zone.place < 0.02, 3.0, 0.0), np.float32)

    def _arm_width(self, zone: LimbZone) -> Floats:
        """Greatest half-width of an arm, hand included, at each pixel's place along it."""
        widths = np.interp(zone.place, [0, 0.5, 1, 2, 2.2, 3], [0.22, 0.2, 0.16, 0.12, 0.18, 0.18])
        limits: Floats = (widths * self._frame.body.unit).astype(np.float32)
        return limits

    def _hands(self) -> Flags:
        hands = np.zeros(len(self._frame.xs), bool)
        for side in SIDES:
            zone = self._zones.arms[side]
            if zone.seen and self._frame.body.sure(f"{side}_wrist") > 0.5:
                hands |= (zone.place > 2.1) & (zone.distance < 0.12 * self._frame.body.unit)
        return hands

    def _leg(self) -> Floats:
        body = self._frame.body
        inside = np.full(len(self._frame.xs), FORBIDDEN, np.float32)
        for zone in self._zones.legs.values():
            if zone.seen:
                cost = np.clip((zone.distance / (0.3 * body.unit) - 1.0) * 10.0, 0, FORBIDDEN)
                inside = np.minimum(inside, cost)
        return inside if body.hips_seen else inside + 8.0

    def _leg_place(self) -> Floats:
        legs = self._zones.legs
        return np.where(self._left_leg, legs["left"].place, legs["right"].place)

    def _hair(self) -> Floats:
        z, body = self._zones, self._frame.body
        if body.face is None and not z.face.any():
            # No face: whatever hangs beside the neck may still be hair, but only above the chest.
            return np.where(z.height < 0.1, 3.0, FORBIDDEN).astype(np.float32)
        fall = np.clip((z.head - 1.75) * 5.0, 0, None)
        # Long hair falls beside the neck onto shoulders and chest, close to the middle.
        long = 1.2 + np.clip((z.height - 0.35) * 14.0, 0, None)
        long += np.clip((np.abs(z.aside) - 0.52) * 30.0, 0, None)
        cost = np.minimum(fall, long) + np.where(z.face, 2.2, 0.0)
        # The throat lies below the chin, where shade makes skin as dark as hair.
        throat, place = capsule(self._frame.xs, self._frame.ys, body.chin, body.neck)
        cost += np.where((throat < 0.13 * body.unit) & (place > 0), 4.0, 0.0)
        found: Floats = np.minimum(cost, FORBIDDEN).astype(np.float32)
        return found

    def _neck(self) -> Floats:
        z, body = self._zones, self._frame.body
        top = body.chin - body.down * (0.12 * body.unit)
        chest = body.neck + body.down * (0.30 * body.unit)
        distance, place = capsule(self._frame.xs, self._frame.ys, top, chest)
        limit = np.interp(place, [0, 0.4, 0.75, 1], [0.25, 0.27, 0.50, 0.34]) * body.unit
        cost = np.clip((distance / limit - 1.0) * 10.0, 0, FORBIDDEN)
        cost += np.where(z.face, 2.5, 0.0) + np.clip((z.height - 0.55) * 8, 0, 4)
        # Bare skin of shoulders (a tank top) and of the midriff is possible, but must be earned.
        torso = (np.abs(z.aside) < 0.6) & (z.height > -0.12) & (z.height < 1.05)
        bare = 2.6 + np.clip((np.abs(z.aside) - 0.42) * 20, 0, None)
        found: Floats = np.where(torso, np.minimum(cost, bare), cost).astype(np.float32)
        return found

    def _shoe(self) -> Floats:
        body = self._frame.body
        cost = np.full(len(self._frame.xs), FORBIDDEN, np.float32)
        for side, zone in self._zones.legs.items():
            if zone.seen and body.sure(f"{side}_ankle") > 0.4:
                rows = self._frame.ys - body.joint(f"{side}_ankle")[1]
                here = np.clip(rows * (-30.0 / body.unit), -1.0, FORBIDDEN)
                near = np.clip((zone.distance / (0.3 * body.unit) - 1) * 10, 0, FORBIDDEN)
                cost = np.minimum(cost, (here + near).astype(np.float32))
        return cost
