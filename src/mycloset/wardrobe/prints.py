"""Graphics that are printed on a garment: emblems and lettering that show every error of a warp."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from mycloset.wardrobe.curves import Floats

Color = tuple[int, int, int]

PIXELS_PER_CM = 24


class Motif(StrEnum):
    """What is printed."""

    EMBLEM = "emblem"
    """a round badge: rings, a sun over waves"""
    TEXT = "text"
    """a line of lettering"""
    COLLEGE = "college"
    """lettering between two bars, with a small line under it"""
    MOUNTAINS = "mountains"
    """a landscape in a rounded frame"""
    HANGER = "hanger"
    """a clothes hanger in a ring: MyCloset's mark"""


@dataclass(frozen=True)
class Print:
    """One printed graphic.

    Attributes:
        motif: what is printed.
        center: x and y of its middle, in centimetres of the body piece.
        width_cm: its width; the height follows from the motif.
        colors: its inks, most important first; at least three.
        text: the lettering, for the motifs that have some.
    """

    motif: Motif
    center: tuple[float, float]
    width_cm: float
    colors: tuple[Color, ...] = ((255, 255, 255), (230, 120, 60), (40, 60, 90))
    text: str = "MyCloset"


def sample_print(printed: Print, x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """Ink and its coverage at places of the body piece.

    Args:
        printed: the graphic.
        x, y: (H, W) centimetres of the body piece.

    Returns:
        (H, W, 3) float32 sRGB 0..1 and (H, W) float32 0..1.
    """
    graphic = draw_motif(printed)
    height, width = graphic.shape[:2]
    scale = width / printed.width_cm
    columns = (x - printed.center[0]) * scale + (width - 1) / 2
    rows = (y - printed.center[1]) * scale + (height - 1) / 2
    # Pixels of the picture are larger than the graphic's: soften it first, or thin lines flicker.
    step = float(np.median(np.abs(np.diff(columns, axis=1)))) if columns.shape[1] > 1 else 1.0
    if np.isfinite(step) and step > 1.5:
        graphic = np.asarray(cv2.GaussianBlur(graphic, (0, 0), 0.35 * step))
    sampled = cv2.remap(
        graphic,
        columns.astype(np.float32),
        rows.astype(np.float32),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=(0, 0, 0, 0),
    )
    cover = sampled[..., 3]
    ink = sampled[..., :3] / np.maximum(cover, 1e-4)[..., None]
    return ink.astype(np.float32), cover.astype(np.float32)


@lru_cache(maxsize=32)
def draw_motif(printed: Print) -> NDArray[np.float32]:
    """(h, w, 4) float32, premultiplied RGBA 0..1, PIXELS_PER_CM a centimetre."""
    width = round(printed.width_cm * PIXELS_PER_CM)
    painters = {
        Motif.EMBLEM: _emblem,
        Motif.TEXT: _text,
        Motif.COLLEGE: _college,
        Motif.MOUNTAINS: _mountains,
        Motif.HANGER: _hanger,
    }
    big = painters[printed.motif](printed, width * 2)
    small = big.resize((width, round(big.height / 2)), Image.Resampling.LANCZOS)
    rgba = np.asarray(small, np.float32) / 255
    rgba[..., :3] *= rgba[..., 3:]
    # A clear border keeps the interpolation at the rim from repeating the last row.
    return np.pad(rgba, ((2, 2), (2, 2), (0, 0)))


def _blank(width: int, height: int) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    image = Image.new("RGBA", (width, height), (0, 0, 0, 0))
    return image, ImageDraw.Draw(image)


def _disc(pen: ImageDraw.ImageDraw, x: float, y: float, radius: float, color: Color) -> None:
    pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=(*color, 255))


def _lettering(
    image: Image.Image, text: str, color: Color, middle: tuple[float, float], width: float
) -> float:
    """Write `text` so that it is `width` wide around `middle`; returns its height."""
    probe = ImageFont.load_default(size=200)
    left, _, right, _ = probe.getbbox(text)
    size = 200 * width / max(1.0, right - left)
    font = ImageFont.load_default(size=size)
    stroke = max(1, round(size * 0.028))
    box = font.getbbox(text, stroke_width=stroke)
    at = (middle[0] - (box[0] + box[2]) / 2, middle[1] - (box[1] + box[3]) / 2)
    ImageDraw.Draw(image).text(at, text, (*color, 255), font, stroke_width=stroke)
    return float(box[3] - box[1])


def _text(printed: Print, width: int) -> Image.Image:
    height = round(width * 0.36)
    image, _ = _blank(width, height)
    _lettering(image, printed.text, printed.colors[0], (width / 2, height / 2), width * 0.94)
    return image


def _college(printed: Print, width: int) -> Image.Image:
    height = round(width * 0.52)
    image, pen = _blank(width, height)
    ink, bar, small = printed.colors[:3]
    thick = height * 0.055
    for row in (0.05, 0.92):
        pen.rectangle((0, height * row, width, height * row + thick * 0.9), fill=(*bar, 255))
    _lettering(image, printed.text, ink, (width / 2, height * 0.38), width * 0.96)
    _lettering(image, "WARDROBE  DEPARTMENT", small, (width / 2, height * 0.77), width * 0.86)
    return image


