"""Faces: where they are in a picture, how sure that is, and five points of each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mycloset.images import RGB

POINTS = ("left_eye", "right_eye", "nose", "left_mouth", "right_mouth")
"""Order of a face's points; left and right as in the picture."""


@dataclass(frozen=True)
class Faces:
    """The faces of one picture, the surest first.

    Attributes:
        boxes: (N, 4) float32, left, top, right, bottom in the picture's pixels; they may reach
            beyond its border.
        scores: (N,) float32, 0..1.
        landmarks: (N, 5, 2) float32, x and y in pixels in the order of `POINTS`; None where the
            network gives boxes only.
    """

    boxes: NDArray[np.float32]
    scores: NDArray[np.float32]
    landmarks: NDArray[np.float32] | None = None

    def __len__(self) -> int:
        return len(self.boxes)

    def draw(self, picture: RGB) -> RGB:
        """The picture with a frame around each face, its points, and how sure it is."""
        from mycloset.tasks.drawing_faces import draw_faces

        return draw_faces(picture, self)

    def to_dict(self) -> dict[str, Any]:
        """JSON values: of each face its box, score and points by name."""
        found: list[dict[str, Any]] = []
        for number, (box, score) in enumerate(zip(self.boxes, self.scores, strict=True)):
            face: dict[str, Any] = {"box": [float(v) for v in box], "score": float(score)}
            if self.landmarks is not None:
                points = self.landmarks[number].tolist()
                face["landmarks"] = dict(zip(POINTS, points, strict=True))
            found.append(face)
        return {"faces": found}
