"""A picture at one of the sizes at which OpenPose's networks look at it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from mycloset.architectures.openpose.enlarging import STRIDE
from mycloset.errors import OptionError
from mycloset.images import RGB

Floats = NDArray[np.float32]

LONGEST = 4.0
"""A picture's width counts up to this many heights; wider ones are made smaller."""


class Scaled(NamedTuple):
    """A network's input.

    Attributes:
        image: (1, 3, h, w) float32 BGR, -0.5..0.5, padded with 0 to multiples of 8.
        inner: its height and width without padding.
    """

    image: Floats
    inner: tuple[int, int]


def scaled(picture: RGB, scale: float, boxsize: int) -> Scaled:
    """The picture `scale` boxes high."""
    height, width = picture.shape[:2]
    factor = scale * boxsize / max(height, width / LONGEST)
    inner = (max(1, round(height * factor)), max(1, round(width * factor)))
    resized = np.asarray(cv2.resize(picture, inner[::-1], interpolation=cv2.INTER_CUBIC))
    padded = [-(-side // STRIDE) * STRIDE for side in inner]
    image = np.zeros((1, 3, *padded), np.float32)
    part = image[0, :, : inner[0], : inner[1]]
    np.multiply(resized[..., ::-1].transpose(2, 0, 1), np.float32(1 / 256), out=part)
    part -= np.float32(0.5)
    return Scaled(image, inner)


def checked_scales(scales: Sequence[float], boxsize: int) -> list[float]:
    """The scales as numbers.

    Raises:
        OptionError: there is none, or one that makes the picture too small or too large.
    """
    found = [float(scale) for scale in scales]
    if not found or any(not 16 <= scale * boxsize <= 4096 for scale in found):
        raise OptionError(
            f"scales: {found} with boxsize {boxsize} does not make heights of 16 to 4096 pixels.",
            hint="Use scales like (0.5,) or (0.5, 1.0, 1.5, 2.0) with boxsize=368.",
        )
    return found
