"""Draws a garment laid flat, as shops photograph it, with its exact mask and landmarks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from mycloset.wardrobe.curves import (
    Floats,
    blur,
    floats,
    smooth_noise,
    smoothstep,
    to_bytes,
    to_linear,
    to_srgb,
)
from mycloset.wardrobe.cuts import cut_garment
from mycloset.wardrobe.folds import Fold, relief, shaken
from mycloset.wardrobe.garments import SIDES, Cut, GarmentKind, GarmentSpec
from mycloset.wardrobe.grounds import Ground, backdrop_under
from mycloset.wardrobe.sheet import Sheet, lay_out, seams


@dataclass(frozen=True)
class FlatGarment:
    """A garment's shop photo, and what is true of it.

    Attributes:
        spec: what was drawn.
        rgb: (H, W, 3) uint8.
        mask: (H, W) float32 0..1, the garment's coverage.
        landmarks: name -> (2,) float32 x, y in pixels; names as in `tasks.GarmentShape`.
        pixels_per_cm: the picture's scale.
        origin: (2,) float32, where the cloth's own origin lies, in pixels.
    """

    spec: GarmentSpec
    rgb: NDArray[np.uint8]
    mask: Floats
    landmarks: Mapping[str, Floats]
    pixels_per_cm: float
    origin: Floats

    @property
    def category(self) -> str:
        """`upper`, `lower` or `dress`."""
        return self.spec.kind.category

    def to_pixels(self, cm: ArrayLike) -> Floats:
        """(..., 2) pixels of this picture of (..., 2) places in cm on the cloth."""
        return floats(floats(cm) * np.float32(self.pixels_per_cm) + self.origin)

    @property
    def rgba(self) -> NDArray[np.uint8]:
        """(H, W, 4) uint8: the picture with the mask as its alpha channel."""
        return np.dstack([self.rgb, to_bytes(self.mask)]).astype(np.uint8)


def draw_garment(
    spec: GarmentSpec, size: tuple[int, int] = (1024, 768), *, ground: Ground = Ground.PLAIN
) -> FlatGarment:
    """Draw a garment laid flat.

    Args:
        spec: what to draw.
        size: height and width of the picture in pixels.
        ground: what it lies on.

    Returns:
        The picture; the same arguments always give the same one.
    """
    sheet = Sheet(spec, cut_garment(spec), size)
    rng = np.random.default_rng([7, spec.seed, size[0], size[1]])
    mask, colors = lay_out(sheet)
    light = _light(sheet, mask, rng)
    picture = to_linear(colors) * light[..., None]
    backdrop = to_linear(backdrop_under(ground, size, rng)) * _shadow(mask, sheet.scale)[..., None]
    picture = backdrop + (picture - backdrop) * mask[..., None]
    rgb = to_bytes(to_srgb(picture) + rng.normal(0, 0.0035, picture.shape).astype(np.float32))
    landmarks = {
        name: sheet.to_pixels(floats([point]))[0] for name, point in sheet.cut.landmarks.items()
    }
    return FlatGarment(spec, rgb, mask, landmarks, sheet.scale, sheet.origin)


def _light(sheet: Sheet, mask: Floats, rng: np.random.Generator) -> Floats:
    """(H, W) factor on the cloth's colour: folds, rounded edges, seams, the hollow of the neck."""
    cut, scale = sheet.cut, sheet.scale
    surface = _folds(sheet, rng)
    # Cloth is thick: it rounds off towards its edges.
    surface += 0.55 * blur(mask, 0.55 * scale) + 0.5 * blur(mask, 1.6 * scale)
    slope_y, slope_x = np.gradient(surface, sheet.footprint)
    facing = 1.0 / np.sqrt(1.0 + slope_x**2 + slope_y**2)
    light = (0.86 - 0.42 * slope_x * facing - 0.50 * slope_y * facing) * facing + 0.10
    light = np.clip(light, 0.25, 1.22).astype(np.float32)
    for seam, depth in seams(sheet):
        light *= 1.0 - depth * seam
    if cut.neck.size:
        body = sheet.cover(cut.body)
        hollow = (1 - body) * (sheet.y < float(cut.neck[0, 1]) + 0.5)
        hollow *= np.abs(sheet.x) < float(cut.neck[-1, 0])
        fall = smoothstep(float(cut.neck[0, 1]) + 1.0, 0.5, sheet.y)
        light *= 1.0 - hollow * (0.10 + 0.30 * (1 - fall))
        # The front throws a little shadow on the back behind it.
        light *= 1.0 - 0.25 * (1 - body) * blur(body, 0.5 * scale) * hollow
        if cut.sleeve is not None:
            # Where the sleeve goes under the body it lies a little lower.
            under = (
                (1 - body) * blur(body, 0.9 * scale) * (sheet.y > cut.landmarks["shoulder_left"][1])
            )
            light *= 1.0 - 0.16 * under
    return floats(light)


