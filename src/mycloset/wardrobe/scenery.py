"""What stands behind a person: studio paper, painted walls, rooms."""

from __future__ import annotations

from enum import StrEnum

import cv2
import numpy as np

from mycloset.wardrobe.curves import Floats, blur, floats, smooth_noise, smoothstep, to_bytes


class Scenery(StrEnum):
    """A background."""

    STUDIO = "studio"
    """light grey paper"""
    WARM = "warm"
    """a beige wall"""
    DARK = "dark"
    """dark grey paper"""
    BRICKS = "bricks"
    ROOM = "room"
    """a wall with a window, a shelf and a plant, out of focus"""


_PAPER = {
    Scenery.STUDIO: (0.90, 0.90, 0.90),
    Scenery.WARM: (0.83, 0.75, 0.65),
    Scenery.DARK: (0.33, 0.34, 0.36),
}


def backdrop(
    scenery: Scenery, size: tuple[int, int], seed: int, floor_y: float | None = None
) -> Floats:
    """Draw a background.

    Args:
        scenery: what.
        size: height and width.
        seed: how it is varied.
        floor_y: row on which people stand, None where the floor is not in the picture.

    Returns:
        (H, W, 3) float32 sRGB 0..1.
    """
    rng = np.random.default_rng([17, seed])
    height, width = size
    rows = np.linspace(0, 1, height, dtype=np.float32)[:, None]
    columns = np.linspace(-1, 1, width, dtype=np.float32)[None, :]
    if scenery is Scenery.BRICKS:
        picture = _bricks(size, rng)
    elif scenery is Scenery.ROOM:
        picture = _room(size, rng)
    else:
        glow = 1.0 + 0.05 * np.exp(-((columns * 0.9) ** 2) - ((rows - 0.4) * 1.6) ** 2)
        picture = floats(floats(_PAPER[scenery]) * glow[..., None])
        picture += 0.006 * smooth_noise(size, (height / 4, width / 3), rng)[..., None]
    if floor_y is not None:
        line = (floor_y - 0.085 * height) / height
        if scenery in _PAPER:
            # Studio paper runs on under the feet: the floor is a soft change of tone.
            bend = smoothstep(line - 0.05, line + 0.05, rows)
            picture = (
                picture * (1 - 0.07 * bend * (1 - 0.6 * smoothstep(line, 1.05, rows)))[..., None]
            )
        else:
            picture = _with_boards(floats(picture), int(line * height), rng)
    vignette = 1 - 0.10 * ((rows - 0.5) ** 2 + 0.5 * columns**2)
    return floats(np.clip(picture * vignette[..., None], 0, 1))


def _bricks(size: tuple[int, int], rng: np.random.Generator) -> Floats:
    height, width = size
    tall = height / 26
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    course = np.floor(rows / tall)
    shifted = columns + np.where(course % 2 == 0, 0, tall * 1.25)
    brick = np.floor(shifted / (tall * 2.5))
    tone = np.sin(course * 12.9898 + brick * 78.233) * 43758.5453
    tone = tone - np.floor(tone)
    dx = np.abs(shifted / (tall * 2.5) - brick - 0.5) * 2.5
    dy = np.abs(rows / tall - course - 0.5)
    joint = np.maximum(smoothstep(1.17, 1.20, dx), smoothstep(0.42, 0.45, dy))
    grain = smooth_noise(size, (3, 5), rng, octaves=2)
    base = floats([0.60, 0.36, 0.29]) * (0.78 + 0.34 * tone + 0.05 * grain)[..., None]
    mortar = floats([0.70, 0.66, 0.61]) * (1 + 0.03 * grain)[..., None]
    wall = base + (mortar - base) * joint[..., None]
    return np.stack([blur(wall[..., i], 1.6) for i in range(3)], axis=-1)


def _room(size: tuple[int, int], rng: np.random.Generator) -> Floats:
    height, width = size
    canvas = to_bytes(np.broadcast_to(floats([0.72, 0.74, 0.71]), (height, width, 3)))

    def box(x0: float, y0: float, x1: float, y1: float, color: tuple[int, int, int]) -> None:
        corners = (int(x0 * width), int(y0 * height)), (int(x1 * width), int(y1 * height))
        cv2.rectangle(canvas, *corners, color, -1, cv2.LINE_AA)

    box(0.04, 0.10, 0.34, 0.56, (240, 240, 236))
    for x in (0.06, 0.20):
        box(x, 0.12, x + 0.12, 0.54, (196, 216, 232))
        box(x, 0.40, x + 0.12, 0.54, (136, 164, 122))
    box(0.66, 0.20, 0.98, 0.225, (122, 88, 60))
    at = 0.68
    while at < 0.93:
        wide = float(rng.uniform(0.015, 0.035))
        tall = float(rng.uniform(0.07, 0.12))
        color = tuple(int(v) for v in rng.integers(50, 200, 3))
        box(at, 0.20 - tall, at + wide, 0.20, (color[0], color[1], color[2]))
        at += wide + 0.004
    box(0.82, 0.66, 0.94, 0.80, (190, 120, 84))
    for _ in range(26):
        x, y = rng.normal(0.88, 0.05), rng.normal(0.54, 0.06)
        axes = (int(0.012 * width), int(float(rng.uniform(0.03, 0.06)) * height))
        color = (int(rng.integers(40, 90)), int(rng.integers(100, 150)), int(rng.integers(50, 90)))
        center = (int(x * width), int(y * height))
        cv2.ellipse(canvas, center, axes, float(rng.normal(0, 40)), 0, 360, color, -1, cv2.LINE_AA)
    sharp = canvas / np.float32(255)
    return np.stack([blur(sharp[..., i], width / 170) for i in range(3)], axis=-1)


def _with_boards(picture: Floats, line: int, rng: np.random.Generator) -> Floats:
    """The picture with a wooden floor below a row."""
    height, width = picture.shape[:2]
    if line >= height - 2:
        return picture
    rows, columns = np.mgrid[line:height, 0:width].astype(np.float32)
    near = (rows - line) / max(1, height - line) * 0.6 + 0.4
    across = (columns - width / 2) / near
    board = np.floor(across / (width / 7))
    tone = np.sin(board * 12.9898) * 43758.5453
    tone = tone - np.floor(tone)
    grain = smooth_noise((height - line, width), (30, 4), rng, octaves=2)
    wood = floats([0.56, 0.42, 0.31]) * (0.86 + 0.22 * tone + 0.03 * grain)[..., None]
    found = picture.copy()
    found[line:] = wood
    skirting = max(2, height // 64)
    found[max(0, line - skirting) : line] = floats([0.86, 0.85, 0.82])
    return found
