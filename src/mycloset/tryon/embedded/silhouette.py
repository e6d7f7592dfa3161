"""The body's outline below the clothes: what is seen of it, held within human proportions."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mycloset.tryon.embedded.body import SIDES, Body, capsule
from mycloset.tryon.embedded.contours import Points

Flags = NDArray[np.bool_]

# Half-widths of an adult torso without arms, in shoulder-joint breadths, by height in the same
# unit below the shoulder joints' line (proportions after ANSUR II medians, rounded).
TORSO_HEIGHT = (-0.15, 0.15, 0.35, 0.70, 0.95, 1.20, 1.45, 1.75)
TORSO_HALF = (0.50, 0.48, 0.46, 0.44, 0.42, 0.46, 0.51, 0.51)
ARM_PLACE = (0.0, 0.15, 0.35, 0.53, 0.65, 1.0, 1.08)
ARM_HALF = (0.155, 0.15, 0.135, 0.115, 0.115, 0.080, 0.090)
LEG_PLACE = (0.0, 0.12, 0.30, 0.52, 0.66, 1.0)
LEG_HALF = (0.25, 0.235, 0.20, 0.150, 0.150, 0.100)


class Silhouette:
    """Measures a person's outline in the frame of the torso.

    Args:
        body: joints and axes.
        mask: (H, W) bool, the person.
        torso: (H, W) bool, clothes and skin of the trunk, sleeves and lower garment included.
        arms: (H, W) bool, bare skin of arms and hands.
        lower: (H, W) bool, the lower garment alone: it lies closer to the body than a top may.
    """

    def __init__(self, body: Body, mask: Flags, torso: Flags, arms: Flags, lower: Flags) -> None:
        self.body = body
        self._mask = mask
        self._halves = {side: self._measure(torso, lower, side) for side in SIDES}
        self.waist = self._find_waist(lower)
        self._slopes = {side: self._measure_slope(side, torso | arms) for side in SIDES}
        self._flesh = torso | arms
        self._arms = {side: self._measure_arm(side) for side in SIDES}

    def frame(self, down: float, aside: float) -> Points:
        """Picture point `down` pixels below the shoulder line and `aside` pixels to the left."""
        body = self.body
        span = max(float((body.hips - body.neck) @ body.down), 0.5 * body.unit)
        share = float(np.clip(down / span, 0.0, 1.0))
        hip_line = body.joint("left_hip") - body.joint("right_hip")
        across = body.across
        if body.hips_seen and float(np.linalg.norm(hip_line)) > 0.25 * body.unit:
            hip_across = hip_line / np.linalg.norm(hip_line)
            mixed = (1 - share) * body.across + share * hip_across
            across = np.asarray(mixed / max(float(np.linalg.norm(mixed)), 1e-6), np.float32)
        place: Points = body.neck + body.down * down + across * aside
        return place.astype(np.float32)

    def half_width(self, down: float, side: str) -> float:
        """From the torso's axis to its edge on one side, arms not counted, in pixels.

        `down` is the distance below the shoulder line in pixels.
        """
        at = down / self.body.unit
        return float(np.interp(at, TORSO_HEIGHT, self._halves[side])) * self.body.unit

    def shoulder_rise(self, aside: float, side: str) -> float:
        """Height of the shoulder's slope above the joints' line, both in shoulder breadths."""
        return float(np.interp(aside, SLOPE_AT, self._slopes[side]))

    def deltoid(self, side: str) -> Points:
        """The shoulder's outer corner: where the way out and up from its joint leaves the body."""
        body = self.body
        sign = 1.0 if side == "left" else -1.0
        out = body.across * np.float32(sign) - body.down
        out = out / max(float(np.linalg.norm(out)), 1e-6)
        joint = body.joint(f"{side}_shoulder")
        usual, step = 0.135, 1.0 / body.unit
        reach = np.arange(0.03, 0.30, step)
        found = usual
        xs = np.round(joint[0] + out[0] * reach * body.unit).astype(int)
        ys = np.round(joint[1] + out[1] * reach * body.unit).astype(int)
        height, width = self._mask.shape
        ok = (xs >= 0) & (xs < width) & (ys >= 0) & (ys < height)
        if ok.all():
            gap = np.flatnonzero(~self._mask[ys, xs])
            if len(gap):
                found = float(np.clip(reach[gap[0]], 0.10, 0.21))
        corner: Points = (joint + out * np.float32(found * body.unit)).astype(np.float32)
        return corner

    def arm_limit(self, down: float, side: str) -> float:
        """Distance from the torso's axis to the arm that hangs beside it, in pixels."""
        if self.body.sure(f"{side}_elbow") < 0.3:
            return float(np.inf)
        arm = self.body.arm(side) - self.body.neck
        heights, asides = arm @ self.body.down, np.abs(arm @ self.body.across)
        for a, b in ((0, 1), (1, 2)):
            if heights[a] < down <= heights[b]:
                share = (down - heights[a]) / max(float(heights[b] - heights[a]), 1e-6)
                return float(asides[a] + share * (asides[b] - asides[a]))
        return float(np.inf)

    def arm_width(self, side: str, share: NDArray[np.float64]) -> NDArray[np.float64]:
        """Half-width of an arm, in pixels, at shares of its length (0 shoulder, 1 wrist)."""
        factor = self._arms[side]
        widths: NDArray[np.float64] = (
            np.interp(share, ARM_PLACE, ARM_HALF) * self.body.unit * factor
        )
        return widths

    def leg_width(self, share: NDArray[np.float64]) -> NDArray[np.float64]:
        """Half-width of a bare leg, in pixels, at shares of its length (0 hip, 1 ankle)."""
        widths: NDArray[np.float64] = np.interp(share, LEG_PLACE, LEG_HALF) * self.body.unit
        return widths

    def _measure(self, torso: Flags, lower: Flags, side: str) -> NDArray[np.float64]:
        """Seen half-widths where the sides are free of arms, held within human proportions.

        A loose top hides the body: above the lower garment the body is believed to be no more than
        a little wider, for its proportions, than the lower garment shows it to be.
        """
        usual = np.asarray(TORSO_HALF)
        hips = self._ratios(lower, usual, side)
        ratio = self._ratios(torso, usual, side)
        top = 1.30
        if np.isfinite(hips).any():
            ratio = np.where(np.isfinite(hips), hips, ratio)
            top = float(np.clip(np.nanmin(hips) * 1.06, 1.0, 1.45))
        ratio = np.where(np.isfinite(hips), np.clip(ratio, 0.8, 1.45), np.clip(ratio, 0.8, top))
        known = np.isfinite(ratio)
        if not known.any():
            return usual
        heights = np.asarray(TORSO_HEIGHT)
        filled: NDArray[np.float64] = usual * np.interp(heights, heights[known], ratio[known])
        # Between the shoulder joints the trunk cannot be wider than they allow.
        return np.where(heights < 0.5, np.clip(filled, 0.0, 1.1 * usual), filled)

    def _ratios(self, region: Flags, usual: NDArray[np.float64], side: str) -> NDArray[np.float64]:
        """Seen half-width over the usual one by height; NaN where it is not seen."""
        body = self.body
        seen = np.full(len(usual), np.nan)
        height, width = region.shape
        for number, at in enumerate(TORSO_HEIGHT):
            if at < 0.3:
                continue
            reach = np.arange(0, 1.1 * body.unit, 2.0)
            sign = 1.0 if side == "left" else -1.0
            start = self.frame(at * body.unit, 0.0)
            step = self.frame(at * body.unit, sign) - start
            xs = np.round(start[0] + reach * step[0]).astype(int)
            ys = np.round(start[1] + reach * step[1]).astype(int)
            ok = (xs >= 0) & (xs < width) & (ys >= 0) & (ys < height)
            values = np.zeros(len(xs), bool)
            values[ok] = region[ys[ok], xs[ok]]
            gap = np.flatnonzero(~values)
            if ok.all() and len(gap) and gap[0] > 2:
                end = np.array([xs[gap[0]], ys[gap[0]]], np.float32)
                if not self._arm_at(end):
                    seen[number] = reach[gap[0]] / body.unit / usual[number]
        return seen

    def _find_waist(self, lower: Flags) -> float | None:
        """Distance of the worn lower garment's upper edge below the shoulder line, in pixels."""
        body = self.body
        heights = []
        for aside in np.linspace(-0.2, 0.2, 9):
            start = self.frame(0.5 * body.unit, aside * body.unit)
            reach = np.arange(0.0, 1.4 * body.unit, 2.0)
            xs = np.round(start[0] + reach * body.down[0]).astype(int)
            ys = np.round(start[1] + reach * body.down[1]).astype(int)
            ok = (xs >= 0) & (xs < lower.shape[1]) & (ys >= 0) & (ys < lower.shape[0])
            hit = np.flatnonzero(lower[ys[ok], xs[ok]])
            if len(hit):
                heights.append(0.5 * body.unit + reach[ok][hit[0]])
        return float(np.median(heights)) if len(heights) >= 4 else None

    def _measure_slope(self, side: str, flesh: Flags) -> NDArray[np.float64]:
        """The shoulder's upper edge where it stands against the ground, else the usual slope."""
        body = self.body
        usual = np.asarray(SLOPE)
        sign = 1.0 if side == "left" else -1.0
        height, width = flesh.shape
        excess = []
        for at, rise in zip(SLOPE_AT, usual, strict=True):
            if not 0.28 < at < 0.58:
                continue
            up = np.arange(0.0, 0.55, 1.0 / body.unit)
            start = self.frame(0.08 * body.unit, sign * at * body.unit)
            line = start - body.down * (up[:, None] * body.unit)
            xs, ys = np.round(line[:, 0]).astype(int), np.round(line[:, 1]).astype(int)
            ok = (xs >= 0) & (xs < width) & (ys >= 0) & (ys < height)
            if not ok.all() or not flesh[ys[0], xs[0]]:
                continue
            gap = np.flatnonzero(~flesh[ys, xs])
            # Hair or a face above the edge would make it somebody's outline, not the shoulder's.
            if len(gap) and not self._mask[ys[gap[0]], xs[gap[0]]]:
                excess.append(up[gap[0]] - 0.08 - rise)
        if not excess:
            return usual
        return usual + float(np.clip(np.median(excess), -0.06, 0.10))

    def _arm_at(self, place: Points) -> bool:
        for side in SIDES:
            shoulder, elbow, wrist = self.body.arm(side)
            for start, end in ((shoulder, elbow), (elbow, wrist)):
                x, y = place[:1, None], place[1:, None]
                if capsule(x, y, start, end)[0][0, 0] < 0.2 * self.body.unit:
                    return True
        return False

    def _measure_arm(self, side: str) -> float:
        """Seen arm width against the usual one, from rays that leave the person on the outside."""
        body, mask = self.body, self._mask
        if body.sure(f"{side}_elbow") < 0.5:
            return 1.0
        shoulder, elbow, wrist = body.arm(side)
        factors = []
        sign = 1.0 if side == "left" else -1.0
        for start, end, places in (
            (shoulder, elbow, ((0.6, 0.32), (0.8, 0.42))),
            (elbow, wrist, ((0.3, 0.67), (0.6, 0.81))),
        ):
            axis = (end - start) / max(float(np.linalg.norm(end - start)), 1e-6)
            for local, share in places:
                origin = start + local * (end - start)
                usual = float(np.interp(share, ARM_PLACE, ARM_HALF)) * body.unit
                for normal in ((-axis[1], axis[0]), (axis[1], -axis[0])):
                    if np.dot(normal, body.across) * sign < 0.3:
                        continue
                    steps = np.arange(1, 3.0 * usual, 1.0)
                    xs = np.round(origin[0] + steps * normal[0]).astype(int)
                    ys = np.round(origin[1] + steps * normal[1]).astype(int)
                    ok = (xs >= 0) & (xs < mask.shape[1]) & (ys >= 0) & (ys < mask.shape[0])
                    if not ok.all():
                        continue
                    gap = np.flatnonzero(~mask[ys, xs])
                    if len(gap):
                        factors.append(float(gap[0] + 1) / usual)
        return float(np.clip(np.median(factors), 0.85, 1.6)) if factors else 1.0


SLOPE_AT = (0.12, 0.20, 0.30, 0.38, 0.45, 0.52, 0.60, 0.70)
SLOPE = (0.34, 0.27, 0.21, 0.18, 0.15, 0.12, 0.07, 0.0)
"""Rise of the trapezius' slope over the shoulder joints' line, from the neck outward."""