def _folds(sheet: Sheet, rng: np.random.Generator) -> Floats:
    """(H, W) height in cm of the folds in which the garment lies."""
    step = max(1, round(sheet.scale / 3.0))
    small = (max(2, sheet.size[1] // step), max(2, sheet.size[0] // step))
    x = cv2.resize(sheet.x, small, interpolation=cv2.INTER_AREA)
    y = cv2.resize(sheet.y, small, interpolation=cv2.INTER_AREA)
    height = relief(shaken(_fold_lines(sheet.spec, sheet.cut), rng), x, y)
    cell = sheet.scale / step
    height += 0.20 * smooth_noise(small[::-1], (24 * cell, 9 * cell), rng, octaves=2)
    # A crease is rounder on one side than on the other: let the relief lean a little.
    height += 0.10 * smooth_noise(small[::-1], (6 * cell, 5 * cell), rng, octaves=2)
    return np.asarray(
        cv2.resize(height, sheet.size[::-1], interpolation=cv2.INTER_CUBIC), np.float32
    )


def _fold_lines(spec: GarmentSpec, cut: Cut) -> list[Fold]:
    """The folds in which a garment of this cut lies, in cm."""
    lines: list[Fold] = []

    def add(x0: float, y0: float, x1: float, y1: float, width: float, height: float) -> None:
        lines.append(Fold((x0, y0), (x1, y1), width, 1.5 * height))

    marks = cut.landmarks
    for sign in SIDES.values():
        if "armpit_left" in marks:
            ax, ay = marks["armpit_left"]
            add(sign * ax, ay, sign * ax * 0.45, ay + 14, 1.1, 0.40)
            add(sign * ax, ay + 1, sign * ax * 0.62, ay + 26, 1.4, 0.42)
            add(sign * (ax - 2), ay - 2, sign * ax * 0.35, ay - 7, 1.2, -0.26)
            add(sign * ax * 0.8, cut.hem, sign * ax * 0.62, cut.hem - 26, 1.9, 0.34)
            add(sign * ax * 0.28, cut.hem, sign * ax * 0.40, cut.hem - 20, 1.9, 0.26)
        if cut.sleeve is not None:
            sleeve = cut.sleeve
            count = 2 if sleeve.length < 35 else 6
            for index in range(count):
                along = sleeve.length * (0.30 + 0.62 * index / count)
                half = float(sleeve.half_width(floats(along)))
                x0, y0 = sleeve.to_flat(floats(-half), floats(along))
                x1, y1 = sleeve.to_flat(floats(half * 0.9), floats(along + 5.0))
                add(sign * float(x0), float(y0), sign * float(x1), float(y1), 0.9, 0.34)
        if spec.kind is GarmentKind.DRESS:
            waist = marks["waist_left"]
            for share in (0.15, 0.42, 0.70, 0.95):
                bottom = marks["hem_left"][0] * share * 1.02
                add(sign * bottom, cut.hem + 4, sign * waist[0] * share, waist[1] - 2, 2.2, 0.62)
        if spec.kind is GarmentKind.SKIRT:
            for share in (0.10, 0.38, 0.66, 0.93):
                bottom = marks["hem_outer_left"][0] * share * 1.02
                top = marks["waist_left"][0] * share
                add(sign * bottom, cut.hem + 4, sign * top, -2.0, 2.0, 0.30 + 0.03 * spec.flare_cm)
        if spec.kind is GarmentKind.TROUSERS:
            add(sign * 0.5, 26, sign * 13, 20, 1.2, 0.40)
            add(sign * 1.0, 29, sign * 15, 30, 1.3, 0.36)
            add(sign * 1.5, 31, sign * 13, 40, 1.4, 0.30)
            middle = 0.5 * float(cut.leg[-1, 1] + cut.leg[-1, 2])
            add(sign * middle, cut.hem + 6, sign * (middle + 0.5), 30, 1.6, 0.42)
            knee = cut.hem * 0.6
            add(sign * (middle - 7), knee, sign * (middle + 7), knee + 4, 1.2, 0.22)
    return lines


def _shadow(mask: Floats, scale: float) -> Floats:
    """(H, W) factor: the soft shadow that the garment throws on its ground."""
    shift = floats([[1, 0, 0.35 * scale], [0, 1, 0.7 * scale]])
    near = cv2.warpAffine(mask, shift, mask.shape[::-1])
    return (1.0 - 0.20 * blur(near, 0.45 * scale) - 0.14 * blur(near, 1.8 * scale)).astype(
        np.float32
    )
