"""A head: skull, face, ears and hair, as surfaces with their colours."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import cv2
import numpy as np

from mycloset.wardrobe.body import Body, profile
from mycloset.wardrobe.curves import Floats, floats, smooth_noise, smoothstep, to_linear
from mycloset.wardrobe.fabrics import Color, as_float
from mycloset.wardrobe.garments import SIDES
from mycloset.wardrobe.solids import Frame, Patch, Stack, Tube, ellipsoid
from mycloset.wardrobe.stage import HAIR, SKIN, Stage


class HairStyle(StrEnum):
    """How the hair is worn."""

    SHORT = "short"
    BOB = "bob"
    LONG = "long"
    """falls before the shoulders"""
    BUN = "bun"
    BALD = "bald"


@dataclass(frozen=True)
class Looks:
    """What a head looks like.

    Attributes:
        skin: colour of the skin.
        hair: colour of the hair.
        style: how the hair is worn.
        eyes: colour of the irises.
        lips: how much redder than the skin the lips are, 0..1.
        jaw: factor on the jaw's width.
    """

    skin: Color = (226, 178, 148)
    hair: Color = (74, 48, 34)
    style: HairStyle = HairStyle.SHORT
    eyes: Color = (84, 62, 44)
    lips: float = 0.5
    jaw: float = 1.0


_ROWS = (-12.0, -11.6, -10.8, -9.5, -7.5, -5, -2, 1, 4, 6.5, 8.5, 10, 10.9, 11.4)
_DEPTHS = (0.8, 3.4, 5.6, 7.3, 8.7, 9.4, 9.6, 9.4, 9.1, 8.7, 8.2, 7.2, 5.2, 2.0)
_WIDTHS = (0.6, 2.9, 4.7, 6.0, 7.0, 7.5, 7.6, 7.35, 6.8, 6.0, 4.9, 3.6, 2.3, 0.8)


def put_head(stage: Stage, body: Body, looks: Looks, seed: int) -> dict[str, Floats]:
    """Add a head to a scene.

    Returns:
        (3,) cm of nose, eyes and ears, by COCO-17 name.
    """
    k = body.unit
    skull = _skull(body, looks)
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
            hollow = -0.55 * np.exp(-((lobe.across / k) ** 2 / 0.35 + (lobe.along / k + 0.3) ** 2 / 2.4))
            lobe.emboss(hollow, k)
        stage.put(lobe, skin * floats([0.98, 0.86, 0.82]), "face", material=SKIN, group=9, blend=0.6)
        marks[f"{side}_ear"] = ear
        marks[f"{side}_eye"] = skull.place(sign * 3.15 * k, 0.1 * k, 8.6 * k)
    if looks.style is not HairStyle.BALD:
        _put_hair(stage, body, skull, looks, np.random.default_rng([31, seed]))
    return marks


def _skull(body: Body, looks: Looks, grow: float = 0.0, top: float = 0.0) -> Stack:
    k = body.unit
    pose = body.pose
    widths = [w * (1 + (looks.jaw - 1) * np.clip((r - 2) / 6, 0, 1)) for r, w in zip(_ROWS, _WIDTHS, strict=True)]
    rows = tuple((row - (grow + top) * np.clip(-row / 12.0, 0, 1)) * k for row in _ROWS)
    center = body.joints["head"]
    return Stack(
        origin=(float(center[0]), float(center[1]), float(center[2])),
        lean=pose.lean * 0.6 + pose.head_roll,
        yaw=pose.yaw * 0.6 + pose.head_yaw,
        start=rows[0],
        stop=rows[-1],
        half_width=profile(rows, tuple((w + grow) * k for w in widths)),
        half_depth=profile(rows, tuple((d + grow) * k for d in _DEPTHS)),
        camera=(0.0, 1e6),
    )


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


def _face_colors(x: Floats, y: Floats, looks: Looks, pixel: float) -> Floats:
    """(h, w, 3) linear colours of the face; x, y in cm on a head of usual size."""
    skin = to_linear(as_float(looks.skin))
    hair = to_linear(as_float(looks.hair))
    side = np.abs(x)
    soft = max(0.05, 0.7 * pixel)
    colors = np.broadcast_to(skin, (*x.shape, 3)).astype(np.float32)

    def mix(color: Floats, share: Floats) -> None:
        nonlocal colors
        colors = colors + (color - colors) * floats(share)[..., None]

    blush = skin * floats([1.0, 0.74, 0.70])
    mix(blush, 0.55 * _bump(side, y, 4.2, 3.2, 1.7, 1.3))
    mix(blush, 0.40 * _bump(x, y, 0.0, 3.8, 1.1, 0.8))
    mix(skin * floats([0.80, 0.72, 0.70]), 0.40 * _bump(side, y, 3.1, 1.35, 1.5, 0.45))
    mix(skin * floats([0.72, 0.60, 0.56]), 0.55 * _bump(side, y, 3.2, -0.75, 1.5, 0.45))
    if looks.style is not HairStyle.BALD:
        # Roots: skin shows through the hair's edge.
        line = _hairline(x, looks.style)
        mix(hair, 0.75 * smoothstep(0.75, -0.25, y - line))
    # Brows: an arch that thins out to its end.
    arch = -1.95 - 0.42 * np.cos((side - 3.3) / 1.9 * 1.25) + 0.12 * (side - 3)
    thick = 0.40 * smoothstep(5.4, 3.6, side) + 0.06
    brow = smoothstep(thick + 0.14, thick - 0.14, np.abs(y - arch))
    brow = brow * smoothstep(0.9, 2.1, side) * smoothstep(5.3, 4.5, side)
    mix(hair * 0.75, 0.82 * brow)
    # Eyes.
    t = np.clip((side - 3.15) / 1.48, -1, 1)
    lift = 0.10 * t
    top = 0.16 - lift - 0.56 * np.sqrt(np.maximum(1 - t**2, 0)) * (1 - 0.12 * t)
    low = 0.22 - lift + 0.36 * (1 - t**2)
    inside = np.abs(side - 3.15) < 1.48
    opening = smoothstep(-soft, soft, y - top) * smoothstep(soft, -soft, y - low) * inside
    white = floats([0.74, 0.70, 0.68]) * (0.70 + 0.30 * smoothstep(-0.55, 0.1, y))[..., None]
    colors = colors + (white - colors) * opening[..., None]
    iris_x, iris_y = side - 3.12, y - 0.0
    radius = np.hypot(iris_x, iris_y)
    iris = to_linear(as_float(looks.eyes))
    ring = iris * (0.55 + 0.75 * np.clip(radius / 0.62, 0, 1))[..., None]
    ring = ring * (1 - 0.6 * smoothstep(0.50, 0.62, radius))[..., None]
    share = (smoothstep(0.64 + soft, 0.64 - soft, radius) * opening)[..., None]
    colors = colors + (ring - colors) * share
    mix(floats([0.01, 0.01, 0.01]), smoothstep(0.29 + soft, 0.29 - soft, radius) * opening)
    glint = smoothstep(0.17 + soft, 0.17 - soft, np.hypot(x - np.sign(x) * 3.12 + 0.22, y + 0.26))
    mix(floats([1.0, 1.0, 1.0]), 0.9 * glint * opening)
    lash = smoothstep(0.20, 0.05, np.abs(y - top + 0.05)) * inside
    mix(hair * 0.25, 0.88 * lash)
    mix(skin * floats([0.45, 0.30, 0.27]), 0.40 * smoothstep(0.14, 0.02, np.abs(y - low)) * inside)
    crease = smoothstep(0.16, 0.02, np.abs(y - top + 0.42)) * (np.abs(t) < 0.95)
    mix(skin * floats([0.50, 0.36, 0.32]), 0.55 * crease)
    # Nostrils and the shade under the tip of the nose.
    mix(skin * floats([0.22, 0.12, 0.10]), 0.80 * _bump(side, y, 0.72, 4.72, 0.30, 0.15))
    mix(skin * floats([0.62, 0.46, 0.42]), 0.45 * _bump(side, y, 1.72, 4.2, 0.16, 0.45))
    # Lips.
    red = skin * (1 - looks.lips * floats([0.22, 0.62, 0.55])) + floats([0.03, 0, 0]) * looks.lips
    half = 2.45
    u = np.clip(side / half, 0, 1)
    line = 6.95 + 0.08 * np.cos(u * np.pi) - 0.22 * u**2
    upper = line - 0.66 * (1 - u**1.8) + 0.14 * np.exp(-((side / 0.42) ** 2))
    lower = line + 0.86 * (1 - u**2.0)
    lips = smoothstep(-0.12, 0.10, y - upper) * smoothstep(0.12, -0.10, y - lower) * (side < half)
    mix(red, 0.92 * lips)
    mix(red * 0.72, 0.5 * lips * (y < line))
    mouth = smoothstep(0.15, 0.02, np.abs(y - line)) * smoothstep(half + 0.2, half - 0.3, side)
    mix(skin * floats([0.20, 0.08, 0.07]), 0.85 * mouth)
    return floats(colors)


def _strands(window_shape: tuple[int, int], rng: np.random.Generator, scale: float) -> Floats:
    """(h, w) factor around 1: light and dark locks that run down."""
    fine = smooth_noise(window_shape, (scale * 9, scale * 0.35), rng, octaves=2)
    broad = smooth_noise(window_shape, (scale * 14, scale * 1.3), rng)
    return floats(np.clip(1 + 0.20 * fine + 0.22 * broad, 0.45, 1.7))


def _put_hair(stage: Stage, body: Body, skull: Stack, looks: Looks, rng: np.random.Generator) -> None:
    k, frame = body.unit, stage.frame
    hair = to_linear(as_float(looks.hair))
    short = looks.style in (HairStyle.SHORT, HairStyle.BUN)
    cap = _skull(body, looks, grow=0.55 if short else 1.2, top=0.9 if short else 0.2)
    patch = cap.seen(frame)
    if patch is not None:
        x, y = patch.across / np.float32(k), patch.along / np.float32(k)
        flow = _flow(x, y, rng)
        patch.cut(y < _hairline(x, looks.style) + 0.22 * flow)
        color = hair * floats(np.clip(1 + 0.25 * flow, 0.5, 1.6))[..., None]
        step = patch.window.frame.scale * k
        down, right = np.gradient(0.10 * flow)
        patch.tilt(floats(right * step * 0.6), floats(down * step * 0.6))
        stage.put(patch, color, "hair", material=HAIR, group=8)
    if looks.style in (HairStyle.LONG, HairStyle.BOB):
        _put_locks(stage, body, skull, looks, rng)
    if looks.style is HairStyle.BUN:
        top = skull.place(0.0, -13.0 * k, -2.0 * k)
        bun = ellipsoid(frame, top, (4.0 * k, 3.4 * k, 4.0 * k))
        if bun is not None:
            color = hair * _strands(bun.z.shape, rng, frame.scale * k)[..., None]
            stage.put(bun, color, "hair", material=HAIR, group=8, blend=0.5)


def _hairline(x: Floats, style: HairStyle) -> Floats:
    """Height of the hair's edge at each x."""
    side = np.abs(x)
    if style in (HairStyle.LONG, HairStyle.BOB):
        line = -7.4 + 0.085 * (x - 1.6) ** 2 + 2.2 * smoothstep(4.6, 7.0, side)
        return floats(line + 7.0 * smoothstep(6.3, 7.8, side))
    line = -6.7 - 0.25 * np.cos(x * 0.9) + 0.02 * side**2
    line = line + 2.4 * smoothstep(4.7, 6.4, side) + 5.6 * smoothstep(6.1, 6.9, side)
    return floats(line + 0.16 * np.sin(x * 5.1) + 0.10 * np.sin(x * 13.3 + 1))


