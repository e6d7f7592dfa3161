"""Poses: joints of people in a picture."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mycloset.images import RGB
from mycloset.tasks.skeletons import (
    BLAZEPOSE_33,
    COCO_17,
    COCO_WHOLEBODY_133,
    CROWDPOSE_14,
    MPII_16,
    OPENPOSE_18,
    OPENPOSE_HAND_21,
    Skeleton,
)

__all__ = [
    "BLAZEPOSE_33",
    "COCO_17",
    "COCO_WHOLEBODY_133",
    "CROWDPOSE_14",
    "MPII_16",
    "OPENPOSE_18",
    "OPENPOSE_HAND_21",
    "Pose",
    "Poses",
    "Skeleton",
    "convert",
]


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
        box: (4,) float32, left, top, right, bottom in pixels, around the person; None if unknown.
    """

    skeleton: Skeleton
    points: NDArray[np.float32]
    confidence: NDArray[np.float32]
    score: float
    depth: NDArray[np.float32] | None = None
    world: NDArray[np.float32] | None = None
    box: NDArray[np.float32] | None = None

    def point(self, joint: str) -> NDArray[np.float32]:
        """(2,) x and y of a joint by name."""
        point: NDArray[np.float32] = self.points[self.skeleton.index(joint)]
        return point

    def sure(self, joint: str) -> float:
        """Confidence of a joint by name, 0..1."""
        return float(self.confidence[self.skeleton.index(joint)])

    def draw(self, picture: RGB) -> RGB:
        """The skeleton on a faded picture, of the picture's size."""
        return Poses((self,)).draw(picture)

    def to_dict(self) -> dict[str, Any]:
        """JSON values: the skeleton's name, score, box, and each joint's place and confidence."""
        joints = [
            {
                "joint": joint,
                "x": round(float(x), 2),
                "y": round(float(y), 2),
                "confidence": round(float(sure), 4),
            }
            for joint, (x, y), sure in zip(
                self.skeleton.joints, self.points, self.confidence, strict=True
            )
        ]
        return {
            "skeleton": self.skeleton.name,
            "score": round(float(self.score), 4),
            "box": None if self.box is None else [round(float(side), 2) for side in self.box],
            "joints": joints,
        }


@dataclass(frozen=True)
class Poses:
    """Everybody in a picture.

    Attributes:
        people: the best first; where the caller gave boxes, in their order.
    """

    people: tuple[Pose, ...]

    def __iter__(self) -> Iterator[Pose]:
        return iter(self.people)

    def __len__(self) -> int:
        return len(self.people)

    def __getitem__(self, place: int) -> Pose:
        return self.people[place]

    @property
    def best(self) -> Pose | None:
        """The person of the highest score; None where there is nobody."""
        return max(self.people, key=lambda pose: pose.score, default=None)

    def draw(self, picture: RGB) -> RGB:
        """All skeletons on a faded picture, of the picture's size."""
        from mycloset.tasks.drawing import draw_poses

        return draw_poses(picture, self.people)

    def to_dict(self) -> dict[str, Any]:
        """JSON values: a list of people."""
        return {"people": [pose.to_dict() for pose in self.people]}


def convert(pose: Pose, skeleton: Skeleton) -> Pose:
    """The same pose in another skeleton, joint by joint of the same name.

    A neck that the pose lacks is the middle of its shoulders, as sure as the less sure of them.

    Raises:
        KeyError: the pose has no such joint and no way to make it.
    """
    if pose.skeleton == skeleton:
        return pose
    parts = [_parts(pose.skeleton, joint) for joint in skeleton.joints]

    def mean(values: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.stack([values[part].mean(axis=0) for part in parts]).astype(np.float32)

    return Pose(
        skeleton,
        mean(pose.points),
        np.array([pose.confidence[part].min() for part in parts], dtype=np.float32),
        pose.score,
        None if pose.depth is None else mean(pose.depth),
        None if pose.world is None else mean(pose.world),
        pose.box,
    )


def _parts(skeleton: Skeleton, joint: str) -> list[int]:
    """Positions of the joints whose middle is `joint`."""
    if joint == "neck" and joint not in skeleton.joints:
        return [skeleton.index("left_shoulder"), skeleton.index("right_shoulder")]
    return [skeleton.index(joint)]
