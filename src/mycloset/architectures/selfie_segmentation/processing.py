"""People against their background: before and after the network."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from mycloset.architectures.regions import Region
from mycloset.architectures.selfie_segmentation.layout import GENERAL
from mycloset.images import RGB

Floats = NDArray[np.float32]


def prepare(picture: RGB, region: Region) -> Floats:
    """(256, 256, 3) float32 0..1; the picture's border goes on outside it."""
    cut = region.crop(picture, GENERAL.size, extend=True)
    return cut.astype(np.float32) * np.float32(1 / 255)


def read(outputs: Mapping[str, Floats]) -> Floats:
    """(256, 256) float32 0..1, spread over the region that was looked at."""
    return np.clip(outputs["probability"][..., 0], 0.0, 1.0)
