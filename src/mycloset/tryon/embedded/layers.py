"""What lies over what: arms before the torso, and the garment grown to the body's outline."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from mycloset.tasks.garments import Category
from mycloset.tryon.embedded.body import SIDES
from mycloset.tryon.embedded.scene import TRUNK, Flags, Floats, Scene


@dataclass(frozen=True)
class Layers:
    """Coverages (h, w) float32 0..1 in a scene's window, from front to back.

    Attributes:
        front: hair, face and what is worn there; nothing covers them.
        arms_kept: arms before the torso that are bare in the photo.
        arms_made: arms before the torso that have to be drawn bare.
        garment: the new garment where it is seen.
    """

    front: Floats
    arms_kept: Floats
    arms_made: Floats
    garment: Floats


def arrange(scene: Scene) -> Layers:
    """Find what is in front, and where the garment is seen."""
    front = _front(scene)
    kept, made = _arms(scene)
    trunk = scene.over(name for name in scene.parts if name in TRUNK)
    sleeves = scene.over(name for name in scene.parts if name not in TRUNK)
    grown = np.maximum(trunk, _snapped(scene, trunk, sleeves))
    shown = 1 - (1 - grown * (1 - np.maximum(kept, made))) * (1 - sleeves)
    return Layers(front, kept, made, np.asarray(shown * (1 - front), np.float32))


def _front(scene: Scene) -> Floats:
    """Hair, face and what is worn there; before a lower garment also the top."""
    before = scene.parsing.where("hair", "face", "hat", "sunglasses")
    if scene.category is not Category.LOWER:
        return scene.soft(before)
    top = _hanging_top(scene)
    size = max(1, round(0.01 * scene.unit)) * 2 + 1
    # Soft edges follow the picture's edges, and a pattern has edges of its own inside the cloth.
    inner = cv2.erode(top.astype(np.float32), np.ones((size, size), np.uint8))
    return np.maximum(scene.soft(before | top), inner)


def _hanging_top(scene: Scene) -> Flags:
    """A top, which hangs over trousers and skirts, with the ground beside it.

    Where the trunk is covered by the top, no lower garment is seen beside it either, unless the
    photo shows one there.
    """
    top = scene.parsing.where("upper-clothes")
    trunk = (np.abs(scene.aside) < 0.3 * scene.unit) & (scene.person > 0.5)
    covered = (top & trunk).sum(axis=1) > 0.5 * np.maximum(trunk.sum(axis=1), 1)
    beside: Flags = covered[:, None] & ~scene.old
    return top | beside


def _arms(scene: Scene) -> tuple[Floats, Floats]:
    """Arms before the torso: those that are bare in the photo, and those to be made bare."""
    keep = np.zeros(scene.shape, bool)
    made = np.zeros(scene.shape, np.float32)
    skin = scene.parsing.where("left-arm", "right-arm")
    if scene.category is Category.LOWER:
        return scene.soft(skin), made
    free = scene.old | skin
    free_low = free | scene.parsing.where("pants", "skirt", "dress")
    for side in SIDES:
        arm = scene.arms[side]
        end = scene.sleeve_ends.get(side, 0.22)
        keep |= scene.parsing.where(f"{side}-arm") & (arm.place > end - 0.05)
        visible = np.clip((arm.place - end) / 0.04 + 0.5, 0, 1) * arm.cover * scene.person
        # A wrist that is seen lies before trousers; one that is not may be in their pocket.
        at = free_low if scene.figure.body.sure(f"{side}_wrist") > 0.5 else free
        made = np.maximum(made, np.where(at, visible, 0)).astype(np.float32)
    kept = scene.soft(keep)
    return kept, np.asarray(made * (1 - kept), np.float32)


def _snapped(scene: Scene, trunk: Floats, sleeves: Floats) -> Floats:
    """Thin rests of the body just outside the new garment, which it would really cover.

    The warp knows the body's outline only within a few per cent. Where a strip of old garment
    or shoulder is left between the garment and the outline, sideways and not beyond a hem, a
    cuff or the neckline, the garment is grown to the outline.
    """
    cover = np.maximum(trunk, sleeves)
    gap = cv2.distanceTransform((cover < 0.5).astype(np.uint8), cv2.DIST_L2, 3)
    rest: Flags = scene.old.copy()
    if scene.category is not Category.LOWER:
        rest |= scene.parsing.where("neck", "left-arm", "right-arm")
    width = _strip_width(scene, trunk > 0.5)
    near = gap < width
    # A rest that goes on beyond the strip's width is a wider garment, which has to go.
    far = (rest & ~near & (width > 0) & (scene.person > 0.5)).astype(np.uint8)
    reach = max(1, round(0.05 * scene.unit)) * 2 + 1
    wide = cv2.dilate(far, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach, reach))) > 0
    strip = (cover < 0.98) & (scene.person > 0.5) & near & ~wide
    grown = cv2.morphologyEx(
        (strip & rest).astype(np.uint8), cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8)
    )
    # The grown outline is a seamstress's, not a pixel's: what sticks out of it is cut off.
    whole = np.maximum(cover, grown.astype(np.float32))
    grown[cv2.GaussianBlur(whole, (0, 0), max(1.0, 0.03 * scene.unit)) < 0.42] = 0
    soft = cv2.GaussianBlur(grown.astype(np.float32), (0, 0), 1.0)
    return np.asarray(np.minimum(1, soft * 1.3) * scene.person, np.float32)


def _strip_width(scene: Scene, trunk: Flags) -> Floats:
    """How wide a strip may be, in pixels, to be covered by the garment beside it; else 0."""
    down, aside, unit = scene.down, scene.aside, scene.unit
    width = np.zeros(scene.shape, np.float32)
    rows = down[trunk]
    if not rows.size:
        return width
    low = float(np.quantile(rows, 0.985)) - 0.02 * unit
    arms = scene.parsing.where("left-arm", "right-arm")
    if scene.category is not Category.LOWER:
        for side in SIDES:
            if side not in scene.sleeve_ends:  # the arm of a sleeveless garment will be bare
                arms |= scene.arms[side].cover > 0.5
    width[(down > 0.3 * unit) & (down < low) & ~arms] = 0.07 * unit
    if scene.category is Category.LOWER:
        return width
    for side, sleeve_end in scene.sleeve_ends.items():
        outward = aside if side == "left" else -aside
        outer = outward > 0.3 * unit
        before = scene.arms[side].place < sleeve_end - 0.03
        width[outer & before & (down < 1.6 * unit)] = 0.10 * unit
        slope = (outward > 0.24 * unit) & (down < 0.05 * unit)
        width[slope] = np.maximum(width[slope], 0.06 * unit)
    return width
