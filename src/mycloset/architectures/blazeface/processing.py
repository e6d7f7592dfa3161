"""Finding faces: BlazeFace before and after the network."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mycloset.architectures import ssd
from mycloset.architectures.blazeface.layout import SHORT_RANGE, SHORT_RANGE_SSD
from mycloset.architectures.regions import Region
from mycloset.images import RGB

Floats = NDArray[np.float32]

MESH_SCALE = 1.5
"""How much larger than the face's box the mesh network's region is (detection_to_roi)."""


@dataclass(frozen=True)
class FoundFace:
    """A face as the detector sees one.

    Attributes:
        box: (4,) float32, left, top, right, bottom in pixels.
        keypoints: (6, 2) float32 in pixels, in the order of `layout.KEYPOINTS`.
        score: 0..1.
        rotation: radians, tilt of the line through the eyes in the picture.
    """

    box: Floats
    keypoints: Floats
    score: float
    rotation: float

    @property
    def mesh_region(self) -> Region:
        """What the mesh network should look at."""
        square = Region.around(self.box, scale=MESH_SCALE)
        return Region(square.x, square.y, square.width, square.height, self.rotation)


def prepare(picture: RGB, region: Region) -> Floats:
    """(128, 128, 3) float32 -1..1; black outside the picture."""
    cut = region.crop(picture, SHORT_RANGE.size, extend=False)
    return cut.astype(np.float32) * np.float32(2 / 255) - np.float32(1)


def read(
    outputs: Mapping[str, Floats], region: Region, *, min_score: float = 0.5
) -> tuple[FoundFace, ...]:
    """The faces in a region that was looked at, the surest first."""
    found = ssd.decode(
        outputs["regressors"], outputs["scores"], SHORT_RANGE_SSD, min_score=min_score
    )
    return tuple(_face(detection, region) for detection in found)


def _face(detection: ssd.Detection, region: Region) -> FoundFace:
    # The box's sides stay upright in the region that was looked at; only its centre is turned.
    low, high = detection.box[:2], detection.box[2:]
    center = region.to_picture(((low + high) / 2)[None])[0]
    half = (high - low) * np.array([region.width, region.height], np.float32) / 2
    points = region.to_picture(detection.keypoints)
    right, left = points[0], points[1]
    return FoundFace(
        box=np.concatenate([center - half, center + half]).astype(np.float32),
        keypoints=points,
        score=detection.score,
        rotation=math.atan2(float(left[1] - right[1]), float(left[0] - right[0])),
    )
