"""Two simple ways to put a garment on a person, for the benchmarks to compare with.

Both get what the pipeline itself has found: the garment's soft mask, its landmarks, and the pose.
Neither removes the old garment, splits the new one into parts, or knows what is in front.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from mycloset.images import RGB
from mycloset.tasks.garments import Category, GarmentShape, SleeveLength
from mycloset.tasks.poses import Pose
from mycloset.tryon.embedded import thin_plate

Floats = NDArray[np.float32]

SIDES = (("left", 1.0), ("right", -1.0))

# The usual margins of a paste, in breadths between the shoulder joints.
ABOVE_SHOULDERS, BESIDE_SHOULDERS, BELOW_HIPS = 0.20, 0.15, 0.20
ABOVE_HIPS = 0.30  # a waistband lies above the hip joints
THIGH, KNEE = 0.45, 1.0  # shares of the way hip to knee at which short and knee-long hems end
UPPER_ARM = 0.53  # of the way from shoulder to wrist


@dataclass(frozen=True)
class Worn:
    """What a rival makes.

    Attributes:
        rgb: (H, W, 3) uint8.
        cover: (H, W) float32 0..1, where the garment was pasted.
        grid: (H, W, 2) float32, x and y in the garment picture; NaN where the garment is not.
    """

    rgb: RGB
    cover: Floats
    grid: Floats


@dataclass(frozen=True)
class Given:
    """What both rivals work from.

    Attributes:
        photo: (H, W, 3) uint8, the person.
        garment: (h, w, 3) uint8.
        mask: (h, w) float32 0..1, the garment's coverage as segmented.
        shape: landmarks of the garment as read.
        pose: joints as found.
    """

    photo: RGB
    garment: RGB
    mask: Floats
    shape: GarmentShape
    pose: Pose


def affine_paste(given: Given) -> Worn:
    """Paste the garment so that its own box lies on the body's box, with the body's slant.

    The box of a top is that of its torso (sleeves stick out as they do in the garment picture):
    shoulders to hips with margins. Trousers go from above the hips to the ankles, skirts and
    dresses to the knees.
    """
    source, target = _boxes(given)
    corners = np.column_stack([target, np.ones(len(target))])
    matrix = np.linalg.lstsq(corners, source, rcond=None)[0]  # (3, 2)
    height, width = given.photo.shape[:2]
    xs, ys = np.meshgrid(np.arange(width), np.arange(height))
    grid = np.stack([xs, ys, np.ones_like(xs)], axis=-1) @ matrix
    scale = float(np.sqrt(abs(np.linalg.det(matrix[:2]))))
    return _paste(given, grid.astype(np.float32), scale)


def global_spline(given: Given) -> Worn:
    """Bend the whole garment by one thin-plate spline from its landmarks to the body's."""
    placed = body_landmarks(given.shape, given.pose)
    names = [name for name in placed if name in given.shape.points]
    source = np.stack([given.shape.points[name] for name in names])
    target = np.stack([placed[name] for name in names])
    spline = thin_plate.fit(target, source, 1e-3)
    height, width = given.photo.shape[:2]
    grid = spline.dense(height, width)
    scale = float(np.ptp(source, axis=0).max() / max(np.ptp(target, axis=0).max(), 1.0))
    return _paste(given, grid, scale)


RIVALS: Mapping[str, Callable[[Given], Worn]] = {
    "affine": affine_paste,
    "one TPS": global_spline,
}


def body_landmarks(shape: GarmentShape, pose: Pose) -> dict[str, Floats]:
    """Where a garment's landmarks lie on a body, by name, from the pose alone: (2,) float32 each.

    Names are those of `GarmentShape.points`.
    """
    body = _Axes(pose)
    if shape.category is Category.LOWER:
        return _lower_landmarks(shape, body)
    placed: dict[str, Floats] = {}
    low = 0.0
    if shape.category is Category.DRESS:
        low = KNEE * float(np.linalg.norm(body.joint("left_knee") - body.joint("left_hip")))
    for side, sign in SIDES:
        shoulder, hip = body.joint(f"{side}_shoulder"), body.joint(f"{side}_hip")
        elbow, wrist = body.joint(f"{side}_elbow"), body.joint(f"{side}_wrist")
        out = body.across * np.float32(sign * body.unit)
        up = -body.down * np.float32(body.unit)
        placed[f"collar_{side}"] = body.neck + 0.24 * out + 0.26 * up
        sleeveless = shape.sleeves is SleeveLength.NONE
        placed[f"shoulder_{side}"] = shoulder + (0.0 if sleeveless else 0.08) * out + 0.10 * up
        placed[f"armpit_{side}"] = shoulder - 0.38 * up
        below = (BELOW_HIPS * body.unit + low) * body.down
        flare = 0.50 if shape.category is Category.DRESS else 0.28
        placed[f"hem_{side}"] = hip + flare * out + below
        if shape.category is Category.DRESS:
            placed[f"waist_{side}"] = 0.42 * shoulder + 0.58 * hip + 0.06 * out
        if not sleeveless:
            reach = float(np.clip(shape.sleeve_reach, 0.12, 1.0))
            at = shoulder + min(reach / UPPER_ARM, 1.0) * (elbow - shoulder)
            along = elbow - shoulder
            if reach > UPPER_ARM:
                at = elbow + (reach - UPPER_ARM) / (1 - UPPER_ARM) * (wrist - elbow)
                along = wrist - elbow
            aside = np.array([-along[1], along[0]], np.float32)
            aside /= max(float(np.linalg.norm(aside)), 1e-6)
            # The outer edge of an arm is the one away from the torso, or above a raised one.
            if float(aside @ (out / body.unit - 0.35 * body.down)) < 0:
                aside = -aside
            placed[f"cuff_outer_{side}"] = at + 0.15 * body.unit * aside
            placed[f"cuff_inner_{side}"] = at - 0.15 * body.unit * aside
    placed["neck_front"] = body.neck - 0.02 * body.unit * body.down
    return {name: np.asarray(point, np.float32) for name, point in placed.items()}


