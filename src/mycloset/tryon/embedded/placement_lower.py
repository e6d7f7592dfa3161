"""Where trousers and skirts lie on a body: rows from the waist to the crotch, then leg by leg."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mycloset.tryon.embedded.body import SIDES, Body
from mycloset.tryon.embedded.contours import Points, edge, outline
from mycloset.tryon.embedded.limbs import leg_frame
from mycloset.tryon.embedded.placement import FLAT_TO_WORN, FLAT_WAIST, GarmentParts, around, gap
from mycloset.tryon.embedded.silhouette import Silhouette
from mycloset.tryon.state import PartMatch

LEG_LENGTH = 2.05  # crotch to ankle, in shoulder-joint breadths
CROTCH = 0.20  # below the hip joints, in shoulder-joint breadths
COLUMNS = np.linspace(-1, 1, 7)


def place_lower(parts: GarmentParts, body: Body, silhouette: Silhouette) -> tuple[PartMatch, ...]:
    """Legs of trousers and shorts, or the one part of a skirt."""
    lower = _Lower(parts, body, silhouette)
    if parts.shape.legs and "crotch" in parts.shape.points:
        return tuple(lower.leg(side) for side in SIDES if f"leg_{side}" in parts.regions)
    return (lower.skirt(),)


class _Lower:
    def __init__(self, parts: GarmentParts, body: Body, silhouette: Silhouette) -> None:
        self.parts, self.body, self.silhouette = parts, body, silhouette
        self.point = parts.shape.points
        self.waist = (self.point["waist_left"] + self.point["waist_right"]) / 2
        self.span = max(float((body.hips - body.neck) @ body.down), 0.9 * body.unit)
        width = gap(self.point["waist_left"], self.point["waist_right"])
        self.scale = FLAT_WAIST * body.unit / width
        self.crotch = self.span + CROTCH * body.unit
        self.top = 0.76 * self.span
        if "crotch" in self.point:
            rise = float(self.point["crotch"][1] - self.waist[1]) * self.scale
            self.top = float(np.clip(self.crotch - rise, 0.60 * self.span, 0.90 * self.span))

        worn = silhouette.waist
        if worn is not None and abs(worn - self.top) < 0.5 * body.unit:
            # It goes where the old one was worn: under the same top, at the same height.
            self.top = worn - 0.01 * body.unit

    def outer(self, contour: Points, side: str, count: int) -> Points:
        """Outer seam of the flat garment, waist to hem."""
        start, end = self.point[f"waist_{side}"], self.point[f"hem_outer_{side}"]
        return edge(contour, start, end, count)

    def skirt(self) -> PartMatch:
        """One tube from the waist to the hem."""
        count = 10
        contour = outline(self.parts.mask)
        left, right = (self.outer(contour, side, count) for side in SIDES)
        sources, targets = [], []
        for a, b in zip(left, right, strict=True):
            middle = (a + b) / 2
            flat = gap(a, b) / 2
            down = self.top + float(middle[1] - self.waist[1]) * self.scale
            widths = [self.width(down, flat, side) for side in SIDES]
            source = middle + COLUMNS[:, None] * (a - b) / 2
            seen = around(COLUMNS, flat * self.scale / float(np.mean(widths)), self.body.turn)
            offset = seen * np.where(seen > 0, *widths)
            tilt = (source[:, 1] - middle[1]) * self.scale
            sources.append(source)
            targets.append(
                [
                    self.silhouette.frame(down + float(t), float(x))
                    for t, x in zip(tilt, offset, strict=True)
                ]
            )
        region = self.parts.regions.get("skirt", self.parts.mask)
        return PartMatch(
            "skirt",
            np.concatenate(sources).astype(np.float32),
            np.concatenate(targets).astype(np.float32),
            region,
        )

    def width(self, down: float, flat: float, side: str) -> float:
        """Seen half-width where the garment is `flat` pixels wide to one side."""
        body = self.silhouette.half_width(down, side)
        tight = 1.02 if down < 0.95 * self.span else 1.04
        loose = np.interp(down / self.span, (0.85, 1.2), (1.08, 2.6))
        return float(np.clip(flat * self.scale * FLAT_TO_WORN, tight * body, loose * body))

    def leg(self, side: str) -> PartMatch:
        """One leg with its half of the block above the crotch."""
        sign = 1.0 if side == "left" else -1.0
        crotch, hem = self.point["crotch"], self.point[f"hem_inner_{side}"]
        # The leg's own outline: in the whole one, legs that touch have no inner seams.
        contour = outline(self.parts.regions[f"leg_{side}"] & self.parts.mask)
        outer = self.outer(contour, side, 40)
        inner = edge(contour, crotch, hem, 30)
        sources: list[NDArray[np.floating]] = []
        targets: list[Points] = []
        for share in np.linspace(0, 0.9, 5):
            y = self.waist[1] + share * (crotch[1] - self.waist[1])
            edge_point = _at_height(outer, float(y))
            centre = self.waist + share * (crotch - self.waist)
            down = self.top + share * (self.crotch - self.top)
            width = self.width(down, gap(edge_point, centre), side)
            for column in (0.0, 0.35, 0.7, 1.0):
                slack = gap(edge_point, centre) * self.scale / width
                seen = float(around(np.array([column]), slack, 0.0)[0])
                sources.append(centre + column * (edge_point - centre))
                targets.append(self.silhouette.frame(down, sign * seen * width))
        frame = leg_frame(self.body, side)
        start = self.silhouette.frame(self.crotch, 0.0)
        flat = gap(_at_height(outer, float(crotch[1])), crotch)
        hip = self.silhouette.frame(self.crotch, sign * self.width(self.crotch, flat, side))
        root, (root_out, out), (_, inward) = 0.0, frame.locate(hip), frame.locate(start)
        root = max(root_out, 0.0)
        length = float(np.linalg.norm(np.diff(inner, axis=0), axis=1).sum()) * self.scale
        reach = root + (1 - root) * length / (LEG_LENGTH * self.body.unit)
        if reach > 0.80:
            reach = max(reach, 0.95)  # full-length trousers end at the ankle
        reach = float(np.clip(reach, root + 0.08, 1.04))
        for share in np.linspace(0, 1, 8):
            y = crotch[1] + share * (hem[1] - crotch[1])
            a = _at_height(outer, float(crotch[1] + share * (outer[-1][1] - crotch[1])))
            b = _at_height(inner, float(y))
            at = root + share * (reach - root)
            bare = float(self.silhouette.leg_width(np.array([at]))[0])
            flat = gap(a, b) / 2 * self.scale
            half = float(np.clip(flat * FLAT_TO_WORN, 1.12 * bare, 2.0 * bare))
            blend = float(np.clip(share / 0.35, 0, 1))
            blend = blend * blend * (3 - 2 * blend)
            high = (1 - blend) * out + blend * half
            low = (1 - blend) * inward - blend * half
            for column in (-1.0, -0.5, 0.0, 0.5, 1.0):
                sources.append((a + b) / 2 + column * (a - b) / 2)
                offset = (high + low) / 2 + np.sin(column * 1.1) / np.sin(1.1) * (high - low) / 2
                targets.append(frame.place(np.array([at]), np.array([offset]))[0])
        return PartMatch(
            f"leg_{side}",
            np.asarray(sources, np.float32),
            np.asarray(targets, np.float32),
            self.parts.regions[f"leg_{side}"],
        )


def _at_height(line: Points, y: float) -> Points:
    """Point of a roughly vertical edge at a height of the picture."""
    order = np.argsort(line[:, 1])
    x = np.interp(y, line[order, 1], line[order, 0])
    return np.array([x, y], np.float32)
