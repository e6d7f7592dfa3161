"""What a fitting looks at: the part of a photo that can change, and what is known there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from mycloset.filters import guided_filter
from mycloset.images import RGB
from mycloset.tasks.garments import Category
from mycloset.tasks.parsing import HumanParsing
from mycloset.tryon.embedded.body import SIDES
from mycloset.tryon.embedded.colour_models import to_lab
from mycloset.tryon.embedded.figure import Figure
from mycloset.tryon.embedded.light import Light, read_light
from mycloset.tryon.embedded.limb_profile import read_profile
from mycloset.tryon.embedded.limbs import DrawnLimb, LimbFrame, arm_frame, draw_limb, leg_frame
from mycloset.tryon.state import WarpedGarment

Floats = NDArray[np.float32]
Flags = NDArray[np.bool_]

OLD_LABELS = {
    Category.UPPER: ("upper-clothes", "scarf"),
    Category.LOWER: ("pants", "skirt", "belt"),
    Category.DRESS: ("upper-clothes", "dress", "skirt", "pants", "belt", "scarf"),
}
TRUNK = ("torso", "skirt", "leg_left", "leg_right")


@dataclass(frozen=True)
class FittingInput:
    """What is needed to put a garment on.

    Attributes:
        rgb: (H, W, 3) uint8, the photo.
        mask: (H, W) float32, the person.
        parsing: classes of the photo.
        figure: the body below the clothes.
        warped: the garment in the photo's frame.
        category: what the garment dresses.
    """

    rgb: RGB
    mask: Floats
    parsing: HumanParsing
    figure: Figure
    warped: WarpedGarment
    category: Category


@dataclass(frozen=True)
class Scene:
    """The window of a photo that a fitting can change; all arrays are of the window's size (h, w).

    Attributes:
        window: rows and columns of the photo.
        category: what the garment dresses.
        figure: the body below the clothes, in the whole photo's pixels.
        unit: the body's scale, shoulder breadth in pixels.
        step: pixels over which smooth fields may be worked out coarsely.
        span: from the shoulders' line to the hips' one, in pixels.
        rgb, lab: (h, w, 3) uint8 and float32 Lab, the photo.
        person: (h, w) float32 0..1.
        parsing: classes.
        old: (h, w) bool, the garment that has to go.
        light: how the photo's light falls on the old garment.
        cloth_rgb: (h, w, 3) uint8, the new garment.
        cloth_alpha: (h, w) float32 0..1, where it was warped to.
        parts: (h, w) float32 0..1 of each of its parts, no farther off the person than cloth is.
        down, aside: (h, w) float32, pixels below the shoulders' line, and to the person's left of
            the torso's axis.
    """

    window: tuple[slice, slice]
    category: Category
    figure: Figure
    unit: float
    step: int
    span: float
    rgb: RGB
    lab: Floats
    person: Floats
    parsing: HumanParsing
    old: Flags
    light: Light
    cloth_rgb: RGB
    cloth_alpha: Floats
    parts: Mapping[str, Floats]
    down: Floats
    aside: Floats

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width of the window."""
        return (self.person.shape[0], self.person.shape[1])

    @cached_property
    def arms(self) -> Mapping[str, DrawnLimb]:
        """The arms without sleeves, by side; empty ones where the pose does not tell."""
        return {side: self._arm(side) for side in SIDES}

    @cached_property
    def legs(self) -> Mapping[str, DrawnLimb]:
        """The legs without trousers, by side."""
        share = np.linspace(0.05, 1.02, 12)
        widths = self.figure.silhouette.leg_width(share)
        frames = {side: leg_frame(self.figure.body, side) for side in SIDES}
        return {side: self._limb(frames[side], share, widths, f"{side}-leg") for side in SIDES}

    @cached_property
    def sleeve_ends(self) -> Mapping[str, float]:
        """How far down its arm each sleeve reaches (0 shoulder, 1 wrist); none without a sleeve."""
        ends = {}
        for side in SIDES:
            if f"sleeve_{side}" in self.parts:
                arm, sleeve = self.arms[side], self.parts[f"sleeve_{side}"]
                inside = (sleeve > 0.5) & (arm.cover > 0.5)
                far = inside.sum() > 20
                ends[side] = float(np.quantile(arm.place[inside], 0.97)) if far else 0.1
        return ends

    @cached_property
    def half_width(self) -> Floats:
        """(h, w) pixels from the torso's axis to its edge, at a pixel's height and on its side."""
        at = np.linspace(-0.3, 2.2, 26) * self.unit
        silhouette = self.figure.silhouette
        left, right = (
            np.interp(self.down, at, [silhouette.half_width(float(a), side) for a in at])
            for side in SIDES
        )
        return np.where(self.aside > 0, left, right).astype(np.float32)

    def over(self, names: Iterable[str]) -> Floats:
        """(h, w) what some parts cover together."""
        cover = np.zeros(self.shape, np.float32)
        for name in names:
            cover = np.asarray(1 - (1 - cover) * (1 - self.parts[name]), np.float32)
        return cover

    def soft(self, where: Flags) -> Floats:
        """A label's region with its edge on the picture's edge."""
        if not where.any():
            return np.zeros(where.shape, np.float32)
        radius = max(2, round(0.02 * self.unit))
        soft = guided_filter(self.rgb, where.astype(np.float32), radius, 1e-4, subsample=3)
        near = cv2.dilate(where.astype(np.uint8), np.ones((2 * radius + 1,) * 2, np.uint8)) > 0
        return np.where(near, np.clip(soft * 1.25 - 0.125, 0, 1), 0).astype(np.float32)

    def _arm(self, side: str) -> DrawnLimb:
        body = self.figure.body
        if body.sure(f"{side}_elbow") < 0.3:
            nothing = np.zeros(self.shape, np.float32)
            return DrawnLimb(nothing, nothing)
        share = np.linspace(0, 1.05, 12)
        width = self.figure.silhouette.arm_width(side, share)
        return self._limb(arm_frame(body, side), share, width, f"{side}-arm")

    def _limb(
        self,
        frame: LimbFrame,
        share: NDArray[np.float64],
        width: NDArray[np.float64],
        label: str,
    ) -> DrawnLimb:
        """A limb as thick as its skin shows it to be, elsewhere as thick as usual."""
        corner = np.array([self.window[1].start, self.window[0].start], np.float32)
        profile = read_profile(frame, share, width, self.parsing.where(label), corner)
        axis = frame.place(share, profile.offsets)
        return draw_limb(axis - corner, share, profile.widths, self.shape)


