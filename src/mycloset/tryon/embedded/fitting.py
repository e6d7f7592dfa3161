"""Putting the warped garment on the person: the old one goes, light and what is in front stay.

Layers from back to front: the photo without its old garment, the garment's torso, arms that are
before it, sleeves, and last hair and face.
"""

from __future__ import annotations

import numpy as np

from mycloset.tryon.embedded.colour_models import to_rgb
from mycloset.tryon.embedded.dressing import cast_shadow, light_cloth
from mycloset.tryon.embedded.layers import arrange
from mycloset.tryon.embedded.light import Light
from mycloset.tryon.embedded.scene import FittingInput, Floats, read_scene
from mycloset.tryon.embedded.uncover import uncover
from mycloset.tryon.state import Fitting

__all__ = ["FittingInput", "fit"]


def fit(given: FittingInput) -> tuple[Fitting, Light]:
    """Compose the picture; everything outside `changed` equals the photo exactly."""
    scene = read_scene(given)
    layers = arrange(scene)
    ground, gone = uncover(scene, layers)
    cloth = light_cloth(scene, layers.garment)
    shaded = cast_shadow(scene, ground, layers.garment, gone)
    mixed = shaded + (cloth - shaded) * layers.garment[..., None]
    # What differs by less than rounding stays the photo's own pixel.
    touched = (layers.garment > 1 / 512) | (_most(np.abs(shaded - scene.lab)) > 0.05)
    rgb = given.rgb.copy()
    rgb[scene.window][touched] = to_rgb(mixed)[touched]
    changed = np.zeros(given.mask.shape, np.float32)
    changed[scene.window] = _most((rgb[scene.window] != scene.rgb).astype(np.float32))
    garment = np.zeros(given.mask.shape, np.float32)
    garment[scene.window] = layers.garment
    return Fitting(rgb, changed, garment), scene.light


def _most(values: Floats) -> Floats:
    """(h, w) the greatest of three channels."""
    return np.maximum(np.maximum(values[..., 0], values[..., 1]), values[..., 2])
