"""Putting the warped garment on the person: the old one goes, light and what is in front stay.

Layers from back to front: the photo without its old garment, the garment's torso, arms that are
before it, sleeves, and last hair and face.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from mycloset.filters import guided_filter
from mycloset.images import RGB
from mycloset.tasks.garments import Category
from mycloset.tasks.parsing import HumanParsing
from mycloset.tryon.embedded.body import SIDES, capsule
from mycloset.tryon.embedded.colour_models import to_lab, to_rgb
from mycloset.tryon.embedded.figure import Figure
from mycloset.tryon.embedded.fill import (
    continue_smoothly,
    continue_textured,
    grain,
    noise,
)
from mycloset.tryon.embedded.light import Light, read_light
from mycloset.tryon.embedded.limb_profile import read_profile
from mycloset.tryon.embedded.limbs import LimbFrame, arm_frame, leg_frame
from mycloset.tryon.state import Fitting, WarpedGarment

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


def fit(given: FittingInput) -> tuple[Fitting, Light]:
    """Compose the picture; everything outside `changed` equals the photo exactly."""
    window = _window(given)
    composer = _Composer(given, window)
    rgb = given.rgb.copy()
    rgb[window] = composer.compose()
    changed = np.zeros(given.mask.shape, np.float32)
    changed[window] = composer.changed
    garment = np.zeros(given.mask.shape, np.float32)
    garment[window] = composer.garment
    return Fitting(rgb, changed, garment), composer.light


def _window(given: FittingInput) -> tuple[slice, slice]:
    old = given.parsing.where(*OLD_LABELS[given.category])
    rows = np.flatnonzero((old | (given.warped.alpha > 0)).any(axis=1))
    columns = np.flatnonzero((old | (given.warped.alpha > 0)).any(axis=0))
    margin = max(8, round(0.35 * given.figure.body.unit))
    height, width = given.mask.shape
    return (
        slice(max(int(rows[0]) - margin, 0), min(int(rows[-1]) + margin, height)),
        slice(max(int(columns[0]) - margin, 0), min(int(columns[-1]) + margin, width)),
    )


class _Composer:
    """All layers of one picture, inside the window that can change."""

    def __init__(self, given: FittingInput, window: tuple[slice, slice]) -> None:
        self.given, self.window = given, window
        self.body, self.silhouette = given.figure.body, given.figure.silhouette
        self.unit = self.body.unit
        self.step = max(1, round(self.unit / 70))
        self.corner = np.array([window[1].start, window[0].start], np.float32)
        self.rgb = given.rgb[window]
        self.lab = to_lab(self.rgb)
        self.person = given.mask[window]
        self.parsing = HumanParsing(given.parsing.labels[window], given.parsing.table)
        self.old = self.parsing.where(*OLD_LABELS[given.category])
        if given.category is Category.UPPER:
            self.old |= self._dress_above_hem()
        self.light = read_light(self.lab, self.old, self.unit)
        self.parts = {
            name: alpha[window] * self._near_person(name)
            for name, alpha in given.warped.parts.items()
        }
        self._bare: dict[str, tuple[Floats, Floats]] = {}
        self.changed = np.zeros(self.person.shape, np.float32)
        self.garment = np.zeros(self.person.shape, np.float32)

    def compose(self) -> RGB:
        """The window's pixels."""
        front = self._soft(self.parsing.where("hair", "face", "hat", "sunglasses"))
        arm_keep, arm_skin = self._arms()
        trunk = self._over(name for name in self.parts if name in TRUNK)
        sleeves = self._over(name for name in self.parts if name not in TRUNK)
        bare = np.maximum(arm_keep, arm_skin)
        trunk = np.maximum(trunk, self._snapped(trunk, sleeves))
        shown = 1 - (1 - trunk * (1 - bare)) * (1 - sleeves)
        self.garment = shown * (1 - front)
        ground, gone = self._without_old(self.garment, arm_keep, arm_skin, front)
        cloth = self._dressed()
        shaded = self._contact(ground, self.garment, gone)
        mixed = shaded + (cloth - shaded) * self.garment[..., None]
        touched = (self.garment > 1 / 512) | (np.abs(shaded - self.lab).max(axis=2) > 0.05)
        out = self.rgb.copy()
        out[touched] = to_rgb(mixed)[touched]
        self.changed = (out != self.rgb).any(axis=2).astype(np.float32)
        return out

    def _near_person(self, name: str) -> Floats:
        """1 where a part can be: on the person, and off it no farther than cloth stands off.

        What stands before the person (a chair, a helmet) is no part of the person's silhouette;
        this keeps sleeves from being drawn over it. On the shoulders cloth lies on the body.
        """
        down, aside = self._torso_frame()
        away = cv2.distanceTransform((self.person < 0.5).astype(np.uint8), cv2.DIST_L2, 3)
        span = float((self.body.hips - self.body.neck) @ self.body.down)
        at = down / self.unit
        if name in TRUNK:
            limit = np.interp(at, (0.25, 0.6), (0.02, 0.13))
        else:
            limit = np.interp(at, (0.05, 0.5), (0.02, 0.09))
        if self.given.category is not Category.UPPER or name in ("torso", "skirt"):
            limit = np.where(down > 1.05 * span, 0.9, limit)
        limit = np.where(np.abs(aside) < 0.3 * self.unit, 0.9, limit) * self.unit
        near = np.clip((limit - away) / (0.02 * self.unit) + 0.5, 0, 1)
        return np.asarray(near, np.float32)

    # --- what is in front ------------------------------------------------------------------

    def _soft(self, where: Flags) -> Floats:
        """A label's region with its edge on the picture's edge."""
        if not where.any():
            return np.zeros(where.shape, np.float32)
        radius = max(2, round(0.02 * self.unit))
        soft = guided_filter(self.rgb, where.astype(np.float32), radius, 1e-4, subsample=3)
        near = cv2.dilate(where.astype(np.uint8), np.ones((2 * radius + 1,) * 2, np.uint8)) > 0
        return np.where(near, np.clip(soft * 1.25 - 0.125, 0, 1), 0).astype(np.float32)

    def _arms(self) -> tuple[Floats, Floats]:
        """Arms before the torso: those that are bare in the photo, and those to be made bare."""
        keep = np.zeros(self.person.shape, bool)
        made = np.zeros(self.person.shape, np.float32)
        if self.given.category is Category.LOWER:
            return self._soft(self.parsing.where("left-arm", "right-arm")), made
        skin = self.parsing.where("left-arm", "right-arm")
        for side in SIDES:
            sleeve = self.parts.get(f"sleeve_{side}")
            bare, place = self._bare_arm(side)
            end = 0.22 if sleeve is None else self._sleeve_end(sleeve, place, bare)
            here = self.parsing.where(f"{side}-arm") & (place > end - 0.05)
            keep |= here
            visible = np.clip((place - end) / 0.04 + 0.5, 0, 1) * bare * self.person
            if self.body.sure(f"{side}_wrist") > 0.5:
                free = self.old | skin | self.parsing.where("pants", "skirt", "dress")
            else:
                free = self.old | skin
            made = np.maximum(made, np.where(free, visible, 0)).astype(np.float32)
        kept = self._soft(keep)
        return kept, made * (1 - kept)

    def _bare_arm(self, side: str) -> tuple[Floats, Floats]:
        """Soft silhouette of an arm without its sleeve, and the place along it (0..1 wrist)."""
        if side not in self._bare:
            self._bare[side] = self._draw_arm(side)
        return self._bare[side]

    def _draw_arm(self, side: str) -> tuple[Floats, Floats]:
        shape = self.person.shape
        if self.body.sure(f"{side}_elbow") < 0.3:
            return np.zeros(shape, np.float32), np.zeros(shape, np.float32)
        share = np.linspace(0, 1.05, 12)
        return self._draw_limb(
            arm_frame(self.body, side), share, self.silhouette.arm_width(side, share), f"{side}-arm"
        )

    def _bare_leg(self, side: str) -> Floats:
        """Soft silhouette of a leg without trousers."""
        name = f"leg_{side}"
        if name not in self._bare:
            share = np.linspace(0.05, 1.02, 12)
            widths = self.silhouette.leg_width(share)
            frame = leg_frame(self.body, side)
            self._bare[name] = self._draw_limb(frame, share, widths, f"{side}-leg")
        return self._bare[name][0]

    def _draw_limb(
        self, frame: LimbFrame, share: NDArray[np.float64], width: NDArray[np.float64], label: str
    ) -> tuple[Floats, Floats]:
        shape = self.person.shape
        profile = read_profile(frame, share, width, self.given.parsing.where(label))
        width = profile.widths
        axis = frame.place(share, profile.offsets)
        # Distances are smooth: they are measured on every third pixel and interpolated.
        step = 3.0
        small = (int(shape[0] / step) + 1, int(shape[1] / step) + 1)
        ys, xs = np.mgrid[0 : small[0], 0 : small[1]].astype(np.float32) * np.float32(step)
        best = np.full(small, np.inf, np.float32)
        place = np.zeros(small, np.float32)
        for number in range(len(share) - 1):
            start, end = axis[number] - self.corner, axis[number + 1] - self.corner
            distance, t = capsule(xs, ys, start, end)
            half = width[number] + np.clip(t, 0, 1) * (width[number + 1] - width[number])
            signed = (distance - half).astype(np.float32)
            nearer = signed < best
            best[nearer] = signed[nearer]
            place[nearer] = (
                share[number] + np.clip(t, 0, 1) * (share[number + 1] - share[number])
            )[nearer]
        enlarge = np.float32([[1 / step, 0, 0], [0, 1 / step, 0]])
        size = (shape[1], shape[0])
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        best = cv2.warpAffine(best, enlarge, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
        place = cv2.warpAffine(place, enlarge, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
        return np.clip(0.5 - best / 1.5, 0, 1).astype(np.float32), place

    def _sleeve_end(self, sleeve: Floats, place: Floats, bare: Floats) -> float:
        inside = (sleeve > 0.5) & (bare > 0.5)
        return float(np.quantile(place[inside], 0.97)) if inside.sum() > 20 else 0.1

    def _over(self, names: object) -> Floats:
        cover = np.zeros(self.person.shape, np.float32)
        for name in names:  # type: ignore[attr-defined]
            cover = 1 - (1 - cover) * (1 - self.parts[name])
        return cover

    def _snapped(self, trunk: Floats, sleeves: Floats) -> Floats:
        """Thin rests of the body just outside the new garment, which it would really cover.

        The warp knows the body's outline only within a few per cent. Where a strip of old garment
        or shoulder is left between the garment and the outline, sideways and not beyond a hem, a
        cuff or the neckline, the garment is grown to the outline.
        """
        cover = np.maximum(trunk, sleeves)
        gap = cv2.distanceTransform((cover < 0.5).astype(np.uint8), cv2.DIST_L2, 3)
        strip = (cover < 0.98) & (self.person > 0.5) & (gap < self._strip_width())
        rest = self.old.copy()
        if self.given.category is not Category.LOWER:
            rest |= self.parsing.where("neck", "left-arm", "right-arm")
        grown = cv2.morphologyEx(
            (strip & rest).astype(np.uint8), cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8)
        )
        soft = cv2.GaussianBlur(grown.astype(np.float32), (0, 0), 1.0)
        return np.asarray(np.minimum(1, soft * 1.3) * self.person, np.float32)

    def _strip_width(self) -> Floats:
        """How wide a strip may be, in pixels, to be covered by the garment beside it; else 0."""
        down, aside = self._torso_frame()
        width = np.zeros(self.person.shape, np.float32)
        trunk = self._over(name for name in self.parts if name in TRUNK) > 0.5
        rows = down[trunk]
        if not rows.size:
            return width
        low = float(np.quantile(rows, 0.985)) - 0.02 * self.unit
        arms = self.parsing.where("left-arm", "right-arm")
        width[(down > 0.3 * self.unit) & (down < low) & ~arms] = 0.07 * self.unit
        if self.given.category is Category.LOWER:
            return width
        for side in SIDES:
            sleeve = self.parts.get(f"sleeve_{side}")
            if sleeve is not None:
                bare, place = self._bare_arm(side)
                end = self._sleeve_end(sleeve, place, bare) - 0.03
                sign = 1.0 if side == "left" else -1.0
                outer = aside * sign > 0.3 * self.unit
                width[outer & (place < end) & (down < 1.6 * self.unit)] = 0.10 * self.unit
                slope = (aside * sign > 0.24 * self.unit) & (down < 0.05 * self.unit)
                width[slope] = np.maximum(width[slope], 0.06 * self.unit)
        return width

    # --- the old garment goes ----------------------------------------------------------------

    def _dress_above_hem(self) -> Flags:
        """A worn dress counts as the old top only as far down as the new top reaches."""
        dress = self.parsing.where("dress")
        covered = self.given.warped.alpha[self.window] > 0.5
        columns = np.flatnonzero(covered.any(axis=0))
        if not len(columns):
            return dress
        height = covered.shape[0]
        hem = height - 1 - np.argmax(covered[::-1, columns], axis=0)
        # A sleeve's columns end higher than the hem; the hem is what lies under the middle.
        low = np.maximum(hem, np.median(hem))
        limit = np.interp(np.arange(covered.shape[1]), columns, low)
        return dress & (np.arange(height)[:, None] < limit[None] - 2)

    def _without_old(
        self, garment: Floats, arm_keep: Floats, arm_skin: Floats, front: Floats
    ) -> tuple[Floats, Flags]:
        """The photo without the old garment (Lab), and where it was taken away."""
        halo = max(1, round(0.012 * self.unit)) * 2 + 1
        wide = cv2.dilate(self.old.astype(np.float32), np.ones((halo, halo), np.uint8))
        wide = cv2.GaussianBlur(wide, (0, 0), max(0.8, halo / 6))
        keep = self.parsing.where(
            "face", "hair", "left-arm", "right-arm", "left-leg", "right-leg", "bag", "hat",
            "sunglasses", "left-shoe", "right-shoe",
        )  # fmt: skip
        if self.given.category is Category.UPPER:
            keep |= self.parsing.where("pants", "skirt")
        kept = np.maximum(self._soft(keep), np.maximum(front, arm_keep))
        gone = np.clip(wide * (1 - kept), 0, 1) * (1 - np.clip(garment * 1.02, 0, 1))
        gone = np.where(self.old & (garment < 0.98), np.maximum(gone, 1 - garment), gone)
        gone = np.maximum(gone, arm_skin).astype(np.float32)
        if not (gone > 0.01).any():
            return self.lab, gone > 0.5
        filled = self._background(gone)
        lower = self._lower()
        if lower is not None:
            filled = filled + (lower - filled) * self._lower_zone()[..., None]
        bare = np.maximum(self._skin_zone(), arm_skin)
        if ((bare > 0) & (gone > 0)).any():
            filled = filled + (self._skin() - filled) * bare[..., None]
        return self.lab + (filled - self.lab) * gone[..., None], gone > 0.5

    def _background(self, gone: Floats) -> Floats:
        """What lies behind the person, continued under where the old garment was."""
        known = ((self.person < 0.02) & (gone < 0.02)).astype(np.uint8)
        size = max(1, round(0.012 * self.unit)) * 2 + 1
        known = cv2.erode(known, np.ones((size, size), np.uint8))
        if known.sum() < 50:
            return self.lab
        return continue_textured(self.lab, known > 0, 0.12 * self.unit, step=self.step)

    def _lower(self) -> Floats | None:
        """The trousers or skirt, continued upward under the old top's hem."""
        known = self.parsing.where("pants", "skirt")
        if self.given.category is not Category.UPPER or known.sum() < 0.02 * self.unit**2:
            return None
        size = max(1, round(0.02 * self.unit)) * 2 + 1
        known = cv2.erode(known.astype(np.uint8), np.ones((size, size), np.uint8)) > 0
        return continue_textured(self.lab, known, 0.3 * self.unit, step=self.step)

    def _lower_zone(self) -> Floats:
        down, aside = self._torso_frame()
        span = float((self.body.hips - self.body.neck) @ self.body.down)
        waist = 0.80 * span
        half = self._half_widths(down, aside)
        inside = np.clip((half - np.abs(aside)) / 1.5 + 0.5, 0, 1)
        return (np.clip((down - waist) / (0.01 * self.unit) + 0.5, 0, 1) * inside).astype(
            np.float32
        )

    def _skin_zone(self) -> Floats:
        """Where skin is seen once the old garment is gone: arms, neck, yoke and midriff."""
        down, aside = self._torso_frame()
        zone = np.zeros(self.person.shape, np.float32)
        if self.given.category is not Category.UPPER and self.body.hips_seen:
            for side in SIDES:
                zone = np.maximum(zone, self._bare_leg(side))
            zone *= self._below_hips(down)
        if self.given.category is Category.LOWER:
            return zone
        for side in SIDES:
            bare, place = self._bare_arm(side)
            sleeve = self.parts.get(f"sleeve_{side}")
            if sleeve is not None:  # above its sleeve's end nothing of the arm is seen
                bare = bare * (place > self._sleeve_end(sleeve, place, bare) - 0.03)
            zone = np.maximum(zone, bare)
        half = self._half_widths(down, aside)
        body = np.clip((half - np.abs(aside)) / 1.5 + 0.5, 0, 1)
        span = float((self.body.hips - self.body.neck) @ self.body.down)
        body *= (down < 0.80 * span) & (down > -0.1 * self.unit)
        neck = np.clip((self._shoulder_top(np.abs(aside)) + down) / 1.5 + 0.5, 0, 1)
        yoke = neck * (down <= 0.02 * self.unit) * (np.abs(aside) < 0.56 * self.unit)
        return np.maximum(zone, np.maximum(body, yoke)).astype(np.float32)

    def _below_hips(self, down: Floats) -> Floats:
        span = float((self.body.hips - self.body.neck) @ self.body.down)
        return np.clip((down - span) / (0.02 * self.unit) + 0.5, 0, 1).astype(np.float32)

    def _shoulder_top(self, aside: Floats) -> Floats:
        at = np.linspace(0.0, 0.7, 15)
        rise = [np.mean([self.silhouette.shoulder_rise(float(a), s) for s in SIDES]) for a in at]
        return (np.interp(aside / self.unit, at, rise) * self.unit).astype(np.float32)

    def _half_widths(self, down: Floats, aside: Floats) -> Floats:
        at = np.linspace(-0.3, 2.2, 26) * self.unit
        left, right = (
            np.interp(down, at, [self.silhouette.half_width(float(a), side) for a in at])
            for side in SIDES
        )
        return np.where(aside > 0, left, right).astype(np.float32)

    def _torso_frame(self) -> tuple[Floats, Floats]:
        body, shape = self.body, self.person.shape
        ys, xs = np.mgrid[0 : shape[0], 0 : shape[1]].astype(np.float32)
        dx = xs + self.corner[0] - body.neck[0]
        dy = ys + self.corner[1] - body.neck[1]
        return dx * body.down[0] + dy * body.down[1], dx * body.across[0] + dy * body.across[1]

    def _skin(self) -> Floats:
        """This person's skin, continued from where it is seen, rounded over the limbs."""
        known = self.parsing.where("left-arm", "right-arm", "neck", "left-leg", "right-leg")
        size = max(1, round(0.015 * self.unit)) * 2 + 1
        known = cv2.erode(known.astype(np.uint8), np.ones((size, size), np.uint8)) > 0
        known &= (np.abs(self.lab - self.given.figure.tone) < (40, 14, 18)).all(axis=2)
        base = self.given.figure.tone
        if known.sum() > 0.03 * self.unit**2:
            base = np.median(self.lab[known], axis=0)
        filled = continue_smoothly(self.lab, known, base.astype(np.float32), step=self.step)
        filled[..., 0] *= self._roundness() * (0.5 + 0.5 * self.light.factor)
        fine = min(grain(self.lab[..., 0], known), 1.2)
        coarse = cv2.GaussianBlur(noise(self.person.shape, 14.0), (0, 0), 0.02 * self.unit)
        filled[..., 0] += noise(self.person.shape, fine) + np.clip(coarse, -1.2, 1.2)
        return filled

    def _roundness(self) -> Floats:
        """Lightness of a round limb: full in its middle, less towards its edges."""
        factor = np.ones(self.person.shape, np.float32)
        limbs = [self._bare_arm(side)[0] for side in SIDES]
        if self.given.category is not Category.UPPER and self.body.hips_seen:
            limbs += [self._bare_leg(side) for side in SIDES]
        for bare in limbs:
            if bare.any():
                depth = cv2.distanceTransform((bare > 0.5).astype(np.uint8), cv2.DIST_L2, 3)
                edge = np.clip(depth / (0.11 * self.unit), 0, 1)
                round_ = 0.68 + 0.32 * np.sqrt(1 - (1 - edge) ** 2)
                factor = np.where(bare > 0.5, round_, factor)
        return cv2.GaussianBlur(factor.astype(np.float32), (0, 0), max(0.8, 0.008 * self.unit))

    # --- the new garment ---------------------------------------------------------------------

    def _dressed(self) -> Floats:
        """The garment's colours under the photo's light (Lab)."""
        alpha = self.given.warped.alpha[self.window]
        lab = to_lab(self.given.warped.rgb[self.window])
        if (self.garment - alpha).max() > 0.02:
            solid = cv2.erode((alpha > 0.98).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
            grown = continue_smoothly(lab, solid, step=max(1, self.step // 2))
            lab = lab + (grown - lab) * (1 - np.minimum(1, alpha * 1.02))[..., None]
        factor = self.light.factor * self._rounded(1 - 0.6 * self.light.broad)
        light = lab[..., 0]
        # Light above the cloth's own colour may not burn it out: it only nears white.
        brighter = light + (99.0 - light) * np.minimum(1.5 * (factor - 1), 0.5)
        lab[..., 0] = np.where(factor > 1, np.minimum(light * factor, brighter), light * factor)
        return lab

    def _rounded(self, strength: float) -> Floats:
        """Darker towards the sides of torso and sleeves, where cloth turns away from the viewer."""
        factor = np.ones(self.person.shape, np.float32)
        for name, alpha in self.parts.items():
            width = 0.34 if name in TRUNK else 0.12
            depth = cv2.distanceTransform((alpha > 0.5).astype(np.uint8), cv2.DIST_L2, 3)
            edge = np.clip(depth / (width * self.unit), 0, 1)
            dark = 1 - strength * 0.30 * (1 - np.sqrt(1 - (1 - edge) ** 2))
            factor = factor * np.where(alpha > 0.5, dark, 1)
            if name not in TRUNK:  # a sleeve shades the torso beside it
                shadow = cv2.GaussianBlur(alpha, (0, 0), max(1.0, 0.03 * self.unit))
                factor = factor * np.where(alpha > 0.5, 1, 1 - 0.22 * shadow)
        return cv2.GaussianBlur(factor.astype(np.float32), (0, 0), max(0.8, 0.01 * self.unit))

    def _contact(self, ground: Floats, garment: Floats, gone: Flags) -> Floats:
        """The garment's soft shadow on skin and clothes right beside it."""
        near = cv2.GaussianBlur(garment, (0, 0), max(1.0, 0.012 * self.unit))
        on = self.parsing.where("neck", "left-arm", "right-arm", "pants", "skirt") | gone
        on &= self.person > 0.9
        soft = cv2.GaussianBlur(on.astype(np.float32), (0, 0), 1.5)
        shade = 0.30 * np.clip(near - 0.08, 0, 1) * soft * (1 - garment)
        out = ground.copy()
        out[..., 0] *= 1 - shade
        return out
