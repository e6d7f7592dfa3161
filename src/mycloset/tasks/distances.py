"""Distances: how differently two pictures look, as a whole and place by place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mycloset.images import RGB


@dataclass(frozen=True)
class Distance:
    """How far apart two pictures are.

    Attributes:
        value: 0 for equal pictures; larger is farther.
        places: (H, W) float32, the distance at each pixel of the first picture.
        measure: which distance it is.
    """

    value: float
    places: NDArray[np.float32]
    measure: str

    def draw(self, picture: RGB) -> RGB:
        """Where the pictures differ, in red on the faded picture."""
        from mycloset.tasks.drawing import draw_distance

        return draw_distance(picture, self)

    def to_dict(self) -> dict[str, Any]:
        """JSON values: the measure and its value."""
        return {"measure": self.measure, "value": self.value}
