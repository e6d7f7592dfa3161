"""Where each part of a garment lies on a body: corresponding points for torso, sleeves and legs.

A flat garment is half of its own girth wide; worn, it goes around. So along every row the flat
coordinate is an angle around the body: at the middle the cloth keeps its own scale, towards the
sides it turns away and foreshortens. The lengths keep the garment's proportions.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mycloset.tasks.garments import Category, GarmentShape, SleeveLength
from mycloset.tryon.embedded.body import SIDES, Body
from mycloset.tryon.embedded.contours import Points, edge, evenly, outline
from mycloset.tryon.embedded.limbs import arm_frame
from mycloset.tryon.embedded.silhouette import Silhouette
from mycloset.tryon.state import PartMatch

Flags = NDArray[np.bool_]
Line = NDArray[np.floating]

# Shares of the breadth between the shoulder joints (about 0.37 m in an adult); anthropometric
# proportions after ANSUR II medians, rounded.
# Length over width between the armpits -> length, collar to hem (on the body the hips lie at
# 1.7, the knees at 2.9 and the ankles at 3.9 below the collar).
TOP_LENGTHS = ((0.4, 1.0, 1.2, 1.36, 1.8, 2.2, 3.0), (0.75, 1.33, 1.60, 1.80, 1.86, 1.92, 2.1))
DRESS_LENGTHS = ((1.6, 2.1, 3.2, 3.7, 4.4, 5.0), (2.1, 2.6, 2.68, 3.2, 3.6, 3.85))
FLAT_WAIST = 1.02  # half the girth of a waistband
FLAT_TO_WORN = 0.80  # seen width of a loose tube against its flat width
ARM_LENGTH = 1.42  # shoulder joint to wrist
LOOSEST = 1.38  # widest top against the body below it
FLARED = 2.6  # widest skirt of a dress, likewise

ROWS, COLUMNS = 9, 7


@dataclass(frozen=True)
class GarmentParts:
    """A garment's shape with its regions.

    Attributes:
        shape: landmarks.
        front: (H, W) float32 0..1, the garment as worn in front (without the inside of its back).
        regions: part name -> (H, W) bool.
        neckline: (N, 2) points from `collar_left` over `neck_front` to `collar_right`.
    """

    shape: GarmentShape
    front: NDArray[np.float32]
    regions: dict[str, Flags]
    neckline: Points

    @property
    def mask(self) -> Flags:
        """(H, W) bool: where the garment's front is."""
        inside: Flags = self.front >= 0.5
        return inside


def place_upper(parts: GarmentParts, body: Body, silhouette: Silhouette) -> tuple[PartMatch, ...]:
    """Torso and sleeves of a top or a dress."""
    scale = upper_scale(parts.shape, body)
    torso = _Torso(parts, body, silhouette, scale)
    found = [torso.match()]
    if parts.shape.sleeves is not SleeveLength.NONE:
        for side in SIDES:
            region = parts.regions.get(f"sleeve_{side}")
            if region is not None and region.sum() > 50:
                found.append(_sleeve(parts, torso, side, region))
    return tuple(found)


def upper_scale(shape: GarmentShape, body: Body) -> float:
    """Pixels on the person for a pixel of the garment picture.

    A picture of a garment has no scale, but garments are cut in few lengths: most tops end at the
    hips, whatever their width; the ones that are short for their chest are cropped; dresses end
    between thigh and ankle, the narrower for their length the longer.
    """
    point, unit = shape.points, body.unit
    chest = gap(point["armpit_left"], point["armpit_right"])
    top = (point["collar_left"] + point["collar_right"]) / 2
    length = gap(top, (point["hem_left"] + point["hem_right"]) / 2)
    aspect = length / max(chest, 1e-6)
    table = DRESS_LENGTHS if shape.category is Category.DRESS else TOP_LENGTHS
    return float(np.interp(aspect, *table)) * unit / length


