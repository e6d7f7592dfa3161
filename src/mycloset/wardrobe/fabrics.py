"""What a garment is made of: colours, pattern and prints as functions of the cloth's own places."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import ArrayLike

from mycloset.wardrobe.curves import Floats, floats, smoothstep
from mycloset.wardrobe.prints import Print, sample_print

Color = tuple[int, int, int]
"""sRGB, 0..255."""


class Pattern(StrEnum):
    """How a cloth's colours repeat."""

    PLAIN = "plain"
    STRIPES = "stripes"
    """across the garment"""
    PINSTRIPES = "pinstripes"
    """along the garment"""
    CHECKS = "checks"
    DOTS = "dots"
    COLOUR_BLOCKS = "colour-blocks"


class Weave(StrEnum):
    """What the cloth's surface looks like from near."""

    KNIT = "knit"
    WOVEN = "woven"
    DENIM = "denim"


@dataclass(frozen=True)
class Fabric:
    """A cloth.

    Attributes:
        color: the ground colour.
        pattern: how the colours repeat.
        second: the pattern's second colour.
        third: the pattern's third colour (checks: the thin line); the second where None.
        period_cm: length of one repeat.
        share: 0..1, the second colour's part of a repeat.
        weave: the surface.
        prints: what is printed on the front of the body piece.
    """

    color: Color
    pattern: Pattern = Pattern.PLAIN
    second: Color = (255, 255, 255)
    third: Color | None = None
    period_cm: float = 5.0
    share: float = 0.5
    weave: Weave = Weave.KNIT
    prints: tuple[Print, ...] = ()


def as_float(color: Color) -> Floats:
    """(3,) float32 0..1."""
    return np.asarray(color, np.float32) / np.float32(255)


def paint(fabric: Fabric, x: ArrayLike, y: ArrayLike, footprint: float) -> Floats:
    """Colours of the cloth, without its prints.

    Args:
        fabric: the cloth.
        x: (...) centimetres across the piece, 0 on its middle line.
        y: (...) centimetres down the piece.
        footprint: centimetres that one pixel covers; edges are softened over as much.

    Returns:
        (..., 3) float32 sRGB 0..1.
    """
    x = np.asarray(x, np.float32)
    y = np.asarray(y, np.float32)
    first, second = as_float(fabric.color), as_float(fabric.second)
    third = as_float(fabric.third or fabric.second)
    period = fabric.period_cm
    ground = np.broadcast_to(first, (*np.broadcast_shapes(x.shape, y.shape), 3))
    if fabric.pattern is Pattern.STRIPES:
        return _mix(ground, second, _bars(y, period, fabric.share, footprint))
    if fabric.pattern is Pattern.PINSTRIPES:
        return _mix(ground, second, _bars(x, period, fabric.share, footprint))
    if fabric.pattern is Pattern.CHECKS:
        down = _bars(y, period, fabric.share, footprint)
        across = _bars(x, period, fabric.share, footprint)
        colors = _mix(ground, second, floats(0.5 * (down + across)))
        lines = np.maximum(
            _bars(floats(y + period / 2), period, 0.07, footprint),
            _bars(floats(x + period / 2), period, 0.07, footprint),
        )
        return _mix(colors, third, floats(0.75 * lines))
    if fabric.pattern is Pattern.DOTS:
        return _mix(ground, second, _dots(x, y, period, fabric.share, footprint))
    if fabric.pattern is Pattern.COLOUR_BLOCKS:
        colors = _mix(ground, second, smoothstep(-footprint, footprint, y - period))
        return _mix(colors, third, smoothstep(-footprint, footprint, y - 2 * period))
    return np.array(ground, np.float32)


def paint_front(fabric: Fabric, x: ArrayLike, y: ArrayLike, footprint: float) -> Floats:
    """As `paint`, with the prints: the front of the body piece."""
    colors = paint(fabric, x, y, footprint)
    for printed in fabric.prints:
        ink, cover = sample_print(printed, np.asarray(x, np.float32), np.asarray(y, np.float32))
        colors += (ink - colors) * cover[..., None]
    return colors


def weave_grain(fabric: Fabric, x: ArrayLike, y: ArrayLike, footprint: float) -> Floats:
    """(...) float32 factor around 1: threads, where a pixel is small enough to show them."""
    x, y = np.asarray(x, np.float32), np.asarray(y, np.float32)
    if fabric.weave is Weave.DENIM:
        pitch, strength, phase = 0.32, 0.07, (x + y)
    elif fabric.weave is Weave.WOVEN:
        pitch, strength, phase = 0.25, 0.02, x
    else:
        pitch, strength, phase = 0.28, 0.025, x + 0.12 * np.sin(y * np.float32(2 * np.pi / 0.36))
    visible = float(np.clip(1.0 - footprint / pitch * 2.2, 0.0, 1.0))
    if visible == 0.0:
        return np.ones(np.broadcast_shapes(x.shape, y.shape), np.float32)
    wave = np.sin(phase * np.float32(2 * np.pi / pitch))
    return floats(1.0 + strength * visible * wave)


def _mix(colors: Floats, color: Floats, share: Floats) -> Floats:
    return floats(colors + (color - colors) * share[..., None])


def _bars(at: Floats, period: float, share: float, footprint: float) -> Floats:
    """1 on the bars around whole periods, 0 between, softened over a pixel."""
    off = np.abs(at / period - np.round(at / period)) * period
    half = share * period / 2
    soft = max(footprint * 0.6, 0.03)
    return smoothstep(half + soft, half - soft, off)


def _dots(x: Floats, y: Floats, period: float, share: float, footprint: float) -> Floats:
    row = np.round(y / (period / 2))
    shifted = x + np.where(row % 2 == 0, 0.0, period / 2).astype(np.float32)
    dx = shifted - np.round(shifted / period) * period
    dy = y - row * (period / 2)
    soft = max(footprint * 0.6, 0.03)
    radius = share * period / 2
    return smoothstep(radius + soft, radius - soft, np.hypot(dx, dy))
