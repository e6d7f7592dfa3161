"""Poses: joints of one person in a picture, and the skeletons that name them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Skeleton:
    """An ordered list of joints and the limbs between them.

    "left" and "right" are the person's own.
    """

    name: str
    joints: tuple[str, ...]
    limbs: tuple[tuple[str, str], ...]

    def index(self, joint: str) -> int:
        """Position of `joint`; KeyError where this skeleton has no such joint."""
        try:
            return self.joints.index(joint)
        except ValueError:
            raise KeyError(f"{self.name} has no joint {joint!r}") from None


@dataclass(frozen=True)
class Pose:
    """Joints of one person.

    Attributes:
        skeleton: names and order of the joints (J of them).
        points: (J, 2) float32, x and y in pixels of the picture; may lie outside it.
        confidence: (J,) float32, 0..1, that the joint is visible where it is said to be.
        score: 0..1, that this is a person at all.
        depth: (J,) float32, in pixels relative to the hips, smaller is nearer; None if unknown.
        world: (J, 3) float32, metres from the hips' centre; None if unknown.
    """

    skeleton: Skeleton
    points: NDArray[np.float32]
    confidence: NDArray[np.float32]
    score: float
    depth: NDArray[np.float32] | None = None
    world: NDArray[np.float32] | None = None

    def point(self, joint: str) -> NDArray[np.float32]:
        """(2,) x and y of a joint by name."""
        point: NDArray[np.float32] = self.points[self.skeleton.index(joint)]
        return point

    def sure(self, joint: str) -> float:
        """Confidence of a joint by name, 0..1."""
        return float(self.confidence[self.skeleton.index(joint)])