class _Torso:
    """The torso part: rows down the body, columns around it."""

    def __init__(
        self, parts: GarmentParts, body: Body, silhouette: Silhouette, scale: float
    ) -> None:
        self.parts, self.body, self.silhouette, self.scale = parts, body, silhouette, scale
        self.point = parts.shape.points
        # Each part has an outline of its own: in the whole one, a sleeve hides the torso's side.
        self.region = parts.regions["torso"]
        if "skirt" in parts.regions:
            self.region = self.region | parts.regions["skirt"]
        self.contour = outline(self.region & parts.mask)
        collar = (self.point["collar_left"] + self.point["collar_right"]) / 2
        self.top = collar
        # The collar's ends lie on the slope from the neck's side to the shoulder.
        opening = 0.5 * scale * gap(self.point["collar_left"], self.point["collar_right"])
        self.opening = float(np.clip(opening / body.unit, 0.17, 0.52))
        self.rise = float(np.mean([silhouette.shoulder_rise(self.opening, s) for s in SIDES]))

    def height(self, y: float) -> float:
        """Distance down the torso, in pixels from the shoulder joints' line, of a garment row."""
        return float((y - self.top[1]) * self.scale - self.rise * self.body.unit)

    def half_width(self, down: float, flat: float, side: str) -> float:
        """Seen half-width of the worn garment where its flat half-width is `flat` (pixels)."""
        body = self.silhouette.half_width(down, side)
        worn = flat * self.scale * FLAT_TO_WORN
        # Below the armpits cloth may stand off; at them it goes over into the sleeve.
        ease = float(np.interp(down / self.body.unit, (0.42, 0.85), (1.04, LOOSEST)))
        # An arm that hangs beside the torso keeps the cloth behind it.
        if self.parts.shape.category is Category.DRESS and down > 1.1 * self.body.unit:
            return float(np.clip(worn, 1.03 * body, FLARED * body))
        loosest = max(min(ease * body, self.silhouette.arm_limit(down, side)), 1.03 * body)
        return float(np.clip(worn, 1.03 * body, loosest))

    def side(self, side: str, count: int) -> Points:
        """Side seam of the flat garment, armpit to hem."""
        start, end = self.point[f"armpit_{side}"], self.point[f"hem_{side}"]
        return edge(self.contour, start, end, count)

    def armpit(self, side: str) -> Points:
        """Where the armpit lies on the person."""
        left, right = self.point["armpit_left"], self.point["armpit_right"]
        middle = float((left[1] + right[1]) / 2)
        unit = self.body.unit
        down = float(np.clip(self.height(middle), 0.26 * unit, 0.66 * unit))
        width = self.half_width(down, gap(left, right) / 2, side)
        return self.silhouette.frame(down, width if side == "left" else -width)

    def shoulder(self, side: str) -> Points:
        """Where the shoulder seam's outer end lies on the person."""
        sign = 1.0 if side == "left" else -1.0
        half = 0.5 * self.scale * gap(self.point["shoulder_left"], self.point["shoulder_right"])
        if self.parts.shape.sleeves is SleeveLength.NONE or half < 0.46 * self.body.unit:
            offset = float(np.clip(half / self.body.unit, self.opening + 0.04, 0.56))
            rise = self.silhouette.shoulder_rise(offset, side)
            return self.silhouette.frame(-rise * self.body.unit, sign * offset * self.body.unit)
        return self.silhouette.deltoid(side)

    def match(self) -> PartMatch:
        columns = np.linspace(-1, 1, COLUMNS)
        sources, targets = [], []
        rows = ROWS if self.parts.shape.category is Category.UPPER else 2 * ROWS
        left, right = self.side("left", rows), self.side("right", rows)
        for row in range(rows):
            source, target = self._row(left[row], right[row], columns)
            sources.append(source)
            targets.append(target)
        for source, target in (self._yoke(), self._neckline()):
            sources.append(source)
            targets.append(target)
        return PartMatch("torso", np.concatenate(sources), np.concatenate(targets), self.region)

    def _row(
        self, left: Points, right: Points, columns: NDArray[np.float64]
    ) -> tuple[Points, Points]:
        """A row across the garment: columns -1 (right edge) .. 1 (left edge)."""
        middle = (left + right) / 2
        source = middle + columns[:, None] * (left - right) / 2
        flat = gap(left, right) / 2
        down = self.height(float(middle[1]))
        widths = [self.half_width(down, flat, side) for side in SIDES]
        seen = around(columns, flat * self.scale / float(np.mean(widths)), self.body.turn)
        offset = seen * np.where(seen > 0, *widths)
        # Rows keep the slope that the hem has in the garment picture.
        tilt = (source[:, 1] - middle[1]) * self.scale
        target = np.stack(
            [
                self.silhouette.frame(down + float(t), float(x))
                for t, x in zip(tilt, offset, strict=True)
            ]
        )
        return source.astype(np.float32), target

    def _yoke(self) -> tuple[Points, Points]:
        """Shoulder seams: collar to shoulder on either side, and the armholes."""
        sources, targets = [], []
        for side in SIDES:
            collar, shoulder = self.point[f"collar_{side}"], self.point[f"shoulder_{side}"]
            armpit = self.point[f"armpit_{side}"]
            sign = 1.0 if side == "left" else -1.0
            unit = self.body.unit
            rise = self.silhouette.shoulder_rise(self.opening, side)
            near = self.silhouette.frame(-rise * unit, sign * self.opening * unit)
            far, pit = self.shoulder(side), self.armpit(side)
            sources.append(edge(self.contour, collar, shoulder, 5))
            slope = [near]
            for share in (0.25, 0.5, 0.75):
                straight = near + share * (far - near)
                aside = abs(float((straight - self.body.neck) @ self.body.across)) / unit
                on = self.silhouette.shoulder_rise(aside, side)
                slope.append(self.silhouette.frame(-on * unit, sign * aside * unit))
            targets.append(np.stack([*slope, far]))
            sources.append(evenly(np.stack([shoulder, armpit]), 4)[1:3])
            targets.append(evenly(np.stack([far, pit]), 4)[1:3])
        return np.concatenate(sources), np.concatenate(targets)

    def _neckline(self) -> tuple[Points, Points]:
        line = evenly(self.parts.neckline, 9)[1:-1]
        half = max(gap(self.point["collar_left"], self.point["collar_right"]) / 2, 1.0)
        offset = (line[:, 0] - self.top[0]) * self.scale
        offset *= self.opening * self.body.unit / max(half * self.scale, 1e-3)
        target = np.stack(
            [
                self.silhouette.frame(self.height(float(y)), float(x))
                for x, y in zip(offset, line[:, 1], strict=True)
            ]
        )
        return line, target


