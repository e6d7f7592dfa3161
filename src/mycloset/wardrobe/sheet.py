"""A garment's flat drawing without its light: places in the cloth, colours, seams, trims."""

from __future__ import annotations

import cv2
import numpy as np

from mycloset.wardrobe.curves import Floats, coverage, floats, mirrored, path, smoothstep
from mycloset.wardrobe.cuts import cut_garment
from mycloset.wardrobe.fabrics import as_float, paint, paint_front, weave_grain
from mycloset.wardrobe.garments import (
    SIDES,
    Cut,
    GarmentKind,
    GarmentSpec,
    Neckline,
)


class Sheet:
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


def details_of(spec: GarmentSpec) -> tuple[Floats, float, Floats]:
    """Seams and trims of a garment, to be carried onto a body.

    Returns:
        (h, w, 3) float32: a factor on the cloth's light, 0..1 where a contrasting trim is, and 0..1
        where the garment is at all;
        pixels a centimetre; (2,) the pixel of the cloth's origin.
    """
    cut = cut_garment(spec)
    left, top, right, bottom = cut.bounds
    size = (round((bottom - top) * 11 / 0.86), round((right - left) * 11 / 0.88))
    sheet = Sheet(spec, cut, size)
    light = np.ones(size, np.float32)
    for seam, depth in seams(sheet):
        light *= 1.0 - depth * seam
    trim = np.zeros(size, np.float32)
    for band in trims(sheet):
        trim = np.maximum(trim, band)
    mask, _ = lay_out(sheet)
    return np.dstack([light, trim, mask]).astype(np.float32), sheet.scale, sheet.origin


def lay_out(sheet: Sheet) -> tuple[Floats, Floats]:
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
    for band in trims(sheet):
        if trim is not None:
            colors += (trim - colors) * band[..., None]
    return mask.astype(np.float32), colors.astype(np.float32)


def trims(sheet: Sheet) -> list[Floats]:
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


def seams(sheet: Sheet) -> list[tuple[Floats, float]]:
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
        for hole in (cut.armhole, mirrored(cut.armhole)):
            if cut.sleeve is not None:
                found.append((sheet.stroke(hole, 0.16), 0.30))
            else:
                rim = sheet.stroke(hole, 2.5) - sheet.stroke(hole, 2.25)
                found.append((np.clip(rim, 0, 1) * body, 0.25))
    bottom = floats(_hem_line(cut) - floats([0, 2.2]))
    found.append((sheet.stroke(bottom, 0.14) * body, 0.24))
    if spec.kind is GarmentKind.TROUSERS:
        for sign in SIDES.values():
            low, inner, outer = (float(v) for v in cut.leg[-1])
            stitch = floats([[sign * inner, low - 2.2], [sign * outer, low - 2.5]])
            found.append((sheet.stroke(stitch, 0.14) * body, 0.24))
        found += _trouser_details(sheet, body)
    elif not cut.neck.size:
        edge = smoothstep(0.12, 0.0, np.abs(sheet.y - waistband_cm(spec)))
        found.append((edge * body, 0.34))
    if spec.kind is GarmentKind.DRESS:
        waist = cut.landmarks["waist_left"][1]
        seam = smoothstep(0.14, 0.0, np.abs(sheet.y - waist - 1.0 + 0.0025 * sheet.x**2))
        found.append((seam * body, 0.30))
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


def collar_cm(spec: GarmentSpec) -> float:
    """Width of the collar's band."""
    return 1.3 if spec.neckline is Neckline.SCOOP else 2.0


def cuff_cm(spec: GarmentSpec) -> float:
    """Width of the cuffs' band."""
    return 5.0 if (spec.sleeve_cm or 0) > 35 or spec.kind is GarmentKind.LONG_SLEEVE else 2.2


def waistband_cm(spec: GarmentSpec) -> float:
    """Width of the waistband."""
    return 4.0 if spec.kind is GarmentKind.TROUSERS else 3.2


def _hem_line(cut: Cut) -> Floats:
    low = cut.body[cut.body[:, 1] > cut.hem - 2.0]
    return low[np.argsort(low[:, 0])]


def _trouser_details(sheet: Sheet, body: Floats) -> list[tuple[Floats, float]]:
    """Waistband, fly, pockets, creases."""
    cut = sheet.cut
    band = waistband_cm(sheet.spec)
    sag = 1.1 * (1 - (sheet.x / cut.landmarks["waist_left"][0]) ** 2)
    found = [(smoothstep(0.14, 0.0, np.abs(sheet.y - band - sag)) * body, 0.42)]
    fly = floats([[0.3, band + 1], [0.25, 18.0], [0.0, 27.0]])
    found.append((sheet.stroke(fly, 0.16) * body, 0.45))
    curved = floats([[3.4, band + 1], [3.4, 14.0], [2.6, 17.5], [0.3, 20.0]])
    found.append((sheet.stroke(curved, 0.10) * body, 0.28))
    for sign in SIDES.values():
        waist = cut.landmarks["waist_left"][0]
        pocket = floats(
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
