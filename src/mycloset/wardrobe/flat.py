"""Draws a garment laid flat, as shops photograph it, with its exact mask and landmarks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from mycloset.wardrobe.curves import (
    Floats,
    blur,
    coverage,
    floats,
    mirrored,
    path,
    smooth_noise,
    smoothstep,
    to_bytes,
    to_linear,
    to_srgb,
)
from mycloset.wardrobe.fabrics import as_float, paint, paint_front, weave_grain
from mycloset.wardrobe.folds import Fold, relief, shaken
from mycloset.wardrobe.garments import (
    SIDES,
    Cut,
    GarmentKind,
    GarmentSpec,
    Neckline,
    cut_garment,
)


class Ground(StrEnum):
    """What the garment lies on."""

    PLAIN = "plain"
    """near-white paper, as in most shops"""
    COLOURED = "coloured"
    WOOD = "wood"
    CLUTTERED = "cluttered"
    """patterned cloth with things around"""


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
        return np.dstack([self.rgb, to_bytes(self.mask)])


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
    sheet = _Sheet(spec, cut_garment(spec), size)
    rng = np.random.default_rng([7, spec.seed, size[0], size[1]])
    mask, colors = _cloth(sheet)
    light = _light(sheet, mask, rng)
    picture = to_linear(colors) * light[..., None]
    backdrop = to_linear(_backdrop(ground, size, rng)) * _shadow(mask, sheet.scale)[..., None]
    picture = backdrop + (picture - backdrop) * mask[..., None]
    rgb = to_bytes(to_srgb(picture) + rng.normal(0, 0.0035, picture.shape).astype(np.float32))
    landmarks = {
        name: sheet.to_pixels(floats([point]))[0] for name, point in sheet.cut.landmarks.items()
    }
    return FlatGarment(spec, rgb, mask, landmarks, sheet.scale, sheet.origin)


def details_of(spec: GarmentSpec) -> tuple[Floats, float, Floats]:
    """Seams and trims of a garment, to be carried onto a body.

    Returns:
        (h, w, 2) float32: a factor on the cloth's light, and 0..1 where a contrasting trim is;
        pixels a centimetre; (2,) the pixel of the cloth's origin.
    """
    cut = cut_garment(spec)
    left, top, right, bottom = cut.bounds
    size = (round((bottom - top) * 11 / 0.86), round((right - left) * 11 / 0.88))
    sheet = _Sheet(spec, cut, size)
    light = np.ones(size, np.float32)
    for seam, depth in _seams(sheet):
        light *= 1.0 - depth * seam
    trim = np.zeros(size, np.float32)
    for band in _bands(sheet):
        trim = np.maximum(trim, band)
    return np.dstack([light, trim]).astype(np.float32), sheet.scale, sheet.origin


class _Sheet:
    """The picture's frame: where each pixel lies in the cloth's centimetres."""

    def __init__(self, spec: GarmentSpec, cut: Cut, size: tuple[int, int]) -> None:
        self.spec, self.cut, self.size = spec, cut, size
        left, top, right, bottom = cut.bounds
        self.scale = min(size[0] * 0.86 / (bottom - top), size[1] * 0.88 / (right - left))
        self.origin = np.array(
            [size[1] / 2 - 0.5, size[0] / 2 - 0.5 - self.scale * (top + bottom) / 2], np.float32
        )
        columns, rows = np.meshgrid(
            np.arange(size[1], dtype=np.float32), np.arange(size[0], dtype=np.float32)
        )
        self.x = (columns - self.origin[0]) / np.float32(self.scale)
        self.y = (rows - self.origin[1]) / np.float32(self.scale)
        self.footprint = 1.0 / self.scale

    def to_pixels(self, points: Floats) -> Floats:
        return (points * np.float32(self.scale) + self.origin).astype(np.float32)

    def cover(self, polygon: Floats) -> Floats:
        return coverage(self.to_pixels(polygon), self.size)

    def stroke(self, points: Floats, width_cm: float, *, closed: bool = False) -> Floats:
        """(H, W) 0..1: a line of that width along the points."""
        canvas = np.zeros((self.size[0] * 2, self.size[1] * 2), np.uint8)
        at = np.round((self.to_pixels(points) + 0.25) * 2 * 16).astype(np.int32)
        thick = max(1, round(width_cm * self.scale * 2))
        cv2.polylines(canvas, [at], closed, 255, thick, cv2.LINE_AA, 4)
        small = cv2.resize(canvas, self.size[::-1], interpolation=cv2.INTER_AREA)
        return (small / np.float32(255)).astype(np.float32)


def _cloth(sheet: _Sheet) -> tuple[Floats, Floats]:
    """Coverage and unlit colours of the whole garment."""
    spec, cut = sheet.spec, sheet.cut
    fabric, foot = spec.fabric, sheet.footprint
    mask = np.zeros(sheet.size, np.float32)
    colors = paint_front(fabric, sheet.x, sheet.y, foot)
    colors *= weave_grain(fabric, sheet.x, sheet.y, foot)[..., None]
    body = sheet.cover(cut.body)
    if cut.neck.size:
        # The inside of the back shows above the front's neckline.
        opening = path(
            mirrored(cut.back_neck), cut.back_neck, cut.neck[::-1], mirrored(cut.neck)[::-1]
        )
        inside = sheet.cover(opening)
        hollow = paint(fabric, sheet.x, sheet.y, foot) * np.float32(0.74)
        # The label that shops leave in.
        low = float(cut.back_neck[0, 1])
        label = (np.abs(sheet.x) < 2.1) & (np.abs(sheet.y - low - 1.9) < 0.95)
        tag = (
            floats([0.93, 0.92, 0.90])
            * (1 - 0.25 * (np.abs(sheet.y - low - 1.9) < 0.16))[..., None]
        )
        hollow += (tag - hollow) * label[..., None]
        colors += (hollow - colors) * ((1 - body) * inside)[..., None]
        mask = np.maximum(mask, inside)
    if cut.sleeve is not None:
        for sign in SIDES.values():
            outline = cut.sleeve.outline if sign > 0 else mirrored(cut.sleeve.outline)
            cover = sheet.cover(outline)
            across, along = cut.sleeve.to_local(sheet.x * np.float32(sign), sheet.y)
            piece = paint(fabric, across, along, foot)
            piece *= weave_grain(fabric, across, along, foot)[..., None]
            colors += (piece - colors) * (cover * (1 - body))[..., None]
            mask = np.maximum(mask, np.minimum(mask + cover, 1.0))
    mask = np.maximum(mask, np.minimum(mask + body, 1.0))
    trim = as_float(spec.trim) if spec.trim is not None else None
    for band in _bands(sheet):
        if trim is not None:
            colors += (trim - colors) * band[..., None]
    return mask.astype(np.float32), colors.astype(np.float32)


def _bands(sheet: _Sheet) -> list[Floats]:
    """(H, W) 0..1 each: collar, cuffs and waistband, where a contrasting trim would be."""
    spec, cut = sheet.spec, sheet.cut
    body = sheet.cover(cut.body)
    bands = []
    if cut.neck.size:
        bands.append(sheet.stroke(path(mirrored(cut.neck), cut.neck), 2 * collar_cm(spec)) * body)
        bands.append(
            sheet.stroke(path(mirrored(cut.back_neck), cut.back_neck), 2 * collar_cm(spec))
            * (1 - body)
        )
    else:
        bands.append(smoothstep(0.05, -0.05, sheet.y - waistband_cm(spec)) * body)
    if cut.sleeve is None and cut.armhole.size:
        for line in (cut.armhole, mirrored(cut.armhole)):
            bands.append(sheet.stroke(line, 2.4) * body)
    if cut.sleeve is not None:
        for sign in SIDES.values():
            _, along = cut.sleeve.to_local(sheet.x * np.float32(sign), sheet.y)
            near = smoothstep(-0.05, 0.05, along - (cut.sleeve.length - cuff_cm(spec)))
            bands.append(near * (1 - body) * (sheet.x * np.float32(sign) > 0))
    return bands


def collar_cm(spec: GarmentSpec) -> float:
    """Width of the collar's band."""
    return 1.3 if spec.neckline is Neckline.SCOOP else 2.0


