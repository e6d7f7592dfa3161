"""Detections: boxes around things in a picture, what they are, and their outlines where known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mycloset.images import RGB


@dataclass(frozen=True)
class Detections:
    """Things in a picture, the surest first.

    Attributes:
        boxes: (N, 4) float32, left, top, right, bottom in pixels, within the picture.
        scores: (N,) float32, 0..1.
        labels: (N,) int64, numbers of the classes.
        names: of all classes, by number.
        masks: for each thing a boolean map of the whole pixels that its box touches, from
            floor(left), floor(top); None where the network gives no masks.
    """

    boxes: NDArray[np.float32]
    scores: NDArray[np.float32]
    labels: NDArray[np.int64]
    names: tuple[str, ...]
    masks: tuple[NDArray[np.bool_], ...] | None = None

    def __len__(self) -> int:
        return len(self.boxes)

    def name(self, place: int) -> str:
        """What the thing at a place is."""
        return self.names[int(self.labels[place])]

    def of(self, name: str) -> Detections:
        """Those of one class; KeyError where there is no such class."""
        if name not in self.names:
            raise KeyError(f"no class is called {name!r}")
        kept = np.flatnonzero(self.labels == self.names.index(name))
        masks = None if self.masks is None else tuple(self.masks[place] for place in kept)
        return Detections(self.boxes[kept], self.scores[kept], self.labels[kept], self.names, masks)

    def draw(self, picture: RGB) -> RGB:
        """Boxes with names and scores, masks as veils, on the picture; of the picture's size."""
        from mycloset.tasks.drawing_detections import draw_detections

        return draw_detections(picture, self)

    def to_dict(self) -> dict[str, Any]:
        """JSON values: a list of things with class, name, score, box and mask size."""
        things = []
        for place, (box, score, label) in enumerate(
            zip(self.boxes, self.scores, self.labels, strict=True)
        ):
            thing: dict[str, Any] = {
                "class": int(label),
                "name": self.name(place),
                "score": round(float(score), 4),
                "box": [round(float(side), 2) for side in box],
            }
            if self.masks is not None:
                mask = self.masks[place]
                thing["mask_pixels"] = int(mask.sum())
            things.append(thing)
        return {"detections": things}