def around(columns: NDArray[np.float64], slack: float, turn: float) -> NDArray[np.float64]:
    """Seen offset (-1..1) of flat columns (-1..1) on a tube.

    Args:
        slack: flat half-width over seen half-width; 1 lies flat, pi/2 is a tight round tube.
        turn: yaw of the body; the middle of the front moves to the far side.
    """
    shifted = columns + 0.45 * np.sin(turn) * (1 - columns**2)
    slack = float(np.clip(slack, 1.0, 1.5))
    angle = 1e-3
    for _ in range(30):  # angle / sin(angle) = slack, by Newton's method
        value = angle / np.sin(angle) - slack
        slope = (np.sin(angle) - angle * np.cos(angle)) / np.sin(angle) ** 2
        angle = float(np.clip(angle - value / max(slope, 0.05), 1e-3, 1.45))
    seen: NDArray[np.float64] = np.sin(shifted * angle) / np.sin(angle)
    return seen


def _sleeve(parts: GarmentParts, torso: _Torso, side: str, region: Flags) -> PartMatch:
    """A sleeve along its arm."""
    point, body, scale = parts.shape.points, torso.body, torso.scale
    count = 7 if parts.shape.sleeves is SleeveLength.LONG else 5
    contour = outline(region & parts.mask)
    outer = edge(contour, point[f"shoulder_{side}"], point[f"cuff_outer_{side}"], count)
    inner = edge(contour, point[f"armpit_{side}"], point[f"cuff_inner_{side}"], count)
    share = np.linspace(0, 1, count)
    arm = arm_frame(body, side)
    root_out, root_in = arm.locate(torso.shoulder(side)), arm.locate(torso.armpit(side))
    unit_arm = ARM_LENGTH * body.unit / scale
    reach = root_out[0] + _length(outer) / unit_arm
    if parts.shape.sleeves is SleeveLength.LONG and reach > 0.75:
        reach = max(reach, 0.96)  # a full sleeve ends at the wrist, however it was folded
    reach = float(np.clip(reach, root_in[0] + 0.02, 1.03))
    # The cuff keeps some of the slant that its two seams give it.
    reach_in = 0.6 * reach + 0.4 * (root_in[0] + _length(inner) / unit_arm)
    reach_in = float(np.clip(reach_in, root_in[0] + 0.04, reach + 0.06))
    cuff = gap(point[f"cuff_outer_{side}"], point[f"cuff_inner_{side}"]) / 2 * scale
    thick = torso.silhouette.arm_width(side, np.array([0.3, reach]))
    low, high = 1.10 * thick[1], max(1.6 * thick[1], 1.15 * thick[0])
    width = float(np.clip(cuff * FLAT_TO_WORN, low, high))
    bare = torso.silhouette.arm_width(side, root_out[0] + share * (reach - root_out[0]))
    at_least = 1.06 * bare * np.clip(share / 0.3, 0, 1)  # a sleeve may not cut into its arm
    target_out = arm.place(
        root_out[0] + share * (reach - root_out[0]),
        np.maximum(root_out[1] + share * (width - root_out[1]), at_least),
    )
    target_in = arm.place(
        root_in[0] + share * (reach_in - root_in[0]),
        root_in[1] + share * (-width - root_in[1]),
    )
    rows: list[tuple[Line, Line]] = [(outer, target_out), (inner, target_in)]
    if _length(inner) * scale < 0.15 * body.unit:
        # A short under-seam is pinned at its ends only: more would crease the cloth beside it.
        rows[1] = (inner[[0, -1]], target_in[[0, -1]])
    bulge = 0.10 * (target_out - target_in)  # a sleeve is round: its middle faces the viewer
    for place_, lift in ((0.25, 1.0), (0.5, 0.0), (0.75, -1.0)):
        rows.append(
            (
                outer + np.float32(place_) * (inner - outer),
                target_out + np.float32(place_) * (target_in - target_out) + lift * bulge / 2,
            )
        )
    source = np.concatenate([row[0] for row in rows])
    target = np.concatenate([row[1] for row in rows])
    return PartMatch(f"sleeve_{side}", source.astype(np.float32), target.astype(np.float32), region)


def _length(line: Points) -> float:
    return float(np.linalg.norm(np.diff(line, axis=0), axis=1).sum())


def gap(a: NDArray[np.floating], b: NDArray[np.floating]) -> float:
    """Distance of two points."""
    return float(np.linalg.norm(np.asarray(a) - np.asarray(b)))