def _flow(x: Floats, y: Floats, rng: np.random.Generator) -> Floats:
    """(h, w) noise that runs with the hair from the parting over the head."""
    angle = np.arctan2(x - 1.2, -(y - 2.0))
    radius = np.hypot(x - 1.2, y - 2.0)
    sheet = smooth_noise((64, 2048), (26, 9), rng, octaves=3)
    columns = (angle / (2 * np.pi) + 0.5) * 2047
    rows = np.clip(radius * 3.2, 0, 63)
    found = cv2.remap(sheet, floats(columns), floats(rows), cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
    return floats(found)


def _put_locks(stage: Stage, body: Body, skull: Stack, looks: Looks, rng: np.random.Generator) -> None:
    """Hair that falls beside the face, and, where it is long, before the shoulders."""
    k, frame = body.unit, stage.frame
    hair = to_linear(as_float(looks.hair))
    long = looks.style is HairStyle.LONG
    # What hangs behind the neck.
    behind = Tube(
        np.stack([skull.place(0, -4 * k, -8 * k), skull.place(0, (15.0 if long else 9.0) * k, -12 * k)]),
        profile((0.0, 10 * k, 24 * k), (8.4 * k, 8.8 * k, 8.0 * k)),
    ).seen(frame)
    if behind is not None:
        color = hair * 0.62 * _strands(behind.z.shape, rng, frame.scale * k)[..., None]
        stage.put(behind, color, "hair", material=HAIR)
    for sign in SIDES.values():
        for depth, spread, girth in ((1.0, 0.0, 1.0), (-2.0, 1.6, 1.15)):
            if long:
                chest = body.on_trunk(sign * (9.0 + spread) * k, 19.0 * k, (12.5 + depth) * k)
                collar = body.on_trunk(sign * (9.0 + spread) * k, 3.0 * k, (10.5 + depth) * k)
                points = [
                    skull.place(sign * 5.0 * k, -9.0 * k, 0.5 * k),
                    skull.place(sign * (7.6 + spread * 0.3) * k, -2.0 * k, (1.6 + depth) * k),
                    skull.place(sign * (8.0 + spread * 0.6) * k, 8.0 * k, (2.6 + depth) * k),
                    collar,
                    chest,
                ]
                radius = profile((0.0, 9 * k, 20 * k, 34 * k, 46 * k), (1.2 * k, 1.7 * k, 2.0 * k, 2.5 * k * girth, 0.9 * k))
            else:
                points = [
                    skull.place(sign * 5.0 * k, -8.5 * k, 2.0 * k),
                    skull.place(sign * (7.8 + spread * 0.4) * k, -1.0 * k, (2.2 + depth) * k),
                    skull.place(sign * (7.9 + spread * 0.4) * k, 9.5 * k, (2.8 + depth) * k),
                ]
                radius = profile((0.0, 9 * k, 18 * k, 22 * k), (1.0 * k, 2.1 * k, 2.5 * k, 1.6 * k))
            lock = Tube(_smooth(np.stack(points)), radius, sign).seen(frame)
            _put_lock(stage, lock, hair, rng, frame, k)


def _put_lock(stage: Stage, lock: Patch | None, hair: Floats, rng: np.random.Generator, frame: Frame, k: float) -> None:
    if lock is None:
        return
    sheet = smooth_noise((256, 128), (60, 7), rng, octaves=3)
    columns = (lock.across / np.float32(np.pi) + 0.5) * 127
    rows = np.clip(lock.along / np.float32(k) * 4.5, 0, 255)
    flow = floats(cv2.remap(sheet, floats(columns), floats(rows), cv2.INTER_LINEAR))
    color = hair * floats(np.clip(1 + 0.26 * flow, 0.45, 1.7))[..., None]
    # The tips end one by one.
    tip = float(lock.along[lock.there].max()) if lock.there.any() else 0.0
    lock.cut(lock.along < tip - k * (2.2 + 1.6 * flow))
    down, right = np.gradient(0.10 * flow)
    lock.tilt(floats(right * frame.scale * 0.5), floats(down * frame.scale * 0.5))
    stage.put(lock, color, "hair", material=HAIR, group=8, blend=1.2)


def _smooth(points: Floats, per: int = 3) -> Floats:
    """More points on a smooth curve through the given ones."""
    at = np.linspace(0, len(points) - 1, (len(points) - 1) * per + 1)
    places = tuple(float(i) for i in range(len(points)))
    columns = [profile(places, tuple(float(v) for v in points[:, i]))(floats(at)) for i in range(3)]
    return np.stack(columns, axis=1)