def cuff_cm(spec: GarmentSpec) -> float:
    """Width of the cuffs' band."""
    return 5.0 if (spec.sleeve_cm or 0) > 35 or spec.kind is GarmentKind.LONG_SLEEVE else 2.2


def waistband_cm(spec: GarmentSpec) -> float:
    """Width of the waistband."""
    return 4.0 if spec.kind is GarmentKind.TROUSERS else 3.2


def _light(sheet: _Sheet, mask: Floats, rng: np.random.Generator) -> Floats:
    """(H, W) factor on the cloth's colour: folds, rounded edges, seams, the hollow of the neck."""
    cut, scale = sheet.cut, sheet.scale
    surface = _folds(sheet, rng)
    # Cloth is thick: it rounds off towards its edges.
    surface += 0.55 * blur(mask, 0.55 * scale) + 0.5 * blur(mask, 1.6 * scale)
    slope_y, slope_x = np.gradient(surface, sheet.footprint)
    facing = 1.0 / np.sqrt(1.0 + slope_x**2 + slope_y**2)
    light = (0.86 - 0.42 * slope_x * facing - 0.50 * slope_y * facing) * facing + 0.10
    light = np.clip(light, 0.25, 1.22).astype(np.float32)
    for seam, depth in _seams(sheet):
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
    return light


