"""The new garment in the photo's light: its colours, its roundness, its shadow on what it is on."""

from __future__ import annotations

import cv2
import numpy as np

from mycloset.tryon.embedded.colour_models import to_lab
from mycloset.tryon.embedded.fill import continue_textured
from mycloset.tryon.embedded.scene import TRUNK, Flags, Floats, Scene, box_of


def light_cloth(scene: Scene, garment: Floats) -> Floats:
    """The garment's colours under the photo's light (Lab), wherever `garment` says it is."""
    alpha = scene.cloth_alpha
    lab = to_lab(scene.cloth_rgb)
    if (garment - alpha).max() > 0.02:
        solid = cv2.erode((alpha > 0.98).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
        reach = 0.15 * scene.unit
        grown = continue_textured(lab, solid, reach, step=scene.step, wanted=garment > 0)
        lab = lab + (grown - lab) * (1 - np.minimum(1, alpha * 1.02))[..., None]
    factor = scene.light.factor * _rounded(scene, 1 - 0.6 * scene.light.broad)
    light = lab[..., 0]
    # Light above the cloth's own colour may not burn it out: it only nears white.
    brighter = light + (99.0 - light) * np.minimum(1.5 * (factor - 1), 0.5)
    lab[..., 0] = np.where(factor > 1, np.minimum(light * factor, brighter), light * factor)
    return lab


def cast_shadow(scene: Scene, ground: Floats, garment: Floats, gone: Flags) -> Floats:
    """`ground` (Lab) with the garment's soft shadow on skin and clothes right beside it."""
    near = cv2.GaussianBlur(garment, (0, 0), max(1.0, 0.012 * scene.unit))
    on = scene.parsing.where("neck", "left-arm", "right-arm", "pants", "skirt") | gone
    on &= scene.person > 0.9
    soft = cv2.GaussianBlur(on.astype(np.float32), (0, 0), 1.5)
    shade = 0.30 * np.clip(near - 0.08, 0, 1) * soft * (1 - garment)
    out = ground.copy()
    out[..., 0] *= 1 - shade
    return out


def _rounded(scene: Scene, strength: float) -> Floats:
    """Darker towards the sides of torso and sleeves, where cloth turns away from the viewer."""
    factor = np.ones(scene.shape, np.float32)
    spread = max(1.0, 0.03 * scene.unit)
    for name, whole in scene.parts.items():
        box = box_of(whole, margin=round(4 * spread) + 2)
        alpha = whole[box]
        if not alpha.size:
            continue
        width = 0.34 if name in TRUNK else 0.12
        inside = alpha > 0.5
        depth = cv2.distanceTransform(inside.astype(np.uint8), cv2.DIST_L2, 3)
        edge = np.clip(depth / (width * scene.unit), 0, 1)
        dark = 1 - strength * 0.30 * (1 - np.sqrt(1 - (1 - edge) ** 2))
        factor[box] *= np.where(inside, dark, 1)
        if name not in TRUNK:  # a sleeve shades the torso beside it
            shadow = cv2.GaussianBlur(np.ascontiguousarray(alpha), (0, 0), spread)
            factor[box] *= np.where(inside, 1, 1 - 0.22 * shadow)
    return np.asarray(cv2.GaussianBlur(factor, (0, 0), max(0.8, 0.01 * scene.unit)), np.float32)
