"""Flow: where each pixel of one picture went in another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from mycloset.images import RGB


@dataclass(frozen=True)
class Flow:
    """A dense correspondence from a first picture to a second.

    Attributes:
        pixels: (H, W, 2) float32, x and y to add to a pixel of the first picture, in its pixels.
    """

    pixels: NDArray[np.float32]

    @property
    def speed(self) -> NDArray[np.float32]:
        """(H, W) how far each pixel went, in pixels."""
        found: NDArray[np.float32] = np.hypot(self.pixels[..., 0], self.pixels[..., 1])
        return found

    def warp(self, second: RGB) -> RGB:
        """The second picture brought onto the first; black where it has nothing."""
        height, width = self.pixels.shape[:2]
        rows, columns = np.indices((height, width), dtype=np.float32)
        found = cv2.remap(
            second,
            columns + self.pixels[..., 0],
            rows + self.pixels[..., 1],
            cv2.INTER_LINEAR,
        )
        return np.asarray(found, np.uint8)

    def draw(self, picture: RGB) -> RGB:
        """The flow as colours (hue: direction, strength: distance) beside the picture."""
        from mycloset.tasks.drawing import draw_flow

        return draw_flow(picture, self)

    def to_dict(self) -> dict[str, Any]:
        """JSON values: size, mean and largest distance, mean motion; the field itself is not."""
        height, width = self.pixels.shape[:2]
        speed = self.speed
        return {
            "height": height,
            "width": width,
            "mean_distance": float(speed.mean()),
            "largest_distance": float(speed.max()),
            "mean_x": float(self.pixels[..., 0].mean()),
            "mean_y": float(self.pixels[..., 1].mean()),
        }
