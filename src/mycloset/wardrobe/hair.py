"""Puts hair on a head: a cap with strands, and locks that fall."""

from __future__ import annotations

import cv2
import numpy as np

from mycloset.wardrobe.body import Body, profile
from mycloset.wardrobe.curves import Floats, floats, smooth_noise, to_linear
from mycloset.wardrobe.fabrics import as_float
from mycloset.wardrobe.garments import SIDES
from mycloset.wardrobe.looks import HairStyle, Looks, hairline, skull_of
from mycloset.wardrobe.patches import Frame, Patch
from mycloset.wardrobe.solids import Stack, Tube, ellipsoid
from mycloset.wardrobe.stage import HAIR, Stage


def put_hair(
    stage: Stage, body: Body, skull: Stack, looks: Looks, rng: np.random.Generator
) -> None:
    k, frame = body.unit, stage.frame
    hair = to_linear(as_float(looks.hair))
    short = looks.style in (HairStyle.SHORT, HairStyle.BUN)
    cap = skull_of(body, looks, grow=0.55 if short else 1.2, top=0.9 if short else 0.2)
    patch = cap.seen(frame)
    if patch is not None:
        x, y = patch.across / np.float32(k), patch.along / np.float32(k)
        flow = _flow(x, y, rng)
        patch.cut(y < hairline(x, looks.style) + 0.22 * flow)
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


def _strands(window_shape: tuple[int, int], rng: np.random.Generator, scale: float) -> Floats:
    """(h, w) factor around 1: light and dark locks that run down."""
    fine = smooth_noise(window_shape, (scale * 9, scale * 0.35), rng, octaves=2)
    broad = smooth_noise(window_shape, (scale * 14, scale * 1.3), rng)
    return floats(np.clip(1 + 0.20 * fine + 0.22 * broad, 0.45, 1.7))


def _flow(x: Floats, y: Floats, rng: np.random.Generator) -> Floats:
    """(h, w) noise that runs with the hair from the parting over the head."""
    angle = np.arctan2(x - 1.2, -(y - 2.0))
    radius = np.hypot(x - 1.2, y - 2.0)
    sheet = smooth_noise((64, 2048), (26, 9), rng, octaves=3)
    columns = (angle / (2 * np.pi) + 0.5) * 2047
    rows = np.clip(radius * 3.2, 0, 63)
    found = cv2.remap(
        sheet, floats(columns), floats(rows), cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP
    )
    return floats(found)


def _put_locks(
    stage: Stage, body: Body, skull: Stack, looks: Looks, rng: np.random.Generator
) -> None:
    """Hair that falls beside the face, and, where it is long, before the shoulders."""
    k, frame = body.unit, stage.frame
    hair = to_linear(as_float(looks.hair))
    long = looks.style is HairStyle.LONG
    # What hangs behind the neck.
    behind = Tube(
        np.stack(
            [skull.place(0, -4 * k, -8 * k), skull.place(0, (15.0 if long else 9.0) * k, -12 * k)]
        ),
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
                radius = profile(
                    (0.0, 9 * k, 20 * k, 34 * k, 46 * k),
                    (1.2 * k, 1.7 * k, 2.0 * k, 2.5 * k * girth, 0.9 * k),
                )
            else:
                points = [
                    skull.place(sign * 5.0 * k, -8.5 * k, 2.0 * k),
                    skull.place(sign * (7.8 + spread * 0.4) * k, -1.0 * k, (2.2 + depth) * k),
                    skull.place(sign * (7.9 + spread * 0.4) * k, 9.5 * k, (2.8 + depth) * k),
                ]
                radius = profile((0.0, 9 * k, 18 * k, 22 * k), (1.0 * k, 2.1 * k, 2.5 * k, 1.6 * k))
            lock = Tube(_smooth(np.stack(points)), radius, sign).seen(frame)
            _put_lock(stage, lock, hair, rng, frame, k)


def _put_lock(
    stage: Stage, lock: Patch | None, hair: Floats, rng: np.random.Generator, frame: Frame, k: float
) -> None:
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