def _seams(sheet: _Sheet) -> list[tuple[Floats, float]]:
    """Lines of stitching: (H, W) 0..1 and how dark."""
    spec, cut = sheet.spec, sheet.cut
    body = sheet.cover(cut.body)
    found: list[tuple[Floats, float]] = []
    if cut.neck.size:
        neck = path(mirrored(cut.neck), cut.neck)
        band = 2 * collar_cm(spec)
        rim = sheet.stroke(neck, band + 0.14) - sheet.stroke(neck, band - 0.10)
        found.append((np.clip(rim, 0, 1) * body, 0.30))
        ribs = 0.5 + 0.5 * np.sin(np.arctan2(sheet.x, 12.0 - sheet.y) * np.float32(190))
        found.append((sheet.stroke(neck, band) * body * ribs, 0.07))
        for line in (cut.armhole, mirrored(cut.armhole)):
            if cut.sleeve is not None:
                found.append((sheet.stroke(line, 0.16), 0.30))
            else:
                rim = sheet.stroke(line, 2.5) - sheet.stroke(line, 2.25)
                found.append((np.clip(rim, 0, 1) * body, 0.25))
    for rise in (2.2,):
        bottom = _hem_line(cut) - floats([0, rise])
        found.append((sheet.stroke(bottom, 0.14) * body, 0.24))
    if spec.kind is GarmentKind.TROUSERS:
        for sign in SIDES.values():
            hem = cut.leg[-1]
            line = floats([[sign * hem[1], hem[0] - 2.2], [sign * hem[2], hem[0] - 2.5]])
            found.append((sheet.stroke(line, 0.14) * body, 0.24))
        found += _trouser_details(sheet, body)
    elif not cut.neck.size:
        band = smoothstep(0.12, 0.0, np.abs(sheet.y - waistband_cm(spec)))
        found.append((band * body, 0.34))
    if spec.kind is GarmentKind.DRESS:
        waist = cut.landmarks["waist_left"][1]
        line = smoothstep(0.14, 0.0, np.abs(sheet.y - waist - 1.0 + 0.0025 * sheet.x**2))
        found.append((line * body, 0.30))
    if cut.sleeve is not None:
        for sign in SIDES.values():
            across, along = cut.sleeve.to_local(sheet.x * np.float32(sign), sheet.y)
            outside = (1 - body) * (sheet.x * np.float32(sign) > 0)
            at = cut.sleeve.length - cuff_cm(spec)
            found.append((smoothstep(0.12, 0.02, np.abs(along - at)) * outside, 0.28))
            if cuff_cm(spec) > 3:
                ribs = 0.5 + 0.5 * np.sin(across * np.float32(2 * np.pi / 0.42))
                found.append((ribs * outside * (along > at), 0.14))
    return found


def _hem_line(cut: Cut) -> Floats:
    low = cut.body[cut.body[:, 1] > cut.hem - 2.0]
    return low[np.argsort(low[:, 0])]


