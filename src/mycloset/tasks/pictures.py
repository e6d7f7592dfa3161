"""Image: a picture that a network made of another one, and the two compared."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mycloset.images import RGB, write_picture


@dataclass(frozen=True)
class Image:
    """A restored or enlarged picture.

    Attributes:
        rgb: (H, W, 3) uint8.
        scale: how much larger than the picture that it was made of.
        made_by: what made it.
        faces: how many faces in it were restored by themselves.
    """

    rgb: RGB
    scale: float = 1.0
    made_by: str = ""
    faces: int = 0

    @property
    def size(self) -> tuple[int, int]:
        """Height and width, in pixels."""
        return int(self.rgb.shape[0]), int(self.rgb.shape[1])

    def draw(self, picture: RGB) -> RGB:
        """Left the picture as it was, enlarged pixel by pixel; right what was made of it."""
        from mycloset.tasks.comparisons import draw_comparison

        return draw_comparison(picture, self)

    def to_dict(self) -> dict[str, Any]:
        """JSON values: size, scale, what made it; the pixels are for `save`."""
        height, width = self.size
        return {
            "height": height,
            "width": width,
            "scale": self.scale,
            "made_by": self.made_by,
            "faces": self.faces,
        }

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write it as a picture file; the name's ending says in which format.

        Raises:
            OutputError: it cannot be written there.
        """
        return write_picture(path, self.rgb)
