"""Landmarks and silhouette of one person: BlazePose's second network, before and after."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from mycloset.architectures.blazepose.detection import ROI_SCALE
from mycloset.architectures.blazepose.layout import LANDMARKER, LANDMARKS
from mycloset.architectures.regions import Region
from mycloset.images import RGB
from mycloset.tasks.poses import BLAZEPOSE_33, Pose

Floats = NDArray[np.float32]

HEATMAP_KERNEL = 7
HEATMAP_MIN_CONFIDENCE = 0.5
LOGIT_LIMIT = 12.0
"""Beyond this a probability is 0 or 1 in all that follows; the raw logits overflow in places."""


@dataclass(frozen=True)
class BodyReading:
    """What the landmark network says of a region.

    Attributes:
        pose: the 33 landmarks in pixels of the picture, with depth and world coordinates.
        presence: 0..1, that there is a person in the region; the pose's score.
        logits: (256, 256) float32, that a pixel is of this person, spread over `region`.
        region: what was looked at.
        next_region: where a second look should go, from the auxiliary landmarks.
    """

    pose: Pose
    presence: float
    logits: Floats
    region: Region
    next_region: Region


def prepare(picture: RGB, region: Region) -> Floats:
    """(256, 256, 3) float32 0..1; the picture's border goes on outside it."""
    cut = region.crop(picture, LANDMARKER.size, extend=True)
    return cut.astype(np.float32) * np.float32(1 / 255)


def read(outputs: Mapping[str, Floats], region: Region) -> BodyReading:
    """Decode one forward for `region`."""
    size = LANDMARKER.size[0]
    raw = outputs["landmarks"].reshape(-1, 5)
    unit = refine(raw[:, :2] / np.float32(size), outputs["heatmaps"])
    # Visible means present and not covered; the network gives the two apart.
    confidence = np.minimum(expit(raw[:, 3]), expit(raw[:, 4])).astype(np.float32)
    points = region.to_picture(unit)
    presence = float(np.clip(outputs["presence"].reshape(-1)[0], 0.0, 1.0))
    pose = Pose(
        BLAZEPOSE_33,
        points[:LANDMARKS],
        confidence[:LANDMARKS],
        presence,
        depth=(raw[:LANDMARKS, 2] * np.float32(region.width / size)),
        world=_turn_world(outputs["world"].reshape(-1, 3)[:LANDMARKS], region.rotation),
    )
    logits = np.clip(outputs["segmentation"][..., 0], -LOGIT_LIMIT, LOGIT_LIMIT)
    next_region = Region.upright(points[LANDMARKS], points[LANDMARKS + 1], scale=ROI_SCALE)
    return BodyReading(pose, presence, logits, region, next_region)


def refine(points: Floats, heatmaps: Floats) -> Floats:
    """Move each point to the centre of mass of its heatmap nearby, where that one is sure.

    Args:
        points: (J, 2) unit coordinates.
        heatmaps: (h, w, J) logits.

    Returns:
        (J, 2) unit coordinates. Source: RefineLandmarksFromHeatmapCalculator; like there, the
        middle of a heatmap's cell is its corner of lower coordinates.
    """
    height, width, joints = heatmaps.shape
    found = points.copy()
    reach = (HEATMAP_KERNEL - 1) // 2
    for joint in range(joints):
        column, row = (int(v) for v in np.floor(points[joint] * (width, height)))
        if not (0 <= column < width and 0 <= row < height):
            continue
        top, left = max(0, row - reach), max(0, column - reach)
        near = expit(heatmaps[top : row + reach + 1, left : column + reach + 1, joint])
        if near.max() < HEATMAP_MIN_CONFIDENCE:
            continue
        total = float(near.sum())
        columns = left + np.arange(near.shape[1])
        rows = top + np.arange(near.shape[0])
        found[joint, 0] = float(near.sum(axis=0) @ columns) / total / width
        found[joint, 1] = float(near.sum(axis=1) @ rows) / total / height
    return found


def _turn_world(world: Floats, rotation: float) -> Floats:
    """Undo the region's rotation in the picture plane."""
    cos, sin = np.cos(rotation), np.sin(rotation)
    turned = world.copy()
    turned[:, 0] = cos * world[:, 0] - sin * world[:, 1]
    turned[:, 1] = sin * world[:, 0] + cos * world[:, 1]
    return turned
