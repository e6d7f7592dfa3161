"""What flat garments lie on: paper, wood, a cluttered bed."""

from __future__ import annotations

from enum import StrEnum

import cv2
import numpy as np

from mycloset.wardrobe.curves import Floats, floats, smooth_noise, smoothstep, to_bytes


class Ground(StrEnum):
    """What the garment lies on."""

    PLAIN = "plain"
    """near-white paper, as in most shops"""
    COLOURED = "coloured"
    WOOD = "wood"
    CLUTTERED = "cluttered"
    """patterned cloth with things around"""


def backdrop_under(ground: Ground, size: tuple[int, int], rng: np.random.Generator) -> Floats:
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
