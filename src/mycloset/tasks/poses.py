"""Poses: joints of one person in a picture, and the skeletons that name them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mycloset.images import RGB


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


_FINGERS = ("thumb", "index", "middle", "ring", "pinky")


def _hand(lead: str = "") -> tuple[str, ...]:
    """The wrist, then each finger's joints from the palm out."""
    joints = (f"{finger}_{number}" for finger in _FINGERS for number in range(1, 5))
    return tuple(lead + joint for joint in ("wrist", *joints))


def _fingers(lead: str = "", wrist: str = "wrist") -> tuple[tuple[str, str], ...]:
    """The limbs of a hand."""
    limbs = []
    for finger in _FINGERS:
        row = [wrist, *(f"{lead}{finger}_{number}" for number in range(1, 5))]
        limbs += list(pairwise(row))
    return tuple(limbs)


OPENPOSE_HAND_21 = Skeleton("OpenPose-hand-21", _hand(), _fingers())
"""Order as in OpenPose's hand model."""

MPII_16 = Skeleton(
    "MPII-16",
    (
        "right_ankle", "right_knee", "right_hip", "left_hip", "left_knee", "left_ankle", "pelvis",
        "thorax", "upper_neck", "head_top", "right_wrist", "right_elbow", "right_shoulder",
        "left_shoulder", "left_elbow", "left_wrist",
    ),
    (
        ("right_ankle", "right_knee"), ("right_knee", "right_hip"), ("right_hip", "pelvis"),
        ("left_hip", "pelvis"), ("left_hip", "left_knee"), ("left_knee", "left_ankle"),
        ("pelvis", "thorax"), ("thorax", "upper_neck"), ("upper_neck", "head_top"),
        ("thorax", "right_shoulder"), ("right_shoulder", "right_elbow"),
        ("right_elbow", "right_wrist"), ("thorax", "left_shoulder"),
        ("left_shoulder", "left_elbow"), ("left_elbow", "left_wrist"),
    ),
)  # fmt: skip
"""Order as in the MPII human pose data set."""

_FEET = tuple(
    f"{side}_{part}" for side in ("left", "right") for part in ("big_toe", "small_toe", "heel")
)

COCO_WHOLEBODY_133 = Skeleton(
    "COCO-WholeBody-133",
    (
        *COCO_17.joints,
        *_FEET,
        *(f"face_{number}" for number in range(68)),
        *(f"left_hand_{joint}" for joint in _hand()),
        *(f"right_hand_{joint}" for joint in _hand()),
    ),
    (
        *COCO_17.limbs,
        *((f"{foot.split('_')[0]}_ankle", foot) for foot in _FEET),
        *_fingers("left_hand_", "left_hand_wrist"),
        *_fingers("right_hand_", "right_hand_wrist"),
    ),
)
"""Order as in the COCO-WholeBody annotations: body, feet, face, left hand, right hand."""


def numbered_skeleton(count: int) -> Skeleton:
    """Joints whose meaning is not known."""
    return Skeleton(f"{count} joints", tuple(f"joint_{number}" for number in range(count)), ())


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

    def draw(self, picture: RGB) -> RGB:
        """The skeleton on the faded picture."""
        from mycloset.tasks.drawing import draw_pose

        return draw_pose(picture, self)

    def to_dict(self) -> dict[str, Any]:
        """JSON values: the skeleton's name, the score, and each joint's place and confidence."""
        joints = zip(self.skeleton.joints, self.points, self.confidence, strict=True)
        return {
            "skeleton": self.skeleton.name,
            "score": float(self.score),
            "joints": {
                name: {"x": float(point[0]), "y": float(point[1]), "confidence": float(sure)}
                for name, point, sure in joints
            },
        }


@dataclass(frozen=True)
class Poses:
    """Everybody that a pose network saw in a picture.

    Attributes:
        people: one pose each, the surest first.
    """

    people: tuple[Pose, ...]

    def __iter__(self) -> Iterator[Pose]:
        return iter(self.people)

    def __len__(self) -> int:
        return len(self.people)

    def __getitem__(self, number: int) -> Pose:
        return self.people[number]

    def draw(self, picture: RGB) -> RGB:
        """All skeletons on the faded picture."""
        from mycloset.tasks.drawing import draw_poses

        return draw_poses(picture, self.people)

    def to_dict(self) -> dict[str, Any]:
        """JSON values: each person's pose."""
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
    )


def _parts(skeleton: Skeleton, joint: str) -> list[int]:
    """Positions of the joints whose middle is `joint`."""
    if joint == "neck" and joint not in skeleton.joints:
        return [skeleton.index("left_shoulder"), skeleton.index("right_shoulder")]
    return [skeleton.index(joint)]
