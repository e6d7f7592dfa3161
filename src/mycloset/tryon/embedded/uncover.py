"""The old garment goes: what is behind it, the garment below it and skin are continued."""

from __future__ import annotations

import cv2
import numpy as np

from mycloset.tasks.garments import Category
from mycloset.tryon.embedded.body import SIDES
from mycloset.tryon.embedded.fill import continue_smoothly, continue_textured, grain, noise
from mycloset.tryon.embedded.layers import Layers
from mycloset.tryon.embedded.scene import Flags, Floats, Scene, box_of

WAIST = 0.80
"""Where skin ends and a lower garment begins, as a share of the way from shoulders to hips."""


def uncover(scene: Scene, layers: Layers) -> tuple[Floats, Flags]:
    """The photo without the old garment (Lab), and where it was taken away."""
    gone = _gone(scene, layers)
    if not (gone > 0.01).any():
        return scene.lab, gone > 0.5
    filled = _background(scene, gone)
    lower = _lower(scene, gone)
    if lower is not None:
        filled = filled + (lower - filled) * _lower_zone(scene)[..., None]
    bare = np.maximum(_skin_zone(scene), layers.arms_made)
    if ((bare > 0) & (gone > 0)).any():
        filled = filled + (_skin(scene) - filled) * bare[..., None]
    return scene.lab + (filled - scene.lab) * gone[..., None], gone > 0.5


def _gone(scene: Scene, layers: Layers) -> Floats:
    """How much of each pixel is old garment that neither stays nor is covered."""
    halo = max(1, round(0.012 * scene.unit)) * 2 + 1
    wide = cv2.dilate(scene.old.astype(np.float32), np.ones((halo, halo), np.uint8))
    wide = cv2.GaussianBlur(wide, (0, 0), max(0.8, halo / 6))
    keep = scene.parsing.where(
        "face", "hair", "left-arm", "right-arm", "left-leg", "right-leg", "bag", "hat",
        "sunglasses", "left-shoe", "right-shoe",
    )  # fmt: skip
    if scene.category is Category.UPPER:
        keep |= scene.parsing.where("pants", "skirt")
    garment = layers.garment
    kept = np.maximum(scene.soft(keep), np.maximum(layers.front, layers.arms_kept))
    gone = np.clip(wide * (1 - kept), 0, 1) * (1 - np.clip(garment * 1.02, 0, 1))
    gone = np.where(scene.old & (garment < 0.98), np.maximum(gone, 1 - garment), gone)
    return np.asarray(np.maximum(gone, layers.arms_made), np.float32)


def _background(scene: Scene, gone: Floats) -> Floats:
    """What lies behind the person, continued under where the old garment was."""
    free = ((scene.person < 0.02) & (gone < 0.02)).astype(np.uint8)
    size = max(1, round(0.012 * scene.unit)) * 2 + 1
    known = cv2.erode(free, np.ones((size, size), np.uint8)) > 0
    if known.sum() < 50:
        return scene.lab
    return continue_textured(scene.lab, known, 0.12 * scene.unit, step=scene.step, wanted=gone > 0)


def _lower(scene: Scene, gone: Floats) -> Floats | None:
    """The trousers or skirt, continued upward under the old top's hem."""
    worn = scene.parsing.where("pants", "skirt")
    if scene.category is not Category.UPPER or worn.sum() < 0.02 * scene.unit**2:
        return None
    size = max(1, round(0.02 * scene.unit)) * 2 + 1
    known = cv2.erode(worn.astype(np.uint8), np.ones((size, size), np.uint8)) > 0
    return continue_textured(scene.lab, known, 0.3 * scene.unit, step=scene.step, wanted=gone > 0)


def _lower_zone(scene: Scene) -> Floats:
    below = np.clip((scene.down - WAIST * scene.span) / (0.01 * scene.unit) + 0.5, 0, 1)
    return np.asarray(below * _inside_body(scene), np.float32)


def _inside_body(scene: Scene) -> Floats:
    """1 between the trunk's two edges."""
    inside = np.clip((scene.half_width - np.abs(scene.aside)) / 1.5 + 0.5, 0, 1)
    return np.asarray(inside, np.float32)