def _emblem(printed: Print, width: int) -> Image.Image:
    ring, sun, sea = printed.colors[:3]
    sky = printed.colors[3] if len(printed.colors) > 3 else (250, 244, 230)
    image, pen = _blank(width, width)
    middle, radius = width / 2, width / 2 - 2
    _disc(pen, middle, middle, radius, ring)
    _disc(pen, middle, middle, radius * 0.94, sky)
    _disc(pen, middle, middle, radius * 0.91, ring)
    _disc(pen, middle, middle, radius * 0.84, sky)
    scene, brush = _blank(width, width)
    for angle in np.arange(0, 360, 20.0):
        reach = np.deg2rad(np.array([angle - 3.2, angle + 3.2]))
        tips = [
            (middle + radius * 0.95 * np.sin(a), middle * 0.98 - radius * 0.95 * np.cos(a))
            for a in reach
        ]
        brush.polygon([(middle, middle * 0.98), *tips], fill=(*_between(sky, sun, 0.35), 255))
    _disc(brush, middle, middle * 0.98, radius * 0.42, sky)
    _disc(brush, middle, middle * 0.98, radius * 0.37, sun)
    waves = ((0.08, sea), (0.27, _between(sea, sky, 0.35)), (0.46, sea))
    for index, (row, color) in enumerate(waves):
        at = np.linspace(0, width, 200)
        swell = np.sin(at / width * 2 * np.pi * 3.5 + index * 2.0)
        crest = middle + radius * (row + 0.055 * swell)
        edge = [(float(a), float(b)) for a, b in zip(at, crest, strict=True)]
        brush.polygon([*edge, (width, width), (0, width)], fill=(*color, 255))
    hole = Image.new("L", (width, width), 0)
    inner = radius * 0.80
    ImageDraw.Draw(hole).ellipse(
        (middle - inner, middle - inner, middle + inner, middle + inner), 255
    )
    image.paste(
        scene, (0, 0), Image.composite(scene.getchannel("A"), hole.point(lambda _: 0), hole)
    )
    return image


def _mountains(printed: Print, width: int) -> Image.Image:
    height = round(width * 1.12)
    sky, peak, near = printed.colors[:3]
    image, _ = _blank(width, height)
    scene, brush = _blank(width, height)
    brush.rectangle((0, 0, width, height), fill=(*sky, 255))
    _disc(brush, width * 0.66, height * 0.30, width * 0.15, _between(sky, (255, 255, 255), 0.75))
    far = [(-0.1, 0.8), (0.18, 0.42), (0.32, 0.55), (0.5, 0.30), (0.78, 0.62), (1.1, 0.45)]
    hills = [(-0.1, 0.72), (0.2, 0.62), (0.42, 0.76), (0.7, 0.58), (1.1, 0.8)]
    shore = [(-0.1, 0.9), (0.3, 0.82), (0.62, 0.9), (1.1, 0.8)]
    for points, color in (
        (far, peak), (hills, near), (shore, _between(near, (10, 10, 20), 0.4)),
    ):  # fmt: skip
        outline = [*points, (1.1, 1.0), (-0.1, 1.0)]
        brush.polygon([(x * width, y * height) for x, y in outline], fill=(*color, 255))
    snow = [(0.5, 0.30), (0.40, 0.405), (0.46, 0.385), (0.50, 0.42), (0.54, 0.38), (0.615, 0.432)]
    brush.polygon([(x * width, y * height) for x, y in snow], fill=(250, 250, 250, 255))
    hole = Image.new("L", (width, height), 0)
    ImageDraw.Draw(hole).rounded_rectangle((1, 1, width - 2, height * 0.86), width * 0.09, 255)
    image.paste(scene, (0, 0), hole)
    _lettering(image, printed.text, near, (width / 2, height * 0.935), width * 0.62)
    return image


def _hanger(printed: Print, width: int) -> Image.Image:
    ring, wire, ground = printed.colors[:3]
    image, pen = _blank(width, width)
    middle, radius = width / 2, width / 2 - 2
    _disc(pen, middle, middle, radius, ring)
    _disc(pen, middle, middle, radius * 0.93, ground)
    thick = round(width * 0.045)
    points = [
        (middle, middle - radius * 0.18),
        (middle + radius * 0.62, middle + radius * 0.30),
        (middle - radius * 0.62, middle + radius * 0.30),
        (middle, middle - radius * 0.18),
        (middle, middle - radius * 0.30),
    ]
    pen.line(points, fill=(*wire, 255), width=thick, joint="curve")
    for point in points:
        _disc(pen, *point, thick / 2, wire)
    hook = (
        middle - radius * 0.15,
        middle - radius * 0.60,
        middle + radius * 0.15,
        middle - radius * 0.30,
    )
    pen.arc(hook, 170, 90, fill=(*wire, 255), width=thick)
    _lettering(image, printed.text, wire, (middle, middle + radius * 0.53), radius * 0.95)
    return image


def _between(one: Color, other: Color, share: float) -> Color:
    mixed = np.asarray(one) * (1 - share) + np.asarray(other) * share
    return int(mixed[0]), int(mixed[1]), int(mixed[2])
