"""Two pictures into LPIPS, their distance out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from mycloset.architectures.plans import Forward, normalised
from mycloset.errors import OptionError
from mycloset.images import RGB
from mycloset.tasks.distances import Distance

LEAST = 32
"""Pixels that a side has at least: below, the deepest layers have nothing left."""


class LpipsProcessing:
    """Compares two pictures of one size.

    Args:
        measure: name of the distance.
    """

    def __init__(self, measure: str) -> None:
        self.measure = measure

    def __call__(
        self, forward: Forward, first: RGB, second: RGB, *, resize: bool = False
    ) -> Distance:
        """The distance of two pictures.

        Args:
            forward: the network.
            first, second: (H, W, 3).
            resize: whether the second is brought to the first one's size.

        Raises:
            OptionError: their sizes differ, and `resize` is not set.
        """
        if first.shape != second.shape:
            if not resize:
                raise OptionError(
                    f"the pictures differ in size: {_size(first)} and {_size(second)}.",
                    hint="Give resize=True to compare them all the same.",
                )
            height, width = first.shape[:2]
            area = cv2.INTER_AREA if height * width < second[..., 0].size else cv2.INTER_CUBIC
            second = np.asarray(cv2.resize(second, (width, height), interpolation=area))
        found = forward(first=_prepared(first), second=_prepared(second))
        height, width = first.shape[:2]
        places = np.ascontiguousarray(found["map"][0, 0, :height, :width])
        return Distance(float(found["distance"].ravel()[0]), places, self.measure)


def processing(variant: str, layout: str, config: Mapping[str, Any]) -> LpipsProcessing:
    """How LPIPS compares pictures."""
    return LpipsProcessing(f"LPIPS ({config['net']})")


def _prepared(picture: RGB) -> NDArray[np.float32]:
    """(1, 3, H, W) in -1..1; small pictures are mirrored at their right and lower ends."""
    height, width = picture.shape[:2]
    below, right = max(0, LEAST - height), max(0, LEAST - width)
    if below or right:
        picture = np.pad(picture, ((0, below), (0, right), (0, 0)), mode="symmetric")
    return normalised(picture, (0.5, 0.5, 0.5), (0.5, 0.5, 0.5))


def _size(picture: RGB) -> str:
    return f"{picture.shape[1]}x{picture.shape[0]}"
