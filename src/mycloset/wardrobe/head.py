"""Puts a head into a scene: skull, face and ears with their colours, and its hair."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from mycloset.wardrobe.body import Body
from mycloset.wardrobe.curves import Floats, floats, smoothstep, to_linear
from mycloset.wardrobe.fabrics import as_float
from mycloset.wardrobe.garments import SIDES
from mycloset.wardrobe.hair import put_hair
from mycloset.wardrobe.looks import HairStyle, Looks, hairline, skull_of
from mycloset.wardrobe.solids import ellipsoid
from mycloset.wardrobe.stage import SKIN, Stage


def put_head(stage: Stage, body: Body, looks: Looks, seed: int) -> dict[str, Floats]:
    """Add a head to a scene.

    Returns:
        (3,) cm of nose, eyes and ears, by COCO-17 name.
    """
    k = body.unit
    skull = skull_of(body, looks)
    patch = skull.seen(stage.frame)
    if patch is not None:
        x, y = patch.across / np.float32(k), patch.along / np.float32(k)
        patch.emboss(_relief(x, y), k)
        color = _face_colors(x, y, looks, 1 / (stage.frame.scale * k))
        stage.put(patch, color, "face", material=SKIN, group=9)
    skin = to_linear(as_float(looks.skin))
    marks = {"nose": skull.place(0.0, 4.0 * k, 11.2 * k)}
    for side, sign in SIDES.items():
        ear = skull.place(sign * 7.35 * k, 1.3 * k, -0.6 * k)
        angle = body.pose.head_roll - sign * 8.0
        lobe = ellipsoid(stage.frame, ear, (1.25 * k, 2.9 * k, 1.3 * k), angle)
        if lobe is not None:
            hollow = -0.55 * np.exp(
                -((lobe.across / k) ** 2 / 0.35 + (lobe.along / k + 0.3) ** 2 / 2.4)
            )
            lobe.emboss(hollow, k)
        stage.put(
            lobe, skin * floats([0.98, 0.86, 0.82]), "face", material=SKIN, group=9, blend=0.6
        )
        marks[f"{side}_ear"] = ear
        marks[f"{side}_eye"] = skull.place(sign * 3.15 * k, 0.1 * k, 8.6 * k)
    if looks.style is not HairStyle.BALD:
        put_hair(stage, body, skull, looks, np.random.default_rng([31, seed]))
    return marks


def _bump(x: Floats, y: Floats, cx: float, cy: float, sx: float, sy: float) -> Floats:
    return np.exp(-0.5 * (((x - np.float32(cx)) / sx) ** 2 + ((y - np.float32(cy)) / sy) ** 2))


def _relief(x: Floats, y: Floats) -> Floats:
    """(h, w) cm by which the face stands out of its egg."""
    side = np.abs(x)
    height = 0.30 * _bump(side, y, 2.6, -1.7, 1.9, 0.75)
    height -= 0.85 * _bump(side, y, 3.0, 0.1, 1.55, 0.95)
    height += 0.55 * _bump(side, y, 3.15, 0.15, 0.95, 0.62)
    ridge = smoothstep(-2.2, 4.0, y) * 1.75 * smoothstep(5.4, 3.9, y)
    height += ridge * np.exp(-0.5 * (x / (0.55 + 0.42 * smoothstep(-1, 4.2, y))) ** 2)
    height += 0.50 * _bump(side, y, 1.25, 4.05, 0.50, 0.50)
    height += 0.30 * _bump(side, y, 4.3, 2.6, 1.7, 1.5)
    height -= 0.22 * _bump(side, y, 4.4, 6.0, 1.5, 1.8)
    height += 0.42 * _bump(x, y, 0.0, 6.9, 2.3, 1.5)
    height -= 0.14 * _bump(x, y, 0.0, 5.6, 0.35, 0.5)
    height += 0.20 * _bump(side, y, 0.55, 6.45, 0.9, 0.28)
    height += 0.26 * _bump(x, y, 0.0, 7.55, 1.25, 0.36)
    height -= 0.26 * _bump(x, y, 0.0, 8.45, 1.5, 0.36)
    height += 0.45 * _bump(x, y, 0.0, 9.8, 1.5, 1.0)
    return floats(height)


def _mix(colors: Floats, color: Floats, share: ArrayLike) -> Floats:
    return floats(colors + (color - colors) * floats(share)[..., None])


def _face_colors(x: Floats, y: Floats, looks: Looks, pixel: float) -> Floats:
    """(h, w, 3) linear colours of the face; x, y in cm on a head of usual size."""
    skin = to_linear(as_float(looks.skin))
    side = np.abs(x)
    colors = np.broadcast_to(skin, (*x.shape, 3)).astype(np.float32)
    blush = skin * floats([1.0, 0.74, 0.70])
    colors = _mix(colors, blush, 0.55 * _bump(side, y, 4.2, 3.2, 1.7, 1.3))
    colors = _mix(colors, blush, 0.40 * _bump(x, y, 0.0, 3.8, 1.1, 0.8))
    if looks.style is not HairStyle.BALD:
        # Roots: skin shows through the hair's edge.
        roots = smoothstep(0.75, -0.25, y - hairline(x, looks.style))
        colors = _mix(colors, to_linear(as_float(looks.hair)), 0.75 * roots)
    colors = _with_eyes(colors, x, y, looks, max(0.05, 0.7 * pixel))
    # Nostrils and the shade beside the wings of the nose.
    nostril = 0.80 * _bump(side, y, 0.72, 4.72, 0.30, 0.15)
    colors = _mix(colors, skin * floats([0.22, 0.12, 0.10]), nostril)
    wing = 0.45 * _bump(side, y, 1.72, 4.2, 0.16, 0.45)
    colors = _mix(colors, skin * floats([0.62, 0.46, 0.42]), wing)
    return _with_mouth(colors, x, y, looks)


def _with_eyes(colors: Floats, x: Floats, y: Floats, looks: Looks, soft: float) -> Floats:
    skin, hair = to_linear(as_float(looks.skin)), to_linear(as_float(looks.hair))
    side = np.abs(x)
    below = 0.40 * _bump(side, y, 3.1, 1.35, 1.5, 0.45)
    colors = _mix(colors, skin * floats([0.80, 0.72, 0.70]), below)
    lid = 0.55 * _bump(side, y, 3.2, -0.75, 1.5, 0.45)
    colors = _mix(colors, skin * floats([0.72, 0.60, 0.56]), lid)
    # Brows: an arch that thins out to its end.
    arch = -1.95 - 0.42 * np.cos((side - 3.3) / 1.9 * 1.25) + 0.12 * (side - 3)
    thick = 0.40 * smoothstep(5.4, 3.6, side) + 0.06
    brow = smoothstep(0.14, -0.14, np.abs(y - arch) - thick)
    brow = brow * smoothstep(0.9, 2.1, side) * smoothstep(5.3, 4.5, side)
    colors = _mix(colors, hair * 0.75, 0.82 * brow)
    # The opening between the lids.
    t = np.clip((side - 3.15) / 1.48, -1, 1)
    lift = 0.10 * t
    top = 0.16 - lift - 0.56 * np.sqrt(np.maximum(1 - t**2, 0)) * (1 - 0.12 * t)
    low = 0.22 - lift + 0.36 * (1 - t**2)
    inside = np.abs(side - 3.15) < 1.48
    opening = smoothstep(-soft, soft, y - top) * smoothstep(soft, -soft, y - low) * inside
    white = floats([0.74, 0.70, 0.68]) * (0.70 + 0.30 * smoothstep(-0.55, 0.1, y))[..., None]
    colors = _mix(colors, floats(white), opening)
    radius = np.hypot(side - 3.12, y)
    ring = (0.55 + 0.75 * np.clip(radius / 0.62, 0, 1)) * (1 - 0.6 * smoothstep(0.50, 0.62, radius))
    iris = floats(to_linear(as_float(looks.eyes)) * ring[..., None])
    colors = _mix(colors, iris, smoothstep(0.64 + soft, 0.64 - soft, radius) * opening)
    pupil = smoothstep(0.29 + soft, 0.29 - soft, radius)
    colors = _mix(colors, floats([0.01, 0.01, 0.01]), pupil * opening)
    glint = smoothstep(0.17 + soft, 0.17 - soft, np.hypot(x - np.sign(x) * 3.12 + 0.22, y + 0.26))
    colors = _mix(colors, floats([1.0, 1.0, 1.0]), 0.9 * glint * opening)
    lashes = smoothstep(0.20, 0.05, np.abs(y - top + 0.05)) * inside
    colors = _mix(colors, hair * 0.25, 0.88 * lashes)
    rim = smoothstep(0.14, 0.02, np.abs(y - low)) * inside
    colors = _mix(colors, skin * floats([0.45, 0.30, 0.27]), 0.40 * rim)
    crease = smoothstep(0.16, 0.02, np.abs(y - top + 0.42)) * (np.abs(t) < 0.95)
    return _mix(colors, skin * floats([0.50, 0.36, 0.32]), 0.55 * crease)


def _with_mouth(colors: Floats, x: Floats, y: Floats, looks: Looks) -> Floats:
    skin, side = to_linear(as_float(looks.skin)), np.abs(x)
    red = skin * (1 - looks.lips * floats([0.22, 0.62, 0.55])) + floats([0.03, 0, 0]) * looks.lips
    half = 2.45
    u = np.clip(side / half, 0, 1)
    line = 6.95 + 0.08 * np.cos(u * np.pi) - 0.22 * u**2
    upper = line - 0.66 * (1 - u**1.8) + 0.14 * np.exp(-((side / 0.42) ** 2))
    lower = line + 0.86 * (1 - u**2.0)
    lips = smoothstep(-0.12, 0.10, y - upper) * smoothstep(0.12, -0.10, y - lower) * (side < half)
    colors = _mix(colors, floats(red), 0.92 * lips)
    colors = _mix(colors, floats(red * 0.72), 0.5 * lips * (y < line))
    gap = smoothstep(0.15, 0.02, np.abs(y - line)) * smoothstep(half + 0.2, half - 0.3, side)
    return _mix(colors, skin * floats([0.20, 0.08, 0.07]), 0.85 * gap)