def _lower_landmarks(shape: GarmentShape, body: _Axes) -> dict[str, Floats]:
    placed: dict[str, Floats] = {}
    middle = (body.joint("left_hip") + body.joint("right_hip")) / 2
    for side, sign in SIDES:
        hip, knee = body.joint(f"{side}_hip"), body.joint(f"{side}_knee")
        out = body.across * np.float32(sign * body.unit)
        placed[f"waist_{side}"] = hip + 0.16 * out - ABOVE_HIPS * body.unit * body.down
        end = body.joint(f"{side}_ankle")
        if shape.length_reach < 2.0:
            end = hip + (THIGH if shape.length_reach < 1.4 else KNEE) * (knee - hip)
        if not shape.legs:
            placed[f"hem_outer_{side}"] = hip + KNEE * (knee - hip) + 0.35 * out
            continue
        placed[f"hem_outer_{side}"] = end + 0.15 * out
        placed[f"hem_inner_{side}"] = end - 0.15 * out
    if shape.legs:
        placed["crotch"] = middle + 0.20 * body.unit * body.down
    return {name: np.asarray(point, np.float32) for name, point in placed.items()}


class _Axes:
    """The torso's axes and size from the joints alone."""

    def __init__(self, pose: Pose) -> None:
        self._pose = pose
        left, right = self.joint("left_shoulder"), self.joint("right_shoulder")
        self.neck = (left + right) / 2
        self.hips = (self.joint("left_hip") + self.joint("right_hip")) / 2
        down = self.hips - self.neck
        span = max(float(np.linalg.norm(down)), 1.0)
        self.unit = max(float(np.linalg.norm(left - right)), 0.5 * span)
        self.across = (left - right) / max(float(np.linalg.norm(left - right)), 1e-6)
        self.down = down / span

    def joint(self, name: str) -> Floats:
        return np.asarray(self._pose.point(name), np.float32)


def _boxes(given: Given) -> tuple[Floats, Floats]:
    """Four corners in the garment picture, and where they go in the photo."""
    body, point = _Axes(given.pose), given.shape.points
    rows, columns = np.nonzero(given.mask >= 0.5)
    unit, across, down = body.unit, body.across, body.down
    if given.shape.category is Category.LOWER:
        left, right = float(columns.max()), float(columns.min())
        top, bottom = float(rows.min()), float(rows.max())
        end = "ankle" if given.shape.legs and given.shape.length_reach >= 2.0 else "knee"
        ends = (body.joint(f"left_{end}") + body.joint(f"right_{end}")) / 2
        upper = body.hips - ABOVE_HIPS * unit * down
        half = max(0.5 * unit, 0.5 * abs(float((ends - body.hips) @ across)) + 0.5 * unit)
    else:
        left, right = float(point["shoulder_left"][0]), float(point["shoulder_right"][0])
        left = max(left, float(point["armpit_left"][0]))
        right = min(right, float(point["armpit_right"][0]))
        top = float(min(point["collar_left"][1], point["collar_right"][1]))
        bottom = float((point["hem_left"][1] + point["hem_right"][1]) / 2)
        upper = body.neck - ABOVE_SHOULDERS * unit * down
        ends = body.hips + BELOW_HIPS * unit * down
        if given.shape.category is Category.DRESS:
            ends = (body.joint("left_knee") + body.joint("right_knee")) / 2
        half = (0.5 + BESIDE_SHOULDERS) * unit
    source = np.array([[right, top], [left, top], [right, bottom], [left, bottom]], np.float32)
    target = np.stack(
        [upper - half * across, upper + half * across, ends - half * across, ends + half * across]
    )
    return source, target.astype(np.float32)


def _paste(given: Given, grid: Floats, scale: float) -> Worn:
    """Sample the garment at `grid`, average where it is shown smaller, and lay it on the photo."""
    garment, mask = given.garment.astype(np.float32), given.mask
    at = grid
    if scale > 1.25:
        size = (round(garment.shape[1] / scale), round(garment.shape[0] / scale))
        ratio = np.array([size[0] / garment.shape[1], size[1] / garment.shape[0]], np.float32)
        garment = cv2.resize(garment, size, interpolation=cv2.INTER_AREA)
        mask = cv2.resize(mask, size, interpolation=cv2.INTER_AREA)
        at = (grid + 0.5) * ratio - 0.5
    color = cv2.remap(garment, at, None, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    cover = cv2.remap(mask, at, None, cv2.INTER_LINEAR, borderValue=0)
    mixed = given.photo + (color - given.photo) * cover[..., None]
    rgb = np.clip(np.round(mixed), 0, 255).astype(np.uint8)
    shown = np.where((cover >= 0.5)[..., None], grid, np.float32(np.nan))
    return Worn(rgb, cover.astype(np.float32), shown.astype(np.float32))
