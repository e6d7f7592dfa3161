"""The skeleton as OpenPose renders it, which some try-on networks get as a picture of the pose.

Source: CMU-Perceptual-Computing-Lab/openpose, include/openpose/pose/poseParametersRender.hpp
(BODY_25: pairs and colours) and renderPose.cu (sizes, opacity). Feet are left out.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from mycloset.architectures.garment_networks.people import Floats, Subject
from mycloset.images import RGB

OPACITY = 0.6
LIMBS: tuple[tuple[str, str, tuple[int, int, int]], ...] = (
    ("neck", "mid_hip", (255, 0, 0)),
    ("neck", "right_shoulder", (255, 85, 0)),
    ("neck", "left_shoulder", (170, 255, 0)),
    ("right_shoulder", "right_elbow", (255, 170, 0)),
    ("right_elbow", "right_wrist", (255, 255, 0)),
    ("left_shoulder", "left_elbow", (85, 255, 0)),
    ("left_elbow", "left_wrist", (0, 255, 0)),
    ("mid_hip", "right_hip", (0, 255, 85)),
    ("right_hip", "right_knee", (0, 255, 170)),
    ("right_knee", "right_ankle", (0, 255, 255)),
    ("mid_hip", "left_hip", (0, 170, 255)),
    ("left_hip", "left_knee", (0, 85, 255)),
    ("left_knee", "left_ankle", (0, 0, 255)),
    ("neck", "nose", (255, 0, 85)),
    ("nose", "right_eye", (255, 0, 170)),
    ("right_eye", "right_ear", (255, 0, 255)),
    ("nose", "left_eye", (170, 0, 255)),
    ("left_eye", "left_ear", (85, 0, 255)),
)
"""Limbs of BODY_25 in the order of drawing; each has the colour of its second joint."""


def skeleton_picture(person: Subject) -> RGB:
    """(h, w, 3) uint8 RGB: the skeleton on black."""
    height, width = person.labels.shape
    picture = np.zeros((height, width, 3), np.uint8)
    least = min(height, width)
    breadth, radius = max(1.0, least / 120), max(1.0, least / 100)
    for first, second, color in LIMBS:
        ends = _place(person, first), _place(person, second)
        if ends[0] is not None and ends[1] is not None:
            middle, along = (ends[0] + ends[1]) / 2, ends[1] - ends[0]
            half = float(np.linalg.norm(along)) / 2
            angle = float(np.degrees(np.arctan2(along[1], along[0])))
            # Fixed-point coordinates: four fractional bits are a sixteenth of a pixel.
            points = _ellipse(
                (round(float(middle[0]) * 16), round(float(middle[1]) * 16)),
                (round(half * 16), round(breadth * 16)), round(angle),
            )  # fmt: skip
            _blend(picture, points, color)
    colors = {"neck": (255, 0, 0)} | {second: color for _, second, color in LIMBS}
    for name, color in colors.items():
        place = _place(person, name)
        if place is not None:
            center = round(float(place[0]) * 16), round(float(place[1]) * 16)
            dot = _ellipse(center, (round(radius * 16),) * 2, 0)
            _blend(picture, dot, color)
    return picture


def _place(person: Subject, name: str) -> Floats | None:
    if name == "mid_hip":
        sides = ("right_hip", "left_hip")
        if not person.seen(*sides):
            return None
        return np.asarray((person.joint(sides[0]) + person.joint(sides[1])) / 2, np.float32)
    return person.joint(name) if person.seen(name) else None


def _ellipse(center: tuple[int, int], axes: tuple[int, int], angle: int) -> NDArray[np.int32]:
    """(N, 2) corners of a polygon that is nearly an ellipse."""
    return np.asarray(cv2.ellipse2Poly(center, axes, angle, 0, 360, 4), np.int32)


def _blend(picture: RGB, points: NDArray[np.int32], color: tuple[int, int, int]) -> None:
    """Lay a polygon of sixteenths of pixels over the picture, in place."""
    height, width = picture.shape[:2]
    low = np.floor(points.min(axis=0) / 16).astype(int) - 1
    high = np.ceil(points.max(axis=0) / 16).astype(int) + 2
    x0, y0 = max(int(low[0]), 0), max(int(low[1]), 0)
    x1, y1 = min(int(high[0]), width), min(int(high[1]), height)
    if x1 <= x0 or y1 <= y0:
        return
    mask = np.zeros((y1 - y0, x1 - x0), np.uint8)
    offset = np.array([x0 * 16, y0 * 16])
    cv2.fillPoly(mask, [(points - offset).astype(np.int32)], 255, cv2.LINE_AA, 4)
    share = (mask.astype(np.float32) * np.float32(OPACITY / 255))[..., None]
    box = picture[y0:y1, x0:x1]
    box[:] = (box + (np.array(color, np.float32) - box) * share + 0.5).astype(np.uint8)
