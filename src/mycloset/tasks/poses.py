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


BLAZEPOSE_33 = Skeleton(
    "BlazePose-33",
    (
        "nose", "left_eye_inner", "left_eye", "left_eye_outer", "right_eye_inner", "right_eye",
        "right_eye_outer", "left_ear", "right_ear", "mouth_left", "mouth_right", "left_shoulder",
        "right_shoulder", "left_elbow", "right_elbow", "left_wrist", "right_wrist", "left_pinky",
        "right_pinky", "left_index", "right_index", "left_thumb", "right_thumb", "left_hip",
        "right_hip", "left_knee", "right_knee", "left_ankle", "right_ankle", "left_heel",
        "right_heel", "left_foot_index", "right_foot_index",
    ),
    (
        ("nose", "left_eye_inner"), ("left_eye_inner", "left_eye"), ("left_eye", "left_eye_outer"),
        ("left_eye_outer", "left_ear"), ("nose", "right_eye_inner"),
        ("right_eye_inner", "right_eye"), ("right_eye", "right_eye_outer"),
        ("right_eye_outer", "right_ear"), ("mouth_left", "mouth_right"),
        ("left_shoulder", "right_shoulder"), ("left_shoulder", "left_elbow"),
        ("left_elbow", "left_wrist"), ("left_wrist", "left_pinky"), ("left_wrist", "left_index"),
        ("left_wrist", "left_thumb"), ("left_pinky", "left_index"),
        ("right_shoulder", "right_elbow"), ("right_elbow", "right_wrist"),
        ("right_wrist", "right_pinky"), ("right_wrist", "right_index"),
        ("right_wrist", "right_thumb"), ("right_pinky", "right_index"),
        ("left_shoulder", "left_hip"), ("right_shoulder", "right_hip"), ("left_hip", "right_hip"),
        ("left_hip", "left_knee"), ("left_knee", "left_ankle"), ("left_ankle", "left_heel"),
        ("left_heel", "left_foot_index"), ("left_ankle", "left_foot_index"),
        ("right_hip", "right_knee"), ("right_knee", "right_ankle"), ("right_ankle", "right_heel"),
        ("right_heel", "right_foot_index"), ("right_ankle", "right_foot_index"),
    ),
)  # fmt: skip
"""Order as in MediaPipe's pose landmark model card."""

COCO_17 = Skeleton(
    "COCO-17",
    (
        "nose", "left_eye", "right_eye", "left_ear", "right_ear", "left_shoulder",
        "right_shoulder", "left_elbow", "right_elbow", "left_wrist", "right_wrist", "left_hip",
        "right_hip", "left_knee", "right_knee", "left_ankle", "right_ankle",
    ),
    (
        ("nose", "left_eye"), ("nose", "right_eye"), ("left_eye", "right_eye"),
        ("left_eye", "left_ear"), ("right_eye", "right_ear"), ("left_ear", "left_shoulder"),
        ("right_ear", "right_shoulder"), ("left_shoulder", "right_shoulder"),
        ("left_shoulder", "left_elbow"), ("left_elbow", "left_wrist"),
        ("right_shoulder", "right_elbow"), ("right_elbow", "right_wrist"),
        ("left_shoulder", "left_hip"), ("right_shoulder", "right_hip"), ("left_hip", "right_hip"),
        ("left_hip", "left_knee"), ("left_knee", "left_ankle"), ("right_hip", "right_knee"),
        ("right_knee", "right_ankle"),
    ),
)  # fmt: skip
"""Order as in the COCO key point annotations."""

OPENPOSE_18 = Skeleton(
    "OpenPose-18",
    (
        "nose", "neck", "right_shoulder", "right_elbow", "right_wrist", "left_shoulder",
        "left_elbow", "left_wrist", "right_hip", "right_knee", "right_ankle", "left_hip",
        "left_knee", "left_ankle", "right_eye", "left_eye", "right_ear", "left_ear",
    ),
    (
        ("neck", "right_shoulder"), ("neck", "left_shoulder"), ("right_shoulder", "right_elbow"),
        ("right_elbow", "right_wrist"), ("left_shoulder", "left_elbow"),
        ("left_elbow", "left_wrist"), ("neck", "right_hip"), ("right_hip", "right_knee"),
        ("right_knee", "right_ankle"), ("neck", "left_hip"), ("left_hip", "left_knee"),
        ("left_knee", "left_ankle"), ("neck", "nose"), ("nose", "right_eye"),
        ("right_eye", "right_ear"), ("nose", "left_eye"), ("left_eye", "left_ear"),
    ),
)  # fmt: skip
"""Order as in OpenPose's COCO body model."""


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
    )


def _parts(skeleton: Skeleton, joint: str) -> list[int]:
    """Positions of the joints whose middle is `joint`."""
    if joint == "neck" and joint not in skeleton.joints:
        return [skeleton.index("left_shoulder"), skeleton.index("right_shoulder")]
    return [skeleton.index(joint)]
