"""Pictures into RetinaFace, faces out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from mycloset.architectures.face_detection import check_share, suppressed
from mycloset.architectures.plans import Forward, normalised
from mycloset.architectures.retinaface.priors import decoded_boxes, decoded_points, priors
from mycloset.errors import OptionError
from mycloset.images import RGB
from mycloset.tasks.faces import Faces

MEAN = (104.0, 117.0, 123.0)
"""Of the training pictures, BGR, 0..255."""

CANDIDATES = 5000
KEPT = 750
LEAST = 0.02
"""Faces less sure than this are never looked at (as published, before suppression)."""


class RetinaFaceProcessing:
    """Any picture at its own size; anchors decoded, overlaps suppressed.

    Args:
        min_sizes: sides of the anchors, in pixels, at strides 8, 16 and 32.
    """

    def __init__(self, min_sizes: Sequence[Sequence[float]]) -> None:
        self.min_sizes = tuple(tuple(level) for level in min_sizes)

    def __call__(
        self,
        forward: Forward,
        picture: RGB,
        *,
        score: float = 0.6,
        overlap: float = 0.4,
        longest: int | None = None,
    ) -> Faces:
        """The faces of one picture.

        Args:
            forward: the network.
            picture: RGB.
            score: the least that a face must have, 0..1.
            overlap: of two boxes that share more than this the surer stays, 0..1.
            longest: the picture is made smaller where its longer side has more pixels than this;
                by default it goes in at its own size, however large.

        Raises:
            OptionError: an option has a value that it cannot have.
        """
        check_share("score", score)
        check_share("overlap", overlap)
        if longest is not None and longest < 1:
            raise OptionError(f"longest: {longest!r} is no number of pixels.")
        full = picture.shape[:2]
        if longest is not None and max(full) > longest:
            scale = longest / max(full)
            size = max(1, round(full[1] * scale)), max(1, round(full[0] * scale))
            picture = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA))
        found = forward(image=self.prepare(picture))
        anchors = _priors(*picture.shape[:2], self.min_sizes)
        sure = found["conf"][0, :, 1]
        seen = np.flatnonzero(sure >= max(score, LEAST))
        seen = seen[np.argsort(-sure[seen], kind="stable")[:CANDIDATES]]
        boxes = decoded_boxes(found["loc"][0, seen], anchors[seen], *full)
        best = suppressed(boxes, sure[seen], overlap, most=KEPT)
        kept = seen[best]
        points = decoded_points(found["landms"][0, kept], anchors[kept], *full)
        return Faces(boxes[best], sure[kept], points)

    def prepare(self, picture: RGB) -> NDArray[np.float32]:
        """(1, 3, H, W) float32: BGR, 0..255, less the mean."""
        return normalised(picture[..., ::-1], MEAN, (1.0, 1.0, 1.0), scale=1.0)


@lru_cache(maxsize=4)
def _priors(
    height: int, width: int, min_sizes: tuple[tuple[float, ...], ...]
) -> NDArray[np.float32]:
    return priors(height, width, min_sizes)


def processing(variant: str, layout: str, config: Mapping[str, Any]) -> RetinaFaceProcessing:
    """How a RetinaFace is used; `min_sizes` is a choice of its plan."""
    return RetinaFaceProcessing(config["min_sizes"])