def _skin_zone(scene: Scene) -> Floats:
    """Where skin is seen once the old garment is gone: arms, neck, yoke and midriff."""
    down, across, unit = scene.down, np.abs(scene.aside), scene.unit
    zone = np.zeros(scene.shape, np.float32)
    if _legs_seen(scene):
        for side in SIDES:
            zone = np.maximum(zone, scene.legs[side].cover)
        zone *= np.clip((down - scene.span) / (0.02 * unit) + 0.5, 0, 1).astype(np.float32)
    if scene.category is Category.LOWER:
        return zone
    for side in SIDES:
        bare = scene.arms[side].cover
        if side in scene.sleeve_ends:  # above its sleeve's end nothing of the arm is seen
            bare = bare * (scene.arms[side].place > scene.sleeve_ends[side] - 0.03)
        zone = np.maximum(zone, bare)
    body = _inside_body(scene) * ((down < WAIST * scene.span) & (down > -0.1 * unit))
    neck = np.clip((_shoulder_top(scene, across) + down) / 1.5 + 0.5, 0, 1)
    yoke = neck * (down <= 0.02 * unit) * (across < 0.56 * unit)
    return np.asarray(np.maximum(zone, np.maximum(body, yoke)), np.float32)


def _legs_seen(scene: Scene) -> bool:
    return scene.category is not Category.UPPER and scene.figure.body.hips_seen


def _shoulder_top(scene: Scene, across: Floats) -> Floats:
    """(h, w) height of the shoulders' slope above the joints' line, in pixels."""
    at = np.linspace(0.0, 0.7, 15)
    rises = [
        np.mean([scene.figure.silhouette.shoulder_rise(float(a), side) for side in SIDES])
        for a in at
    ]
    return np.asarray(np.interp(across / scene.unit, at, rises) * scene.unit, np.float32)


def _skin(scene: Scene) -> Floats:
    """This person's skin, continued from where it is seen, rounded over the limbs."""
    lab, tone = scene.lab, scene.figure.tone
    seen = scene.parsing.where("left-arm", "right-arm", "neck", "left-leg", "right-leg")
    size = max(1, round(0.015 * scene.unit)) * 2 + 1
    known = cv2.erode(seen.astype(np.uint8), np.ones((size, size), np.uint8)) > 0
    for channel, reach in enumerate((40, 14, 18)):
        known &= np.abs(lab[..., channel] - tone[channel]) < reach
    base = tone
    if known.sum() > 0.03 * scene.unit**2:
        base = np.median(lab[known], axis=0).astype(np.float32)
    filled = continue_smoothly(lab, known, base, step=scene.step)
    filled[..., 0] *= _roundness(scene) * (0.5 + 0.5 * scene.light.factor)
    fine = min(grain(lab[..., 0], known), 1.2)
    coarse = cv2.GaussianBlur(noise(scene.shape, 14.0), (0, 0), 0.02 * scene.unit)
    filled[..., 0] += noise(scene.shape, fine) + np.clip(coarse, -1.2, 1.2)
    return filled


def _roundness(scene: Scene) -> Floats:
    """Lightness of a round limb: full in its middle, less towards its edges."""
    factor = np.ones(scene.shape, np.float32)
    limbs = [*scene.arms.values(), *(scene.legs.values() if _legs_seen(scene) else ())]
    for limb in limbs:
        box = box_of(limb.cover, margin=1)
        inside = limb.cover[box] > 0.5
        if inside.any():
            depth = cv2.distanceTransform(inside.astype(np.uint8), cv2.DIST_L2, 3)
            edge = np.clip(depth / (0.11 * scene.unit), 0, 1)
            bulge = 0.68 + 0.32 * np.sqrt(1 - (1 - edge) ** 2)
            factor[box] = np.where(inside, bulge, factor[box])
    return np.asarray(cv2.GaussianBlur(factor, (0, 0), max(0.8, 0.008 * scene.unit)), np.float32)