def box_of(values: NDArray[np.generic], margin: int = 0) -> tuple[slice, slice]:
    """Rows and columns, widened by `margin`, outside of which all values are zero."""
    rows, columns = np.flatnonzero(values.any(axis=1)), np.flatnonzero(values.any(axis=0))
    if not len(rows):
        return slice(0, 0), slice(0, 0)
    return (
        slice(max(int(rows[0]) - margin, 0), int(rows[-1]) + 1 + margin),
        slice(max(int(columns[0]) - margin, 0), int(columns[-1]) + 1 + margin),
    )


def read_scene(given: FittingInput) -> Scene:
    """Cut the window out, and read the old garment's light and where the new one can be."""
    window = _window(given)
    body = given.figure.body
    person = given.mask[window]
    parsing = HumanParsing(given.parsing.labels[window], given.parsing.table)
    alpha = given.warped.alpha[window]
    old = parsing.where(*OLD_LABELS[given.category])
    if given.category is Category.UPPER:
        old |= _dress_above_hem(parsing, alpha)
    lab = to_lab(given.rgb[window])
    down, aside = _torso_frame(given, window)
    span = float((body.hips - body.neck) @ body.down)
    away = cv2.distanceTransform((person < 0.5).astype(np.uint8), cv2.DIST_L2, 3)
    parts = {}
    for name, whole in given.warped.parts.items():
        part = whole[window].copy()
        box = box_of(part)
        limit = _stand_off(name, given.category, down[box], aside[box], body.unit, span)
        near = np.clip((limit - away[box]) / (0.02 * body.unit) + 0.5, 0, 1)
        part[box] *= near.astype(np.float32)
        parts[name] = part
    return Scene(
        window=window,
        category=given.category,
        figure=given.figure,
        unit=body.unit,
        step=max(1, round(body.unit / 70)),
        span=span,
        rgb=given.rgb[window],
        lab=lab,
        person=person,
        parsing=parsing,
        old=old,
        light=read_light(lab, old, body.unit),
        cloth_rgb=given.warped.rgb[window],
        cloth_alpha=alpha,
        parts=parts,
        down=down,
        aside=aside,
    )


def _window(given: FittingInput) -> tuple[slice, slice]:
    touched = given.parsing.where(*OLD_LABELS[given.category]) | (given.warped.alpha > 0)
    rows, columns = box_of(touched)
    margin = max(8, round(0.35 * given.figure.body.unit))
    height, width = given.mask.shape
    return (
        slice(max(rows.start - margin, 0), min(rows.stop - 1 + margin, height)),
        slice(max(columns.start - margin, 0), min(columns.stop - 1 + margin, width)),
    )


def _torso_frame(given: FittingInput, window: tuple[slice, slice]) -> tuple[Floats, Floats]:
    body = given.figure.body
    rows, columns = window
    ys = np.arange(rows.stop - rows.start, dtype=np.float32)[:, None]
    xs = np.arange(columns.stop - columns.start, dtype=np.float32)[None, :]
    dx = xs + np.float32(columns.start) - body.neck[0]
    dy = ys + np.float32(rows.start) - body.neck[1]
    return dx * body.down[0] + dy * body.down[1], dx * body.across[0] + dy * body.across[1]


def _dress_above_hem(parsing: HumanParsing, alpha: Floats) -> Flags:
    """A worn dress counts as the old top only as far down as the new top reaches."""
    dress = parsing.where("dress")
    covered = alpha > 0.5
    columns = np.flatnonzero(covered.any(axis=0))
    if not len(columns):
        return dress
    height, width = covered.shape
    hem = height - 1 - np.argmax(covered[::-1, columns], axis=0)
    # A sleeve's columns end higher than the hem; the hem is what lies under the middle.
    low = np.maximum(hem, np.median(hem))
    limit = np.interp(np.arange(width), columns, low)
    above: Flags = dress & (np.arange(height)[:, None] < limit[None] - 2)
    return above


def _stand_off(
    name: str, category: Category, down: Floats, aside: Floats, unit: float, span: float
) -> NDArray[np.float64]:
    """How far off the person a part can be, in pixels: no farther than cloth stands off.

    What stands before the person (a chair, a helmet) is no part of the person's silhouette; this
    keeps sleeves from being drawn over it. On the shoulders cloth lies on the body.
    """
    at = down / unit
    if name in TRUNK:
        limit = np.interp(at, (0.25, 0.6), (0.02, 0.13))
    else:
        limit = np.interp(at, (0.05, 0.5), (0.02, 0.09))
    if category is not Category.UPPER or name in ("torso", "skirt"):
        limit = np.where(down > 1.05 * span, 0.9, limit)
    return np.where(np.abs(aside) < 0.3 * unit, 0.9, limit) * unit
