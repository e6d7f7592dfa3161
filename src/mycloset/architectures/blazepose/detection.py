"""Finding people in a whole picture: BlazePose's detector before and after the network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mycloset.architectures import ssd
from mycloset.architectures.blazepose.layout import DETECTOR, DETECTOR_SSD
from mycloset.architectures.regions import Region
from mycloset.images import RGB

Floats = NDArray[np.float32]

MIN_SCORE = 0.5
"""What a detection must reach in MediaPipe's own graph."""

ROI_SCALE = 1.25
"""How much larger than the body circle the landmark network's region is (pose_detection_to_roi)."""


@dataclass(frozen=True)
class FoundBody:
    """A person as the detector sees one.

    Attributes:
        region: what the landmark network should look at.
        face: (4,) float32, the head's box in pixels: left, top, right, bottom.
        score: 0..1.
    """

    region: Region
    face: Floats
    score: float


def prepare(picture: RGB, region: Region) -> Floats:
    """(224, 224, 3) float32 -1..1; black outside the picture."""
    cut = region.crop(picture, DETECTOR.size, extend=False)
    return cut.astype(np.float32) * np.float32(2 / 255) - np.float32(1)


def read(
    outputs: Mapping[str, Floats], region: Region, *, min_score: float = MIN_SCORE
) -> tuple[FoundBody, ...]:
    """The people in a region that was looked at, the surest first."""
    found = ssd.decode(outputs["regressors"], outputs["scores"], DETECTOR_SSD, min_score=min_score)
    return tuple(_body(detection, region) for detection in found)


def _body(detection: ssd.Detection, region: Region) -> FoundBody:
    center, end = region.to_picture(detection.keypoints[:2])
    corners = region.to_picture(detection.box.reshape(2, 2))
    return FoundBody(
        region=Region.upright(center, end, scale=ROI_SCALE),
        face=corners.reshape(4),
        score=detection.score,
    )
