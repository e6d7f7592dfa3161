"""A person found in a picture: pose, silhouette and face together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mycloset.tasks.masks import Mask
from mycloset.tasks.poses import Pose


@dataclass(frozen=True)
class Face:
    """A face.

    Attributes:
        box: (4,) float32, left, top, right, bottom in pixels.
        mesh: (468, 2) float32, x and y in pixels of the face mesh's vertices; None where only
            the box is known.
        score: 0..1.
    """

    box: NDArray[np.float32]
    mesh: NDArray[np.float32] | None
    score: float


@dataclass(frozen=True)
class Person:
    """One person in a picture.

    Attributes:
        pose: joints (BlazePose-33 where the embedded networks found them).
        mask: the person's own silhouette, of the picture's size.
        face: the face, or None where none is seen.
        box: (4,) float32, left, top, right, bottom in pixels.
    """

    pose: Pose
    mask: Mask
    face: Face | None
    box: NDArray[np.float32]

    def visible(self, joint: str, *, least: float = 0.5) -> bool:
        """Whether a joint lies inside the picture and is at least that sure."""
        height, width = self.mask.alpha.shape
        x, y = self.pose.point(joint)
        inside = -0.5 <= x <= width - 0.5 and -0.5 <= y <= height - 0.5
        return bool(inside and self.pose.sure(joint) >= least)

    @property
    def face_only(self) -> bool:
        """Whether neither shoulder is seen: there is nothing to put a garment on."""
        return not (self.visible("left_shoulder") or self.visible("right_shoulder"))