def _trouser_details(sheet: _Sheet, body: Floats) -> list[tuple[Floats, float]]:
    """Waistband, fly, pockets, creases."""
    cut = sheet.cut
    band = waistband_cm(sheet.spec)
    sag = 1.1 * (1 - (sheet.x / cut.landmarks["waist_left"][0]) ** 2)
    found = [(smoothstep(0.14, 0.0, np.abs(sheet.y - band - sag)) * body, 0.42)]
    fly = floats([[0.3, band + 1], [0.25, 18.0], [0.0, 27.0]])
    found.append((sheet.stroke(fly, 0.16) * body, 0.45))
    curved = path(
        *[floats([[3.4, band + 1]]), floats([[3.4, 14.0], [2.6, 17.5], [0.3, 20.0]])]
    )
    found.append((sheet.stroke(curved, 0.10) * body, 0.28))
    for sign in SIDES.values():
        waist = cut.landmarks["waist_left"][0]
        pocket = np.float32(
            [
                [sign * (waist - 6.5), band + 0.8],
                [sign * (waist - 4.5), 11.0],
                [sign * (waist + 3.0), 16.0],
            ]
        )
        found.append((sheet.stroke(pocket, 0.18) * body, 0.42))
        loop = floats([[sign * 9.0, 0.2], [sign * 9.0, band + 1.2]])
        found.append((sheet.stroke(loop, 1.0) * body, 0.10))
    return found


def _folds(sheet: _Sheet, rng: np.random.Generator) -> Floats:
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


def _backdrop(ground: Ground, size: tuple[int, int], rng: np.random.Generator) -> Floats:
    """(H, W, 3) sRGB 0..1."""
    height, width = size
    rows = np.linspace(-1, 1, height, dtype=np.float32)[:, None]
    columns = np.linspace(-1, 1, width, dtype=np.float32)[None, :]
    vignette = 1.0 - 0.035 * (rows**2 + columns**2)
    base: tuple[float, float, float] = (0.965, 0.963, 0.96)
    if ground is Ground.COLOURED:
        base = (0.73, 0.80, 0.80)
    picture = floats(base) * vignette[..., None]
    if ground is Ground.WOOD:
        plank = np.floor((rows + 1) * 3.5) + np.zeros_like(columns)
        tone = 0.06 * np.sin(plank * 12.9898)
        streaks = smooth_noise(size, (height / 260, width / 5), rng, octaves=3)
        gap = smoothstep(0.012, 0.0, np.abs((rows + 1) * 3.5 - np.round((rows + 1) * 3.5)))
        value = (0.80 + tone + 0.035 * streaks) * (1 - 0.5 * gap)
        picture = floats([0.86, 0.72, 0.56]) * value[..., None] * vignette[..., None]
    if ground is Ground.CLUTTERED:
        picture = _clutter(size, rng) * vignette[..., None]
    return picture.astype(np.float32)


def _clutter(size: tuple[int, int], rng: np.random.Generator) -> Floats:
    height, width = size
    columns, rows = np.meshgrid(np.arange(width), np.arange(height))
    weave = 0.5 + 0.5 * np.sin(columns / width * 120) * np.sin(rows / width * 120)
    picture = floats([0.62, 0.57, 0.53]) + 0.10 * weave[..., None].astype(np.float32)
    picture += 0.03 * smooth_noise(size, (height / 6, width / 6), rng, octaves=3)[..., None]
    canvas = to_bytes(picture)
    for _ in range(16):
        at = rng.uniform(0, 1, 2)
        edge = int(rng.integers(0, 4))
        at[edge % 2] = (0.02, 0.98)[edge // 2] + rng.normal(0, 0.02)
        color = [int(v) for v in rng.integers(40, 230, 3)]
        center = (int(at[1] * width), int(at[0] * height))
        axes = (int(rng.uniform(0.02, 0.09) * width), int(rng.uniform(0.02, 0.09) * width))
        cv2.ellipse(
            canvas, center, axes, float(rng.uniform(0, 180)), 0, 360, color, -1, cv2.LINE_AA
        )
    return (canvas / np.float32(255)).astype(np.float32)
